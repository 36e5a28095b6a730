"""What somebody answers in their calendar (RFC 5546 3.2.3), and what becomes of a place that was declined.

An answer is noted, and never takes a place by itself: whoever declines is asked whether to keep it. When the host's
hours are over and they have not, it goes to whoever waits for it; while nobody does, nothing is taken.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from events.models import Session
from registrations import invites, outbox, places
from registrations.models import Message, Registration
from registrations.querysets import RegistrationQuerySet
from registrations.signup.ending import end
from registrations.signup.locking import RegistrationOverError, in_turn, lock, refuse_cancelled

logger = logging.getLogger(__name__)

Because = Registration.CancelledBecause
Kind = Message.Kind
Partstat = Registration.Partstat

# So shortly before the start nobody is asked any more, and nothing is taken.
TOO_LATE = timedelta(hours=1)


def answer(registration: Registration, *, partstat: Partstat, sequence: int, dtstamp: datetime, now: datetime) -> bool:
    """Note what the owner answered to that revision of the entry. False when it says nothing new, and changes nothing.

    Only the newest revision that they were told, or are about to be, can be answered, and of its answers the one with
    the latest DTSTAMP counts (RFC 5546 2.1.5): one that comes twice, late, or to an earlier revision changes nothing.
    A clock that runs ahead cannot shut out later answers: its DTSTAMP counts as now.
    """
    return in_turn(lambda: _answer(registration, partstat, sequence, min(dtstamp, now), now))


def _answer(registration: Registration, partstat: Partstat, sequence: int, dtstamp: datetime, now: datetime) -> bool:
    mine, _sessions = lock(registration)
    if not mine.has_entry or mine.is_erased or not _can_be_answered(mine, sequence):
        return False
    if mine.partstat_dtstamp is not None and (mine.partstat_sequence, mine.partstat_dtstamp) >= (sequence, dtstamp):
        return False
    is_asked = mine.frees_at is not None
    mine.partstat, mine.partstat_sequence, mine.partstat_dtstamp = partstat, sequence, dtstamp
    mine.replied_at = now
    if partstat != Partstat.DECLINED:
        mine.frees_at = None
    elif not is_asked:
        mine.frees_at = _frees_at(mine, now)
    mine.save()
    if mine.frees_at is not None and not is_asked:
        outbox.enqueue_beside(mine, Kind.DECLINED, now=now)
    return True


def counter(registration: Registration, *, sequence: int, now: datetime) -> bool:
    """Tell somebody who proposed another time for that revision of the entry that it stays, and what else there is.

    Nothing changes, and they are told once for each revision, however often they propose: false when nobody is told.
    """
    return in_turn(lambda: _counter(registration, sequence, now))


def _counter(registration: Registration, sequence: int, now: datetime) -> bool:
    mine, _sessions = lock(registration)
    if not mine.has_entry or mine.is_erased or not _can_be_answered(mine, sequence):
        return False
    return outbox.enqueue_once(mine, Kind.COUNTERED, about=str(mine.sequence), now=now)


def _can_be_answered(mine: Registration, sequence: int) -> bool:
    """Whether that is the newest revision that they were told: of a change that was undone in time nobody hears."""
    newer = mine.messages.filter(sequence__gt=sequence).exclude(state__in=[Message.State.DROPPED, Message.State.DEAD])
    return sequence == mine.sequence or (sequence < mine.sequence and not newer.exists())


def _frees_at(mine: Registration, now: datetime) -> datetime | None:
    """From when on others may have the place; None where nobody could want it, it was paid, or the host takes none.

    Whoever gets it then has at least as much time left as its owner had to answer.
    """
    session = mine.session
    hours = session.webinar.host.keep_hours
    is_wanted = mine.is_confirmed and mine.paid_at is None and session.capacity is not None
    time_left = session.starts_at - now
    if not is_wanted or hours is None or session.is_cancelled or time_left < TOO_LATE:
        return None
    return now + min(timedelta(hours=hours), time_left / 2)


def keep_place(registration: Registration, *, now: datetime) -> Registration:
    """Keep a place that was declined in the calendar. The entry comes back, since many calendars have thrown it away.

    Raises RegistrationOverError when the place went to somebody else meanwhile, or its session is off. Keeping what
    was not declined does nothing.
    """
    return in_turn(lambda: _keep_place(registration, now))


def _keep_place(registration: Registration, now: datetime) -> Registration:
    mine, _sessions = lock(registration)
    refuse_cancelled(mine)
    if places.is_off(mine.session, now):
        raise RegistrationOverError(_("This session is over or was called off, so there is no place to be had in it."))
    if mine.frees_at is None:
        return mine
    invites.revise(mine, now=now)
    mine.save()
    outbox.enqueue(mine, Kind.CONFIRMED, now=now)
    return mine


def free_declined(*, now: datetime) -> int:
    """Give the places that were declined, and not kept in time, to those who wait for them. Returns how many.

    Who declined first gives first, and only as many give as there are people who wait. Each in a transaction of its
    own, so that what stops one does not hold up the others.
    """
    freed = 0
    for pk in list(_given_up(now).values_list("pk", flat=True)):
        try:
            freed += in_turn(partial(_free, pk, now))
        except Exception:
            logger.exception("The declined place of registration %s could not be passed on.", pk)
    return freed


def _given_up(now: datetime) -> RegistrationQuerySet:
    """Declined places whose time is over and for which somebody waits, the longest ago first."""
    waiting = Registration.objects.waiting().order_by()
    of_session = waiting.filter(session=OuterRef("session"))
    of_any = waiting.filter(webinar=OuterRef("webinar"), any_session=True)
    coming = Q(session__state=Session.State.SCHEDULED, session__ends_at__gt=now)
    declined = Registration.objects.confirmed().filter(coming, frees_at__lte=now)
    return declined.filter(Exists(of_session) | Exists(of_any)).order_by("frees_at", "pk")


def _free(pk: int, now: datetime) -> bool:
    mine, sessions = lock(Registration(pk=pk))
    session = sessions[mine.session_id]
    is_given_up = mine.is_confirmed and mine.frees_at is not None and mine.frees_at <= now
    if not is_given_up or places.is_off(session, now) or not places.is_wanted(session):
        return False
    end(mine, Because.DECLINED, now)
    return True
