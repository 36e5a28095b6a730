"""Calendars that anybody may read."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import vobject

from events import ical
from events.ical import Organizer, PublishedEvent

HOST = Organizer("Border Review", "review@example.org")
SOURCE = "https://example.org/hosts/border-review/calendar.ics"
HERE = Path(__file__).parent


def an_event(**fields):
    return PublishedEvent(
        **{
            "uid": "session-1",
            "sequence": 0,
            "dtstamp": datetime(2026, 9, 16, 9, 0, tzinfo=UTC),
            "starts_at": datetime(2026, 10, 28, 12, 30, tzinfo=UTC),
            "ends_at": datetime(2026, 10, 28, 14, 0, tzinfo=UTC),
            "summary": "Border Challenges",
            "description": "People who guard roads compare what works.\n\nRegister: https://example.org/webinars/a/",
            "location": "Online",
            "url": "https://example.org/webinars/a/",
            "is_cancelled": False,
            **fields,
        }
    )


def test_feed_writes_the_whole_calendar():
    events = [an_event(), an_event(uid="session-2", sequence=2, is_cancelled=True)]

    written = ical.feed(events, name="Border Review", organizer=HOST, source=SOURCE)

    assert written == (HERE / "published.ics").read_bytes()


def test_whoever_writes_feeds_in_another_way_says_so_to_those_who_follow():
    """Their programs ask by a mark that knows nothing of how a calendar is written, but for its format."""
    written = sha256((HERE / "published.ics").read_bytes()).hexdigest()

    assert (ical.FORMAT, written[:12]) == (2, "eb075762c55c"), "Raise events.ical.FORMAT, and note both here."


def test_copy_has_the_events_and_does_not_promise_to_follow():
    written = ical.copy([an_event()], organizer=HOST)

    calendar = vobject.readOne(written.decode())
    assert calendar.method.value == "PUBLISH"
    assert calendar.vevent.uid.value == "session-1"
    for promise in (b"REFRESH-INTERVAL", b"X-PUBLISHED-TTL", b"SOURCE", b"NAME"):
        assert promise not in written


def test_feed_says_where_it_comes_from_and_how_often_to_ask():
    written = ical.feed([], name="Border Review", organizer=HOST, source=SOURCE).replace(b"\r\n ", b"")

    for line in (
        f"SOURCE;VALUE=URI:{SOURCE}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "NAME:Border Review",
        "X-WR-CALNAME:Border Review",
    ):
        assert line in written.decode().split("\r\n")


def test_another_parser_reads_the_same():
    calendar = vobject.readOne(ical.feed([an_event()], name="Border Review", organizer=HOST, source=SOURCE).decode())

    assert calendar.method.value == "PUBLISH"
    assert calendar.vevent.dtstart.value == datetime(2026, 10, 28, 12, 30, tzinfo=UTC)
    assert calendar.vevent.dtend.value == datetime(2026, 10, 28, 14, 0, tzinfo=UTC)
    assert calendar.vevent.organizer.value == "mailto:review@example.org"
    assert "attendee" not in calendar.vevent.contents


def test_hostile_text_stays_in_its_property():
    text = 'A; b, "c" \\ d\x00\x08\r\nBEGIN:VEVENT'

    written = ical.feed(
        [an_event(summary=text, description=text)],
        name="x\x07y",
        organizer=Organizer('N"a^me', "a@example.org"),
        source=SOURCE,
    )

    calendar = vobject.readOne(written.decode())
    assert calendar.vevent.summary.value == 'A; b, "c" \\ d BEGIN:VEVENT'
    assert calendar.vevent.description.value == 'A; b, "c" \\ d\nBEGIN:VEVENT'
    assert calendar.vevent.organizer.params["CN"] == ["Name"]
    assert calendar.contents["x-wr-calname"][0].value == "xy"


def test_lines_are_folded_between_characters():
    title = " ".join(["Граница 🌍 边境"] * 30)

    written = ical.copy([an_event(summary=title)], organizer=HOST)

    lines = written.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert all(line.decode() is not None for line in lines)
    assert vobject.readOne(written.decode()).vevent.summary.value == title
