"""What somebody answers in their calendar (RFC 5546 3.2.3), and what becomes of a place that was declined.

An answer is noted, and never takes a place by itself: whoever declines is asked whether to keep it. When the host's
hours are over and they have not, it goes to whoever waits for it; while nobody does, nothing is taken.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils.translation import gettext as _

from registrations import invites, outbox, places
from registrations.models import Message, Registration
from registrations.signup.ending import end
from registrations.signup.locking import RegistrationOverError, in_turn, lock, one_by_one, refuse_cancelled

Because = Registration.CancelledBecause
Kind = Message.Kind
Partstat = Registration.Partstat

# So shortly before the start, and once it runs, nobody is asked any more, and nothing is taken.
TOO_LATE = timedelta(hours=1)


def answer(registration: Registration, *, partstat: Partstat, sequence: int, dtstamp: datetime, now: datetime) -> bool:
    """Note what the owner answered to that revision of the entry. False when it says nothing new, and changes nothing.

    Answers count from the revision on with which they were last asked: by another time that they were told, or another
    session. Of these the one to the highest revision counts, then the one with the latest DTSTAMP (RFC 5546 2.1.5), so
    that one that comes twice, or late, changes nothing.
    """
    return in_turn(lambda: _answer(registration, partstat, sequence, dtstamp, now))


def _answer(registration: Registration, partstat: Partstat, sequence: int, dtstamp: datetime, now: datetime) -> bool:
    mine, _sessions = lock(registration)
    if not _can_be_answered(mine, sequence) or not _is_later(mine, sequence, dtstamp, now):
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
        # Once for each time that they were asked to come, however often they change their mind: nobody can have them
        # written to without end.
        outbox.enqueue_once(mine, Kind.DECLINED, about=str(mine.asked_sequence), now=now)
    return True


def _can_be_answered(mine: Registration, sequence: int) -> bool:
    return mine.has_entry and not mine.is_erased and mine.asked_sequence <= sequence <= mine.sequence


def _is_later(mine: Registration, sequence: int, dtstamp: datetime, now: datetime) -> bool:
    """Whether it comes after the answer that is noted. A clock that ran ahead once cannot shut out all that follow."""
    noted, noted_at = mine.partstat_dtstamp, mine.replied_at
    if noted is None or noted_at is None or mine.partstat_sequence is None:
        return True
    if sequence != mine.partstat_sequence:
        return sequence > mine.partstat_sequence
    return dtstamp > noted or noted_at < dtstamp <= now


def ask_anew(registration: Registration, *, sequence: int) -> None:
    """People were told another time with that revision: what was answered to an earlier one says nothing any more.

    One statement. Safe to run twice, and in any order.
    """
    is_earlier = Q(partstat_sequence__lt=sequence)
    Registration.objects.filter(pk=registration.pk, asked_sequence__lt=sequence).update(
        asked_sequence=sequence,
        partstat=Case(When(is_earlier, then=Value("")), default=F("partstat")),
        frees_at=Case(When(is_earlier, then=Value(None)), default=F("frees_at"), output_field=DateTimeField()),
    )


def counter(registration: Registration, *, sequence: int, now: datetime) -> bool:
    """Tell somebody who proposed another time for that revision of the entry that it stays, and what else there is.

    Nothing changes, and they are told once for each revision, however often they propose: false when nobody is told.
    """
    return in_turn(lambda: _counter(registration, sequence, now))


def _counter(registration: Registration, sequence: int, now: datetime) -> bool:
    mine, _sessions = lock(registration)
    if not _can_be_answered(mine, sequence):
        return False
    return outbox.enqueue_once(mine, Kind.COUNTERED, about=str(mine.sequence), now=now)


def _frees_at(mine: Registration, now: datetime) -> datetime | None:
    """From when on others may have the place; None where it is taken from nobody.

    Whoever gets it then has at least as much time left as its owner had to answer.
    """
    hours = mine.session.webinar.host.keep_hours
    if hours is None or not _may_be_taken(mine, now):
        return None
    return now + min(timedelta(hours=hours), (mine.session.starts_at - now) / 2)


def _may_be_taken(mine: Registration, now: datetime) -> bool:
    """Whether a declined place could go to others at all: there is a limit, it was not paid, and it is not too late."""
    session = mine.session
    is_in_time = not session.is_cancelled and session.starts_at - now >= TOO_LATE
    is_wanted = session.capacity is not None and session.webinar.host.keep_hours is not None
    return mine.is_confirmed and mine.paid_at is None and is_wanted and is_in_time


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

    Who declined first gives first, and only as many give as there are people who wait.
    """
    return one_by_one(Registration.objects.given_up(now, starting_after=now + TOO_LATE), partial(_free, now=now))


def _key_of_question(mine: Registration) -> str:
    return outbox.key_of(mine, Kind.DECLINED, about=str(mine.asked_sequence))


def _free(pk: int, *, now: datetime) -> bool:
    mine, sessions = lock(Registration(pk=pk))
    is_given_up = mine.frees_at is not None and mine.frees_at <= now
    if not is_given_up or not _may_be_taken(mine, now) or not places.is_wanted(sessions[mine.session_id]):
        return False
    if not mine.messages.filter(key=_key_of_question(mine), state=Message.State.SENT).exists():
        # Nobody has asked them yet: the mail server is away, or refuses them. They have all of their time from now on.
        mine.frees_at = _frees_at(mine, now)
        mine.save()
        return False
    end(mine, Because.DECLINED, now)
    return True
