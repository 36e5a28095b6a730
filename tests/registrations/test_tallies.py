"""How many of a session's people were told what, and all that failed once more."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events import scheduling
from events.models import Session
from registrations import correspondence, outbox, signup, stops, tallies
from registrations.admin.messages import OutcomeFilter
from registrations.models import Mailing, Message, Registration
from registrations.tallies import Outcome
from tests.builders import make_host, make_organizer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def session() -> Session:
    """In a month, moved once, so that everybody has been told of a change."""
    webinar = make_webinar(host=make_host(time_zone="Europe/London"))
    return make_session(webinar, local_date=(NOW + timedelta(days=30)).date())


@pytest.fixture
def people(session) -> list[Registration]:
    """Six people who were told that they have a place."""
    found = [make_registration(session, now=NOW - timedelta(hours=1)) for _ in range(6)]
    Message.objects.update(state="sent", sent_at=NOW)
    return found


def move(session: Session, *, hour: int = 15) -> None:
    session.refresh_from_db()
    session.local_time = time(hour, 0)
    scheduling.save_session(session, by=None, now=NOW)


def set_ends(people: list[Registration], kind: str = "rescheduled") -> None:
    """Two told, one each: still waiting, failed, came back, not needed."""
    ends: list[dict[str, Any]] = [
        {"state": "sent", "sent_at": NOW},
        {"state": "sent", "sent_at": NOW},
        {"state": "retrying"},
        {"state": "failed", "answer": "550 No"},
        {"state": "sent", "sent_at": NOW, "bounced_at": NOW},
        {"state": "cancelled", "answer": "The session is over."},
    ]
    for person, end in zip(people, ends, strict=True):
        person.messages.filter(kind=kind).update(**end)


def tally(session: Session, kind: str = "rescheduled") -> tallies.Tally:
    [found] = [found for found in tallies.of_session(session) if found.kind == kind]
    return found


def numbers(found: tallies.Tally) -> tuple[int, ...]:
    return tuple(getattr(found, outcome.value) for outcome in Outcome)


def test_each_kind_says_how_many_of_how_many_were_told(session, people):
    move(session)
    set_ends(people)

    moved, confirmed = tallies.of_session(session)

    assert (moved.kind, moved.occasion_at, moved.owed, numbers(moved)) == ("rescheduled", NOW, 5, (2, 1, 1, 1, 1))
    assert (confirmed.kind, confirmed.occasion_at, confirmed.owed) == ("confirmed", None, 6)


def test_two_changes_are_two_occasions(session, people):
    move(session)
    Message.objects.filter(kind="rescheduled").update(state="sent", sent_at=NOW, occasion_at=NOW - timedelta(days=1))
    move(session, hour=16)

    assert [(found.kind, found.told, found.waiting) for found in tallies.of_session(session)][:2] == [
        ("rescheduled", 0, 6),
        ("rescheduled", 6, 0),
    ]


def test_who_could_not_be_written_to_is_not_told(session, people):
    [first, *_rest] = people
    stops.came_back(list(first.messages.all()), reason="5.1.1", is_hard=True, now=NOW)
    move(session)
    claimed = outbox.claim(first.messages.get(kind="rescheduled").pk, now=LATER)
    assert claimed is not None

    assert outbox.mark_cancelled(claimed, reason=stops.reason(claimed))

    assert numbers(tally(session)) == (0, 5, 0, 1, 0)
    assert tallies.reach([session.pk])[session.pk].came_back == 1


def test_what_a_mail_says_in_words_decides_nothing(session, people):
    move(session)
    set_ends(people)
    Message.objects.filter(kind="rescheduled", state="cancelled").update(answer=stops.ADDRESS_FAILS)

    assert numbers(tally(session)) == (2, 1, 1, 1, 1)


def test_a_reason_is_kept_with_what_was_cancelled_alone(session, people):
    sent = Message.objects.filter(registration=people[0])

    with pytest.raises(IntegrityError, match="message_cancelled_because"), transaction.atomic():
        sent.update(cancelled_because=Message.CancelledBecause.ADDRESS_FAILS)


def test_what_was_sent_again_since_troubles_nobody(session, people):
    [first, *_rest] = people
    Message.objects.filter(registration=first).update(state="failed")
    newer = Message.objects.get(registration=first)
    newer.pk, newer.key, newer.state, newer.sent_at = None, "again", "sent", NOW
    newer.save()

    assert tallies.reach([session.pk])[session.pk] == tallies.Reach(
        people=6, waiting=0, failed=0, came_back=0, untold=0
    )


def test_the_lists_have_as_many_as_the_numbers_say(session, people):
    move(session)
    set_ends(people)
    mails = Message.objects.filter(registration__session=session, kind="rescheduled")

    assert [tallies.with_outcome(mails, outcome).count() for outcome in Outcome] == [2, 1, 1, 1, 1]


def test_a_session_knows_how_many_of_its_people_all_mails_have_come_through_to(session, people):
    move(session)
    set_ends(people)
    signup.cancel(make_registration(session, now=NOW), now=NOW)
    other = make_session()

    reach = tallies.reach([session.pk, other.pk])

    assert reach[session.pk] == tallies.Reach(people=6, waiting=1, failed=1, came_back=1, untold=3)
    assert reach[session.pk].told == 3
    assert reach[other.pk].people == 0


def test_nobody_is_told_by_a_mail_that_was_not_needed(session, people):
    Message.objects.update(state="cancelled", sent_at=None, answer="The session is over.")
    people[0].messages.all().delete()
    people[1].messages.update(state="sent", sent_at=NOW)
    people[2].messages.update(state="queued")

    [reach] = tallies.reach([session.pk]).values()

    assert (reach.people, reach.told, reach.waiting, reach.silent, reach.not_needed) == (6, 1, 1, 4, 3)


def test_who_was_sent_a_mail_that_came_back_and_then_one_that_was_not_needed_is_not_told(session, people):
    Message.objects.update(state="sent", sent_at=NOW, bounced_at=NOW)
    again = Message.objects.get(registration=people[0])
    again.pk, again.key = None, "again"
    again.state, again.bounced_at, again.answer = "cancelled", None, "The session is over."
    again.save()

    [reach] = tallies.reach([session.pk]).values()

    assert (reach.told, reach.came_back, reach.silent, reach.not_needed) == (0, 5, 1, 1)


# ---------- sending again ----------


def again(session: Session) -> correspondence.SentAgain:
    return correspondence.send_failed_again(
        Message.objects.filter(registration__session=session, kind="rescheduled"), now=LATER
    )


def test_all_that_failed_or_came_back_is_sent_again_and_nothing_else(session, people):
    move(session)
    set_ends(people)

    assert again(session) == correspondence.SentAgain(count=2, unreachable=0)
    assert again(session) == correspondence.SentAgain(count=0, unreachable=0)

    assert numbers(tally(session)) == (2, 3, 0, 0, 1)
    assert tally(session).occasion_at == NOW


def test_what_failed_and_was_told_by_one_sent_again_is_not_sent_a_third_time(session, people):
    move(session)
    set_ends(people)
    failed = people[3].messages.get(kind="rescheduled")
    correspondence.send_again(people[3], message_id=failed.pk, now=NOW)
    people[3].messages.filter(state="queued").update(state="sent", sent_at=NOW)

    # The page's button, and the list's, where whoever presses it has marked the failed row itself.
    chosen = Message.objects.filter(pk=failed.pk)
    assert again(session).count == 1
    assert correspondence.send_failed_again(chosen, now=LATER).count == 0

    assert not people[3].messages.filter(state="queued").exists()


def test_what_is_about_no_registration_can_be_tried_again(session):
    probe = outbox.enqueue_probe("SOMEBODY", to_email="me@example.org", now=NOW)
    Message.objects.filter(pk=probe.pk).update(state="failed")

    assert correspondence.send_failed_again(Message.objects.filter(pk=probe.pk), now=LATER).count == 1


def test_nothing_is_sent_again_to_an_address_that_takes_no_mail(session, people):
    move(session)
    set_ends(people)
    back = people[4].messages.filter(kind="rescheduled")
    back.update(bounced_at=None)
    stops.came_back(list(back.select_related("registration")), reason="5.1.1", is_hard=True, now=NOW)

    assert again(session) == correspondence.SentAgain(count=1, unreachable=1)

    assert back.count() == 1


def test_what_has_lost_its_point_is_not_sent_again(session, people):
    move(session)
    set_ends(people)
    signup.cancel(people[4], now=NOW)

    assert again(session).count == 1


# ---------- the pages ----------


def page(session: Session, **query: str) -> str:
    return reverse("admin:events_session_mails_of_one", args=[session.pk], query=query)


def again_page(session: Session) -> str:
    return page(session, again="yes", kind="rescheduled", occasion=NOW.isoformat())


def test_the_page_says_how_many_were_told_and_leads_to_the_lists(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    move(session)
    set_ends(people)

    content = client.get(page(session)).content.decode()

    assert "The session has moved" in content
    assert "2 of 5 told" in content
    assert "Came back: 1" in content
    failed = reverse(
        "admin:registrations_message_changelist",
        query={
            "kind__exact": "rescheduled",
            "occasion": NOW.isoformat(),
            "session": session.pk,
            "outcome": "failed",
        },
    )
    assert failed.replace("&", "&amp;") in content
    rows = client.get(failed).context["cl"].result_list
    assert [mail.registration for mail in rows] == [people[3]]


@pytest.mark.parametrize("occasion", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "yesterday"])
def test_an_occasion_that_is_no_moment_names_none(client, session, people, occasion):
    client.force_login(make_organizer(session.webinar.host, role="editor"))

    listed = client.get(reverse("admin:registrations_message_changelist", query={"occasion": occasion}))

    assert listed.status_code == 200
    asked = client.get(page(session, again="yes", kind="rescheduled", occasion=occasion))
    assert (asked.status_code, asked.headers.get("Location")) == (302, page(session))


def badge(client) -> tuple[str, str]:
    """How the list of sessions says who was told, and the classes that colour it."""
    content = client.get(reverse("admin:events_session_changelist")).content.decode()
    [(classes, words)] = re.findall(r'<span class="([^"]*)"[^>]*>([^<]* told[^<]*)<', content)
    return " ".join(words.split()), classes


def test_the_list_calls_nobody_told_whose_mails_were_not_needed(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    Message.objects.update(state="cancelled", sent_at=None, answer="The session is over.")

    words, classes = badge(client)

    assert words == "0 of 6 told, 6 not needed"
    assert "green" not in classes
    assert "Nobody had to be told" in client.get(page(session)).content.decode()


def test_the_list_says_how_many_were_told(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))

    assert badge(client)[0] == "6 of 6 told"
    assert "green" in badge(client)[1]
    people[0].messages.update(bounced_at=NOW)
    assert badge(client)[0] == "5 of 6 told, 1 came back"


def test_an_editor_is_asked_and_sends_all_that_failed_again(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    move(session)
    set_ends(people)

    asked = client.get(again_page(session))
    assert tally(session).failed == 1
    done = client.post(again_page(session), {"confirmed": "yes"}, follow=True)

    assert "2 people have not got the mail" in asked.content.decode()
    assert "2 mails are tried again." in done.content.decode()
    assert numbers(tally(session)) == (2, 3, 0, 0, 1)


def test_the_question_says_of_how_many_nobody_knows_whether_they_got_it(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    move(session)
    set_ends(people)
    before = client.get(again_page(session)).content.decode()
    people[0].messages.filter(kind="rescheduled").update(state="unknown", sent_at=None)

    asked = client.get(again_page(session)).content.decode()

    assert "unknown whether" not in before
    assert "3 people have not got the mail" in asked
    assert "Of 1 of them it is unknown whether they got it: they may get it twice." in asked


def write_to_all(session: Session, kind: str, *, minutes: int = 0, **fields: Any) -> None:
    """A mail to everybody, of the plan or announced."""
    planned = {} if fields else {"starts_at": session.starts_at}
    mailing = Mailing.objects.create(
        key=f"{kind}-{minutes}-{fields}",
        kind=kind,
        webinar=session.webinar,
        session=session,
        due_at=session.starts_at - timedelta(minutes=minutes),
        begun_at=NOW,
        **planned,
        **fields,
    )
    outbox.enqueue_mailing(list(session.registrations.all()), mailing, now=NOW)


def test_two_reminders_and_two_announcements_are_told_apart(client, session, people, django_assert_num_queries):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    write_to_all(session, "reminder", minutes=60)
    client.get(page(session))
    with CaptureQueriesContext(connection) as of_one:
        client.get(page(session))
    write_to_all(session, "reminder", minutes=24 * 60)
    write_to_all(session, "announcement", minutes=120, subject="Slides", text="Read them.")
    write_to_all(session, "announcement", minutes=180, subject="A map", text="Print it.")

    with django_assert_num_queries(len(of_one)):
        content = client.get(page(session)).content.decode()

    assert sorted(re.findall(r"<h2[^>]*>([^<]*)</h2>", content.partition("content-main")[2])) == [
        "A map",
        "Reminder, 1 hour before the start",
        "Reminder, 24 hours before the start",
        "Slides",
        "You have a place",
    ]


def test_whoever_sends_again_is_told_which_reminder(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    write_to_all(session, "reminder", minutes=60)
    Message.objects.filter(kind="reminder").update(state="failed")
    due_at = session.starts_at - timedelta(hours=1)

    asked = client.get(page(session, again="yes", kind="reminder", occasion=due_at.isoformat()))

    assert "the mail “Reminder, 1 hour before the start”" in asked.content.decode()


def test_a_viewer_sees_the_numbers_and_sends_nothing(client, session, people):
    client.force_login(make_organizer(session.webinar.host, role="viewer"))
    move(session)
    set_ends(people)

    seen = client.get(page(session)).content.decode()

    assert "2 of 5 told" in seen
    assert "Send again" not in seen
    assert client.post(again_page(session), {"confirmed": "yes"}).status_code == 403
    assert numbers(tally(session)) == (2, 1, 1, 1, 1)


def test_organizers_of_others_see_nothing(client, session, people):
    client.force_login(make_organizer())

    assert client.get(page(session)).status_code in {302, 403, 404}
    assert client.post(again_page(session), {"confirmed": "yes"}).status_code in {302, 403, 404}


def test_the_page_asks_as_many_queries_for_many_as_for_one(client, session, people, django_assert_max_num_queries):
    client.force_login(make_organizer(session.webinar.host, role="editor"))
    client.get(page(session))
    with django_assert_max_num_queries(12) as few:
        client.get(page(session))
    move(session)
    set_ends(people)
    for hour in (16, 17):
        Message.objects.filter(kind="rescheduled").update(state="sent", sent_at=NOW)
        move(session, hour=hour)

    with django_assert_max_num_queries(len(few)):
        client.get(page(session))


@pytest.mark.parametrize("count", [1, 3])
def test_many_sessions_are_counted_in_as_many_queries_as_one(session, people, django_assert_num_queries, count):
    move(session)
    set_ends(people)
    others = [make_session(session.webinar) for _ in range(count)]

    with django_assert_num_queries(3):
        tallies.reach([session.pk, *(other.pk for other in others)])


def test_a_list_of_one_outcome_asks_for_the_newest_of_its_own_rows_alone(session):
    """What the list is narrowed by besides narrows what is looked at."""
    asked = OutcomeFilter(HttpRequest(), {"outcome": ["failed"]}, Message, admin.site._registry[Message])

    rows = asked.queryset(HttpRequest(), Message.objects.filter(registration__session=session))

    assert " IN (SELECT" not in str(rows.query)
