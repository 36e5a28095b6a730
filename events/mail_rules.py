"""Which mails the plan of a webinar has, and with which a host begins; and how a rule is said in words."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.models import Host, MailRule, Webinar

Purpose = MailRule.Purpose
Audience = MailRule.Audience

HOUR, DAY = 60, 24 * 60
# What nobody has to think of: a day before, while plans can still be changed, and when it is time to sit down.
USUAL = ((Purpose.REMINDER, Audience.EVERYBODY, DAY), (Purpose.REMINDER, Audience.EVERYBODY, HOUR))


def rules_of(webinar: Webinar) -> list[MailRule]:
    """The rules that hold for a webinar: its own where it has a plan of its own, else its host's."""
    return list(webinar.mail_rules.all() if webinar.has_own_mail_rules else webinar.host.mail_rules.all())


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
