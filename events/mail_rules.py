"""Which mails the plan of a webinar has, and with which a host begins; and how a rule is said in words."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Case, F, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.models import Host, MailRule, Webinar

Purpose = MailRule.Purpose
Audience = MailRule.Audience

HOUR, DAY = 60, 24 * 60
# Two mails of one plan within so short a time are one (docs/decisions/0025): the first goes out, for both.
MERGED_MINUTES = 15
# What nobody has to think of: a day before, while plans can still be changed, and when it is time to sit down.
USUAL = ((Purpose.REMINDER, Audience.EVERYBODY, DAY), (Purpose.REMINDER, Audience.EVERYBODY, HOUR))


def rules_of(webinar: Webinar) -> list[MailRule]:
    """The rules that hold for a webinar, in order: its own where it has a plan of its own, else its host's."""
    rules = webinar.mail_rules.all() if webinar.has_own_mail_rules else webinar.host.mail_rules.all()
    return sorted(rules, key=_place)


def _place(rule: MailRule) -> tuple[int, int, str, int]:
    """As they go out: reminders, the longest before the start first, then what follows, and last the replay."""
    part = 0 if rule.is_reminder else 2 if rule.purpose == Purpose.REPLAY else 1
    return part, -rule.minutes if rule.is_reminder else rule.minutes, rule.purpose, rule.pk or 0


def in_order(rules: models.QuerySet[MailRule]) -> models.QuerySet[MailRule]:
    """The same order, made by the database."""
    whole = models.IntegerField()
    part = Case(When(purpose=Purpose.REMINDER, then=0), When(purpose=Purpose.REPLAY, then=2), default=1)
    minutes = Case(When(purpose=Purpose.REMINDER, then=-F("minutes")), default=F("minutes"), output_field=whole)
    return rules.order_by(part, minutes, "purpose", "pk")


def merged(rules: Iterable[MailRule]) -> list[tuple[MailRule, MailRule]]:
    """Which rules never send by themselves to somebody, each after the one that goes out for both.

    As far as the rules alone can tell: when a replay opens, nobody knows beforehand.
    """
    found: dict[tuple[MailRule, MailRule], None] = {}
    everything = list(rules)
    for other in (Audience.STAYED_AWAY, Audience.CAME):
        for chain in (_before_the_start, _after_the_end, _after_the_replay):
            last: tuple[int, MailRule] | None = None
            for at, rule in chain([rule for rule in everything if rule.audience != other]):
                if last is not None and at - last[0] < MERGED_MINUTES:
                    found[last[1], rule] = None
                else:
                    last = at, rule
    return list(found)


def _before_the_start(rules: Iterable[MailRule]) -> list[tuple[int, MailRule]]:
    found = [(-rule.minutes, rule) for rule in rules if rule.is_reminder]
    return sorted(found, key=lambda each: each[0])


def _after_the_end(rules: Iterable[MailRule]) -> list[tuple[int, MailRule]]:
    """At one moment the follow-up comes first."""
    found = [(rule.minutes, rule) for rule in rules if rule.purpose in {Purpose.FOLLOW_UP, Purpose.SURVEY}]
    return sorted(found, key=lambda each: (each[0], each[1].purpose))


def _after_the_replay(rules: Iterable[MailRule]) -> list[tuple[int, MailRule]]:
    found = [(rule.minutes, rule) for rule in rules if rule.purpose == Purpose.REPLAY]
    return sorted(found, key=lambda each: each[0])


def title(rule: MailRule) -> str:
    """What a rule sends, in a word."""
    return {
        Purpose.REMINDER.value: _("Reminder"),
        Purpose.FOLLOW_UP.value: _("Follow-up"),
        Purpose.SURVEY.value: _("Survey"),
        Purpose.REPLAY.value: _("Replay"),
    }[rule.purpose]


def begin_plan(host: Host, *, now: datetime, rules: Iterable[tuple[str, str, int]] = USUAL) -> None:
    """Give a new host a plan to begin with: of each rule what, to whom, and the minutes."""
    MailRule.objects.bulk_create(
        MailRule(host=host, purpose=purpose, audience=audience, minutes=minutes, holds_from=now)
        for purpose, audience, minutes in rules
    )


def begin_own_plan(webinar: Webinar, *, now: datetime) -> int:
    """Copy the host's rules to a webinar that has none of its own. Returns how many."""
    if webinar.mail_rules.exists():
        return 0
    copies = [
        MailRule(webinar=webinar, purpose=rule.purpose, audience=rule.audience, minutes=rule.minutes, holds_from=now)
        for rule in webinar.host.mail_rules.all()
    ]
    return len(MailRule.objects.bulk_create(copies))


def length(minutes: int) -> str:
    """24 hours, 10 minutes, 7 days; days from two on."""
    if minutes >= 2 * DAY and minutes % DAY == 0:
        return ngettext("%(count)d day", "%(count)d days", minutes // DAY) % {"count": minutes // DAY}
    if minutes == HOUR:
        return ngettext("%(count)d hour", "%(count)d hours", 1) % {"count": 1}
    return formats.duration(timedelta(minutes=minutes))


def words(rule: MailRule) -> str:
    """When a rule sends, and to whom where that is not everybody: "2 hours after the end, to those who came"."""
    when = _when(rule)
    if rule.audience == Audience.CAME:
        return _("%(when)s, to those who came") % {"when": when}
    if rule.audience == Audience.STAYED_AWAY:
        return _("%(when)s, to those who did not come") % {"when": when}
    return when


def _when(rule: MailRule) -> str:
    told = {"length": length(rule.minutes)}
    if rule.is_reminder:
        return _("%(length)s before the start") % told if rule.minutes else _("When it starts")
    if rule.purpose == Purpose.REPLAY:
        return _("%(length)s after the replay opens") % told if rule.minutes else _("When the replay opens")
    return _("%(length)s after the end") % told if rule.minutes else _("When it ends")
