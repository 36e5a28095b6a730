"""The outbox: a mail is a row, written in the transaction of what causes it, and claimed by one worker at a time.

Here rows are written, claimed and marked; `delivery` composes and sends. Delivery is at least once: between the mail
server's 250 and our mark nobody can know. That moment is one statement long, and the Message-ID and the invite's
revision repeat, so that a receiver can tell (docs/decisions/0004).
"""

import functools
import logging
import uuid
from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import get_language

from events.models import Session
from events.validators import foreign_text
from registrations import doorbell, stops
from registrations.models import Attempt, Mailing, Message, Registration
from registrations.querysets import MessageQuerySet

logger = logging.getLogger(__name__)

# Longer than any task may run, so that nobody else begins while its worker may still be at it; see settings.
CLAIM_FOR = timedelta(seconds=320)
# Few enough that nobody waits long behind others while another worker has nothing to do.
BATCH_SIZE = 20
# What follows a failed attempt: short for a mail server that restarts, never so long that what follows waits for a day.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30, *[60] * 48))
# A message that was left behind so often is taken for what kills its workers.
MAX_ABANDONED = 8
WORKER_LOST = "Its worker did not come back."
WORKERS_LOST = "Its worker did not come back, time after time."
NOBODY_KNOWS = "Its worker was lost while the server took it. Nobody knows whether it arrived."
DELIVER_TASK = "registrations.tasks.deliver_message"
SWEEP_TASK = "registrations.tasks.sweep_outbox"
LINK_AGAIN_AT_MOST_EVERY = timedelta(minutes=10)

# What tells how the entry has changed, and nothing else.
UPDATES = {Message.Kind.RESCHEDULED, Message.Kind.SESSION_CHANGED}
# What tells somebody with a place the newest state anyway, and so carries an update with it.
_CARRIERS = {
    Message.Kind.CONFIRMED,
    Message.Kind.APPROVED,
    Message.Kind.PROMOTED,
    Message.Kind.SESSION_CHANGED,
}
# What takes out of the calendar whatever was once put there.
_WITHDRAWALS = {Message.Kind.CANCELLED, Message.Kind.SESSION_CANCELLED, Message.Kind.WAITLISTED}
_ENDS = {Message.Kind.CANCELLED, Message.Kind.SESSION_CANCELLED, Message.Kind.TURNED_DOWN, Message.Kind.LAPSED}
# In the payload of an update: the time is another, and everybody is asked anew whether they come (RFC 5546 3.2.2.1).
MOVES = "moves"
# In the payload of a reminder: a mail that tells the same is tried again, and if that arrives this one is not needed.
UNLESS_TOLD = "unless_told"
# Questions and answers of their own, which no news makes superfluous. Whether they still have a point is seen when they
# are written.
_STAY = {Message.Kind.DECLINED, Message.Kind.COUNTERED}
# What no news about the place takes the place of.
_ASIDE = Message.OPTIONAL_KINDS - Message.REMINDER_KINDS
# No server has the text, nor may have it at this moment.
_NOT_BEGUN = Q(state__in=Message.WAITING_STATES) | Q(state=Message.State.SENDING, begun_at=None)
# What was written for good when it was owed, and is forgotten as soon as it is over.
_WRITTEN_KINDS = (Message.Kind.ACCOUNT, Message.Kind.ERASED)
# What a mail about somebody is composed from: once one of these is another, what was composed says what is not so.
_COMPOSED_FROM = ("status", "awaits", "has_place", "sequence", "session_id", "email")
_AND_OF_THE_SESSION = ("sequence", "state")
# What may name the address, and what stands there once it is forgotten, in SQL.
_KEPT_UNLESS_FORGOTTEN = {"answer": "''", "attempt_log": "'[]'"}

# Has PostgreSQL answer before what the statement wrote is on its disk. The next commit takes it there, that of the mark
# "sent" at the latest; in between only a crash of PostgreSQL itself loses it, and not one of a worker.
_WITHOUT_WAITING = {"postgresql": " AND set_config('synchronous_commit', 'off', true) = 'off'"}


# ---------- writing ----------


def enqueue(
    registration: Registration, kind: Message.Kind, *, now: datetime, payload: dict[str, Any] | None = None
) -> None:
    """Owe one person one mail. Inside the transaction of its cause; the worker is nudged after the commit."""
    messages = enqueue_all([registration], kind, now=now, payload=payload)
    for message in messages:
        _nudge_after_commit(DELIVER_TASK, message.pk)


def enqueue_first(registration: Registration, kind: Message.Kind, *, now: datetime) -> None:
    """Owe somebody who has just been written down their first mail: one INSERT, since nothing earlier can wait."""
    message = _new_message(registration, kind, now=now, payload={})
    message.save(force_insert=True)
    _nudge_after_commit(DELIVER_TASK, message.pk)


def enqueue_all(
    registrations: Iterable[Registration],
    kind: Message.Kind,
    *,
    now: datetime,
    due_at: datetime | None = None,
    payload: dict[str, Any] | None = None,
) -> list[Message]:
    """Owe each of these people one mail, and return the new rows. Does not nudge: see `nudge_sweep`.

    `due_at` is when it goes out, at once unless told: what may change again soon waits a little, and then tells all.

    Mails that still wait are not sent stale. An update is taken over by one of the same kind or by a first mail, which
    will show the newest state; any other replaces them. A reminder waits until a change of its session has settled.
    Holding the rows' locks settles it with a worker about to claim them. The caller holds the registrations' locks.
    Whoever was erased is owed nothing.
    """
    people = [person for person in registrations if not person.is_erased]
    waiting = _queued_messages(people)
    carried, replaced, fresh, held = [], [], [], []
    for person in people:
        earlier = [message for message in waiting.get(person.pk, []) if not _stays_beside(message, kind)]
        told = {**(payload or {}), **_oldest_news(earlier, kind)}
        carrier = next((message for message in reversed(earlier) if _carries(message, kind, person)), None)
        if carrier is None:
            replaced += [message.pk for message in earlier]
            fresh.append(_new_message(person, kind, now=now, due_at=due_at, payload=told))
        else:
            carrier.sequence = _promised_revision(person, Message.Kind(carrier.kind))
            # What was to wait goes no later for it, however often it is changed meanwhile.
            carrier.due_at = min(carrier.due_at, due_at or now)
            carrier.payload = {**told, **carrier.payload} if carrier.kind != kind else {**carrier.payload, **told}
            carried.append(carrier)
            # One that came back from an attempt may wait beside it; two would tell the same news.
            replaced += [message.pk for message in earlier if message is not carrier]
        settled_at = carrier.due_at if carrier is not None else due_at or now
        held += _held_until(settled_at, waiting.get(person.pk, []), kind)
    if carried:
        Message.objects.bulk_update(carried, ["sequence", "due_at", "payload"])
    if replaced:
        Message.objects.filter(pk__in=replaced).update(
            state=Message.State.CANCELLED, answer="A newer mail took its place."
        )
    if held:
        Message.objects.bulk_update(held, ["due_at"])
    return Message.objects.bulk_create(fresh)


def _stays_beside(message: Message, kind: Message.Kind) -> bool:
    """Whether what is waiting is sent as well. To ask for proof takes no entry out of the calendar."""
    is_asked_for_proof = kind == Message.Kind.PROOF and message.kind in _ENDS
    return message.kind in _STAY or is_asked_for_proof or _waits_for(message, kind)


def _waits_for(message: Message, kind: Message.Kind) -> bool:
    """A reminder stays beside a change of its session, which may be taken back before anybody is told of it.

    Whether the session is still at the time that it reminds of is seen when it is written, once the change has settled.
    """
    return kind == Message.Kind.RESCHEDULED and message.kind in Message.REMINDER_KINDS


def _held_until(settled_at: datetime, waiting: list[Message], kind: Message.Kind) -> list[Message]:
    """What stays beside a change, and is not looked at before that has settled: before, it may seem to be of no use."""
    held = [message for message in waiting if _waits_for(message, kind)]
    for message in held:
        message.due_at = max(message.due_at, settled_at)
    return held


def _oldest_news(earlier: list[Message], kind: Message.Kind) -> dict[str, Any]:
    """How things were before the first of the changes that nobody was told of yet, for news of the same kind."""
    return next((message.payload for message in earlier if message.kind == kind), {}) if kind in UPDATES else {}


def _queued_messages(people: list[Registration]) -> dict[int, list[Message]]:
    """What each of these people is still owed about their place and nobody has claimed, oldest first, locked."""
    waiting: dict[int, list[Message]] = {}
    rows = Message.objects.select_for_update(no_key=True).waiting().filter(registration__in=people)
    for message in rows.exclude(kind__in=_ASIDE).order_by("pk"):
        if message.registration_id is not None:
            waiting.setdefault(message.registration_id, []).append(message)
    return waiting


def _carries(message: Message, kind: Message.Kind, person: Registration) -> bool:
    return kind in UPDATES and (message.kind == kind or message.kind in _carriers(person))


def _carriers(person: Registration) -> set[Message.Kind]:
    """What tells somebody their newest state. What told an earlier one has lost its point, and carries nothing."""
    if person.is_confirmed:
        return _CARRIERS
    if person.is_waitlisted:
        return {Message.Kind.OFFERED if person.is_offered else Message.Kind.WAITLISTED}
    return {Message.Kind.PENDING}


def enqueue_link_again(registration: Registration, *, asked_for: Session, now: datetime) -> bool:
    """Owe somebody who registered again the link they have, at most once in ten minutes. False when they have it.

    Who asked for the session they have is told by any mail of these ten minutes, so that a double click sends one;
    who asked for another must hear that nothing changed. An address that nobody proved is asked to be once more.
    Under the registration's lock, so that two requests at once owe one mail.
    """
    locked = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    kind = Message.Kind.PROOF if locked.awaits == Registration.Awaits.PROOF else Message.Kind.LINK_AGAIN
    # What was not sent, came back, or may turn out not to be needed, told them nothing.
    told = locked.messages.filter(bounced_at=None).exclude(state__in=[Message.State.CANCELLED, Message.State.FAILED])
    told = told.exclude(kind=Message.Kind.RESCHEDULED, state__in=Message.WAITING_STATES)
    recent = told.filter(created_at__gt=now - LINK_AGAIN_AT_MOST_EVERY)
    if asked_for.pk != locked.session_id:
        recent = recent.filter(kind=kind)
    _let_go_held(locked, now)
    if locked.is_erased or recent.exists():
        return False
    enqueue_beside(locked, kind, now=now)
    return True


def enqueue_beside(
    registration: Registration, kind: Message.Kind, *, now: datetime, payload: dict[str, Any] | None = None
) -> None:
    """Owe somebody a mail that tells no revision of the entry, beside whatever else still waits.

    The caller holds the registration's lock.
    """
    _owe(_new_message(registration, kind, now=now, payload=payload or {}))


def enqueue_mailing(
    registrations: Iterable[Registration], mailing: Mailing, *, now: datetime, unless_told: Container[int] = ()
) -> int:
    """Owe each of these people their mail of a mailing, beside whatever else still waits. Returns how many are new.

    To those of `unless_told` it goes unless an earlier mail that tells the same arrives after all.
    May run twice: the key says whose mail of which mailing it is. The caller holds the registrations' locks, so that
    nobody is erased meanwhile, and asks for a sweep.
    """
    kind = Message.Kind(mailing.kind)
    rows = [_new_message(person, kind, now=now, payload={}) for person in registrations if not person.is_erased]
    for message in rows:
        message.mailing = mailing
        if message.registration_id in unless_told:
            message.payload = {UNLESS_TOLD: True}
        message.key = f"{kind}-{_reference(message)}-m{mailing.pk}"
        # All of them are one occasion, however long it takes to write them.
        message.occasion_at = mailing.due_at
    keys = [message.key for message in rows]
    before = Message.objects.filter(key__in=keys).count()
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) - before


def _reference(message: Message) -> str:
    assert message.registration is not None  # noqa: S101 - tells the type checker what its caller has seen to
    return message.registration.reference


def enqueue_once(registration: Registration, kind: Message.Kind, *, about: str, now: datetime) -> bool:
    """The same, at most once for what it is about, however often it is asked for. False when it was owed before.

    One that was not needed then, and is again, is owed again.
    """
    message = _new_message(registration, kind, now=now, payload={})
    message.key = key_of(registration, kind, about=about)
    if registration.is_erased:
        return False
    owed = Message.objects.filter(key=message.key)
    unneeded = owed.filter(state=Message.State.CANCELLED).first()
    if unneeded is not None:
        owed.update(state=Message.State.QUEUED, due_at=now, attempts=0, answer="", cancelled_because="")
        _nudge_after_commit(DELIVER_TASK, unneeded.pk)
    elif not owed.exists():
        _owe(message)
    else:
        return False
    return True


def key_of(registration: Registration, kind: Message.Kind, *, about: str) -> str:
    """The key of a mail that is owed once for what it is about."""
    return f"{kind}-{registration.reference}-{about}"


def _owe(message: Message) -> None:
    message.save()
    _nudge_after_commit(DELIVER_TASK, message.pk)


def _let_go_held(registration: Registration, now: datetime) -> None:
    """Send now what was to wait for further changes: somebody waits in front of a screen for the mail behind it."""
    held = registration.messages.filter(state=Message.State.QUEUED, attempts=0, due_at__gt=now)
    if held.update(due_at=now):
        nudge_sweep()


def enqueue_again(message: Message, registration: Registration, *, now: datetime) -> None:
    """Owe the registration's owner a mail of theirs once more, with what holds now. `correspondence` decides whether.

    The caller holds the registration's lock. What still waits stays: it is about something else.
    """
    again = _new_message(registration, Message.Kind(message.kind), now=now, payload=message.payload)
    again.mailing = message.mailing
    # Beside the first of its kind, which may have told the same revision.
    again.key = f"{message.kind}{again_mark(registration)}{now:%Y%m%dT%H%M%S%f}"
    again.occasion_at = message.occasion_at
    _owe(again)
    _let_go_held(registration, now)


def again_mark(registration: Registration) -> str:
    """What stands in the keys of those mails of a registration that were asked for once more."""
    return f"-{registration.reference}-again-"


def enqueue_erased(registration: Registration, *, written: dict[str, Any], now: datetime) -> None:
    """Owe somebody the last mail, written already: by the time it is sent, nobody knows them any more."""
    message = Message.objects.create(
        key=f"{Message.Kind.ERASED}-{registration.reference}",
        kind=Message.Kind.ERASED,
        registration=registration,
        to_email=registration.email,
        language=registration.language,
        payload=written,
        created_at=now,
        due_at=now,
    )
    _nudge_after_commit(DELIVER_TASK, message.pk)


def forget(registration: Registration) -> None:
    """Forget to whom the mails about a registration went and what they told; those still owed are not sent.

    One that is being sent at this moment stays open, so that what follows cannot overtake it. Its worker ends it.
    """
    # Decided by the database and not here: between reading and writing a worker may begin.
    is_owed = When(_NOT_BEGUN, then=Value(Message.State.CANCELLED))
    registration.messages.order_by().update(
        to_email="",
        payload={},
        answer="",
        attempt_log=[],
        bounce="",
        state=Case(is_owed, default=F("state"), output_field=models.CharField()),
    )


def cancel_unbegun(messages: MessageQuerySet, *, because: Message.CancelledBecause, words: str) -> int:
    """Cancel those of these that no worker has begun to send. Returns how many. Whoever holds one finds it gone."""
    fields = {"state": Message.State.CANCELLED, "cancelled_because": because, "answer": words, "claim": None}
    return messages.order_by().filter(_NOT_BEGUN).update(**fields)


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


def enqueue_probe(reference: str, *, to_email: str, now: datetime) -> Message:
    """Owe whoever runs the site an invite to themselves; `registrations.probes` knows its entry."""
    message = Message(
        key=f"{Message.Kind.PROBE}-{reference}",
        kind=Message.Kind.PROBE,
        to_email=to_email,
        language=settings.LANGUAGE_CODE,
        created_at=now,
        due_at=now,
    )
    _owe(message)
    return message


def nudge_sweep() -> None:
    """Ask for a sweep after the commit, when many rows were written at once."""
    _nudge_after_commit(SWEEP_TASK)


def retry(message: Message, *, now: datetime) -> bool:
    """Queue a message that failed again, from its first attempt. False when it has not (any more), or was forgotten.

    Also one of which nobody knows whether it arrived: its Message-ID stays, so that its reader's mail program can tell.
    """
    revived = _that_failed(Message.objects.filter(pk=message.pk)).update(
        state=Message.State.QUEUED, due_at=now, attempts=0, answer=""
    )
    if revived:
        _nudge_after_commit(DELIVER_TASK, message.pk)
    return bool(revived)


def retry_all(messages: MessageQuerySet, *, now: datetime) -> int:
    """The same for all of these that failed, in one statement. Returns how many."""
    revived = _that_failed(messages).update(state=Message.State.QUEUED, due_at=now, attempts=0, answer="")
    if revived:
        nudge_sweep()
    return revived


def _that_failed(messages: MessageQuerySet) -> MessageQuerySet:
    """Those of them. Their state stands on the row itself and not in a subquery, as it does in `claim`."""
    return Message.objects.order_by().filter(pk__in=messages.order_by().values("pk")).failed().exclude(to_email="")


def _new_message(
    registration: Registration,
    kind: Message.Kind,
    *,
    now: datetime,
    payload: dict[str, Any],
    due_at: datetime | None = None,
) -> Message:
    revision = _promised_revision(registration, kind)
    # A revision of the entry is told once; what promises none is told once for each time it happens. When a webinar is
    # called off, the places of several sessions may be offered to one person at one moment.
    happened = f"{now:%Y%m%dT%H%M%S%f}-{registration.session_id}{registration.awaits and f'-{registration.awaits}'}"
    # Whoever has no entry any more is told of each session that is called off, and none of it is a revision.
    withdrawn = f"{revision}-{registration.session_id}" if kind in _WITHDRAWALS else str(revision)
    about = happened if revision is None else withdrawn
    return Message(
        key=f"{kind}-{registration.reference}-{about}",
        kind=kind,
        registration=registration,
        to_email=registration.email,
        language=registration.language,
        sequence=revision,
        payload=payload,
        created_at=now,
        occasion_at=now if kind in Message.TOLD_TO_MANY else None,
        due_at=due_at or now,
    )


def _promised_revision(registration: Registration, kind: Message.Kind) -> int | None:
    """Which revision of the calendar entry the mail will carry; None for a mail without one."""
    if registration.dtstamp is None or kind not in Message.INVITE_KINDS:
        return None
    # Whoever has no entry (any more) is only ever told that it is withdrawn.
    is_told = registration.has_entry or kind in _WITHDRAWALS
    return registration.sequence if is_told else None


def _nudge_after_commit(task: str, *args: int) -> None:
    """Ring the workers' bell. One that nobody hears costs time, never a mail: the sweep finds the row."""
    transaction.on_commit(lambda: doorbell.ring(task, *args), robust=True)


# ---------- claiming ----------


def claim(message_id: int, *, now: datetime) -> Message | None:
    """Take one message for this worker alone, or None when it is not due, taken, or must wait for an earlier one.

    One conditional write decides; whoever changes no row has lost. State and time stand on the row itself and not in
    a subquery, which PostgreSQL would not look at again after waiting for the other worker.
    """
    claimed = uuid.uuid4()
    changed = Message.objects.due(now).filter(pk=message_id).order_by().update(**_claimed_fields(claimed, now))
    return _claimed_messages([message_id], claimed)[0] if changed else None


def claim_batch(*, now: datetime, limit: int = BATCH_SIZE) -> list[Message]:
    """Take up to `limit` messages that are due, for this worker alone: what somebody is waiting for first.

    Other workers pass over rows that are being claimed instead of waiting for them (SKIP LOCKED). On SQLite, which
    has no such lock, transactions that write come one after the other anyway.
    """
    claimed = uuid.uuid4()
    with transaction.atomic():
        ids = list(_locked(Message.objects.due(now)).values_list("pk", flat=True)[:limit])
        if not ids:
            return []
        Message.objects.filter(pk__in=ids).update(**_claimed_fields(claimed, now))
    return _claimed_messages(ids, claimed)


def claim_abandoned(*, now: datetime) -> list[Message]:
    """Take one message whose worker did not come back, alone: should it be what killed it, no other goes down with it.

    One that was left behind again and again has failed instead. One that the server may have taken already is risked
    again where somebody needs it, with the same Message-ID; where nobody does, it is unknown what became of it.
    """
    while True:
        with transaction.atomic():
            message = _locked(Message.objects.abandoned(now)).first()
            if message is None:
                return []
            log = _log_with(message, WORKER_LOST, now)
            if not _end_abandoned(message, log):
                claimed = uuid.uuid4()
                Message.objects.filter(pk=message.pk).update(attempt_log=log, **_claimed_fields(claimed, now))
                break
    return _claimed_messages([message.pk], claimed)


def _end_abandoned(message: Message, log: list[dict[str, str]]) -> bool:
    """Whether nobody is to try it again; then it is noted so. Its lock is held."""
    if message.begun_at is not None and message.kind in Message.OPTIONAL_KINDS:
        end = {"state": Message.State.UNKNOWN, **_over(NOBODY_KNOWS, log)}
    elif _times_abandoned(message, log) >= MAX_ABANDONED:
        end = {"state": Message.State.FAILED, **_over(WORKERS_LOST, log)}
    else:
        return False
    Message.objects.filter(pk=message.pk).update(claim=None, **end)
    return True


def _times_abandoned(message: Message, log: list[dict[str, str]]) -> int:
    """How many of its attempts ended with their worker, since it was last queued by somebody's hand.

    Those that the server refused do not count: after a long outage there are many, and none has killed anybody.
    """
    return sum(entry["answer"] == WORKER_LOST for entry in log[-message.attempts :])


def _locked(rows: MessageQuerySet) -> MessageQuerySet:
    return rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)


def _claimed_fields(claimed: uuid.UUID, now: datetime) -> dict[str, Any]:
    return {
        "state": Message.State.SENDING,
        "claim": claimed,
        "claimed_until": now + CLAIM_FOR,
        "begun_at": None,
        "attempts": F("attempts") + 1,
    }


def _claimed_messages(ids: list[int], claimed: uuid.UUID) -> list[Message]:
    mine = Message.objects.filter(pk__in=ids, claim=claimed)
    rows = stops.annotated(mine).select_related(
        "registration__session__webinar__host", "registration__webinar", "mailing"
    )
    return sorted(rows, key=lambda message: ids.index(message.pk))


# ---------- marking ----------


def mark_begun(message: Message, *, message_id: str, now: datetime) -> bool:
    """Just before the text goes out: false when somebody else has the message, or when it says what is no longer so.

    A mail may have waited since it was read, behind others of its batch or composed ahead of its turn. So the statement
    looks again, when nothing has been sent yet, at how things stand with its reader, and at what stops mails to them.
    Where it says no, `claimed_anew` has the message as it is now, if it is still ours.
    """
    return _update_claimed(
        message, is_as_composed=True, begun_at=now, claimed_until=now + CLAIM_FOR, message_id=message_id
    )


def claimed_anew(message: Message) -> Message | None:
    """A claimed message and all that it is about, read again; None where it is not ours any more."""
    if message.claim is None:
        return None
    mine = (again for again in _claimed_messages([message.pk], message.claim) if again.state == Message.State.SENDING)
    return next(mine, None)


def mark_sent(message: Message, *, message_id: str, answer: str, now: datetime) -> bool:
    """The server has taken it."""
    fields = {"state": Message.State.SENT, "sent_at": now, "message_id": message_id}
    return _end(message, answer=answer, log=_log_with(message, answer, now), **fields)


def mark_cancelled(message: Message, *, reason: str) -> bool:
    """It has lost its point, and `reason` says how. That is no attempt."""
    because = stops.CODES.get(reason, "")
    return _end(message, state=Message.State.CANCELLED, answer=reason, cancelled_because=because)


def mark_failed(message: Message, *, answer: str, now: datetime) -> bool:
    """Refused for good."""
    return _end(message, state=Message.State.FAILED, answer=answer, log=_log_with(message, answer, now))


def mark_unanswered(message: Message, *, answer: str, now: datetime) -> bool:
    """The server has the whole text and did not say that it took it, nor that it did not.

    What somebody needs is tried again; of what nobody needs it stays unknown.
    """
    if message.kind not in Message.OPTIONAL_KINDS:
        return mark_postponed(message, answer=answer, now=now)
    return _end(message, state=Message.State.UNKNOWN, answer=answer, log=_log_with(message, answer, now))


def mark_postponed(message: Message, *, answer: str, now: datetime) -> bool:
    """Refused for now: tried again after a growing pause, and failed after the last.

    The answer may also be what a program said that did not get as far as asking, which can be any text.
    """
    answer = foreign_text(answer)
    if message.attempts > len(PAUSES):
        return mark_failed(message, answer=answer, now=now)
    postponed: dict[str, Any] = {
        "state": Message.State.RETRYING,
        "due_at": now + PAUSES[message.attempts - 1],
        "claim": None,
    }
    return _update_claimed(message, **_answered(answer, _log_with(message, answer, now)), **postponed)


def release(messages: Iterable[Message]) -> None:
    """Give back what was claimed and not begun, without counting it as an attempt."""
    for message in messages:
        state = Message.State.RETRYING if message.attempts > 1 else Message.State.QUEUED
        _update_claimed(message, state=state, attempts=F("attempts") - 1, claim=None)


def _log_with(message: Message, answer: str, now: datetime) -> list[dict[str, str]]:
    """The attempts until now and this one. Whoever holds the message knows the others, so one statement writes all."""
    return [*message.attempt_log, Attempt(now, answer).as_entry()]


def _end(message: Message, *, answer: str, log: list[dict[str, str]] | None = None, **fields: Any) -> bool:
    """Close a message. Most have nothing to forget, and then the statement does not speak of it."""
    if message.kind in _WRITTEN_KINDS:
        return _update_claimed(message, claim=None, **_over(answer, log), **fields)
    return _update_claimed(message, claim=None, **_answered(answer, log), **fields)


def _over(answer: str, log: list[dict[str, str]] | None) -> dict[str, Any]:
    """What goes with every end: a sign-in code is forgotten with the same statement, and of an erased person all."""
    is_written = When(kind__in=_WRITTEN_KINDS, then=Value({}, models.JSONField()))
    is_erased = When(kind=Message.Kind.ERASED, then=Value(""))
    told = _told(answer, log)
    return {
        **told,
        "payload": Case(is_written, default=F("payload")),
        "to_email": Case(is_erased, default=F("to_email"), output_field=models.CharField()),
        "answer": Case(is_erased, default=told["answer"]),
        "attempt_log": Case(
            When(kind=Message.Kind.ERASED, then=Value([], models.JSONField())),
            default=told.get("attempt_log", F("attempt_log")),
        ),
    }


def _answered(answer: str, log: list[dict[str, str]] | None) -> dict[str, Any]:
    """What was answered, for `_update_claimed`, which keeps it from a row whose reader was erased meanwhile."""
    return {"answer": answer} if log is None else {"answer": answer, "attempt_log": log}


def _told(answer: str, log: list[dict[str, str]] | None) -> dict[str, Any]:
    """What was answered, which may name the address, except beside a mail whose reader was erased meanwhile."""
    told: dict[str, Any] = {"answer": Case(When(to_email="", then=Value("")), default=Value(answer))}
    if log is not None:
        kept = Value(log, models.JSONField())
        told["attempt_log"] = Case(When(to_email="", then=Value([], models.JSONField())), default=kept)
    return told


def _update_claimed(message: Message, *, is_as_composed: bool = False, **fields: Any) -> bool:
    """Write these fields unless somebody else has the message meanwhile; false when nobody waits for it any more.

    With `is_as_composed` only where all is as it was when the message was read. What is written beside a mail whose
    reader was erased meanwhile names nobody (`_KEPT_UNLESS_FORGOTTEN`).
    """
    if message.claim is None or any(hasattr(value, "resolve_expression") for value in fields.values()):
        open_and_mine = Message.objects.open().filter(pk=message.pk, claim=message.claim)
        return bool(open_and_mine.update(**fields))
    # Two of these go with each mail, and Django takes longer to put one into SQL than PostgreSQL to do it.
    values = {**fields, "pk": message.pk, "claim_before": message.claim}
    parameters = [_written(name, value) for name, value in values.items()]
    statement = _update_statement(tuple(fields))
    if is_as_composed:
        statement += _WITHOUT_WAITING.get(connection.vendor, "")
    if is_as_composed and message.registration is not None:
        statement += _as_composed(is_optional=message.kind in Message.OPTIONAL_KINDS)
        parameters += _composed_from(message.registration)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return bool(cursor.rowcount)


def _composed_from(registration: Registration) -> list[Any]:
    """How things stood with somebody when their message was read, in the order of `_as_composed`."""
    session = registration.session
    return [
        *(getattr(registration, name) for name in _COMPOSED_FROM),
        *(getattr(session, name) for name in _AND_OF_THE_SESSION),
    ]


@functools.cache
def _as_composed(*, is_optional: bool) -> str:
    """Asks whether they stand like that, and whether nothing stops the mail (`stops.annotated` says the same)."""
    person, session = Registration._meta.db_table, Session._meta.db_table
    asked = [f"person.{name} = %s" for name in _COMPOSED_FROM]
    asked += [f"session.{name} = %s" for name in _AND_OF_THE_SESSION]
    asked += [f"NOT EXISTS ({stopped})" for stopped in stops.in_sql("person", is_optional=is_optional)]
    # Nothing in it comes from outside.
    return (
        f" AND EXISTS (SELECT 1 FROM {person} person JOIN {session} session ON session.id = person.session_id"  # noqa: S608
        f" WHERE person.id = {Message._meta.db_table}.registration_id AND {' AND '.join(asked)})"
    )


@functools.cache
def _update_statement(names: tuple[str, ...]) -> str:
    """Sets these fields, then asks for the key and the claim."""
    columns = {name: connection.ops.quote_name(name) for name in names}
    told = {name: f"CASE WHEN to_email = '' THEN {left} ELSE %s END" for name, left in _KEPT_UNLESS_FORGOTTEN.items()}
    changes = ", ".join(f"{column} = {told.get(name, '%s')}" for name, column in columns.items())
    states = ", ".join(f"'{state}'" for state in Message.OPEN_STATES)
    # Nothing in it comes from outside.
    return f"UPDATE {Message._meta.db_table} SET {changes} WHERE id = %s AND claim = %s AND state IN ({states})"  # noqa: S608


def _written(name: str, value: Any) -> Any:
    """A value as the database takes it."""
    field: Any = Message._meta.get_field({"pk": "id", "claim_before": "claim"}.get(name, name))
    return field.get_db_prep_save(value, connection)
