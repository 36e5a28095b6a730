"""Who is on the list of a webinar for invited people. Nobody is told: the organizers hand out the link themselves."""

from collections.abc import Iterable

from django.db import transaction

from events.email_addresses import address_key
from events.models import Invitee, Webinar

# What one statement writes; SQLite takes fewer by itself.
_ROWS_AT_ONCE = 1000


def invite(webinar: Webinar, emails: Iterable[str]) -> int:
    """Put these addresses on the list, all of them or none, and return how many are new there. Safe to run twice."""
    by_key = {address_key(email): email.strip() for email in emails}
    with transaction.atomic():
        before = webinar.invitees.count()
        rows = (Invitee(webinar=webinar, email=email, email_key=key) for key, email in by_key.items())
        Invitee.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE, ignore_conflicts=True)
        return webinar.invitees.count() - before


def known_among(webinar: Webinar, emails: Iterable[str]) -> int:
    """How many of these addresses, each of which is there once, are on the list already."""
    on_the_list = set(webinar.invitees.order_by().values_list("email_key", flat=True))
    return sum(address_key(email) in on_the_list for email in emails)


def take_off(invitee: Invitee) -> None:
    """Take one address off the list. Whoever has registered with it keeps what is theirs. Safe to run twice."""
    Invitee.objects.filter(pk=invitee.pk).delete()


def empty(webinar: Webinar) -> int:
    """Take all addresses off the list, and return how many those were."""
    count, _rows = webinar.invitees.all().delete()
    return count
