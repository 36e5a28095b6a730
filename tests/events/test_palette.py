"""A mail's colours stay readable whatever accent a host has chosen."""

import colorsys
import re
from pathlib import Path

import pytest
from django.conf import settings
from unfold.settings import CONFIG_DEFAULTS

from events import palette

ACCENTS = ["#000000", "#ffffff", "#808080", "#0b6b74", "#ffff00", "#ff00ff", "#00ff00", "#0000ff"] + [
    "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue / 24, lightness, saturation))
    for hue in range(24)
    for lightness in (0.15, 0.5, 0.85)
    for saturation in (0.3, 1.0)
]


def luminance(colour: str) -> float:
    """As WCAG 2.2 has it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("colour", "lightness", "chroma", "hue"),
    [
        ("#ff0000", 0.62796, 0.25768, 29.234),
        ("#00ff00", 0.86644, 0.29483, 142.495),
        ("#0000ff", 0.45201, 0.31321, 264.052),
    ],
)
def test_to_oklch_agrees_with_the_published_values(colour, lightness, chroma, hue):
    found = palette.to_oklch(colour)

    assert found.lightness == pytest.approx(lightness, abs=1e-4)
    assert found.chroma == pytest.approx(chroma, abs=1e-4)
    assert found.hue == pytest.approx(hue, abs=0.05)


@pytest.mark.parametrize("colour", ACCENTS)
def test_a_colour_survives_the_way_there_and_back(colour):
    assert palette.to_hex(palette.to_oklch(colour)) == colour


@pytest.mark.parametrize("accent", ACCENTS)
def test_text_is_readable_on_every_ground_in_both_schemes(accent):
    colours = palette.mail_palette(accent)

    for text, ground in (
        (colours.on_deep, colours.deep),
        (colours.lamp, colours.deep),
        (colours.on_lamp, colours.lamp),
        (colours.ink, colours.surface),
        (colours.ink, colours.paper),
        (colours.ink, colours.glow),
        (colours.ink_2, colours.surface),
        (colours.ink_2, colours.paper),
        (colours.ink_2, colours.glow),
        (colours.link, colours.surface),
        (colours.link, colours.glow),
        (colours.ink_dark, colours.surface_dark),
        (colours.ink_dark, colours.paper_dark),
        (colours.ink_dark, colours.glow_dark),
        (colours.ink_2_dark, colours.surface_dark),
        (colours.ink_2_dark, colours.paper_dark),
        (colours.ink_2_dark, colours.glow_dark),
        (colours.link_dark, colours.surface_dark),
        (colours.link_dark, colours.glow_dark),
    ):
        assert contrast(text, ground) >= 5.5, (text, ground)


def test_grey_stays_grey():
    colours = palette.mail_palette("#000000")

    assert colours.ink[1:3] == colours.ink[3:5] == colours.ink[5:7]


@pytest.mark.parametrize("colour", ["", "teal", "#fff", "#0b6b74;}", "#0b6b7g", "0b6b74", "#0b6b74\n"])
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(ValueError, match="is not a colour"):
        palette.mail_palette(colour)


# ---------- the organizers' pages ----------

ORGANIZERS = Path(settings.BASE_DIR) / "static" / "admin" / "organizers.css"


def step(family: str, number: str) -> str:
    """A colour of the organizers' pages: ours, or else Unfold's own."""
    colours = CONFIG_DEFAULTS["COLORS"] | settings.UNFOLD["COLORS"]
    return palette.to_hex(palette.Oklch(*map(float, re.findall(r"[\d.]+", _with_part(colours[family][number])))))


def _with_part(colour: str) -> str:
    """With the lightness as a part of one: it may be written in per cent."""
    return re.sub(r"([\d.]+)%", lambda found: str(float(found[1]) / 100), colour)


@pytest.mark.parametrize("ground", ["800", "900", "950"])
def test_links_of_the_organizers_can_be_read_in_the_dark(ground):
    [number] = re.findall(r"\.dark \.text-link \{ color: var\(--color-primary-(\d+)\); \}", ORGANIZERS.read_text())

    assert contrast(step("primary", number), step("base", ground)) >= 4.5
