"""How far somebody is from being let in, and why: the one answer for the joining link, one's own page and all lists."""

from datetime import datetime
from enum import StrEnum

from events.replays import ReplayState, replay_of
from registrations.models import Registration


class Door(StrEnum):
    """What whoever holds a registration meets at the door."""

    CANCELLED = "cancelled"
    SESSION_CANCELLED = "session_cancelled"
    PROOF = "proof"
    APPROVAL = "approval"
    PAYMENT = "payment"
    OFFERED = "offered"
    WAITING = "waiting"
    EARLY = "early"
    OPEN = "open"
    NO_ADDRESS = "no_address"
    REPLAY = "replay"
    REPLAY_SOON = "replay_soon"
    REPLAY_ENDED = "replay_ended"
    OVER = "over"
    # Over before every step was done: there was never a place, nor a turn in the queue.
    UNFINISHED = "unfinished"


_DOOR_OF_REPLAY = {
    ReplayState.NONE: Door.OVER,
    ReplayState.SOON: Door.REPLAY_SOON,
    ReplayState.OPEN: Door.REPLAY,
    ReplayState.ENDED: Door.REPLAY_ENDED,
}

# Whoever has not done or got what a place takes.
STEPS = frozenset({Door.PROOF, Door.APPROVAL, Door.PAYMENT})
# The session is over.
ENDS = frozenset({*_DOOR_OF_REPLAY.values(), Door.UNFINISHED})
# There is something to give up.
CANCELLABLE = frozenset({*STEPS, Door.OFFERED, Door.WAITING, Door.EARLY, Door.OPEN, Door.NO_ADDRESS})


def door(registration: Registration, *, now: datetime) -> Door:
    """What whoever holds the registration meets at the door at that moment."""
    session = registration.session
    # What has run out can be neither proved, taken nor paid, though the schedule may not have noted it yet.
    if registration.is_cancelled or registration.has_lapsed(now):
        return Door.CANCELLED
    if session.is_cancelled:
        return Door.SESSION_CANCELLED
    if session.has_ended(now):
        return _door_afterwards(registration, now)
    if registration.is_pending:
        return Door(registration.awaits)
    if registration.is_waitlisted:
        return Door.OFFERED if registration.has_place else Door.WAITING
    if now < session.join_opens_at:
        return Door.EARLY
    return Door.OPEN if session.join_url else Door.NO_ADDRESS


def may_watch(registration: Registration) -> bool:
    """Whether its owner may watch a replay that is for those who had registered.

    Also who only waited for a place may, but not where a place costs something that they have not paid.
    """
    if registration.is_waitlisted:
        return registration.session.webinar.is_free or registration.paid_at is not None
    return registration.is_confirmed


def _door_afterwards(registration: Registration, now: datetime) -> Door:
    replay = replay_of(registration.session.webinar, now=now)
    is_shut_out = replay.is_open and not replay.is_for_everyone and not may_watch(registration)
    return Door.UNFINISHED if registration.is_pending or is_shut_out else _DOOR_OF_REPLAY[replay.state]
