"""Registering, changing session, cancelling: each one transaction after which places, queue, codes and mails agree.

How a place is never sold twice. `Session.places_taken` is raised by one conditional UPDATE, which succeeds only while
a place is free, holds the row's lock until the commit, and is backed by the constraint `session_not_oversold`. Whoever
finds no place takes the session's lock, looks again, and queues up while holding it, so that nobody can give a place
back unseen in between. A place that comes free goes to the first who waits in the same transaction.

Locks are always taken in this order: sessions by id, then registrations, then their messages. They are the kind that
lets others write rows that point here (FOR NO KEY UPDATE).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from events import freshness
from events.email_addresses import address_key
from events.models import Question, Session
from events.scheduling import PlannedTime
from registrations import invites, offers, outbox
from registrations.answers import store_answers
from registrations.models import Message, Registration


class SignupError(Exception):
    """A refusal whose text may be shown to the person who asked."""


class RegistrationClosedError(SignupError):
    """The session takes nobody: it is over, cancelled, not announced or closed by its organizer."""


class SessionFullError(SignupError):
    """No place is left, and nobody may wait for one."""


class RegistrationOverError(SignupError):
    """The registration cannot be changed any more."""


def register(
    session: Session,
    *,
    name: str,
    email: str,
    now: datetime,
    time_zone: str = "",
    language: str = "en",
    answers: Mapping[Question, str] | None = None,
    wants_news: bool = False,
) -> Registration:
    """Give somebody a place in the session, or a place in its queue, and owe them the mail that says so.

    The same address for the same webinar is the same registration: an active one stays as it is and its owner is sent
    the link again; one whose session was cancelled or is over moves to this session; a cancelled one comes back to
    life, with its calendar entry. Raises RegistrationClosedError or SessionFullError, having written nothing.
    """
    person = _Person(
        name=name, email=email.strip(), time_zone=time_zone, language=language, consented_at=now if wants_news else None
    )
    try:
        with transaction.atomic():
            return _register(session, person, answers or {}, now)
    except IntegrityError:
        # A double click: the other request was quicker, and its registration is what this one finds now.
        with transaction.atomic():
            return _register(session, person, answers or {}, now)


def change_session(registration: Registration, *, session: Session, now: datetime) -> Registration:
    """Move somebody to another session of the webinar: the same registration, the same entry in their calendar.

    Whoever holds a place keeps it until the new one is theirs; the old one goes to the next who waits for it. Whoever
    waits, or whose session was cancelled or is over, joins the other queue at its end, or gets a place there at once.
    Raises RegistrationClosedError, SessionFullError or RegistrationOverError, having changed nothing. Moving to the
    same session does nothing.
    """
    with transaction.atomic():
        sessions = _lock_sessions(registration.session_id, session.pk)
        mine = _lock_registration(registration, sessions)
        target = sessions.get(session.pk)
        if target is None:
            raise RegistrationClosedError(_("This session does not exist any more. Your place stays as it was."))
        if mine.session_id == target.pk:
            return mine
        if mine.is_cancelled:
            raise RegistrationOverError(
                _("This registration is cancelled. You can register again on the webinar's page.")
            )
        if target.webinar_id != mine.webinar_id or not target.takes_registrations(now):
            raise RegistrationClosedError(
                _("This session takes no registrations any more. Your place stays as it was.")
            )
        if mine.is_waitlisted or _is_off(mine.session, now):
            return _start_over(mine, target, now)
        return _swap_place(mine, target, now)


def cancel(registration: Registration, *, now: datetime) -> Registration:
    """Give up a place or a place in the queue: the entry is withdrawn, and the place goes to the first who waits.

    Safe to run twice: the second time does nothing. Raises RegistrationOverError once the session has ended.
    """
    with transaction.atomic():
        sessions = _lock_sessions(registration.session_id)
        mine = _lock_registration(registration, sessions)
        session = sessions[mine.session_id]
        if mine.is_cancelled:
            return mine
        if session.has_ended(now):
            raise RegistrationOverError(_("The session is over, so there is nothing left to cancel."))
        held_a_place = mine.is_confirmed
        mine.status, mine.has_place, mine.cancelled_at = Registration.Status.CANCELLED, False, now
        if mine.dtstamp is not None:
            invites.revise(mine, now=now)
        mine.save()
        outbox.enqueue(mine, Message.Kind.CANCELLED, now=now)
        if held_a_place:
            _pass_on_place(session, now)
    return mine


def promote_waiting(session: Session, *, now: datetime) -> int:
    """Give the places that are free to those who wait, in their order. Returns how many. Safe to run twice."""
    promoted = []
    with transaction.atomic():
        locked = _lock_sessions(session.pk)[session.pk]
        while not locked.is_full and (first := _first_waiting(locked, now)) is not None:
            locked.places_taken += 1
            _give_place(first, now)
            promoted.append(first)
        if promoted:
            locked.save(update_fields=["places_taken"])
            outbox.enqueue_all(promoted, Message.Kind.PROMOTED, now=now)
            outbox.nudge_sweep()
    return len(promoted)


@dataclass(frozen=True)
class _Person:
    """Who registers, as the form gave it."""

    name: str
    email: str
    time_zone: str
    language: str
    consented_at: datetime | None


# ---------- steps, each inside the transaction of an act ----------


def _register(session: Session, person: _Person, answers: Mapping[Question, str], now: datetime) -> Registration:
    # 1. Who is here already only gets the link again, unless what they registered for did not or will not happen.
    known = (
        Registration.objects.filter(webinar_id=session.webinar_id, email_key=address_key(person.email))
        .select_related("session")
        .first()
    )
    if known is not None and not known.is_cancelled:
        if known.session_id != session.pk and _is_off(known.session, now):
            return change_session(known, session=session, now=now)
        outbox.enqueue_link_again(known, asked_for=session, now=now)
        return known
    if not session.takes_registrations(now):
        raise RegistrationClosedError(_("This session takes no registrations any more."))
    # 2. A place, or the end of the queue; either holds the session's lock from here on.
    has_place = _take_place(session)
    # 3. The registration, new or come back.
    if known is None:
        registration = Registration(webinar_id=session.webinar_id, email_key=address_key(person.email))
    else:
        registration = Registration.objects.select_for_update(no_key=True).get(pk=known.pk)
        if not registration.is_cancelled:  # it came back while we waited for the lock
            raise IntegrityError
    for field, value in dataclasses.asdict(person).items():
        setattr(registration, field, value)
    registration.session = session
    registration.registered_at = now
    registration.cancelled_at = None
    if has_place:
        _place(registration, now)
    else:
        _queue(registration, now)
    registration.save()
    # 4. What belongs to it.
    store_answers(registration, answers, asked=Question.Asked.REGISTERING)
    if has_place:
        offers.issue(registration, now=now)
    kind = Message.Kind.CONFIRMED if has_place else Message.Kind.WAITLISTED
    outbox.enqueue(registration, kind, now=now)
    return registration


def _take_place(session: Session) -> bool:
    """Take a place under the session's lock. False when there is none, which leaves the lock held.

    Raises RegistrationClosedError when it was cancelled meanwhile, SessionFullError where nobody may wait.
    """
    if _raise_places_taken(session):
        return True
    if not session.is_full:  # the page that they came from showed a place
        freshness.throw_away()
    locked = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
    if locked.is_cancelled:
        raise RegistrationClosedError(_("This session has just been cancelled."))
    if not locked.is_full:  # a place came back between the two statements
        return _raise_places_taken(session)
    if not locked.has_waiting_list:
        raise SessionFullError(_("The last place has just gone, and this session has no waiting list."))
    return False


def _raise_places_taken(session: Session) -> bool:
    free = Q(capacity__isnull=True) | Q(places_taken__lt=F("capacity"))
    is_taken = Session.objects.scheduled().filter(free, pk=session.pk).update(places_taken=F("places_taken") + 1)
    if is_taken and session.runs_out:
        freshness.throw_away()
    return bool(is_taken)


def _lock_sessions(*ids: int) -> dict[int, Session]:
    """Lock these sessions, lowest id first, so that two acts can never wait for each other."""
    locked = Session.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {session.pk: session for session in locked.select_related("webinar__host")}


def _lock_registration(registration: Registration, sessions: Mapping[int, Session]) -> Registration:
    """Lock a registration whose session is locked already. Raises RegistrationOverError when it moved meanwhile."""
    mine = (
        Registration.objects.select_for_update(of=("self",), no_key=True)
        .select_related("webinar")
        .get(pk=registration.pk)
    )
    if mine.session_id not in sessions:
        raise RegistrationOverError(_("Your registration was changed a moment ago. Please look again."))
    mine.session = sessions[mine.session_id]
    return mine


def _place(registration: Registration, now: datetime) -> None:
    registration.status, registration.has_place = Registration.Status.CONFIRMED, True
    registration.confirmed_at = now
    registration.waiting_since = None
    invites.revise(registration, now=now)


def _queue(registration: Registration, now: datetime) -> None:
    """Put somebody at the end of the queue of a locked session: behind the last, even by a slower clock."""
    queue = Registration.objects.waiting().filter(session_id=registration.session_id)
    last = queue.values_list("waiting_since", flat=True).last()
    registration.status, registration.has_place = Registration.Status.WAITLISTED, False
    registration.confirmed_at = None
    registration.waiting_since = now if last is None else max(now, last + timedelta(microseconds=1))
    if registration.dtstamp is not None:  # an entry from before must go until there is a place again
        invites.revise(registration, now=now)


def _swap_place(mine: Registration, target: Session, now: datetime) -> Registration:
    if target.is_full or not _raise_places_taken(target):
        raise SessionFullError(_("That session is full. Your place stays as it was."))
    left = mine.session
    mine.session = target
    invites.revise(mine, now=now)
    mine.save()
    offers.move_codes(mine, session=target)
    outbox.enqueue(mine, Message.Kind.SESSION_CHANGED, now=now, payload=PlannedTime.of(left).as_payload())
    _pass_on_place(left, now)
    return mine


def _start_over(mine: Registration, target: Session, now: datetime) -> Registration:
    """Begin in another session for somebody who loses nothing by leaving theirs."""
    left, held_a_place = mine.session, mine.is_confirmed
    mine.session = target
    if _take_place(target):
        _give_place(mine, now)
        offers.move_codes(mine, session=target)
        kind = Message.Kind.SESSION_CHANGED if held_a_place else Message.Kind.PROMOTED
    else:
        _queue(mine, now)
        mine.save()
        kind = Message.Kind.WAITLISTED
    outbox.enqueue(mine, kind, now=now, payload=PlannedTime.of(left).as_payload())
    if held_a_place:
        _pass_on_place(left, now)
    return mine


def _is_off(session: Session, now: datetime) -> bool:
    """Whether a place in it is of no use any more."""
    return session.is_cancelled or session.has_ended(now)


def _pass_on_place(session: Session, now: datetime) -> None:
    """A place of the locked session came free: the first who waits has it, else the count goes down."""
    first = _first_waiting(session, now)
    if first is not None:
        _give_place(first, now)
        outbox.enqueue(first, Message.Kind.PROMOTED, now=now)
        return
    Session.objects.filter(pk=session.pk, places_taken__gt=0).update(places_taken=F("places_taken") - 1)
    if session.runs_out:
        freshness.throw_away()


def _first_waiting(session: Session, now: datetime) -> Registration | None:
    """Whoever has waited longest, locked; nobody once a place would be of no use."""
    if _is_off(session, now):
        return None
    first = Registration.objects.waiting().filter(session=session).select_for_update(no_key=True).first()
    if first is not None:
        first.session = session
    return first


def _give_place(registration: Registration, now: datetime) -> None:
    _place(registration, now)
    registration.save()
    offers.issue(registration, now=now)
