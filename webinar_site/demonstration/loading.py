"""Writes the demonstration into the database, through the acts that organizers and visitors use."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Model
from django.utils.translation import override

from events import mail_rules, timezones
from events.models import (
    Affiliation,
    Appearance,
    DisplayZone,
    Host,
    Membership,
    Offer,
    OfferCondition,
    Partner,
    Presenter,
    Question,
    Series,
    SeriesPartnership,
    Session,
    User,
    Webinar,
)
from events.scheduling import save_session
from registrations import signup
from registrations.models import Message
from webinar_site.demonstration import DEMO_ORGANIZER_PASSWORD
from webinar_site.demonstration.border_security import border_security_report
from webinar_site.demonstration.content import (
    HostContent,
    OfferContent,
    PresenterContent,
    QuestionContent,
    SeriesContent,
    SessionContent,
    WebinarContent,
)
from webinar_site.demonstration.portraits import draw
from webinar_site.demonstration.registrants import Registrant
from webinar_site.demonstration.rivers_and_cities import rivers_and_cities

M = TypeVar("M", bound=Model)

# Registrants came one after the other, the last of them a little before the demonstration was loaded.
BETWEEN_REGISTRATIONS = timedelta(hours=5, minutes=23)
LAST_MINUTE = time(23, 59)  # of the day until which an offer holds
DROPPED_BECAUSE = "Belongs to the demonstration: there is nobody to send it to."


def load_demonstration(*, now: datetime) -> bool:
    """Write the demonstration once, all of it or nothing. False, having changed nothing, when any of it is there.

    What is there may have been edited meanwhile, and what is missing may have been deleted: both are the organizers'
    business. Dates are counted from `now`.
    """
    today = now.astimezone(UTC).date()
    hosts = (border_security_report(today), rivers_and_cities(today))
    with transaction.atomic(), override("en"):
        if _is_any_there(hosts):
            return False
        for host in hosts:
            _load_host(host, now=now)
        for content in (webinar for host in hosts for webinar in host.webinars):
            recommended = Webinar.objects.filter(slug__in=content.recommended)
            Webinar.objects.get(slug=content.slug).recommended.set(recommended)
    return True


def _is_any_there(hosts: Iterable[HostContent]) -> bool:
    return any(
        Host.objects.filter(slug=host.slug).exists() or User.for_address(host.organizer_email) is not None
        for host in hosts
    )


def _load_host(content: HostContent, *, now: datetime) -> None:
    host = _save(
        Host(
            slug=content.slug,
            name=content.name,
            about=content.about,
            website=content.website,
            accent=content.accent,
            time_zone=content.time_zone,
        )
    )
    # In production mails would go out to people who are not there.
    mail_rules.begin_plan(host, now=now, rules=() if settings.PRODUCTION else content.mails)
    organizer = _load_organizer(host, content.organizer_email)
    series = _load_series(host, content.series) if content.series else None
    if content.offer:
        _load_offer(Offer(host=host, scope=Offer.Scope.HOST), content.offer)
    for webinar in content.webinars:
        _load_webinar(host, series, webinar, organizer=organizer, now=now)


def _load_organizer(host: Host, email: str) -> User:
    """The host's owner. In production everybody could know the password, so that there is none: a code by mail."""
    password = None if settings.PRODUCTION else DEMO_ORGANIZER_PASSWORD
    organizer = User.objects.create_user(email=email, password=password, is_staff=True)
    EmailAddress.objects.create(user=organizer, email=email, verified=True, primary=True)
    _save(Membership(host=host, user=organizer, role=Membership.Role.OWNER))
    return organizer


def _load_series(host: Host, content: SeriesContent) -> Series:
    series = _save(Series(host=host, slug=content.slug, title=content.title, about=content.about))
    for order, organization in enumerate(content.partners):
        partner = _save(
            Partner(host=host, name=organization.name, parent=organization.parent, website=organization.website)
        )
        _save(SeriesPartnership(series=series, partner=partner, kind=organization.kind, order=order))
    return series


def _load_offer(offer: Offer, content: OfferContent) -> None:
    offer.headline = content.headline
    offer.percent_off = content.percent_off
    offer.periods = content.periods
    offer.terms = content.terms
    offer.redeem_url = content.redeem_url
    offer.code_prefix = content.code_prefix
    offer.valid_until = timezones.resolve(content.valid_until, LAST_MINUTE, offer.host.time_zone)
    _save(offer)
    for order, kind in enumerate(content.conditions):
        is_attending = kind == OfferCondition.Kind.ATTENDED
        _save(
            OfferCondition(
                offer=offer, kind=kind, minutes=content.attended_minutes if is_attending else None, order=order
            )
        )


def _load_webinar(
    host: Host, series: Series | None, content: WebinarContent, *, organizer: User, now: datetime
) -> None:
    webinar = _save(
        Webinar(
            host=host,
            series=series if content.is_in_series else None,
            slug=content.slug,
            title=content.title,
            official_title=content.official_title,
            summary=content.summary,
            about=content.about,
            language=content.language,
            interpretation=content.interpretation,
            status=Webinar.Status.PUBLISHED,
            attended_count=content.attended_count,
            replay_url=content.replay_url,
        )
    )
    for order, time_zone in enumerate(content.display_zones):
        _save(DisplayZone(webinar=webinar, time_zone=time_zone, order=order))
    for order, person in enumerate(content.presenters):
        presenter = _load_presenter(host, person)
        _save(Appearance(webinar=webinar, presenter=presenter, role=person.role, order=order))
    questions = [_load_question(webinar, question, order) for order, question in enumerate(content.questions)]
    if content.offer:
        _load_offer(Offer(host=host, scope=Offer.Scope.WEBINAR, webinar=webinar), content.offer)
    for session_content in content.sessions:
        session = _plan_session(webinar, session_content, organizer=organizer, now=now)
        _register_people(session, session_content.registrants, questions, now=now)


def _load_question(webinar: Webinar, content: QuestionContent, order: int) -> tuple[Question, QuestionContent]:
    question = Question(
        webinar=webinar,
        wording=content.wording,
        kind=content.kind,
        help_text=content.help_text,
        options="\n".join(content.options),
        asked=content.asked,
        order=order,
    )
    return _save(question), content


def _load_presenter(host: Host, content: PresenterContent) -> Presenter:
    """The presenter, written when the first of their webinars is."""
    known = Presenter.objects.filter(host=host, slug=content.slug).first()
    if known is not None:
        return known
    presenter = Presenter(
        host=host,
        slug=content.slug,
        honorific=content.honorific,
        name=content.name,
        biography=content.biography,
    )
    if content.portrait:
        presenter.portrait = _store_once(presenter, f"{content.slug}.webp", draw(content.portrait))
    _save(presenter)
    for order, work in enumerate(content.works):
        _save(
            Affiliation(
                presenter=presenter,
                job_title=work.job_title,
                organization=work.organization,
                abbreviation=work.abbreviation,
                order=order,
            )
        )
    return presenter


def _store_once(presenter: Presenter, name: str, picture: bytes) -> str:
    """The stored picture's name. A database that is made anew finds the pictures of the last one."""
    field = Presenter._meta.get_field("portrait")
    stored = field.generate_filename(presenter, name)
    if not field.storage.exists(stored):
        stored = field.storage.save(stored, ContentFile(picture))
    return stored


def _plan_session(webinar: Webinar, content: SessionContent, *, organizer: User, now: datetime) -> Session:
    session = Session(
        webinar=webinar,
        label=content.label,
        local_date=content.on,
        local_time=content.at,
        time_zone=content.time_zone,
        duration_minutes=content.minutes,
        capacity=content.capacity,
        join_url=content.join_url,
    )
    return save_session(session, by=organizer, now=now)


def _register_people(
    session: Session,
    people: Sequence[Registrant],
    questions: Sequence[tuple[Question, QuestionContent]],
    *,
    now: datetime,
) -> None:
    """Register people one after the other until a little before `now`, and keep their mails from ever going out."""
    for place, person in enumerate(people):
        signup.register(
            session,
            name=person.name,
            email=person.email,
            time_zone=person.time_zone,
            language=person.language,
            answers={
                question: content.answers[place % len(content.answers)]
                for question, content in questions
                if content.answers
            },
            now=now - BETWEEN_REGISTRATIONS * (len(people) - place),
        )
    unsent = Message.objects.open().filter(registration__session=session)
    unsent.update(state=Message.State.CANCELLED, answer=DROPPED_BECAUSE)


def _save(instance: M) -> M:
    """Save what an organizer could have entered, and nothing else: whatever the model refuses, so does this."""
    instance.full_clean()
    instance.save()
    return instance
