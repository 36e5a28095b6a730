"""The picture of a webinar that networks and messengers show beside a link: its title, its date and time, its host.

In the dress of the landing page's hero: the ground from the host's accent, the session as a bright bar across the day
and night of its cities. The words stand in the webinar's own language, so that there is one picture for all readers.

Pillow shapes and orders Arabic letters only where the system has FriBiDi (Debian's libfribidi0). What cannot be set
right is left out of the picture, never drawn wrong.
"""

import functools
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from babel import UnknownLocaleError
from django.conf import settings
from django.core.cache import caches
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from PIL import Image, ImageDraw, ImageFont, features

from events import formats, palette, timezones
from events.choices import main_session
from events.links import absolute
from events.meridian import CHART_HOURS, MIDDLE
from events.models import Session, Webinar

# As Open Graph's readers want it: 1.91 to 1.
WIDTH, HEIGHT = 1200, 630
# To be raised whenever the same words come out as another picture: its address holds for a year.
EDITION = 1
KEPT_SECONDS = 7 * 24 * 60 * 60

MARGIN = 72
TEXT_WIDTH = WIDTH - 2 * MARGIN
HOST_SIZE, DATE_SIZE = 32, 42
TITLE_SIZES = (92, 80, 70, 60, 52, 45, 39)
# In these no word is broken: a smaller size comes first.
SIZES_IN_WHOLE_WORDS = 4
LEADING, ARABIC_LEADING = 1.1, 1.4
TITLE_TOP, TITLE_SPACE = 122, 18
WHEN_BOTTOM, DATE_SPACE = 506, 4
CHART_TOP, CHART_HEIGHT, BAR_REACHES = 528, 70, 8
MOST_ROWS = 6
# Lines of one length look stiff, and to look for them takes longer.
CLOSE_ENOUGH = 16

_FONTS = Path(__file__).parent / "fonts"
_PAGES_FONTS = settings.BASE_DIR / "static" / "fonts"
# In the order in which they are asked for a letter. Each is one alphabet of the same design.
_ALPHABETS = (
    _PAGES_FONTS / "commissioner-latin.woff2",
    _PAGES_FONTS / "commissioner-latin-ext.woff2",
    _PAGES_FONTS / "commissioner-cyrillic.woff2",
    _PAGES_FONTS / "commissioner-greek.woff2",
    _FONTS / "commissioner-cyrillic-ext.woff2",
    _FONTS / "commissioner-vietnamese.woff2",
)
# Has Latin letters too, so that a line of both is put into order in one piece.
_ARABIC = _FONTS / "ibm-plex-sans-arabic-semibold.woff2"
_WEIGHT, _FLARE = 600, 100
_RIGHT_TO_LEFT = {"R", "AL"}

# Parts of the day and how light the sky is then, as templates/components/sky.html has them.
SKY = ((0.18, "night"), (0.27, "dusk"), (0.4, "day"), (0.64, "day"), (0.77, "dusk"), (0.86, "night"))
# The lightness and most chroma of the hero's colours in the light scheme, by their names in static/css/tokens.css.
SHADES = {"--deep": (0.28, 0.055), "--sky-h": (0.54, 0.075), "--on-deep": (0.97, 0.01), "--on-deep-2": (0.84, 0.03)}
# About what .hero in static/css/pages.css makes of the ground with black, and how much of the lamp its dusk has.
NIGHT = (0.19, 0.04)
LAMP_AT_DUSK = 0.3


@dataclass(frozen=True)
class Card:
    """What the picture shows. `skies` are the hours on the clocks of its cities when the session starts.

    An empty title is one that no font here can set; then the date stands in its place.
    """

    slug: str
    title: str
    date: str
    time: str
    note: str
    host: str
    accent: str
    skies: tuple[float, ...]
    hours: float
    is_right_to_left: bool

    @property
    def digest(self) -> str:
        """Says what is on the picture, so that another one has another address."""
        return hashlib.blake2b(repr((EDITION, self)).encode(), digest_size=8).hexdigest()

    @property
    def path(self) -> str:
        return reverse("webinar_card", args=[self.slug, self.digest])

    @property
    def url(self) -> str:
        return absolute(self.path)

    @property
    def alt(self) -> str:
        """The same in words."""
        return ". ".join(part for part in (self.title, self.note, self.date, self.time, self.host) if part)

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT


def card_of(webinar: Webinar, *, now: datetime) -> Card:
    """The card of a webinar whose host, sessions and zones were fetched with it: asks the database nothing.

    Raises nothing for languages and letters that nobody here knows: dates are then written in the site's language.
    """
    session = main_session(list(webinar.sessions.all()), now)
    # As the page tells it to readers whose zone nobody knows.
    zone = webinar.host.shown_zone(None)
    language = _language_of_dates(webinar, session, zone)
    is_cancelled = webinar.is_cancelled or (session is not None and session.is_called_off)
    with override(language):
        note = _("Cancelled") if is_cancelled else ""
        date = formats.long_date(session.starts_at, zone) if session else ""
        time = formats.place_time(session.starts_at, zone) if session else ""
    title = drawable(webinar.title)
    return Card(
        slug=webinar.slug,
        title=title,
        date=drawable(date),
        time=drawable(time),
        note=drawable(note),
        host=drawable(webinar.host.name),
        accent=webinar.host.accent,
        skies=_skies(webinar, session),
        hours=session.duration.total_seconds() / 3600 if session and not is_cancelled else 0,
        is_right_to_left=is_right_to_left(title or date),
    )


def picture(card: Card) -> bytes:
    """The picture as a PNG, drawn once and kept."""
    key = f"card-{card.slug}-{card.digest}"
    kept: bytes | None = caches["pictures"].get(key)
    if kept is None:
        kept = draw(card)
        caches["pictures"].set(key, kept, timeout=KEPT_SECONDS)
    return kept


def draw(card: Card) -> bytes:
    """The picture as a PNG."""
    colours = _colours(card.accent)
    image = Image.new("RGB", (WIDTH, HEIGHT), colours["deep"])
    write = functools.partial(_Text.write, canvas=ImageDraw.Draw(image), at_right=card.is_right_to_left)
    write(_Text(card.host), line=card.host, size=HOST_SIZE, top=MARGIN, colour=colours["quiet"])
    # What stands below the title is measured first: the title has what is left.
    below = [(card.note, "lamp"), (card.date if card.title else "", "ink"), (card.time, "lamp")]
    lines = [(_Text(words), colours[colour]) for words, colour in below if words]
    leading = max((line.leading(DATE_SIZE) for line, _colour in lines), default=0) + DATE_SPACE
    when_top = WHEN_BOTTOM - leading * len(lines)
    title, top = _Text(card.title or card.date), TITLE_TOP
    for size, words in _title_in_lines(title, when_top - TITLE_SPACE - TITLE_TOP):
        write(title, line=words, size=size, top=top, colour=colours["ink"])
        top += title.leading(size)
    for place, (line, colour) in enumerate(lines):
        write(line, line=line.text, size=DATE_SIZE, top=when_top + place * leading, colour=colour)
    _draw_chart(image, card, colours)
    output = io.BytesIO()
    image.save(output, "PNG", optimize=True)
    return output.getvalue()


@functools.lru_cache(maxsize=1024)
def drawable(text: str) -> str:
    """The text as a picture can show it: without signs that no font here has, and empty where a letter is missing."""
    text = unicodedata.normalize("NFC", text)
    is_arabic = is_right_to_left(text) or _has_right_to_left(text)
    if is_arabic and not features.check("raqm"):
        return ""
    kept = []
    for character in text:
        if (_has_glyph(_ARABIC, character) if is_arabic else _alphabet_of(character)) is not None:
            kept.append(character)
        elif unicodedata.category(character)[0] in "LN":
            return ""
    return " ".join("".join(kept).split())


def is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction runs to the left (UAX 9, P2 and P3)."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((direction for direction in directions if direction in {"L", *_RIGHT_TO_LEFT}), "L") != "L"


def _language_of_dates(webinar: Webinar, session: Session | None, zone: str) -> str:
    """The webinar's, as far as dates can be written in it and drawn."""
    if session is not None:
        try:
            date = formats.long_date(session.starts_at, zone, webinar.language)
            city = timezones.city_name(zone, webinar.language)
        except (ValueError, UnknownLocaleError):
            return str(settings.LANGUAGE_CODE)
        if drawable(date) and drawable(city):
            return webinar.language
    return formats.supported_language(webinar.language)


def _skies(webinar: Webinar, session: Session | None) -> tuple[float, ...]:
    if session is None:
        return ()
    zones = [shown.time_zone for shown in webinar.display_zones.all()] or [session.time_zone]
    names = timezones.from_west_to_east(session.starts_at, zones)[:MOST_ROWS]
    clocks = [session.starts_at.astimezone(timezones.get_zone(name)) for name in names]
    return tuple(clock.hour + clock.minute / 60 for clock in clocks)


# ---------- words ----------


def _title_in_lines(title: "_Text", height: float) -> list[tuple[int, str]]:
    """The title as large as it fits, each line with its size; what is too long for the smallest ends in an ellipsis."""
    for size in TITLE_SIZES:
        lines = title.wrapped(size, TEXT_WIDTH)
        if len(lines) <= height // title.leading(size) and title.is_within(lines, size, TEXT_WIDTH):
            return [(size, line) for line in title.balanced(size, len(lines))]
    for size in TITLE_SIZES[SIZES_IN_WHOLE_WORDS:]:
        lines = title.wrapped(size, TEXT_WIDTH, breaks_words=True)
        most = max(int(height // title.leading(size)), 1)
        if len(lines) <= most:
            return [(size, line) for line in lines]
    return [(size, line) for line in [*lines[: most - 1], title.with_ellipsis(lines[most - 1], size)]]


@dataclass(frozen=True)
class _Text:
    """A text to be drawn in one or more lines, all in the order that the whole of it has."""

    text: str

    @functools.cached_property
    def is_arabic(self) -> bool:
        return _has_right_to_left(self.text)

    def leading(self, size: int) -> int:
        """From one line to the next. Arabic letters reach further up and down."""
        return round(size * (ARABIC_LEADING if self.is_arabic else LEADING))

    def length(self, line: str, size: int) -> float:
        if self.is_arabic:
            return _font(_ARABIC, size).getlength(line, direction=self._direction)
        return sum(font.getlength(run) for font, run in _runs(line, size))

    def write(
        self, canvas: ImageDraw.ImageDraw, line: str, size: int, top: int, colour: str, *, at_right: bool
    ) -> None:
        """One line, from the side where the picture's language begins."""
        left = WIDTH - MARGIN - self.length(line, size) if at_right else float(MARGIN)
        if self.is_arabic:
            font, place = _font(_ARABIC, size), (left, top + size)
            canvas.text(place, line, font=font, fill=colour, anchor="ls", direction=self._direction)
            return
        for font, run in _runs(line, size):
            canvas.text((left, top + size), run, font=font, fill=colour, anchor="ls")
            left += font.getlength(run)

    def wrapped(self, size: int, width: float, *, breaks_words: bool = False) -> list[str]:
        lines: list[str] = []
        for word in self.text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.length(longer, size) <= width:
                lines[-1] = longer
            else:
                lines += self._pieces(word, size, width) if breaks_words else [word]
        return lines

    def balanced(self, size: int, count: int) -> list[str]:
        """In that many lines, of about the same length."""
        low, high = TEXT_WIDTH // 2, TEXT_WIDTH
        while high - low > CLOSE_ENOUGH:
            middle = (low + high) // 2
            lines = self.wrapped(size, middle)
            if len(lines) <= count and self.is_within(lines, size, middle):
                high = middle
            else:
                low = middle
        return self.wrapped(size, high)

    def is_within(self, lines: list[str], size: int, width: float) -> bool:
        return all(self.length(line, size) <= width for line in lines)

    def with_ellipsis(self, line: str, size: int) -> str:
        while line and self.length(f"{line}…", size) > TEXT_WIDTH:
            line = line[:-1]
        return f"{line.rstrip()}…"

    @property
    def _direction(self) -> str:
        return "rtl" if is_right_to_left(self.text) else "ltr"

    def _pieces(self, word: str, size: int, width: float) -> list[str]:
        pieces = [""]
        for character in word:
            if pieces[-1] and self.length(pieces[-1] + character, size) > width:
                pieces.append("")
            pieces[-1] += character
        return pieces


def _runs(text: str, size: int) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
    """The text in pieces of one alphabet each."""
    piece, current = "", None
    for character in text:
        # Spaces and points stay with the word before them, for its spacing.
        path = current if current and _has_glyph(current, character) else _alphabet_of(character)
        if path != current and piece and current:
            yield _font(current, size), piece
            piece = ""
        piece, current = piece + character, path
    if piece and current:
        yield _font(current, size), piece


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)


@functools.lru_cache(maxsize=4096)
def _alphabet_of(character: str) -> Path | None:
    return next((path for path in _ALPHABETS if _has_glyph(path, character)), None)


@functools.lru_cache(maxsize=8192)
def _has_glyph(path: Path, character: str) -> Path | None:
    """The font's path where it has the character: it draws something else than the box for what is missing."""
    if unicodedata.category(character) == "Cf":
        # Marks of direction are for shaping alone.
        return path if path == _ARABIC else None
    font = _font(path, HOST_SIZE)
    return path if bytes(font.getmask(character)) != bytes(font.getmask("\U0010ffff")) else None


@functools.lru_cache(maxsize=128)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, size)
    if path != _ARABIC:
        font.set_variation_by_axes([_WEIGHT, _FLARE])
    return font


# ---------- the chart ----------


def _draw_chart(image: Image.Image, card: Card, colours: Mapping[str, str]) -> None:
    """Each city's day and night from edge to edge, and the session across them all."""
    if not card.skies:
        return
    canvas = ImageDraw.Draw(image)
    height = CHART_HEIGHT / len(card.skies)
    for number, hour in enumerate(card.skies):
        top, bottom = (CHART_TOP + round(height * place) for place in (number, number + 1))
        row = Image.new("RGB", (WIDTH, 1))
        row.putdata([_sky_at(x / WIDTH * CHART_HOURS - MIDDLE + hour, card.accent) for x in range(WIDTH)])
        if card.is_right_to_left:
            row = row.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image.paste(row.resize((WIDTH, bottom - top)), (0, top))
    if card.hours:
        hour_width = WIDTH / CHART_HOURS
        start, end = MIDDLE * hour_width, (MIDDLE + min(card.hours, MIDDLE)) * hour_width
        if card.is_right_to_left:
            start, end = WIDTH - end, WIDTH - start
        canvas.rectangle(
            (start, CHART_TOP - BAR_REACHES, end - 1, CHART_TOP + CHART_HEIGHT + BAR_REACHES - 1), fill=colours["lamp"]
        )


def _sky_at(hour: float, accent: str) -> tuple[int, int, int]:
    shades = _sky_shades(accent)
    place = hour / CHART_HOURS % 1
    # Before the first stop and after the last one it is night.
    before = next((stop for stop in reversed(SKY) if stop[0] <= place), (0.0, "night"))
    after = next((stop for stop in SKY if stop[0] > place), (1.0, "night"))
    share = (place - before[0]) / (after[0] - before[0])
    pairs = zip(shades[before[1]], shades[after[1]], strict=True)
    red, green, blue = (round(one + (other - one) * share) for one, other in pairs)
    return red, green, blue


@functools.lru_cache(maxsize=256)
def _sky_shades(accent: str) -> Mapping[str, tuple[int, int, int]]:
    colours = _colours(accent)
    return MappingProxyType({name: _rgb(colours[name]) for name in ("night", "dusk", "day")})


@functools.lru_cache(maxsize=256)
def _colours(accent: str) -> Mapping[str, str]:
    """The hero's colours of that accent."""
    base = palette.to_oklch(accent)

    def shade(lightness: float, most_chroma: float) -> str:
        return palette.to_hex(palette.Oklch(lightness, min(base.chroma, most_chroma), base.hue))

    lamp = palette.mail_palette(accent).lamp
    day = shade(*SHADES["--sky-h"])
    return MappingProxyType(
        {
            "deep": shade(*SHADES["--deep"]),
            "ink": shade(*SHADES["--on-deep"]),
            "quiet": shade(*SHADES["--on-deep-2"]),
            "lamp": lamp,
            "night": shade(*NIGHT),
            "day": day,
            "dusk": _mixed(day, lamp, LAMP_AT_DUSK),
        }
    )


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_rgb(colour), _rgb(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
