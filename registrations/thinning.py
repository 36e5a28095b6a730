"""Deleting the rows of mails that are long over, each day: how long they are kept is the host's choice.

A row is also what keeps its mail from being written twice, so it goes only once nothing can be told any more: when the
session of its registration is over for that long. And the row that has told the newest revision of somebody's calendar
entry stays as long as they do: without it, a later mail would withdraw an entry that they were told of (`emails`).
"""

import time
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from events.models import Host
from registrations.models import Message
from registrations.querysets import MessageQuerySet

BATCH = 1_000
# Mails about signing in belong to no host. Their text is gone already. Of invites to oneself the newest few are kept,
# however old they are: they are what the doctor goes by (`probes.MOST_KEPT`).
KEEP_OTHERS = timedelta(days=30)
# So that the task ends in time.
THINNING_SECONDS = 120


def thin_out(*, now: datetime, seconds: float = THINNING_SECONDS) -> int:
    """Delete what is not kept any longer, in batches, each a transaction. Returns how many. May run at once."""
    deadline = time.monotonic() + seconds
    deleted = 0
    for rows in [_others(now), *(_of_host(host, now) for host in Host.objects.filter(keep_mails_days__isnull=False))]:
        while time.monotonic() < deadline and (count := _delete_batch(rows)):
            deleted += count
    return deleted


def _others(now: datetime) -> MessageQuerySet:
    return _ended(now - KEEP_OTHERS).filter(registration__isnull=True).exclude(kind=Message.Kind.PROBE)


def _of_host(host: Host, now: datetime) -> MessageQuerySet:
    until = now - timedelta(days=host.keep_mails_days or 0)
    theirs = _ended(until).filter(registration__webinar__host=host, registration__session__ends_at__lt=until)
    return theirs.exclude(_tells_newest_revision())


def _ended(until: datetime) -> MessageQuerySet:
    is_open = Q(state__in=Message.OPEN_STATES)
    return Message.objects.filter(~is_open, created_at__lt=until)


def _tells_newest_revision() -> Q:
    return Q(state=Message.State.SENT, sequence__isnull=False, sequence__gte=F("registration__sequence"))


def _delete_batch(rows: MessageQuerySet) -> int:
    """Lock some, look at them again under the lock, and delete them: one may be sent again by hand at this moment."""
    with transaction.atomic():
        skip_locked = connection.features.has_select_for_update_skip_locked
        locked = rows.select_for_update(of=("self",), skip_locked=skip_locked).order_by("pk")
        ids = list(locked.values_list("pk", flat=True)[:BATCH])
        Message.objects.filter(pk__in=ids).delete()
    return len(ids)
