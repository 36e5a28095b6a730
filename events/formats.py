"""Times, dates, durations, languages and prices as words, in the reader's language and a zone that is always named.

Babel has the patterns. Plain "en" is set as in Britain, 28 October and 17:30, for readers in every country.
Instants are aware datetimes; zones are IANA names; `language` is the active one unless told.
"""

import functools
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel import dates as babel_dates
from babel.lists import format_list
from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import get_language, get_supported_language_variant, gettext, ngettext, override

from events import timezones

INTERNATIONAL_ENGLISH = "en-gb"
# Codes that CLDR names beside countries: groups of states, and places that no post reaches.
_NOT_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
# Arabic is read where clocks have twelve hours and where they have twenty-four; these need no letter beside the digits.
CLOCKS = {"ar": "HH:mm"}


def locale_for(language: str | None = None) -> Locale:
    """The Babel locale in which dates and times are written."""
    code = language or get_language() or "en"
    return timezones.babel_locale(INTERNATIONAL_ENGLISH if code == "en" else code)


def long_date(instant: datetime, zone: str, language: str | None = None) -> str:
    """Wednesday 28 October 2020"""
    return _date(_local(instant, zone).date(), "full", locale_for(language))


def day_and_month(instant: datetime, zone: str, language: str | None = None) -> str:
    """28 October 2020"""
    return _date(_local(instant, zone).date(), "long", locale_for(language))


def weekday(instant: datetime, zone: str, language: str | None = None) -> str:
    """Wednesday"""
    return _date(_local(instant, zone).date(), "EEEE", locale_for(language))


def short_date(instant: datetime, zone: str, language: str | None = None) -> str:
    """Wed 28 Oct 2020"""
    return babel_dates.format_skeleton("yMMMEd", _local(instant, zone), locale=locale_for(language))


def brief_date(instant: datetime, zone: str, language: str | None = None) -> str:
    """29 Oct"""
    return babel_dates.format_skeleton("MMMd", _local(instant, zone), locale=locale_for(language))


def calendar_leaf(instant: datetime, zone: str, language: str | None = None) -> tuple[str, str, str]:
    """The day in large, its weekday and its month: ("28", "Wed", "Oct 2020")"""
    local, locale = _local(instant, zone), locale_for(language)
    return (
        _date(local.date(), "d", locale),
        _date(local.date(), "EEE", locale),
        babel_dates.format_skeleton("yMMM", local, locale=locale),
    )


def short_day(instant: datetime, zone: str, language: str | None = None) -> str:
    """Wed 28 Oct, for subjects, where the year would push out the title"""
    return babel_dates.format_skeleton("MMMEd", _local(instant, zone), locale=locale_for(language))


def plain_date(day: date, language: str | None = None) -> str:
    """11 November 2020"""
    return _date(day, "long", locale_for(language))


def clock_time(instant: datetime, zone: str, language: str | None = None) -> str:
    """17:30"""
    locale = locale_for(language)
    return _time(_local(instant, zone).time(), CLOCKS.get(locale.language, "short"), locale)


def time_range(start: datetime, end: datetime, zone: str, language: str | None = None) -> str:
    """17:30 to 19:00"""
    with override(language or get_language()):
        return gettext("%(start)s to %(end)s") % {
            "start": clock_time(start, zone, language),
            "end": clock_time(end, zone, language),
        }


def place(instant: datetime, zone: str, language: str | None = None) -> str:
    """New York, UTC−4; for UTC itself UTC"""
    if timezones.canonical_name(zone) == "UTC":
        return "UTC"
    with override(language or get_language()):
        return gettext("%(city)s, %(offset)s") % {
            "city": timezones.city_name(zone, language),
            "offset": timezones.utc_offset_label(instant, zone),
        }


def place_time(instant: datetime, zone: str, language: str | None = None) -> str:
    """08:30 New York, UTC−4; for UTC itself 12:30 UTC"""
    with override(language or get_language()):
        return gettext("%(time)s %(place)s") % {
            "time": clock_time(instant, zone, language),
            "place": place(instant, zone, language),
        }


def place_date(instant: datetime, zone: str, language: str | None = None) -> str:
    """30 November 2020, 23:59 London, UTC"""
    with override(language or get_language()):
        return gettext("%(date)s, %(place_time)s") % {
            "date": day_and_month(instant, zone, language),
            "place_time": place_time(instant, zone, language),
        }


def duration(length: timedelta, language: str | None = None) -> str:
    """90 minutes; whole hours from two on."""
    minutes = int(length.total_seconds() // 60)
    with override(language or get_language()):
        if minutes >= 120 and minutes % 60 == 0:
            return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def language_name(code: str, language: str | None = None) -> str:
    """English, for "en"; the code itself where nobody knows it."""
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name(locale_for(language))
    except (ValueError, UnknownLocaleError):
        name = None
    return name or code


def countries(language: str | None = None) -> dict[str, str]:
    """Every country's name by its code of two letters, sorted by name."""
    names = timezones.babel_locale(language or get_language()).territories
    found = [
        (code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return dict(sorted(found, key=lambda country: _without_accents(country[1])))


def alternatives(words: list[str], language: str | None = None) -> str:
    """Road, rail or air"""
    return format_list(words, style="or", locale=locale_for(language))


def foreign_language(code: str) -> str:
    """The code, for a lang attribute, where texts in it stand among words of another language; else empty."""
    return "" if code == get_language() else code


def supported_language(code: str) -> str:
    """The site's language for somebody who reads that one: the site's own where it does not speak it."""
    try:
        return get_supported_language_variant(code)
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def price(amount: Decimal, currency: str, language: str | None = None) -> str:
    """Free, or the amount with its currency."""
    if not amount:
        with override(language or get_language()):
            return gettext("Free")
    return format_currency(amount, currency, locale=locale_for(language))


def _without_accents(text: str) -> str:
    """For sorting: Åland among the A, Côte d'Ivoire among the C."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


# A page and a mail say the same few days and hours many times over, and Babel takes its time for each.
@functools.lru_cache(maxsize=4096)
def _date(day: date, pattern: str, locale: Locale) -> str:
    return babel_dates.format_date(day, pattern, locale=locale)


@functools.lru_cache(maxsize=4096)
def _time(clock: time, pattern: str, locale: Locale) -> str:
    return babel_dates.format_time(clock, pattern, locale=locale)


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(timezones.get_zone(zone))
