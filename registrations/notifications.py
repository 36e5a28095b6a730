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
_SHOWN = (Registration.Entry.TENTATIVE, Registration.Entry.CONFIRMED)


def tell_rescheduled(session: Session, *, previous: PlannedTime, now: datetime) -> int:
    """Owe everybody with a place or waiting for one the session's new time. Returns how many."""
    payload = previous.as_payload()
    _revise_entries(session, now=now)
    return _tell(audience(session), session, Message.Kind.RESCHEDULED, now=now, payload=payload)


def tell_session_cancelled(session: Session, *, now: datetime) -> int:
    """Owe everybody with a place or waiting for one that it will not take place. Returns how many.

    Also those who would have come to any session, where it is still theirs: then none is left to wait for.
    """
    _revise_entries(session, now=now, entry=Registration.Entry.CANCELLED)
    return _tell(_everybody(session), session, Message.Kind.SESSION_CANCELLED, now=now, payload={})


def audience(*sessions: Session) -> RegistrationQuerySet:
    """Who hears of a change of these sessions: those with a place, those who may get one, and those who wait for it.

    Nothing is sent to an address that nobody proved, nor to whoever was erased; and it is no news for those who wait
    for whichever session has a place first.
    """
    return _everybody(*sessions).exclude(any_session=True, has_place=False)


def _everybody(*sessions: Session) -> RegistrationQuerySet:
    told = Registration.objects.filter(session__in=sessions, erased_at__isnull=True).active()
    return told.exclude(awaits=Registration.Awaits.PROOF).order_by("pk")


def _tell(
    people: RegistrationQuerySet, session: Session, kind: Message.Kind, *, now: datetime, payload: dict[str, Any]
) -> int:
    told = 0
    for chunk in _chunks(people.select_related("session__webinar__host")):
        outbox.enqueue_all(chunk, kind, now=now, payload=payload)
        told += len(chunk)
    if told:
        outbox.nudge_sweep()
    return told


def _revise_entries(session: Session, *, now: datetime, **fields: Any) -> None:
    """`invites.revise` for everybody whose calendar shows it, in one statement: SEQUENCE goes up, DTSTAMP not back."""
    stamp = now.astimezone(UTC).replace(microsecond=0)
    holders = Registration.objects.filter(session=session, entry__in=_SHOWN, erased_at__isnull=True)
    holders.order_by().update(
        sequence=F("sequence") + 1,
        dtstamp=Case(When(Q(dtstamp__gt=stamp), then=F("dtstamp")), default=Value(stamp)),
        **fields,
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
