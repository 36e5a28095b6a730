"""Uploaded pictures become ones that pages can show."""

import io
import struct

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageStat

from events import pictures
from tests.builders import make_host, make_presenter, make_webinar


def picture(size, *, kind="PNG", mode="RGB", colour="red", name="portrait.png", **saved) -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new(mode, size, colour).save(data, kind, **saved)
    return SimpleUploadedFile(name, data.getvalue())


def opened(webp: bytes) -> Image.Image:
    return Image.open(io.BytesIO(webp))


def stored(field) -> bytes:
    with field.open() as file:
        return file.read()


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((900, 600), pictures.SQUARE, (224, 224)),
        ((100, 80), pictures.SQUARE, (80, 80)),
        ((3200, 1600), pictures.WIDE, (1600, 800)),
        ((40, 20), pictures.WIDE, (40, 20)),
    ],
)
def test_picture_is_no_larger_than_it_is_shown(size, box, expected):
    webp = opened(pictures.as_webp(picture(size), box=box))

    assert (webp.format, webp.size) == ("WEBP", expected)


def test_what_the_camera_added_stays_behind_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # held on its side
    exif[0x010F] = "Camera of Anna"
    photograph = picture((80, 40), kind="JPEG", name="a.jpg", exif=exif)

    webp = opened(pictures.as_webp(photograph, box=pictures.WIDE))

    assert webp.size == (40, 80)
    assert not webp.getexif()


def test_transparent_logo_stays_transparent():
    logo = picture((40, 40), mode="RGBA", colour=(0, 0, 0, 0))

    assert opened(pictures.as_webp(logo, box=pictures.WIDE)).convert("RGBA").getchannel("A").getpixel((20, 20)) == 0


def test_moving_picture_stands_still():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=1000)

    webp = opened(pictures.as_webp(SimpleUploadedFile("a.gif", data.getvalue()), box=pictures.WIDE))

    assert getattr(webp, "n_frames", 1) == 1


@pytest.mark.django_db
def test_models_store_webp_and_keep_it(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    presenter = make_presenter(portrait=picture((500, 400), kind="JPEG", name="Anna Portrait.JPG"))
    host = make_host(logo=picture((50, 50)))
    webinar = make_webinar(picture=picture((2000, 1000)))

    assert presenter.portrait.name == "presenters/Anna_Portrait.webp"
    assert opened(stored(presenter.portrait)).size == (224, 224)
    assert [opened(stored(each)).format for each in (host.logo, webinar.picture)] == ["WEBP", "WEBP"]
    presenter.biography = "<p>Changed</p>"
    presenter.save()
    presenter.refresh_from_db()
    assert presenter.portrait.name == "presenters/Anna_Portrait.webp"


@pytest.mark.django_db
def test_damaged_picture_is_refused_beside_its_field(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    noise = Image.effect_noise((200, 200), 80)
    data = io.BytesIO()
    noise.save(data, "PNG")
    host = make_host()
    host.logo = SimpleUploadedFile("logo.png", data.getvalue()[: len(data.getvalue()) // 2])

    with pytest.raises(ValidationError) as refusal:
        host.full_clean()

    assert refusal.value.message_dict == {"logo": ["The picture is damaged: it ends too early."]}


def jpeg_in_scans(number: int) -> SimpleUploadedFile:
    """A JPEG of so many scans; what stands in them does not matter to whoever counts."""
    plain = picture((16, 16), kind="JPEG", name="a.jpg", progressive=True).read()
    start = plain.index(b"\xff\xda")
    return SimpleUploadedFile(
        "a.jpg", plain[:start] + b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x10" * number + plain[start:]
    )


@pytest.mark.django_db
def test_jpeg_that_would_take_minutes_to_unpack_is_refused_unopened():
    host = make_host()
    host.logo = jpeg_in_scans(1000)

    with pytest.raises(ValidationError) as refusal:
        host.full_clean()

    assert refusal.value.message_dict == {
        "logo": ["This picture is stored in too many parts. Save it anew, as a plain JPEG or PNG."]
    }


def test_progressive_photograph_is_taken():
    assert pictures.as_webp(picture((900, 700), kind="JPEG", name="a.jpg", progressive=True), box=pictures.SQUARE)


def test_picture_of_another_kind_inside_is_not_opened():
    data = bytearray(picture((8, 8), kind="WEBP").read().ljust(4096, b"\x00"))
    data[2048:2052] = b"PCD_"

    webp = opened(pictures.as_webp(SimpleUploadedFile("a.webp", bytes(data)), box=pictures.WIDE))

    assert webp.size == (8, 8)


def exif_of(*entries: tuple[int, int, bytes]) -> bytes:
    """What a camera says, entry by entry: tag, type and four bytes of value (TIFF 6.0, section 2)."""
    written = b"".join(struct.pack("<HHI", tag, kind, 1) + value for tag, kind, value in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + written + b"\0\0\0\0"


ASCII, SHORT, SIGNED = 2, 3, 9


@pytest.mark.parametrize(
    "odd", [(0x0100, ASCII, b"w\0\0\0"), (0x011A, ASCII, b"f\0\0\0"), (0x0100, SIGNED, struct.pack("<i", -1))]
)
def test_odd_words_of_a_camera_do_not_spoil_its_picture(odd):
    exif = exif_of(*sorted([odd, (0x0112, SHORT, b"\6\0\0\0")]))
    photograph = picture((300, 200), kind="JPEG", name="a.jpg", exif=exif)

    assert opened(pictures.as_webp(photograph, box=pictures.WIDE)).size == (200, 300)


@pytest.mark.parametrize("box", [pictures.SQUARE, pictures.WIDE])
def test_grey_in_sixteen_bits_keeps_its_shades(box):
    data = io.BytesIO()
    Image.new("I;16", (1000, 1000), 32768).save(data, "PNG")

    webp = opened(pictures.as_webp(SimpleUploadedFile("a.png", data.getvalue()), box=box))

    assert ImageStat.Stat(webp.convert("L")).mean == [pytest.approx(128, abs=8)]
