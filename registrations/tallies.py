"""How many of a session's people were told what, counted: told, waiting, failed, came back, not needed.

Of the mails of one kind to one person about one occasion the newest counts: what came back and was sent again is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Exists, Max, OuterRef, Q

from events.models import Session
from registrations import stops
from registrations.models import Message, Registration
from registrations.querysets import MessageQuerySet


class Outcome(StrEnum):
    """What became of a mail, as an organizer thinks of it."""

    TOLD = "told"
    WAITING = "waiting"
    FAILED = "failed"
    CAME_BACK = "came_back"
    NOT_NEEDED = "not_needed"


_BOUNCED = Q(bounced_at__isnull=False)
# What was not sent since it would have come back has not told anybody either.
_WOULD_BOUNCE = Q(state=Message.State.CANCELLED, answer=stops.ADDRESS_FAILS)
_OUTCOMES = {
    Outcome.TOLD: Q(state=Message.State.SENT) & ~_BOUNCED,
    Outcome.WAITING: Q(state__in=Message.OPEN_STATES) & ~_BOUNCED,
    Outcome.FAILED: Q(state__in=Message.FAILED_STATES) & ~_BOUNCED,
    Outcome.CAME_BACK: _BOUNCED | _WOULD_BOUNCE,
    Outcome.NOT_NEEDED: Q(state=Message.State.CANCELLED) & ~_BOUNCED & ~_WOULD_BOUNCE,
}


@dataclass(frozen=True)
class Tally:
    """What became of the mails of one kind about one occasion; `latest_at` is when the last was written."""

    kind: Message.Kind
    occasion_at: datetime | None
    latest_at: datetime
    told: int
    waiting: int
    failed: int
    came_back: int
    not_needed: int

    @property
    def owed(self) -> int:
        """To how many it was to be told."""
        return self.told + self.waiting + self.failed + self.came_back

    @property
    def can_be_sent_again(self) -> bool:
        return bool(self.failed or self.came_back)


@dataclass(frozen=True)
class Reach:
    """How many people of a session there are, and to how many of them some mail has not come through."""

    people: int
    waiting: int
    failed: int
    came_back: int
    untold: int

    @property
    def told(self) -> int:
        return self.people - self.untold


def with_outcome(messages: MessageQuerySet, outcome: Outcome) -> MessageQuerySet:
    """Those of the rows that count and have that outcome."""
    return newest(messages).filter(_OUTCOMES[outcome])


def newest(messages: MessageQuerySet) -> MessageQuerySet:
    """Those of the rows that count: of each person, kind and occasion the last."""
    return unrepeated(messages.filter(registration__isnull=False))


def unrepeated(messages: MessageQuerySet) -> MessageQuerySet:
    """The same, with those that are about no registration."""
    same = Message.objects.filter(registration=OuterRef("registration"), kind=OuterRef("kind"), pk__gt=OuterRef("pk"))
    of_none = Q(occasion_at__isnull=True) & Exists(same.filter(occasion_at__isnull=True).order_by())
    of_one = Q(occasion_at__isnull=False) & Exists(same.filter(occasion_at=OuterRef("occasion_at")).order_by())
    return messages.exclude(of_none | of_one)


def of_session(session: Session) -> list[Tally]:
    """What the session's people were told, the latest first, in one query."""
    rows = newest(Message.objects.filter(registration__session=session)).order_by()
    counts = {outcome.value: Count("pk", filter=condition) for outcome, condition in _OUTCOMES.items()}
    found = rows.values("kind", "occasion_at").annotate(latest_at=Max("created_at"), **counts)
    return sorted(
        (Tally(**{**row, "kind": Message.Kind(row["kind"])}) for row in found),
        key=lambda tally: (tally.latest_at, tally.occasion_at or tally.latest_at, tally.kind),
        reverse=True,
    )


def reach(session_ids: Iterable[int]) -> dict[int, Reach]:
    """For each of the sessions how many of its people mails have come through to, in two queries.

    Only what went out is many, and it is left alone: each other end has an index of its own.
    """
    ids = list(session_ids)
    people = Registration.objects.active().filter(session__in=ids, erased_at__isnull=True).order_by()
    counted = dict(people.values_list("session").annotate(count=Count("pk")))
    troubled = {outcome: _OUTCOMES[outcome] for outcome in (Outcome.WAITING, Outcome.FAILED, Outcome.CAME_BACK)}
    is_troubled = Q(state__in=(*Message.OPEN_STATES, *Message.FAILED_STATES)) | _BOUNCED | _WOULD_BOUNCE
    theirs = Message.objects.filter(is_troubled, registration__session__in=ids, registration__erased_at__isnull=True)
    theirs = theirs.exclude(registration__status=Registration.Status.CANCELLED)
    counts = {name.value: Count("registration", filter=q, distinct=True) for name, q in troubled.items()}
    rows = newest(theirs).order_by().values("registration__session")
    found = {
        row.pop("registration__session"): row
        for row in rows.annotate(untold=Count("registration", distinct=True), **counts)
    }
    nothing = {"untold": 0, **dict.fromkeys(counts, 0)}
    return {pk: Reach(people=counted.get(pk, 0), **found.get(pk, nothing)) for pk in ids}
