"""Cancelling, and what ends by itself: the place goes to the next, and whoever may be told is."""

from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from registrations import invites, outbox, places
from registrations.models import Message, Registration
from registrations.signup.locking import RegistrationOverError, in_turn, lock, one_by_one

Awaits = Registration.Awaits
Because = Registration.CancelledBecause
Kind = Message.Kind

# What is told of an end; of the others nothing. Nobody has proved the address of the unproved, and erasing has a mail
# of its own.
_TOLD = {
    Because.OWNER: Kind.CANCELLED,
    Because.ORGANIZER: Kind.CANCELLED,
    Because.TURNED_DOWN: Kind.TURNED_DOWN,
    Because.UNPAID: Kind.LAPSED,
    Because.PASSED: Kind.LAPSED,
    Because.UNANSWERED: Kind.LAPSED,
    Because.DECLINED: Kind.LAPSED,
}


def cancel(registration: Registration, *, now: datetime, because: Because = Because.OWNER) -> Registration:
    """Give up a place or a place in the queue: the entry is withdrawn, and the place goes to the first who waits.

    Raises RegistrationOverError once the session has ended, except to erase it.
    """
    return in_turn(lambda: _cancel(registration, because, now))


def _cancel(registration: Registration, because: Because, now: datetime) -> Registration:
    mine, _sessions = lock(registration)
    if mine.is_cancelled:
        return mine
    if mine.session.has_ended(now) and not mine.any_session and because != Because.ERASED:
        raise RegistrationOverError(_("The session is over, so there is nothing left to cancel."))
    return end(mine, because, now)


def lapse_overdue(*, now: datetime) -> int:
    """Give up what was kept until now: for proof, for payment, and what was offered and nobody answered.

    Returns how many.
    """
    return one_by_one(Registration.objects.overdue(now), partial(_end_overdue, now=now))


def lapse(pk: int, *, now: datetime) -> bool:
    """The same for one registration. False when nothing of it is overdue (any more)."""
    return in_turn(partial(_end_overdue, pk, now=now))


def _end_overdue(pk: int, *, now: datetime) -> bool:
    mine, _sessions = lock(Registration(pk=pk))
    if not mine.has_lapsed(now):
        return False
    reasons = {Awaits.PROOF: Because.UNPROVED, Awaits.PAYMENT: Because.UNPAID}
    end(mine, reasons[Awaits(mine.awaits)] if mine.is_pending else Because.UNANSWERED, now)
    return True


def end(mine: Registration, because: Because, now: datetime) -> Registration:
    left = mine.session if mine.has_place else None
    kind = _TOLD.get(because) if mine.awaits != Awaits.PROOF else None
    mine.status, mine.awaits, mine.has_place, mine.lapses_at = Registration.Status.CANCELLED, "", False, None
    mine.cancelled_at, mine.cancelled_because = now, because
    invites.revise(mine, now=now)
    mine.save()
    if kind is not None:
        outbox.enqueue(mine, kind, now=now)
    if left is not None:
        places.pass_on_place(left, now=now)
    return mine
