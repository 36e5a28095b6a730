"""What somebody would be sent who gets a place at a given moment: the plan, told and shown, and nothing written.

The person is made up and never stored; their mails are composed by the code that composes all others.
"""

import copy
import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from types import MappingProxyType

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events import mail_rules
from events.models import Offer, OfferCondition, Session, Webinar
from registrations import emails, mail_plan, mailings
from registrations.mail_plan import Because, Fate, Occasion, PlannedMail
from registrations.models import Mailing, Message, OfferCode, Registration
from registrations.pointless import PointlessError

# Like one that a registration may have, and nobody's: neither I nor O are in any.
NOBODY = "SIMULATION"
_CODE = "YOUR-CODE-HERE"

_REASONS = MappingProxyType(
    {
        Because.CANCELLED: gettext_lazy("The session is called off."),
        Because.PASSED: gettext_lazy("Its moment had passed when they registered."),
        Because.RULE_IS_NEWER: gettext_lazy("It came into the plan after its moment."),
        Because.CAME: gettext_lazy("They came."),
        Because.STAYED_AWAY: gettext_lazy("They did not come."),
        Because.NOBODY_SEEN: gettext_lazy("Nobody was seen at the session, so nobody is told that they missed it."),
        Because.NO_SURVEY: gettext_lazy("The webinar asks nothing afterwards."),
        Because.NO_REPLAY: gettext_lazy("It goes out as soon as there is a replay to watch."),
        Because.REPLAY_ENDED: gettext_lazy("The replay can be watched no longer by then."),
        Because.WITH_CONFIRMATION: gettext_lazy(
            "It is due within a quarter of an hour of the confirmation, which tells the same."
        ),
    }
)


@dataclass(frozen=True)
class Simulated:
    """Somebody who might register: when, where they are, what they read, and whether they then come."""

    registered_at: datetime
    time_zone: str
    language: str
    came: bool
    name: str
    email: str


@dataclass(frozen=True)
class Preview:
    """A mail as its reader would see it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Step:
    """One mail on the time line, in words; `at` is None where nobody knows yet when."""

    title: str
    rule: str
    at: datetime | None
    fate: Fate
    reason: str
    preview: Preview | None


def simulate(session: Session, person: Simulated) -> list[Step]:
    """The time line of that person's mails, each at its own moment: also what had passed before they registered.

    Those without a moment come last. Nothing is written. A plan is tried out while its webinar is a draft, and told as
    it is once that is published.
    """
    session = _as_published(session)
    occasion = _with_others_seen(mailings.occasion_of(session))
    rules = mail_rules.rules_of(session.webinar)
    confirmation = PlannedMail(Message.Kind.CONFIRMED, person.registered_at, Fate.SENT)
    planned = mail_plan.plan(occasion, rules, told_at=person.registered_at, came=person.came)
    own = _registration(session, person)
    in_time = sorted(
        [confirmation, *planned], key=lambda mail: (mail.due_at is None, mail.due_at or person.registered_at)
    )
    return [_step(mail, session, own, person) for mail in in_time]


def waits_first(session: Session) -> bool:
    """Whether somebody who registers now gets no place at once: it is full, or there is a step before one."""
    webinar = session.webinar
    return bool(session.places_left == 0 or webinar.needs_proof or webinar.needs_approval or not webinar.is_free)


def _as_published(session: Session) -> Session:
    if session.webinar.status != Webinar.Status.DRAFT:
        return session
    shown, webinar = copy.copy(session), copy.copy(session.webinar)
    webinar.status = Webinar.Status.PUBLISHED
    shown.webinar = webinar
    return shown


def _with_others_seen(occasion: Occasion) -> Occasion:
    """Before the session nobody was seen yet: whoever is to miss it misses what others came to."""
    return Occasion(**{**vars(occasion), "is_attendance_known": True})


def _step(mail: PlannedMail, session: Session, own: Registration, person: Simulated) -> Step:
    preview, reason = None, reason_of(mail)
    if mail.fate == Fate.SENT:
        try:
            preview = _preview(mail, session, own, person)
        except PointlessError:
            reason = _("Nothing would be left to tell them by then, so it is not sent.")
    is_sent = mail.fate != Fate.SENT or preview is not None
    return Step(
        title=str(mail.kind.label),
        rule=mail_rules.words(mail.rule) if mail.rule else _("As soon as they have their place"),
        at=mail.due_at,
        fate=mail.fate if is_sent else Fate.SKIPPED,
        reason=reason,
        preview=preview,
    )


def reason_of(mail: PlannedMail) -> str:
    """Why a mail is not sent by itself, or not yet, for organizers; nothing where it is."""
    if mail.because is None:
        return ""
    if mail.because == Because.WITH_EARLIER and mail.merged_with is not None:
        words = _("It is due within a quarter of an hour of “%(mail)s”, which goes out for both.")
        return words % {"mail": mail.merged_with.label}
    return str(_REASONS[mail.because])


def preview_announcement(session: Session, *, subject: str, text: str, reader: str, now: datetime) -> Preview:
    """An announcement as it would reach somebody in that session who reads the site's own language."""
    person = Simulated(
        registered_at=now,
        time_zone=session.time_zone,
        language=settings.LANGUAGE_CODE,
        came=True,
        name=_("Somebody"),
        email=reader,
    )
    mailing = Mailing(
        kind=Message.Kind.ANNOUNCEMENT, webinar=session.webinar, subject=subject, text=text, due_at=now, begun_at=now
    )
    return _composed(Message.Kind.ANNOUNCEMENT, _registration(session, person), mailing, now)


# ---------- the mails ----------


def _registration(session: Session, person: Simulated) -> Registration:
    """Somebody with a place, of whom no table knows."""
    own = Registration(
        pk=0,
        reference=NOBODY,
        webinar=session.webinar,
        session=session,
        name=person.name,
        email=person.email,
        status=Registration.Status.CONFIRMED,
        has_place=True,
        time_zone=person.time_zone,
        language=person.language,
        registered_at=person.registered_at,
        confirmed_at=person.registered_at,
        joined_at=session.starts_at if person.came else None,
        uid=NOBODY,
        dtstamp=person.registered_at,
        entry=Registration.Entry.CONFIRMED,
    )
    codes = OfferCode.objects.none()
    codes._result_cache = _codes(own)  # what `prefetch_related` would have found, had they registered
    own._prefetched_objects_cache = {"offer_codes": codes}  # type: ignore[attr-defined]
    return own


def _codes(own: Registration) -> list[OfferCode]:
    """A code for each offer that they would be given, unlocked where registering earns it."""
    webinar, at = own.session.webinar, own.registered_at
    offers = Offer.objects.active(at).covering(webinar=webinar.pk, series=webinar.series_id, host=webinar.host_id)
    codes: list[OfferCode] = []
    for offer in offers.prefetch_related("conditions"):
        is_earned = any(each.kind == OfferCondition.Kind.REGISTERED for each in offer.conditions.all())
        unlocked_at = at if is_earned else None
        codes.append(
            OfferCode(
                pk=len(codes), offer=offer, session=own.session, code=_CODE, issued_at=at, unlocked_at=unlocked_at
            )
        )
    return codes


def _preview(mail: PlannedMail, session: Session, own: Registration, person: Simulated) -> Preview:
    """The mail as it would be composed when it is due. Raises PointlessError where it would not be sent."""
    at = mail.due_at or person.registered_at
    return _composed(mail.kind, own, _mailing(mail, session, at) if mail.rule else None, at)


def _composed(kind: Message.Kind, own: Registration, mailing: Mailing | None, at: datetime) -> Preview:
    message = Message(
        key=f"{NOBODY}-{kind}",
        kind=kind,
        registration=own,
        mailing=mailing,
        to_email=own.email,
        language=own.language,
        created_at=at,
        due_at=at,
    )
    composed = email.message_from_bytes(emails.compose(message, now=at).as_bytes(), policy=email.policy.default)
    assert isinstance(composed, EmailMessage)  # noqa: S101 - the default policy makes no other
    return Preview(str(composed["Subject"]), _part(composed, "plain"), _without_links(_part(composed, "html")))


def _mailing(mail: PlannedMail, session: Session, at: datetime) -> Mailing:
    return Mailing(
        kind=mail.kind, webinar=session.webinar, session=session, starts_at=session.starts_at, due_at=at, begun_at=at
    )


def _part(composed: EmailMessage, subtype: str) -> str:
    part = composed.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _without_links(html: str) -> str:
    """They would lead to the registration of nobody."""
    return re.sub(r'(<a\b[^>]*?) href="[^"]*"', r"\1", html)
