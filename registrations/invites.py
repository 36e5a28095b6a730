"""The entry that a registration holds in its owner's calendar (RFC 5545, 5546, 6047).

Objects in, bytes out: nothing here writes or sends. UID, SEQUENCE and DTSTAMP are those stored on the registration, so
that a retry says exactly what the first try said. Times are UTC instants: they need no zone definition, which mail
clients read differently, and every calendar shows them in its owner's zone.
"""

import functools
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext, ngettext, override
from icalendar import CUTYPE, PARTSTAT, ROLE, STATUS, TRANSP, Alarm, Calendar, Event, vCalAddress, vText
from icalendar.parser import Contentline

from events import formats, timezones, validators
from events.ical import common_name
from events.links import absolute
from registrations import reply_addresses, tokens
from registrations.models import Probe, Registration

PRODID = "-//Webinar site//Invites//EN"
ALARM_BEFORE = timedelta(minutes=15)
PROBE_LASTS = timedelta(minutes=15)
# Lines without their ends: RFC 5545 3.1 has 75 octets in each, and a continued one begins with a space.
FOLDED_OCTETS = 74
# Drafts of some kilobytes each.
KEPT = 256
# Nobody can write it into a title, since nobody can guess it.
_JOIN_MARK = f"x{secrets.token_hex(8)}x"

# Without types of its own.
_CONTENT_LINE: Any = Contentline

Entry = Registration.Entry


def organizer_address(registration: Registration) -> str:
    """The bare address that owns the entry: From of every mail about it, for life, since calendars refuse another."""
    host = registration.session.webinar.host
    return registration.organizer or reply_addresses.personal(host.organizer_email, registration.reference)


def wanted_entry(registration: Registration) -> Registration.Entry:
    """What its owner's calendar should hold, as things stand: nothing certain before there is a place for good.

    Whoever waits, or is kept a place until they take or pay it, has a tentative entry where the host chose so. In a
    queue for any session there is no time yet that an entry could have.
    """
    if registration.is_confirmed:
        return Entry.CONFIRMED
    has_a_time = registration.has_place or not registration.any_session
    is_near = registration.is_waitlisted or registration.awaits == Registration.Awaits.PAYMENT
    may_come = is_near and has_a_time and registration.session.webinar.host.has_tentative_entries
    return Entry.TENTATIVE if may_come else Entry.NONE


def revise(registration: Registration, *, now: datetime) -> None:
    """Begin the next revision of the entry, on the object only: the caller saves it.

    The first is 0, each later one is higher by one (RFC 5546 2.1.4); DTSTAMP is in whole seconds and never goes back.
    What was once promised and is not wanted any more is withdrawn; where nothing was promised or is, nothing happens.
    """
    entry = wanted_entry(registration)
    stamp = timezones.whole_second(now)
    if registration.dtstamp is not None:
        registration.sequence += 1
        stamp = max(stamp, registration.dtstamp)
    elif entry == Entry.NONE:
        return
    registration.dtstamp = stamp
    registration.entry = entry or Entry.CANCELLED
    registration.organizer = organizer_address(registration)
    # What was answered was answered to the last one.
    registration.partstat, registration.frees_at = Registration.Partstat.NEEDS_ACTION, None
    registration.asked_sequence = registration.sequence


def revise_shown(registration: Registration, *, now: datetime) -> None:
    """`revise`, only where their calendar shows the entry or is to show it from now on."""
    if registration.has_entry or wanted_entry(registration) != Entry.NONE:
        revise(registration, now=now)


@dataclass(frozen=True)
class _Told:
    """What an entry says to all who come to one session, read times in one zone and understand one language."""

    status: STATUS
    starts_at: datetime
    ends_at: datetime
    title: str
    summary: str
    host_name: str
    language: str
    own_zone: str
    planned_zone: str
    home_zone: str
    join_lead_minutes: int
    page: str
    organizer: str


@dataclass(frozen=True)
class _Own:
    """What it says to one of them alone."""

    uid: str
    sequence: int
    stamp: datetime
    join_url: str


def request(registration: Registration) -> bytes:
    """METHOD:REQUEST: puts the entry into the calendar, or moves it to where the session is now.

    A place that is not certain yet is STATUS:TENTATIVE (RFC 5545 3.8.1.11).
    """
    is_tentative = registration.entry == Entry.TENTATIVE
    return _invitation("REQUEST", registration, STATUS.TENTATIVE if is_tentative else STATUS.CONFIRMED)


def cancel(registration: Registration) -> bytes:
    """METHOD:CANCEL: takes the entry out. It carries no alarm (RFC 5546 3.2.5)."""
    return _invitation("CANCEL", registration, STATUS.CANCELLED)


def download(registration: Registration) -> bytes:
    """METHOD:PUBLISH, for adding by hand: without an attendee, which RFC 5546 3.2.1 forbids there.

    It has the invite's UID, so that a calendar that holds both shows one entry.
    """
    return _calendar("PUBLISH", published_event(registration)).to_ical()


def probe(probe: Probe, *, title: str, description: str, name: str) -> bytes:
    """METHOD:REQUEST for an entry about nothing, in the shape of all others; `name` is the organizer's."""
    event = Event.new(
        uid=probe.uid,
        sequence=0,
        stamp=probe.dtstamp,
        start=probe.starts_at.astimezone(UTC),
        end=(probe.starts_at + PROBE_LASTS).astimezone(UTC),
        summary=validators.single_line(title),
        description=description,
        status=STATUS.CONFIRMED,
        transparency=TRANSP.TRANSPARENT,
        organizer=vCalAddress.new(probe.organizer, cn=common_name(name)),
    )
    event.attendees = [_asked(probe.message.to_email, "")]
    return _calendar("REQUEST", event).to_ical()


def published_event(registration: Registration) -> Event:
    """The entry as it is shown without inviting anybody: no attendee, and an alarm only while it stands."""
    if registration.is_cancelled or registration.session.is_cancelled or registration.entry == Entry.CANCELLED:
        return _event(*_told(registration, STATUS.CANCELLED))
    is_tentative = registration.entry == Entry.TENTATIVE
    event = _event(*_told(registration, STATUS.TENTATIVE if is_tentative else STATUS.CONFIRMED))
    event.add_component(_alarm(registration.own_language))
    return event


def _told(registration: Registration, status: STATUS) -> tuple[_Told, _Own]:
    session = registration.session
    webinar = session.webinar
    language = registration.own_language
    # Whoever asks for it, its words and the pages that it leads to are in its owner's language.
    with override(language):
        join_url, page = tokens.join_url(registration), absolute(webinar.get_absolute_url())
    told = _Told(
        status=status,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=webinar.title,
        summary=webinar.summary,
        host_name=webinar.host.name,
        language=language,
        own_zone=registration.own_time_zone,
        planned_zone=timezones.canonical_name(session.time_zone),
        home_zone=timezones.canonical_name(webinar.host.time_zone),
        join_lead_minutes=session.join_lead_minutes,
        page=page,
        organizer=organizer_address(registration),
    )
    return told, _Own(registration.uid, registration.sequence, registration.dtstamp or session.revised_at, join_url)


def _event(told: _Told, own: _Own) -> Event:
    with override(told.language):
        description = _description(told, own.join_url)
    # Without an end in microseconds: calendars count in whole seconds.
    return Event.new(
        uid=own.uid,
        sequence=own.sequence,
        stamp=own.stamp,
        start=told.starts_at.astimezone(UTC),
        end=told.ends_at.astimezone(UTC),
        summary=validators.single_line(told.title),
        description=description,
        location=own.join_url,
        url=told.page,
        status=told.status,
        transparency=TRANSP.OPAQUE,
        organizer=vCalAddress.new(told.organizer, cn=common_name(told.host_name)),
    )


def _description(told: _Told, join_url: str) -> str:
    """What the entry says: when it is, for its owner and where it was planned, and how to join."""
    language = told.language
    lines = [validators.plain_text(told.summary), ""]
    lines.append(
        gettext("Starts %(date)s, %(time)s.")
        % {
            "date": formats.long_date(told.starts_at, told.own_zone, language),
            "time": formats.place_time(told.starts_at, told.own_zone, language),
        }
    )
    if told.planned_zone != told.own_zone:
        lines.append(
            gettext("Planned for %(date)s, %(time)s.")
            % {
                "date": formats.long_date(told.starts_at, told.planned_zone, language),
                "time": formats.place_time(told.starts_at, told.planned_zone, language),
            }
        )
    if told.home_zone not in {told.own_zone, told.planned_zone}:
        lines.append(
            gettext("For the host: %(date)s, %(time)s.")
            % {
                "date": formats.long_date(told.starts_at, told.home_zone, language),
                "time": formats.place_time(told.starts_at, told.home_zone, language),
            }
        )
    lines += ["", gettext("Join: %(url)s") % {"url": join_url}]
    lines.append(
        ngettext(
            "The link is yours alone and opens %(count)d minute before the start.",
            "The link is yours alone and opens %(count)d minutes before the start.",
            told.join_lead_minutes,
        )
        % {"count": told.join_lead_minutes}
    )
    lines.append(gettext("Hosted by %(host)s") % {"host": validators.single_line(told.host_name)})
    return "\n".join(lines)


def _attendee(registration: Registration) -> vCalAddress:
    return _asked(registration.email, registration.name)


def _asked(email: str, name: str) -> vCalAddress:
    return vCalAddress.new(
        email,
        cn=common_name(name),
        cutype=CUTYPE.INDIVIDUAL,
        role=ROLE.REQ_PARTICIPANT,
        partstat=PARTSTAT.NEEDS_ACTION,
        rsvp=True,
    )


def _alarm(language: str) -> Alarm:
    minutes = ALARM_BEFORE // timedelta(minutes=1)
    with override(language):
        words = ngettext("Starts in %(count)d minute", "Starts in %(count)d minutes", minutes) % {"count": minutes}
    alarm = Alarm.new(description=words)
    alarm.add("action", "DISPLAY")
    alarm.TRIGGER = -ALARM_BEFORE
    return alarm


def _calendar(method: str, event: Event) -> Calendar:
    calendar = Calendar()
    calendar.version = "2.0"
    calendar.prodid = PRODID
    calendar.method = method
    calendar.add_component(event)
    return calendar


# ---------- invitations: one draft for many ----------


def _invitation(method: str, registration: Registration, status: STATUS) -> bytes:
    """The draft with this person's own lines in it: byte for byte what icalendar writes for them alone."""
    told, own = _told(registration, status)
    lines = {
        "UID": f"UID:{_escaped(own.uid)}",
        "SEQUENCE": f"SEQUENCE:{own.sequence}",
        "DTSTAMP": f"DTSTAMP:{own.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "LOCATION": f"LOCATION:{_escaped(own.join_url)}",
        "ATTENDEE": _attendee_line(registration),
    }
    join_url = _escaped(own.join_url)
    return b"".join(
        part if isinstance(part, bytes) else folded(lines.get(part) or part.replace(_JOIN_MARK, join_url))
        for part in _draft(method, told)
    )


@functools.lru_cache(maxsize=KEPT)
def _draft(method: str, told: _Told) -> tuple[bytes | str, ...]:
    """Lines that are the same for all, folded, with their ends; between them the names of those that are not.

    The description stands there whole, with a mark where the link is.
    """
    event = _event(told, _Own("", 0, told.starts_at, _JOIN_MARK))
    event.attendees = [vCalAddress("")]
    if method == "REQUEST":
        event.add_component(_alarm(told.language))
    own = {"UID", "SEQUENCE", "DTSTAMP", "LOCATION", "ATTENDEE"}
    parts: list[bytes | str] = []
    for line in _calendar(method, event).content_lines():
        name = line.partition(":")[0].partition(";")[0]
        if line and (name in own or _JOIN_MARK in line):
            parts.append(name if name in own else str(line))
        elif line:
            parts.append(folded(line))
    return tuple(parts)


def folded(line: str) -> bytes:
    """A content line as it stands in a file, with its end (RFC 5545 3.1). As icalendar does it, not within escapes."""
    if not line.isascii():
        return bytes(_CONTENT_LINE(line).to_ical()) + b"\r\n"
    pieces = []
    begin = 0
    while len(line) - begin > FOLDED_OCTETS:
        end = begin + FOLDED_OCTETS
        if line[end - 1] in "\\^":
            end -= 1
        pieces.append(line[begin:end])
        begin = end
    pieces.append(line[begin:])
    return "\r\n ".join(pieces).encode("ascii") + b"\r\n"


def _attendee_line(registration: Registration) -> str:
    attendee = _attendee(registration)
    return str(_CONTENT_LINE.from_parts("ATTENDEE", attendee.params, attendee))


def _escaped(text: str) -> str:
    """RFC 5545 3.3.11"""
    return vText(text).to_ical().decode()
