"""What may be stored: pictures that browsers show, addresses that browsers open, texts that can be cleaned."""

import struct
import time
import zlib
from io import BytesIO
from xml.etree import ElementTree as ET

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
    (tmp_path / "long-ago.tiff").write_bytes(a_picture("TIFF").read())
    host = make_host(logo="long-ago.tiff")

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


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://evil.example\\@www.youtube.com/x", "Enter the address without a backslash (\\)."),
        ("https://example.org/a\\b", "Enter the address without a backslash (\\)."),
        ("https://www.youtube.com@evil.example/x", "Enter the address without a user name or password."),
        ("https://anna:secret@example.org", "Enter the address without a user name or password."),
    ],
)
@pytest.mark.parametrize(("model", "name"), [(Webinar, "replay_url"), (Session, "join_url"), (Host, "website")])
def test_links_say_themselves_where_they_lead(model, name, address, words):
    field = model._meta.get_field(name)

    for cleaned in (lambda: field.clean(address, None), lambda: field.formfield().clean(address)):
        with pytest.raises(ValidationError) as refusal:
            cleaned()
        assert refusal.value.messages == [words]


def test_an_at_sign_behind_the_host_is_taken():
    assert Webinar._meta.get_field("replay_url").clean("https://example.org/@anna?at=a@b", None)


# ---------- texts ----------

TEXTS = [validators.single_line, validators.plain_text, validators.rich_text]
NONCHARACTERS = [*range(0xFDD0, 0xFDF0), *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF))]
NEVER_KEPT = [*NONCHARACTERS, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x01, 0x0C, 0x7F, 0xD800]


@pytest.mark.parametrize("clean", TEXTS)
def test_what_no_xml_may_hold_and_what_turns_the_text_around_goes(clean):
    # A form feed is a space on one line.
    typed = "".join(f"a{chr(code)}" for code in NEVER_KEPT if code != 0x0C)

    assert len(NONCHARACTERS) == 66
    assert clean(typed) == "a" * (len(NEVER_KEPT) - 1)
    assert clean("a\x0cb") == ("a b" if clean is validators.single_line else "ab")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"250 OK", "250 OK"),
        (b"250 caf\xc3\xa9 \xff", "250 caf\xe9 \ufffd"),
        ("250-first\r\n\t250 second\n", "250-first 250 second"),
        ("No\0body\x1b[2J\x7f \udcff here", "No body[2J here"),
        ("y" * 501, "y" * 500),
        ("y" * 499 + " z", "y" * 499),
        (b"", ""),
    ],
)
def test_what_a_foreign_server_says_is_one_line_of_text(said, kept):
    assert validators.foreign_text(said) == kept
    assert validators.foreign_text(kept) == kept


@pytest.mark.parametrize("clean", TEXTS)
def test_marks_that_right_to_left_text_needs_stay_and_so_does_every_script(clean):
    text = "\u200e(\u200f\u0633\u0644\u0627\u0645\u061c\u200d) \U0001f469\u200d\U0001f52c \ufffd \ue000 \u4e2d"

    assert clean(text) == text


@pytest.mark.parametrize("clean", [validators.plain_text, validators.rich_text])
def test_line_ends_and_tabs_stay(clean):
    assert clean("a\r\n\tb\rc\n") == "a\n\tb\nc"


def test_marks_written_as_references_go_too_and_leave_no_script_behind():
    cleaned = validators.rich_text('<p>a&#xFFFE;b&#x202e;c</p><a href="java&#xFFFE;script:alert(1)">d</a>')

    assert cleaned == '<p>abc</p><a rel="noopener nofollow">d</a>'


@pytest.mark.django_db
def test_feed_and_partners_xml_can_be_read_whatever_a_title_holds(client, settings):
    webinar = make_webinar(title="Roads\ufffe\U0001ffff", summary="Two\uffff sentences.\ufdd0")
    url = f"{settings.SITE_URL}{webinar.get_absolute_url()}"

    feed = ET.fromstring(client.get("/feed.atom").content)
    card = ET.fromstring(client.get("/oembed", {"url": url, "format": "xml"}).content)

    assert "Roads" in [title.text for title in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert card.findtext("title") == "Roads"


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


def test_what_is_cleaned_twice_is_the_same():
    assert validators.single_line("0 \x1b 0") == validators.single_line(validators.single_line("0 \x1b 0")) == "0 0"
