"""Calendars that anybody may read: METHOD:PUBLISH (RFC 5546 3.2.1), for downloads and subscriptions.

Pure: objects in, bytes out. The invites that people hold are made elsewhere (`registrations.invites`) and have uids of
their own. Nothing personal and no joining address goes in here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import STATUS, TRANSP, Calendar, Event, vCalAddress, vDuration, vText

PRODUCT = "-//Webinar site//Webinars//EN"
REFRESH_EVERY = timedelta(hours=1)
# Long enough for every calendar that subscribes to see the withdrawal.
CANCELLED_KEPT = timedelta(days=30)

# RFC 5545 3.1 forbids them; icalendar lets them through.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# RFC 6868 writes quotes with carets, which mail programs show as they are.
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
    calendar.add("NAME", vText(clean(name)))
    calendar.add("X-WR-CALNAME", vText(clean(name)))
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


def clean(text: str) -> str:
    """The text without the control characters that a calendar must not carry."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _component(event: PublishedEvent, organizer: Organizer) -> Event:
    return Event.new(
        uid=event.uid,
        sequence=event.sequence,
        stamp=event.dtstamp.astimezone(UTC),
        start=event.starts_at.astimezone(UTC),
        end=event.ends_at.astimezone(UTC),
        last_modified=event.dtstamp.astimezone(UTC),
        summary=clean(event.summary),
        description=clean(event.description),
        location=clean(event.location),
        url=clean(event.url),
        status=STATUS.CANCELLED if event.is_cancelled else STATUS.CONFIRMED,
        transparency=TRANSP.TRANSPARENT if event.is_cancelled else TRANSP.OPAQUE,
        organizer=vCalAddress.new(organizer.email, cn=clean(organizer.name).translate(_QUOTES)),
    )
