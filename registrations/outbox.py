"""The outbox: a mail is a row, written in the transaction of what causes it, and claimed by one worker at a time.

Here rows are written, claimed and marked; `delivery` composes and sends. Delivery is at least once: between the mail
server's 250 and our mark nobody can know. That moment is one statement long, and the Message-ID and the invite's
revision repeat, so that a receiver can tell (docs/decisions/0004).
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import get_language
from kombu.exceptions import OperationalError

from events.models import Session
from registrations.models import Message, Registration
from registrations.querysets import MessageQuerySet

logger = logging.getLogger(__name__)

# Longer than any task may run, so that nobody else begins while its worker may still be at it; see settings.
CLAIM_FOR = timedelta(seconds=320)
BATCH_SIZE = 50
# What follows a failed attempt: short for a mail server that restarts, never so long that what follows waits for a day.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30, *[60] * 48))
# Attempts after which a message that was left behind each time is taken for what kills its workers.
MAX_ABANDONED = 8
DELIVER_TASK = "registrations.tasks.deliver_message"
SWEEP_TASK = "registrations.tasks.sweep_outbox"
LINK_AGAIN_AT_MOST_EVERY = timedelta(minutes=10)

_UPDATES = {Message.Kind.RESCHEDULED, Message.Kind.SESSION_CHANGED}
# What tells the newest state anyway, and so carries an update with it.
_CARRIERS = {
    Message.Kind.CONFIRMED,
    Message.Kind.PROMOTED,
    Message.Kind.WAITLISTED,
    Message.Kind.SESSION_CHANGED,
}


# ---------- writing ----------


def enqueue(
    registration: Registration, kind: Message.Kind, *, now: datetime, payload: dict[str, Any] | None = None
) -> None:
    """Owe one person one mail. Inside the transaction of its cause; the worker is nudged after the commit."""
    messages = enqueue_all([registration], kind, now=now, payload=payload)
    for message in messages:
        _nudge_after_commit(DELIVER_TASK, message.pk)


def enqueue_all(
    registrations: Iterable[Registration],
    kind: Message.Kind,
    *,
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> list[Message]:
    """Owe each of these people one mail, and return the new rows. Does not nudge: see `nudge_sweep`.

    Mails that still wait are not sent stale. An update is taken over by one of the same kind or by a first mail, which
    will show the newest state; any other replaces them. Holding the rows' locks settles it with a worker about to
    claim them. The caller holds the registrations' locks.
    """
    people = list(registrations)
    waiting = _queued_messages(people)
    carried, replaced, fresh = [], [], []
    for person in people:
        earlier = waiting.get(person.pk, [])
        carrier = next((message for message in reversed(earlier) if _carries(message, kind)), None)
        if carrier is None:
            replaced += [message.pk for message in earlier]
            fresh.append(_new_message(person, kind, now=now, payload=payload or {}))
        else:
            carrier.sequence, carrier.due_at = _promised_revision(person, Message.Kind(carrier.kind)), now
            carried.append(carrier)
            # One that came back from an attempt may wait beside it; two would tell the same news.
            replaced += [message.pk for message in earlier if message is not carrier]
    if carried:
        Message.objects.bulk_update(carried, ["sequence", "due_at"])
    if replaced:
        Message.objects.filter(pk__in=replaced).update(
            state=Message.State.DROPPED, answer="A newer mail took its place."
        )
    return Message.objects.bulk_create(fresh)


def _queued_messages(people: list[Registration]) -> dict[int, list[Message]]:
    """What each of these people is still owed and nobody has claimed, oldest first, locked."""
    waiting: dict[int, list[Message]] = {}
    rows = Message.objects.select_for_update(no_key=True).filter(registration__in=people, state=Message.State.QUEUED)
    for message in rows.order_by("pk"):
        if message.registration_id is not None:
            waiting.setdefault(message.registration_id, []).append(message)
    return waiting


def _carries(message: Message, kind: Message.Kind) -> bool:
    return kind in _UPDATES and (message.kind == kind or message.kind in _CARRIERS)


def enqueue_link_again(registration: Registration, *, asked_for: Session, now: datetime) -> None:
    """Owe somebody who registered again the link they have, at most once in ten minutes.

    Who asked for the session they have is told by any mail of these ten minutes, so that a double click sends one;
    who asked for another must hear that nothing changed. Under the registration's lock, so that two requests at once
    owe one mail.
    """
    locked = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    recent = locked.messages.filter(created_at__gt=now - LINK_AGAIN_AT_MOST_EVERY)
    if asked_for.pk != locked.session_id:
        recent = recent.filter(kind=Message.Kind.LINK_AGAIN)
    if recent.exists():
        return
    message = _new_message(locked, Message.Kind.LINK_AGAIN, now=now, payload={})
    message.save()
    _nudge_after_commit(DELIVER_TASK, message.pk)


def enqueue_account_mail(*, to_email: str, subject: str, text: str, html: str, now: datetime) -> Message:
    """Owe somebody a mail about signing in, which allauth has written already."""
    message = Message.objects.create(
        key=f"{Message.Kind.ACCOUNT}-{uuid.uuid4()}",
        kind=Message.Kind.ACCOUNT,
        to_email=to_email,
        language=get_language() or settings.LANGUAGE_CODE,
        payload={"subject": subject, "text": text, "html": html},
        created_at=now,
        due_at=now,
    )
    _nudge_after_commit(DELIVER_TASK, message.pk)
    return message


def nudge_sweep() -> None:
    """Ask for a sweep after the commit, when many rows were written at once."""
    _nudge_after_commit(SWEEP_TASK)


def retry(message: Message, *, now: datetime) -> bool:
    """Queue a dead message again, from its first attempt. False when it is not dead (any more)."""
    revived = Message.objects.filter(pk=message.pk, state=Message.State.DEAD).update(
        state=Message.State.QUEUED, due_at=now, attempts=0, answer=""
    )
    if revived:
        _nudge_after_commit(DELIVER_TASK, message.pk)
    return bool(revived)


def _new_message(registration: Registration, kind: Message.Kind, *, now: datetime, payload: dict[str, Any]) -> Message:
    revision = _promised_revision(registration, kind)
    # A revision of the entry is told once; what promises none is told once for each time it happens.
    about = f"{now:%Y%m%dT%H%M%S%f}" if revision is None else str(revision)
    return Message(
        key=f"{kind}-{registration.reference}-{about}",
        kind=kind,
        registration=registration,
        to_email=registration.email,
        language=registration.language,
        sequence=revision,
        payload=payload,
        created_at=now,
        due_at=now,
    )


def _promised_revision(registration: Registration, kind: Message.Kind) -> int | None:
    """Which revision of the calendar entry the mail will carry; None for a mail without one."""
    if registration.dtstamp is None or kind not in Message.INVITE_KINDS:
        return None
    # Whoever holds no place is only ever told that the entry is withdrawn.
    is_told = registration.is_confirmed or kind in {Message.Kind.CANCELLED, Message.Kind.WAITLISTED}
    return registration.sequence if is_told else None


def _nudge_after_commit(task: str, *args: int) -> None:
    transaction.on_commit(lambda: _nudge(task, *args), robust=True)


def _nudge(task: str, *args: int) -> None:
    """Ring the worker's bell. A bell that nobody hears costs time, never a mail: the sweep finds the row."""
    try:
        current_app.send_task(task, args=args, retry=False, ignore_result=True)
    except OperationalError:
        logger.warning("The broker is away; the sweep will find what %s%s would have sent.", task, args)


# ---------- claiming ----------


def claim(message_id: int, *, now: datetime) -> Message | None:
    """Take one message for this worker alone, or None when it is not due, taken, or must wait for an earlier one.

    One conditional write decides; whoever changes no row has lost. State and time stand on the row itself and not in
    a subquery, which PostgreSQL would not look at again after waiting for the other worker.
    """
    claimed = uuid.uuid4()
    changed = Message.objects.claimable(now).filter(pk=message_id).order_by().update(**_claimed_fields(claimed, now))
    return _claimed_messages([message_id], claimed)[0] if changed else None


def claim_batch(*, now: datetime, limit: int = BATCH_SIZE) -> list[Message]:
    """Take up to `limit` messages that are due, for this worker alone: what somebody is waiting for first.

    Other workers pass over rows that are being claimed instead of waiting for them (SKIP LOCKED). On SQLite, which
    has no such lock, transactions that write come one after the other anyway.
    """
    return _claim_rows(Message.objects.due(now), now=now, limit=limit)


def claim_abandoned(*, now: datetime) -> list[Message]:
    """Take one message whose worker did not come back, alone: should it be what killed it, no other goes down with it.

    One that was left behind again and again is dead instead.
    """
    Message.objects.abandoned(now).filter(attempts__gte=MAX_ABANDONED).update(
        state=Message.State.DEAD, claim=None, answer="Its worker did not come back, time after time."
    )
    return _claim_rows(Message.objects.abandoned(now), now=now, limit=1)


def _claim_rows(rows: MessageQuerySet, *, now: datetime, limit: int) -> list[Message]:
    claimed = uuid.uuid4()
    with transaction.atomic():
        skip_locked = connection.features.has_select_for_update_skip_locked
        ids = list(rows.select_for_update(skip_locked=skip_locked).values_list("pk", flat=True)[:limit])
        if not ids:
            return []
        Message.objects.filter(pk__in=ids).update(**_claimed_fields(claimed, now))
    return _claimed_messages(ids, claimed)


def _claimed_fields(claimed: uuid.UUID, now: datetime) -> dict[str, Any]:
    return {
        "state": Message.State.CLAIMED,
        "claim": claimed,
        "claimed_until": now + CLAIM_FOR,
        "attempts": F("attempts") + 1,
    }


def _claimed_messages(ids: list[int], claimed: uuid.UUID) -> list[Message]:
    rows = Message.objects.filter(pk__in=ids, claim=claimed).select_related(
        "registration__session__webinar__host", "registration__webinar"
    )
    return sorted(rows, key=lambda message: ids.index(message.pk))


# ---------- marking ----------


def mark_sending(message: Message, *, now: datetime) -> bool:
    """Just before the text goes out: false when the claim ran out and somebody else has the message."""
    return _update_claimed(message, state=Message.State.SENDING, claimed_until=now + CLAIM_FOR)


def mark_sent(message: Message, *, message_id: str, answer: str, now: datetime) -> bool:
    """The server has taken it."""
    return _end(message, state=Message.State.SENT, sent_at=now, message_id=message_id, answer=answer)


def mark_dropped(message: Message, *, reason: str) -> bool:
    """It has lost its point, and `reason` says how."""
    return _end(message, state=Message.State.DROPPED, answer=reason)


def mark_dead(message: Message, *, answer: str) -> bool:
    """Refused for good."""
    return _end(message, state=Message.State.DEAD, answer=answer)


def mark_postponed(message: Message, *, answer: str, now: datetime) -> bool:
    """Refused for now: tried again after a growing pause, and dead after the last."""
    if message.attempts > len(PAUSES):
        return mark_dead(message, answer=answer)
    pause = PAUSES[message.attempts - 1]
    return _update_claimed(message, state=Message.State.QUEUED, due_at=now + pause, answer=answer, claim=None)


def release(messages: Iterable[Message]) -> None:
    """Give back what was claimed and not begun, without counting it as an attempt."""
    for message in messages:
        _update_claimed(message, state=Message.State.QUEUED, attempts=F("attempts") - 1, claim=None)


def _end(message: Message, **fields: Any) -> bool:
    """Close a message. Whatever the end, a sign-in code is forgotten with the same statement."""
    forgotten: dict[str, Any] = {"payload": {}} if message.kind == Message.Kind.ACCOUNT else {}
    return _update_claimed(message, claim=None, **forgotten, **fields)


def _update_claimed(message: Message, **fields: Any) -> bool:
    open_and_mine = Message.objects.open().filter(pk=message.pk, claim=message.claim)
    return bool(open_and_mine.update(**fields))
