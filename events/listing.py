"""Webinars in rows: the programme of the site, a series, a host or a presenter.

Each list takes a fixed number of queries, however long it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.translation import get_language, ngettext

from events import formats, timezones
from events.availability import MARKS, Availability, Kind, availability
from events.landing import main_session
from events.meridian import Block, day_bar
from events.models import Webinar
from events.querysets import WebinarQuerySet

UPCOMING, PAST = "upcoming", "past"
PAST_PER_PAGE = 30

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
    sessions: str
    presenters: str
    length: str
    held_in: str


@dataclass(frozen=True)
class Programme:
    """What is coming up, soonest first, and what is over, latest first."""

    upcoming: list[Row]
    past: list[Row]
    page: int
    has_more: bool

    @property
    def count(self) -> int:
        return len(self.upcoming) + len(self.past)


def programme(
    webinars: WebinarQuerySet, *, now: datetime, zone: str | None, when: str = "", page: int = 1
) -> Programme:
    """The listed ones among the webinars; `when` keeps one half of them. Without a zone each host's own counts.

    What is over comes in pages; the first has what is coming up before it.
    """
    listed = webinars.listed()
    upcoming = [] if when == PAST or page > 1 else list(_fetch(listed.upcoming(now)))
    start = (page - 1) * PAST_PER_PAGE
    # One more than fits tells whether there is another page, without counting them all.
    past = [] if when == UPCOMING else list(_fetch(listed.past(now))[start : start + PAST_PER_PAGE + 1])
    return Programme(
        upcoming=[_row(webinar, now, zone) for webinar in upcoming],
        past=[_row(webinar, now, zone) for webinar in past[:PAST_PER_PAGE]],
        page=page,
        has_more=len(past) > PAST_PER_PAGE,
    )


def search(webinars: WebinarQuerySet, *, words: str, language: str) -> WebinarQuerySet:
    """Those in whose titles, summary or host's name every word occurs, held in the language; empty means any."""
    for word in words.split()[:8]:
        webinars = webinars.filter(
            Q(title__icontains=word)
            | Q(official_title__icontains=word)
            | Q(summary__icontains=word)
            | Q(series__title__icontains=word)
            | Q(host__name__icontains=word)
        )
    return webinars.filter(language=language) if language else webinars


def languages(webinars: WebinarQuerySet) -> list[tuple[str, str]]:
    """The languages in which the listed webinars are held: code and name, by name."""
    codes = webinars.listed().order_by().values_list("language", flat=True).distinct()
    return sorted(((code, formats.language_name(code)) for code in codes), key=lambda pair: pair[1])


def _fetch(webinars: WebinarQuerySet) -> WebinarQuerySet:
    # Sessions are joined for their dates, so presenters must be counted apart from them.
    return (
        webinars.select_related("host", "series")
        .annotate(presenter_count=Count("appearances", distinct=True))
        .prefetch_related("sessions")
    )


def _row(webinar: Webinar, now: datetime, zone: str | None) -> Row:
    sessions = list(webinar.sessions.all())
    session = main_session(sessions, now)
    if session is None:
        raise ValueError("Only webinars with a session are listed.")  # both querysets ask for one
    shown_zone = zone or timezones.canonical_name(webinar.host.time_zone)
    day, weekday, month = formats.calendar_leaf(session.starts_at, shown_zone)
    best = _best([availability(one, now=now, zone=shown_zone) for one in sessions])
    ahead = [one for one in sessions if not one.is_cancelled and not one.has_ended(now)]
    presenter_count: int = webinar.presenter_count  # type: ignore[attr-defined]
    return Row(
        webinar=webinar,
        language="" if webinar.language == get_language() else webinar.language,
        day=day,
        weekday=weekday,
        month=month,
        time=formats.clock_time(session.starts_at, shown_zone),
        iso=session.starts_at,
        place=formats.place(session.starts_at, shown_zone),
        is_own_time=zone is not None,
        is_cancelled=best.kind == Kind.CANCELLED,
        blocks=day_bar([(one.starts_at, one.ends_at) for one in ahead], session.starts_at, shown_zone),
        mark=MARKS[best.kind],
        words=_words(webinar, best),
        sessions=_count_words(len(ahead)) if len(ahead) > 1 else "",
        presenters=_presenter_words(presenter_count) if presenter_count else "",
        length=formats.duration(session.duration),
        held_in=formats.language_name(webinar.language),
    )


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
