"""Trying out the plan: a time line in words, each mail as it would be, and nothing written."""

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Membership, Question, Session, Webinar
from registrations import simulator
from registrations.mail_plan import Fate
from registrations.models import Mailing, Message, OfferCode, Registration
from registrations.simulator import Simulated
from tests.builders import make_host, make_offer, make_organizer, make_question, make_rule, make_session, make_webinar

pytestmark = pytest.mark.django_db

STARTS_AT = datetime(2031, 5, 14, 12, 30, tzinfo=UTC)
COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def host():
    return make_host(name="Border Review", time_zone="Europe/London")


@pytest.fixture
def session(host):
    """With a whole plan, a question for afterwards and an offer."""
    for minutes in (24 * 60, 60, 0):
        make_rule(host, minutes)
    make_rule(host, 120, purpose="follow_up", audience="came")
    make_rule(host, 120, purpose="follow_up", audience="stayed_away")
    make_rule(host, 125, purpose="survey")
    make_rule(host, 0, purpose="replay")
    webinar = make_webinar(host=host, title="Border Challenges")
    make_question(webinar, asked=Question.Asked.SURVEY)
    make_offer(webinar)
    return make_session(webinar, **COMING)


@pytest.fixture
def viewer(client, host):
    user = make_organizer(host, role=Membership.Role.VIEWER, email="vera@example.org")
    client.force_login(user)
    return user


def person(**fields):
    return Simulated(
        **{
            "registered_at": STARTS_AT - timedelta(days=7),
            "time_zone": "Asia/Tashkent",
            "language": "en",
            "came": True,
            "name": "Somebody",
            "email": "vera@example.org",
            **fields,
        }
    )


def told(steps):
    return [(step.title, step.fate.value, step.reason) for step in steps]


def page(session):
    return reverse("admin:events_session_plan_of_mails", args=[session.pk])


def words(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_the_time_line_has_every_mail_with_its_fate_and_reason(session):
    assert told(simulator.simulate(session, person())) == [
        ("You have a place", "sent", ""),
        ("Reminder", "sent", ""),
        ("Reminder", "sent", ""),
        ("It starts now", "sent", ""),
        ("Thank you for coming", "sent", ""),
        ("What you missed", "skipped", "They came."),
        (
            "How was it?",
            "merged",
            "It is due within a quarter of an hour of “Thank you for coming”, which goes out for both.",
        ),
        ("The replay is there", "open", "It goes out as soon as there is a replay to watch."),
    ]


def test_whoever_registers_half_an_hour_before_and_stays_away(session):
    steps = simulator.simulate(session, person(registered_at=STARTS_AT - timedelta(minutes=30), came=False))

    assert [step.fate for step in steps] == [
        Fate.SKIPPED,
        Fate.SKIPPED,
        Fate.SENT,
        Fate.SENT,
        Fate.SKIPPED,
        Fate.SENT,
        Fate.MERGED,
        Fate.OPEN,
    ]
    assert [steps[0].reason, steps[4].reason] == ["Its moment had passed when they registered.", "They did not come."]
    moments = [step.at for step in steps if step.at is not None]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("rules", "places", "waits"),
    [
        ({}, {}, False),
        ({"needs_approval": True}, {}, True),
        ({"needs_proof": True}, {}, True),
        ({"price_amount": 40, "price_currency": "EUR"}, {}, True),
        ({}, {"capacity": 1, "places_taken": 1}, True),
    ],
)
def test_where_a_place_has_to_be_waited_for_the_page_says_so(client, viewer, session, rules, places, waits):
    Webinar.objects.update(**{"price_amount": 0, **rules})
    Session.objects.update(**{"capacity": None, **places})

    assert ("Now they would wait first" in page_words(client, session)) is waits


def page_words(client, session):
    response = client.get(reverse("admin:events_session_plan_of_mails", args=[session.pk]))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_each_mail_that_is_sent_is_shown_as_it_would_be(session):
    steps = simulator.simulate(session, person())

    shown = {step.title: step.preview for step in steps if step.preview}
    assert {title: preview.subject for title, preview in shown.items()} == {
        "You have a place": "Your place: Border Challenges, Wed 14 May, 17:30 Tashkent",
        "Reminder": "Reminder: Border Challenges, Wed 14 May, 17:30 Tashkent",
        "It starts now": "It starts now: Border Challenges",
        "Thank you for coming": "Thank you for coming: Border Challenges",
    }
    assert "17:30 to 19:00\nTashkent, UTC+5 (your time)" in shown["Reminder"].text
    assert "50% off your first two months" in shown["You have a place"].text
    assert "Tell the host how it was" in shown["Thank you for coming"].text
    assert all("href" not in preview.html for preview in shown.values())


def test_a_preview_speaks_the_language_that_was_chosen(session):
    [first, *_rest] = simulator.simulate(session, person(language="ar"))

    assert first.preview is not None
    assert '<html lang="ar" dir="rtl"' in first.preview.html


def test_the_plan_of_a_draft_is_told_as_if_it_were_published(session):
    published = simulator.simulate(session, person())
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    draft = type(session).objects.get(pk=session.pk)

    assert told(simulator.simulate(draft, person())) == told(published)
    assert draft.webinar.status == Webinar.Status.DRAFT


def test_nothing_is_written_by_trying_out(session):
    with CaptureQueriesContext(connection) as queries:
        simulator.simulate(session, person())

    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert [model.objects.count() for model in (Registration, Message, Mailing, OfferCode)] == [0, 0, 0, 0]


def test_more_rules_ask_no_more_for_a_plan_without_previews(session, host):
    def queries_of(**fields):
        with CaptureQueriesContext(connection) as queries:
            simulator.simulate(session, person(**fields))
        return len(queries)

    over = {"registered_at": STARTS_AT + timedelta(days=30)}
    before = queries_of(**over)
    for minutes in (5, 10, 15, 30):
        make_rule(host, minutes)

    assert queries_of(**over) == before


# ---------- the page ----------


def test_a_viewer_tries_out_who_registers_on_the_morning(client, viewer, session):
    response = client.get(page(session), {"time_zone": "America/New_York", "moment": "morning"})

    assert response.status_code == 200
    said = words(response)
    assert (
        "Wed, 14 May 2031, 04:00 New York, UTC−4 There: Wed, 14 May 2031, 09:00 London, UTC+1 Sent You have a place"
        in said
    )
    assert "Skipped Reminder 24 hours before the start Its moment had passed when they registered." in said
    assert "Wed, 14 May 2031, 07:30 New York, UTC−4 There: Wed, 14 May 2031, 12:30 London, UTC+1 Sent Reminder" in said


def test_a_time_of_ones_choice_is_on_the_sessions_clock(client, viewer, session):
    response = client.get(page(session), {"moment": "own", "at": "2031-05-13T13:30"})

    assert "Tue, 13 May 2031, 13:30 London, UTC+1 Sent You have a place" in words(response)
    assert (
        "Merged Reminder 24 hours before the start It is due within a quarter of an hour of the confirmation"
        in words(response)
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"moment": "own"}, "Enter when they register."),
        ({"moment": "own", "at": "2031-03-30T01:30"}, "so it does not exist"),
        ({"moment": "own", "at": "tomorrow"}, "Enter a valid date/time."),
        ({"moment": "own", "at": "0001-01-01T00:00"}, "This date is too far away."),
        ({"moment": "own", "at": "9999-12-31T23:59", "time_zone": "Pacific/Kiritimati"}, "This date is too far away."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice."),
        ({"moment": "yesterday"}, "Select a valid choice."),
        ({"language": "tlh"}, "Select a valid choice."),
    ],
)
def test_what_is_no_moment_or_place_is_refused_beside_its_field(client, viewer, session, asked, said):
    response = client.get(page(session), asked)

    assert response.status_code == 422
    assert said in words(response)


def test_the_mails_stand_in_frames_without_scripts_or_links(client, viewer, session):
    Webinar.objects.update(title='"><script>alert(1)</script>')

    html = client.get(page(session)).content.decode()

    frames = re.findall(r"<iframe [^>]*>", html)
    assert len(frames) == 5
    assert all(" sandbox " in frame and 'srcdoc="' in frame for frame in frames)
    assert "<script>alert" not in html


def test_a_session_of_another_host_is_tried_out_by_nobody_else(client, viewer):
    theirs = make_session(make_webinar(), **COMING)

    assert client.get(page(theirs)).status_code in {302, 403, 404}


def test_the_webinars_list_of_sessions_leads_there(client, host, session):
    client.force_login(make_organizer(host))

    assert (
        page(session) in client.get(reverse("admin:events_webinar_change", args=[session.webinar_id])).content.decode()
    )
    assert page(session) in client.get(reverse("admin:events_session_change", args=[session.pk])).content.decode()
