"""One moment in many places, from west to east: as a chart across each city's day and night, and as words for paper.

Pure: instants and zones in, rows out. The chart is 24 hours wide and its middle is the session's start; positions in it
are in hours, written as SVG wants them, whatever the reader's language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from events import formats, timezones

CHART_HOURS = 24
MIDDLE = CHART_HOURS / 2
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Row:
    """One city: what its clocks say when the session starts.

    `date` is set only where the city is on another date than the reference. `sky_x` is where the band of day and night
    begins, `midnight_x` where the city's next midnight lies.
    """

    time_zone: str
    city: str
    is_own: bool
    time: str
    iso: str
    offset: str
    date: str
    sky_x: str
    midnight_x: str


@dataclass(frozen=True)
class Meridian:
    """The chart: its rows from west to east, the moment in UTC, and the width of the bar in hours."""

    rows: list[Row]
    utc_time: str
    width: str


@dataclass(frozen=True)
class ZoneTime:
    """When a session is in one city, every date written out. `ends_next_day`: its end is on another date."""

    city: str
    is_own: bool
    date: str
    time: str
    offset: str
    ends_next_day: bool


@dataclass(frozen=True)
class Block:
    """A session on a day bar, from the reader's midnight to the next."""

    x: str
    width: str


def meridian(
    starts_at: datetime, ends_at: datetime, zones: Iterable[str], *, reference: str, own: str | None = None
) -> Meridian:
    """The chart of a session in those zones and the reader's `own`, which is added where it is missing.

    Zones that are one place under two names stand once. Dates are given where they differ from that in `reference`.
    """
    own_name = timezones.canonical_name(own) if own else None
    names = timezones.from_west_to_east(starts_at, zones, own)
    return Meridian(
        rows=[_row(starts_at, name, reference, is_own=name == own_name) for name in names],
        utc_time=formats.clock_time(starts_at, "UTC"),
        width=_number((ends_at - starts_at) / HOUR),
    )


def zone_times(
    starts_at: datetime, ends_at: datetime, zones: Iterable[str], *, own: str | None = None
) -> list[ZoneTime]:
    """The session in those zones and the reader's `own`, as rows of words."""
    own_name = timezones.canonical_name(own) if own else None
    return [
        ZoneTime(
            city=timezones.city_name(name),
            is_own=name == own_name,
            date=formats.short_date(starts_at, name),
            time=formats.time_range(starts_at, ends_at, name),
            offset=timezones.utc_offset_label(starts_at, name),
            ends_next_day=timezones.ends_next_day(starts_at, ends_at, name),
        )
        for name in timezones.from_west_to_east(starts_at, zones, own)
    ]


def day_bar(sessions: Iterable[tuple[datetime, datetime]], on: datetime, zone: str) -> list[Block]:
    """The sessions, as (start, end), that begin on the day of `on` in the zone."""
    zone_info = timezones.get_zone(zone)
    day = on.astimezone(zone_info).date()
    return [
        Block(_number(_hour(start, zone)), _number((end - start) / HOUR))
        for start, end in sessions
        if start.astimezone(zone_info).date() == day
    ]


def _row(starts_at: datetime, zone: str, reference: str, *, is_own: bool) -> Row:
    local = starts_at.astimezone(timezones.get_zone(zone))
    is_same_day = local.date() == starts_at.astimezone(timezones.get_zone(reference)).date()
    hour = _hour(starts_at, zone)
    return Row(
        time_zone=zone,
        city=timezones.city_name(zone),
        is_own=is_own,
        time=formats.clock_time(starts_at, zone),
        iso=local.isoformat(timespec="minutes"),
        offset=timezones.utc_offset_label(starts_at, zone),
        date="" if is_same_day else formats.brief_date(starts_at, zone),
        sky_x=_number(MIDDLE - hour - CHART_HOURS),
        midnight_x=_number((MIDDLE - hour) % CHART_HOURS),
    )


def _hour(instant: datetime, zone: str) -> float:
    """The hour on the zone's clock, with its fraction."""
    local = instant.astimezone(timezones.get_zone(zone))
    return local.hour + local.minute / 60


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
