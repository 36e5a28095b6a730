"""Getting the outbox out: claim, compose, send, mark. Any number of workers may run this at once."""

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DataError, Error, connection

from registrations import doorbell, emails, marking, outbox, signup, stops, transport
from registrations.mime import ComposedMail
from registrations.models import Message
from registrations.pointless import PointlessError

logger = logging.getLogger(__name__)

# No mail is begun after that; see settings for how it, one mail's longest wait and the tasks' limits add up.
DRAIN_SECONDS = 60
# For so long the mark "sent" is tried again when the database went away after the server took the mail.
MARK_SENT_SECONDS = 30
CHANGES = "What it says changed whenever it was about to be sent."
OVERTAKEN = "A newer revision of the entry is on its way."
TOLD_SINCE = "A newer revision of the entry was told since."
# What was composed ahead and has waited for longer is composed anew: it may say what comes now, or only later.
AHEAD_SECONDS = 1
# So often a mail is composed anew since something changed meanwhile; then it waits until there is less going on.
ANEW_AT_MOST = 3


def deliver(message_id: int) -> int:
    """Send one message, if it is due and nobody else has it, then whatever else is due: the bell rings once for all.

    Returns how many were sent. Safe to run twice, at once or later.
    """
    doorbell.answer()
    desk = _Desk(time.monotonic() + DRAIN_SECONDS)
    message = outbox.claim(message_id, now=_now())
    with _open() as outlet:
        sent = _deliver_claimed(message, outlet, desk) if message is not None else False
        return sent + _deliver_due(outlet, desk)


def drain(*, seconds: float = DRAIN_SECONDS) -> int:
    """Send whatever is due, and first what a lost worker left behind, until nothing is left or the time is up.

    All of it over one connection. Returns how many were sent.
    """
    doorbell.answer()
    deadline = time.monotonic() + seconds
    sent = 0
    with _open() as outlet:
        while time.monotonic() < deadline and (abandoned := outbox.claim_abandoned(now=_now())):
            # Each may be what killed its worker, so that nothing else is touched meanwhile.
            sent += sum(_deliver_claimed(message, outlet) for message in abandoned)
        return sent + _deliver_due(outlet, _Desk(deadline))


class _Outlet(NamedTuple):
    """What stays open for as many mails as there are."""

    way_out: transport.Transport
    marks: marking.Marks


@contextmanager
def _open() -> Iterator[_Outlet]:
    with transport.open_transport() as way_out, marking.open_marks() as marks:
        yield _Outlet(way_out, marks)


class _Desk:
    """Claimed messages, one after the other; the next is composed while the server takes its time over one.

    A worker waits for the server most of the time, where that is a real one.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._claimed: deque[Message] = deque()
        self._ahead: tuple[int, float, ComposedMail] | None = None

    def next(self) -> Message | None:
        """The next message to send, or None when nothing is due or the time is up."""
        if time.monotonic() >= self._deadline:
            outbox.release(self._claimed)
            self._claimed.clear()
        else:
            self._refill()
        return self._claimed.popleft() if self._claimed else None

    def prepare(self) -> None:
        """Compose the next message. What goes wrong here goes wrong again when it is its turn, and is said then."""
        try:
            if time.monotonic() < self._deadline:
                self._refill()
            if self._claimed:
                mail = _compose(self._claimed[0])
                mail.as_bytes()
                self._ahead = (self._claimed[0].pk, time.monotonic(), mail)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            logger.debug("Nothing was composed ahead.", exc_info=True)

    def composed(self, message: Message) -> ComposedMail | None:
        """What was composed ahead for it, if that was a moment ago."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != message.pk or time.monotonic() > ahead[1] + AHEAD_SECONDS:
            return None
        return ahead[2]

    def _refill(self) -> None:
        if self._claimed:
            return
        self._claimed.extend(outbox.claim_batch(now=_now()))
        if len(self._claimed) == outbox.BATCH_SIZE:
            # There may be more than one worker should do alone.
            outbox.nudge_sweep()
        emails.read_ahead(self._claimed)


def _deliver_due(outlet: _Outlet, desk: _Desk) -> int:
    sent = 0
    while True:
        while (message := desk.next()) is not None:
            sent += _deliver_claimed(message, outlet, desk)
        # What follows to the same person waits for the mark.
        if not outlet.marks.settle():
            return sent


def _deliver_claimed(message: Message, outlet: _Outlet, desk: _Desk | None = None, *, anew: int = 0) -> bool:
    """Compose and send one claimed message; true when the server took it. Never raises for the mail's own sake."""
    try:
        mail = (desk.composed(message) if desk is not None else None) or _compose(message)
        begin = partial(outbox.mark_begun, message, message_id=mail.message_id)
        answer = outlet.way_out.send(
            mail,
            before_data=lambda: begin(now=_now()),
            meanwhile=desk.prepare if desk is not None else _nothing,
        )
    except PointlessError as error:
        outbox.mark_cancelled(message, reason=str(error))
    except transport.RefusedForGoodError as error:
        _mark_failed(message, answer=str(error))
    except transport.UnansweredError as error:
        outbox.mark_unanswered(message, answer=str(error), now=_now())
    except transport.RefusedForNowError as error:
        outbox.mark_postponed(message, answer=str(error), now=_now())
    except transport.ClaimLostError:
        return _deliver_anew(message, outlet, desk, anew + 1)
    except (Error, SoftTimeLimitExceeded):
        # The database is away, or the task is: the claim runs out, and somebody else looks at the message then.
        raise
    except Exception as error:
        logger.exception("Message %s could not be written.", message.pk)
        outbox.mark_postponed(message, answer=f"{type(error).__name__}: {error}"[:500], now=_now())
    else:
        outlet.marks.write(partial(_mark_sent, message, message_id=mail.message_id, answer=answer))
        return True
    return False


def _deliver_anew(message: Message, outlet: _Outlet, desk: _Desk | None, times: int) -> bool:
    """The same with what holds now, where that changed since the message was read; nothing where it is not ours."""
    again = outbox.claimed_anew(message)
    if again is None:
        logger.info("Message %s was taken over by another worker, or is not to be sent any more.", message.pk)
        return False
    if times > ANEW_AT_MOST:
        outbox.mark_postponed(again, answer=CHANGES, now=_now())
        return False
    emails.read_ahead([again])
    return _deliver_claimed(again, outlet, desk, anew=times)


def _compose(message: Message) -> ComposedMail:
    """The mail as things stand. Raises PointlessError where it need not be sent, or must not."""
    if reason := stops.reason(message) or _overtaken(message):
        raise PointlessError(reason)
    return emails.compose(message, now=_now())


def _ask_anew(message: Message) -> None:
    """Whoever has been told another time is asked anew whether they come."""
    if message.payload.get(outbox.MOVES) and message.registration is not None and message.sequence is not None:
        signup.ask_anew(message.registration, sequence=message.sequence)


def _overtaken(message: Message) -> str:
    """Says so where the entry has a newer revision that another open message will tell, or has told; else nothing.

    Only an update is told by a later one: a first mail that failed has more to say than when the session is.
    """
    if message.registration is None or message.sequence is None or message.registration.sequence <= message.sequence:
        return ""
    newer = Message.objects.filter(registration=message.registration, sequence__gt=message.sequence)
    if newer.open().exists():
        return OVERTAKEN
    is_told = message.kind in outbox.UPDATES and newer.filter(state=Message.State.SENT, bounced_at=None).exists()
    return TOLD_SINCE if is_told else ""


def _mark_failed(message: Message, *, answer: str) -> None:
    """Where the server says that it is the address, nothing more goes there."""
    is_marked = outbox.mark_failed(message, answer=answer, now=_now())
    if is_marked and stops.is_for_good(stops.status_in(answer)):
        stops.note_address(message, reason=answer, now=_now())


def _mark_sent(message: Message, *, message_id: str, answer: str) -> None:
    """One statement, tried again with new connections: a database that restarts now would make a duplicate."""
    deadline = time.monotonic() + MARK_SENT_SECONDS
    while True:
        try:
            outbox.mark_sent(message, message_id=message_id, answer=answer, now=_now())
        except DataError:
            # It is there, and cannot keep what the server said: unmarked, the mail would go out again and again.
            if not answer:
                raise
            logger.exception("What the server said to message %s cannot be kept.", message.pk)
            answer = ""
        except Error:
            if time.monotonic() >= deadline or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(0.5)
        else:
            _ask_anew(message)
            return


def _nothing() -> None:
    """What there is to do meanwhile beside a message that may have killed a worker."""


def _now() -> datetime:
    return datetime.now(UTC)
