"""Planning, moving and cancelling sessions: whatever changes a calendar goes through here, and says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db import transaction

from events.models import Session, User, Webinar
from events.signals import places_added, session_cancelled, session_rescheduled

# What a calendar entry shows of a session; whoever holds a place is told when one of them changes.
SHOWN_FIELDS = ("starts_at", "ends_at", "time_zone", "join_url", "label")


@dataclass(frozen=True)
class PlannedTime:
    """When a session was, before it moved: the instant and the length, and the zone it was planned in."""

    starts_at: datetime
    duration: timedelta
    time_zone: str

    @classmethod
    def of(cls, session: Session) -> Self:
        return cls(session.starts_at, session.duration, session.time_zone)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self | None:
        """What `as_payload` wrote, or None where nothing is."""
        if "previous_starts_at" not in payload:
            return None
        return cls(
            datetime.fromisoformat(payload["previous_starts_at"]),
            timedelta(minutes=payload["previous_duration_minutes"]),
            payload["previous_time_zone"],
        )

    def as_payload(self) -> dict[str, Any]:
        """As JSON that a message carries, to say "was" and "is now"."""
        return {
            "previous_starts_at": self.starts_at.isoformat(),
            "previous_duration_minutes": int(self.duration.total_seconds() // 60),
            "previous_time_zone": self.time_zone,
        }


def save_session(session: Session, *, by: User | None, now: datetime) -> Session:
    """Plan a new session, or store a changed one and tell everybody whose calendar shows it.

    Raises ValidationError for a time that does not exist or comes twice, and for a capacity below the places taken.
    Saving without a change tells nobody, and neither does correcting a session that is over.
    """
    session.full_clean(exclude=["webinar"])
    with transaction.atomic():
        stored = Session.objects.select_for_update().filter(pk=session.pk).first()
        if stored is None:
            session.revised_at = _whole_second(now)
            session.save()
            return session
        # Places and state belong to the acts, not to whoever held this copy of the row.
        session.places_taken, session.state = stored.places_taken, stored.state
        session.full_clean(exclude=["webinar"])
        is_shown_differently = any(getattr(stored, field) != getattr(session, field) for field in SHOWN_FIELDS)
        if is_shown_differently:
            session.sequence, session.revised_at = stored.sequence + 1, _whole_second(now)
        session.save()
        is_past = stored.has_ended(now) and session.has_ended(now)
        if is_shown_differently and not session.is_cancelled and not is_past:
            previous = PlannedTime.of(stored)
            session_rescheduled.send(Session, session=session, previous=previous, now=now, by=by)
        if _has_more_places(stored, session):
            places_added.send(Session, session=session, now=now)
    return session


def cancel_session(session: Session, *, by: User | None, now: datetime) -> Session:
    """Call a session off and withdraw it from every calendar. Safe to run twice: the second time does nothing."""
    with transaction.atomic():
        stored = Session.objects.select_for_update().get(pk=session.pk)
        if stored.is_cancelled:
            return stored
        stored.state = Session.State.CANCELLED
        stored.sequence += 1
        stored.revised_at = _whole_second(now)
        stored.save(update_fields=["state", "sequence", "revised_at"])
        session_cancelled.send(Session, session=stored, now=now, by=by)
    return stored


def cancel_webinar(webinar: Webinar, *, by: User | None, now: datetime) -> Webinar:
    """Call a webinar off with every session that has not ended. Safe to run twice."""
    with transaction.atomic():
        for session in webinar.sessions.scheduled().upcoming(now):
            cancel_session(session, by=by, now=now)
        webinar.status = Webinar.Status.CANCELLED
        webinar.save(update_fields=["status", "updated_at"])
    return webinar


def _has_more_places(before: Session, after: Session) -> bool:
    if before.capacity is None:
        return False
    return after.capacity is None or after.capacity > before.capacity


def _whole_second(now: datetime) -> datetime:
    """Calendars count in seconds (RFC 5545 3.3.5)."""
    return now.astimezone(UTC).replace(microsecond=0)
