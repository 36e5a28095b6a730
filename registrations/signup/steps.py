"""The steps before a place: the address is proved, an organizer accepts, the price is paid."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from events.models import Session, User, Webinar
from registrations import places, stops
from registrations.models import Message, Registration
from registrations.signup.ending import end
from registrations.signup.locking import RegistrationOverError, in_turn, lock, refuse_cancelled

Awaits = Registration.Awaits
Because = Registration.CancelledBecause
Kind = Message.Kind


def prove(registration: Registration, *, now: datetime) -> Registration:
    """The owner of the address has followed the mailed link: on to the next step.

    Raises RegistrationOverError when the registration is cancelled or lapsed, or its session is off.
    """
    return in_turn(lambda: prove_locked(registration, now))


def prove_locked(registration: Registration, now: datetime) -> Registration:
    mine, sessions = lock(registration, settles=True)
    if mine.cancelled_because == Because.UNPROVED or (mine.awaits == Awaits.PROOF and mine.has_lapsed(now)):
        raise RegistrationOverError(
            _("The link was not followed in time. You can register again on the webinar's page.")
        )
    refuse_cancelled(mine)
    if mine.proved_at is not None:
        return mine
    mine.proved_at = now
    stops.lift(mine.email)
    return _go_on(mine, sessions, done=Awaits.PROOF, now=now)


def approve(registration: Registration, *, by: User | None, now: datetime) -> Registration:
    """An organizer accepts somebody: they have a place, must pay first, or wait for one.

    Whoever has not proved the address yet goes on once they do. Raises RegistrationOverError when the registration is
    cancelled or its session is off.
    """
    return in_turn(lambda: _approve(registration, now))


def _approve(registration: Registration, now: datetime) -> Registration:
    mine, sessions = lock(registration, settles=True)
    refuse_cancelled(mine)
    if mine.approved_at is not None or not mine.is_pending:
        return mine
    mine.approved_at = now
    return _go_on(mine, sessions, done=Awaits.APPROVAL, now=now)


def turn_down(registration: Registration, *, by: User | None, now: datetime) -> Registration:
    """An organizer refuses somebody who waits for that, and they are told.

    Raises RegistrationOverError for whoever does not wait for it (any more).
    """
    return in_turn(lambda: _turn_down(registration, now))


def _turn_down(registration: Registration, now: datetime) -> Registration:
    mine, _sessions = lock(registration)
    if mine.cancelled_because == Because.TURNED_DOWN:
        return mine
    if mine.awaits not in {Awaits.PROOF, Awaits.APPROVAL} or mine.approved_at is not None:
        raise RegistrationOverError(_("This registration does not wait to be accepted any more."))
    return end(mine, Because.TURNED_DOWN, now)


def mark_paid(registration: Registration, *, by: User | None, now: datetime) -> Registration:
    """Note a payment, which confirms whoever only waited for it. Whoever pays earlier will not be asked again.

    Raises RegistrationOverError when the registration is cancelled: the money has to go back.
    """
    return in_turn(lambda: _mark_paid(registration, now))


def _mark_paid(registration: Registration, now: datetime) -> Registration:
    mine, sessions = lock(registration)
    refuse_cancelled(mine)
    if mine.paid_at is not None:
        return mine
    mine.paid_at = now
    if mine.awaits == Awaits.PAYMENT and places.is_off(mine.session, now):
        # It is settled as soon as they choose another session, and must not lapse meanwhile.
        mine.lapses_at = None
        mine.save()
        return mine
    return _go_on(mine, sessions, done=Awaits.PAYMENT, now=now)


def advance_pending(webinar: Webinar, *, now: datetime) -> int:
    """Let everybody go on whose awaited step the webinar does not ask any more, in the order in which they came.

    Returns how many. Whoever has a place keeps it, whatever is asked of others from now on.
    """
    moved = 0
    with transaction.atomic():
        sessions = places.lock_webinar(webinar.pk)
        pending = Registration.objects.filter(webinar=webinar, status=Registration.Status.PENDING)
        for mine in pending.order_by("registered_at", "pk").select_for_update(no_key=True):
            mine.session = sessions[mine.session_id]
            mine.webinar = mine.session.webinar
            if places.next_step(mine) != mine.awaits and _choice(mine, sessions, now):
                _go_on(mine, sessions, done=Awaits(mine.awaits), now=now)
                moved += 1
    return moved


def _go_on(mine: Registration, sessions: Mapping[int, Session], *, done: Awaits, now: datetime) -> Registration:
    """Somebody has done a step, or need not: on to the next if it is the one they waited for, else it is noted."""
    if mine.awaits != done:
        mine.save()
        return mine
    within = _choice(mine, sessions, now)
    if not within:
        raise RegistrationOverError(_("This session is over or was called off, so there is no place to be had in it."))
    left = mine.session if mine.has_place else None
    if places.is_off(mine.session, now):
        mine.session = within[0]
    kind = places.settle(mine, within, now=now)
    if kind == Kind.CONFIRMED and done == Awaits.APPROVAL and mine.approved_at == now:
        kind = Kind.APPROVED
    places.store(mine, kind, now=now)
    if left is not None and not mine.has_place:
        places.pass_on_place(left, now=now)
    return mine


def _choice(mine: Registration, sessions: Mapping[int, Session], now: datetime) -> list[Session]:
    """The locked sessions in which a place would be of use to them, earliest first."""
    coming = places.coming(sessions, now)
    return coming if mine.any_session else [session for session in coming if session.pk == mine.session_id]
