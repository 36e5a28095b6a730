"""Calendars that anybody may read: METHOD:PUBLISH (RFC 5546 3.2.1), for downloads and subscriptions.

Pure: objects in, bytes out, without the control characters that RFC 5545 3.1 forbids and icalendar lets through. The
invites that people hold are made elsewhere (`registrations.invites`) and have uids of their own. Nothing personal and
no joining address goes in here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import STATUS, TRANSP, Calendar, Event, vCalAddress, vDuration, vText, vUri

from events import validators

PRODUCT = "-//Webinar site//Webinars//EN"
REFRESH_EVERY = timedelta(hours=1)
# Raise it whenever the same sessions are written in another way, or those who follow go on being told that nothing has
# changed.
FORMAT = 2

# RFC 6868 writes them as ^' and ^^, which Outlook shows as they stand.
_QUOTES = str.maketrans("", "", '"^')


@dataclass(frozen=True)
class Organizer:
    """Who publishes: a name and a mail address."""

    name: str
    email: str


@dataclass(frozen=True)
class PublishedEvent:
    """A session as the public sees it. `dtstamp` is the time of its last revision (RFC 5545 3.8.7.2)."""

    uid: str
    sequence: int
    dtstamp: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    location: str
    url: str
    is_cancelled: bool


def feed(events: Iterable[PublishedEvent], *, name: str, organizer: Organizer, source: str) -> bytes:
    """A calendar to subscribe to, called `name`, which is asked for again at `source`.

    Like every calendar here in UTF-8, with CRLF, folded at 75 octets (RFC 5545 3.1).
    """
    calendar = new_calendar(PRODUCT)
    follow(calendar, name=name)
    # RFC 7986 5.7 and 5.8 want the value's type said, which icalendar leaves out.
    calendar.add("SOURCE", vUri(source, params={"VALUE": "URI"}))
    _add(calendar, events, organizer)
    return calendar.to_ical()


def copy(events: Iterable[PublishedEvent], *, organizer: Organizer) -> bytes:
    """A calendar to put into one's own. Nothing in it says to ask again: nobody would, and nothing of it moves."""
    calendar = new_calendar(PRODUCT)
    _add(calendar, events, organizer)
    return calendar.to_ical()


def new_calendar(product: str) -> Calendar:
    """An empty calendar of events that nobody is invited to."""
    calendar = Calendar()
    calendar.version = "2.0"
    calendar.prodid = product
    calendar.method = "PUBLISH"
    return calendar


def follow(calendar: Calendar, *, name: str) -> None:
    """Say what those who subscribe to it call it, and how often it is worth asking (RFC 7986 5.1, 5.7)."""
    calendar.add("NAME", vText(validators.single_line(name)))
    calendar.add("X-WR-CALNAME", vText(validators.single_line(name)))
    calendar.add("REFRESH-INTERVAL", vDuration(REFRESH_EVERY, params={"VALUE": "DURATION"}))
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH_EVERY))


def common_name(name: str) -> str:
    """A name as calendars show whose entry it is: without quotes and carets, never empty."""
    return validators.single_line(name.translate(_QUOTES)) or "-"


def _add(calendar: Calendar, events: Iterable[PublishedEvent], organizer: Organizer) -> None:
    for event in events:
        calendar.add_component(_component(event, organizer))


def _component(event: PublishedEvent, organizer: Organizer) -> Event:
    return Event.new(
        uid=event.uid,
        sequence=event.sequence,
        stamp=event.dtstamp.astimezone(UTC),
        start=event.starts_at.astimezone(UTC),
        end=event.ends_at.astimezone(UTC),
        last_modified=event.dtstamp.astimezone(UTC),
        summary=validators.single_line(event.summary),
        description=validators.plain_text(event.description),
        location=validators.single_line(event.location),
        url=validators.single_line(event.url),
        status=STATUS.CANCELLED if event.is_cancelled else STATUS.CONFIRMED,
        transparency=TRANSP.TRANSPARENT if event.is_cancelled else TRANSP.OPAQUE,
        organizer=vCalAddress.new(organizer.email, cn=common_name(organizer.name)),
    )
