"""A host's colours as plain hexes, for what cannot derive them itself: mails.

The pages derive every shade from the accent in CSS, `oklch(from var(--accent) L min(c, max) h)`. This is the same sum
in Python with the same lightnesses. The conversion is Björn Ottosson's, "A perceptual color space for image
processing" (2020, https://bottosson.github.io/posts/oklab/).
"""

import functools
import math
import re
from dataclasses import dataclass

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_GAMUT_TOLERANCE = 1e-4
_LAMP_HUE = 85.0


@dataclass(frozen=True)
class Oklch:
    """A colour by lightness (0 to 1), chroma (0 to about 0.4) and hue (degrees)."""

    lightness: float
    chroma: float
    hue: float


@dataclass(frozen=True)
class MailPalette:
    """The colours of a mail. Those without a dark sister are the same in both schemes."""

    deep: str
    on_deep: str
    lamp: str
    on_lamp: str
    paper: str
    paper_dark: str
    surface: str
    surface_dark: str
    ink: str
    ink_dark: str
    ink_2: str
    ink_2_dark: str
    line: str
    line_dark: str
    link: str
    link_dark: str
    glow: str
    glow_dark: str


@functools.lru_cache(maxsize=256)
def mail_palette(accent: str) -> MailPalette:
    """The palette of that accent, "#rrggbb". Raises ValueError for anything else."""
    base = to_oklch(accent)

    def shade(lightness: float, most_chroma: float) -> str:
        return to_hex(Oklch(lightness, min(base.chroma, most_chroma), base.hue))

    return MailPalette(
        deep=shade(0.28, 0.055),
        on_deep=shade(0.97, 0.01),
        lamp=to_hex(Oklch(0.85, 0.13, _LAMP_HUE)),
        on_lamp=to_hex(Oklch(0.24, 0.05, _LAMP_HUE)),
        paper=shade(0.955, 0.012),
        paper_dark=shade(0.175, 0.014),
        surface="#ffffff",
        surface_dark=shade(0.215, 0.018),
        ink=shade(0.235, 0.025),
        ink_dark=shade(0.945, 0.008),
        ink_2=shade(0.45, 0.022),
        ink_2_dark=shade(0.775, 0.02),
        line=shade(0.87, 0.014),
        line_dark=shade(0.34, 0.024),
        link=shade(0.42, 0.12),
        link_dark=shade(0.83, 0.1),
        glow=to_hex(Oklch(0.965, 0.032, _LAMP_HUE)),
        glow_dark=to_hex(Oklch(0.27, 0.03, _LAMP_HUE)),
    )


def to_oklch(colour: str) -> Oklch:
    """The colour of a hex, "#rrggbb". Raises ValueError for anything else."""
    if not _HEX.fullmatch(colour):
        raise ValueError(f"{colour!r} is not a colour such as #0b6b74")
    red, green, blue = (_to_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def to_hex(colour: Oklch) -> str:
    """The nearest hex. Where sRGB has no such colour the chroma is lowered: readability hangs on the lightness."""
    low, high = 0.0, colour.chroma
    if not _is_in_gamut(_to_linear_rgb(colour)):
        while high - low > _GAMUT_TOLERANCE:
            middle = (low + high) / 2
            if _is_in_gamut(_to_linear_rgb(Oklch(colour.lightness, middle, colour.hue))):
                low = middle
            else:
                high = middle
        colour = Oklch(colour.lightness, low, colour.hue)
    channels = (round(255 * _from_linear(min(max(value, 0.0), 1.0))) for value in _to_linear_rgb(colour))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _to_linear_rgb(colour: Oklch) -> tuple[float, float, float]:
    a = colour.chroma * math.cos(math.radians(colour.hue))
    b = colour.chroma * math.sin(math.radians(colour.hue))
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _is_in_gamut(rgb: tuple[float, float, float]) -> bool:
    return all(-_GAMUT_TOLERANCE <= value <= 1 + _GAMUT_TOLERANCE for value in rgb)


def _to_linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _from_linear(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)
