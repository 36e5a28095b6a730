"""The plan of mails: which of them somebody gets, and why not the others. Pure: times and rules in, mails out.

A plan is of a session and its rules. Of a person it knows since when they have their place, when they last were told
when the session is, and whether they came. So a session that moves takes its whole plan with it, and nothing has to be
written anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from events.models import MailRule, Session
from registrations.models import Message

Audience = MailRule.Audience
Kind = Message.Kind
Purpose = MailRule.Purpose

# Two mails within so short a time are one.
MERGED_WITHIN = timedelta(minutes=15)
# What told somebody when their session is: no reminder follows it within that time.
TELLS_THE_TIME = (*Message.INVITE_KINDS, Kind.LINK_AGAIN)


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
    WITH_CONFIRMATION = "with_confirmation"
    WITH_EARLIER = "with_earlier"


@dataclass(frozen=True)
class Occasion:
    """What the plan knows of a session. `is_attendance_known`: anybody was seen there, so that others were missed."""

    starts_at: datetime
    ends_at: datetime
    is_called_off: bool = False
    replay_opens_at: datetime | None = None
    has_survey: bool = False
    is_attendance_known: bool = True
    # Since when these rules hold for it, all of them.
    rules_since: datetime | None = None


@dataclass(frozen=True)
class PlannedMail:
    """One mail of the plan for one person. `merged_with` is the mail that tells its news as well."""

    kind: Message.Kind
    due_at: datetime | None
    fate: Fate
    rule: MailRule | None = None
    because: Because | None = None
    merged_with: Message.Kind | None = None


def occasion_of(session: Session, *, has_survey: bool, is_attendance_known: bool) -> Occasion:
    """What the plan has to know of a session. Reads its webinar."""
    webinar = session.webinar
    opens = [session.ends_at, webinar.replay_from, webinar.replay_added_at]
    return Occasion(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        is_called_off=session.is_called_off,
        replay_opens_at=max(moment for moment in opens if moment) if webinar.replay_url else None,
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
) -> list[PlannedMail]:
    """The mails of these rules for one person, in their order in time; those that have no time yet come last.

    `placed_at` is when they got their place, and `told_at` when they were last told when the session is: by the mail
    that confirmed it, which is meant where `placed_at` is not given, or by a later one. Between any two that are sent
    is a quarter of an hour at least, and between what told them the time and a reminder. What follows a session tells
    something else, and takes no notice of it.
    """
    dated = [(due, rule) for rule in rules if (due := due_at(rule, occasion)) is not None]
    undated = [rule for rule in rules if due_at(rule, occasion) is None]
    planned: list[PlannedMail] = []
    last, last_kind = told_at, None
    for due, rule in sorted(dated, key=_order):
        kind = kind_of(rule)
        since = told_at if rule.is_reminder else placed_at or told_at
        refusal = _refusal(occasion, rule, due, since=since, came=came)
        if refusal is not None:
            planned.append(PlannedMail(kind, due, Fate.SKIPPED, rule, refusal))
        elif due - last < MERGED_WITHIN and (rule.is_reminder or last_kind is not None):
            because = Because.WITH_CONFIRMATION if last_kind is None else Because.WITH_EARLIER
            planned.append(PlannedMail(kind, due, Fate.MERGED, rule, because, last_kind))
        else:
            planned.append(PlannedMail(kind, due, Fate.SENT, rule))
            last, last_kind = due, kind
    return [*planned, *(_undated(occasion, rule, came=came) for rule in undated)]


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
    since = max(rule.holds_from, occasion.rules_since or rule.holds_from)
    return due < since


# At one moment, what tells the most comes first, and the others go with it.
_TELLS_MORE = (Kind.STARTING, Kind.REMINDER, Kind.CAME, Kind.MISSED, Kind.REPLAY, Kind.SURVEY)


def _order(dated: tuple[datetime, MailRule]) -> tuple[datetime, int, int]:
    due, rule = dated
    return due, _TELLS_MORE.index(kind_of(rule)), rule.pk or 0


def _refusal(occasion: Occasion, rule: MailRule, due: datetime, *, since: datetime, came: bool) -> Because | None:
    """Why a person is not sent the mail of a rule at all."""
    refusal = _never(occasion, rule, came=came)
    if refusal is not None:
        return refusal
    if due < since:
        return Because.PASSED
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
