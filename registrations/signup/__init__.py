"""Registering, and all that becomes of a registration.

Each act is one transaction, after which places, queue, codes and mails agree. Each may run twice: the second time does
nothing.

What happens to places and queues is in `registrations.places`. Locks are always taken in this order: sessions by id,
then registrations, then their messages. A new registration is written down before its session is locked: its unique
key is what a double click waits for, and whoever holds a session's lock must not wait for somebody who wants it.
"""

from registrations.signup.answering import TOO_LATE, answer, ask_anew, counter, free_declined, keep_place
from registrations.signup.changing import change_details, change_session, wait_for_any
from registrations.signup.ending import cancel, lapse_overdue
from registrations.signup.locking import (
    RegistrationClosedError,
    RegistrationOverError,
    SessionFullError,
    SignupError,
)
from registrations.signup.registering import register
from registrations.signup.steps import advance_pending, approve, mark_paid, prove, turn_down
from registrations.signup.waiting import (
    accept_offer,
    leave_cancelled,
    pass_offer,
    promote_waiting,
    rehome_waiting,
)

__all__ = [
    "TOO_LATE",
    "RegistrationClosedError",
    "RegistrationOverError",
    "SessionFullError",
    "SignupError",
    "accept_offer",
    "advance_pending",
    "answer",
    "approve",
    "ask_anew",
    "cancel",
    "change_details",
    "change_session",
    "counter",
    "free_declined",
    "keep_place",
    "lapse_overdue",
    "leave_cancelled",
    "mark_paid",
    "pass_offer",
    "promote_waiting",
    "prove",
    "register",
    "rehome_waiting",
    "turn_down",
    "wait_for_any",
]
