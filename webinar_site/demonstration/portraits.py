"""Portraits of nobody: flat shapes in the colours of a travel poster."""

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

SIZE = 224  # twice the 112 pixels at which pages show them
_SCALE = 4  # drawn larger and reduced, which smooths the edges


@dataclass(frozen=True)
class Portrait:
    """What somebody looks like. Colours are #rrggbb."""

    style: Literal["long", "short", "scarf", "beard"]
    skin: str
    hair: str
    clothes: str
    ground: str
    has_glasses: bool = False


def draw(portrait: Portrait) -> bytes:
    """A square WebP picture."""
    size = SIZE * _SCALE
    image = Image.new("RGB", (size, size), portrait.ground)
    canvas = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * size, top * size, right * size, bottom * size

    canvas.ellipse(box(0.14, 0.1, 0.86, 0.82), fill=_darker(portrait.ground))
    if portrait.style == "long":
        canvas.rounded_rectangle(box(0.28, 0.17, 0.72, 0.72), radius=size * 0.2, fill=portrait.hair)
    canvas.ellipse(box(0.1, 0.69, 0.9, 1.5), fill=portrait.clothes)
    canvas.rounded_rectangle(box(0.42, 0.5, 0.58, 0.78), radius=size * 0.08, fill=_darker(portrait.skin))
    neckline = [(0.41 * size, 0.72 * size), (0.5 * size, 0.86 * size), (0.59 * size, 0.72 * size)]
    canvas.polygon(neckline, fill=_darker(portrait.skin))
    canvas.ellipse(box(0.335, 0.2, 0.665, 0.64), fill=portrait.skin)
    if portrait.style == "long":
        canvas.chord(box(0.315, 0.16, 0.685, 0.62), 185, 335, fill=portrait.hair)
    elif portrait.style == "scarf":
        canvas.ellipse(box(0.29, 0.15, 0.71, 0.7), fill=portrait.clothes)
        canvas.ellipse(box(0.36, 0.25, 0.64, 0.63), fill=portrait.skin)
    else:
        canvas.chord(box(0.32, 0.165, 0.68, 0.56), 178, 352, fill=portrait.hair)
    if portrait.style == "beard":
        canvas.chord(box(0.335, 0.2, 0.665, 0.64), 15, 165, fill=portrait.hair)
    if portrait.has_glasses:
        _draw_glasses(canvas, size)
    data = io.BytesIO()
    image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(data, "WEBP", quality=82, method=6)
    return data.getvalue()


def _draw_glasses(canvas: ImageDraw.ImageDraw, size: int) -> None:
    width = size // 90
    for left in (0.385, 0.525):
        canvas.ellipse((left * size, 0.375 * size, (left + 0.09) * size, 0.465 * size), outline="#22272b", width=width)
    canvas.line((0.475 * size, 0.42 * size, 0.525 * size, 0.42 * size), fill="#22272b", width=width)


def _darker(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) * 9 // 10 for place in (1, 3, 5))
    return red, green, blue
