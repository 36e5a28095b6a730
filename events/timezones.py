"""Wall-clock time in a named zone, and the instant it stands for.

The one place that decides about hours that do not exist or come twice. Zone rules come from the pinned tzdata package
(settings reset the search path), zone names are IANA's, names of cities are CLDR's through Babel.
"""

import functools
import importlib.resources
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from babel import Locale
from babel.core import get_global
from django.utils.translation import get_language, to_locale

MINUTE = timedelta(minutes=1)
_NAMES_OF_UTC = frozenset({"Etc/UTC", "Etc/GMT"})


class UnknownTimeZoneError(ValueError):
    """The name is not one of IANA's."""


class NonexistentTimeError(ValueError):
    """Clocks are put forward over this local time. `before` and `after` are the nearest minutes that exist."""

    def __init__(self, local: datetime, *, before: datetime, after: datetime) -> None:
        super().__init__(f"{local} does not exist")
        self.before = before
        self.after = after


class AmbiguousTimeError(ValueError):
    """Clocks are put back over this local time, so it comes twice. `first` and `second` are the aware candidates."""

    def __init__(self, local: datetime, *, first: datetime, second: datetime) -> None:
        super().__init__(f"{local} comes twice")
        self.first = first
        self.second = second


@dataclass(frozen=True)
class WallClock:
    """What the clock of a zone shows at an instant; which of the two is None where the time comes once."""

    on: date
    at: time
    second_occurrence: bool | None


@dataclass(frozen=True)
class ZoneChoice:
    """A zone as a person picks it: the IANA name, its region and its city."""

    name: str
    region: str
    city: str


def get_zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that IANA name. Raises UnknownTimeZoneError for anything else, however strange."""
    if name not in _known_names():
        raise UnknownTimeZoneError(name)
    return zoneinfo.ZoneInfo(name)


def is_known(name: str) -> bool:
    return name in _known_names()


def canonical_name(name: str) -> str:
    """The name in use today: Asia/Calcutta is Asia/Kolkata, US/Eastern is America/New_York.

    A name that IANA's table of places lists stays, also where its rules are shared (Europe/Oslo is not Europe/Berlin).
    """
    if name in _place_names():
        return name
    current = _links().get(name, name)
    return "UTC" if current in _NAMES_OF_UTC else current


def resolve(on: date, at: time, zone_name: str, *, second_occurrence: bool | None = None) -> datetime:
    """The UTC instant of a local date and time in a zone.

    `second_occurrence` says which is meant where the local time comes twice; None means that nobody was asked yet.
    Raises NonexistentTimeError, AmbiguousTimeError or UnknownTimeZoneError.
    """
    zone = get_zone(zone_name)
    local = datetime.combine(on, at)
    early = local.replace(tzinfo=zone, fold=0)
    late = local.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC)
    if _exists(early):
        if second_occurrence is None:
            raise AmbiguousTimeError(local, first=early, second=late)
        return (late if second_occurrence else early).astimezone(UTC)
    # In a gap fold=0 counts on from the rules before it and so lands after it, and fold=1 the other way round.
    change = _transition_between(late.astimezone(UTC), early.astimezone(UTC), zone)
    raise NonexistentTimeError(local, before=(change - MINUTE).astimezone(zone), after=change.astimezone(zone))


def is_ambiguous(on: date, at: time, zone_name: str) -> bool:
    """Whether the local time comes twice."""
    try:
        resolve(on, at, zone_name)
    except AmbiguousTimeError:
        return True
    except NonexistentTimeError:
        return False
    return False


def wall_clock(instant: datetime, zone_name: str) -> WallClock:
    """The inverse of `resolve`. Raises UnknownTimeZoneError."""
    local = instant.astimezone(get_zone(zone_name))
    on, at = local.date(), local.time().replace(fold=0)
    return WallClock(on, at, bool(local.fold) if is_ambiguous(on, at, zone_name) else None)


def utc_offset(instant: datetime, zone_name: str) -> timedelta:
    """How far the zone is from UTC at that instant. Raises UnknownTimeZoneError."""
    return instant.astimezone(get_zone(zone_name)).utcoffset() or timedelta()


def whole_second(instant: datetime) -> datetime:
    """The instant in UTC without its microseconds: calendars count in seconds (RFC 5545 3.3.5)."""
    return instant.astimezone(UTC).replace(microsecond=0)


def utc_offset_label(instant: datetime, zone_name: str) -> str:
    """How far the zone is from UTC at that instant: "UTC", "UTC−4", "UTC+5:30"."""
    return offset_label(utc_offset(instant, zone_name))


def offset_label(offset: timedelta) -> str:
    """A distance from UTC in words, to the minute: "UTC", "UTC−4", "UTC+5:30"."""
    minutes = int(offset.total_seconds() // 60)
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "−"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}:{rest:02}" if rest else f"UTC{sign}{hours}"


def city_name(zone_name: str, language: str | None = None) -> str:
    """The city that stands for the zone, in the reader's language (the active one unless told)."""
    return _city_name(canonical_name(zone_name), language or get_language() or "en")


def from_west_to_east(instant: datetime, names: Iterable[str], own: str | None = None) -> list[str]:
    """Those zones and the reader's `own`, as their clocks stand at that instant, each once under today's name."""
    canonical = dict.fromkeys(canonical_name(name) for name in (*names, *([own] if own else [])))
    return sorted(canonical, key=lambda name: utc_offset(instant, name))


def ends_next_day(starts_at: datetime, ends_at: datetime, zone_name: str) -> bool:
    """Whether what begins on one date of the zone ends on another."""
    zone = get_zone(zone_name)
    return starts_at.astimezone(zone).date() != ends_at.astimezone(zone).date()


def zone_choices() -> list[ZoneChoice]:
    """Every zone that a person may pick, by region and city in the active language, UTC last."""
    return list(_zone_choices(get_language() or "en"))


def babel_locale(language: str | None = None) -> Locale:
    """The Babel locale of a language code, the active one unless told."""
    return _babel_locale(language or get_language() or "en")


@functools.lru_cache(maxsize=256)
def _babel_locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))


@functools.cache
def _zone_choices(language: str) -> tuple[ZoneChoice, ...]:
    places = [
        ZoneChoice(name, name.split("/")[0], _city_name(name, language)) for name in _place_names() if name != "UTC"
    ]
    places.sort(key=lambda choice: (choice.region, choice.city))
    return (*places, ZoneChoice("UTC", "UTC", "UTC"))


@functools.lru_cache(maxsize=4096)
def _city_name(zone_name: str, language: str) -> str:
    if "/" not in zone_name or zone_name.startswith("Etc/"):
        return zone_name.removeprefix("Etc/")
    names = babel_locale(language).time_zones
    for candidate in (zone_name, *_names_in_cldr().get(zone_name, ())):
        city = names.get(candidate, {}).get("city")
        if city:
            return str(city)
    return zone_name.rsplit("/", 1)[-1].replace("_", " ")


@functools.cache
def _names_in_cldr() -> dict[str, tuple[str, ...]]:
    """For each current name the older ones: CLDR keeps a city under the oldest, Kolkata under Asia/Calcutta."""
    older: dict[str, tuple[str, ...]] = {}
    for old, current in get_global("zone_aliases").items():
        older[current] = (*older.get(current, ()), old)
    return older


def _exists(moment: datetime) -> bool:
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) == moment.replace(tzinfo=None)


def _transition_between(start: datetime, end: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """The first instant, to the second, at which the zone's offset is that of `end`."""
    goal = end.astimezone(zone).utcoffset()
    low, high = int(start.timestamp()), int(end.timestamp())
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == goal:
            high = middle
        else:
            low = middle + 1
    return datetime.fromtimestamp(low, UTC)


@functools.cache
def _known_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@functools.cache
def _place_names() -> frozenset[str]:
    """The names in IANA's table of places (zone.tab) and UTC."""
    table = importlib.resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")) | {"UTC"}


@functools.cache
def _links() -> dict[str, str]:
    """Each old name with the name it stands for, from the same release's rule file."""
    rules = importlib.resources.files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text(encoding="utf-8")
    fields = (line.split(" ") for line in rules.splitlines() if line.startswith("L "))
    return {old: current for _, current, old in fields}
