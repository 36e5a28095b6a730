"""The landing page of a webinar: everything that it shows, read in a fixed number of queries.

Whatever the numbers, `get_webinar` and `landing_page` together run seven statements, which leaves one for the
questions of the registration form.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from django.core.files.storage import default_storage
from django.db.models import F, Value
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from events import formats, timezones
from events.availability import Availability, availability
from events.conditions import condition_text
from events.links import absolute
from events.meridian import Meridian, meridian
from events.models import (
    Appearance,
    Host,
    Offer,
    Series,
    SeriesPartnership,
    Session,
    Webinar,
    WebinarPartnership,
)
from events.models.series import Partnership

# A smaller crowd, told while people still decide, keeps others away.
LEAST_COUNT_SHOWN = 20
MOST_INSTEAD = 3


class State(StrEnum):
    """What the page is about: the one thing that a reader can do now."""

    OPEN = "open"
    RUNNING = "running"
    WAITING = "waiting"
    FULL = "full"
    ANNOUNCED = "announced"
    CLOSED = "closed"
    OVER = "over"
    CANCELLED = "cancelled"
    UNPLANNED = "unplanned"


@dataclass(frozen=True)
class SessionOption:
    """A session as a choice: its times, and whether it can be chosen.

    Times stand in the shown zone (the reader's, or the host's where nobody knows the reader's), which `place` names:
    "Tokyo, UTC+9". `host_time` is set where the session was planned in another zone, `host_zone`: "08:00 London, UTC".
    """

    id: int
    starts_at: datetime
    ends_at: datetime
    date: str
    start_time: str
    end_time: str
    place: str
    host_time: str
    host_zone: str
    label: str
    availability: Availability
    is_checked: bool

    @property
    def kind(self) -> str:
        return self.availability.kind

    @property
    def is_selectable(self) -> bool:
        return self.availability.is_selectable

    @property
    def is_waiting(self) -> bool:
        """Choosing it means to wait for a place."""
        return self.availability.kind == "waiting"


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

    @property
    def city(self) -> str:
        return timezones.city_name(self.shown_zone)

    @property
    def is_own_time(self) -> bool:
        return self.zone is not None

    @property
    def takes_registrations(self) -> bool:
        """Whether the form has anything to choose."""
        return any(option.is_selectable for option in self.options)

    @property
    def is_over(self) -> bool:
        return self.state == State.OVER

    @property
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
    return (
        Webinar.objects.reachable()
        .select_related("host", "series")
        .prefetch_related("sessions", "display_zones")
        .get(slug=slug)
    )


def landing_page(webinar: Webinar, *, now: datetime, zone: str | None, chosen: int | None = None) -> LandingPage:
    """Everything that the page of the webinar shows at that moment to a reader in that zone.

    Takes a webinar from `get_webinar`. `chosen` is the session that the form holds already.
    """
    shown_zone = zone or timezones.canonical_name(webinar.host.time_zone)
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
        recommended=_recommended(webinar, now, shown_zone)
        or (_coming(webinar, now, shown_zone) if state == State.CANCELLED else []),
        content_language="" if webinar.language == get_language() else webinar.language,
    )


def session_options(
    webinar: Webinar, *, now: datetime, zone: str | None, chosen: int | None = None
) -> list[SessionOption]:
    """The webinar's sessions as choices, in the order of time.

    `chosen` is the id of the one to tick; None ticks the first that can be chosen.
    """
    shown_zone = zone or timezones.canonical_name(webinar.host.time_zone)
    states = [(session, availability(session, now=now, zone=shown_zone)) for session in webinar.sessions.all()]
    if chosen is None:
        # A place before a wait, as long as there is one.
        selectable = sorted(
            (state.kind == "waiting", session.starts_at, session.pk) for session, state in states if state.is_selectable
        )
        chosen = selectable[0][2] if selectable else None
    return [_option(session, state, shown_zone, is_checked=session.pk == chosen) for session, state in states]


def main_session(sessions: Sequence[Session], now: datetime) -> Session | None:
    """The session that the page leads with: the next that takes place, else the last that did, else any."""
    planned = [session for session in sessions if not session.is_cancelled] or list(sessions)
    ahead = [session for session in planned if not session.has_ended(now)]
    if ahead:
        return min(ahead, key=lambda session: session.starts_at)
    return max(planned, key=lambda session: session.starts_at, default=None)


def page_state(webinar: Webinar, sessions: Sequence[Session], now: datetime) -> State:
    """What the page is about."""
    planned = [session for session in sessions if not session.is_cancelled]
    if webinar.is_cancelled or (sessions and not planned):
        return State.CANCELLED
    if not planned:
        return State.UNPLANNED
    ahead = [session for session in planned if not session.has_ended(now)]
    if not ahead:
        return State.OVER
    if any(session.is_running(now) for session in ahead):
        return State.RUNNING
    if not webinar.registration_is_open(now):
        is_announced = webinar.registration_opens_at is not None and now < webinar.registration_opens_at
        return State.ANNOUNCED if is_announced else State.CLOSED
    if not all(session.is_full for session in ahead):
        return State.OPEN
    return State.WAITING if any(session.has_waiting_list for session in ahead) else State.FULL


def _option(session: Session, state: Availability, shown_zone: str, *, is_checked: bool) -> SessionOption:
    host_zone = timezones.canonical_name(session.time_zone)
    return SessionOption(
        id=session.pk,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        date=formats.short_date(session.starts_at, shown_zone),
        start_time=formats.clock_time(session.starts_at, shown_zone),
        end_time=formats.clock_time(session.ends_at, shown_zone),
        place=formats.place(session.starts_at, shown_zone),
        host_time=formats.place_time(session.starts_at, session.time_zone) if host_zone != shown_zone else "",
        host_zone=host_zone,
        label=session.label,
        availability=state,
        is_checked=is_checked,
    )


def _chart(webinar: Webinar, session: Session | None, shown_zone: str, own: str | None) -> Meridian | None:
    if session is None:
        return None
    zones = [shown.time_zone for shown in webinar.display_zones.all()] or [session.time_zone]
    return meridian(session.starts_at, session.ends_at, zones, reference=shown_zone, own=own)


def _presenters(webinar: Webinar) -> list[PresenterEntry]:
    """One query: a row for each position, the positions of one appearance together."""
    rows = (
        Appearance.objects.filter(webinar=webinar)
        .select_related("presenter")
        .annotate(
            job_title=F("presenter__affiliations__job_title"),
            organization=F("presenter__affiliations__organization"),
            abbreviation=F("presenter__affiliations__abbreviation"),
        )
        .order_by("order", "pk", "presenter__affiliations__order", "presenter__affiliations__pk")
    )
    grouped = itertools.groupby(rows, key=lambda row: row.pk)
    return [_presenter_entry(list(positions)) for _pk, positions in grouped]


def _presenter_entry(positions: Sequence[Appearance]) -> PresenterEntry:
    first, *others = positions
    presenter = first.presenter
    name = f"{presenter.honorific} {presenter.name}".strip() if presenter.name else ""
    job_title, organization = first.job_title or "", first.organization or ""  # type: ignore[attr-defined]
    return PresenterEntry(
        heading=name or job_title or presenter.slug,
        has_name=bool(name),
        url=presenter.get_absolute_url(),
        role=first.get_role_display(),
        job_title=job_title if name else "",
        organization=organization,
        other_positions=[_position(other.job_title, other.organization) for other in others],  # type: ignore[attr-defined]
        biography=presenter.biography,
        portrait_url=presenter.portrait.url if presenter.portrait else "",
        tile=presenter.initials or first.abbreviation or "",  # type: ignore[attr-defined]
    )


def _position(job_title: str, organization: str) -> str:
    if not organization:
        return job_title
    return _("%(job_title)s, %(organization)s") % {"job_title": job_title, "organization": organization}


def _offers(webinar: Webinar, session: Session | None, now: datetime) -> list[OfferEntry]:
    """One query: the offers that can be earned now, and those that stood when the webinar took place."""
    moment = session.starts_at if session and session.has_ended(now) else now
    stood = Offer.objects.active(now) | Offer.objects.active(moment)
    rows = (
        stood.for_webinar(webinar)
        .annotate(kind=F("conditions__kind"), minutes=F("conditions__minutes"), until=F("conditions__until"))
        .order_by(*stood.for_webinar(webinar).query.order_by, "conditions__order", "conditions__pk")
    )
    grouped = itertools.groupby(rows, key=lambda row: row.pk)
    return [_offer_entry(list(conditions), now) for _pk, conditions in grouped]


def _offer_entry(conditions: Sequence[Offer], now: datetime) -> OfferEntry:
    offer = conditions[0]
    return OfferEntry(
        headline=offer.headline,
        terms=offer.terms,
        ways=[
            condition_text(row.kind, minutes=row.minutes, until=row.until)  # type: ignore[attr-defined]
            for row in conditions
            if row.kind  # type: ignore[attr-defined]
        ],
        redeem_url=offer.redeem_url,
        valid_from=offer.valid_from,
        valid_until=offer.valid_until,
        is_valid=offer.is_valid(now),
    )


def _partner_groups(webinar: Webinar) -> list[PartnerGroup]:
    """One query for the partners of the webinar and of its series; who is both stands where the webinar puts them."""
    columns = (
        "place",
        "kind",
        "order",
        "pk",
        "partner_id",
        "partner__name",
        "partner__parent",
        "partner__website",
        "partner__logo",
    )
    own = WebinarPartnership.objects.filter(webinar=webinar).annotate(place=Value(0)).order_by()
    of_series = SeriesPartnership.objects.filter(series=webinar.series_id).annotate(place=Value(1)).order_by()
    rows = own.values_list(*columns).union(of_series.values_list(*columns)).order_by("place", "order", "pk")
    groups: dict[str, list[PartnerEntry]] = {}
    seen: set[int] = set()
    for _place, kind, _order, _pk, partner_id, name, parent, website, logo in rows:
        if partner_id not in seen:
            seen.add(partner_id)
            entry = PartnerEntry(name, parent, website, default_storage.url(logo) if logo else "")
            groups.setdefault(kind, []).append(entry)
    return [PartnerGroup(str(Partnership.Kind(kind).label), group) for kind, group in groups.items()]


def _recommended(webinar: Webinar, now: datetime, zone: str) -> list[RelatedWebinar]:
    """One query. What is coming stands first, soonest before later; what was called off is not recommended."""
    others = webinar.recommended.listed().exclude(pk=webinar.pk).exclude(status=Webinar.Status.CANCELLED)
    rows = [_related(other, now, zone) for other in others.with_next_session(now) if not _is_called_off(other, now)]
    return sorted(rows, key=lambda row: (row.is_over, row.starts_at or now, row.title))


def _coming(webinar: Webinar, now: datetime, zone: str) -> list[RelatedWebinar]:
    """One query: what the host gives next, for readers of a page that has nothing to offer any more."""
    others = Webinar.objects.listed().filter(host=webinar.host_id, status=Webinar.Status.PUBLISHED)
    coming = [other for other in others.exclude(pk=webinar.pk).upcoming(now) if not _is_called_off(other, now)]
    return [_related(other, now, zone) for other in coming[:MOST_INSTEAD]]


def _is_called_off(other: Webinar, now: datetime) -> bool:
    """Whether it would still end, had its sessions not all been cancelled. Takes one `with_next_session`."""
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    return other.next_starts_at is None and last_ends_at is not None and last_ends_at > now  # type: ignore[attr-defined]


def _related(other: Webinar, now: datetime, zone: str) -> RelatedWebinar:
    next_starts_at: datetime | None = other.next_starts_at  # type: ignore[attr-defined]
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    is_over = next_starts_at is None and last_ends_at is not None and last_ends_at <= now
    moment = last_ends_at if is_over else next_starts_at
    return RelatedWebinar(
        starts_at=next_starts_at,
        title=other.title,
        url=other.get_absolute_url(),
        summary=other.summary,
        language="" if other.language == get_language() else other.language,
        date=formats.short_date(moment, zone) if moment else "",
        is_over=is_over,
    )
