"""Erasing: nothing of a person is left but counts, and the entry goes out of their calendar all the same.

The mail that withdraws the entry is written while there is somebody to write to, and kept with its row until it is
sent (docs/decisions/0018).
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from events.email_addresses import address_key
from events.models import User
from registrations import emails, outbox, signup, stops
from registrations.models import Message, Registration

Because = Registration.CancelledBecause


def erase(registration: Registration, *, now: datetime) -> None:
    """Forget whose registration it was: the place goes to the next, the entry is withdrawn, and counts remain.

    Who has been to the session stays counted there. Codes that were earned stay as numbers of their offer. An address
    that nobody proved is not written to. Safe to run twice: the second time does nothing. Raises a SignupError, having
    changed nothing, when the registration was changed again and again at the same moment.
    """
    with transaction.atomic():
        # Through the act, which takes its locks in the order of all others: what follows locks mails last.
        if not _has_been_there(registration, now):
            signup.cancel(registration, now=now, because=Because.ERASED)
        mine = _lock(registration)
        if mine.is_erased:
            return
        is_reached = is_told(mine) and stops.failing_address(mine) is None
        written = emails.write_erased(mine, now=now) if is_reached else None
        outbox.forget(mine)
        if written is not None:
            outbox.enqueue_erased(mine, written=written, now=now)
        mine.answers.all().delete()
        mine.offer_codes.filter(unlocked_at__isnull=True).delete()
        key = mine.email_key
        _blank(mine, now)
        stops.forget([key])


def is_told(registration: Registration) -> bool:
    """Whether a last mail goes out: the address is known to be theirs, or was written to before proof was asked for."""
    is_unproved = registration.session.webinar.needs_proof and registration.proved_at is None
    return not is_unproved or registration.dtstamp is not None


def erase_all(email_keys: Iterable[str], *, now: datetime) -> int:
    """Erase every registration of these addresses, each by itself. Returns how many."""
    theirs = list(Registration.objects.filter(email_key__in=set(email_keys)).order_by("pk"))
    for registration in theirs:
        erase(registration, now=now)
    return len(theirs)


def erase_person(user: User, addresses: Collection[str], *, now: datetime) -> None:
    """Erase every registration of somebody's proved addresses, the mails about signing in, and then the account.

    Safe to run twice. Raises a SignupError as `erase` does: what was erased until then stays so, and the account too.
    """
    erase_all({address_key(email) for email in addresses}, now=now)
    Message.objects.filter(registration__isnull=True, to_email__in={user.email, *addresses}).delete()
    _forget_in_history(user, "")
    user.delete()


def _has_been_there(registration: Registration, now: datetime) -> bool:
    mine = Registration.objects.select_related("session").get(pk=registration.pk)
    return mine.is_confirmed and mine.session.has_ended(now)


def _lock(registration: Registration) -> Registration:
    rows = Registration.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("session__webinar__host").get(pk=registration.pk)


def _blank(registration: Registration, now: datetime) -> None:
    registration.name = registration.email = registration.time_zone = ""
    # Free for whoever comes back with the address, who starts anew.
    registration.email_key = f"erased-{registration.reference}"
    registration.consented_at = None
    registration.erased_at = now
    registration.save()
    _forget_in_history(registration, str(registration))


def _forget_in_history(subject: models.Model, called: str) -> None:
    """What organizers did stays in the admin's history, and not to whom: it has a name for each row it speaks of."""
    kind = ContentType.objects.get_for_model(subject)
    LogEntry.objects.filter(content_type=kind, object_id=str(subject.pk)).update(object_repr=called)
