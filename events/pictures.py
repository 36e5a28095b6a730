"""Makes of any uploaded picture one that pages can show: WebP, no larger than it is shown, without what cameras add."""

import io
from typing import Any

from PIL import Image, ImageOps

# Pillow knows dozens, some of which start other programs.
FORMATS = ("GIF", "JPEG", "PNG", "WEBP")
QUALITY = 82
# How a camera says that it was held on its side (Exif 2.3, 4.6.4), and what puts the picture upright. Pillow's own
# function writes the rest of what the camera said anew, and stumbles over some of it.
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Twice the size at which pages show them, for screens with small dots: (width, height), in pixels.
SQUARE = (224, 224)
WIDE = (1600, 1600)


def as_webp(file: Any, *, box: tuple[int, int]) -> bytes:
    """The picture as WebP that fits the box; a square of `SQUARE` is filled, and what stands over is cut off evenly.

    Turned as the camera held it; place, time and maker of the picture stay behind, and of a moving one all but its
    first image. Smaller ones are not blown up. Raises OSError, ValueError or SyntaxError where the file is damaged.
    To be called on what `validators.validate_picture` let pass: large ones are unpacked whole.
    """
    file.seek(0)
    with Image.open(file, formats=FORMATS) as opened:
        # Reads JPEGs at a fraction of their size, where that is enough.
        opened.draft("RGB", (box[0] * 2, box[1] * 2))
        opened.load()
        turn = TURNS.get(opened.getexif().get(ORIENTATION, 1))
        # Made small first: turning and converting copy the whole picture.
        image = _shrunk(_in_eight_bits(opened), box)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if turn is not None:
        image = image.transpose(turn)
    if box == SQUARE:
        side = min(*image.size, *box)
        image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "WEBP", quality=QUALITY, method=6)
    file.seek(0)
    return data.getvalue()


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Scanners write grey in sixteen bits, which Pillow would cut off instead of scaling."""
    return image.convert("I").point(lambda grey: grey / 256).convert("L") if image.mode.startswith("I") else image


def _shrunk(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """The picture no larger than the box, or than covers it where it is to be filled. Keeps what it says of itself."""
    scales = (box[0] / image.width, box[1] / image.height)
    scale = max(scales) if box == SQUARE else min(scales)
    if scale >= 1:
        return image
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    # Colours by number cannot be mixed.
    mixable = image.convert("RGBA" if image.has_transparency_data else "RGB") if image.mode in {"P", "1"} else image
    shrunk = mixable.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    shrunk.info = dict(image.info)
    return shrunk
