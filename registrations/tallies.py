"""How many of a session's people were told what, counted: told, waiting, failed, came back, not needed.

Of the mails of one kind to one person about one occasion the newest counts: what came back and was sent again is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, Value, When

from events.models import Session
from registrations.models import Mailing, Message, Registration
from registrations.querysets import MessageQuerySet, RegistrationQuerySet


class Outcome(StrEnum):
    """What became of a mail, as an organizer thinks of it."""

    TOLD = "told"
    WAITING = "waiting"
    FAILED = "failed"
    CAME_BACK = "came_back"
    NOT_NEEDED = "not_needed"


_BOUNCED = Q(bounced_at__isnull=False)
# What was not sent since it would have come back has not told anybody either.
_WOULD_BOUNCE = Q(cancelled_because=Message.CancelledBecause.ADDRESS_FAILS)
_OUTCOMES = {
    Outcome.TOLD: Q(state=Message.State.SENT) & ~_BOUNCED,
    Outcome.WAITING: Q(state__in=Message.OPEN_STATES) & ~_BOUNCED,
    Outcome.FAILED: Q(state__in=Message.FAILED_STATES) & ~_BOUNCED,
    Outcome.CAME_BACK: _BOUNCED | _WOULD_BOUNCE,
    Outcome.NOT_NEEDED: Q(state=Message.State.CANCELLED) & ~_BOUNCED & ~_WOULD_BOUNCE,
}


@dataclass(frozen=True)
class Tally:
    """What became of the mails of one kind about one occasion; `latest_at` is when the last was written.

    `mailing` is what they were written with, where that was for many at once.
    """

    kind: Message.Kind
    occasion_at: datetime | None
    latest_at: datetime
    told: int
    waiting: int
    failed: int
    came_back: int
    not_needed: int
    mailing: Mailing | None

    @property
    def title(self) -> str:
        """What they are called, so that two reminders are not one."""
        return str(self.mailing) if self.mailing else str(self.kind.label)

    @property
    def owed(self) -> int:
        """To how many it was to be told."""
        return self.told + self.waiting + self.failed + self.came_back

    @property
    def can_be_sent_again(self) -> bool:
        return bool(self.failed or self.came_back)


@dataclass(frozen=True)
class Reach:
    """How many people of a session there are, and to how many of them some mail has not come through.

    `silent` are those to whom nothing was sent and nothing is owed; `not_needed` those of them who would have had mails
    that lost their point.
    """

    people: int
    waiting: int
    failed: int
    came_back: int
    untold: int
    silent: int = 0
    not_needed: int = 0

    @property
    def told(self) -> int:
        """To how many something was sent, and nothing has been held up or come back."""
        return self.people - self.untold - self.silent


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
    """What the session's people were told, the latest first, in two queries at most."""
    rows = newest(Message.objects.filter(registration__session=session)).order_by()
    counts = {outcome.value: Count("pk", filter=condition) for outcome, condition in _OUTCOMES.items()}
    latest = {"latest_at": Max("created_at"), "mailing": Max("mailing_id")}
    found = list(rows.values("kind", "occasion_at").annotate(**latest, **counts))
    mailings = Mailing.objects.in_bulk([row["mailing"] for row in found if row["mailing"]])
    tallies = (
        Tally(**{**row, "kind": Message.Kind(row["kind"]), "mailing": mailings.get(row["mailing"])}) for row in found
    )
    return sorted(
        tallies,
        key=lambda tally: (tally.latest_at, tally.occasion_at or tally.latest_at, tally.kind),
        reverse=True,
    )


# What has not come through. Of the rows of each condition there are few, and they have an index of their own.
_TROUBLES = (Outcome.WAITING, Outcome.FAILED, Outcome.CAME_BACK)
_TROUBLED = (Q(state__in=Message.OPEN_STATES), Q(state__in=Message.FAILED_STATES), _BOUNCED, _WOULD_BOUNCE)


def reach(session_ids: Iterable[int]) -> dict[int, Reach]:
    """For each of the sessions how many of its people mails have come through to, in three queries.

    Only what went out is many, and it is left alone: of all else who it is about is fetched, and counted here.
    """
    ids = list(session_ids)
    people = Registration.objects.active().filter(session__in=ids, erased_at__isnull=True).order_by()
    counted = dict(people.values_list("session").annotate(count=Count("pk")))
    silent = _silent(people)
    troubled: dict[int, dict[str, set[int]]] = {pk: {outcome: set() for outcome in _TROUBLES} for pk in ids}
    for session, person, outcome in _troubled(ids):
        troubled[session][outcome].add(person)
    return {
        pk: Reach(
            people=counted.get(pk, 0),
            untold=len(set().union(*troubled[pk].values())),
            **{outcome.value: len(troubled[pk][outcome]) for outcome in _TROUBLES},
            **silent.get(pk, {}),
        )
        for pk in ids
    }


def _troubled(session_ids: list[int]) -> QuerySet[Message, tuple[int, int, str]]:
    """The sessions and people of what has not come through, with its outcome.

    Those rows are found first, each condition by its index, and only of them it is asked whether they are the newest.
    In one condition PostgreSQL asks it of every mail of those people (1.7 s among half a million, against 60 ms).
    """
    theirs = Message.objects.order_by().filter(
        registration__session__in=session_ids,
        registration__status__in=[status for status in Registration.Status if status != Registration.Status.CANCELLED],
        registration__erased_at__isnull=True,
    )
    first, *others = (theirs.filter(condition).values("pk") for condition in _TROUBLED)
    found = newest(Message.objects.filter(pk__in=first.union(*others))).order_by()
    outcome = Case(*(When(_OUTCOMES[each], then=Value(each.value)) for each in _TROUBLES))
    return found.values_list("registration__session", "registration", outcome)


def _silent(people: RegistrationQuerySet) -> dict[int, dict[str, int]]:
    """How many of these people, by session, were sent nothing and are owed nothing: nobody has told them anything."""
    mails = Message.objects.filter(registration=OuterRef("pk")).order_by()
    is_told = Exists(mails.filter(_OUTCOMES[Outcome.TOLD]))
    is_owed = Exists(newest(mails.exclude(_OUTCOMES[Outcome.TOLD])).exclude(_OUTCOMES[Outcome.NOT_NEEDED]))
    silent = people.exclude(is_told).exclude(is_owed).annotate(had_one=Exists(mails))
    found: dict[int, dict[str, int]] = {}
    for session, had_one, count in silent.values_list("session", "had_one").annotate(count=Count("pk")):
        numbers = found.setdefault(session, {"silent": 0, "not_needed": 0})
        numbers["silent"] += count
        numbers["not_needed"] += count if had_one else 0
    return found
