"""Telling many registrants at once, inside the transaction of what they are told of."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When

from events.models import Session
from events.scheduling import PlannedTime
from registrations import outbox
from registrations.models import Message, Registration
from registrations.querysets import RegistrationQuerySet

CHUNK = 500


def tell_rescheduled(session: Session, *, previous: PlannedTime, now: datetime) -> int:
    """Owe everybody with a place or waiting for one the session's new time. Returns how many."""
    return _tell(session, Message.Kind.RESCHEDULED, now=now, payload=previous.as_payload())


def tell_session_cancelled(session: Session, *, now: datetime) -> int:
    """Owe everybody with a place or waiting for one that it will not take place. Returns how many."""
    return _tell(session, Message.Kind.SESSION_CANCELLED, now=now, payload={})


def audience(session: Session) -> RegistrationQuerySet:
    """Who hears of a change of the session: those with a place, those who may get one, and those who wait."""
    return Registration.objects.filter(session=session).active().order_by("pk")


def _tell(session: Session, kind: Message.Kind, *, now: datetime, payload: dict[str, Any]) -> int:
    _revise_entries(session, now=now)
    told = 0
    for people in _chunks(audience(session).select_related("session__webinar__host")):
        outbox.enqueue_all(people, kind, now=now, payload=payload)
        told += len(people)
    if told:
        outbox.nudge_sweep()
    return told


def _revise_entries(session: Session, *, now: datetime) -> None:
    """`invites.revise` for everybody with a place, in one statement: SEQUENCE up by one, DTSTAMP not back."""
    stamp = now.astimezone(UTC).replace(microsecond=0)
    audience(session).confirmed().order_by().update(
        sequence=F("sequence") + 1,
        dtstamp=Case(When(Q(dtstamp__gt=stamp), then=F("dtstamp")), default=Value(stamp)),
    )


def _chunks(people: QuerySet[Registration]) -> Iterator[list[Registration]]:
    chunk: list[Registration] = []
    for person in people.iterator(chunk_size=CHUNK):
        chunk.append(person)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
