"""The address of a replay: whoever saves it is asked before the plan tells anybody."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from events.models import Membership
from registrations import mailings, stops
from registrations.models import Mailing, Message, Unsubscription
from tests.builders import make_host, make_organizer, make_registration, make_rule, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

RECORDING = "https://video.example.net/42"


@pytest.fixture
def host():
    return make_host(time_zone="Europe/London")


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


@pytest.fixture
def webinar(host):
    return make_webinar(host=host)


def held(webinar, *, days_ago=1, people=2):
    """A session that is over, with people who had registered before."""
    day = timezone.now() - timedelta(days=days_ago)
    session = make_session(webinar, local_date=day.date())
    for _each in range(people):
        make_registration(session, now=day - timedelta(days=3))
    Message.objects.update(state=Message.State.SENT, sent_at=day - timedelta(days=3))
    return session


def page(webinar):
    return reverse("admin:events_webinar_change", args=[webinar.pk])


def save(client, webinar, **changed):
    sent = posted(client.get(page(webinar)), id="webinar_form")
    return client.post(page(webinar), sent | changed, follow=True)


def agree(client, webinar, question):
    return client.post(page(webinar), dict(question.context["carried"]) | {"confirmed": ""}, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def test_the_address_of_a_replay_is_saved_once_it_is_agreed_that_people_are_told(client, editor, host, webinar):
    make_rule(host, 0, purpose="replay")
    held(webinar)

    question = save(client, webinar, replay_url=RECORDING)

    webinar.refresh_from_db()
    assert webinar.replay_url == ""
    assert "2 people get the mail “The replay is there” now, within a minute." in words_of(question)
    assert "Save and tell 2 people" in words_of(question)

    agree(client, webinar, question)

    webinar.refresh_from_db()
    assert webinar.replay_url == RECORDING
    mailings.sweep(now=timezone.now())
    assert Message.objects.filter(kind=Message.Kind.REPLAY).count() == 2


def test_a_replay_that_opens_later_says_when_its_mail_goes_out(client, editor, host, webinar):
    make_rule(host, 0, purpose="replay")
    held(webinar)

    question = save(client, webinar, replay_url=RECORDING, replay_from="2031-05-14T09:00")

    assert "2 people get the mail “The replay is there” on Wed, 14 May 2031, 09:00 London" in words_of(question)


@pytest.mark.parametrize("because", ["no rule", "nobody", "unsubscribed", "told before", "draft"])
def test_nothing_is_asked_where_nobody_would_be_told(client, editor, host, webinar, because):
    rule = make_rule(host, 0 if because != "no rule" else 60, purpose="replay" if because != "no rule" else "reminder")
    session = held(webinar, people=0 if because == "nobody" else 1)
    if because == "unsubscribed":
        person = session.registrations.get()
        stops.unsubscribe(person, how=Unsubscription.How.PAGE, now=timezone.now())
    if because == "told before":
        now = timezone.now()
        told = {"kind": Message.Kind.REPLAY, "audience": Mailing.Audience.PLACE, "due_at": now, "begun_at": now}
        Mailing.objects.create(key="told", webinar=webinar, session=session, rule=rule, **told)
    if because == "draft":
        type(webinar).objects.filter(pk=webinar.pk).update(status="draft")

    save(client, webinar, replay_url=RECORDING)

    webinar.refresh_from_db()
    assert webinar.replay_url == RECORDING


def test_another_address_of_the_same_replay_tells_nobody_anew(client, editor, host, webinar):
    make_rule(host, 0, purpose="replay")
    held(webinar)
    type(webinar).objects.filter(pk=webinar.pk).update(
        replay_url=RECORDING, replay_added_at=timezone.now() - timedelta(hours=1)
    )

    save(client, webinar, replay_url="https://video.example.net/43")

    webinar.refresh_from_db()
    assert webinar.replay_url == "https://video.example.net/43"


def test_the_field_says_that_people_are_told(client, editor, webinar):
    words = words_of(client.get(page(webinar)))

    assert "Where the plan of mails has a mail about the replay, it goes out as soon as" in words
