"""Places and queues: how a place is taken, kept, given back and passed on. The acts are in `registrations.signup`.

Everything here runs inside the transaction of an act, under the locks that the act took: sessions by id, then
registrations, then their messages. Locks are the kind that lets others write rows that point here (FOR NO KEY UPDATE).

How a place is never sold twice: `Session.places_taken` is raised by a conditional UPDATE, which succeeds only while a
place is free, and is backed by the constraint `session_not_oversold`. It counts the registrations that have
`has_place`, whatever their status.

How nobody waits beside a free place: whoever joins a queue holds the lock of every session that they would come to,
and has looked for a place in each. Whoever gives a place back holds its session's lock, and gives it to the first who
waits for it. So nobody can join unseen while a place comes free. Those who wait for any session stand in all queues,
and another session's place may go to them meanwhile; so whoever is first is locked and looked at once more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from events import freshness
from events.models import Session
from events.scheduling import PlannedTime
from events.statements import Given, Statement
from registrations import invites, offers, outbox
from registrations.models import Message, Registration

PROOF_WITHIN = timedelta(hours=24)

Awaits = Registration.Awaits
Kind = Message.Kind
Status = Registration.Status


class MovedMeanwhileError(Exception):
    """The registration is not what it was when its session was locked: the act begins again."""


# ---------- locks ----------


def lock_sessions(*ids: int) -> dict[int, Session]:
    """Lock these sessions, lowest id first, so that two acts can never wait for each other."""
    return _locked(Q(pk__in=set(ids)))


def lock_webinar(webinar_id: int) -> dict[int, Session]:
    """Lock all sessions of a webinar: nobody joins or leaves any of its queues until the commit, save by cancelling."""
    return _locked(Q(webinar=webinar_id))


def _locked(which: Q) -> dict[int, Session]:
    rows = Session.objects.select_for_update(of=("self",), no_key=True).filter(which).order_by("pk")
    return {session.pk: session for session in rows.select_related("webinar__host")}


def lock_registration(pk: int, sessions: Mapping[int, Session]) -> Registration:
    """Lock a registration whose session is locked already. Raises MovedMeanwhileError when it is in another by now."""
    mine = Registration.objects.select_for_update(no_key=True).get(pk=pk)
    if mine.session_id not in sessions:
        raise MovedMeanwhileError
    mine.session = sessions[mine.session_id]
    mine.webinar = mine.session.webinar
    return mine


# ---------- the steps before a place ----------


def next_step(registration: Registration) -> Awaits | None:
    """What is asked next, by the rules of the webinar as they are now; None once nothing is left.

    A rule that was turned on later is not asked of those who are past it: who waits is only asked to pay, and who has
    had a place for good is asked for nothing.
    """
    webinar = registration.session.webinar
    steps = {
        Awaits.PROOF: webinar.needs_proof and registration.proved_at is None,
        Awaits.APPROVAL: webinar.needs_approval and registration.approved_at is None,
        Awaits.PAYMENT: not webinar.is_free and registration.paid_at is None,
    }
    order = list(steps)
    if registration.is_pending:
        order = order[order.index(Awaits(registration.awaits)) :]
    elif registration.is_waitlisted:
        order = [Awaits.PAYMENT]
    elif registration.is_confirmed:
        order = []
    return next((step for step in order if steps[step]), None)


def needs_place(registration: Registration, step: Awaits | None) -> bool:
    """Whether that step is waited for with a place: not before somebody has accepted the registration."""
    webinar = registration.session.webinar
    is_accepted = not webinar.needs_approval or registration.approved_at is not None
    return step != Awaits.APPROVAL and (step != Awaits.PROOF or is_accepted)


def settle(mine: Registration, within: Sequence[Session], *, now: datetime) -> Kind:
    """Bring somebody to their next step: with a place of one of those locked sessions, or into the queue.

    On the object only; the caller saves it and owes the mail whose kind this returns. A place that they have is kept
    where the step needs one; where it needs none, the caller passes it on.
    """
    step = next_step(mine)
    if not needs_place(mine, step):
        mine.has_place = False
        return _wait_for(mine, step, now)
    if not mine.has_place:
        free = next((session for session in within if take_place(session)), None)
        if free is not None:
            mine.session, mine.has_place = free, True
    if mine.has_place:
        return hold_place(mine, step, now=now)
    if mine.waiting_since is None:
        mine.waiting_since = _behind_the_last(within, now)
    # Who has to prove the address has come now, and joins the queue at this moment of theirs once that is done.
    return _wait_for(mine, step, now) if step == Awaits.PROOF else _queue(mine, now)


def hold_place(mine: Registration, step: Awaits | None, *, now: datetime) -> Kind:
    """Note on the object that a place is theirs: for good, or kept until they take that step."""
    mine.has_place, mine.any_session, mine.waiting_since = True, False, None
    if step is not None:
        return _wait_for(mine, step, now)
    mine.status, mine.awaits, mine.lapses_at, mine.confirmed_at = Status.CONFIRMED, "", None, now
    invites.revise(mine, now=now)
    return Kind.CONFIRMED


def _wait_for(mine: Registration, step: Awaits | None, now: datetime) -> Kind:
    is_new = (mine.status, mine.awaits) != (Status.PENDING, step)
    mine.status, mine.awaits, mine.confirmed_at = Status.PENDING, step or "", None
    within = _time_for(step, mine.session)
    if within is None:
        mine.lapses_at = None
    elif is_new or mine.lapses_at is None:  # moving about gives nobody more time
        mine.lapses_at = now + within
    invites.revise_shown(mine, now=now)
    return Kind.PROOF if step == Awaits.PROOF else Kind.PENDING


def _time_for(step: Awaits | None, session: Session) -> timedelta | None:
    """How long a registration is kept for somebody to take that step; None for as long as it takes."""
    if step == Awaits.PROOF:
        return PROOF_WITHIN
    days = session.webinar.payment_days
    return timedelta(days=days) if step == Awaits.PAYMENT and days else None


def _queue(mine: Registration, now: datetime) -> Kind:
    mine.status, mine.awaits, mine.lapses_at, mine.confirmed_at = Status.WAITLISTED, "", None, None
    invites.revise(mine, now=now)
    return Kind.WAITLISTED


def _behind_the_last(sessions: Sequence[Session], now: datetime) -> datetime:
    """The moment of whoever joins the queues of these locked sessions: behind the last, even by a slower clock."""
    rows = (
        _LAST_OF_ONE.rows(session=sessions[0].pk)
        if len(sessions) == 1
        else _LAST_OF_ALL.rows(webinar=sessions[0].webinar_id)
    )
    lasts = [last for row in rows for last in row if last is not None]
    return max([now, *(last + timedelta(microseconds=1) for last in lasts)])


def _write_last(**which: Given) -> QuerySet[Session, tuple[datetime | None, ...]]:
    """Who came last of those who wait for a session, and of those who wait for any. Everybody else waits meanwhile."""
    waiting = Registration.objects.waiting().order_by("-waiting_since").values("waiting_since")
    return Session.objects.filter(**which).values_list(
        Subquery(waiting.filter(session=OuterRef("pk"))[:1]),
        Subquery(waiting.filter(webinar=OuterRef("webinar"), any_session=True)[:1]),
    )


_LAST_OF_ONE = Statement(lambda: _write_last(pk=Given("session")))
_LAST_OF_ALL = Statement(lambda: _write_last(webinar=Given("webinar")))


def store(mine: Registration, kind: Kind, *, now: datetime, payload: dict[str, Any] | None = None) -> None:
    """Save what was settled, with the codes of whoever is confirmed, and owe them the mail."""
    mine.save()
    if mine.is_confirmed:
        offers.issue(mine, now=now)
    outbox.enqueue(mine, kind, now=now, payload=payload)


# ---------- places, counted ----------


def raise_places_taken(session: Session) -> bool:
    """Take a place by one conditional UPDATE, whose lock lasts until the commit; the object stays as it was."""
    free = Q(capacity__isnull=True) | Q(places_taken__lt=F("capacity"))
    is_taken = Session.objects.scheduled().filter(free, pk=session.pk).update(places_taken=F("places_taken") + 1)
    if is_taken and session.runs_out:
        freshness.throw_away()
    return bool(is_taken)


def take_place(session: Session) -> bool:
    """Take a place of a locked session, and say so on the object. False when there is none."""
    if session.is_full or not raise_places_taken(session):
        return False
    session.places_taken += 1
    return True


def pass_on_place(session: Session, *, now: datetime) -> None:
    """A place of the locked session came free: the first who waits has it, else the count goes down."""
    first = _first_waiting(session, now)
    if first is not None:
        kind = _promote(first, now)
        outbox.enqueue(first, kind, now=now)
        return
    Session.objects.filter(pk=session.pk, places_taken__gt=0).update(places_taken=F("places_taken") - 1)
    session.places_taken -= 1
    if session.runs_out:
        freshness.throw_away()


def fill_places(session: Session, *, now: datetime) -> int:
    """Give all free places of the locked session to those who wait, in their order. Returns how many."""
    promoted: dict[Kind, list[Registration]] = {}
    before = session.places_taken
    while not session.is_full and (first := _first_waiting(session, now)) is not None:
        promoted.setdefault(_promote(first, now), []).append(first)
        session.places_taken += 1
    if not promoted:
        return 0
    Session.objects.filter(pk=session.pk).update(places_taken=session.places_taken)
    for kind, people in promoted.items():
        outbox.enqueue_all(people, kind, now=now)
    outbox.nudge_sweep()
    freshness.throw_away()
    return session.places_taken - before


def is_wanted(session: Session) -> bool:
    """Whether somebody waits for a place in the locked session."""
    return Registration.objects.waiting_for(session).first_in_line(session) is not None


def is_off(session: Session, now: datetime) -> bool:
    """Whether a place in it is of no use any more."""
    return session.is_cancelled or session.has_ended(now)


def coming(sessions: Mapping[int, Session], now: datetime) -> list[Session]:
    """Those in which a place is of use, earliest first."""
    there = (session for session in sessions.values() if not is_off(session, now))
    return sorted(there, key=lambda session: (session.starts_at, session.pk))


def _first_waiting(session: Session, now: datetime) -> Registration | None:
    """Whoever has waited longest for a place in the locked session, locked; nobody once it would be of no use."""
    if is_off(session, now):
        return None
    queue = Registration.objects.waiting_for(session)
    # Who waits for any session may get another's place, or cancel, without this session's lock. What stands in the
    # row is only known once it is locked; and then the next may be first.
    while (pk := queue.first_in_line(session)) is not None:
        first = queue.filter(pk=pk).select_for_update(no_key=True).first()
        if first is not None:
            first.session, first.webinar = session, session.webinar
            return first
    return None


def _promote(first: Registration, now: datetime) -> Kind:
    """Give, or offer, the first who waits a place of `first.session` that the caller counts, and save it."""
    session = first.session
    hours = session.webinar.offer_hours
    if hours:
        # Who waits for any session goes on doing so, should this one be called off before they answer.
        first.has_place, first.lapses_at = True, min(now + timedelta(hours=hours), session.ends_at)
        invites.revise_shown(first, now=now)
        first.save()
        return Kind.OFFERED
    kind = hold_place(first, next_step(first), now=now)
    first.save()
    if kind == Kind.CONFIRMED:
        offers.issue(first, now=now)
        return Kind.PROMOTED
    return kind


# ---------- those who wait for any session ----------


def rehome(sessions: Mapping[int, Session], *, now: datetime) -> int:
    """Let those who wait for any session, and whose own is off, wait for the others, and get what is free there.

    `sessions` are all of one webinar, locked. Returns for how many their own was off. Nobody is told: nothing
    happened to what they wait for. Where no session is coming any more, all stays as it is.
    """
    others = coming(sessions, now)
    off = [session.pk for session in sessions.values() if is_off(session, now)]
    if not others or not off:
        return 0
    stranded = Registration.objects.undecided().filter(session__in=off)
    moved = stranded.update(session=others[0])
    for session in others:
        fill_places(session, now=now)
    return moved


def withdraw_offers(session: Session) -> list[int]:
    """Nothing is offered in a locked session that was called off: whoever had not answered waits as before.

    Returns who of them would come to any session.
    """
    offered = Registration.objects.filter(session=session, status=Status.WAITLISTED, has_place=True)
    undecided = list(offered.filter(any_session=True).order_by("pk").values_list("pk", flat=True))
    withdrawn = offered.update(has_place=False, lapses_at=None)
    Session.objects.filter(pk=session.pk).update(places_taken=F("places_taken") - withdrawn)
    return undecided


def tell_withdrawn(ids: Collection[int], session: Session, *, now: datetime) -> None:
    """Tell those who wait for other sessions again that what was offered in that locked session is withdrawn.

    Whoever is offered a place in another by now hears of that instead.
    """
    again = Registration.objects.waiting().filter(pk__in=ids).exclude(session=session)
    people = list(again.select_related("session__webinar__host").select_for_update(of=("self",), no_key=True))
    for person in people:
        # Each mail that withdraws an entry tells a revision of its own.
        invites.revise(person, now=now)
        person.save()
    payload = {"called_off": PlannedTime.of(session).as_payload()}
    if outbox.enqueue_all(people, Kind.WAITLISTED, now=now, payload=payload):
        outbox.nudge_sweep()
