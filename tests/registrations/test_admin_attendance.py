"""Who came, as organizers see and mark it."""

from datetime import date, time, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from events.models import Membership
from registrations import signup
from registrations.models import Message
from tests.builders import make_host, make_offer, make_organizer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

LIST = "admin:registrations_registration_changelist"


@pytest.fixture
def host():
    return make_host(time_zone="Europe/London")


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


def of_yesterday(host, **fields):
    yesterday = timezone.now() - timedelta(days=1)
    return make_session(make_webinar(host=host), local_date=yesterday.date(), local_time=time(13, 30), **fields)


def registered(session, **fields):
    return make_registration(session, now=timezone.now() - timedelta(days=3), **fields)


def page(name, person):
    return reverse(f"admin:registrations_registration_{name}", args=[person.pk])


def mark(client, people, **more):
    data = {"action": "mark_registrations_came", "_selected_action": [person.pk for person in people], **more}
    return client.post(reverse(LIST), data, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def test_whoever_is_marked_came_before_the_end_and_earns_what_coming_earns_once(client, editor, host):
    session = of_yesterday(host)
    make_offer(session.webinar, conditions=("attended",))
    anna = registered(session)

    assert "Mark 1 person as come" in words_of(mark(client, [anna]))
    mark(client, [anna], confirmed="yes")
    said = words_of(mark(client, [anna], confirmed="yes"))

    anna.refresh_from_db()
    assert anna.joined_at == session.ends_at
    assert Message.objects.filter(kind=Message.Kind.OFFER_EARNED).count() == 1
    assert LogEntry.objects.filter(change_message="Marked as came.").count() == 1
    assert "None of these can have come" in said


def test_nobody_is_marked_who_has_no_place_or_whose_session_has_not_begun(client, editor, host):
    cancelled = registered(of_yesterday(host))
    signup.cancel(cancelled, now=timezone.now() - timedelta(days=2))
    coming = registered(make_session(make_webinar(host=host), local_date=date(2031, 5, 14)))

    mark(client, [cancelled, coming], confirmed="yes")

    for person in (cancelled, coming):
        person.refresh_from_db()
        assert person.joined_at is None


def test_the_page_of_one_has_the_button_and_then_says_when_they_came(client, editor, host):
    anna = registered(of_yesterday(host))

    assert "Mark as came" in words_of(client.get(page("change", anna)))
    client.post(page("mark_one_came", anna), {"confirmed": "yes"})

    words = words_of(client.get(page("change", anna)))
    assert "Mark as came" not in words
    assert "Came" in words


def test_viewers_mark_nobody(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    anna = registered(of_yesterday(host))

    client.post(page("mark_one_came", anna), {"confirmed": "yes"})
    mark(client, [anna], confirmed="yes")

    anna.refresh_from_db()
    assert anna.joined_at is None


@pytest.mark.parametrize(("came", "found"), [("yes", {"Anna"}), ("no", {"Bob"}), ("", {"Anna", "Bob", "Cleo"})])
def test_the_list_shows_who_came_and_who_did_not(client, editor, host, came, found):
    session = of_yesterday(host)
    anna, _bob = registered(session, name="Anna"), registered(session, name="Bob")
    registered(make_session(make_webinar(host=host), local_date=date(2031, 5, 14)), name="Cleo")
    client.post(page("mark_one_came", anna), {"confirmed": "yes"})

    listed = client.get(reverse(LIST, query={"came": came} if came else {})).context["cl"].result_list

    assert {person.name for person in listed} == found
