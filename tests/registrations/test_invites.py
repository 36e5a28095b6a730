"""The entry in the owner's calendar, read by a parser that did not write it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from icalendar import STATUS, Calendar
from icalendar.parser import Contentline

from events import formats, scheduling
from events.timezones import canonical_name, is_ambiguous
from events.validators import plain_text, single_line
from registrations import invites, signup
from registrations.models import Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

STARTS_AT = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)


def unfolded(ics: bytes) -> list[str]:
    return ics.decode().replace("\r\n ", "").split("\r\n")


def reloaded(registration: Registration) -> Registration:
    return Registration.objects.select_related("session__webinar__host").get(pk=registration.pk)


def test_a_request_is_what_calendars_need():
    host = make_host(name="Border Review", sender_email="events@border.example")
    session = make_session(make_webinar(host=host, title="Central Asia", slug="central-asia"))
    registration = make_registration(session, name="Anna Karimova", email="anna@example.org", time_zone="Asia/Tashkent")

    lines = unfolded(invites.request(registration))

    assert lines[0] == "BEGIN:VCALENDAR"
    for line in (
        "METHOD:REQUEST",
        f"UID:{registration.uid}",
        "SEQUENCE:0",
        "DTSTAMP:20260916T090000Z",
        "DTSTART:20261014T123000Z",
        "DTEND:20261014T140000Z",
        "SUMMARY:Central Asia",
        "STATUS:CONFIRMED",
        'ORGANIZER;CN="Border Review":mailto:events@border.example',
        "TRIGGER:-PT15M",
    ):
        assert line in lines
    [attendee] = [line for line in lines if line.startswith("ATTENDEE")]
    assert attendee.endswith(":mailto:anna@example.org")
    for parameter in ("PARTSTAT=NEEDS-ACTION", "RSVP=TRUE", "ROLE=REQ-PARTICIPANT", "CUTYPE=INDIVIDUAL"):
        assert parameter in attendee
    [description] = [line for line in lines if line.startswith("DESCRIPTION:") and "Starts in" not in line]
    assert "17:30 Tashkent\\, UTC+5" in description
    assert "13:30 London\\, UTC+1" in description


def test_minutes_in_the_entry_are_those_of_the_door_and_of_the_alarm():
    session = make_session()

    english, arabic = (
        "\n".join(unfolded(invites.request(make_registration(session, language=code)))) for code in ("en", "ar")
    )

    alarm = invites.ALARM_BEFORE // timedelta(minutes=1)
    assert f"opens {session.join_lead_minutes} minutes before the start." in english
    assert f"DESCRIPTION:Starts in {alarm} minutes" in english
    # As many as are counted with a singular in Arabic, from eleven on.
    assert f"قبل البدء بـ {session.join_lead_minutes} دقيقة" in arabic
    assert f"DESCRIPTION:تبدأ بعد {alarm} دقيقة" in arabic


def test_a_retry_says_the_same_bytes():
    registration = make_registration()

    assert invites.request(registration) == invites.request(reloaded(registration))


def test_moving_twice_and_cancelling_keeps_the_uid_and_raises_the_sequence():
    session = make_session()
    registration = make_registration(session)
    seen = [vobject.readOne(invites.request(registration).decode()).vevent]

    for minutes, hour in enumerate((15, 16), start=1):
        session.local_time = time(hour, 0)
        scheduling.save_session(session, by=None, now=NOW + timedelta(minutes=minutes))
        seen.append(vobject.readOne(invites.request(reloaded(registration)).decode()).vevent)
    signup.cancel(registration, now=NOW + timedelta(hours=1))
    withdrawn = vobject.readOne(invites.cancel(reloaded(registration)).decode())
    seen.append(withdrawn.vevent)

    assert len({entry.uid.value for entry in seen}) == 1
    assert [int(entry.sequence.value) for entry in seen] == [0, 1, 2, 3]
    stamps = [entry.dtstamp.value for entry in seen]
    assert stamps == sorted(stamps)
    assert withdrawn.method.value == "CANCEL"
    assert withdrawn.vevent.status.value == "CANCELLED"
    assert not hasattr(withdrawn.vevent, "valarm")


def test_a_download_names_no_attendee():
    ics = invites.download(make_registration())

    assert b"METHOD:PUBLISH" in ics
    assert b"ATTENDEE" not in ics
    assert b"ORGANIZER" in ics


def test_the_organizer_stays_when_the_host_changes_its_address():
    host = make_host(sender_email="old@border.example")
    registration = make_registration(make_session(make_webinar(host=host)))

    host.sender_email = "new@border.example"
    host.save()

    assert b"mailto:old@border.example" in invites.request(reloaded(registration)).replace(b"\r\n ", b"")


def test_another_registrant_is_nowhere_in_the_entry():
    session = make_session()
    registration = make_registration(session)
    another = make_registration(session, name="Somebody Else", email="other@example.net")

    ics = invites.request(registration).replace(b"\r\n ", b"")

    assert another.email.encode() not in ics
    assert b"Somebody Else" not in ics
    assert another.reference.encode() not in ics


HOSTILE = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]) | st.sampled_from('\r\n\x00\x0b",;:\\^<>😀中'),
    min_size=1,
    max_size=150,
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=HOSTILE, name=HOSTILE)
def test_no_text_breaks_the_entry(title, name):
    registration = make_registration(make_session(make_webinar(title=title[:160])), name=name[:200])
    registration = reloaded(registration)

    ics = invites.request(registration)

    assert all(len(line) <= 75 for line in ics.split(b"\r\n"))
    assert not any(mark in ics.replace(b"\r\n", b"") for mark in (b"\r", b"\n", b"\x00", b"\x0b"))
    assert len([line for line in unfolded(ics) if line.startswith("ATTENDEE")]) == 1
    entry = vobject.readOne(ics.decode()).vevent
    assert entry.dtstart.value == STARTS_AT
    assert entry.summary.value == registration.session.webinar.title


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=HOSTILE, summary=HOSTILE, names=st.lists(HOSTILE, min_size=2, max_size=2), host=HOSTILE)
def test_an_invite_from_a_draft_has_the_bytes_that_icalendar_writes_for_one_person(title, summary, names, host):
    host = make_host(name=single_line(host)[:120] or "Host")
    session = make_session(make_webinar(host=host, title=title[:160], summary=summary))
    people = [reloaded(make_registration(session, name=name[:200])) for name in names]

    written = [invites.request(person) for person in people] + [invites.cancel(person) for person in people]

    alone = [entry_alone(person, "REQUEST") for person in people] + [entry_alone(person, "CANCEL") for person in people]
    assert written == alone


def entry_alone(registration: Registration, method: str) -> bytes:
    """The same entry, built for this person and nobody else."""
    status = STATUS.CANCELLED if method == "CANCEL" else STATUS.CONFIRMED
    event = invites._event(*invites._told(registration, status))
    event.attendees = [invites._attendee(registration)]
    if method == "REQUEST":
        event.add_component(invites._alarm(registration.own_language))
    return invites._calendar(method, event).to_ical()


@hypothesis_settings(max_examples=300, deadline=None)
@given(line=st.text(st.one_of(st.sampled_from(list("\\^abc")), st.characters(exclude_characters="\n\r")), max_size=400))
def test_lines_are_folded_where_icalendar_folds_them(line):
    line = line.encode(errors="ignore").decode()

    assert invites.folded(line) == Contentline(line).to_ical() + b"\r\n"


ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Almaty",
    "Asia/Tashkent",
    "America/St_Johns",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "UTC",
]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    planned_in=st.sampled_from(ZONES),
    read_in=st.sampled_from(ZONES),
    on=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    at=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    occurrence=st.sampled_from(["first", "second"]),
    minutes=st.integers(5, 24 * 60),
    title=HOSTILE,
    summary=HOSTILE,
)
def test_two_parsers_read_the_instants_and_the_texts_that_were_meant(
    planned_in, read_in, on, at, occurrence, minutes, title, summary
):
    plan = {"local_date": on, "local_time": at, "time_zone": planned_in, "duration_minutes": minutes}
    webinar = make_webinar(title=title[:160], summary=summary)
    try:
        session = make_session(webinar, **plan, occurrence=occurrence if is_ambiguous(on, at, planned_in) else "")
    except ValidationError:
        return  # hours that do not exist are refused
    registration = reloaded(make_registration(session, time_zone=read_in, now=session.starts_at - timedelta(days=1)))

    ics = invites.request(registration)

    [ours] = Calendar.from_ical(ics).events
    theirs = vobject.readOne(ics.decode()).vevent
    starts_at = session.starts_at
    assert starts_at.astimezone(ZoneInfo(planned_in)).replace(tzinfo=None) == datetime.combine(on, at)
    assert (ours.start, ours.end) == (starts_at, starts_at + timedelta(minutes=minutes))
    assert (theirs.dtstart.value, theirs.dtend.value) == (ours.start, ours.end)
    assert ours.get("SUMMARY") == theirs.summary.value == single_line(title[:160])
    assert ours.get("DESCRIPTION") == theirs.description.value
    assert theirs.description.value.startswith(plain_text(summary))
    assert formats.place_time(starts_at, canonical_name(read_in), "en") in theirs.description.value


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        # The hour before, and after, clocks change in spring and in autumn.
        ("Europe/London", "2027-03-28 00:59", "2027-03-28 00:59"),
        ("Europe/London", "2027-03-28 02:00", "2027-03-28 01:00"),
        ("Europe/London", "2026-10-25 00:59", "2026-10-24 23:59"),
        ("Europe/London", "2026-10-25 02:00", "2026-10-25 02:00"),
        ("America/New_York", "2027-03-14 01:59", "2027-03-14 06:59"),
        ("America/New_York", "2027-03-14 03:00", "2027-03-14 07:00"),
        ("America/New_York", "2026-11-01 00:59", "2026-11-01 04:59"),
        ("America/New_York", "2026-11-01 02:00", "2026-11-01 07:00"),
        ("Australia/Sydney", "2026-10-04 01:59", "2026-10-03 15:59"),
        ("Australia/Sydney", "2026-10-04 03:00", "2026-10-03 16:00"),
        ("Australia/Sydney", "2027-04-04 01:59", "2027-04-03 14:59"),
        ("Australia/Sydney", "2027-04-04 03:00", "2027-04-03 17:00"),
        # Half an hour of summer.
        ("Australia/Lord_Howe", "2026-10-04 01:59", "2026-10-03 15:29"),
        ("Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2027-04-04 01:29", "2027-04-03 14:29"),
        ("Australia/Lord_Howe", "2027-04-04 02:00", "2027-04-03 15:30"),
        # None at all, and three quarters of an hour.
        ("Asia/Kathmandu", "2026-10-25 02:00", "2026-10-24 20:15"),
        # Kazakhstan gave up an hour on 1 March 2024.
        ("Asia/Almaty", "2024-02-29 17:30", "2024-02-29 11:30"),
        ("Asia/Almaty", "2024-03-01 17:30", "2024-03-01 12:30"),
        # The page that announced 7.30am for New York was an hour wrong.
        ("America/New_York", "2020-10-28 08:30", "2020-10-28 12:30"),
        ("Europe/London", "2020-10-28 12:30", "2020-10-28 12:30"),
        ("Europe/Berlin", "2020-10-28 13:30", "2020-10-28 12:30"),
    ],
)
def test_calendars_get_the_instant_on_both_sides_of_each_change(zone, local, instant):
    meant = datetime.fromisoformat(local)
    session = make_session(local_date=meant.date(), local_time=meant.time(), time_zone=zone)
    registration = make_registration(session, now=session.starts_at - timedelta(days=1))

    entry = vobject.readOne(invites.request(reloaded(registration)).decode()).vevent

    assert entry.dtstart.value == datetime.fromisoformat(instant).replace(tzinfo=UTC)
