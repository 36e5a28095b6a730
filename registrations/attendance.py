"""Who came: seen when they first go through the joining link while it is open, or marked by an organizer."""

from datetime import datetime

from django.db import transaction

from events.models import OfferCondition, Session
from events.scheduling import PlannedTime
from registrations import earning
from registrations.models import Registration


def note_coming(registration: Registration, *, now: datetime, came_at: datetime | None = None) -> bool:
    """Note that somebody with a place came, and what they earn by it, or neither. False when that was noted before.

    `came_at` is when they did, where that is not now.

    Everybody comes in the same minutes, and most of them twice: whoever is known to have come costs no statement, and
    of two at once a conditional UPDATE lets one be the first.
    """
    if registration.joined_at is not None:
        return False
    not_noted = Registration.objects.confirmed().filter(pk=registration.pk, joined_at__isnull=True)
    with transaction.atomic():
        is_first = bool(not_noted.update(joined_at=came_at or now))
        if is_first:
            earning.earn_by_visit(registration, kind=OfferCondition.Kind.ATTENDED, now=now)
    return is_first


def mark_as_came(registration: Registration, *, now: datetime) -> bool:
    """An organizer says that somebody was there: they joined in another way, or in a room. Safe to run twice.

    Of a session that is over, they came before its end. Reads the session.
    """
    return note_coming(registration, now=now, came_at=min(now, registration.session.ends_at))


def forget_earlier_date(session: Session, *, previous: PlannedTime) -> int:
    """Forget who came to a session that is given again. Returns how many; what they have earned stays.

    It is given again when it starts after it was to end. One that begins a little later, or goes on for longer, is the
    same, and whoever is inside does not go through the link once more.
    """
    if session.starts_at < previous.starts_at + previous.duration:
        return 0
    came = Registration.objects.filter(session=session, joined_at__isnull=False).order_by()
    return came.update(joined_at=None)
