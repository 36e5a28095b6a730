"""Sessions that were planned by other zone rules than today's.

No rules are changed here: a session is given the instant that other rules gave its wall clock. Those of Kazakhstan are
real: all of it has been at UTC+5 since 1 March 2024, and until January of that year Almaty was to stay at UTC+6.
"""

import logging
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events import scheduling, zone_rules
from events.models import Session, Webinar
from events.signals import session_rescheduled
from events.zone_rules import Outcome
from registrations.models import Message
from tests.builders import make_registration, make_session, make_webinar
from tests.events.test_admin_untouched import save

pytestmark = pytest.mark.django_db

# Kazakhstan had announced the change of 1 March by then.
NOW = datetime(2024, 2, 1, 9, 0, tzinfo=UTC)
PLANNED_AT = datetime(2024, 3, 2, 11, 30, tzinfo=UTC)
TODAY_AT = datetime(2024, 3, 2, 12, 30, tzinfo=UTC)
LOG = "events.zone_rules"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def planned_by_other_rules(session: Session, starts_at: datetime, **fields) -> Session:
    """The session with that instant, and what its wall clock was called then."""
    ends_at = starts_at + session.duration
    Session.objects.filter(pk=session.pk).update(starts_at=starts_at, ends_at=ends_at, **fields)
    return Session.objects.get(pk=session.pk)


def in_almaty(webinar: Webinar | None = None, **fields) -> Session:
    """Planned for 2 March 2024, 17:30 Almaty, when that was at UTC+6."""
    wall_clock = {"local_date": date(2024, 3, 2), "local_time": time(17, 30), "time_zone": "Asia/Almaty"}
    return planned_by_other_rules(make_session(webinar, **wall_clock, **fields), PLANNED_AT)


def clock_of(session: Session) -> tuple[date, time, str]:
    return session.local_date, session.local_time, session.occurrence


def recheck_zones(*arguments: str) -> tuple[str, int]:
    """What the command says, and its status."""
    out = StringIO()
    try:
        call_command("recheck_zones", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


# ---------- which differ ----------


@pytest.mark.parametrize(
    ("zone", "day", "clock", "occurrence", "starts_at"),
    [
        # The last minute before each change, and the first after it.
        ("Europe/London", "2026-10-25", "00:59", "", "2026-10-24T23:59"),
        ("Europe/London", "2026-10-25", "01:30", "first", "2026-10-25T00:30"),
        ("Europe/London", "2026-10-25", "01:30", "second", "2026-10-25T01:30"),
        ("Europe/London", "2027-03-28", "00:59", "", "2027-03-28T00:59"),
        ("Europe/London", "2027-03-28", "02:00", "", "2027-03-28T01:00"),
        ("America/New_York", "2026-11-01", "01:30", "first", "2026-11-01T05:30"),
        ("America/New_York", "2026-11-01", "01:30", "second", "2026-11-01T06:30"),
        ("America/New_York", "2027-03-14", "01:59", "", "2027-03-14T06:59"),
        ("America/New_York", "2027-03-14", "03:00", "", "2027-03-14T07:00"),
        ("Australia/Sydney", "2026-10-04", "01:59", "", "2026-10-03T15:59"),
        ("Australia/Sydney", "2026-10-04", "03:00", "", "2026-10-03T16:00"),
        ("Australia/Sydney", "2027-04-04", "02:30", "first", "2027-04-03T15:30"),
        ("Australia/Sydney", "2027-04-04", "02:30", "second", "2027-04-03T16:30"),
        # Half an hour, there alone.
        ("Australia/Lord_Howe", "2026-10-04", "01:59", "", "2026-10-03T15:29"),
        ("Australia/Lord_Howe", "2026-10-04", "02:30", "", "2026-10-03T15:30"),
        ("Australia/Lord_Howe", "2027-04-04", "01:45", "first", "2027-04-03T14:45"),
        ("Australia/Lord_Howe", "2027-04-04", "01:45", "second", "2027-04-03T15:15"),
        # No change of clocks, and three quarters of an hour.
        ("Asia/Kathmandu", "2026-10-25", "01:30", "", "2026-10-24T19:45"),
        ("Asia/Kathmandu", "2027-03-28", "01:30", "", "2027-03-27T19:45"),
        # Before Kazakhstan changed, and after.
        ("Asia/Almaty", "2024-02-29", "17:30", "", "2024-02-29T11:30"),
        ("Asia/Almaty", "2024-03-02", "17:30", "", "2024-03-02T12:30"),
        # The seed's webinar: New York was on summer time for four days more.
        ("America/New_York", "2020-10-28", "08:30", "", "2020-10-28T12:30"),
    ],
)
def test_what_was_planned_by_todays_rules_agrees_and_any_other_instant_moves(zone, day, clock, occurrence, starts_at):
    now = at(starts_at) - timedelta(days=20)
    session = make_session(
        local_date=date.fromisoformat(day),
        local_time=time.fromisoformat(clock),
        time_zone=zone,
        occurrence=occurrence,
    )

    assert (session.starts_at, zone_rules.compare(session, now=now)) == (at(starts_at), None)
    for minutes in (-60, -30, 30, 60):
        other = planned_by_other_rules(session, session.starts_at + timedelta(minutes=minutes))
        finding = zone_rules.compare(other, now=now)
        assert finding is not None
        assert finding.followed is not None
        assert (finding.outcome, finding.followed.starts_at) == (Outcome.MOVES, at(starts_at))


@pytest.mark.parametrize("changed", ["over", "running", "cancelled", "webinar cancelled"])
def test_what_has_begun_or_is_called_off_stays_as_it_was(changed):
    session = in_almaty()
    now = {"over": PLANNED_AT + timedelta(days=1), "running": PLANNED_AT + timedelta(minutes=5)}.get(changed, NOW)
    if changed == "cancelled":
        Session.objects.update(state=Session.State.CANCELLED)
    if changed == "webinar cancelled":
        Webinar.objects.update(status=Webinar.Status.CANCELLED)

    found = zone_rules.recheck(now=now)

    session.refresh_from_db()
    assert (found.looked_at, found.findings, session.starts_at) == (0, [], PLANNED_AT)
    assert scheduling.follow_zone_rules(session, now=now) is None


def test_many_sessions_are_compared_in_one_query():
    counts = []
    for _ in range(2):
        in_almaty()
        in_almaty()
        with CaptureQueriesContext(connection) as captured:
            zone_rules.survey(now=NOW)
        counts.append(len(captured))

    assert counts == [1, 1]


# ---------- anchored to the wall clock ----------


def test_a_session_moves_with_the_clock_on_the_wall_and_everybody_is_told_once():
    session = in_almaty()
    holder = make_registration(session, now=NOW)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)

    first, second = zone_rules.recheck(now=NOW), zone_rules.recheck(now=NOW)

    session.refresh_from_db()
    holder.refresh_from_db()
    assert [finding.outcome for finding in first.findings] == [Outcome.MOVES]
    assert (second.looked_at, second.findings) == (1, [])
    assert (session.starts_at, session.ends_at) == (TODAY_AT, TODAY_AT + session.duration)
    assert clock_of(session) == (date(2024, 3, 2), time(17, 30), "")
    assert (session.sequence, holder.sequence) == (1, 1)
    told = Message.objects.get(kind=Message.Kind.RESCHEDULED)
    assert (told.registration, told.payload["previous_utc_offset_minutes"]) == (holder, 360)


def test_no_page_says_that_it_was_at_an_hour_that_nobody_was_told():
    # By today's rules the earlier instant would be called 16:30, though everybody had been told 17:30.
    session = in_almaty()
    Session.objects.update(previous_starts_at=at("2024-03-01T09:00"))

    zone_rules.recheck(now=NOW)

    session.refresh_from_db()
    assert session.moved_from(NOW) is None


def test_drafts_move_too():
    session = in_almaty(make_webinar(status=Webinar.Status.DRAFT))

    zone_rules.recheck(now=NOW)

    session.refresh_from_db()
    assert session.starts_at == TODAY_AT


def test_a_time_that_has_come_to_occur_twice_keeps_its_instant_and_nobody_is_asked():
    session = make_session(local_date=date(2026, 10, 25), local_time=time(1, 30), occurrence="second")
    Session.objects.update(occurrence="")

    found = zone_rules.recheck(now=at("2026-09-16T09:00"))

    session.refresh_from_db()
    assert (found.differing, session.occurrence) == ([], "second")
    assert (session.starts_at, session.sequence) == (at("2026-10-25T01:30"), 0)


# ---------- anchored to the instant ----------


def test_a_session_anchored_to_the_instant_keeps_it_and_shows_its_new_wall_clock():
    session = in_almaty(anchor="instant")
    holder = make_registration(session, now=NOW)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)

    found, again = zone_rules.recheck(now=NOW), zone_rules.recheck(now=NOW)

    session.refresh_from_db()
    holder.refresh_from_db()
    assert [finding.outcome for finding in found.findings] == [Outcome.KEEPS_INSTANT]
    assert again.findings == []
    assert (session.starts_at, clock_of(session)) == (PLANNED_AT, (date(2024, 3, 2), time(16, 30), ""))
    assert holder.sequence == 0
    assert not Message.objects.exclude(state=Message.State.SENT).exists()


@pytest.mark.parametrize(("starts_at", "which"), [("2026-10-25T00:30", "first"), ("2026-10-25T01:30", "second")])
def test_a_new_wall_clock_that_occurs_twice_says_which(starts_at, which):
    session = make_session(local_date=date(2026, 10, 25), local_time=time(12, 0), anchor="instant")
    session = planned_by_other_rules(session, at(starts_at))

    zone_rules.recheck(now=at("2026-09-16T09:00"))

    session.refresh_from_db()
    assert (session.starts_at, clock_of(session)) == (at(starts_at), (date(2026, 10, 25), time(1, 30), which))


# ---------- for a person to decide ----------


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (
            {"local_date": date(2027, 3, 28), "local_time": time(1, 30)},
            (
                "Clocks in London go forward over this time, so it does not exist. "
                "The nearest that do are 00:59 and 02:00."
            ),
        ),
        (
            {"local_date": date(2026, 10, 25), "local_time": time(1, 30)},
            (
                "Clocks in London go back that night, so this time comes twice: choose the first (UTC+1) "
                "or the second (UTC)."
            ),
        ),
        ({"time_zone": "Asia/Atlantis"}, "Asia/Atlantis is not a known time zone."),
        ({"time_zone": "Asia/Atlantis", "anchor": "instant"}, "Asia/Atlantis is not a known time zone."),
        (
            {"local_date": date(2026, 9, 16), "local_time": time(9, 30)},
            "By the rules of today it would have begun already.",
        ),
    ],
)
def test_what_no_rule_decides_is_left_to_a_person_with_the_reason(stored, reason, caplog):
    session = planned_by_other_rules(make_session(), at("2026-10-25T12:00"), **stored)
    make_registration(session, now=at("2026-09-16T09:00"))
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    before = Session.objects.values().get()

    with caplog.at_level(logging.INFO, LOG):
        found = zone_rules.recheck(now=at("2026-09-16T09:00"))

    assert [(finding.outcome, finding.reason) for finding in found.findings] == [(Outcome.NEEDS_PERSON, reason)]
    assert Session.objects.values().get() == before
    assert not Message.objects.filter(kind=Message.Kind.RESCHEDULED).exists()
    (said,) = caplog.records
    assert said.levelname == "WARNING"
    assert reason in said.getMessage()
    assert "@" not in said.getMessage()


def test_one_that_fails_holds_up_no_other(caplog):
    broken, sound = in_almaty(), in_almaty()

    def fail(session, **_rest):
        if session.pk == broken.pk:
            raise RuntimeError("Somebody who listens is broken.")

    session_rescheduled.connect(fail)
    try:
        found = zone_rules.recheck(now=NOW)
    finally:
        session_rescheduled.disconnect(fail)

    broken.refresh_from_db()
    sound.refresh_from_db()
    assert [finding.reason for finding in found.for_a_person] == ["It failed: RuntimeError."]
    assert (broken.starts_at, sound.starts_at) == (PLANNED_AT, TODAY_AT)


# ---------- organizers ----------


def coming(host, **fields) -> Session:
    """In the admin's own future: its wall clock says 13:30, its instant is an hour before that."""
    session = make_session(
        make_webinar(host=host), local_date=date(2031, 5, 14), local_time=time(13, 30), capacity=5, **fields
    )
    return planned_by_other_rules(session, at("2031-05-14T11:30"))


@pytest.mark.parametrize("anchor", ["wall_clock", "instant"])
@pytest.mark.parametrize("where", ["session", "webinar"])
def test_whoever_saves_something_else_moves_nothing(client, owner, host, where, anchor):
    session = coming(host, anchor=anchor)
    make_registration(session)
    prefix = "" if where == "session" else "sessions-0-"

    response = save(client, session if where == "session" else session.webinar, **{f"{prefix}capacity": "9"})

    session.refresh_from_db()
    assert response.status_code == 302
    assert (session.capacity, session.starts_at, session.sequence) == (9, at("2031-05-14T11:30"), 0)


def test_whoever_saves_another_length_keeps_the_beginning(client, owner, host):
    session = coming(host)

    save(client, session, duration_minutes="120")

    session.refresh_from_db()
    assert (session.starts_at, session.ends_at) == (at("2031-05-14T11:30"), at("2031-05-14T13:30"))


@pytest.mark.parametrize("anchor", ["wall_clock", "instant"])
def test_whoever_types_a_time_means_it_by_todays_rules(client, owner, host, anchor):
    session = coming(host, anchor=anchor)

    save(client, session, local_time="15:00")

    session.refresh_from_db()
    assert session.starts_at == at("2031-05-14T14:00")


def test_a_session_that_needs_a_person_is_changed_in_everything_else_and_then_given_a_time(client, owner, host):
    session = planned_by_other_rules(
        coming(host), at("2031-03-30T01:30"), local_date=date(2031, 3, 30), local_time=time(1, 30)
    )

    kept = save(client, session, label="Suits Europe")
    decided = save(client, session, local_time="02:30")

    session.refresh_from_db()
    assert (kept.status_code, decided.status_code) == (302, 302)
    assert (session.label, session.starts_at) == ("Suits Europe", at("2031-03-30T01:30"))


def test_a_page_from_before_the_new_wall_clock_does_not_bring_the_old_one_back(client, owner, host):
    session = coming(host, anchor="instant")
    page = reverse("admin:events_session_change", args=[session.pk])
    form = client.get(page).context["adminform"].form
    old = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    old |= {field.html_initial_name: field.value() for field in form if field.field.show_hidden_initial}

    zone_rules.recheck(now=at("2031-01-01T00:00"))
    response = client.post(page, {name: str(value) for name, value in old.items()} | {"local_date": "2031-05-15"})

    session.refresh_from_db()
    assert "Somebody else has changed this session" in str(response.context["adminform"].form.errors)
    assert clock_of(session) == (date(2031, 5, 14), time(12, 30), "")


def test_the_anchor_is_chosen_in_the_admin_and_stands_in_the_history(client, owner, host):
    session = make_session(make_webinar(host=host), local_date=date(2031, 5, 14), local_time=time(13, 30))

    save(client, session, anchor="instant")

    session.refresh_from_db()
    history = client.get(reverse("admin:events_session_history", args=[session.pk])).content.decode()
    assert (session.anchor, session.sequence) == ("instant", 0)
    assert "“The time on the clock there” to “The moment, as others count it”" in history


# ---------- the command ----------


def in_the_future(**fields) -> Session:
    session = make_session(make_webinar(title="Roads"), local_date=date(2031, 5, 14), local_time=time(13, 30), **fields)
    return planned_by_other_rules(session, at("2031-05-14T11:30"))


def test_the_command_says_what_moved_and_what_kept_its_instant():
    in_the_future()
    in_the_future(anchor="instant")
    make_session(local_date=date(2031, 5, 14))

    first, second = recheck_zones(), recheck_zones()

    assert first == (
        (
            f"Zone rules: {zone_rules.VERSION}. Sessions looked at: 3.\n"
            "Roads: 2031-05-14 13:30 London, 2031-05-14 11:30 UTC (UTC+2): moves to 2031-05-14 12:30 UTC (UTC+1).\n"
            "Roads: 2031-05-14 13:30 London, 2031-05-14 11:30 UTC (UTC+2): keeps its instant and is now "
            "2031-05-14 12:30 London (UTC+1).\n"
        ),
        0,
    )
    assert second == (f"Zone rules: {zone_rules.VERSION}. Sessions looked at: 3.\nAll of them agree.\n", 0)


def test_a_dry_run_says_the_same_and_changes_nothing():
    session = in_the_future()

    said, status = recheck_zones("--dry-run")

    session.refresh_from_db()
    assert "moves to 2031-05-14 12:30 UTC (UTC+1)." in said
    assert said.endswith("Nothing was changed (--dry-run).\n")
    assert (status, session.starts_at, session.sequence) == (0, at("2031-05-14T11:30"), 0)


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_the_command_fails_while_something_needs_a_person(arguments):
    session = in_the_future()
    Session.objects.filter(pk=session.pk).update(time_zone="Asia/Atlantis")

    said, status = recheck_zones(*arguments)

    assert status == 1
    assert (
        "Roads: 2031-05-14 13:30 Atlantis, 2031-05-14 11:30 UTC (UTC+2): stays as it is until a person decides. "
        "Asia/Atlantis is not a known time zone.\n"
    ) in said
