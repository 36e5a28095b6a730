"""The plan of mails on somebody's page: what of it went out to them, what is to come, and why the rest does not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from events import mail_rules
from events.admin.wording import moment
from events.models import MailRule, Webinar
from registrations import consent, mail_plan, mailings
from registrations.admin.standing import mail_standing
from registrations.mail_plan import TELLS_THE_TIME, Fate, Occasion, PlannedMail
from registrations.models import Message, Registration
from registrations.simulator import reason_of

# A sweep comes every half minute.
WRITTEN_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Line:
    """A rule, and what becomes of its mail for this person. `key` is what the page colours it by."""

    title: str
    rule: str
    at: datetime | None
    key: str
    fate: str
    reason: str = ""


def plan_of(registration: Registration, *, now: datetime) -> list[Line]:
    """Each rule of the plan in its order, in a fixed number of queries. Of nobody without a place."""
    session = registration.session
    session.webinar = registration.webinar
    rules = mail_rules.rules_of(registration.webinar) if registration.is_confirmed else []
    if not rules:
        return []
    occasion = mailings.occasion_of(session)
    if not session.has_ended(now):
        occasion = replace(occasion, is_attendance_known=True)
    mails = list(registration.messages.select_related("mailing").order_by("pk"))
    why_none = _why_none(registration)
    return [_line(rule, rules, occasion, registration, mails, why_none=why_none, now=now) for rule in rules]


def shown(lines: Sequence[Line], zone: str) -> SafeString | str:
    if not lines:
        return _("The plan has no mails.")
    rows = [
        (
            line.key,
            moment(line.at, zone) or _("Nobody knows yet when"),
            line.fate,
            line.title,
            line.rule,
            format_html('<p class="plan-reason">{}</p>', line.reason) if line.reason else "",
        )
        for line in lines
    ]
    return format_html(
        '<ol class="plan-steps">{}</ol>',
        format_html_join(
            "",
            '<li data-fate="{}"><p class="plan-when">{}</p>'
            '<p class="plan-title"><span class="plan-fate">{}</span> {}</p><p>{}</p>{}</li>',
            rows,
        ),
    )


def _line(
    rule: MailRule,
    rules: Sequence[MailRule],
    occasion: Occasion,
    registration: Registration,
    mails: Sequence[Message],
    *,
    why_none: str,
    now: datetime,
) -> Line:
    planned = _planned(rule, rules, occasion, registration, mails, now=now)
    line = Line(str(planned.kind.label), mail_rules.words(rule), planned.due_at, planned.fate, "", reason_of(planned))
    message = _message_of(rule, registration, mails)
    if message is not None:
        key, words = mail_standing(message)
        reason = message.answer if message.state == Message.State.CANCELLED else ""
        return replace(line, at=message.sent_at or planned.due_at, key=key, fate=str(words), reason=reason)
    if planned.fate == Fate.MERGED:
        return replace(line, fate=_("Merged"))
    if planned.fate == Fate.SKIPPED:
        return replace(line, fate=_("Skipped"))
    if why_none:
        return replace(line, key=Fate.SKIPPED, fate=_("Skipped"), reason=why_none)
    if planned.fate == Fate.SENT and planned.due_at and planned.due_at < now - WRITTEN_WITHIN:
        said = _("Its moment has passed: no worker was there in time, or nothing could be sent to them then.")
        return replace(line, key=Fate.SKIPPED, fate=_("Skipped"), reason=said)
    return replace(line, key=Fate.OPEN, fate=_("Planned"))


def _why_none(registration: Registration) -> str:
    """Why they are sent nothing of what is planned, whatever the plan says."""
    if registration.webinar.status == Webinar.Status.DRAFT:
        return _("The webinar is not published.")
    own = Registration.objects.filter(pk=registration.pk)
    if not consent.willing(own, Message.Kind.REMINDER).exists():
        return _("They do not want such mails, or their address takes none.")
    return ""


def _planned(
    rule: MailRule,
    rules: Sequence[MailRule],
    occasion: Occasion,
    registration: Registration,
    mails: Sequence[Message],
    *,
    now: datetime,
) -> PlannedMail:
    """What the plan says of it. Until the session is over they may still come, and until then may not."""
    placed_at = registration.confirmed_at or registration.registered_at
    due = mail_plan.due_at(rule, occasion)
    may_come = now < occasion.ends_at and rule.audience == MailRule.Audience.CAME
    stays_away = now < occasion.ends_at and rule.audience == MailRule.Audience.STAYED_AWAY
    planned = mail_plan.plan(
        occasion,
        rules,
        placed_at=placed_at,
        told_at=max([placed_at, *_told_until(due or now, mails, now)]),
        came=may_come or (registration.joined_at is not None and not stays_away),
    )
    return next(mail for mail in planned if mail.rule == rule)


def _told_until(due: datetime, mails: Sequence[Message], now: datetime) -> list[datetime]:
    """When they were told when the session is, up to then: what has come later does not change what was due before."""
    tells = [message for message in mails if message.kind in TELLS_THE_TIME]
    sent = [message.sent_at for message in tells if message.sent_at is not None and message.sent_at <= due]
    is_on_its_way = any(message.state in {Message.State.QUEUED, Message.State.SENDING} for message in tells)
    return [*sent, now] if is_on_its_way and now <= due else sent


def _message_of(rule: MailRule, registration: Registration, mails: Sequence[Message]) -> Message | None:
    """The newest mail of that rule which is about this session, a reminder about the time that it has."""
    session = registration.session
    found = [
        message
        for message in mails
        if message.mailing is not None
        and message.mailing.rule_id == rule.pk
        and message.mailing.session_id == session.pk
        and message.kind == mail_plan.kind_of(rule)
        and (message.mailing.starts_at == session.starts_at if rule.is_reminder else True)
    ]
    return found[-1] if found else None
