"""Whether a mail still has a point. Much may have happened between its cause and the worker that writes it."""

from collections.abc import Callable
from datetime import datetime

from events.models import Webinar
from events.replays import replay_of
from registrations import consent, doors, letters
from registrations.mail_plan import MERGED_WITHIN, TELLS_THE_TIME
from registrations.models import Mailing, Message, Registration
from registrations.outbox import UNLESS_TOLD

# How things stand with whoever has no place of their own yet, and may get one.
MAY_COME = {"waiting", "offered", "approval", "payment"}
STOPPED = "An organizer stopped it."


class PointlessError(Exception):
    """The message has lost its point since it was written. The text says how, for organizers."""


def require_point(message: Message, *, now: datetime) -> None:
    """Raises PointlessError when the message need not be sent any more, as things stand now."""
    kind = Message.Kind(message.kind)
    if kind in _POINTS:
        if not consent.may_be_sent(kind, registration_of(message)):
            raise PointlessError("Its reader does not want such mails.")
        _POINTS[kind](registration_of(message), now)
        if message.mailing is not None:
            _require_planned(message.mailing, registration_of(message))
            _require_untold(message, message.mailing)
        if kind == Message.Kind.RESCHEDULED and _is_told_already(message, registration_of(message)):
            raise PointlessError("The session is again as it was before.")
    elif kind != Message.Kind.PROBE and "text" not in message.payload:
        raise PointlessError("Its text is gone.")


def registration_of(message: Message) -> Registration:
    """Whom a mail is about. Raises PointlessError when nobody is there any more."""
    if message.registration is None:
        raise PointlessError("The registration is gone.")
    if message.registration.is_erased:
        raise PointlessError("The registration is erased.")
    return message.registration


def _is_told_already(message: Message, registration: Registration) -> bool:
    """Whether everything is again as its reader was last told, for sure.

    An attempt that failed may have arrived all the same; and what stands in the message was told only if the mail
    before it went out, and had done so when the first of the changes was made.
    """
    if message.attempts > 1 or not letters.is_undone(message, registration):
        return False
    earlier = registration.messages.filter(kind__in=Message.INVITE_KINDS, pk__lt=message.pk).order_by("-pk").first()
    return earlier is not None and earlier.sent_at is not None and earlier.sent_at <= message.created_at


def _require_proof_missing(registration: Registration, now: datetime) -> None:
    _require_coming(registration, now)
    if registration.awaits != Registration.Awaits.PROOF:
        raise PointlessError("No longer waits for the address to be proved.")


def _require_others_asked(registration: Registration, now: datetime) -> None:
    _require_coming(registration, now)
    if registration.awaits not in {Registration.Awaits.APPROVAL, Registration.Awaits.PAYMENT}:
        raise PointlessError("No longer waits for the organizer or a payment.")


def _require_turned_down(registration: Registration, now: datetime) -> None:
    _require_ended(registration, now, {Registration.CancelledBecause.TURNED_DOWN})


def _require_lapsed(registration: Registration, now: datetime) -> None:
    reasons = Registration.CancelledBecause
    _require_ended(registration, now, {reasons.PASSED, reasons.UNANSWERED, reasons.UNPAID, reasons.DECLINED})


def _require_ended(registration: Registration, now: datetime, reasons: set[Registration.CancelledBecause]) -> None:
    # Also of a session that was called off since, where this is what takes the entry out of the calendar.
    if registration.dtstamp is None or registration.session.has_ended(now):
        _require_coming(registration, now)
    if not registration.is_cancelled or registration.cancelled_because not in reasons:
        raise PointlessError("Registered again since.")


def _require_offered(registration: Registration, now: datetime) -> None:
    _require_coming(registration, now)
    if not registration.is_offered or (registration.lapses_at is not None and registration.lapses_at <= now):
        raise PointlessError("No place is offered any more.")


def _require_place(registration: Registration, now: datetime) -> None:
    _require_coming(registration, now)
    if not registration.is_confirmed:
        raise PointlessError("No longer holds a place.")


def _require_declined(registration: Registration, now: datetime) -> None:
    _require_place(registration, now)
    if registration.frees_at is None:
        raise PointlessError("The place is kept.")


def _require_waiting(registration: Registration, now: datetime) -> None:
    if letters.standing(registration, now) == "waiting":
        return
    _require_coming(registration, now)
    raise PointlessError("No longer on the waiting list.")


def _require_may_come(registration: Registration, now: datetime) -> None:
    if letters.standing(registration, now) in MAY_COME | {"place"}:
        return
    _require_coming(registration, now)
    raise PointlessError("No longer holds a place, nor may get one.")


def _require_session_cancelled(registration: Registration, now: datetime) -> None:
    if not registration.session.is_cancelled:
        raise PointlessError("Moved to a session that takes place.")
    _require_proved(registration, now)


def _require_cancelled(registration: Registration, _now: datetime) -> None:
    # Who came back only to wait has no entry any more either, unless the host wants them to have one.
    came_back = registration.has_entry and not registration.is_cancelled
    if came_back or (registration.dtstamp is None and not registration.is_cancelled):
        raise PointlessError("Registered again since.")
    if registration.cancelled_because == Registration.CancelledBecause.UNPROVED:
        raise PointlessError("The address was never proved.")


def _require_planned(mailing: Mailing, registration: Registration) -> None:
    """What the plan of a session has sent is about that session, and a reminder about the time that it had then."""
    if mailing.stopped_at is not None:
        raise PointlessError(STOPPED)
    if mailing.kind == Message.Kind.ANNOUNCEMENT or mailing.session_id is None:
        return
    if mailing.session_id != registration.session_id:
        raise PointlessError("Changed to another session.")
    if registration.session.webinar.status == Webinar.Status.DRAFT:
        raise PointlessError("The webinar is not published any more.")
    is_reminder = mailing.kind in Message.REMINDER_KINDS
    if is_reminder and mailing.starts_at != registration.session.starts_at:
        raise PointlessError("The session has moved since.")


def _require_untold(message: Message, mailing: Mailing) -> None:
    """A reminder that was written while a mail that tells the same was tried again, and has arrived since."""
    if not message.payload.get(UNLESS_TOLD):
        return
    told = Message.objects.filter(registration=message.registration, kind__in=TELLS_THE_TIME, state=Message.State.SENT)
    if told.filter(sent_at__gt=mailing.due_at - MERGED_WITHIN, bounced_at=None).exists():
        raise PointlessError("Another mail has told the same since.")


def _require_not_begun(registration: Registration, now: datetime) -> None:
    _require_place(registration, now)
    if now >= registration.session.starts_at:
        raise PointlessError("The session has begun.")


def _require_held(registration: Registration, now: datetime) -> None:
    if not registration.is_confirmed or registration.session.is_called_off:
        raise PointlessError("Held no place in a session that took place.")
    if not registration.session.took_place(now):
        raise PointlessError("The session is not over.")


def _require_came(registration: Registration, now: datetime) -> None:
    _require_held(registration, now)
    if registration.joined_at is None:
        raise PointlessError("Did not come.")


def _require_missed(registration: Registration, now: datetime) -> None:
    _require_held(registration, now)
    if registration.joined_at is not None:
        raise PointlessError("Came after all.")


def _require_unasked(registration: Registration, now: datetime) -> None:
    _require_held(registration, now)
    if registration.surveyed_at is not None:
        raise PointlessError("Has answered already.")


def _require_replay(registration: Registration, now: datetime) -> None:
    _require_held(registration, now)
    replay = replay_of(registration.session.webinar, now=now)
    if not replay.is_open or not (replay.is_for_everyone or doors.may_watch(registration)):
        raise PointlessError("There is no replay to watch.")


def _require_earned(registration: Registration, now: datetime) -> None:
    if registration.is_cancelled:
        raise PointlessError("The registration is cancelled.")
    if not any(code.is_unlocked and not code.offer.has_ended(now) for code in registration.offer_codes.all()):
        raise PointlessError("The offer is over.")


def _require_active(registration: Registration, _now: datetime) -> None:
    if registration.is_cancelled:
        raise PointlessError("The registration is cancelled.")
    if registration.session.is_called_off:
        raise PointlessError("The session has been cancelled.")


def _require_proved(registration: Registration, _now: datetime) -> None:
    if registration.awaits == Registration.Awaits.PROOF:
        raise PointlessError("The address is not proved.")


def _require_coming(registration: Registration, now: datetime) -> None:
    if registration.session.is_cancelled:
        raise PointlessError("The session has been cancelled.")
    if registration.session.has_ended(now):
        raise PointlessError("The session is over.")


# What is written when it is owed, about signing in and about what was erased, has its point for good.
_POINTS: dict[Message.Kind, Callable[[Registration, datetime], None]] = {
    Message.Kind.PROOF: _require_proof_missing,
    Message.Kind.PENDING: _require_others_asked,
    Message.Kind.APPROVED: _require_place,
    Message.Kind.TURNED_DOWN: _require_turned_down,
    Message.Kind.CONFIRMED: _require_place,
    Message.Kind.WAITLISTED: _require_waiting,
    Message.Kind.OFFERED: _require_offered,
    Message.Kind.LAPSED: _require_lapsed,
    Message.Kind.PROMOTED: _require_place,
    Message.Kind.SESSION_CHANGED: _require_place,
    Message.Kind.RESCHEDULED: _require_may_come,
    Message.Kind.SESSION_CANCELLED: _require_session_cancelled,
    Message.Kind.CANCELLED: _require_cancelled,
    Message.Kind.DECLINED: _require_declined,
    Message.Kind.COUNTERED: _require_may_come,
    Message.Kind.LINK_AGAIN: _require_proved,
    Message.Kind.REMINDER: _require_not_begun,
    Message.Kind.STARTING: _require_place,
    Message.Kind.CAME: _require_came,
    Message.Kind.MISSED: _require_missed,
    Message.Kind.SURVEY: _require_unasked,
    Message.Kind.REPLAY: _require_replay,
    Message.Kind.OFFER_EARNED: _require_earned,
    Message.Kind.ANNOUNCEMENT: _require_active,
}
