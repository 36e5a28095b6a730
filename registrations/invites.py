"""The entry that a registration holds in its owner's calendar (RFC 5545, 5546, 6047).

Objects in, bytes out: nothing here writes or sends. UID, SEQUENCE and DTSTAMP are those stored on the registration, so
that a retry says exactly what the first try said. Times are UTC instants: they need no zone definition, which mail
clients read differently, and every calendar shows them in its owner's zone.
"""

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext, ngettext, override
from icalendar import CUTYPE, PARTSTAT, ROLE, STATUS, TRANSP, Alarm, Calendar, Event, vCalAddress

from events import formats, timezones, validators
from events.ical import common_name
from events.links import absolute
from registrations import reply_addresses, tokens
from registrations.models import Probe, Registration

PRODID = "-//Webinar site//Invites//EN"
ALARM_BEFORE = timedelta(minutes=15)
PROBE_LASTS = timedelta(minutes=15)

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


def request(registration: Registration) -> bytes:
    """METHOD:REQUEST: puts the entry into the calendar, or moves it to where the session is now.

    A place that is not certain yet is STATUS:TENTATIVE (RFC 5545 3.8.1.11).
    """
    is_tentative = registration.entry == Entry.TENTATIVE
    event = _event(registration, STATUS.TENTATIVE if is_tentative else STATUS.CONFIRMED)
    event.attendees = [_attendee(registration)]
    event.add_component(_alarm(registration))
    return _calendar("REQUEST", event)


def cancel(registration: Registration) -> bytes:
    """METHOD:CANCEL: takes the entry out. It carries no alarm (RFC 5546 3.2.5)."""
    event = _event(registration, STATUS.CANCELLED)
    event.attendees = [_attendee(registration)]
    return _calendar("CANCEL", event)


def download(registration: Registration) -> bytes:
    """METHOD:PUBLISH, for adding by hand: without an attendee, which RFC 5546 3.2.1 forbids there.

    It has the invite's UID, so that a calendar that holds both shows one entry.
    """
    return _calendar("PUBLISH", published_event(registration))


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
    return _calendar("REQUEST", event)


def published_event(registration: Registration) -> Event:
    """The entry as it is shown without inviting anybody: no attendee, and an alarm only while it stands."""
    if registration.is_cancelled or registration.session.is_cancelled or registration.entry == Entry.CANCELLED:
        return _event(registration, STATUS.CANCELLED)
    is_tentative = registration.entry == Entry.TENTATIVE
    event = _event(registration, STATUS.TENTATIVE if is_tentative else STATUS.CONFIRMED)
    event.add_component(_alarm(registration))
    return event


def _event(registration: Registration, status: STATUS) -> Event:
    session = registration.session
    webinar = session.webinar
    # Whoever asks for it, its words and the pages that it leads to are in its owner's language.
    with override(registration.own_language):
        description = _description(registration)
        location, page = tokens.join_url(registration), absolute(webinar.get_absolute_url())
    # Without an end in microseconds: calendars count in whole seconds.
    return Event.new(
        uid=registration.uid,
        sequence=registration.sequence,
        stamp=registration.dtstamp or session.revised_at,
        start=session.starts_at.astimezone(UTC),
        end=session.ends_at.astimezone(UTC),
        summary=validators.single_line(webinar.title),
        description=description,
        location=location,
        url=page,
        status=status,
        transparency=TRANSP.OPAQUE,
        organizer=vCalAddress.new(organizer_address(registration), cn=common_name(webinar.host.name)),
    )


def _description(registration: Registration) -> str:
    """What the entry says: when it is, for its owner and where it was planned, and how to join."""
    session = registration.session
    webinar = session.webinar
    own_zone, planned_zone = registration.own_time_zone, timezones.canonical_name(session.time_zone)
    home_zone = timezones.canonical_name(webinar.host.time_zone)
    language = registration.own_language
    lines = [validators.plain_text(webinar.summary), ""]
    lines.append(
        gettext("Starts %(date)s, %(time)s.")
        % {
            "date": formats.long_date(session.starts_at, own_zone, language),
            "time": formats.place_time(session.starts_at, own_zone, language),
        }
    )
    if planned_zone != own_zone:
        lines.append(
            gettext("Planned for %(date)s, %(time)s.")
            % {
                "date": formats.long_date(session.starts_at, planned_zone, language),
                "time": formats.place_time(session.starts_at, planned_zone, language),
            }
        )
    if home_zone not in {own_zone, planned_zone}:
        lines.append(
            gettext("For the host: %(date)s, %(time)s.")
            % {
                "date": formats.long_date(session.starts_at, home_zone, language),
                "time": formats.place_time(session.starts_at, home_zone, language),
            }
        )
    lines += ["", gettext("Join: %(url)s") % {"url": tokens.join_url(registration)}]
    lines.append(
        ngettext(
            "The link is yours alone and opens %(count)d minute before the start.",
            "The link is yours alone and opens %(count)d minutes before the start.",
            session.join_lead_minutes,
        )
        % {"count": session.join_lead_minutes}
    )
    lines.append(gettext("Hosted by %(host)s") % {"host": validators.single_line(webinar.host.name)})
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


def _alarm(registration: Registration) -> Alarm:
    minutes = ALARM_BEFORE // timedelta(minutes=1)
    with override(registration.own_language):
        words = ngettext("Starts in %(count)d minute", "Starts in %(count)d minutes", minutes) % {"count": minutes}
    alarm = Alarm.new(description=words)
    alarm.add("action", "DISPLAY")
    alarm.TRIGGER = -ALARM_BEFORE
    return alarm


def _calendar(method: str, event: Event) -> bytes:
    calendar = Calendar()
    calendar.version = "2.0"
    calendar.prodid = PRODID
    calendar.method = method
    calendar.add_component(event)
    return calendar.to_ical()
