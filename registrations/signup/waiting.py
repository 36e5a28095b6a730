"""Places that come free: offered, taken or passed on, and given to those who wait."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from events.models import Session
from registrations import places
from registrations.models import Registration
from registrations.signup.ending import end
from registrations.signup.locking import RegistrationOverError, in_turn, lock

Awaits = Registration.Awaits
Because = Registration.CancelledBecause


def accept_offer(registration: Registration, *, now: datetime) -> Registration:
    """Take the place that is kept for somebody who waited.

    Raises RegistrationOverError when it went to somebody else meanwhile, or its session is off.
    """
    return in_turn(lambda: _accept_offer(registration, now))


def _accept_offer(registration: Registration, now: datetime) -> Registration:
    mine, _sessions = lock(registration)
    if mine.has_place and not mine.is_offered:
        return mine
    if not mine.is_offered or mine.has_lapsed(now) or places.is_off(mine.session, now):
        raise RegistrationOverError(_("This place is not kept for you any more."))
    places.store(mine, places.hold_place(mine, places.next_step(mine), now=now), now=now)
    return mine


def pass_offer(registration: Registration, *, now: datetime) -> Registration:
    """Leave the place that was offered to the next who waits, which ends the registration.

    Raises RegistrationOverError when none is offered (any more).
    """
    return in_turn(lambda: _pass_offer(registration, now))


def _pass_offer(registration: Registration, now: datetime) -> Registration:
    mine, _sessions = lock(registration)
    if mine.cancelled_because == Because.PASSED:
        return mine
    if not mine.is_offered:
        raise RegistrationOverError(_("This place is not kept for you any more."))
    return end(mine, Because.PASSED, now)


def promote_waiting(session: Session, *, now: datetime) -> int:
    """Give, or offer, the places that are free to those who wait, in their order. Returns how many."""
    with transaction.atomic():
        return places.fill_places(places.lock_sessions(session.pk)[session.pk], now=now)


def rehome_waiting(*, now: datetime) -> int:
    """Let those who wait for any session, and whose own is over, wait for those that are coming. Returns how many."""
    coming = Session.objects.scheduled().filter(ends_at__gt=now)
    over = Session.objects.filter(webinar__in=coming.values("webinar")).exclude(pk__in=coming)
    stranded = Registration.objects.undecided().filter(session__in=over)
    moved = 0
    for webinar_id in stranded.order_by("webinar").values_list("webinar", flat=True).distinct():
        with transaction.atomic():
            moved += places.rehome(places.lock_webinar(webinar_id), now=now)
    return moved


def leave_cancelled(session: Session, *, now: datetime) -> None:
    """A session was called off: nobody is offered or must pay for a place in it, nor waits for it who wants any."""
    with transaction.atomic():
        sessions = places.lock_webinar(session.webinar_id)
        undecided = places.withdraw_offers(sessions[session.pk])
        Registration.objects.filter(session=session, awaits=Awaits.PAYMENT).update(lapses_at=None)
        places.rehome(sessions, now=now)
        places.tell_withdrawn(undecided, sessions[session.pk], now=now)
