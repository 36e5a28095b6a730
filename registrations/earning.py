"""Earning an offer after registering: the code is unlocked, and its owner has it by mail as well."""

from datetime import datetime

from django.db import transaction

from registrations import offers, outbox
from registrations.models import Message, Registration


def earn(registration: Registration, *, kind: str, now: datetime) -> int:
    """Unlock what a way to earn offers, a kind of OfferCondition, has just earned, and owe the mail. Returns how many.

    Also of an offer that was made since they registered. The caller holds the registration's lock. May run twice: what
    was unlocked before is told once.
    """
    offers.issue(registration, now=now)
    unlocked = offers.unlock(registration, kind=kind, now=now)
    if unlocked:
        outbox.enqueue_beside(registration, Message.Kind.OFFER_EARNED, now=now, payload={"earned_by": kind})
    return unlocked


def earn_by_visit(registration: Registration, *, kind: str, now: datetime) -> int:
    """The same for whoever has only looked at a page: nothing is locked unless there is something to earn."""
    if not registration.offer_codes.filter(unlocked_at__isnull=True, offer__conditions__kind=kind).exists():
        return 0
    with transaction.atomic():
        locked = Registration.objects.select_for_update(of=("self",), no_key=True)
        mine = locked.select_related("session__webinar").get(pk=registration.pk)
        return earn(mine, kind=kind, now=now) if mine.is_confirmed else 0
