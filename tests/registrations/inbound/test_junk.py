"""Whatever comes in, it raises nothing, changes nothing, and takes no time to speak of."""

import base64
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registrations import inbound
from registrations.inbound import Outcome, Result
from registrations.inbound.reading import MAX_BYTES
from registrations.models import Message, Registration
from tests.builders import NOW, make_registration, make_session
from tests.incoming import (
    CALENDARS,
    MAIL_SERVERS,
    bounced_mail,
    calendar_mail,
    calendar_of,
    with_calendar,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
# Each example runs in the one transaction of the test, and none may leave anything behind for the next.
fuzzed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def registration():
    registration = make_registration(make_session(), email="anna@example.net")
    Message.objects.update(state=Message.State.SENT, sent_at=NOW, message_id="<0a1b2c@webinars.example>")
    return registration


def rows() -> list[object]:
    return [list(Registration.objects.order_by("pk").values()), list(Message.objects.order_by("pk").values())]


def receive(raw: bytes) -> Outcome:
    return inbound.receive(raw, now=LATER)


@given(raw=st.binary(max_size=2000))
@fuzzed
def test_octets_of_any_kind_are_ignored(raw):
    assert receive(raw).result == Result.IGNORED


@given(content=st.binary(max_size=500), parameters=st.text(max_size=40).filter(lambda text: "\n" not in text))
@fuzzed
def test_calendar_parts_of_any_kind_are_ignored(content, parameters):
    raw = with_calendar(content, sender="anna@example.net", to="rsvp@example.org", parameters="method=REPLY")

    assert receive(raw.replace(b"method=REPLY", parameters.encode(errors="replace"))).result == Result.IGNORED


@given(data=st.data())
@fuzzed
def test_mails_that_were_damaged_on_the_way_raise_nothing_and_change_no_other_row(registration, data):
    shape = data.draw(st.sampled_from(CALENDARS + MAIL_SERVERS))
    message = registration.messages.get()
    # Somebody else's: whatever the damage does, it must not become ours.
    said = {"sender": "eve@example.net"} if shape in CALENDARS else {"failed": "eve@example.net"}
    raw = bytearray(
        calendar_mail(registration, shape, **said) if shape in CALENDARS else bounced_mail(message, shape, **said)
    )
    for _damage in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        length = data.draw(st.integers(0, 40))
        raw[place : place + length] = data.draw(st.binary(max_size=20))
    before = rows()

    assert receive(bytes(raw)).result == Result.IGNORED

    assert rows() == before


@given(place=st.integers(0, 700), inserted=st.binary(min_size=1, max_size=12))
@fuzzed
def test_calendars_that_were_damaged_on_the_way_raise_nothing(registration, place, inserted):
    calendar = calendar_of(registration, attendee="eve@example.net")
    damaged = calendar[:place] + inserted + calendar[place:]
    before = rows()

    receive(with_calendar(damaged, sender="anna@example.net", to=registration.organizer))

    assert rows() == before


def headers(*lines: bytes) -> bytes:
    return b"\r\n".join((b"From: anna@example.net", b"To: rsvp@example.org", *lines)) + b"\r\n\r\n"


def calendar(*lines: bytes) -> bytes:
    return with_calendar(b"\r\n".join(lines), sender="anna@example.net", to="rsvp@example.org")


def reported(*lines: bytes, failed: bytes = b"ann@example.net") -> bytes:
    """A report of a mail that came back, with these headers."""
    return (
        headers(*lines, b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"')
        + b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        + b"Action: failed\r\nStatus: 5.1.1\r\nFinal-Recipient: rfc822; "
        + failed
        + b"\r\n\r\n"
        + b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@b.example>\r\n\r\n--b--\r\n"
    )


SLOW = {
    "too large": b"From: anna@example.net\r\n\r\n" + b"x" * MAX_BYTES,
    "parts within parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(15_000)
    ),
    "many parts": headers(b'Content-Type: multipart/mixed; boundary="b"') + b"--b\r\n\r\n" * 100_000,
    "parameters": headers(b"Content-Type: text/calendar" + b";" * 900_000),
    "quoted parameters": headers(b"Content-Type: text/calendar; a=" + b'"\\' * 400_000),
    "comments within comments": headers(b"Authentication-Results: ours; " + b"(" * 60_000),
    "names": headers(b"Cc: " + b"a@b.c," * 10_000),
    "comments in names": headers(b"Cc: " + b"(" * 60_000),
    "quotes in names": headers(b"Cc: " + b'"' * 60_000),
    "encoded words": headers(b"Subject: " + b"=?utf-8?q?a?= " * 4_000),
    "headers": headers(*[b"X-%d: y" % n for n in range(70_000)]),
    "folded headers": headers(b"X: y", *[b" y"] * 20_000),
    "components within components": calendar(b"BEGIN:VCALENDAR", *[b"BEGIN:VEVENT"] * 13_000),
    "many events": calendar(b"BEGIN:VCALENDAR", *[b"BEGIN:VEVENT\r\nEND:VEVENT"] * 7_000, b"END:VCALENDAR"),
    "attendees": calendar(
        b"BEGIN:VCALENDAR",
        b"METHOD:REPLY",
        b"BEGIN:VEVENT",
        *[b"ATTENDEE:mailto:a@b.c"] * 8_000,
        b"END:VEVENT",
        b"END:VCALENDAR",
    ),
    "parameters of a property": calendar(
        b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"ATTENDEE" + b";A=B" * 45_000 + b":x", b"END:VEVENT", b"END:VCALENDAR"
    ),
    "quotes in a property": calendar(b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"ATTENDEE;CN=" + b'"' * 190_000),
    "backslashes in a property": calendar(b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"UID:" + b"\\" * 190_000),
    "folds": calendar(b"BEGIN:VCALENDAR", b"UID:x", *[b" "] * 60_000),
    "empty lines": calendar(b"BEGIN:VCALENDAR", *[b""] * 95_000),
    "rules": calendar(
        b"BEGIN:VCALENDAR",
        b"METHOD:REPLY",
        b"BEGIN:VTIMEZONE",
        b"TZID:Slow",
        b"BEGIN:STANDARD",
        b"DTSTART:19700101T000000",
        b"RRULE:FREQ=SECONDLY",
        b"TZOFFSETFROM:+0000",
        b"TZOFFSETTO:+0000",
        b"END:STANDARD",
        b"END:VTIMEZONE",
        b"BEGIN:VEVENT",
        b"DTSTAMP;TZID=Slow:20260916T090000",
        b"RRULE:FREQ=SECONDLY",
        b"END:VEVENT",
        b"END:VCALENDAR",
    ),
    "lone carriage returns": headers(b'Content-Type: multipart/mixed; boundary="b"') + b"\r--b\r" * 180_000,
    "groups of a report": headers(b"Content-Type: message/delivery-status") + b"\n" * 900_000,
    "comments in the names of a report": reported(b"To: " + b"(" * 60_000),
    "groups in the names of a report": reported(b"To: " + b"a:" * 30_000),
    "long addresses in a report": reported(b"X: y", failed=b"a@" + "ü".encode() * 60_000),
    "quotes of our own server": headers(b'Authentication-Results: x; "' + b'\\"' * 30_000),
    "digits": calendar(
        b"BEGIN:VCALENDAR",
        b"METHOD:REPLY",
        b"BEGIN:VEVENT",
        b"SEQUENCE:" + b"9" * 100_000,
        b"END:VEVENT",
        b"END:VCALENDAR",
    ),
}


@pytest.mark.parametrize("what", SLOW)
def test_what_is_made_to_take_long_does_not(settings, what):
    settings.AUTHSERV_ID = "ours"
    began = time.process_time()

    assert receive(SLOW[what]).result == Result.IGNORED

    # Measured: a fifth of a second at most, where Python alone would take minutes for some of these.
    assert time.process_time() - began < 5


@pytest.mark.parametrize("header", ["To", "Cc", "From"])
@pytest.mark.parametrize("names", [b"(" * 3_000, b"a:" * 1_500])
def test_names_within_names_are_ignored_where_they_are_read(registration, header, names):
    raw = calendar_mail(registration)
    deep = header.encode() + b": " + names + b"\r\n" + raw

    assert receive(deep).result in {Result.IGNORED, Result.NOTED}


def test_a_calendar_that_is_larger_than_any_answer_is_ignored(registration):
    padded = calendar_of(registration).replace(b"END:VEVENT", b"X-PAD:" + b"x" * 200_000 + b"\r\nEND:VEVENT")

    raw = with_calendar(padded, sender=registration.email, to=registration.organizer)

    assert receive(raw) == Outcome(Result.IGNORED, "its calendar part is too large")


def test_a_calendar_part_that_is_a_path_reads_no_file(registration, tmp_path):
    file = tmp_path / "answer.ics"
    file.write_bytes(calendar_of(registration))

    raw = with_calendar(str(file).encode(), sender=registration.email, to=registration.organizer)

    assert receive(raw).result == Result.IGNORED


def test_an_answer_inside_a_mail_that_was_passed_on_is_not_its_writers(registration):
    inner = calendar_mail(registration)
    raw = headers(b'Content-Type: multipart/mixed; boundary="outer"') + (
        b"--outer\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--outer--\r\n"
    )

    assert receive(raw) == Outcome(Result.IGNORED, "it has no calendar part")


def test_base64_that_is_none_is_ignored():
    raw = with_calendar(b"", sender="anna@example.net", to="rsvp@example.org") + b"!!!" + base64.b64encode(b"x")[:-1]

    assert receive(raw).result == Result.IGNORED
