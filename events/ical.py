"""Calendars that anybody may read: METHOD:PUBLISH (RFC 5546 3.2.1), for downloads and subscriptions.

Pure: objects in, bytes out, without the control characters that RFC 5545 3.1 forbids and icalendar lets through. The
invites that people hold are made elsewhere (`registrations.invites`) and have uids of their own. Nothing personal and
no joining address goes in here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import STATUS, TRANSP, Calendar, Event, vCalAddress, vDuration, vText

from events import validators

PRODUCT = "-//Webinar site//Webinars//EN"
REFRESH_EVERY = timedelta(hours=1)
# Long enough for every calendar that subscribes to see the withdrawal.
CANCELLED_KEPT = timedelta(days=30)

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


def publish(events: Iterable[PublishedEvent], *, name: str, organizer: Organizer) -> bytes:
    """The calendar with those events, UTF-8, CRLF, folded at 75 octets (RFC 5545 3.1)."""
    calendar = Calendar()
    calendar.version = "2.0"
    calendar.prodid = PRODUCT
    calendar.method = "PUBLISH"
    calendar.add("NAME", vText(validators.single_line(name)))
    calendar.add("X-WR-CALNAME", vText(validators.single_line(name)))
    # RFC 7986 5.7 wants the value's type said, which icalendar leaves out.
    refresh = vDuration(REFRESH_EVERY)
    refresh.params["VALUE"] = "DURATION"
    calendar.add("REFRESH-INTERVAL", refresh)
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH_EVERY))
    for event in events:
        calendar.add_component(_component(event, organizer))
    return calendar.to_ical()


def is_published(*, is_cancelled: bool, revised_at: datetime, now: datetime) -> bool:
    """Whether a session still belongs in a feed: cancelled ones stay for a while, so that calendars take them out."""
    return not is_cancelled or now < revised_at + CANCELLED_KEPT


def common_name(name: str) -> str:
    """A name as calendars show whose entry it is: without quotes and carets, never empty."""
    return validators.single_line(name.translate(_QUOTES)) or "-"


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
