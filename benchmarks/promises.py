"""What must hold when the crowd has gone. These are exact: a registration too many is one too many."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counted:
    """A session as the database has it."""

    session: int
    capacity: int
    places_taken: int


@dataclass(frozen=True)
class Person:
    """Somebody's registration as the database has it, and when they asked and were answered, by one clock for all.

    `sessions`: the one that they have, or all that they wait for. `queued`: by what those who wait are ordered, None
    for everybody else. `owed`: the kinds of the mails that are still to go out.
    """

    name: str
    sessions: tuple[int, ...]
    status: str
    has_place: bool
    came: float
    answered: float
    queued: tuple[object, ...] | None = None
    owed: tuple[str, ...] = ()


# Nobody has heard anything yet, so each is owed one mail, which says how things stand.
_TELLS = {"confirmed": {"confirmed", "promoted"}, "waitlisted": {"waitlisted"}, "cancelled": {"cancelled"}}


def broken(sessions: Iterable[Counted], people: Sequence[Person]) -> list[str]:
    """What does not hold, in words; nothing where everything does."""
    return [fault for session in sessions for fault in _of_session(session, people)] + list(_of_mails(people))


def _of_session(session: Counted, people: Sequence[Person]) -> Iterator[str]:
    theirs = [person for person in people if session.session in person.sessions]
    holders = [person for person in theirs if person.has_place]
    waiting = [person for person in theirs if person.queued is not None]
    confirmed = sum(person.status == "confirmed" for person in holders)
    if confirmed != session.capacity:
        yield f"Session {session.session}: {confirmed} are confirmed for {session.capacity} places."
    if not session.places_taken == len(holders) == confirmed:
        yield f"Session {session.session}: {session.places_taken} places are counted, {len(holders)} people have one."
    if waiting and len(holders) < session.capacity:
        yield f"Session {session.session}: {len(waiting)} wait beside a free place."
    yield from _of_order(session, holders, waiting)


def _of_order(session: Counted, holders: Sequence[Person], waiting: Sequence[Person]) -> Iterator[str]:
    """Whoever asked after somebody had been answered stands behind them. Between two at once either may be first."""
    in_line = sorted(waiting, key=lambda person: person.queued or ())
    latest = max(holders, key=lambda person: person.came, default=None)
    for person in in_line:
        if latest is not None and latest.came > person.answered:
            yield f"Session {session.session}: {person.name} waits behind {latest.name}, who came later."
        if latest is None or latest.came < person.came:
            latest = person


def _of_mails(people: Iterable[Person]) -> Iterator[str]:
    for person in people:
        if len(person.owed) != 1 or person.owed[0] not in _TELLS.get(person.status, set()):
            yield f"{person.name} is {person.status} and owed {', '.join(person.owed) or 'no mail'}."
