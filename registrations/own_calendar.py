"""Somebody's own registrations as a calendar to subscribe to, at an address that nobody can guess.

Whoever has the address reads the calendar: programs that ask for it have no way to sign in. So its owner can have it
made anew, which ends the old one at once, or taken away (docs/decisions/0020).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q
from icalendar import STATUS, TRANSP, Event

from events import freshness, ical
from events.email_addresses import address_key, folds
from events.models import User
from events.querysets import IN_CALENDARS_FOR
from registrations import invites, tokens
from registrations.models import CalendarFeed, Registration, new_reference

# Raise it whenever the same registrations are written in another way, or those who follow go on being told that
# nothing has changed.
FORMAT = 1


def make(user: User, *, now: datetime) -> CalendarFeed:
    """Give somebody's calendar an address. One that it has already stays."""
    feed, _is_new = CalendarFeed.objects.get_or_create(user=user, defaults={"created_at": now})
    return feed


def make_anew(user: User, *, now: datetime) -> CalendarFeed:
    """Give it another address. Nobody reads it at the old one from then on."""
    anew = {"reference": new_reference(), "created_at": now}
    feed, _is_new = CalendarFeed.objects.update_or_create(user=user, defaults=anew)
    return feed


def take_away(user: User) -> None:
    """Let nobody read it at any address. May run twice."""
    CalendarFeed.objects.filter(user=user).delete()


def addresses_behind(token: str) -> list[str]:
    """The proved addresses of whoever made the address with that token: their registrations are in the calendar.

    One statement, and none for what we never made. Raises BadTokenError, also where its owner may not sign in any more.
    """
    whose = CalendarFeed.objects.filter(reference=tokens.calendar_reference(token), user__is_active=True)
    rows = list(whose.values_list("user__emailaddress__email", "user__emailaddress__verified"))
    if not rows:
        raise tokens.BadTokenError
    return [email for email, is_proved in rows if is_proved and not folds(email)]


def entries(addresses: Iterable[str], *, now: datetime) -> list[Registration]:
    """What the calendar of these proved addresses shows, in one statement, the earliest first.

    Places that are certain, and those that are not where its owner was promised such an entry: to come and of the last
    30 days, and for 30 days those that were withdrawn. Nothing of what nobody proved or was erased.
    """
    since = now - IN_CALENDARS_FOR
    stands = Q(status=Registration.Status.CONFIRMED) | Q(entry=Registration.Entry.TENTATIVE)
    is_near = Q(session__state="scheduled", session__ends_at__gt=since)
    was_withdrawn = Q(entry=Registration.Entry.CANCELLED, dtstamp__gt=since)
    theirs = Registration.objects.filter(
        (stands & is_near) | was_withdrawn,
        email_key__in={address_key(email) for email in addresses},
        erased_at__isnull=True,
    ).exclude(awaits=Registration.Awaits.PROOF)
    return list(theirs.select_related("session__webinar__host").order_by("session__starts_at", "pk"))


def etag(mine: Sequence[Registration], *, name: str) -> str:
    """A mark for the calendar with these entries: another one whenever anything that it shows is another."""
    return freshness.etag_of(FORMAT, ical.FORMAT, name, [_shown(own) for own in mine])


def written(mine: Iterable[Registration], *, name: str) -> bytes:
    """METHOD:PUBLISH: the entries with the UID, SEQUENCE and DTSTAMP of the invites, each in its owner's words.

    It does not say where it comes from (RFC 7986 5.8): whoever is handed the file would be handed the address.
    """
    calendar = ical.new_calendar(invites.PRODID)
    ical.follow(calendar, name=name)
    for own in mine:
        calendar.add_component(_event(own))
    return calendar.to_ical()


def _event(own: Registration) -> Event:
    event = invites.published_event(own)
    event.LAST_MODIFIED = event.DTSTAMP
    if event.status == STATUS.CANCELLED:
        event.transparency = TRANSP.TRANSPARENT
    return event


def _shown(own: Registration) -> tuple[object, ...]:
    """All that `invites.published_event` reads of a registration."""
    session, webinar = own.session, own.session.webinar
    return (
        *(own.uid, own.sequence, own.dtstamp, own.entry, own.status, own.own_language, own.own_time_zone),
        *(session.starts_at, session.ends_at, session.time_zone, session.state, session.revised_at),
        *(webinar.title, webinar.summary, webinar.slug, webinar.host.name, webinar.host.time_zone),
        invites.organizer_address(own),
        # With the site's address in it, and a signature that another key makes another.
        tokens.join_url(own),
    )
