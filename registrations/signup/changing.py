"""Changing what was chosen: another session, any session, another name, zone or language."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from events.models import Session
from events.scheduling import PlannedTime
from registrations import invites, offers, outbox, places
from registrations.models import Message, Registration
from registrations.signup.locking import (
    RegistrationClosedError,
    RegistrationOverError,
    SessionFullError,
    in_turn,
    lock,
    refuse_cancelled,
)

Awaits = Registration.Awaits
Kind = Message.Kind


def change_session(registration: Registration, *, session: Session, now: datetime) -> Registration:
    """Move somebody to another session of the webinar: the same registration, the same entry in their calendar.

    Whoever holds a place, or is kept one, keeps it until the new one is theirs; the old one goes to the next who waits
    for it. Whoever waits, or whose session was cancelled or is over, joins the other queue at its end, or gets a place
    there at once; whoever waited for any session keeps the turn. Raises RegistrationClosedError, SessionFullError or
    RegistrationOverError, having changed nothing. Moving to the same session does nothing.
    """
    return in_turn(lambda: move(registration, session, now=now))


def wait_for_any(registration: Registration, *, now: datetime) -> Registration:
    """Let somebody who waits wait for any session of the webinar, with the turn that they have.

    Also somebody whose session was cancelled or is over, at the end of the queue. They get the earliest free place at
    once if there is one. Raises RegistrationOverError for whoever does not wait, RegistrationClosedError or
    SessionFullError where there is no queue to join.
    """
    return in_turn(lambda: move(registration, None, now=now))


def move(
    registration: Registration, session: Session | None, *, is_proved: bool = False, now: datetime
) -> Registration:
    """Move somebody to that session, or to wait for any."""
    mine, sessions = lock(registration, *([session.pk] if session else []), all_sessions=session is None)
    if session is None and mine.any_session:
        return mine
    if session is not None and session.pk not in sessions:
        raise RegistrationClosedError(_("This session does not exist any more. Your place stays as it was."))
    if session is not None and session.pk == mine.session_id and not mine.any_session:
        return mine
    refuse_cancelled(mine)
    if is_proved and mine.proved_at is None:
        mine.proved_at = now
    is_off = places.is_off(mine.session, now)
    wanted = places.coming(sessions, now) if session is None else [sessions[session.pk]]
    within = [each for each in wanted if each.webinar_id == mine.webinar_id and each.takes_registrations(now)]
    if session is None and not is_off:
        if not mine.is_waitlisted or mine.has_place:
            raise RegistrationOverError(_("You do not wait for a place, so there is nothing to change."))
        within = wanted
    if not within and any(each.is_full and not places.is_off(each, now) for each in wanted):
        raise SessionFullError(_("That session is full. Your place stays as it was."))
    if not within:
        raise RegistrationClosedError(_("This session takes no registrations any more. Your place stays as it was."))
    if mine.has_place and not is_off:
        return _swap_place(mine, within[0], now)
    return _start_over(mine, within, wants_any=session is None, now=now)


def _swap_place(mine: Registration, target: Session, now: datetime) -> Registration:
    """Move somebody who holds a place, and keeps it until there is one in the other session."""
    left = mine.session
    if not places.take_place(target):
        raise SessionFullError(_("That session is full. Your place stays as it was."))
    mine.session = target
    if mine.is_offered:
        kind = places.hold_place(mine, places.next_step(mine), now=now)
        places.store(mine, kind, now=now)
    elif mine.is_confirmed:
        invites.revise(mine, now=now)
        mine.save()
        offers.move_codes(mine, session=target)
        outbox.enqueue(mine, Kind.SESSION_CHANGED, now=now, payload=PlannedTime.of(left).as_payload())
    else:
        invites.revise_shown(mine, now=now)
        mine.save()
        _tell_pending(mine, now)
    places.pass_on_place(left, now=now)
    return mine


def _start_over(mine: Registration, within: list[Session], *, wants_any: bool, now: datetime) -> Registration:
    """Begin elsewhere for somebody who loses nothing by leaving their session."""
    left, held_a_place, was_confirmed, waited = mine.session, mine.has_place, mine.is_confirmed, mine.is_waitlisted
    if not mine.any_session and (not wants_any or places.is_off(left, now)):
        mine.waiting_since = None
    mine.any_session, mine.has_place = wants_any, False
    if not wants_any or places.is_off(left, now):
        mine.session = within[0]
    kind = places.settle(mine, within, now=now)
    mine.save()
    if mine.is_confirmed:
        offers.issue(mine, now=now)
        offers.move_codes(mine, session=mine.session)
        kind = Kind.SESSION_CHANGED if was_confirmed else Kind.PROMOTED if waited else kind
    if mine.is_pending:
        _tell_pending(mine, now)
    else:
        outbox.enqueue(mine, kind, now=now, payload=PlannedTime.of(left).as_payload())
    if held_a_place:
        places.pass_on_place(left, now=now)
    return mine


def _tell_pending(mine: Registration, now: datetime) -> None:
    """Whoever has not proved the address is asked to once in a while and told nothing else."""
    if mine.awaits == Awaits.PROOF:
        outbox.enqueue_link_again(mine, asked_for=mine.session, now=now)
    else:
        outbox.enqueue(mine, Kind.PENDING, now=now)


def change_details(
    registration: Registration, *, name: str, time_zone: str, language: str, now: datetime
) -> Registration:
    """Change how somebody is called, and the zone and language that they read in.

    Raises RegistrationOverError when the registration is cancelled.
    """
    with transaction.atomic():
        mine = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
        refuse_cancelled(mine)
        mine.name, mine.time_zone, mine.language = name, time_zone, language
        mine.save(update_fields=["name", "time_zone", "language"])
    return mine
