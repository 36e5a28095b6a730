"""Times in templates, always with their place, and the list of places to choose from."""

import functools
import itertools
import operator
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from django import template
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, override, pgettext, pgettext_lazy

from events import formats, timezones

register = template.Library()

REGIONS = {
    "Africa": pgettext_lazy("part of the world", "Africa"),
    "America": pgettext_lazy("part of the world", "America"),
    "Antarctica": pgettext_lazy("part of the world", "Antarctica"),
    "Arctic": pgettext_lazy("part of the world", "Arctic"),
    "Asia": pgettext_lazy("part of the world", "Asia"),
    "Atlantic": pgettext_lazy("part of the world", "Atlantic Ocean"),
    "Australia": pgettext_lazy("part of the world", "Australia"),
    "Europe": pgettext_lazy("part of the world", "Europe"),
    "Indian": pgettext_lazy("part of the world", "Indian Ocean"),
    "Pacific": pgettext_lazy("part of the world", "Pacific Ocean"),
    "UTC": pgettext_lazy("part of the world", "Anywhere"),
}

for _format in (
    formats.long_date,
    formats.day_and_month,
    formats.weekday,
    formats.short_date,
    formats.clock_time,
    formats.place,
    formats.place_time,
    formats.place_date,
    formats.time_range,
):
    register.simple_tag(_format)
register.simple_tag(timezones.utc_offset_label, name="utc_offset")
register.filter("city", timezones.city_name)
register.filter("language_name", formats.language_name)
register.filter("plain_date", formats.plain_date)


# What script writes anew for the device's zone, by the names that static/js/enhance.js has for them.
SHAPES: dict[str, Callable[[datetime, str], str]] = {
    "weekday": formats.weekday,
    "date": formats.day_and_month,
    "long": formats.long_date,
    "day": formats.short_date,
    "time": formats.clock_time,
}


class Shown(Protocol):
    """A page whose times are for `shown_zone`; `zone` is the reader's, None while nobody knows it."""

    @property
    def zone(self) -> str | None: ...

    @property
    def shown_zone(self) -> str: ...


@register.filter
def iso(instant: datetime) -> str:
    """2020-10-28T12:30Z, for a <time> element."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


@register.simple_tag
def moment(instant: datetime, page: Shown, shape: str) -> str:
    """A date or a clock time as `shape` says, or with its place as "place_time" and "place_date" do.

    While nobody knows the reader's zone, it is marked for script to tell it in the device's.
    """
    if shape == "place_date":
        parts = {"date": moment(instant, page, "date"), "place_time": moment(instant, page, "place_time")}
        return _joined(gettext("%(date)s, %(place_time)s"), parts)
    if shape == "place_time":
        place = formats.place(instant, page.shown_zone)
        if page.zone is None:
            mark = '<span data-city="{}" data-at="{}">{}</span>'
            place = format_html(mark, gettext("{city}, {offset}"), iso(instant), place)
        return _joined(gettext("%(time)s %(place)s"), {"time": moment(instant, page, "time"), "place": place})
    words = SHAPES[shape](instant, page.shown_zone)
    if page.zone is None:
        return format_html('<time datetime="{}" data-local="{}">{}</time>', iso(instant), shape, words)
    return words


def _joined(pattern: str, parts: dict[str, str]) -> SafeString:
    return mark_safe(escape(pattern) % {name: conditional_escape(part) for name, part in parts.items()})  # noqa: S308


@register.simple_tag
def zone_options(chosen: str | None = None) -> SafeString:
    """The options of a choice of zones, grouped by part of the world; the chosen one, if any, stands first."""
    language = get_language() or "en"
    if not chosen:
        first = format_html('<option value="" selected>{}</option>', pgettext("time zone", "Choose a place"))
    else:
        first = format_html('<option value="{}" selected>{}</option>', chosen, timezones.city_name(chosen))
    return mark_safe(first + _all_options(language))  # noqa: S308 - both parts were escaped when they were made


@functools.lru_cache(maxsize=32)
def _all_options(language: str) -> SafeString:
    """Four hundred options take longer to write than the rest of the page: once for each language is enough."""
    with override(language):
        groups = itertools.groupby(timezones.zone_choices(), key=operator.attrgetter("region"))
        return format_html_join("", '<optgroup label="{}">{}</optgroup>', map(_group, groups))


def _group(group: tuple[str, Iterable[timezones.ZoneChoice]]) -> tuple[object, SafeString]:
    """A part of the world, and the options of its places."""
    region, choices = group
    options = ((choice.name, choice.city) for choice in choices)
    return REGIONS.get(region, region), format_html_join("", '<option value="{}">{}</option>', options)
