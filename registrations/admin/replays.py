"""A replay that becomes ready to watch: whom the plan tells of it, asked before it is saved."""

from collections import Counter
from copy import copy
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import ngettext

from events import mail_rules
from events.admin.telling import Effect
from events.admin.wording import moment
from events.models import MailRule, Session, Webinar
from registrations import mail_plan, mailings
from registrations.mail_plan import Fate
from registrations.models import Mailing, Message


def effects(form: Any) -> list[Effect]:
    """Who gets “The replay is there” by what is typed, at once and later; nothing where nobody does."""
    typed: Webinar = form.instance
    if not typed.pk or not typed.is_published or not typed.replay_url or not _brings_a_replay(form):
        return []
    now = timezone.now()
    webinar = copy(typed)  # with the moment that it gets once it is saved
    if not form.initial.get("replay_url"):
        webinar.replay_added_at = now
    people: Counter[datetime] = Counter()
    for session in webinar.sessions.scheduled():
        session.webinar = webinar
        for due_at, count in _told(session, now):
            people[max(due_at, now)] += count
    at_once = people.pop(now, 0)
    return [
        *([_effect_at_once(at_once)] if at_once else []),
        *(_effect_later(count, moment(at, webinar.host.time_zone)) for at, count in sorted(people.items())),
    ]


def _brings_a_replay(form: Any) -> bool:
    """Another address of a recording that was there before tells nobody anew."""
    is_new = "replay_url" in form.changed_data and not form.initial.get("replay_url")
    return is_new or "replay_from" in form.changed_data


def _told(session: Session, now: datetime) -> list[tuple[datetime, int]]:
    """When how many of a session's people are told, by each rule that has not told them yet."""
    rules, occasion = mail_rules.rules_of(session.webinar), mailings.occasion_of(session)
    found = []
    for rule in rules:
        if rule.purpose != MailRule.Purpose.REPLAY:
            continue
        came = rule.audience != MailRule.Audience.STAYED_AWAY
        plan = mail_plan.plan(occasion, rules, told_at=min(session.starts_at, now), came=came)
        planned = next(mail for mail in plan if mail.rule == rule)
        if planned.due_at is None or planned.fate != Fate.SENT or planned.due_at <= now - mailings.OTHERS_AT_MOST_LATE:
            continue
        if Mailing.objects.filter(rule=rule, session=session).exists():
            continue
        audience = mailings.AUDIENCES[MailRule.Audience(rule.audience)]
        people = mailings.audience(
            session.webinar, session=session, audience=audience, kind=Message.Kind.REPLAY
        ).count()
        if people:
            found.append((planned.due_at, people))
    return found


def _effect_at_once(count: int) -> Effect:
    words = ngettext(
        "%(count)d person gets the mail “%(mail)s” now, within a minute.",
        "%(count)d people get the mail “%(mail)s” now, within a minute.",
        count,
    )
    return Effect(words % {"count": count, "mail": Message.Kind.REPLAY.label}, told=count)


def _effect_later(count: int, when: str) -> Effect:
    words = ngettext(
        "%(count)d person gets the mail “%(mail)s” on %(moment)s.",
        "%(count)d people get the mail “%(mail)s” on %(moment)s.",
        count,
    )
    return Effect(words % {"count": count, "mail": Message.Kind.REPLAY.label, "moment": when}, told=count)
