"""Webinars in rows: the programme of the site, a series, a host or a presenter.

Each list takes a fixed number of queries, however long it is.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats, search, timezones
from events.availability import MARKS, Availability, Kind, availability
from events.choices import main_session
from events.forms import PAST, UPCOMING, Choices
from events.meridian import Block, day_bar
from events.models import Appearance, Session, Webinar
from events.querysets import WebinarQuerySet
from events.replays import ReplayState, replay_of

PER_PAGE = 50

# What a row with several sessions says is what its best session offers.
_BEST_FIRST = (Kind.OPEN, Kind.FEW, Kind.WAITING, Kind.FULL, Kind.ANNOUNCED, Kind.CLOSED)


@dataclass(frozen=True)
class Row:
    """One webinar in a list; times are for `zone`, the reader's where `is_own_time`."""

    webinar: Webinar
    language: str
    day: str
    weekday: str
    month: str
    time: str
    iso: datetime
    place: str
    is_own_time: bool
    is_cancelled: bool
    blocks: list[Block]
    mark: str
    words: str
    moved: str
    sessions: str
    presenters: str
    length: str
    held_in: str
    replay: str


@dataclass(frozen=True)
class Programme:
    """One page of what is coming up, soonest first, and then of what is over, latest first.

    `count` is of all pages. `changes_at`: when a row of this page will say something else by itself, None if never.
    """

    upcoming: list[Row]
    past: list[Row]
    count: int
    page: int
    pages: int
    changes_at: datetime | None

    @property
    def is_empty(self) -> bool:
        return not self.upcoming and not self.past


@dataclass(frozen=True)
class Offered:
    """What the listed webinars can be told apart by: values and names, by name; and the zones of their hosts."""

    series: Choices
    hosts: Choices
    languages: Choices
    zones: set[str]


def programme(
    webinars: WebinarQuerySet,
    *,
    now: datetime,
    zone: str | None,
    when: str = "",
    day: date | None = None,
    page: int = 1,
) -> Programme:
    """The listed ones among the webinars; `when` keeps one half of them. Without a zone each host's own counts.

    One sequence, cut into pages: first what is coming up, soonest first, then what is over, latest first. Where words
    were searched for, `search.find` has said how prominent they are, and each half follows that before its dates:
    whoever looks for a name wants what is called so, not whatever mentions it next week. The halves stay apart, since
    what can still be attended matters more than any word. A page beyond the last is the last.

    With a `day` rows tell of the session on that day (see `on_day`), otherwise of the next one.
    """
    listed = webinars.listed()
    coming_count, past_count = _counts(listed, now)
    coming_count, past_count = (0 if when == PAST else coming_count), (0 if when == UPCOMING else past_count)
    pages = max(math.ceil((coming_count + past_count) / PER_PAGE), 1)
    page = min(page, pages)
    start, end = (page - 1) * PER_PAGE, page * PER_PAGE
    coming = _fetch(listed.upcoming(now), start, min(end, coming_count))
    past = _fetch(listed.past(now), max(start - coming_count, 0), min(end - coming_count, past_count))
    return Programme(
        upcoming=[_row(webinar, now, zone, day) for webinar in coming],
        past=[_row(webinar, now, zone, day) for webinar in past],
        count=coming_count + past_count,
        page=page,
        pages=pages,
        changes_at=_changes_at([*coming, *past], now),
    )


def offered(webinars: WebinarQuerySet) -> Offered:
    """By what the listed webinars can be told apart. One query."""
    rows = (
        webinars.listed()
        .filter(Exists(Session.objects.filter(webinar=OuterRef("pk"))))
        .order_by()
        .values_list("language", "series__slug", "series__title", "host__slug", "host__name", "host__time_zone")
        .distinct()
    )
    languages, series, hosts, zones = set(), set(), set(), set()
    for code, series_slug, series_title, host_slug, host_name, zone in rows:
        languages.add((code, formats.language_name(code)))
        hosts.add((host_slug, host_name))
        zones.add(zone)
        if series_slug:
            series.add((series_slug, series_title))
    return Offered(_by_name(series), _by_name(hosts), _by_name(languages), zones)


def on_day(webinars: WebinarQuerySet, day: date, *, zone: str | None, host_zones: Iterable[str]) -> WebinarQuerySet:
    """Those with a session that takes place, at least in part, on that day of the zone.

    Without a zone each host's day counts, of `host_zones`. Cancelled sessions count where there are no others.
    """
    condition = Q()
    for name in [zone] if zone else sorted(host_zones):
        starts_at, ends_at = _day_bounds(day, name)
        sessions = Session.objects.filter(webinar=OuterRef("pk"))
        on_it = sessions.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
        held = Q(Exists(on_it.scheduled())) | (Q(Exists(on_it)) & ~Q(Exists(sessions.scheduled())))
        condition |= held if zone else held & Q(host__time_zone=name)
    return webinars.filter(condition) if condition else webinars.none()


def _counts(listed: WebinarQuerySet, now: datetime) -> tuple[int, int]:
    """How many are coming up, and how many are over. One query."""
    counts = listed.with_next_session(now).aggregate(
        coming=Count("pk", filter=Q(last_ends_at__gt=now)), past=Count("pk", filter=Q(last_ends_at__lte=now))
    )
    return counts["coming"], counts["past"]


def _fetch(webinars: WebinarQuerySet, start: int, end: int) -> list[Webinar]:
    if start >= end:
        return []
    if search.RANK in webinars.query.annotations:
        webinars = webinars.order_by(F(search.RANK), *webinars.query.order_by)
    return list(
        webinars.select_related("host", "series")
        .annotate(presenter_count=_presenter_count())
        .prefetch_related("sessions")[start:end]
    )


def _presenter_count() -> Coalesce:
    # For the rows of the page alone: joined and counted, every webinar's presenters would be read.
    appearances = (
        Appearance.objects.filter(webinar=OuterRef("pk")).order_by().values("webinar").values(count=Count("pk"))
    )
    return Coalesce(Subquery(appearances), 0)


def _row(webinar: Webinar, now: datetime, zone: str | None, day: date | None) -> Row:
    shown_zone = webinar.host.shown_zone(zone)
    every = list(webinar.sessions.all())
    sessions = _on(day, every, shown_zone) if day else every
    session = main_session(sessions, now)
    if session is None:
        raise ValueError("Only webinars with a session are listed.")  # both querysets ask for one
    leaf_day, weekday, month = formats.calendar_leaf(session.starts_at, shown_zone)
    best = _best([availability(one, now=now, zone=shown_zone) for one in sessions])
    ahead = [one for one in every if not one.is_cancelled and not one.has_ended(now)]
    presenter_count: int = webinar.presenter_count  # type: ignore[attr-defined]
    is_running = session.is_running(now)
    return Row(
        webinar=webinar,
        language=formats.foreign_language(webinar.language),
        day=leaf_day,
        weekday=weekday,
        month=month,
        time=formats.clock_time(session.starts_at, shown_zone),
        iso=session.starts_at,
        place=formats.place(session.starts_at, shown_zone),
        is_own_time=zone is not None,
        is_cancelled=best.kind == Kind.CANCELLED,
        blocks=day_bar([(one.starts_at, one.ends_at) for one in ahead], session.starts_at, shown_zone),
        mark="" if is_running else MARKS[best.kind],
        words=_running_words(session, now, shown_zone) if is_running else _words(webinar, best),
        moved=_moved_words(session, now, shown_zone),
        sessions=_count_words(len(ahead)) if len(ahead) > 1 else "",
        presenters=_presenter_words(presenter_count) if presenter_count else "",
        length=formats.duration(session.duration),
        held_in=formats.language_name(webinar.language),
        replay=_replay_words(webinar, now, shown_zone),
    )


def _on(day: date, sessions: Sequence[Session], zone: str) -> list[Session]:
    starts_at, ends_at = _day_bounds(day, zone)
    return [one for one in sessions if one.starts_at < ends_at and one.ends_at > starts_at]


def _day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Its first moment and the next day's. A midnight that clocks skip is the moment at which they do."""
    zone_info = timezones.get_zone(zone)
    midnights = (datetime.combine(on, time.min, zone_info) for on in (day, day + timedelta(days=1)))
    starts_at, ends_at = (midnight.astimezone(UTC) for midnight in midnights)
    return starts_at, ends_at


def _changes_at(webinars: Iterable[Webinar], now: datetime) -> datetime | None:
    moments = (webinar.next_moment(now) for webinar in webinars)
    return min((moment for moment in moments if moment), default=None)


def _by_name(pairs: set[tuple[str, str]]) -> Choices:
    return sorted(pairs, key=lambda pair: (pair[1].casefold(), pair[0]))


def _best(states: Iterable[Availability]) -> Availability:
    ranked = sorted(states, key=lambda state: _BEST_FIRST.index(state.kind) if state.kind in _BEST_FIRST else 99)
    return ranked[0]


def _words(webinar: Webinar, best: Availability) -> str:
    if best.kind != Kind.PAST or not webinar.attended_count:
        return best.words
    return ngettext("Ended, %(count)d attended", "Ended, %(count)d attended", webinar.attended_count) % {
        "count": webinar.attended_count
    }


def _count_words(count: int) -> str:
    return ngettext("%(count)d session", "%(count)d sessions", count) % {"count": count}


def _presenter_words(count: int) -> str:
    return ngettext("%(count)d presenter", "%(count)d presenters", count) % {"count": count}


def _running_words(session: Session, now: datetime, zone: str) -> str:
    state = availability(session, now=now, zone=zone)
    return state.words if state.kind == Kind.OPEN else _("Running now")


def _moved_words(session: Session, now: datetime, zone: str) -> str:
    before = session.moved_from(now)
    if before is None:
        return ""
    return _("Moved from %(date)s, %(time)s") % {
        "date": formats.short_date(before, zone),
        "time": formats.clock_time(before, zone),
    }


def _replay_words(webinar: Webinar, now: datetime, zone: str) -> str:
    replay = replay_of(webinar, now=now)
    if replay.state == ReplayState.SOON and replay.opens_at:
        return _("Replay from %(date)s") % {"date": formats.short_date(replay.opens_at, zone)}
    if not replay.is_open:
        return ""
    return _("Replay") if replay.is_for_everyone else _("Replay for those who had registered")
