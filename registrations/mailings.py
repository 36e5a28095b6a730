"""Mails to many: what is due by the plan, and what organizers announce, written as rows of the outbox.

Nothing waits in the broker for its hour. The plan is in the tables; a sweep looks every half minute for what has come
due, notes it as a Mailing, once, and writes its mails in chunks, each in a transaction with the place it has reached.
A worker that dies goes on where it was; two workers never write the same chunk.
"""

import hashlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connection, models, transaction
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from events import mail_rules
from events.models import MailRule, Question, Session, User, Webinar
from registrations import consent, mail_plan, outbox
from registrations.mail_plan import MERGED_WITHIN, TELLS_THE_TIME, Fate, Occasion
from registrations.models import Mailing, Message, Registration
from registrations.querysets import RegistrationQuerySet

logger = logging.getLogger(__name__)

CHUNK = 500
# No mailing is begun after that, so that a task ends in time.
SWEEP_SECONDS = 60
# So late the plan is made up for when no worker was there: a reminder, while it is before the start, and what follows.
REMINDERS_AT_MOST_LATE = timedelta(days=1)
OTHERS_AT_MOST_LATE = timedelta(days=3)

# To whom a mailing goes, by whom its rule is for.
AUDIENCES = {
    MailRule.Audience.EVERYBODY: Mailing.Audience.PLACE,
    MailRule.Audience.CAME: Mailing.Audience.CAME,
    MailRule.Audience.STAYED_AWAY: Mailing.Audience.STAYED_AWAY,
}


@dataclass(frozen=True)
class _Due:
    """A rule whose moment has come for a session."""

    session: Session
    rule: MailRule
    at: datetime
    # Of mails of one kind to the same people that follow a session, how many come before it; see `_due_for`.
    place: int = 0

    @property
    def what(self) -> str:
        """What it is, and not which row of the plan asks for it: rows are edited, deleted and added again.

        A reminder is another one for each start, and for each length. What follows a session is the same mail however
        long after it, so that nobody is thanked twice when the length is changed in between.
        """
        about = f"plan-{mail_plan.kind_of(self.rule)}-{self.rule.audience}-{self.session.pk}"
        if self.rule.is_reminder:
            return f"{about}-{self.session.starts_at:%Y%m%dT%H%M%S}-{self.rule.minutes}"
        return f"{about}-{self.place}"

    def key(self, noted: Mapping[str, datetime]) -> str:
        """What makes it one mailing, beside those that are noted, by their keys with when they were begun.

        A session that is given again is followed by the same mails anew. What was begun before it starts is of an
        earlier date; correcting the times of what is over leaves it begun after the start, and follows with nothing.
        """
        if self.rule.is_reminder:
            return self.what
        earlier_dates = 0
        while (begun_at := noted.get(f"{self.what}-{earlier_dates}")) and begun_at < self.session.starts_at:
            earlier_dates += 1
        return f"{self.what}-{earlier_dates}"


@dataclass(frozen=True)
class _Told:
    """Since when somebody has their place, when they were last told when it is, and whether another try is to come."""

    placed_at: datetime
    at: datetime
    is_tried_again: bool


def sweep(*, now: datetime, seconds: float = SWEEP_SECONDS) -> int:
    """Begin what has come due, and write what has begun. Returns how many mails are owed.

    Any number may run at once. A mailing that fails stands in nobody's way: the log tells of it, the others are
    written, and the next sweep tries it again.
    """
    deadline = time.monotonic() + seconds
    begin_due(now=now)
    owed = 0
    for pk in Mailing.objects.filter(written_at__isnull=True).order_by("pk").values_list("pk", flat=True):
        is_done = False
        while not is_done and time.monotonic() < deadline:
            told, is_done = _write_chunk_or_leave(pk, now=now)
            owed += told
    return owed


def unwritten_since(moment: datetime) -> list[Mailing]:
    """Those that were begun before then, and of which not all mails are written; the first first."""
    return list(Mailing.objects.filter(written_at__isnull=True, begun_at__lt=moment).order_by("pk"))


# ---------- what is due ----------


def begin_due(*, now: datetime) -> int:
    """Note every rule whose moment has come for a session, in a fixed number of queries. Returns how many are new.

    Safe to run twice: a mailing is noted once for its key.
    """
    due = [found for session in _sessions_near(now) for found in _due_for(session, now)]
    if not due:
        return 0
    planned = Mailing.objects.filter(session__in={each.session.pk for each in due}).exclude(
        kind=Message.Kind.ANNOUNCEMENT
    )
    noted = dict(planned.order_by().values_list("key", "begun_at"))
    fresh = [each for each in _without_overtaken(due) if each.key(noted) not in noted]
    fresh = _without_crowding(fresh, now)
    mailings = [_mailing_of(each, key=each.key(noted), now=now) for each in fresh]
    Mailing.objects.bulk_create(mailings, ignore_conflicts=True)
    return len(fresh)


def _sessions_near(now: datetime) -> list[Session]:
    """The sessions for which some rule may have come due, with what their plans need."""
    leads = MailRule.objects.order_by().values_list("purpose", "minutes").distinct()
    near = Q(pk__in=[])
    for purpose, minutes in leads:
        near |= _near(MailRule(purpose=purpose, minutes=minutes), now)
    rows = Session.objects.scheduled().filter(near, webinar__status=Webinar.Status.PUBLISHED)
    return list(
        rows.annotate(has_survey=Exists(_survey_of(OuterRef("webinar"))))
        .select_related("webinar__host")
        .prefetch_related("webinar__mail_rules", "webinar__host__mail_rules")
        .order_by("pk")
    )


def _near(rule: MailRule, now: datetime) -> Q:
    if rule.is_reminder:
        latest = now + rule.lead
        return Q(starts_at__gt=latest - REMINDERS_AT_MOST_LATE, starts_at__lte=latest, ends_at__gt=now)
    latest = now - rule.lead
    since = latest - OTHERS_AT_MOST_LATE
    near = Q(ends_at__gt=since, ends_at__lte=latest)
    if rule.purpose == MailRule.Purpose.REPLAY:
        for moment in ("webinar__replay_from", "webinar__replay_added_at"):
            near |= Q(**{f"{moment}__gt": since, f"{moment}__lte": latest}, ends_at__lte=now)
    return near


def _due_for(session: Session, now: datetime) -> list[_Due]:
    # Who came is asked when the mails are written.
    has_survey: bool = session.has_survey  # type: ignore[attr-defined]
    occasion = mail_plan.occasion_of(session, has_survey=has_survey, is_attendance_known=True)
    rules = mail_rules.rules_of(session.webinar)
    moments = {rule.pk: moment for moment, rule in mail_plan.moments(occasion, rules)}
    # Of each kind to the same people, how many came before. Those that never held are not counted: a rule that is added
    # too late, before one whose mail has gone out, would make that the next, and send it again.
    places: Counter[tuple[str, str]] = Counter()
    found = []
    for rule in rules:
        due = mail_plan.due_at(rule, occasion)
        if due is None or mail_plan.is_overdue(rule, due, occasion):
            continue
        same = (rule.purpose, rule.audience)
        if _is_due(rule, moments[rule.pk], occasion, now):
            found.append(_Due(session, rule, moments[rule.pk], place=places[same]))
        places[same] += 1
    return found


def _is_due(rule: MailRule, at: datetime, occasion: Occasion, now: datetime) -> bool:
    if at > now:
        return False
    if rule.is_reminder:
        # "It starts now" may be a little late; all others have lost their point by then.
        return now - at < REMINDERS_AT_MOST_LATE and now < (occasion.starts_at if rule.minutes else occasion.ends_at)
    return now - at < OTHERS_AT_MOST_LATE


def _without_overtaken(due: Iterable[_Due]) -> list[_Due]:
    """Of several reminders for a session that have come due while no worker was there, the last tells enough."""
    kept: dict[int, _Due] = {}
    rest = []
    for each in sorted(due, key=lambda found: found.at):
        if not each.rule.is_reminder:
            rest.append(each)
            continue
        earlier = kept.get(each.session.pk)
        if earlier is None or each.at - earlier.at >= MERGED_WITHIN:
            kept[each.session.pk] = each
        else:
            # So near that the plan merges them: to whom the first is not sent, the second may be.
            rest.append(each)
    return [*kept.values(), *rest]


def _without_crowding(due: Iterable[_Due], now: datetime) -> list[_Due]:
    """What is late waits until a quarter of an hour has passed since the session's last mailing."""
    found = sorted(due, key=lambda each: (each.at, each.rule.pk))
    late = [each for each in found if now - each.at >= MERGED_WITHIN]
    if not late:
        return found
    recent = Mailing.objects.filter(session__in=[each.session for each in late], begun_at__gt=now - MERGED_WITHIN)
    busy = set(recent.order_by().values_list("session", flat=True))
    kept = []
    for each in found:
        if each not in late:
            kept.append(each)
        elif each.session.pk not in busy:
            busy.add(each.session.pk)
            kept.append(each)
    return kept


def _mailing_of(due: _Due, *, key: str, now: datetime) -> Mailing:
    return Mailing(
        key=key,
        kind=mail_plan.kind_of(due.rule),
        webinar=due.session.webinar,
        session=due.session,
        rule=due.rule,
        audience=AUDIENCES[MailRule.Audience(due.rule.audience)],
        starts_at=due.session.starts_at,
        due_at=due.at,
        begun_at=now,
    )


# ---------- writing ----------


def _write_chunk_or_leave(pk: int, *, now: datetime) -> tuple[int, bool]:
    """The same as `_write_chunk`, and done with for this sweep where it fails by itself."""
    try:
        return _write_chunk(pk, now=now)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        # With a database that is away none of the others can be written either.
        if not connection.is_usable():
            raise
        logger.exception("Mailing %s could not be written.", pk)
        return 0, True


def _write_chunk(pk: int, *, now: datetime) -> tuple[int, bool]:
    """Owe the next people of a mailing their mail. Returns how many, and whether it is done or another worker's.

    1. The mailing is locked, or left to whoever has it.
    2. Its sessions are locked as acts lock them, lowest id first, so that nobody waits for anybody in a ring.
    3. The people are locked, so that nobody is erased meanwhile, and written to by what the plan says of each.
    """
    with transaction.atomic():
        skip_locked = connection.features.has_select_for_update_skip_locked
        rows = Mailing.objects.select_for_update(of=("self",), skip_locked=skip_locked)
        mailing = rows.select_related("rule").filter(pk=pk, written_at__isnull=True).first()
        if mailing is None:
            return 0, True
        sessions = _locked_sessions(mailing)
        people = _next_people(mailing) if _has_point(mailing, sessions, now) else []
        told = _owe(people, mailing, sessions, now=now)
        is_done = len(people) < CHUNK
        Mailing.objects.filter(pk=mailing.pk).update(
            told=F("told") + told,
            reached=people[-1].pk if people else mailing.reached,
            written_at=now if is_done else None,
        )
        if told:
            outbox.nudge_sweep()
    return told, is_done


def _locked_sessions(mailing: Mailing) -> dict[int, Session]:
    which = Q(pk=mailing.session_id) if mailing.session_id else Q(webinar=mailing.webinar_id)
    rows = Session.objects.select_for_update(of=("self",), no_key=True).filter(which).order_by("pk")
    rows = rows.select_related("webinar__host")
    return {
        session.pk: session for session in rows.prefetch_related("webinar__mail_rules", "webinar__host__mail_rules")
    }


def _has_point(mailing: Mailing, sessions: Mapping[int, Session], now: datetime) -> bool:
    """Whether anybody is still to be told: a session that was called off, or has moved since, has another plan.

    The plan of a webinar that is withdrawn rests. What an organizer announces goes to its people all the same.
    """
    if mailing.kind == Message.Kind.ANNOUNCEMENT:
        return bool(sessions)
    session = sessions.get(mailing.session_id or 0)
    if session is None or mailing.rule is None:
        return False
    if session.is_called_off or session.webinar.status == Webinar.Status.DRAFT:
        return False
    return not mailing.rule.is_reminder or session.starts_at == mailing.starts_at


def _next_people(mailing: Mailing) -> list[Registration]:
    people = audience_of(mailing).filter(pk__gt=mailing.reached).order_by("pk")
    return list(people.select_for_update(of=("self",), no_key=True)[:CHUNK])


def _owe(people: list[Registration], mailing: Mailing, sessions: Mapping[int, Session], *, now: datetime) -> int:
    for person in people:
        person.session = sessions[person.session_id]
    if mailing.rule is None or not people:
        return outbox.enqueue_mailing(people, mailing, now=now) if people else 0
    told = _told(people, now)
    people = _those_sent(people, mailing.rule, sessions[people[0].session_id], told)
    unsure = {person.pk for person in people if told[person.pk].is_tried_again and mailing.rule.is_reminder}
    return outbox.enqueue_mailing(people, mailing, now=now, unless_told=unsure)


def _those_sent(
    people: list[Registration], rule: MailRule, session: Session, told: Mapping[int, _Told]
) -> list[Registration]:
    """Those whose own plan sends them the mail of that rule."""
    rules, occasion = mail_rules.rules_of(session.webinar), occasion_of(session)
    dated = mail_plan.timed(occasion, rules)
    return [
        person
        for person in people
        if any(
            mail.rule == rule and mail.fate == Fate.SENT
            for mail in mail_plan.plan(
                occasion,
                rules,
                placed_at=told[person.pk].placed_at,
                told_at=told[person.pk].at,
                came=person.joined_at is not None,
                dated=dated,
            )
        )
    ]


def _told(people: Iterable[Registration], now: datetime) -> dict[int, _Told]:
    """When each of them was last told when their session is: now, where a mail that says so is about to go out.

    One that was refused and is tried again may not arrive at all, and has told nobody.
    """
    tells = Message.objects.filter(registration=OuterRef("pk"), kind__in=TELLS_THE_TIME)
    to_be_sent = [state for state in Message.OPEN_STATES if state != Message.State.RETRYING]
    is_on_its_way = When(state__in=to_be_sent, then=Value(now))
    told = (
        tells.filter(state__in=[*to_be_sent, Message.State.SENT])
        .order_by()
        .values("registration")
        .annotate(last=Max(Case(is_on_its_way, default=F("sent_at"), output_field=models.DateTimeField())))
        .values("last")
    )
    placed_at = Coalesce("confirmed_at", "registered_at")
    rows = Registration.objects.filter(pk__in=[person.pk for person in people]).order_by()
    found = rows.values_list(
        "pk",
        placed_at,
        Greatest(placed_at, Coalesce(Subquery(told), placed_at)),
        Exists(tells.filter(state=Message.State.RETRYING).order_by()),
    )
    return {pk: _Told(*what) for pk, *what in found}


def occasion_of(session: Session) -> Occasion:
    """What the plan has to know of a session, in two queries."""
    return mail_plan.occasion_of(
        session,
        has_survey=_survey_of(session.webinar_id).exists(),
        is_attendance_known=Registration.objects.filter(session=session, joined_at__isnull=False).exists(),
    )


def _survey_of(webinar: int | OuterRef) -> models.QuerySet[Question]:
    return Question.objects.filter(webinar=webinar, asked=Question.Asked.SURVEY)


# ---------- who is written to ----------


def audience_of(mailing: Mailing) -> RegistrationQuerySet:
    """Whom a mailing is for, as things stand."""
    return audience(
        mailing.webinar,
        session=mailing.session,
        audience=Mailing.Audience(mailing.audience),
        kind=Message.Kind(mailing.kind),
    )


def audience(
    webinar: Webinar, *, session: Session | None, audience: Mailing.Audience, kind: Message.Kind
) -> RegistrationQuerySet:
    """The people of that session, or of all sessions that were not called off, who may be sent such a mail."""
    people: RegistrationQuerySet = Registration.objects.filter(webinar=webinar)
    people = people.filter(session=session) if session else people.exclude(session__state=Session.State.CANCELLED)
    if audience == Mailing.Audience.WAITING:
        chosen = people.filter(status=Registration.Status.WAITLISTED)
    else:
        chosen = people.confirmed()
    if audience == Mailing.Audience.CAME:
        chosen = chosen.filter(joined_at__isnull=False)
    elif audience == Mailing.Audience.STAYED_AWAY:
        seen = Registration.objects.filter(session=OuterRef("session"), joined_at__isnull=False)
        chosen = chosen.filter(Exists(seen), joined_at__isnull=True)
    return consent.willing(chosen, kind)


# ---------- announcing ----------


def announce(
    webinar: Webinar,
    *,
    session: Session | None,
    audience: Mailing.Audience,
    subject: str,
    text: str,
    by: User | None,
    now: datetime,
    draft: uuid.UUID,
) -> Mailing:
    """Write to these people, with the next sweep, what an organizer has written.

    Safe to run twice: the same words of a draft are sent once to the same people. Other words are another announcement,
    also from the same page: whoever goes back to it corrects what they have sent.
    """
    said = hashlib.sha256(repr((str(audience), subject, text)).encode()).hexdigest()
    mailing, _is_new = Mailing.objects.get_or_create(
        key=f"announcement-{draft}-{said[:32]}",
        defaults={
            "kind": Message.Kind.ANNOUNCEMENT,
            "webinar": webinar,
            "session": session,
            "audience": audience,
            "subject": subject,
            "text": text,
            "written_by": by,
            "due_at": now,
            "begun_at": now,
        },
    )
    return mailing
