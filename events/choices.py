"""A webinar's sessions as choices: which one a page leads with, what can be done about each, and about all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from events import formats, timezones
from events.availability import Availability, availability
from events.models import Session, Webinar

# Stands for whichever of a webinar's sessions has a place first, where the id of one would stand.
ANY: Final = "any"
Chosen = int | Literal["any"] | None


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
    ends_next_day: bool = False

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


def session_options(webinar: Webinar, *, now: datetime, zone: str | None, chosen: Chosen = None) -> list[SessionOption]:
    """The webinar's sessions as choices, in the order of time.

    `chosen` is the id of the one to tick, ANY ticks none; None ticks the first that can be chosen.
    """
    shown_zone = webinar.host.shown_zone(zone)
    states = [(session, availability(session, now=now, zone=shown_zone)) for session in webinar.sessions.all()]
    if chosen is None:
        first = first_choice([session for session, _state in states], now)
        chosen = first.pk if first else None
    return [_option(session, state, shown_zone, is_checked=session.pk == chosen) for session, state in states]


def first_choice(sessions: Sequence[Session], now: datetime) -> Session | None:
    """The earliest with a place, else the earliest in which one may wait for one; None where there is neither."""
    open_ones = [session for session in sessions if session.takes_registrations(now)]
    return min(open_ones, key=lambda session: (session.is_full, session.starts_at, session.pk), default=None)


def offers_any(sessions: Sequence[Session], now: datetime) -> bool:
    """Whether it is worth asking for any of them: there are several, and one of them can only be waited for."""
    open_ones = [session for session in sessions if session.takes_registrations(now)]
    return len(open_ones) > 1 and any(session.is_full for session in open_ones)


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
        ends_next_day=timezones.ends_next_day(session.starts_at, session.ends_at, shown_zone),
    )
