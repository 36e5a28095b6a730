"""Running the plan: what has come due is written once, to whom it is for, and what has lost its moment is not."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from events import scheduling
from events.models import Question, Session, Webinar
from registrations import erasure, mailings, outbox, signup
from registrations.emails import compose
from registrations.mail_plan import TELLS
from registrations.models import Mailing, Message, Registration
from registrations.pointless import PointlessError
from tests.builders import (
    NOW,
    make_host,
    make_organizer,
    make_question,
    make_registration,
    make_rule,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

Kind = Message.Kind
PLANNED = ("reminder", "starting", "came", "missed", "survey", "replay")
# Of the session that builders plan, in October.
STARTS_AT = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
ENDS_AT = STARTS_AT + timedelta(minutes=90)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def session(host):
    return make_session(make_webinar(host=host))


def deliver():
    """As if every mail had been sent as soon as it was owed."""
    Message.objects.filter(state=Message.State.QUEUED).update(state=Message.State.SENT, sent_at=F("created_at"))


def sweep(now):
    """A sweep, in a world whose mail server is quick."""
    deliver()
    return mailings.sweep(now=now)


def written(person=None):
    """The mails of the plan that are owed, oldest first."""
    rows = Message.objects.filter(kind__in=PLANNED).order_by("pk")
    return [message.kind for message in (rows.filter(registration=person) if person else rows)]


def came(person, at=STARTS_AT):
    Registration.objects.filter(pk=person.pk).update(joined_at=at)
    person.refresh_from_db()
    return person


# ---------- at the right moment, once ----------


def test_a_reminder_is_written_when_its_moment_has_come_and_not_before(host, session):
    make_rule(host, 24 * 60)
    anna = make_registration(session)

    assert sweep(STARTS_AT - DAY - timedelta(seconds=1)) == 0
    assert sweep(STARTS_AT - DAY) == 1

    reminder = anna.messages.get(kind=Kind.REMINDER)
    mailing = Mailing.objects.get()
    assert (reminder.mailing, reminder.key) == (mailing, f"reminder-{anna.reference}-m{mailing.pk}")
    assert (mailing.session, mailing.due_at, mailing.told) == (session, STARTS_AT - DAY, 1)
    assert mailing.written_at is not None


def test_sweeping_again_writes_nothing_twice(host, session):
    make_rule(host)
    make_registration(session)

    assert sweep(STARTS_AT - HOUR) == 1
    assert sweep(STARTS_AT - HOUR) == 0
    assert sweep(STARTS_AT - 30 * MINUTE) == 0

    assert written() == ["reminder"]


def test_a_worker_that_dies_goes_on_where_it_was(host, session, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    make_rule(host)
    people = [make_registration(session) for _each in range(5)]
    deliver()
    mailings.begin_due(now=STARTS_AT - HOUR)
    [mailing] = Mailing.objects.all()
    mailings._write_chunk(mailing.pk, now=STARTS_AT - HOUR)
    assert [len(written(person)) for person in people] == [1, 1, 0, 0, 0]

    assert sweep(STARTS_AT - HOUR + MINUTE) == 3

    assert [written(person) for person in people] == [["reminder"]] * 5
    mailing.refresh_from_db()
    assert mailing.told == 5


def test_writing_the_same_chunk_twice_does_no_harm(host, session):
    make_rule(host)
    make_registration(session)
    sweep(STARTS_AT - HOUR)
    Mailing.objects.update(written_at=None, reached=0)

    assert sweep(STARTS_AT - HOUR) == 0

    assert written() == ["reminder"]


def test_only_whoever_holds_a_place_is_reminded(host):
    session = make_session(make_webinar(host=host), capacity=2)
    make_rule(host)
    anna, gone, waiting = (make_registration(session) for _each in range(3))
    signup.cancel(gone, now=NOW)
    signup.cancel(waiting, now=NOW)

    sweep(STARTS_AT - HOUR)

    assert [written(person) for person in (anna, gone, waiting)] == [["reminder"], [], []]


def test_whoever_was_erased_is_written_to_no_more(host, session):
    make_rule(host)
    erasure.erase(make_registration(session), now=NOW)

    assert sweep(STARTS_AT - HOUR) == 0


def test_each_person_gets_what_the_plan_says_of_them(host, session):
    make_rule(host, 24 * 60)
    make_rule(host, 60)
    early = make_registration(session)
    late = make_registration(session, now=STARTS_AT - 5 * HOUR)
    at_last = make_registration(session, now=STARTS_AT - 70 * MINUTE)

    sweep(STARTS_AT - DAY)
    sweep(STARTS_AT - HOUR)

    assert [written(person) for person in (early, late, at_last)] == [["reminder", "reminder"], ["reminder"], []]


def test_whoever_has_just_changed_to_the_session_was_told_its_time(host, session):
    make_rule(host)
    other = make_session(session.webinar, time_zone="Asia/Tokyo")
    anna = make_registration(other)
    signup.change_session(anna, session=session, now=STARTS_AT - 65 * MINUTE)

    sweep(STARTS_AT - HOUR)

    assert written(anna) == []


# ---------- mailings that fail ----------


@pytest.fixture
def two_begun(host, session):
    """Two mailings that are begun, of two sessions with somebody each."""
    make_rule(host)
    make_registration(session)
    make_registration(make_session(make_webinar(host=host)))
    deliver()
    mailings.begin_due(now=STARTS_AT - HOUR)
    return list(Mailing.objects.order_by("pk"))


def fail_with(monkeypatch, error, *, mailing):
    """Let that mailing meet an error with its first statements, behind which no transaction can go on."""
    owe = mailings._owe

    def fails(people, of, sessions, *, now):
        if of == mailing:
            raise error
        return owe(people, of, sessions, now=now)

    monkeypatch.setattr(mailings, "_owe", fails)


def test_a_mailing_that_fails_stands_in_no_others_way_and_is_in_the_log(two_begun, monkeypatch, caplog):
    first, second = two_begun
    fail_with(monkeypatch, ValueError("who knows"), mailing=first)

    assert sweep(STARTS_AT - HOUR) == 1

    assert [message.mailing for message in Message.objects.filter(kind=Kind.REMINDER)] == [second]
    assert [(record.getMessage(), record.exc_info is not None) for record in caplog.records] == [
        (f"Mailing {first.pk} could not be written.", True)
    ]


def test_a_mailing_that_failed_is_tried_again(two_begun, monkeypatch):
    with monkeypatch.context() as patched:
        fail_with(patched, DatabaseError("canceling statement due to statement timeout"), mailing=two_begun[0])
        sweep(STARTS_AT - HOUR)

    assert sweep(STARTS_AT - HOUR + MINUTE) == 1
    assert all(mailing.written_at for mailing in Mailing.objects.all())


def test_a_task_whose_time_is_over_ends_the_sweep(two_begun, monkeypatch):
    fail_with(monkeypatch, SoftTimeLimitExceeded(), mailing=two_begun[0])

    with pytest.raises(SoftTimeLimitExceeded):
        sweep(STARTS_AT - HOUR)


def test_a_database_that_is_away_ends_the_sweep(two_begun, monkeypatch):
    fail_with(monkeypatch, OperationalError("server closed the connection"), mailing=two_begun[0])
    monkeypatch.setattr(connection, "is_usable", lambda: False)

    with pytest.raises(OperationalError):
        sweep(STARTS_AT - HOUR)


# ---------- whose rules ----------


def test_a_webinar_with_a_plan_of_its_own_has_none_of_its_hosts_mails(host, session):
    make_rule(host, 24 * 60)
    make_rule(session.webinar, 120)
    Webinar.objects.update(has_own_mail_rules=True)
    make_registration(session)

    assert sweep(STARTS_AT - DAY) == 0
    assert sweep(STARTS_AT - 2 * HOUR) == 1


def test_rules_of_its_own_wait_until_the_webinar_has_a_plan_of_its_own(host, session):
    make_rule(session.webinar, 120)
    make_registration(session)

    assert sweep(STARTS_AT - 2 * HOUR) == 0


def test_a_new_rule_makes_up_for_nothing(host, session):
    make_rule(host, 24 * 60, holds_from=STARTS_AT - 3 * HOUR)
    make_registration(session)

    assert sweep(STARTS_AT - 2 * HOUR) == 0


def test_going_back_to_the_hosts_plan_makes_up_for_nothing(host, session):
    make_rule(host, 24 * 60)
    Webinar.objects.update(mail_rules_since=STARTS_AT - 3 * HOUR)
    make_registration(session)

    assert sweep(STARTS_AT - 2 * HOUR) == 0


@pytest.mark.parametrize("status", [Webinar.Status.DRAFT, Webinar.Status.CANCELLED])
def test_nothing_is_sent_of_a_webinar_that_is_not_published(host, session, status):
    make_rule(host)
    make_registration(session)
    Webinar.objects.update(status=status)

    assert sweep(STARTS_AT - HOUR) == 0


def test_a_mailing_ends_when_its_webinar_is_withdrawn_before_it_is_written(host, session):
    make_rule(host)
    make_registration(session)
    deliver()
    mailings.begin_due(now=STARTS_AT - HOUR)
    Webinar.objects.update(status=Webinar.Status.DRAFT)

    assert sweep(STARTS_AT - HOUR + MINUTE) == 0

    assert Mailing.objects.get().written_at is not None


def test_a_mail_that_is_written_when_its_webinar_is_withdrawn_is_not_sent(host, session):
    make_rule(host)
    make_rule(host, 60, purpose="follow_up", audience="came")
    anna = came(make_registration(session))
    sweep(STARTS_AT - HOUR)
    sweep(ENDS_AT + HOUR)
    Webinar.objects.update(status=Webinar.Status.DRAFT)

    for kind, now in ((Kind.REMINDER, STARTS_AT - HOUR), (Kind.CAME, ENDS_AT + HOUR)):
        with pytest.raises(PointlessError, match="The webinar is not published any more"):
            compose(_fetched(anna, kind), now=now)


def test_an_organizer_may_write_to_the_people_of_a_webinar_that_is_withdrawn(session):
    anna = make_registration(session)
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    announce(session)

    assert sweep(NOW) == 1
    assert b"Read them." in compose(_fetched(anna, Kind.ANNOUNCEMENT), now=NOW).as_bytes()


# ---------- plans that are changed ----------


def edit(rule, *, now, **fields):
    """As the form of a host's or a webinar's plan does it."""
    type(rule).objects.filter(pk=rule.pk).update(holds_from=now, **fields)


def test_a_reminder_that_went_out_and_is_moved_to_later_goes_out_again_then(host, session):
    rule = make_rule(host, 24 * 60)
    anna = make_registration(session)
    sweep(STARTS_AT - DAY)
    edit(rule, now=STARTS_AT - 22 * HOUR, minutes=60)

    assert sweep(STARTS_AT - 22 * HOUR) == 0
    assert sweep(STARTS_AT - HOUR) == 1
    assert sweep(STARTS_AT - HOUR) == 0

    assert written(anna) == ["reminder", "reminder"]


def test_reminders_whose_lengths_are_swapped_are_sent_once_each(host, session):
    day, hour = make_rule(host, 24 * 60), make_rule(host, 60)
    anna = make_registration(session)
    sweep(STARTS_AT - DAY)
    edit(hour, now=STARTS_AT - 20 * HOUR, minutes=7)
    edit(day, now=STARTS_AT - 20 * HOUR, minutes=60)
    edit(hour, now=STARTS_AT - 20 * HOUR, minutes=24 * 60)

    sweep(STARTS_AT - HOUR)

    assert written(anna) == ["reminder", "reminder"]


def test_a_rule_that_is_made_into_another_mail_sends_that(host, session):
    rule = make_rule(host, 60, purpose="follow_up", audience="came")
    make_question(session.webinar, asked=Question.Asked.SURVEY)
    anna, bob = came(make_registration(session)), make_registration(session)
    sweep(ENDS_AT + HOUR)
    edit(rule, now=ENDS_AT + 2 * HOUR, purpose="survey", audience="everybody", minutes=24 * 60)

    sweep(ENDS_AT + DAY)

    assert (written(anna), written(bob)) == (["came", "survey"], ["survey"])


@pytest.mark.parametrize("again", ["edited", "added", "own plan"])
def test_nobody_is_thanked_twice_however_the_plan_is_changed_after_the_first(host, session, again):
    rule = make_rule(host, 60, purpose="follow_up", audience="came")
    anna = came(make_registration(session))
    sweep(ENDS_AT + HOUR)
    later = ENDS_AT + 2 * HOUR
    if again == "edited":
        edit(rule, now=later, minutes=24 * 60)
    elif again == "added":
        rule.delete()
        make_rule(host, 24 * 60, purpose="follow_up", audience="came", holds_from=later)
    else:
        Webinar.objects.update(has_own_mail_rules=True, mail_rules_since=later)
        make_rule(session.webinar, 24 * 60, purpose="follow_up", audience="came", holds_from=later)

    assert sweep(ENDS_AT + DAY) == 0
    assert written(anna) == ["came"]


def test_a_plan_may_ask_twice(host, session):
    make_rule(host, 60, purpose="survey")
    make_rule(host, 24 * 60, purpose="survey")
    make_question(session.webinar, asked=Question.Asked.SURVEY)
    anna = make_registration(session)

    sweep(ENDS_AT + HOUR)
    # One that is added too late to be sent changes nothing of what the others are.
    make_rule(host, 30, purpose="survey", holds_from=ENDS_AT + 2 * HOUR)
    assert sweep(ENDS_AT + 3 * HOUR) == 0
    sweep(ENDS_AT + DAY)

    assert written(anna) == ["survey", "survey"]


# ---------- sessions that move or are called off ----------


def test_a_session_that_moves_takes_its_reminders_with_it(host, session):
    make_rule(host, 24 * 60)
    anna = make_registration(session)
    sweep(STARTS_AT - DAY)
    scheduling.save_session(_later(session, days=7), by=None, now=STARTS_AT - 20 * HOUR)

    assert sweep(STARTS_AT - HOUR) == 0
    assert sweep(STARTS_AT + 6 * DAY) == 1

    assert written(anna) == ["reminder", "reminder"]


def test_a_session_that_moves_nearer_sends_no_reminder_whose_moment_is_past(host, session):
    make_rule(host, 24 * 60)
    make_registration(session)
    deliver()
    scheduling.save_session(_later(session, days=-20), by=None, now=STARTS_AT - 20 * DAY - 3 * HOUR)

    assert sweep(STARTS_AT - 20 * DAY - 2 * HOUR) == 0


def test_a_reminder_of_the_old_time_is_not_sent_once_the_session_has_moved(host, session):
    make_rule(host, 24 * 60)
    anna = make_registration(session)
    sweep(STARTS_AT - DAY)
    Message.objects.exclude(kind=Kind.REMINDER).update(state=Message.State.SENT, sent_at=NOW)
    Session.objects.update(starts_at=STARTS_AT + DAY, ends_at=ENDS_AT + DAY)

    with pytest.raises(PointlessError, match="The session has moved since"):
        compose(_fetched(anna, Kind.REMINDER), now=STARTS_AT - DAY)


def test_nothing_is_sent_of_a_session_that_is_called_off(host, session):
    make_rule(host)
    anna = make_registration(session)
    scheduling.cancel_session(session, by=None, now=NOW)

    assert sweep(STARTS_AT - HOUR) == 0
    assert written(anna) == []


def test_a_mailing_ends_when_its_session_is_called_off_half_way(host, session, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 1)
    make_rule(host)
    make_registration(session)
    make_registration(session)
    deliver()
    mailings.begin_due(now=STARTS_AT - HOUR)
    [mailing] = Mailing.objects.all()
    mailings._write_chunk(mailing.pk, now=STARTS_AT - HOUR)
    Session.objects.update(state=Session.State.CANCELLED)

    assert sweep(STARTS_AT - HOUR) == 0

    mailing.refresh_from_db()
    assert mailing.written_at is not None


# ---------- workers that were away ----------


def test_a_reminder_is_made_up_for_while_it_is_before_the_start(host, session):
    make_rule(host, 24 * 60)
    make_registration(session)

    assert sweep(STARTS_AT - 20 * HOUR) == 1


@pytest.mark.parametrize("late", [timedelta(), 5 * MINUTE, DAY])
def test_no_reminder_is_sent_after_the_start(host, session, late):
    make_rule(host, 24 * 60)
    make_rule(host, 10)
    make_registration(session)

    assert sweep(STARTS_AT + late) == 0


def test_of_several_reminders_that_were_missed_the_last_tells_enough(host, session):
    for minutes in (3 * 60, 2 * 60, 60):
        make_rule(host, minutes)
    anna = make_registration(session)

    sweep(STARTS_AT - 50 * MINUTE)
    sweep(STARTS_AT - 30 * MINUTE)

    assert written(anna) == ["reminder"]
    assert Mailing.objects.get().due_at == STARTS_AT - HOUR


def test_mails_that_are_late_keep_a_quarter_of_an_hour_apart(host, session):
    make_rule(host, 60, purpose="follow_up", audience="came")
    make_rule(host, 120, purpose="survey")
    make_question(session.webinar, asked=Question.Asked.SURVEY)
    anna = came(make_registration(session))

    sweep(ENDS_AT + DAY)
    assert written(anna) == ["came"]
    sweep(ENDS_AT + DAY + 10 * MINUTE)
    assert written(anna) == ["came"]
    sweep(ENDS_AT + DAY + 16 * MINUTE)
    assert written(anna) == ["came", "survey"]


def test_what_follows_is_not_made_up_for_after_days(host, session):
    make_rule(host, 60, purpose="follow_up", audience="came")
    came(make_registration(session))

    assert sweep(ENDS_AT + 4 * DAY) == 0


def test_it_starts_now_may_be_a_little_late_and_says_so(host, session):
    make_rule(host, 0)
    anna = make_registration(session)
    sweep(STARTS_AT + 2 * MINUTE)

    message = _fetched(anna, Kind.STARTING)

    assert "It starts now" in compose(message, now=STARTS_AT + 2 * MINUTE).as_bytes().decode()
    assert "It has begun" in compose(message, now=STARTS_AT + 20 * MINUTE).as_bytes().decode()
    with pytest.raises(PointlessError, match="The session is over"):
        compose(message, now=ENDS_AT)


# ---------- afterwards ----------


def test_those_who_came_and_those_who_did_not_get_different_mails(host, session):
    make_rule(host, 120, purpose="follow_up", audience="came")
    make_rule(host, 120, purpose="follow_up", audience="stayed_away")
    anna, bob = came(make_registration(session)), make_registration(session)

    sweep(ENDS_AT + 2 * HOUR)

    assert (written(anna), written(bob)) == (["came"], ["missed"])


def test_where_nobody_was_seen_nobody_is_told_that_they_were_missed(host, session):
    make_rule(host, 120, purpose="follow_up", audience="stayed_away")
    make_registration(session)

    assert sweep(ENDS_AT + 2 * HOUR) == 0


def test_no_survey_is_sent_of_a_webinar_that_asks_nothing(host, session):
    make_rule(host, 60, purpose="survey")
    make_registration(session)

    assert sweep(ENDS_AT + HOUR) == 0


def test_the_replay_is_told_of_when_it_opens(host, session):
    make_rule(host, 0, purpose="replay")
    anna = make_registration(session)
    assert sweep(ENDS_AT + DAY) == 0

    Webinar.objects.update(replay_url="https://video.example.net/42", replay_added_at=ENDS_AT + 2 * DAY)

    assert sweep(ENDS_AT + 2 * DAY - MINUTE) == 0
    assert sweep(ENDS_AT + 2 * DAY) == 1
    assert sweep(ENDS_AT + 3 * DAY) == 0
    assert written(anna) == ["replay"]


def test_a_replay_that_is_added_just_after_people_were_thanked_is_told_to_them(host, session):
    make_rule(host, 120, purpose="follow_up", audience="came")
    make_rule(host, 0, purpose="replay")
    anna, bob = came(make_registration(session)), make_registration(session)
    assert sweep(ENDS_AT + 2 * HOUR) == 1
    Webinar.objects.update(replay_url="https://video.example.net/42", replay_added_at=ENDS_AT + 2 * HOUR + 10 * MINUTE)

    assert sweep(ENDS_AT + 2 * HOUR + 14 * MINUTE) == 0
    assert sweep(ENDS_AT + 2 * HOUR + 15 * MINUTE) == 2
    assert sweep(ENDS_AT + 3 * HOUR) == 0

    assert (written(anna), written(bob)) == (["came", "replay"], ["replay"])


@pytest.mark.parametrize(("survey", "thanks"), [(60, 65), (65, 60)])
def test_whoever_came_is_thanked_and_asked_by_one_mail_whichever_is_first_in_the_plan(host, session, survey, thanks):
    make_rule(host, survey, purpose="survey")
    make_rule(host, thanks, purpose="follow_up", audience="came")
    make_question(session.webinar, asked=Question.Asked.SURVEY)
    anna, bob = came(make_registration(session)), make_registration(session)

    for minutes in range(60, 80):
        sweep(ENDS_AT + minutes * MINUTE)

    assert (written(anna), written(bob)) == (["came"], ["survey"])
    assert anna.messages.get(kind=Kind.CAME).occasion_at == ENDS_AT + HOUR


def test_thanks_go_at_their_own_time_where_no_survey_comes_before_them(host, session):
    make_rule(host, 60, purpose="survey")
    make_rule(host, 65, purpose="follow_up", audience="came")
    came(make_registration(session))

    assert sweep(ENDS_AT + HOUR) == 0
    assert sweep(ENDS_AT + HOUR + 5 * MINUTE) == 1


@pytest.mark.parametrize("kind", TELLS)
def test_a_mail_has_the_news_of_all_that_are_merged_with_it(host, session, kind):
    make_rule(host, purpose="survey")
    make_question(session.webinar, asked=Question.Asked.SURVEY)
    Webinar.objects.update(replay_url="https://video.example.net/42")
    anna = make_registration(session)
    if kind == Kind.CAME:
        came(anna)
    mailing = Mailing.objects.create(
        key="some", kind=kind, webinar=session.webinar, session=session, due_at=ENDS_AT, begun_at=ENDS_AT
    )
    outbox.enqueue_mailing([anna], mailing, now=ENDS_AT)

    letter = compose(_fetched(anna, kind), now=ENDS_AT + HOUR)

    said = {
        Kind.CAME: "Thank you for coming",
        Kind.MISSED: "We missed you",
        Kind.REPLAY: "Watch the replay:",
        Kind.SURVEY: "The host has a few questions" if kind == Kind.MISSED else "Tell the host how it was",
    }
    text = letter.as_bytes().decode()
    assert [told for told in TELLS[kind] if said[told] not in text] == []


def test_correcting_the_time_of_what_is_over_thanks_nobody_twice(host, session):
    make_rule(host, 120, purpose="follow_up", audience="came")
    anna = came(make_registration(session))
    sweep(ENDS_AT + 2 * HOUR)
    Session.objects.update(ends_at=ENDS_AT + HOUR, starts_at=STARTS_AT + HOUR)

    assert sweep(ENDS_AT + 3 * HOUR) == 0
    assert written(anna) == ["came"]


# ---------- sessions that are given again ----------


@pytest.fixture
def followed(host, session):
    """Two people of a session that is over, of whom the first came, and both have been written to."""
    for audience in ("came", "stayed_away"):
        make_rule(host, 60, purpose="follow_up", audience=audience)
    anna, bob = came(make_registration(session)), make_registration(session)
    sweep(ENDS_AT + HOUR)
    assert (written(anna), written(bob)) == (["came"], ["missed"])
    return anna, bob


def test_a_session_that_is_given_again_is_followed_by_its_mails_again(session, followed):
    anna, bob = followed
    scheduling.save_session(_later(session, days=7), by=None, now=ENDS_AT + 3 * HOUR)
    came(bob, STARTS_AT + 7 * DAY)

    assert sweep(ENDS_AT + 7 * DAY) == 0
    assert sweep(ENDS_AT + 7 * DAY + HOUR) == 2
    assert sweep(ENDS_AT + 7 * DAY + 2 * HOUR) == 0

    assert (written(anna), written(bob)) == (["came", "missed"], ["missed", "came"])


def test_correcting_the_second_date_of_a_session_follows_with_nothing(session, followed):
    _anna, bob = followed
    scheduling.save_session(_later(session, days=7), by=None, now=ENDS_AT + 3 * HOUR)
    came(bob, STARTS_AT + 7 * DAY)
    sweep(ENDS_AT + 7 * DAY + HOUR)
    scheduling.save_session(_later(session, days=0, minutes=30), by=None, now=ENDS_AT + 7 * DAY + 2 * HOUR)

    assert sweep(ENDS_AT + 7 * DAY + 3 * HOUR) == 0
    assert Registration.objects.get(pk=bob.pk).joined_at is not None


# ---------- beside other mails ----------


def test_whose_confirmation_is_still_on_its_way_needs_no_reminder(host, session):
    make_rule(host)
    anna = make_registration(session)

    mailings.sweep(now=STARTS_AT - HOUR)

    assert dict(anna.messages.values_list("kind", "state")) == {Kind.CONFIRMED: Message.State.QUEUED}


def test_what_follows_a_session_goes_out_also_to_whoever_has_just_asked_for_their_link(host, session):
    make_rule(host, 120, purpose="follow_up", audience="came")
    anna = came(make_registration(session))
    deliver()
    outbox.enqueue_beside(anna, Kind.LINK_AGAIN, now=ENDS_AT + 110 * MINUTE)

    sweep(ENDS_AT + 2 * HOUR)

    assert written(anna) == ["came"]


@pytest.fixture
def refused(host, session):
    """Somebody whose confirmation is refused for now, and tried again, when the reminder is due."""
    make_rule(host, 24 * 60)
    anna = make_registration(session)
    [confirmation] = outbox.claim_batch(now=NOW)
    outbox.mark_postponed(confirmation, answer="451 Later", now=STARTS_AT - DAY - MINUTE)
    mailings.sweep(now=STARTS_AT - DAY)
    return anna


def test_whose_confirmation_fails_in_the_end_is_reminded(refused):
    assert outbox.claim_batch(now=STARTS_AT - DAY - MINUTE) == []
    [confirmation] = outbox.claim_batch(now=STARTS_AT - DAY)
    outbox.mark_failed(confirmation, answer="550 No", now=STARTS_AT - DAY)

    assert sent_in_the_end(refused, now=STARTS_AT - DAY + MINUTE) == ["reminder"]


def test_whose_confirmation_arrives_in_the_end_is_told_once(refused):
    [confirmation] = outbox.claim_batch(now=STARTS_AT - DAY)
    outbox.mark_sent(confirmation, message_id="<x@y>", answer="250", now=STARTS_AT - DAY)

    assert sent_in_the_end(refused, now=STARTS_AT - DAY + MINUTE) == []
    assert refused.messages.get(kind="reminder").answer == "Another mail has told the same since."


def test_an_announcement_waits_behind_the_confirmation_and_does_not_replace_it(session):
    anna = make_registration(session)
    announce(session)

    mailings.sweep(now=NOW)

    assert set(anna.messages.values_list("kind", "state")) == {
        (Kind.CONFIRMED, Message.State.QUEUED),
        (Kind.ANNOUNCEMENT, Message.State.QUEUED),
    }
    assert [message.kind for message in outbox.claim_batch(now=NOW)] == [Kind.CONFIRMED]


SETTLES = timedelta(minutes=5)


def reminded(host, session):
    """Somebody whose reminder of a day before is written, and waits to be sent."""
    make_rule(host, 24 * 60)
    anna = make_registration(session)
    deliver()
    mailings.sweep(now=STARTS_AT - DAY)
    return anna


def sent_in_the_end(person, *, now):
    """What of all that waits for somebody is claimed by then and has a point, as it is written."""
    sent = []
    for message in outbox.claim_batch(now=now):
        try:
            compose(message, now=now)
        except PointlessError as error:
            outbox.mark_cancelled(message, reason=str(error))
        else:
            sent.append(message.kind)
    return sent


def test_a_new_time_is_told_and_the_reminder_of_the_old_one_is_not(host, session):
    anna = reminded(host, session)
    announce(session)
    mailings.sweep(now=STARTS_AT - DAY)

    scheduling.save_session(_later(session, days=1), by=None, now=STARTS_AT - DAY)

    assert sent_in_the_end(anna, now=STARTS_AT - DAY + MINUTE) == ["announcement"]
    assert sent_in_the_end(anna, now=STARTS_AT - DAY + SETTLES) == ["rescheduled"]
    assert anna.messages.get(kind="reminder").answer == "The session has moved since."


def test_a_time_that_was_moved_and_moved_back_leaves_the_reminder(host, session):
    anna = reminded(host, session)
    scheduling.save_session(_later(session, days=1), by=None, now=STARTS_AT - DAY)
    # No worker looks at it between the two.
    assert sent_in_the_end(anna, now=STARTS_AT - DAY + MINUTE) == []
    scheduling.save_session(_later(session, days=-1), by=None, now=STARTS_AT - DAY + MINUTE)

    assert sent_in_the_end(anna, now=STARTS_AT - DAY + SETTLES) == ["reminder"]
    assert anna.messages.get(kind="rescheduled").answer == "The session is again as it was before."


@pytest.mark.parametrize(
    ("then", "sent"), [("Border Review", ["reminder"]), ("Border Talk", ["reminder", "rescheduled"])]
)
def test_a_title_that_was_changed_leaves_the_reminder_also_where_it_was_changed_back(host, then, sent):
    session = make_session(make_webinar(host=host, title="Border Review"))
    anna = reminded(host, session)
    before = "Border Review"
    for title in ("Border Views", then):
        Webinar.objects.update(title=title)
        webinar = Webinar.objects.get()
        scheduling.announce_new_title(webinar, before=before, by=None, now=STARTS_AT - DAY)
        before = title

    assert sent_in_the_end(anna, now=STARTS_AT - DAY + SETTLES) == sent


def test_what_somebody_does_themselves_takes_the_place_of_a_reminder(host, session):
    anna = reminded(host, session)
    other = make_session(session.webinar, time_zone="Asia/Tokyo")

    signup.change_session(anna, session=other, now=STARTS_AT - DAY)

    assert anna.messages.get(kind="reminder").state == Message.State.CANCELLED


# ---------- announcements ----------


def announce(session, *, whole=False, **fields):
    return mailings.announce(
        session.webinar,
        **{
            "session": None if whole else session,
            "audience": Mailing.Audience.PLACE,
            "subject": "Slides",
            "text": "Read them.",
            "by": None,
            "now": NOW,
            "draft": uuid.uuid4(),
            **fields,
        },
    )


def test_an_announcement_reaches_its_audience_once(session):
    organizer, draft = make_organizer(session.webinar.host), uuid.uuid4()
    anna = make_registration(session)
    elsewhere = make_registration(make_session(session.webinar, time_zone="Asia/Tokyo"))

    announce(session, by=organizer, draft=draft)
    announce(session, by=organizer, draft=draft)
    sweep(NOW)
    sweep(NOW)

    assert anna.messages.filter(kind=Kind.ANNOUNCEMENT).count() == 1
    assert not elsewhere.messages.filter(kind=Kind.ANNOUNCEMENT).exists()
    [mailing] = Mailing.objects.all()
    assert (mailing.told, mailing.written_by) == (1, organizer)


def test_an_announcement_for_a_webinar_reaches_all_sessions_but_those_called_off(session):
    other = make_session(session.webinar, time_zone="Asia/Tokyo")
    off = make_session(session.webinar, time_zone="Asia/Dubai")
    people = [make_registration(each) for each in (session, other, off)]
    scheduling.cancel_session(off, by=None, now=NOW)

    announce(session, whole=True)
    sweep(NOW)

    told = [person.messages.filter(kind=Kind.ANNOUNCEMENT).count() for person in people]
    assert told == [1, 1, 0]


@pytest.mark.parametrize(
    ("audience", "told"),
    [("place", {"came", "absent"}), ("waiting", {"waiting"}), ("came", {"came"}), ("stayed_away", {"absent"})],
)
def test_an_announcement_is_for_those_whom_the_organizer_chose(audience, told):
    session = make_session(capacity=2)
    people = {"came": came(make_registration(session)), "absent": make_registration(session)}
    people["waiting"] = make_registration(session)

    announce(session, audience=audience)
    sweep(NOW)

    assert {name for name, person in people.items() if person.messages.filter(kind=Kind.ANNOUNCEMENT).exists()} == told


# ---------- cost ----------


def test_a_sweep_with_nothing_to_do_asks_as_often_however_many_sessions_there_are(host, session):
    for minutes in (24 * 60, 60, 0):
        make_rule(host, minutes)
    make_rule(host, 120, purpose="follow_up", audience="came")

    counts = []
    for more in (0, 4):
        for _each in range(more):
            make_session(make_webinar(host=host))
        sweep(STARTS_AT - DAY)
        with CaptureQueriesContext(connection) as queries:
            mailings.sweep(now=STARTS_AT - DAY)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 6


def test_writing_to_many_asks_no_more_than_writing_to_one(host):
    make_rule(host)
    counts = []
    for people in (1, 6):
        session = make_session(make_webinar(host=host))
        for _each in range(people):
            make_registration(session)
        with CaptureQueriesContext(connection) as queries:
            assert sweep(STARTS_AT - HOUR) == people
        counts.append(len(queries))

    assert counts[0] == counts[1]


def _later(session, *, days, minutes=0):
    fresh = Session.objects.get(pk=session.pk)
    moved = datetime.combine(fresh.local_date, fresh.local_time) + timedelta(days=days, minutes=minutes)
    fresh.local_date, fresh.local_time = moved.date(), moved.time()
    return fresh


def _fetched(person, kind):
    rows = Message.objects.select_related("registration__session__webinar__host", "mailing")
    return rows.get(registration=person, kind=kind)
