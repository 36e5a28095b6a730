"""What happens to a mail that came in: an answer from a calendar, one of ours that came back, or nothing at all.

Whose word counts is docs/decisions/0021. Each mail may come any number of times, from any door, in any order.
"""

import email.message
import email.policy
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from events.email_addresses import address_key, mailbox_key, wire_key
from registrations import correspondence, outbox, probes, reply_addresses, signup, stops
from registrations.inbound import authentication, bounces, reading, replies
from registrations.inbound.bounces import Bounce, Failure
from registrations.inbound.reading import IgnoredError, Mail
from registrations.inbound.replies import Method, Reply
from registrations.models import Message, Registration

logger = logging.getLogger(__name__)


# To fold a header anew takes the square of its length.
_AS_IT_CAME = email.policy.default.clone(refold_source="none")
# So often a calendar may ask for one revision of an entry again.
MOST_AGAIN = 3
# Of the mails that brought it, the newest that still holds is sent.
MOST_TRIED = 5


class Result(StrEnum):
    """What became of a mail."""

    NOTED = "noted"  # an answer, which organizers see
    STALE = "stale"  # an answer that says nothing new
    ANSWERED = "answered"  # a question, and a mail goes back
    BOUNCED = "bounced"  # one of ours came back
    COMPLAINED = "complained"  # somebody called one of ours spam
    IGNORED = "ignored"


@dataclass(frozen=True)
class Outcome:
    """What became of a mail; of one that was ignored, why."""

    result: Result
    reason: str = ""


def receive(raw: bytes, *, now: datetime, recipient: str = "") -> Outcome:
    """Read one mail and do what it asks for. `recipient` is the address in its envelope, where the door knows it.

    Whatever the mail is, this returns. It raises only what would be otherwise another time, a database error above all:
    the door then has the mail come again. Nothing of the mail is kept, save what it says, and nothing of it is logged.
    """
    try:
        outcome = _act(_read(raw, recipient), now)
    except IgnoredError as ignored:
        outcome = Outcome(Result.IGNORED, str(ignored))
    logger.info("A mail came in: %s.", ": ".join(filter(None, (outcome.result, outcome.reason))))
    return outcome


def receive_parsed(message: email.message.Message, *, now: datetime, recipient: str = "") -> Outcome:
    """The same, for a mail that the door has taken apart already."""
    try:
        raw = message.as_bytes(policy=_AS_IT_CAME)
    except Exception as error:  # noqa: BLE001 - what is put together from junk raises anything
        logger.warning("A mail that came in could not be put together: %s.", type(error).__name__)
        return Outcome(Result.IGNORED, "it cannot be read")
    return receive(raw, now=now, recipient=recipient)


@dataclass(frozen=True)
class _Read:
    mail: Mail
    content: Reply | Bounce


def _read(raw: bytes, recipient: str) -> _Read:
    """Without a look at the database, so that whatever goes wrong here is the mail's own fault."""
    try:
        mail = reading.read(raw, recipient=recipient)
        content = bounces.read(mail) if bounces.is_report(mail) else replies.read(mail)
        return _Read(mail, content)
    except (IgnoredError, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # noqa: BLE001 - parsers of junk raise anything; what they say may repeat it
        logger.warning("A mail that came in could not be read: %s.", type(error).__name__)
        raise IgnoredError("it cannot be read") from None


def _act(read: _Read, now: datetime) -> Outcome:
    if isinstance(read.content, Bounce):
        return _note_bounce(read.mail, read.content, now)
    reply = read.content
    is_answer = reply.method == Method.REPLY
    if is_answer and probes.note_answer(reply.uid, partstat=reply.partstat, sender=read.mail.sender, now=now):
        return Outcome(Result.NOTED)
    registration = _registration_of(read.mail, reply)
    if reply.method == Method.REPLY:
        return _note_answer(registration, reply, now)
    if reply.method == Method.COUNTER and reply.partstat is not None:
        # Who proposes another time may decline this one with it.
        _note_answer(registration, reply, now)
    if read.mail.was_written_by_a_program:
        raise IgnoredError("it was written by a program, which is not answered")
    if reply.method == Method.COUNTER:
        is_told = signup.counter(registration, sequence=reply.sequence, now=now)
    else:
        is_told = _send_entry_again(registration, now)
    return Outcome(Result.ANSWERED if is_told else Result.STALE)


# ---------- answers ----------


def _registration_of(mail: Mail, reply: Reply) -> Registration:
    """Whose entry it is about. Raises IgnoredError unless the mail is its owner's, as far as anybody can tell."""
    if authentication.says_forged(mail, authserv_id=settings.AUTHSERV_ID):
        raise IgnoredError("it is forged, as our mail server says")
    registration = Registration.objects.filter(uid=reply.uid).first()
    if registration is None:
        raise IgnoredError("it is about no entry of ours")
    references = _signed_for(mail, known=registration.organizer)
    if references and references != {registration.reference}:
        raise IgnoredError("it came to the address of another entry")
    _require_owner(registration, mail, reply, may_be_alias=bool(references))
    if registration.is_erased or registration.is_cancelled:
        raise IgnoredError("the registration has ended")
    return registration


def _signed_for(mail: Mail, *, known: str = "") -> set[str]:
    """The registrations to whose own addresses it came. Raises IgnoredError where one is not signed by us.

    `known` is the address that an entry has for life: its signature may be of a key that is no more.
    """
    personal = [address for address in mail.recipients if reply_addresses.looks_personal(address)]
    references = {
        reply_addresses.named_reference(address)
        if address_key(address) == address_key(known)
        else reply_addresses.read_reference(address)
        for address in personal
    }
    if None in references:
        raise IgnoredError("it came to an address that is not signed by us")
    return {reference for reference in references if reference}


def _require_owner(registration: Registration, mail: Mail, reply: Reply, *, may_be_alias: bool) -> None:
    """An alias of the owner's mailbox counts only where the mail came to the signed address: those have the invite."""
    key = mailbox_key if may_be_alias else wire_key
    owner = key(registration.email)
    if not mail.sender or key(mail.sender) != owner:
        raise IgnoredError("it is not from the owner of the entry")
    if owner not in {key(attendee) for attendee in reply.attendees}:
        raise IgnoredError("it does not answer for the owner of the entry")


def _note_answer(registration: Registration, reply: Reply, now: datetime) -> Outcome:
    if reply.partstat is None:
        raise IgnoredError("it answers neither yes, perhaps nor no")
    is_new = signup.answer(
        registration, partstat=reply.partstat, sequence=reply.sequence, dtstamp=reply.dtstamp, now=now
    )
    return Outcome(Result.NOTED if is_new else Result.STALE)


def _send_entry_again(registration: Registration, now: datetime) -> bool:
    """The newest mail that brought the entry, or else the link, once more; neither more often than in ten minutes.

    False when nothing is owed for it, since such a mail is on its way or went out a moment ago.
    """
    again = registration.messages.filter(key__contains=outbox.again_mark(registration), sequence=registration.sequence)
    if again.count() >= MOST_AGAIN:
        return False
    brought = registration.messages.filter(kind__in=Message.INVITE_KINDS).order_by("-pk")
    if brought.filter(state__in=Message.OPEN_STATES).exists():
        return False
    for pk in brought.values_list("pk", flat=True)[:MOST_TRIED]:
        try:
            correspondence.send_again(registration, message_id=pk, now=now)
        except correspondence.TooSoonError:
            return False
        except correspondence.SendAgainError:
            continue
        return True
    return _send_link_again(registration, now)


def _send_link_again(registration: Registration, now: datetime) -> bool:
    with transaction.atomic():
        return outbox.enqueue_link_again(registration, asked_for=registration.session, now=now)


# ---------- mails of ours that came back ----------


def _note_bounce(mail: Mail, bounce: Bounce, now: datetime) -> Outcome:
    """Mark the mail that came back, once, and its address where that takes no mail at all.

    A forged report can do no more than that, and must know the Message-ID and its reader.
    """
    if authentication.says_forged(mail, authserv_id=settings.AUTHSERV_ID):
        raise IgnoredError("it is forged, as our mail server says")
    theirs = _mails_with(bounce.message_id).filter(_may_be_about(mail, bounce)).exclude(to_email="")
    found = [(message, failure) for message in theirs if (failure := bounce.failure_of(message.to_email)) is not None]
    if not found and probes.note_bounce(bounce.message_id, reason=bounce.failures[0].reason, now=now):
        return Outcome(Result.BOUNCED)
    if not found:
        raise IgnoredError("it is a report of no mail of ours")
    is_new = [_note_failure(message, failure, now) for message, failure in found]
    return Outcome(Result.BOUNCED if any(is_new) else Result.STALE)


def _note_failure(message: Message, failure: Failure, now: datetime) -> bool:
    is_hard = stops.is_for_good(failure.status)
    return stops.came_back([message], reason=failure.reason, is_hard=is_hard, now=now)


def _may_be_about(mail: Mail, bounce: Bounce) -> Q:
    """Whose mails it can be about, by what has an index: the address that it came back to, or the one that failed."""
    personal = [address for address in mail.recipients if reply_addresses.looks_personal(address)]
    if personal:
        # The address has been its own since it was first written; the signature may be of a key that is no more.
        references = {reply_addresses.named_reference(address) for address in personal}
        return Q(registration__reference__in=references)
    keys = {key for address in bounce.recipients for key in stops.keys_of(address)}
    return Q(registration__email_key__in=keys)


def _mails_with(message_id: str) -> QuerySet[Message]:
    return Message.objects.filter(message_id=message_id).select_related("registration__webinar")
