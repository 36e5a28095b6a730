"""What a calendar writes back about an entry (RFC 5546 3.2, RFC 6047): from a mail to the few values that count.

Only the lines of one VEVENT that are needed reach the parser of calendars. The others may define time zones, which it
would keep for as long as the process runs, or rules that take long to work out.
"""

import codecs
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from icalendar import Calendar, Event
from icalendar.parser import Contentlines

from registrations.inbound.reading import IgnoredError, Mail, is_address
from registrations.models import Registration

logger = logging.getLogger(__name__)

MAX_CALENDAR_BYTES = 200_000
MAX_SEQUENCE = 2**31 - 1
# By Python's names. All of them begin with ASCII, which is all that is compared; in others a letter could hide another.
_CHARSETS = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
# Apple's calendar attaches its answer under the second.
_CALENDAR_TYPES = ("text/calendar", "application/ics")
_LINE = re.compile(r"([A-Za-z-]+)[;:]")
_OF_CALENDAR = {"METHOD"}
_OF_EVENT = {"UID", "SEQUENCE", "DTSTAMP", "ATTENDEE"}

Partstat = Registration.Partstat


class Method(StrEnum):
    """What somebody who was invited may ask of whoever invited them."""

    REPLY = "REPLY"
    COUNTER = "COUNTER"
    REFRESH = "REFRESH"


@dataclass(frozen=True)
class Reply:
    """What a calendar said: of which entry and revision, for whom, and when it said so (in UTC).

    `partstat` is None where it answers neither yes, perhaps nor no.
    """

    method: Method
    uid: str
    sequence: int
    dtstamp: datetime
    attendees: tuple[str, ...]
    partstat: Registration.Partstat | None


def read(mail: Mail) -> Reply:
    """What the mail's calendar part says. Raises IgnoredError where there is none that answers an invite."""
    part = _calendar_part(mail)
    calendar = _parsed(_text(part))
    event = _only_event(calendar)
    method = _method(calendar, part)
    attendees = _as_list(event.get("ATTENDEE"))
    if method == Method.REPLY and len(attendees) != 1:
        raise IgnoredError("it does not answer for one person alone")
    return Reply(
        method=method,
        uid=_uid(event),
        sequence=_sequence(event),
        dtstamp=_dtstamp(event),
        attendees=tuple(_address(attendee) for attendee in attendees),
        # Whoever proposes another time may accept or decline this one with it.
        partstat=_partstat(attendees[0]) if method != Method.REFRESH and len(attendees) == 1 else None,
    )


def _calendar_part(mail: Mail) -> Message:
    parts = list(mail.parts())
    for wanted in _CALENDAR_TYPES:
        for part in parts:
            if part.get_content_type() == wanted and not part.is_multipart():
                return part
    raise IgnoredError("it has no calendar part")


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise IgnoredError("its calendar part cannot be read")
    if len(content) > MAX_CALENDAR_BYTES:
        raise IgnoredError("its calendar part is too large")
    text = content.decode(_charset(part), errors="replace").removeprefix("\ufeff")
    # UTF-16 that does not say so, for one.
    if "\0" in text:
        raise IgnoredError("its calendar part is no text")
    return text


def _charset(part: Message) -> str:
    named = part.get_content_charset("utf-8")
    try:
        name = codecs.lookup(named).name
    except (LookupError, ValueError):
        name = ""
    if name not in _CHARSETS:
        raise IgnoredError("its calendar part is in a character set that no answer is in")
    return name


def _parsed(text: str) -> Calendar:
    try:
        # As bytes: text without a line break is taken for the name of a file, which would be read.
        calendar = Calendar.from_ical("\r\n".join(_needed_lines(text)).encode())
    except ValueError:
        raise IgnoredError("its calendar part is no calendar") from None
    if not isinstance(calendar, Calendar):
        raise IgnoredError("its calendar part is no calendar")
    return calendar


def _needed_lines(text: str) -> list[str]:
    """Unfolded, those of the calendar and its events that are read here; nothing of what stands inside an event."""
    needed, inside = [], []
    for line in Contentlines.from_ical(text):  # type: ignore[no-untyped-call] # the library's own is without
        match = _LINE.match(line)
        name = match[1].upper() if match else ""
        if name == "BEGIN":
            inside.append(line[6:].strip().upper())
        if (inside == ["VCALENDAR"] and name in _OF_CALENDAR | {"BEGIN", "END"}) or (
            inside == ["VCALENDAR", "VEVENT"] and name in _OF_EVENT | {"BEGIN", "END"}
        ):
            needed.append(str(line))
        if name == "END" and (not inside or inside.pop() != line[4:].strip().upper()):
            raise IgnoredError("its calendar part is no calendar")
    return needed


def _only_event(calendar: Calendar) -> Event:
    if len(calendar.events) != 1:
        raise IgnoredError("it is not about one entry")
    event: Event = calendar.events[0]
    if event.errors:
        raise IgnoredError("its entry cannot be read")
    return event


def _method(calendar: Calendar, part: Message) -> Method:
    named = str(calendar.get("METHOD", "")).strip().upper()
    parameter = str(part.get_param("method") or "").strip().upper()
    if parameter and parameter != named:
        logger.info("A calendar part says one method outside and another inside. The one inside counts.")
    if named not in Method.__members__:
        raise IgnoredError("it does not answer an invite")
    return Method[named]


def _uid(event: Event) -> str:
    uid = event.get("UID")
    if not isinstance(uid, str) or not uid.isascii():
        raise IgnoredError("it names no entry of ours")
    return str(uid)


def _sequence(event: Event) -> int:
    """The revision that it answers; 0 where it is left out, as RFC 5546 3.2.3 lets it be."""
    value = event.get("SEQUENCE", 0)
    if not isinstance(value, int) or not 0 <= value <= MAX_SEQUENCE:
        raise IgnoredError("it answers no revision")
    return int(value)


def _dtstamp(event: Event) -> datetime:
    value = getattr(event.get("DTSTAMP"), "dt", None)
    if not isinstance(value, datetime):
        raise IgnoredError("it does not say when it was written")
    try:
        # It is always in UTC (RFC 5545 3.8.7.2), also where the Z was forgotten.
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        raise IgnoredError("it does not say when it was written") from None


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _address(attendee: Any) -> str:
    text = str(attendee).strip()
    address = unquote(text[len("mailto:") :]).strip() if text[: len("mailto:")].lower() == "mailto:" else text
    return address if is_address(address) else ""


def _partstat(attendee: Any) -> Registration.Partstat | None:
    if "DELEGATED-TO" in attendee.params:
        raise IgnoredError("it passes the place on to somebody else, which places cannot be")
    named = str(attendee.params.get("PARTSTAT", "")).strip().upper()
    return {
        "ACCEPTED": Partstat.ACCEPTED,
        "TENTATIVE": Partstat.TENTATIVE,
        "DECLINED": Partstat.DECLINED,
    }.get(named)
