"""The landing page of a webinar: everything that it shows, read in a fixed number of queries.

Whatever the numbers, `lookup.get_webinar` and `landing_page` together run seven statements, which leaves one for the
questions of the registration form.
"""

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.core.files.storage import default_storage
from django.db.models import QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from events import formats, timezones
from events.calendar_links import add_to_calendar_links, subscription_links
from events.choices import ANY, Chosen, SessionOption, State, main_session, offers_any, page_state, session_options
from events.conditions import condition_text
from events.links import absolute
from events.meridian import Meridian, ZoneTime, meridian, zone_times
from events.models import (
    Appearance,
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
from events.related import RelatedWebinar, related_webinars
from events.replays import Replay, replay_of
from events.statements import Given, Statement

# A smaller crowd, told while people still decide, keeps others away.
LEAST_COUNT_SHOWN = 20


@dataclass(frozen=True)
class PresenterEntry:
    """Somebody in the list of presenters. Without a public name the job title is the heading, and not repeated.

    `url` is empty on pages for some people alone.
    """

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
    any_is_chosen: bool = False

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

    @cached_property
    def offers_any(self) -> bool:
        """Whether the form lets somebody ask for whichever session has a place first."""
        return offers_any(list(self.webinar.sessions.all()), self.now)

    @property
    def first_choice(self) -> int | None:
        """The first session that can be chosen, where the focus goes when the choice is wrong."""
        return next((option.id for option in self.options if option.is_selectable), None)

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
        """The sessions to come, each with the links that put a copy of it into a web calendar, where all may see it."""
        return [
            (
                option,
                [] if self.webinar.is_restricted else calendar_copies(self.webinar, option.starts_at, option.ends_at),
            )
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
    def subscriptions(self) -> list[tuple[str, dict[str, str]]]:
        """What a calendar may follow, "webinar" or "host", each with the addresses that make it do so.

        None beside a webinar for some people alone: others would see in their calendars where they come from.
        """
        if self.webinar.is_restricted:
            return []
        host = ("host", subscription_links(absolute(reverse("host_calendar", args=[self.host.slug]))))
        if not self.webinar.is_listed:
            return [host]
        return [("webinar", subscription_links(absolute(reverse("webinar_feed", args=[self.webinar.slug])))), host]

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


def landing_page(webinar: Webinar, *, now: datetime, zone: str | None, chosen: Chosen = None) -> LandingPage:
    """Everything that the page of the webinar shows at that moment to a reader in that zone.

    Takes a webinar from `lookup`. `chosen` is what the form holds already: a session, or ANY.
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
        recommended=related_webinars(webinar, is_called_off=state == State.CANCELLED, now=now, zone=shown_zone),
        content_language=formats.foreign_language(webinar.language),
        any_is_chosen=chosen == ANY,
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
    entries = [_presenter_entry([row[1:] for row in positions]) for _appearance, positions in grouped]
    # Theirs may be no page at all: none is public through a webinar that is not.
    return [replace(entry, url="") for entry in entries] if webinar.is_restricted else entries


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
