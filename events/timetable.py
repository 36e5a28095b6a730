"""A session in many zones as rows of words, for paper: no chart, and every date written out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from events import formats, timezones


@dataclass(frozen=True)
class ZoneTime:
    """When a session is in one city. `ends_next_day`: its end is on another date than its start."""

    city: str
    is_own: bool
    date: str
    time: str
    offset: str
    ends_next_day: bool


def zone_times(
    starts_at: datetime, ends_at: datetime, zones: Iterable[str], *, own: str | None = None
) -> list[ZoneTime]:
    """The session in those zones and the reader's `own`, from west to east; a zone under two names stands once."""
    names = list(dict.fromkeys(timezones.canonical_name(zone) for zone in (*zones, *([own] if own else []))))
    names.sort(key=lambda name: _offset(starts_at, name))
    own_name = timezones.canonical_name(own) if own else None
    return [_zone_time(starts_at, ends_at, name, is_own=name == own_name) for name in names]


def _zone_time(starts_at: datetime, ends_at: datetime, zone: str, *, is_own: bool) -> ZoneTime:
    zone_info = timezones.get_zone(zone)
    return ZoneTime(
        city=timezones.city_name(zone),
        is_own=is_own,
        date=formats.short_date(starts_at, zone),
        time=formats.time_range(starts_at, ends_at, zone),
        offset=timezones.utc_offset_label(starts_at, zone),
        ends_next_day=starts_at.astimezone(zone_info).date() != ends_at.astimezone(zone_info).date(),
    )


def _offset(instant: datetime, zone: str) -> timedelta:
    return instant.astimezone(timezones.get_zone(zone)).utcoffset() or timedelta()
