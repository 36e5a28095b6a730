"""What an organizer has written to many, once it is on its way: how far it has come, and its end.

It is written and sent off through `mailings`.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q

from registrations import outbox
from registrations.models import Mailing, Message
from registrations.pointless import STOPPED


@dataclass(frozen=True)
class Progress:
    """How many were sent it, how many of its mails wait or are being sent, and whether all of them are written."""

    sent: int
    waiting: int
    is_written: bool

    @property
    def is_over(self) -> bool:
        return self.is_written and not self.waiting


def progress_of(mailing: Mailing) -> Progress:
    """How far it has come, in one query."""
    is_open = Q(state__in=Message.OPEN_STATES)
    found = mailing.messages.order_by().aggregate(
        sent=models.Count("pk", filter=Q(state=Message.State.SENT)), waiting=models.Count("pk", filter=is_open)
    )
    return Progress(**found, is_written=mailing.written_at is not None)


def can_be_stopped(mailing: Mailing) -> bool:
    """Whether anybody is still to get it. What the plan sends has its rules to be stopped by."""
    is_one = mailing.kind == Message.Kind.ANNOUNCEMENT and mailing.stopped_at is None
    return is_one and not progress_of(mailing).is_over


def stop(mailing: Mailing, *, now: datetime) -> int | None:
    """End an announcement: no mail of it is written any more, and none that nobody has begun is sent.

    Returns how many were written and are not sent; None where it was over, so that running it twice does nothing. Who
    writes its mails holds the row meanwhile. A mail whose text is going out at this moment goes out.
    """
    with transaction.atomic():
        locked = Mailing.objects.select_for_update(of=("self",), no_key=True).get(pk=mailing.pk)
        if not can_be_stopped(locked):
            return None
        Mailing.objects.filter(pk=locked.pk).update(stopped_at=now, written_at=locked.written_at or now)
        return outbox.cancel_unbegun(
            Message.objects.filter(mailing=locked), because=Message.CancelledBecause.STOPPED, words=STOPPED
        )
