"""What may be stored: names on one line, accents, zones, rich text without scripts, pictures that are pictures."""

import re
import unicodedata
from pathlib import PurePath
from typing import Any

import nh3
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from events import timezones

validate_accent = RegexValidator(r"\A#[0-9a-f]{6}\Z", _("Enter a colour such as #0b6b74."), code="accent")
validate_web_address = URLValidator(
    schemes=["http", "https"],
    message=_("Enter a web address that begins with https:// or http://."),
    code="web_address",  # fields have words of their own for "invalid"
)

# What an organizer's word processor may bring along; everything else is dropped, its text kept.
RICH_TEXT_TAGS = {"p", "br", "h3", "h4", "ul", "ol", "li", "strong", "em", "b", "i", "a", "blockquote", "sup", "sub"}
RICH_TEXT_ATTRIBUTES = {"a": {"href"}}
RICH_TEXT_SCHEMES = {"http", "https", "mailto"}
# Some thirty pages. What is nested deeper than anybody writes takes ever longer to clean.
MAX_RICH_TEXT_LENGTH = 60_000

MAX_PICTURE_BYTES = 5 * 1024 * 1024
MAX_PICTURE_PIXELS = 40_000_000
# What every browser shows, by what the file says inside and by its name: the web server goes by the name. MPO is how
# many phones write a JPEG.
PICTURE_ENDINGS = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg"},
    "MPO": {".jpg", ".jpeg"},
    "WEBP": {".webp"},
    "GIF": {".gif"},
}

# Marks that turn the direction of the text after them: a name with one can rewrite the line it stands in.
_DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SPACES = re.compile(r"\s+")


def single_line(text: str) -> str:
    """The text on one line: line breaks and runs of space become one space, control and direction marks go."""
    spaced = _SPACES.sub(" ", text)
    kept = (mark for mark in spaced if unicodedata.category(mark) not in {"Cc", "Cs"} and mark not in _DIRECTION_MARKS)
    return "".join(kept).strip()


def plain_text(text: str) -> str:
    """Several lines without control characters; line ends are \\n."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cs"} or c == "\t") for line in lines)
    return "\n".join(kept).strip()


def rich_text(html: str) -> str:
    """HTML with nothing in it but text, lists, headings and links; scripts, styles and classes are gone."""
    return nh3.clean(
        html.replace("\x00", ""),
        tags=RICH_TEXT_TAGS,
        attributes=RICH_TEXT_ATTRIBUTES,
        url_schemes=RICH_TEXT_SCHEMES,
        link_rel="noopener nofollow",
    ).strip()


def validate_rich_text(html: str) -> None:
    """Raise ValidationError for what is too long to be read by anybody, or cleaned soon."""
    if len(html) > MAX_RICH_TEXT_LENGTH:
        raise ValidationError(
            _("This has %(length)s characters with its formatting; at most %(limit)s are taken."),
            code="too_long",
            params={"length": len(html), "limit": MAX_RICH_TEXT_LENGTH},
        )


def validate_time_zone(value: str) -> None:
    """Raise ValidationError unless IANA knows the name."""
    if not timezones.is_known(value):
        raise ValidationError(_("%(zone)s is not a known time zone."), code="time_zone", params={"zone": value})


def validate_picture(file: Any) -> None:
    """Refuse what is too large, and what is no PNG, JPEG, WebP or GIF under a name that says so.

    Nothing is unpacked before its head has said how large it is.
    """
    if file.size > MAX_PICTURE_BYTES:
        raise ValidationError(
            _("The picture has %(size)s MB; at most %(limit)s MB are taken."),
            code="picture_size",
            params={"size": round(file.size / 1024 / 1024, 1), "limit": MAX_PICTURE_BYTES // 1024 // 1024},
        )
    kind, pixels = _head_of(file)
    if PurePath(file.name).suffix.lower() not in PICTURE_ENDINGS[kind]:
        raise ValidationError(
            _("Inside, this picture is a %(kind)s. Give its name the ending %(ending)s."),
            code="picture_name",
            params={"kind": "JPEG" if kind == "MPO" else kind, "ending": min(PICTURE_ENDINGS[kind], key=len)},
        )
    if pixels > MAX_PICTURE_PIXELS:
        raise _too_many_pixels()
    _unpack(file)


def _head_of(file: Any) -> tuple[str, int]:
    """The format by the file's first bytes, and the number of pixels. Raises ValidationError."""
    file.seek(0)
    try:
        # Named formats alone: Pillow knows dozens, some of which start other programs.
        image = Image.open(file, formats=sorted({*PICTURE_ENDINGS} - {"MPO"}))
        return str(image.format), image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ValidationError(
            _("This is no picture that browsers show. PNG, JPEG, WebP and GIF are taken."), code="picture_kind"
        ) from error
    finally:
        file.seek(0)


def _unpack(file: Any) -> None:
    """Raise ValidationError where the file is damaged behind its head."""
    try:
        with Image.open(file) as image:
            image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise ValidationError(_("The picture is damaged: it ends too early."), code="picture_damaged") from error
    finally:
        file.seek(0)


def _too_many_pixels() -> ValidationError:
    return ValidationError(_("The picture has too many pixels; make it smaller."), code="picture_pixels")
