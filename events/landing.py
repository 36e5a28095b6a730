"""The landing page of a webinar: everything that it shows, read in a fixed number of queries.

Whatever the numbers, `get_webinar` and `landing_page` together run seven statements, which leaves one for the
questions of the registration form.
"""

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.core.files.storage import default_storage
from django.db.models import Case, Exists, F, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from events import formats, timezones
from events.calendar_links import add_to_calendar_links, subscription_links
from events.choices import SessionOption, State, main_session, page_state, session_options
from events.conditions import condition_text
from events.links import absolute
from events.meridian import Meridian, ZoneTime, meridian, zone_times
from events.models import (
    Appearance,
    DisplayZone,
    Host,
    Offer,
    Presenter,
    Series,
    SeriesPartnership,
    Session,
    Webinar,
    WebinarPartnership,
)
from events.models.series import Partnership
from events.replays import Replay, replay_of
from events.statements import Given, Statement, columns, instance, instances, prefetched

# A smaller crowd, told while people still decide, keeps others away.
LEAST_COUNT_SHOWN = 20
MOST_INSTEAD = 3
# What nobody chose is a guess; what somebody chose is shown.
MOST_NEAR = 3
MOST_CHOSEN = 12


@dataclass(frozen=True)
class PresenterEntry:
    """Somebody in the list of presenters. Without a public name the job title is the heading, and not repeated."""

    heading: str
    has_name: bool
    url: str
    role: str
    job_title: str
    organization: str
    other_positions: list[str]
    biography: str
    portrait_url: str
    tile: str


@dataclass(frozen=True)
class OfferEntry:
    """An offer with the ways to earn it."""

    headline: str
    terms: str
    ways: list[str]
    redeem_url: str
    valid_from: datetime | None
    valid_until: datetime | None
    is_valid: bool


@dataclass(frozen=True)
class PartnerEntry:
    name: str
    parent: str
    website: str
    logo_url: str


@dataclass(frozen=True)
class PartnerGroup:
    """The organizations of one kind of partnership: "In partnership with", and who."""

    kind: str
    partners: list[PartnerEntry]
    code: str


@dataclass(frozen=True)
class RelatedWebinar:
    starts_at: datetime | None
    title: str
    url: str
    summary: str
    language: str
    date: str
    is_over: bool


@dataclass(frozen=True)
class LandingPage:
    """What the landing page shows. Times are for `shown_zone`; `zone` is the reader's, None while nobody knows it."""

    webinar: Webinar
    host: Host
    series: Series | None
    accent: str
    now: datetime
    zone: str | None
    shown_zone: str
    state: State
    session: Session | None
    meridian: Meridian | None
    options: list[SessionOption]
    presenters: list[PresenterEntry]
    offers: list[OfferEntry]
    partners: list[PartnerGroup]
    recommended: list[RelatedWebinar]
    content_language: str

    @cached_property
    def city(self) -> str:
        return timezones.city_name(self.shown_zone)

    @property
    def is_own_time(self) -> bool:
        return self.zone is not None

    @cached_property
    def takes_registrations(self) -> bool:
        """Whether the form has anything to choose."""
        return any(option.is_selectable for option in self.options)

    @property
    def only_waits(self) -> bool:
        """Whether all that is left is to wait for a place."""
        return self.takes_registrations and all(option.is_waiting for option in self.options if option.is_selectable)

    @property
    def is_over(self) -> bool:
        return self.state == State.OVER

    @cached_property
    def changes_at(self) -> datetime | None:
        """When the page will next say something else by itself; None where nothing is planned."""
        moments = [self.webinar.next_moment(self.now)]
        for offer in self.offers:
            moments += [offer.valid_from, offer.valid_until]
        return min((moment for moment in moments if moment and moment > self.now), default=None)

    @cached_property
    def canonical_url(self) -> str:
        return absolute(self.webinar.get_absolute_url())

    @property
    def picture_url(self) -> str:
        return absolute(self.webinar.picture.url) if self.webinar.picture else ""

    @property
    def strip(self) -> OfferEntry | None:
        """The offer that the strip at the top tells of."""
        return next((offer for offer in self.offers if offer.is_valid), None)

    @cached_property
    def places_taken(self) -> int | None:
        """How many have registered, None where it is too early to tell."""
        if self.state in {State.OVER, State.CANCELLED, State.UNPLANNED}:
            return None
        taken = sum(session.places_taken for session in self.webinar.sessions.all())
        return taken if taken >= LEAST_COUNT_SHOWN else None

    @cached_property
    def replay(self) -> Replay:
        return replay_of(self.webinar, now=self.now)

    @property
    def lead(self) -> SessionOption | None:
        """The session that the page leads with, as a choice."""
        return next((option for option in self.options if self.session and option.id == self.session.pk), None)

    @property
    def running(self) -> list[SessionOption]:
        """The sessions that are going on."""
        running = {session.pk for session in self.webinar.sessions.all() if session.is_running(self.now)}
        return [option for option in self.options if option.id in running]

    @property
    def can_come_in(self) -> bool:
        """Whether somebody can register for what is going on."""
        return any(option.is_selectable and not option.is_waiting for option in self.running)

    @property
    def has_place_later(self) -> bool:
        """Whether a session that has not begun has a place."""
        later = (option for option in self.options if option.starts_at > self.now)
        return any(option.is_selectable and not option.is_waiting for option in later)

    @property
    def moved(self) -> list[Session]:
        """The sessions to come that stood elsewhere when they were announced."""
        return [session for session in self.webinar.sessions.all() if session.moved_from(self.now)]

    @property
    def calendars(self) -> list[tuple[SessionOption, list[tuple[str, str]]]]:
        """The sessions to come, each with the links that put a copy of it into a web calendar."""
        return [
            (option, calendar_copies(self.webinar, option.starts_at, option.ends_at))
            for option in self.options
            if option.kind not in {"cancelled", "past"}
        ]

    @property
    def timetable(self) -> list[tuple[SessionOption, list[ZoneTime]]]:
        """Every session in every zone that the host shows, the reader's and its own, from west to east."""
        shown = [zone.time_zone for zone in self.webinar.display_zones.all()]
        return [
            (option, zone_times(option.starts_at, option.ends_at, [*shown, option.host_zone], own=self.zone))
            for option in self.options
        ]

    @property
    def subscription(self) -> dict[str, str]:
        """The addresses that make a calendar follow the host."""
        return subscription_links(absolute(reverse("host_calendar", args=[self.host.slug])))

    @property
    def mail_link(self) -> str:
        """Begins a mail to somebody who should hear of the page."""
        return f"mailto:?subject={quote(self.webinar.title)}&body={quote(self.webinar.in_short)}"

    @property
    def attended(self) -> int | None:
        return self.webinar.attended_count if self.is_over else None

    @property
    def length(self) -> str:
        return formats.duration(self.session.duration) if self.session else ""

    @property
    def price(self) -> str:
        return formats.price(self.webinar.price_amount, self.webinar.price_currency)

    @property
    def language(self) -> str:
        return formats.language_name(self.webinar.language)


def get_webinar(slug: str) -> Webinar:
    """The webinar at that address with its host, series, sessions and zones. Raises Webinar.DoesNotExist for drafts."""
    rows = _WEBINAR.rows(slug=slug)
    if not rows:
        raise Webinar.DoesNotExist
    webinar, host, series = instances(rows[0], Webinar, Host, Series)
    webinar.host, webinar.series = host, series
    sessions = [instance(Session, row) for row in _SESSIONS.rows(webinar=webinar.pk)]
    for session in sessions:
        session.webinar = webinar
    prefetched(webinar, "sessions", sessions)
    zones = [instance(DisplayZone, row) for row in _ZONES.rows(webinar=webinar.pk)]
    prefetched(webinar, "display_zones", zones)
    return webinar


_WEBINAR = Statement(
    lambda: (
        Webinar.objects.reachable()
        .filter(slug=Given("slug"))
        .values_list(*columns(Webinar), *columns(Host, under="host__"), *columns(Series, under="series__"))
    )
)
_SESSIONS = Statement(lambda: Session.objects.filter(webinar=Given("webinar")).values_list(*columns(Session)))
_ZONES = Statement(lambda: DisplayZone.objects.filter(webinar=Given("webinar")).values_list(*columns(DisplayZone)))


def published_or_404(slug: str) -> Webinar:
    """The same for a page. Raises Http404 for drafts: not even their organizers show those around."""
    try:
        return get_webinar(slug)
    except Webinar.DoesNotExist:
        raise Http404 from None


def get_draft(slug: str) -> Webinar:
    """The draft at that address, with all that `get_webinar` fetches. Raises Webinar.DoesNotExist for any other.

    Who may see it is for the caller to ask. Organizers alone do, so that no statement is kept for them.
    """
    drafts = Webinar.objects.select_related("host", "series").prefetch_related("sessions", "display_zones")
    return drafts.get(slug=slug, status=Webinar.Status.DRAFT)


def landing_page(webinar: Webinar, *, now: datetime, zone: str | None, chosen: int | None = None) -> LandingPage:
    """Everything that the page of the webinar shows at that moment to a reader in that zone.

    Takes a webinar from `get_webinar` or `get_draft`. `chosen` is the session that the form holds already.
    """
    shown_zone = webinar.host.shown_zone(zone)
    sessions = list(webinar.sessions.all())
    session = main_session(sessions, now)
    state = page_state(webinar, sessions, now)
    return LandingPage(
        webinar=webinar,
        host=webinar.host,
        series=webinar.series,
        accent=webinar.host.accent,
        now=now,
        zone=zone,
        shown_zone=shown_zone,
        state=state,
        session=session,
        meridian=_chart(webinar, session, shown_zone, zone),
        options=session_options(webinar, now=now, zone=zone, chosen=chosen),
        presenters=_presenters(webinar),
        # What did not take place earns nobody anything.
        offers=[] if state == State.CANCELLED else _offers(webinar, session, now),
        partners=_partner_groups(webinar),
        recommended=_recommended(webinar, state, now, shown_zone)
        or (_coming(webinar, now, shown_zone) if state == State.CANCELLED else []),
        content_language=formats.foreign_language(webinar.language),
    )


def calendar_copies(webinar: Webinar, starts_at: datetime, ends_at: datetime) -> list[tuple[str, str]]:
    """Links that put a copy of a session into a web calendar. Histories and logs have them: all of it is public."""
    page = absolute(webinar.get_absolute_url())
    return add_to_calendar_links(webinar.title, starts_at, ends_at, details=webinar.in_short, location=page)


def _chart(webinar: Webinar, session: Session | None, shown_zone: str, own: str | None) -> Meridian | None:
    if session is None:
        return None
    zones = [shown.time_zone for shown in webinar.display_zones.all()] or [session.time_zone]
    return meridian(session.starts_at, session.ends_at, zones, reference=shown_zone, own=own)


def _presenters(webinar: Webinar) -> list[PresenterEntry]:
    """One query: a row for each position, the positions of one appearance together."""
    grouped = itertools.groupby(_PRESENTERS.rows(webinar=webinar.pk), key=operator.itemgetter(0))
    return [_presenter_entry([row[1:] for row in positions]) for _appearance, positions in grouped]


_PRESENTERS = Statement(
    lambda: (
        Appearance.objects.filter(webinar=Given("webinar"))
        .order_by("order", "pk", "presenter__affiliations__order", "presenter__affiliations__pk")
        .values_list(
            *("pk", "role", "presenter__slug", "presenter__honorific", "presenter__name", "presenter__biography"),
            *("presenter__portrait", "presenter__affiliations__job_title", "presenter__affiliations__organization"),
            "presenter__affiliations__abbreviation",
        )
    )
)


def _presenter_entry(positions: Sequence[tuple[Any, ...]]) -> PresenterEntry:
    role, slug, honorific, called, biography, portrait, *main = positions[0]
    presenter = Presenter(slug=slug, honorific=honorific, name=called, portrait=portrait)
    job_title, organization, abbreviation = (text or "" for text in main)
    name = f"{honorific} {called}".strip() if called else ""
    return PresenterEntry(
        heading=name or job_title or slug,
        has_name=bool(name),
        url=presenter.get_absolute_url(),
        role=str(Appearance.Role(role).label),
        job_title=job_title if name else "",
        organization=organization,
        other_positions=[_position(other[6], other[7]) for other in positions[1:]],
        biography=biography,
        portrait_url=presenter.portrait.url if portrait else "",
        tile=presenter.initials or abbreviation,
    )


def _position(job_title: str, organization: str) -> str:
    if not organization:
        return job_title
    return _("%(job_title)s, %(organization)s") % {"job_title": job_title, "organization": organization}


def _offers(webinar: Webinar, session: Session | None, now: datetime) -> list[OfferEntry]:
    """One query: the offers that can be earned now, and those that stood when the webinar took place."""
    moment = session.starts_at if session and session.has_ended(now) else now
    rows = _OFFERS.rows(now=now, moment=moment, webinar=webinar.pk, series=webinar.series_id, host=webinar.host_id)
    grouped = itertools.groupby(rows, key=operator.itemgetter(0))
    return [_offer_entry([row[1:] for row in conditions], now) for _pk, conditions in grouped]


def _write_offers() -> QuerySet[Offer, tuple[Any, ...]]:
    stood = Offer.objects.active(Given("now")) | Offer.objects.active(Given("moment"))
    covering = stood.covering(webinar=Given("webinar"), series=Given("series"), host=Given("host"))
    return covering.order_by(*covering.query.order_by, "conditions__order", "conditions__pk").values_list(
        *("pk", "headline", "terms", "redeem_url", "valid_from", "valid_until", "is_active"),
        *("conditions__kind", "conditions__minutes", "conditions__until"),
    )


_OFFERS = Statement(_write_offers)


def _offer_entry(conditions: Sequence[tuple[Any, ...]], now: datetime) -> OfferEntry:
    headline, terms, redeem_url, valid_from, valid_until, is_active, *_condition = conditions[0]
    offer = Offer(valid_from=valid_from, valid_until=valid_until, is_active=is_active)
    return OfferEntry(
        headline=headline,
        terms=terms,
        ways=[
            condition_text(kind, minutes=minutes, until=until) for *_offer, kind, minutes, until in conditions if kind
        ],
        redeem_url=redeem_url,
        valid_from=valid_from,
        valid_until=valid_until,
        is_valid=offer.is_valid(now),
    )


def _partner_groups(webinar: Webinar) -> list[PartnerGroup]:
    """One query for the partners of the webinar and of its series; who is both stands where the webinar puts them."""
    groups: dict[str, list[PartnerEntry]] = {}
    seen: set[int] = set()
    rows = _PARTNERS.rows(webinar=webinar.pk, series=webinar.series_id)
    for _place, kind, _order, _pk, partner_id, name, parent, website, logo in rows:
        if partner_id not in seen:
            seen.add(partner_id)
            entry = PartnerEntry(name, parent, website, default_storage.url(logo) if logo else "")
            groups.setdefault(kind, []).append(entry)
    return [PartnerGroup(str(Partnership.Kind(kind).label), group, code=kind) for kind, group in groups.items()]


def _write_partners() -> QuerySet[Any, tuple[Any, ...]]:
    columns = (
        *("place", "kind", "order", "pk"),
        *("partner_id", "partner__name", "partner__parent", "partner__website", "partner__logo"),
    )
    own = WebinarPartnership.objects.filter(webinar=Given("webinar")).annotate(place=Value(0)).order_by()
    of_series = SeriesPartnership.objects.filter(series=Given("series")).annotate(place=Value(1)).order_by()
    return own.values_list(*columns).union(of_series.values_list(*columns)).order_by("place", "order", "pk")


_PARTNERS = Statement(_write_partners)


def _recommended(webinar: Webinar, state: State, now: datetime, zone: str) -> list[RelatedWebinar]:
    """One query: what the organizer chose, and where nothing of it can be seen, a few of what is nearest to it.

    What is coming stands first, soonest before later.
    """
    rows = _RECOMMENDED.rows(
        now=now, webinar=webinar.pk, series=webinar.series_id, host=webinar.host_id, language=webinar.language
    )
    chosen = [row for nearness, *row in rows if nearness == _CHOSEN]
    # In place of what was called off stands what the host gives next (`_coming`), not what is over.
    near = [] if state == State.CANCELLED else [row for _nearness, *row in rows][:MOST_NEAR]
    return sorted(
        (_related_entry(*row, now=now, zone=zone) for row in chosen or near),
        key=lambda entry: (entry.is_over, entry.starts_at or now, entry.title),
    )


_CHOSEN, _OF_SERIES, _OF_HOST, _OF_LANGUAGE = range(4)


def _write_recommended() -> QuerySet[Webinar, tuple[Any, ...]]:
    """Listed webinars by their nearness; those whose every session was called off are none to recommend."""
    now, webinar, series, host, language = (Given(name) for name in ("now", "webinar", "series", "host", "language"))
    chosen = Webinar.recommended.through._default_manager.filter(from_webinar=webinar).values("to_webinar")
    soon = Session.objects.scheduled().filter(webinar=OuterRef("pk"), ends_at__gt=now)
    is_planned = ~Q(sessions__state=Session.State.CANCELLED)
    return (
        Webinar.objects.listed()
        .filter(status=Webinar.Status.PUBLISHED)
        .exclude(pk=webinar)
        .filter(Q(pk__in=chosen) | Q(series=series) | Q(host=host) | Q(Exists(soon), language=language))
        .annotate(
            nearness=Case(
                When(pk__in=chosen, then=_CHOSEN),
                When(series=series, then=_OF_SERIES),
                When(host=host, then=_OF_HOST),
                default=_OF_LANGUAGE,
            ),
            next_starts_at=Min("sessions__starts_at", filter=is_planned & Q(sessions__ends_at__gt=now)),
            held_until=Max("sessions__ends_at", filter=is_planned),
            planned_until=Max("sessions__ends_at"),
        )
        # What was chosen may stand there before its date does.
        .filter(Q(held_until__isnull=False) | Q(planned_until=None, nearness=_CHOSEN))
        .order_by("nearness", F("next_starts_at").asc(nulls_last=True), F("held_until").desc(), "pk")
        .values_list("nearness", "slug", "title", "summary", "language", "next_starts_at", "held_until")[:MOST_CHOSEN]
    )


_RECOMMENDED = Statement(_write_recommended)


def _coming(webinar: Webinar, now: datetime, zone: str) -> list[RelatedWebinar]:
    """One query: what the host gives next, for readers of a page that has nothing to offer any more."""
    others = Webinar.objects.listed().filter(host=webinar.host_id, status=Webinar.Status.PUBLISHED)
    coming = [other for other in others.exclude(pk=webinar.pk).upcoming(now) if not _is_called_off(other, now)]
    return [_related(other, now, zone) for other in coming[:MOST_INSTEAD]]


def coming_webinars(*, now: datetime, zone: str | None) -> list[RelatedWebinar]:
    """One query: what the site gives next, for readers who have lost their way. Dates are the host's without a zone."""
    others = Webinar.objects.listed().filter(status=Webinar.Status.PUBLISHED).select_related("host").upcoming(now)
    coming = [other for other in others[: MOST_INSTEAD * 2] if not _is_called_off(other, now)]
    return [_related(other, now, other.host.shown_zone(zone)) for other in coming[:MOST_INSTEAD]]


def _is_called_off(other: Webinar, now: datetime) -> bool:
    """Whether it would still end, had its sessions not all been cancelled. Takes one `with_next_session`."""
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    return other.next_starts_at is None and last_ends_at is not None and last_ends_at > now  # type: ignore[attr-defined]


def _related(other: Webinar, now: datetime, zone: str) -> RelatedWebinar:
    next_starts_at: datetime | None = other.next_starts_at  # type: ignore[attr-defined]
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    return _related_entry(
        other.slug, other.title, other.summary, other.language, next_starts_at, last_ends_at, now=now, zone=zone
    )


def _related_entry(
    slug: str,
    title: str,
    summary: str,
    language: str,
    next_starts_at: datetime | None,
    last_ends_at: datetime | None,
    *,
    now: datetime,
    zone: str,
) -> RelatedWebinar:
    is_over = next_starts_at is None and last_ends_at is not None and last_ends_at <= now
    moment = last_ends_at if is_over else next_starts_at
    return RelatedWebinar(
        starts_at=next_starts_at,
        title=title,
        url=reverse("webinar", args=[slug]),
        summary=summary,
        language=formats.foreign_language(language),
        date=formats.short_date(moment, zone) if moment else "",
        is_over=is_over,
    )
