"""The plan on somebody's page: what went out to them, what is to come, and why the rest does not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Membership, Question, Webinar
from registrations import mailings, stops
from registrations.admin import own_plan
from registrations.models import Message, Registration
from tests.builders import (
    make_host,
    make_organizer,
    make_question,
    make_registration,
    make_rule,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def session(host):
    """With a whole plan, and a question for afterwards."""
    for minutes in (24 * 60, 60, 0):
        make_rule(host, minutes)
    for audience in ("came", "stayed_away"):
        make_rule(host, 120, purpose="follow_up", audience=audience)
    make_rule(host, 125, purpose="survey")
    make_rule(host, 0, purpose="replay")
    webinar = make_webinar(host=host)
    make_question(webinar, asked=Question.Asked.SURVEY)
    return make_session(webinar)


def sweep(now):
    Message.objects.filter(state="queued").update(state="sent", sent_at=F("created_at"))
    mailings.sweep(now=now)


def told(person, *, now):
    fresh = Registration.objects.select_related("session", "webinar__host").get(pk=person.pk)
    return [(line.title, line.fate, line.reason) for line in own_plan.plan_of(fresh, now=now)]


def test_before_the_session_what_is_past_has_its_reason_and_the_rest_is_planned(session):
    late = make_registration(session, now=session.starts_at - 5 * HOUR)
    sweep(session.starts_at - HOUR)

    assert told(late, now=session.starts_at - HOUR) == [
        ("Reminder", "Skipped", "Its moment had passed when they registered."),
        ("Reminder", "Waiting to be sent", ""),
        ("It starts now", "Planned", ""),
        ("Thank you for coming", "Planned", ""),
        ("What you missed", "Planned", ""),
        (
            "How was it?",
            "Merged",
            "It is due within a quarter of an hour of “What you missed”, which goes out for both.",
        ),
        ("The replay is there", "Planned", "It goes out as soon as there is a replay to watch."),
    ]


def test_after_the_session_it_says_what_was_sent_and_what_was_not_for_them(session):
    early = make_registration(session)
    Registration.objects.update(joined_at=session.starts_at)
    for now in (session.starts_at - HOUR, session.starts_at, session.ends_at + 2 * HOUR):
        sweep(now)
    sweep(session.ends_at + 3 * HOUR)

    assert told(early, now=session.ends_at + 3 * HOUR)[:6] == [
        # Nobody swept a day before.
        (
            "Reminder",
            "Skipped",
            "Its moment has passed: no worker was there in time, or nothing could be sent to them then.",
        ),
        ("Reminder", "Sent", ""),
        ("It starts now", "Sent", ""),
        ("Thank you for coming", "Sent", ""),
        ("What you missed", "Skipped", "They came."),
        (
            "How was it?",
            "Merged",
            "It is due within a quarter of an hour of “Thank you for coming”, which goes out for both.",
        ),
    ]


def test_what_went_with_the_confirmation_still_says_so_after_a_later_mail_about_the_time(session):
    person = make_registration(session, now=session.starts_at - 70 * MINUTE)
    sweep(session.starts_at - HOUR)
    Message.objects.create(
        key="link-1",
        kind="link_again",
        registration=person,
        to_email=person.email,
        state="sent",
        created_at=session.starts_at,
        due_at=session.starts_at,
        sent_at=session.starts_at - 30 * MINUTE,
    )

    assert told(person, now=session.starts_at - 20 * MINUTE)[1][1:] == (
        "Merged",
        "It is due within a quarter of an hour of the confirmation, which tells the same.",
    )


def test_nothing_is_planned_for_whoever_wants_none_nor_by_a_draft(session):
    person = make_registration(session)
    now = session.starts_at - 48 * HOUR
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    assert told(person, now=now)[0] == ("Reminder", "Skipped", "The webinar is not published.")

    Webinar.objects.update(status=Webinar.Status.PUBLISHED)
    stops.unsubscribe(person, how=stops.How.PAGE, now=now)
    assert told(person, now=now)[0] == (
        "Reminder",
        "Skipped",
        "They do not want such mails, or their address takes none.",
    )


def test_the_page_shows_it_to_a_viewer_with_as_many_queries_for_more_rules(client, host, session):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    person = make_registration(session)
    page = reverse("admin:registrations_registration_change", args=[person.pk])
    client.get(page)

    counts = []
    for minutes in (None, 30, 20, 10):
        if minutes:
            make_rule(host, minutes)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(page)
        counts.append(len(queries))

    assert b"24 hours before the start" in response.content
    assert len(set(counts)) == 1


def test_whoever_has_no_place_has_no_plan(client, host, session):
    client.force_login(make_organizer(host))
    person = make_registration(session)
    Registration.objects.update(status="cancelled", has_place=False)

    assert told(person, now=session.starts_at - HOUR) == []
    page = client.get(reverse("admin:registrations_registration_change", args=[person.pk])).content
    assert b"24 hours before the start" not in page
