"""Telling many registrants at once, inside the transaction of what they are told of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When

from events import timezones
from events.models import Session
from events.scheduling import PlannedTime
from registrations import outbox
from registrations.models import Message, Registration
from registrations.querysets import RegistrationQuerySet

CHUNK = 500
# So shortly before the start a change is told at once.
NO_TIME_LEFT = timedelta(hours=2)


def tell_rescheduled(session: Session, *, previous: PlannedTime, previous_title: str = "", now: datetime) -> int:
    """Owe everybody with a place or waiting for one the session's new time. Returns how many.

    The mail waits a little for further changes: who corrects a slip of the keyboard tells people once, or nothing
    where all is as it was.
    """
    payload = previous.as_payload()
    if previous_title:
        payload["previous_title"] = previous_title
    if (previous.starts_at, previous.duration) != (session.starts_at, session.duration):
        payload[outbox.MOVES] = True
    _revise_entries(session, now=now)
    _take_out_unwanted(session)
    due_at = _settled_at(min(previous.starts_at, session.starts_at), now)
    return _tell(audience(session), Message.Kind.RESCHEDULED, now=now, due_at=due_at, payload=payload)


def tell_session_cancelled(session: Session, *, now: datetime) -> int:
    """Owe everybody with a place or waiting for one that it will not take place. Returns how many.

    Also those who would have come to any session, where it is still theirs: then none is left to wait for.
    """
    _revise_entries(session, now=now, entry=Registration.Entry.CANCELLED)
    return _tell(_everybody(session), Message.Kind.SESSION_CANCELLED, now=now, due_at=now, payload={})


def audience(*sessions: Session) -> RegistrationQuerySet:
    """Who hears of a change of these sessions: those with a place, those who may get one, and those who wait for it.

    Nothing is sent to an address that nobody proved, nor to whoever was erased; and it is no news for those who wait
    for whichever session has a place first.
    """
    return _everybody(*sessions).exclude(any_session=True, has_place=False)


def _everybody(*sessions: Session) -> RegistrationQuerySet:
    told = Registration.objects.filter(session__in=sessions, erased_at__isnull=True).active()
    return told.exclude(awaits=Registration.Awaits.PROOF).order_by("pk")


def _take_out_unwanted(session: Session) -> None:
    """With the new revision, tentative entries go whose host does not want them any more."""
    if not session.webinar.host.has_tentative_entries:
        tentative = Registration.objects.filter(session=session, entry=Registration.Entry.TENTATIVE)
        tentative.order_by().update(entry=Registration.Entry.CANCELLED)


def _settled_at(starts_at: datetime, now: datetime) -> datetime:
    """When a change is told: at once where it is soon that people come."""
    return now if starts_at - now < NO_TIME_LEFT else now + settings.UPDATES_SETTLE


def _tell(
    people: RegistrationQuerySet, kind: Message.Kind, *, now: datetime, due_at: datetime, payload: dict[str, Any]
) -> int:
    told = 0
    for chunk in _chunks(people.select_related("session__webinar__host")):
        outbox.enqueue_all(chunk, kind, now=now, due_at=due_at, payload=payload)
        told += len(chunk)
    if told and due_at <= now:
        outbox.nudge_sweep()
    return told


def _revise_entries(session: Session, *, now: datetime, **fields: Any) -> None:
    """`invites.revise` for everybody whose calendar shows it, in one statement: SEQUENCE goes up, DTSTAMP not back."""
    stamp = timezones.whole_second(now)
    holders = Registration.objects.with_entry().filter(session=session, erased_at__isnull=True)
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
