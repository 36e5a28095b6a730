"""How an organizer enters what needs more than a line of text: zones, languages, currencies, times, rich text."""

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from babel.core import get_global
from babel.localedata import locale_identifiers
from babel.numbers import get_currency_name, get_territory_currencies
from django import forms
from django.conf.locale import LANG_INFO
from django.forms.renderers import TemplatesSetting
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from django.utils.translation import to_locale
from unfold.contrib.forms.widgets import WysiwygWidget
from unfold.widgets import DATETIME_CLASSES, UnfoldAdminSelect2Widget

from events import formats, timezones, validators

# What the editor and word processors make of paragraphs, headings and rows, in the words of what may be stored.
_STORED_TAGS = (
    ("h1", r"<\1h3>"),
    ("h2|h5|h6", r"<\1h4>"),
    ("div|section|article|header|footer|main|aside|caption|dl|dt|dd|figure|figcaption|pre|address|tr", r"<\1p>"),
    ("table|thead|tbody|tfoot|colgroup|col", ""),
    ("td|th", ""),
)
_TAG_OR_TEXT = re.compile(r"<[^>]*>|[^<]+")
_BLOCK_TAG = re.compile(r"<(/?)(p|h3|h4|ul|ol|li|blockquote)>")
# What is nothing at the beginning and the end of a paragraph.
_EDGES = re.compile(r"\A(?:\s|&nbsp;|<br>)+|(?:\s|&nbsp;|<br>)+\Z")

Choice = tuple[str, str]


class ListedWidget(UnfoldAdminSelect2Widget):
    """A list to search in. A value that is not in it (an old name of a zone, say) stays and can be kept."""

    choices: Any

    def optgroups(self, name: str, value: Any, attrs: dict[str, Any] | None = None) -> list[Any]:
        known = {str(option) for option, _label in _flat(self.choices)}
        missing = [str(chosen) for chosen in value if chosen not in (None, "") and str(chosen) not in known]
        if not missing:
            return super().optgroups(name, value, attrs)
        listed = ListedWidget(choices=[*((chosen, chosen) for chosen in missing), *self.choices])
        listed.attrs, listed.is_required = self.attrs, self.is_required
        return listed.optgroups(name, value, attrs)

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        attrs.pop("maxlength", None)
        return attrs


class TimeZoneWidget(ListedWidget):
    """Zones by region and city."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, choices=lazy(zone_groups, list)())


class LanguageWidget(ListedWidget):
    """Languages by name."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, choices=lazy(language_choices, list)())


class CurrencyWidget(ListedWidget):
    """Currencies that are in use, by name."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, choices=lazy(currency_choices, list)())


class DateWidget(forms.DateInput):
    """The browser's own calendar, which phones know best."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(DATETIME_CLASSES), **(attrs or {})}, format="%Y-%m-%d")


class TimeWidget(forms.TimeInput):
    """A time of day. The page's "now" of other widgets would be the server's, which is nobody's."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(DATETIME_CLASSES), **(attrs or {})}, format="%H:%M")


class DateTimeWidget(forms.DateTimeInput):
    """A date and a time of day in one."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(DATETIME_CLASSES), **(attrs or {})}, format="%Y-%m-%dT%H:%M")


class WallClockField(forms.DateTimeField):
    """A date and time as the clock on somebody's wall shows it: naive, and the form says in which zone."""

    widget = DateTimeWidget

    def prepare_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> datetime | None:
        naive = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        if isinstance(naive, str):
            # What is typed without the browser's help may carry an offset, which would be another clock's.
            naive = re.sub(r"(Z|[+-]\d\d:?\d\d)$", "", naive.strip())
        found = super().to_python(naive)
        return found.replace(tzinfo=None) if found else None


class RichTextWidget(WysiwygWidget):
    """An editor for text with headings, lists and links, over a text area that works without it."""

    template_name = "admin/events/rich_text.html"

    class Media:
        js = ("admin/rich_text.js",)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """From the project's templates, where Django's own renderer of forms does not look."""
        return super().render(name, value, attrs, TemplatesSetting())

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return storable(value) if isinstance(value, str) else value


def storable(html: str) -> str:
    """What the editor or a word processor wrote, as paragraphs, headings and lists with no text outside of them.

    Read and written again it stays the same: the editor would join a text outside of a paragraph to the one before.
    """
    if len(html) > validators.MAX_RICH_TEXT_LENGTH:
        return html  # the field refuses it
    html = re.sub(r"</t[dh]>\s*(?=<t[dh][\s>])", " | ", html, flags=re.I)
    for made, kept in _STORED_TAGS:
        html = re.sub(rf"<(/?)(?:{made})(?=[\s/>])[^>]*>", kept, html, flags=re.I)
    # Twice: a bold text over several paragraphs is one for each only once the paragraphs are there.
    return _in_blocks(_in_blocks(html))


def _in_blocks(html: str) -> str:
    blocks = _Blocks()
    for part in _TAG_OR_TEXT.findall(validators.rich_text(html)):
        blocks.add(part)
    return blocks.html()


class _Blocks:
    """Clean HTML, put together again: what stands outside of every block gets a paragraph."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._text: list[str] = []  # of a paragraph, or outside of all
        self._depth = 0  # in headings, lists and quotations, which stay as they are

    def add(self, part: str) -> None:
        found = _BLOCK_TAG.fullmatch(part)
        if found is None:
            (self._made if self._depth else self._text).append(part)
            return
        is_end, name = bool(found[1]), found[2]
        if name == "p":
            if self._depth:
                self._made.append("<br>" if is_end else "")
            else:
                self._end_paragraph()
            return
        if not self._depth:
            self._end_paragraph()
        self._depth = max(self._depth + (-1 if is_end else 1), 0)
        if is_end:
            self._drop_line_breaks()
        self._made.append(part)

    def html(self) -> str:
        self._end_paragraph()
        return re.sub(r"<(h3|h4|li|ul|ol|blockquote)>\s*</\1>", "", "".join(self._made)).strip()

    def _drop_line_breaks(self) -> None:
        while self._made and (self._made[-1] == "<br>" or not self._made[-1].strip()):
            self._made.pop()

    def _end_paragraph(self) -> None:
        """Two line breaks are how the editor writes a new paragraph, an empty line how people do without it."""
        text = "".join(self._text).replace("\r\n", "\n")
        self._text = []
        paragraphs = re.split(r"(?:<br>\s*){2,}|\n[ \t]*\n\s*", text)
        for paragraph in paragraphs:
            kept = _EDGES.sub("", paragraph)
            if kept:
                self._made.append(f"<p>{kept}</p>")


def zone_groups() -> list[tuple[str, list[Choice]]]:
    choices = timezones.zone_choices()
    return [
        (region, [(choice.name, choice.city) for choice in group])
        for region, group in groupby(choices, key=lambda choice: choice.region)
    ]


def language_choices() -> list[Choice]:
    """The languages that both Django and Babel know, so that every page can name them."""
    known = set(locale_identifiers())
    codes = (code for code in LANG_INFO if "name" in LANG_INFO[code] and to_locale(code) in known)
    return sorted(((code, formats.language_name(code)) for code in codes), key=lambda choice: choice[1].casefold())


def currency_choices() -> list[Choice]:
    in_use = {code for territory in get_global("territory_currencies") for code in get_territory_currencies(territory)}
    locale = formats.locale_for()
    named = [(code, f"{get_currency_name(code, locale=locale)} ({code})") for code in in_use]
    return [("", "---------"), *sorted(named, key=lambda choice: choice[1].casefold())]


def _flat(choices: Iterable[Any]) -> Iterable[Choice]:
    for value, label in choices:
        if isinstance(label, (list, tuple)):
            yield from label
        else:
            yield value, label
