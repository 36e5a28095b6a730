"""Mails we sent you: what was written to somebody about their registration, and one of these once more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from events import formats
from registrations import outbox, stops, tallies
from registrations.models import Message, Registration
from registrations.pointless import PointlessError, require_point
from registrations.querysets import MessageQuerySet

AGAIN_AT_MOST_EVERY = timedelta(minutes=10)


class SendAgainError(Exception):
    """A refusal whose text may be shown to the person who asked."""


class TooSoonError(SendAgainError):
    """One was sent again a moment ago. The text says from when on the next can be."""

    def __init__(self, words: str, *, retry_after: timedelta) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class MailState(StrEnum):
    """What became of a mail, as its reader thinks of it."""

    WAITING = "waiting"
    SENT = "sent"
    CAME_BACK = "came_back"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_NEEDED = "not_needed"


_STATES = {
    Message.State.QUEUED: MailState.WAITING,
    Message.State.SENDING: MailState.WAITING,
    Message.State.RETRYING: MailState.WAITING,
    Message.State.SENT: MailState.SENT,
    Message.State.FAILED: MailState.FAILED,
    Message.State.CANCELLED: MailState.NOT_NEEDED,
    Message.State.UNKNOWN: MailState.UNKNOWN,
}


@dataclass(frozen=True)
class Mail:
    """One mail: what it was, what became of it and when, and whether it can be sent again now."""

    id: int
    words: str
    state: MailState
    at: datetime
    can_be_sent_again: bool


def mails_of(registration: Registration, *, now: datetime, address_fails: bool = False) -> list[Mail]:
    """The mails about a registration, newest first. `at` is when it was sent, or written where it was not.

    None can be sent again to an address that takes no mail.
    """
    messages = list(registration.messages.select_related("mailing").order_by("-created_at", "-pk"))
    again = [] if address_fails else _those_to_send_again(messages, registration, now)
    return [
        Mail(
            id=message.pk,
            words=message.title,
            state=MailState.CAME_BACK if message.bounced_at else _STATES[Message.State(message.state)],
            at=message.sent_at or message.created_at,
            can_be_sent_again=message in again,
        )
        for message in messages
    ]


def can_be_sent_again(message: Message, *, now: datetime) -> bool:
    """Whether `send_again` would send that mail, as far as there was no other a moment ago."""
    person = message.registration
    if person is None or person.is_erased:
        return False
    mails = mails_of(person, now=now, address_fails=stops.failing_address(person) is not None)
    return any(mail.id == message.pk and mail.can_be_sent_again for mail in mails)


def send_again(registration: Registration, *, message_id: int, now: datetime) -> None:
    """Owe somebody one of their mails once more, with what holds now. Raises SendAgainError, having written nothing.

    At most once in ten minutes for each registration; only what was sent or failed and still has a point, and of its
    kind the newest. Under the registration's lock, so that a double click owes one.
    """
    with transaction.atomic():
        locked = Registration.objects.select_for_update(of=("self",), no_key=True)
        mine = locked.select_related("session__webinar__host").get(pk=registration.pk)
        messages = list(mine.messages.select_related("mailing").order_by("-created_at", "-pk"))
        again = [message for message in _those_to_send_again(messages, mine, now) if message.pk == message_id]
        if not again:
            raise SendAgainError(_("There is nothing in this mail that still holds, so it is not sent again."))
        if stops.failing_address(mine) is not None:
            raise SendAgainError(_("Our mails to this address come back, so none is sent again before it works."))
        _require_pause(messages, mine, now)
        outbox.enqueue_again(again[0], mine, now=now)


def address_works(registration: Registration, *, now: datetime) -> bool:
    """Somebody who knows says that the address takes mail after all: from now on it is written to again.

    What holds now goes there at once: the newest mail with the calendar entry, or else the link. Should that come back
    as well, all is as it was. False when nothing had come back, or somebody else said so first.
    """
    with transaction.atomic():
        locked = Registration.objects.select_for_update(of=("self",), no_key=True)
        mine = locked.select_related("session__webinar__host").get(pk=registration.pk)
        if mine.is_erased or not stops.lift(mine.email):
            return False
        newest = next(
            (message for message in mine.messages.order_by("-pk") if _tells_the_entry(message, mine, now)), None
        )
        if newest is not None and newest.state not in Message.OPEN_STATES:
            outbox.enqueue_again(newest, mine, now=now)
        elif newest is None and mine.awaits != Registration.Awaits.PROOF:
            outbox.enqueue_beside(mine, Message.Kind.LINK_AGAIN, now=now)
    return True


@dataclass(frozen=True)
class SentAgain:
    """How many mails are on their way once more, and how many people no mail reaches before they are corrected."""

    count: int
    unreachable: int


def send_failed_again(messages: MessageQuerySet, *, now: datetime) -> SentAgain:
    """Send once more those of these mails that failed, or came back from an address that takes mail by now.

    What has lost its point meanwhile is not sent, nor what failed and was told by a newer mail. Safe to run twice, and
    at once: what is on its way is no failure.
    """
    count = outbox.retry_all(tallies.unrepeated(messages), now=now)
    returned = tallies.with_outcome(messages, tallies.Outcome.CAME_BACK)
    people = Registration.objects.filter(pk__in=returned.values("registration"))
    unreachable = stops.failing(people)
    again = returned.exclude(registration__in=unreachable.values("pk")).values_list("pk", "registration_id")
    count += sum(_send_returned_again(pk, registration_id, now) for pk, registration_id in again.order_by("pk"))
    return SentAgain(count, unreachable.count())


def _send_returned_again(message_id: int, registration_id: int, now: datetime) -> bool:
    with transaction.atomic():
        locked = Registration.objects.select_for_update(of=("self",), no_key=True)
        person = locked.select_related("session__webinar__host").get(pk=registration_id)
        # Under the lock: whoever was quicker has written a newer one.
        message = tallies.newest(Message.objects.all()).filter(pk=message_id).first()
        if message is None or person.is_erased:
            return False
        message.registration = person
        if not _has_point(message, now):
            return False
        outbox.enqueue_again(message, person, now=now)
    return True


def _tells_the_entry(message: Message, registration: Registration, now: datetime) -> bool:
    """Whether it brings the entry as it is now, or asks for the address to be proved, as far as that still matters."""
    message.registration = registration
    is_wanted = message.kind in {*Message.INVITE_KINDS, Message.Kind.PROOF}
    return is_wanted and _has_point(message, now)


def _has_point(message: Message, now: datetime) -> bool:
    try:
        require_point(message, now=now)
    except PointlessError:
        return False
    return True


def _those_to_send_again(messages: list[Message], registration: Registration, now: datetime) -> list[Message]:
    """Of each kind the newest, if it is over and would still be sent."""
    newest: dict[str, Message] = {}
    for message in messages:
        message.registration = registration
        newest.setdefault(message.kind, message)
    return [message for message in newest.values() if _can_be_sent_again(message, registration, now)]


def _can_be_sent_again(message: Message, registration: Registration, now: datetime) -> bool:
    if message.state not in {Message.State.SENT, *Message.FAILED_STATES} or message.kind == Message.Kind.ERASED:
        return False
    if registration.awaits == Registration.Awaits.PROOF and message.kind != Message.Kind.PROOF:
        return False
    return _has_point(message, now)


def _require_pause(messages: list[Message], registration: Registration, now: datetime) -> None:
    mark = outbox.again_mark(registration)
    last = max((message.created_at for message in messages if mark in message.key), default=None)
    if last is None or now >= last + AGAIN_AT_MOST_EVERY:
        return
    # A minute that has begun is not over yet.
    again_at = last + AGAIN_AT_MOST_EVERY + timedelta(minutes=1)
    raise TooSoonError(
        _("A mail was sent to you again a moment ago. You can have the next from %(time)s on.")
        % {"time": formats.place_time(again_at, registration.own_time_zone)},
        retry_after=last + AGAIN_AT_MOST_EVERY - now,
    )
