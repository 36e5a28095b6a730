"""Calendars that anybody may read."""

from datetime import UTC, datetime
from pathlib import Path

import vobject

from events.ical import Organizer, PublishedEvent, is_published, publish

HOST = Organizer("Border Review", "review@example.org")


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


def test_publish_writes_the_whole_calendar():
    events = [an_event(), an_event(uid="session-2", sequence=2, is_cancelled=True)]

    written = publish(events, name="Border Review", organizer=HOST)

    assert written == (Path(__file__).parent / "published.ics").read_bytes()


def test_another_parser_reads_the_same():
    calendar = vobject.readOne(publish([an_event()], name="Border Review", organizer=HOST).decode())

    assert calendar.method.value == "PUBLISH"
    assert calendar.vevent.dtstart.value == datetime(2026, 10, 28, 12, 30, tzinfo=UTC)
    assert calendar.vevent.dtend.value == datetime(2026, 10, 28, 14, 0, tzinfo=UTC)
    assert calendar.vevent.organizer.value == "mailto:review@example.org"
    assert "attendee" not in calendar.vevent.contents


def test_hostile_text_stays_in_its_property():
    text = 'A; b, "c" \\ d\x00\x08\r\nBEGIN:VEVENT'

    written = publish(
        [an_event(summary=text, description=text)], name="x\x07y", organizer=Organizer('N"a^me', "a@example.org")
    )

    calendar = vobject.readOne(written.decode())
    assert calendar.vevent.summary.value == 'A; b, "c" \\ d BEGIN:VEVENT'
    assert calendar.vevent.description.value == 'A; b, "c" \\ d\nBEGIN:VEVENT'
    assert calendar.vevent.organizer.params["CN"] == ["Name"]
    assert calendar.contents["x-wr-calname"][0].value == "xy"


def test_lines_are_folded_between_characters():
    title = " ".join(["Граница 🌍 边境"] * 30)

    written = publish([an_event(summary=title)], name="x", organizer=HOST)

    lines = written.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert all(line.decode() is not None for line in lines)
    assert vobject.readOne(written.decode()).vevent.summary.value == title


def test_cancelled_sessions_stay_for_thirty_days():
    cancelled_at = datetime(2026, 10, 1, tzinfo=UTC)

    shown = [
        is_published(is_cancelled=True, revised_at=cancelled_at, now=datetime(2026, month, day, tzinfo=UTC))
        for month, day in ((10, 2), (10, 30), (10, 31))
    ]

    assert shown == [True, True, False]
    assert is_published(is_cancelled=False, revised_at=cancelled_at, now=datetime(2030, 1, 1, tzinfo=UTC))
