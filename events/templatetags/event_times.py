"""Times in templates, always with their place, and the list of places to choose from."""

import functools
import itertools
import operator
from datetime import UTC, datetime

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext, pgettext_lazy

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


@register.filter
def iso(instant: datetime) -> str:
    """2020-10-28T12:30Z, for a <time> element."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


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
    groups = itertools.groupby(timezones.zone_choices(), key=operator.attrgetter("region"))
    return format_html_join(
        "",
        '<optgroup label="{}">{}</optgroup>',
        (
            (
                REGIONS.get(region, region),
                format_html_join(
                    "", '<option value="{}">{}</option>', ((choice.name, choice.city) for choice in choices)
                ),
            )
            for region, choices in groups
        ),
    )
