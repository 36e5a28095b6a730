"""What may be stored: pictures that browsers show, addresses that browsers open, texts that can be cleaned."""

import struct
import time
import zlib
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from events import validators
from events.models import Host, Session, Webinar
from tests.builders import make_host, make_webinar


def a_picture(kind="PNG", name="picture.png", size=(8, 8)):
    content = BytesIO()
    Image.new("RGB", size).save(content, kind)
    return SimpleUploadedFile(name, content.getvalue())


def a_bomb(width, height):
    """A PNG that says how large it is, and has nothing else that could be unpacked."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"not packed at all") + chunk(b"IEND", b"")
    return SimpleUploadedFile("bomb.png", content)


def refusal_of(file):
    with pytest.raises(ValidationError) as refusal:
        validators.validate_picture(file)
    return refusal.value.messages[0]


# ---------- pictures ----------


@pytest.mark.parametrize(
    ("kind", "name"),
    [("PNG", "a.png"), ("JPEG", "a.jpg"), ("JPEG", "A.JPEG"), ("WEBP", "a.webp"), ("GIF", "a.gif"), ("MPO", "a.jpg")],
)
def test_what_browsers_show_is_taken_and_left_ready_to_be_read(kind, name):
    file = a_picture(kind, name)

    validators.validate_picture(file)

    assert file.tell() == 0


@pytest.mark.parametrize(
    ("kind", "name"), [("TIFF", "a.tiff"), ("EPS", "a.eps"), ("BMP", "a.bmp"), ("TIFF", "a.png"), ("EPS", "a.jpg")]
)
def test_what_browsers_do_not_show_is_refused_whatever_its_name(kind, name):
    assert refusal_of(a_picture(kind, name)) == (
        "This is no picture that browsers show. PNG, JPEG, WebP and GIF are taken."
    )


@pytest.mark.parametrize(
    "content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_refused(content):
    assert "This is no picture" in refusal_of(SimpleUploadedFile("a.png", content))


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("PNG", "a.jpg", "Inside, this picture is a PNG. Give its name the ending .png."),
        ("JPEG", "a.svg", "Inside, this picture is a JPEG. Give its name the ending .jpg."),
        ("GIF", "a.html", "Inside, this picture is a GIF. Give its name the ending .gif."),
        ("WEBP", "a", "Inside, this picture is a WEBP. Give its name the ending .webp."),
    ],
)
def test_a_picture_under_a_wrong_name_is_refused(kind, name, words):
    assert refusal_of(a_picture(kind, name)) == words


@pytest.mark.parametrize("size", [(7000, 7000), (10_000, 10_000), (60_000, 60_000)])
def test_too_many_pixels_are_refused_before_anything_is_unpacked(size):
    assert refusal_of(a_bomb(*size)) == "The picture has too many pixels; make it smaller."


def test_too_many_bytes_are_refused():
    file = SimpleUploadedFile("a.png", b"x" * (6 * 1024 * 1024))

    assert refusal_of(file) == "The picture has 6.0 MB; at most 5 MB are taken."


@pytest.mark.django_db
def test_a_model_checks_what_is_put_into_it_and_not_what_was_stored_long_ago(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    host = make_host(logo=a_picture("TIFF", "long-ago.tiff"))

    host.full_clean()
    host.logo = a_bomb(7000, 7000)

    with pytest.raises(ValidationError) as refusal:
        host.full_clean()
    assert refusal.value.message_dict == {"logo": ["The picture has too many pixels; make it smaller."]}


@pytest.mark.django_db
def test_a_stored_picture_whose_file_is_gone_does_not_stop_a_change(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    host = make_host(logo="hosts/gone.png")

    Host.objects.get(pk=host.pk).full_clean()


# ---------- addresses ----------


@pytest.mark.parametrize(
    "address", ["ftp://example.org/a", "ftps://example.org/a", "javascript:alert(1)", "mailto:a@b.org"]
)
@pytest.mark.parametrize(("model", "name"), [(Webinar, "replay_url"), (Session, "join_url"), (Host, "website")])
def test_links_lead_to_the_web_alone(model, name, address):
    field = model._meta.get_field(name)

    for cleaned in (lambda: field.clean(address, None), lambda: field.formfield().clean(address)):
        with pytest.raises(ValidationError) as refusal:
            cleaned()
        assert refusal.value.messages == ["Enter a web address that begins with https:// or http://."]


@pytest.mark.parametrize("address", ["https://example.org/a?b=c#d", "http://example.org"])
def test_links_to_the_web_are_taken(address):
    field = Webinar._meta.get_field("replay_url")

    assert field.clean(address, None) == field.formfield().clean(address) == address


# ---------- rich text ----------


@pytest.mark.django_db
def test_a_text_that_nobody_could_read_is_refused_beside_its_field():
    webinar = make_webinar()
    webinar.about = "<p>" * 20_001

    with pytest.raises(ValidationError) as refusal:
        webinar.full_clean()

    assert refusal.value.message_dict == {
        "about": ["This has 60003 characters with its formatting; at most 60000 are taken."]
    }


@pytest.mark.parametrize("markup", ["<ul><li>", "<div>", "<h3><b>", "<b></p>"])
def test_the_longest_text_is_cleaned_before_anybody_waits(markup):
    began = time.process_time()

    validators.rich_text((markup * 60_000)[: validators.MAX_RICH_TEXT_LENGTH])

    assert time.process_time() - began < 5
