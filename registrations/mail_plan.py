"""The plan of mails: which of them somebody gets, and why not the others. Pure: times and rules in, mails out.

A plan is of a session and its rules. Of a person it knows since when they have their place, when they last were told
when the session is, and whether they came. So a session that moves takes its whole plan with it, and nothing has to be
written anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from events.models import MailRule, Session
from registrations.models import Message

Audience = MailRule.Audience
Kind = Message.Kind
Purpose = MailRule.Purpose

# Two mails within so short a time are one.
MERGED_WITHIN = timedelta(minutes=15)
# What told somebody when their session is: no reminder follows it within that time.
TELLS_THE_TIME = (*Message.INVITE_KINDS, Kind.LINK_AGAIN)
# Of what follows a session, whose news the mail of each kind has for certain, what tells the most first. A survey has
# the replay as well, but is not sent to whoever has answered already.
TELLS = MappingProxyType(
    {
        Kind.CAME: (Kind.CAME, Kind.REPLAY, Kind.SURVEY),
        Kind.MISSED: (Kind.MISSED, Kind.REPLAY, Kind.SURVEY),
        Kind.REPLAY: (Kind.REPLAY, Kind.SURVEY),
        Kind.SURVEY: (Kind.SURVEY,),
    }
)
_EVER = datetime.min.replace(tzinfo=UTC)


class Fate(StrEnum):
    """What becomes of a mail for one person."""

    SENT = "sent"
    SKIPPED = "skipped"
    MERGED = "merged"
    # Nobody knows yet when.
    OPEN = "open"


class Because(StrEnum):
    """Why a mail is not sent by itself, or not yet."""

    CANCELLED = "cancelled"
    PASSED = "passed"
    RULE_IS_NEWER = "rule_is_newer"
    CAME = "came"
    STAYED_AWAY = "stayed_away"
    NOBODY_SEEN = "nobody_seen"
    NO_SURVEY = "no_survey"
    NO_REPLAY = "no_replay"
    REPLAY_ENDED = "replay_ended"
    WITH_CONFIRMATION = "with_confirmation"
    WITH_EARLIER = "with_earlier"


@dataclass(frozen=True)
class Occasion:
    """What the plan knows of a session. `is_attendance_known`: anybody was seen there, so that others were missed.

    `replay_known_at` is since when mails could tell of the replay, if only that it opens later: when it opens, unless
    told.
    """

    starts_at: datetime
    ends_at: datetime
    is_called_off: bool = False
    replay_opens_at: datetime | None = None
    replay_known_at: datetime | None = None
    replay_ends_at: datetime | None = None
    has_survey: bool = False
    is_attendance_known: bool = True
    # Since when these rules hold for it, all of them.
    rules_since: datetime | None = None


@dataclass(frozen=True)
class PlannedMail:
    """One mail of the plan for one person. `merged_with` is the mail that tells its news as well.

    `due_at` of one that is sent is when it goes out: earlier than its rule says where it stands for others as well, and
    later where it could not be told with the one before.
    """

    kind: Message.Kind
    due_at: datetime | None
    fate: Fate
    rule: MailRule | None = None
    because: Because | None = None
    merged_with: Message.Kind | None = None


Dated = tuple[datetime, MailRule]


def occasion_of(session: Session, *, has_survey: bool, is_attendance_known: bool) -> Occasion:
    """What the plan has to know of a session. Reads its webinar."""
    webinar = session.webinar
    known_at = max(session.ends_at, webinar.replay_added_at or session.ends_at)
    opens_at = max(known_at, webinar.replay_from or known_at)
    return Occasion(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        is_called_off=session.is_called_off,
        replay_opens_at=opens_at if webinar.replay_url else None,
        replay_known_at=known_at if webinar.replay_url else None,
        replay_ends_at=webinar.replay_until,
        has_survey=has_survey,
        is_attendance_known=is_attendance_known,
        rules_since=webinar.mail_rules_since,
    )


def plan(
    occasion: Occasion,
    rules: Iterable[MailRule],
    *,
    told_at: datetime,
    came: bool,
    placed_at: datetime | None = None,
    dated: Sequence[Dated] | None = None,
) -> list[PlannedMail]:
    """The mails of these rules for one person, in their order in time; those that have no time yet come last.

    `placed_at` is when they got their place, and `told_at` when they were last told when the session is: by the mail
    that confirmed it, which is meant where `placed_at` is not given, or by a later one. Between any two that are sent
    is a quarter of an hour at least, and between what told them the time and a reminder. What follows a session tells
    something else, and takes no notice of it. `dated` is what `timed` returns for these rules, for whoever asks for
    many people.
    """
    rules = list(rules)
    dated = timed(occasion, rules) if dated is None else dated
    undated = [rule for rule in rules if due_at(rule, occasion) is None]
    return [
        *_reminders(occasion, dated, told_at=told_at, came=came),
        *_followers(occasion, dated, since=placed_at or told_at, came=came),
        *(_undated(occasion, rule, came=came) for rule in undated),
    ]


def moments(occasion: Occasion, rules: Iterable[MailRule]) -> list[tuple[datetime, MailRule]]:
    """Each of these rules that has a moment, with when its mails go out: as `plan` has them, and the same for all.

    Without who is not sent it at all, and with that moment then all the same.
    """
    dated = timed(occasion, rules)
    stand = {
        id(mail.rule): mail.due_at
        for came in (True, False)
        for mail in _followers(occasion, dated, since=_EVER, came=came)
        if mail.fate == Fate.SENT and mail.kind in {Kind.CAME, Kind.MISSED}
    }
    return [(stand.get(id(rule)) or due, rule) for due, rule in dated]


def due_at(rule: MailRule, occasion: Occasion) -> datetime | None:
    """The moment of a rule, an instant: "24 hours before" is 24 hours on every day. None where none is known yet."""
    if rule.is_reminder:
        return occasion.starts_at - rule.lead
    begins = occasion.replay_opens_at if rule.purpose == Purpose.REPLAY else occasion.ends_at
    return None if begins is None else begins + rule.lead


def kind_of(rule: MailRule) -> Message.Kind:
    """The mail that a rule sends."""
    if rule.is_reminder:
        return Kind.REMINDER if rule.minutes else Kind.STARTING
    if rule.purpose == Purpose.FOLLOW_UP:
        return Kind.CAME if rule.audience == Audience.CAME else Kind.MISSED
    return Kind.SURVEY if rule.purpose == Purpose.SURVEY else Kind.REPLAY


def is_overdue(rule: MailRule, due: datetime, occasion: Occasion) -> bool:
    """Whether the moment was past before the rule held, so that nobody gets it at all."""
    return due < _holds_since(rule, occasion)


def _holds_since(rule: MailRule, occasion: Occasion) -> datetime:
    return max(rule.holds_from, occasion.rules_since or rule.holds_from)


def timed(occasion: Occasion, rules: Iterable[MailRule]) -> list[Dated]:
    """Each rule that has a moment, with it and in their order; what nobody could be told before has a later one."""
    found = [(due, rule) for rule in rules if (due := due_at(rule, occasion)) is not None]
    # Only what follows a session that is shorter than that comes so soon after "it starts now".
    first = max((due + MERGED_WITHIN for due, rule in found if rule.is_reminder), default=_EVER)
    dated = [(due if rule.is_reminder else max(due, first), rule) for due, rule in found]
    while (later := _with_replays_after_others(occasion, dated)) != dated:
        dated = later
    return sorted(dated, key=_order)


def _with_replays_after_others(occasion: Occasion, dated: list[Dated]) -> list[Dated]:
    """The same, with each replay at the latest of its moments for those who came and those who did not.

    So it is one mailing, and comes near to no mail that could not tell of it.
    """
    if all(rule.purpose != Purpose.REPLAY for _due, rule in dated):
        return dated
    sent = [
        {id(mail.rule): mail.due_at for mail in _followers(occasion, dated, since=_EVER, came=came) if mail.due_at}
        for came in (True, False)
    ]
    return [
        (max(due, *(each[id(rule)] for each in sent)) if rule.purpose == Purpose.REPLAY else due, rule)
        for due, rule in dated
    ]


def _reminders(occasion: Occasion, dated: Iterable[Dated], *, told_at: datetime, came: bool) -> list[PlannedMail]:
    """Each tells what the others would, and so does what told the time: of two that are near, the first is sent."""
    planned: list[PlannedMail] = []
    last, last_kind = told_at, None
    for due, rule in dated:
        if not rule.is_reminder:
            continue
        kind = kind_of(rule)
        refusal = _refusal(occasion, rule, due, since=told_at, came=came)
        if refusal is not None:
            planned.append(PlannedMail(kind, due, Fate.SKIPPED, rule, refusal))
        elif due - last < MERGED_WITHIN:
            because = Because.WITH_CONFIRMATION if last_kind is None else Because.WITH_EARLIER
            planned.append(PlannedMail(kind, due, Fate.MERGED, rule, because, last_kind))
        else:
            planned.append(PlannedMail(kind, due, Fate.SENT, rule))
            last, last_kind = due, kind
    return planned


def _followers(occasion: Occasion, dated: Iterable[Dated], *, since: datetime, came: bool) -> list[PlannedMail]:
    """What follows the session.

    1. Those that are near the first are one mail with it, at its moment: the one of them that tells the most.
    2. What that does not tell waits until it is a quarter of an hour later.
    3. So with the first of the rest.
    """
    planned: list[PlannedMail] = []
    waiting: list[Dated] = []
    for due, rule in dated:
        if rule.is_reminder:
            continue
        refusal = _refusal(occasion, rule, due, since=since, came=came)
        if refusal is None:
            waiting.append((due, rule))
        else:
            planned.append(PlannedMail(kind_of(rule), due, Fate.SKIPPED, rule, refusal))
    while waiting:
        waiting.sort(key=_order)
        at = waiting[0][0]
        near = [(due, rule) for due, rule in waiting if due - at < MERGED_WITHIN]
        waiting = waiting[len(near) :]
        sent = min((each for each in near if _may_stand(occasion, each, at)), key=_tells_most)[1]
        for due, rule in near:
            if rule is sent:
                planned.append(PlannedMail(kind_of(rule), at, Fate.SENT, rule))
            elif _tells(occasion, sent, rule, at):
                planned.append(PlannedMail(kind_of(rule), due, Fate.MERGED, rule, Because.WITH_EARLIER, kind_of(sent)))
            else:
                waiting.append((at + MERGED_WITHIN, rule))
    return sorted(planned, key=lambda mail: (mail.due_at or _EVER, _place(mail.kind)))


def _may_stand(occasion: Occasion, dated: Dated, at: datetime) -> bool:
    """Whether a mail can go out as early as that, and has all to tell that it would have later."""
    due, rule = dated
    return due == at or (rule.purpose == Purpose.FOLLOW_UP and at >= _holds_since(rule, occasion))


def _tells(occasion: Occasion, sent: MailRule, rule: MailRule, at: datetime) -> bool:
    """Whether the mail of the one rule, sent then, has the news of the other."""
    if kind_of(rule) not in TELLS[kind_of(sent)]:
        return False
    known_at = occasion.replay_known_at or occasion.replay_opens_at
    return rule.purpose != Purpose.REPLAY or (known_at is not None and known_at <= at)


def _tells_most(dated: Dated) -> tuple[int, datetime, int]:
    due, rule = dated
    return _place(kind_of(rule)), due, rule.pk or 0


def _order(dated: Dated) -> tuple[datetime, int, int]:
    due, rule = dated
    # At one moment, what tells the most comes first.
    return due, _place(kind_of(rule)), rule.pk or 0


def _place(kind: Message.Kind) -> int:
    return [Kind.STARTING, Kind.REMINDER, *TELLS].index(kind)


def _refusal(occasion: Occasion, rule: MailRule, at: datetime, *, since: datetime, came: bool) -> Because | None:
    """Why a person is not sent the mail of a rule at all, which would go out then."""
    refusal = _never(occasion, rule, came=came)
    if refusal is not None:
        return refusal
    due = due_at(rule, occasion) or at
    if due < since:
        return Because.PASSED
    if rule.purpose == Purpose.REPLAY and occasion.replay_ends_at is not None and at >= occasion.replay_ends_at:
        return Because.REPLAY_ENDED
    return Because.RULE_IS_NEWER if is_overdue(rule, due, occasion) else None


def _never(occasion: Occasion, rule: MailRule, *, came: bool) -> Because | None:
    """Why it is not, whenever it would be due."""
    if occasion.is_called_off:
        return Because.CANCELLED
    if rule.audience == Audience.CAME and not came:
        return Because.STAYED_AWAY
    if rule.audience == Audience.STAYED_AWAY and came:
        return Because.CAME
    if rule.audience == Audience.STAYED_AWAY and not occasion.is_attendance_known:
        return Because.NOBODY_SEEN
    if rule.purpose == Purpose.SURVEY and not occasion.has_survey:
        return Because.NO_SURVEY
    return None


def _undated(occasion: Occasion, rule: MailRule, *, came: bool) -> PlannedMail:
    refusal = _never(occasion, rule, came=came)
    if refusal is not None:
        return PlannedMail(kind_of(rule), None, Fate.SKIPPED, rule, refusal)
    return PlannedMail(kind_of(rule), None, Fate.OPEN, rule, Because.NO_REPLAY)
