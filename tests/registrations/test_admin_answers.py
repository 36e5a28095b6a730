"""What organizers see of what people answered in their calendars, and of mails that came back."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from events.models import Host, Membership, Session
from registrations import signup
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_organizer, make_registration, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}
LATER = NOW + timedelta(minutes=5)
ANSWERS = ["accepted", "tentative", "declined", ""]


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def owner(client, host):
    user = make_organizer(host, role=Membership.Role.OWNER)
    client.force_login(user)
    return user


@pytest.fixture
def people(host):
    """One of each answer, the last without one, all with places in one full session."""
    session = make_session(make_webinar(host=host), capacity=len(ANSWERS), **COMING)
    registered = [make_registration(session) for _answer in ANSWERS]
    for person, partstat in zip(registered[:-1], ANSWERS, strict=False):
        signup.answer(person, partstat=Registration.Partstat(partstat), sequence=0, dtstamp=LATER, now=LATER)
        person.refresh_from_db()
    return registered


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def listed(client, model=Registration, **query):
    return {row.pk for row in client.get(url(model, "changelist"), query).context["cl"].result_list}


def test_the_page_of_a_registration_says_what_was_answered_and_when_the_place_is_free(client, owner, people):
    pages = [strip_tags(client.get(url(Registration, "change", person.pk)).content.decode()) for person in people]

    for page, words in zip(pages, ("Accepted", "Perhaps", "Declined"), strict=False):
        assert "In their calendar" in page
        assert words in page
        assert "Wed, 16 Sept 2026, 10:05 London, UTC+1" in page
    assert "Place free for others from" in pages[2]
    assert "Thu, 17 Sept 2026, 10:05 London, UTC+1" in pages[2]
    assert "Place free for others from" not in pages[0]
    assert "In their calendar" not in pages[3]


def test_the_list_shows_answers_and_is_narrowed_to_one(client, owner, people):
    rows = client.get(url(Registration, "changelist")).context["cl"]
    shown = {row.pk: str(rows.model_admin.answer(row)[1]) for row in rows.result_list}

    assert shown == {
        person.pk: words for person, words in zip(people, ("Accepted", "Perhaps", "Declined", ""), strict=True)
    }
    for person, value in zip(people, ("accepted", "tentative", "declined", "none"), strict=True):
        assert listed(client, answer=value) == {person.pk}
    assert len(listed(client, answer="nonsense")) == len(people)


def test_those_without_an_entry_are_not_among_those_without_an_answer(client, owner, people):
    waiting = make_registration(people[0].session)

    assert waiting.pk not in listed(client, answer="none")


def test_the_page_of_a_session_counts_answers_and_leads_to_those_people(client, owner, people):
    session = people[0].session
    page = client.get(url(Session, "change", session.pk)).content.decode()

    assert "4 registered" in page
    assert "1 accepted" in page
    assert "1 may come" in page
    assert "1 declined" in page
    assert f"{url(Registration, 'changelist')}?session={session.pk}&amp;answer=declined" in page


def test_answers_that_nobody_gave_are_not_counted_on_the_page_of_a_session(client, owner, host):
    person = make_registration(make_session(make_webinar(host=host), **COMING))

    page = client.get(url(Session, "change", person.session_id)).content.decode()

    assert "1 registered" in page
    assert "declined" not in strip_tags(page).lower()


def test_a_mail_that_came_back_is_found_everywhere(client, owner, people):
    back, fine = people[0].messages.get(), people[1].messages.get()
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    Message.objects.filter(pk=back.pk).update(bounced_at=LATER, bounce="5.1.1 No such user")

    assert listed(client, Message, **{"return": "came_back"}) == {back.pk}
    assert listed(client, mail="came_back") == {people[0].pk}
    rows = client.get(url(Registration, "changelist")).context["cl"]
    assert {row.pk: rows.model_admin.mail(row)[0] for row in rows.result_list}[people[0].pk] == "came_back"
    for page in (
        url(Message, "change", back.pk),
        url(Message, "changelist"),
        url(Registration, "change", people[0].pk),
    ):
        text = strip_tags(client.get(page).content.decode())
        assert "Came back" in text
        assert "5.1.1 No such user" in text
    assert "Came back" not in strip_tags(client.get(url(Message, "change", fine.pk)).content.decode())


def test_the_lists_take_as_many_queries_with_many_answers_as_with_one(client, owner, host):
    counts = []
    for _round in range(2):
        person = make_registration(make_session(make_webinar(host=host), **COMING))
        signup.answer(person, partstat=Registration.Partstat.ACCEPTED, sequence=0, dtstamp=LATER, now=LATER)
        Message.objects.filter(registration=person).update(bounced_at=NOW, bounce="5.1.1")
        with CaptureQueriesContext(connection) as captured:
            client.get(url(Registration, "changelist"))
            client.get(url(Message, "changelist"))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_an_owner_says_how_long_a_declined_place_is_kept_and_who_gets_a_tentative_entry(client, owner, host):
    page = client.get(url(Host, "change", host.pk))

    client.post(
        url(Host, "change", host.pk),
        {**posted(page, id="host_form"), "has_tentative_entries": "on", "keep_hours": "48"},
    )

    host.refresh_from_db()
    assert (host.has_tentative_entries, host.keep_hours) == (True, 48)
