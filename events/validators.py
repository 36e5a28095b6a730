"""What may be stored: names on one line, accents, zones, rich text without scripts, pictures that are pictures."""

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from events import pictures, timezones

validate_accent = RegexValidator(r"\A#[0-9a-f]{6}\Z", _("Enter a colour such as #0b6b74."), code="accent")
_validate_link = URLValidator(
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
MAX_PICTURE_PIXELS = 24_000_000
# The mark before each scan. Cameras and programs write up to a dozen of them, and a picture within the picture.
JPEG_SCAN = b"\xff\xda"
MAX_JPEG_SCANS = 60
# What every browser shows, by what the file says inside and by its name: the web server goes by the name. MPO is how
# many phones write a JPEG.
PICTURE_ENDINGS = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg"},
    "MPO": {".jpg", ".jpeg"},
    "WEBP": {".webp"},
    "GIF": {".gif"},
}

# What is no text: control characters but tabs and line ends, halves of characters, and noncharacters. No XML may hold
# them all: one in a title would break the feed of the whole site.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_HALVES = r"\ud800-\udfff"
_NONCHARACTERS = r"\ufdd0-\ufdef" + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(17))
# Marks that turn the direction of the text after them: a name with one can rewrite the line it stands in. Those that
# only say what stands beside them (U+200E, U+200F, U+061C) are needed and harmless.
_DIRECTION_MARKS = r"\u202a-\u202e\u2066-\u2069"
_NEVER_KEPT = re.compile(f"[{_CONTROLS}{_HALVES}{_NONCHARACTERS}{_DIRECTION_MARKS}]+")
_SPACES = re.compile(r"\s+")
_LINE_ENDS = re.compile(r"\r\n?")
# What a foreign server says may be as long as it likes.
MAX_FOREIGN_CHARS = 500


def single_line(text: str) -> str:
    """The text on one line: breaks and runs of space become one space, what is no text and direction marks go."""
    # Once more afterwards: what went may have stood between two spaces.
    return _SPACES.sub(" ", _NEVER_KEPT.sub("", _SPACES.sub(" ", text))).strip()


def foreign_text(said: str | bytes) -> str:
    """What a server of others has said, fit to be kept and shown: text on one line, and no more than anybody reads."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    # PostgreSQL keeps no NUL. Words that stood apart stay apart.
    return single_line(text.replace("\0", " "))[:MAX_FOREIGN_CHARS].rstrip()


def plain_text(text: str) -> str:
    """Several lines without what is no text, and without direction marks; line ends are \\n."""
    return _NEVER_KEPT.sub("", _LINE_ENDS.sub("\n", text)).strip()


def rich_text(html: str) -> str:
    """HTML with nothing in it but text, lists, headings and links; scripts, styles and classes are gone.

    What is no text and direction marks go too, also those that are written as `&#x202e;`.
    """
    cleaned = _without_markup(_NEVER_KEPT.sub("", _LINE_ENDS.sub("\n", html)))
    kept = _NEVER_KEPT.sub("", cleaned)
    # A link may have become another by what went out of its address.
    return kept if kept == cleaned else _without_markup(kept)


def _without_markup(html: str) -> str:
    return nh3.clean(
        html,
        tags=RICH_TEXT_TAGS,
        attributes=RICH_TEXT_ATTRIBUTES,
        url_schemes=RICH_TEXT_SCHEMES,
        link_rel="noopener nofollow",
    ).strip()


def at_most(limit: int) -> Callable[[str], None]:
    """Refuses longer text. Not Django's max_length, which makes browsers cut what is pasted without a word."""

    def validate(text: str) -> None:
        if len(text) > limit:
            raise ValidationError(
                _("This has %(length)s characters; at most %(limit)s are taken"),
                code="too_long",
                params={"length": len(text), "limit": limit},
            )

    return validate


def validate_web_address(address: str) -> None:
    """Raise ValidationError unless browsers open the address, and at the host that people read in it."""
    _validate_link(address)
    if "\\" in address:
        raise ValidationError(_("Enter the address without a backslash (\\)."), code="web_address")
    if "@" in urlsplit(address).netloc:
        raise ValidationError(_("Enter the address without a user name or password."), code="web_address")


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

    Nothing is unpacked here, however large it says that it is.
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
    if kind in {"JPEG", "MPO"}:
        _refuse_many_scans(file)


def _head_of(file: Any) -> tuple[str, int]:
    """The format by the file's first bytes, and the number of pixels. Raises ValidationError."""
    file.seek(0)
    try:
        image = Image.open(file, formats=pictures.FORMATS)
        return str(image.format), image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ValidationError(
            _("This is no picture that browsers show. PNG, JPEG, WebP and GIF are taken."), code="picture_kind"
        ) from error
    finally:
        file.seek(0)


def _refuse_many_scans(file: Any) -> None:
    """Raise ValidationError for a JPEG of very many scans: each is a pass over all pixels, however short it is."""
    file.seek(0)
    scans = file.read().count(JPEG_SCAN)
    file.seek(0)
    if scans > MAX_JPEG_SCANS:
        raise ValidationError(
            _("This picture is stored in too many parts. Save it anew, as a plain JPEG or PNG."), code="picture_scans"
        )


def _too_many_pixels() -> ValidationError:
    return ValidationError(_("The picture has too many pixels; make it smaller."), code="picture_pixels")
