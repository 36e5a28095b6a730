"""Planning, moving and cancelling sessions: whatever changes a calendar goes through here, and says so."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from events import freshness, timezones
from events.models import Session, User, Webinar
from events.models.sessions import TIME_FIELDS
from events.querysets import SessionQuerySet
from events.signals import places_added, session_cancelled, session_rescheduled

# What a calendar entry shows of a session; whoever holds a place is told when one of them changes. The joining address
# is not among them: the entry has its owner's own link, which leads to wherever the session is.
SHOWN_FIELDS = ("starts_at", "ends_at", "time_zone")

CHANGED_MEANWHILE = _(
    "Somebody else has changed this session since you opened it. Look at it again before you change it."
)


@dataclass(frozen=True)
class PlannedTime:
    """When a session was, before it moved: the instant and the length, and the zone it was planned in.

    `utc_offset` is how far that zone was from UTC by the rules of the day it was planned, which may hold no more; None
    where a message does not say.
    """

    starts_at: datetime
    duration: timedelta
    time_zone: str
    utc_offset: timedelta | None = None

    @classmethod
    def of(cls, session: Session) -> Self:
        on_the_clock = datetime.combine(session.local_date, session.local_time, tzinfo=UTC)
        return cls(session.starts_at, session.duration, session.time_zone, on_the_clock - session.starts_at)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self | None:
        """What `as_payload` wrote, or None where nothing is."""
        if "previous_starts_at" not in payload:
            return None
        return cls(
            datetime.fromisoformat(payload["previous_starts_at"]),
            timedelta(minutes=payload["previous_duration_minutes"]),
            payload["previous_time_zone"],
            timedelta(minutes=payload["previous_utc_offset_minutes"])
            if "previous_utc_offset_minutes" in payload
            else None,
        )

    @property
    def local_start(self) -> datetime | None:
        """The wall clock that people were told, without a zone; None where a message does not say."""
        return None if self.utc_offset is None else (self.starts_at + self.utc_offset).replace(tzinfo=None)

    @property
    def is_of_other_rules(self) -> bool:
        """Whether it was planned by rules of its zone that are not today's."""
        if self.utc_offset is None:
            return False
        if not timezones.is_known(self.time_zone):
            return True
        return self.utc_offset != timezones.utc_offset(self.starts_at, self.time_zone)

    def as_payload(self) -> dict[str, Any]:
        """As JSON that a message carries, to say "was" and "is now"."""
        offset = {} if self.utc_offset is None else {"previous_utc_offset_minutes": _minutes(self.utc_offset)}
        return {
            "previous_starts_at": self.starts_at.isoformat(),
            "previous_duration_minutes": _minutes(self.duration),
            "previous_time_zone": self.time_zone,
            **offset,
        }


def save_session(session: Session, *, by: User | None, now: datetime) -> Session:
    """Plan a new session, or store a changed one and tell everybody whose calendar shows it.

    Raises ValidationError for a time that does not exist or comes twice, for one in the past when people have places,
    for a capacity below the places taken, and for a copy of the row that somebody else has moved or cancelled since
    (its `sequence` tells): an old form must not undo that. Saving without a change tells nobody, and neither does
    correcting a session that is over.
    """
    session.full_clean(exclude=["webinar"])
    with transaction.atomic():
        freshness.throw_away()
        stored = _locked_sessions().filter(pk=session.pk).first()
        if stored is None:
            session.revised_at = timezones.whole_second(now)
            session.save()
            # Whoever waits for any session of the webinar waits for this one too.
            places_added.send(Session, session=session, now=now)
            return session
        if session.sequence != stored.sequence:
            raise ValidationError(CHANGED_MEANWHILE, code="stale")
        # Places and state belong to the acts, not to whoever held this copy of the row.
        session.places_taken, session.state = stored.places_taken, stored.state
        session.full_clean(exclude=["webinar"])
        refuse_past(session, stored=stored, now=now)
        if all(getattr(stored, field) == getattr(session, field) for field in SHOWN_FIELDS):
            session.save()
        else:
            _save_revised(session, previous=PlannedTime.of(stored), by=by, now=now)
        # Places that came free while it was over were of no use to those who waited; they are now.
        takes_place_again = stored.has_ended(now) and not session.has_ended(now)
        if takes_place_again or _has_more_places(stored, session):
            places_added.send(Session, session=session, now=now)
    return session


def refuse_past(session: Session, *, stored: Session, now: datetime) -> None:
    """Raise ValidationError when a coming session in which people have places is moved to where it would be over.

    That is a slip of the keyboard: nobody would be told, and their calendars would keep the old time.
    """
    if stored.places_taken and session.has_ended(now) and not stored.has_ended(now):
        raise ValidationError({"local_date": _("This is in the past. To call the session off, cancel it.")})


def announce_new_title(webinar: Webinar, *, before: str, by: User | None, now: datetime) -> int:
    """Tell everybody whose calendar shows the webinar's title that it changed. Returns how many sessions are coming.

    `before` is what it was called until then. To be called once after a changed title was stored, with whatever else
    changed, so that one mail tells of both.
    """
    with transaction.atomic():
        freshness.throw_away()
        coming = list(_locked_sessions().filter(webinar=webinar, ends_at__gt=now, state=Session.State.SCHEDULED))
        for session in coming:
            _save_revised(session, previous=PlannedTime.of(session), previous_title=before, by=by, now=now)
    return len(coming)


def cancel_session(session: Session, *, by: User | None, now: datetime) -> Session:
    """Call a session off and withdraw it from every calendar. Safe to run twice: the second time does nothing."""
    with transaction.atomic():
        freshness.throw_away()
        # With all others of its webinar: whoever waits for any of them is told only when none is left.
        stored = next(each for each in _locked_sessions().filter(webinar=session.webinar_id) if each.pk == session.pk)
        if stored.is_cancelled:
            return stored
        stored.state = Session.State.CANCELLED
        stored.sequence += 1
        stored.revised_at = timezones.whole_second(now)
        stored.save(update_fields=["state", "sequence", "revised_at"])
        session_cancelled.send(Session, session=stored, now=now, by=by)
    return stored


def cancel_webinar(webinar: Webinar, *, by: User | None, now: datetime) -> Webinar:
    """Call a webinar off with every session that has not ended. Safe to run twice."""
    with transaction.atomic():
        freshness.throw_away()
        for session in list(_locked_sessions().filter(webinar=webinar)):
            if not session.has_ended(now):
                cancel_session(session, by=by, now=now)
        webinar.status = Webinar.Status.CANCELLED
        webinar.save(update_fields=["status", "updated_at"])
    return webinar


def follow_zone_rules(session: Session, *, now: datetime) -> Session | None:
    """Bring a coming session in line with today's rules of its zone. Returns it, None where nothing was to do.

    Anchored to the wall clock it moves, as when an organizer moves it. Anchored to the instant it stays in every
    calendar and gets the new wall clock of its zone; nobody is told. Leaves alone what has begun or is called off.
    Raises ValidationError where a person has to decide (`Session.follow_rules`). Safe to run twice, and by two at once.
    """
    with transaction.atomic():
        freshness.throw_away()
        stored = _locked_sessions().filter(pk=session.pk).first()
        if stored is None or stored.is_called_off or stored.starts_at <= now:
            return None
        before = copy(stored)
        stored.follow_rules(now=now)
        changed = {field for field in ("starts_at", *TIME_FIELDS) if getattr(before, field) != getattr(stored, field)}
        if "starts_at" in changed:
            _save_revised(stored, previous=PlannedTime.of(before), by=None, now=now)
        elif changed == {"occurrence"}:
            stored.save(update_fields=["occurrence"])
        elif changed:
            # The page of an organizer that shows the old wall clock is out of date: it must not bring it back.
            stored.sequence += 1
            stored.revised_at = timezones.whole_second(now)
            stored.save(update_fields=[*changed, "sequence", "revised_at"])
    return stored if changed else None


def _locked_sessions() -> SessionQuerySet:
    """Sessions to be locked, lowest id first: the one order in which everybody locks them (see `signup`)."""
    return Session.objects.select_for_update(of=("self",), no_key=True).select_related("webinar").order_by("pk")


def _save_revised(
    session: Session, *, previous: PlannedTime, previous_title: str = "", by: User | None, now: datetime
) -> None:
    """Store a session that calendars must show differently, and say so unless nobody needs to know any more."""
    if session.starts_at != previous.starts_at and session.webinar.status != Webinar.Status.DRAFT:
        # By other rules of its zone the earlier instant would be shown as a time that nobody was told.
        session.previous_starts_at = None if previous.is_of_other_rules else previous.starts_at
    was_over = previous.starts_at + previous.duration <= now
    session.sequence += 1
    session.revised_at = timezones.whole_second(now)
    session.save()
    if not session.is_cancelled and not (was_over and session.has_ended(now)):
        session_rescheduled.send(
            Session, session=session, previous=previous, previous_title=previous_title, now=now, by=by
        )


def _has_more_places(before: Session, after: Session) -> bool:
    if before.capacity is None:
        return False
    return after.capacity is None or after.capacity > before.capacity


def _minutes(duration: timedelta) -> int:
    return duration // timedelta(minutes=1)
