"""Makes of any uploaded picture one that pages can show: WebP, no larger than it is shown, without what cameras add."""

import io
from typing import Any

from PIL import Image, ImageOps

QUALITY = 82
# Twice the size at which pages show them, for screens with small dots: (width, height), in pixels.
SQUARE = (224, 224)
WIDE = (1600, 1600)


def as_webp(file: Any, *, box: tuple[int, int]) -> bytes:
    """The picture as WebP that fits the box; a square box is filled, and what stands over is cut off evenly.

    Turned as the camera held it; place, time and maker of the picture stay behind, and of a moving one all but its
    first image. Smaller ones are not blown up. Raises OSError or ValueError where the file is damaged.
    """
    file.seek(0)
    with Image.open(file) as opened:
        # Reads JPEGs at a fraction of their size, where that is enough.
        opened.draft("RGB", (box[0] * 2, box[1] * 2))
        image = ImageOps.exif_transpose(opened)
        has_transparency = image.has_transparency_data
        image = image.convert("RGBA" if has_transparency else "RGB")
    if box == SQUARE:
        side = min(*image.size, *box)
        image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    else:
        image.thumbnail(box, Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "WEBP", quality=QUALITY, method=6)
    file.seek(0)
    return data.getvalue()
