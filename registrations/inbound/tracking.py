"""What a mail provider tells of our mails: which came back, and of which their readers complained (Anymail's events).

The webhooks are opened by a secret, so what they say of an address is believed, also where the provider calls the mail
by a name of its own instead of its Message-ID.
"""

import logging
from datetime import datetime

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.db.models import QuerySet

from events import validators
from registrations import stops
from registrations.inbound.receiving import Outcome, Result
from registrations.models import Message

logger = logging.getLogger(__name__)

# Not sent at all, since the provider knows that it would come back, is as good as sent in vain.
_RETURNED = {EventType.BOUNCED, EventType.REJECTED}
_THE_ADDRESS = {RejectReason.BOUNCED, RejectReason.INVALID}


def note(event: AnymailTrackingEvent, *, now: datetime) -> Outcome:
    """Do what an event asks for; of most nothing comes. It may come any number of times, in any order."""
    outcome = _act(event, now)
    logger.info("A mail provider told of a mail: %s.", ": ".join(filter(None, (outcome.result, outcome.reason))))
    return outcome


def _act(event: AnymailTrackingEvent, now: datetime) -> Outcome:
    if event.event_type not in {*_RETURNED, EventType.COMPLAINED}:
        return Outcome(Result.IGNORED, "it is neither a return nor a complaint")
    message = _mail_of(event)
    if message is None or message.registration is None:
        return Outcome(Result.IGNORED, "it is about no mail of ours")
    if event.event_type == EventType.COMPLAINED:
        is_new = stops.unsubscribe(message.registration, how=stops.How.COMPLAINT, now=now)
        return Outcome(Result.COMPLAINED if is_new else Result.STALE)
    is_new = stops.came_back([message], reason=_reason(event), is_hard=_is_hard(event), now=now)
    return Outcome(Result.BOUNCED if is_new else Result.STALE)


def _mail_of(event: AnymailTrackingEvent) -> Message | None:
    """The mail that it tells of, or else the newest that had gone there by then."""
    if not event.recipient:
        return None
    theirs = Message.objects.filter(
        registration__email_key__in=stops.keys_of(event.recipient), registration__erased_at=None
    ).select_related("registration__webinar")
    named = _named(theirs, event.message_id or "").first()
    return named or _newest(theirs, event.timestamp).first()


def _named(mails: QuerySet[Message], name: str) -> QuerySet[Message]:
    """Providers write a Message-ID with its angle brackets or without."""
    return mails.filter(message_id=f"<{name.strip('<> ')}>")


def _newest(mails: QuerySet[Message], told_at: datetime | None) -> QuerySet[Message]:
    sent = mails.filter(state=Message.State.SENT).order_by("-sent_at", "-pk")
    return sent.filter(sent_at__lte=told_at) if told_at else sent


def _is_hard(event: AnymailTrackingEvent) -> bool:
    """What the server said counts before what the provider calls it: some call a full mailbox a bounce as well."""
    status = stops.status_in(event.mta_response or event.description or "")
    return stops.is_for_good(status) if status else event.reject_reason in _THE_ADDRESS


def _reason(event: AnymailTrackingEvent) -> str:
    said = event.mta_response or event.description or event.reject_reason or ""
    return validators.foreign_text(str(said))
