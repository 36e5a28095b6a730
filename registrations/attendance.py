"""Who came: seen when they first go through the joining link while it is open."""

from datetime import datetime

from events.models import OfferCondition
from registrations import earning
from registrations.models import Registration


def note_coming(registration: Registration, *, now: datetime) -> bool:
    """Note that somebody with a place came, and what they earn by it. False when that was noted before.

    One conditional UPDATE: everybody comes in the same minutes, and most of them twice.
    """
    is_first = Registration.objects.confirmed().filter(pk=registration.pk, joined_at__isnull=True).update(joined_at=now)
    if is_first:
        earning.earn_by_visit(registration, kind=OfferCondition.Kind.ATTENDED, now=now)
    return bool(is_first)
