"""The picture of each webinar."""

import io
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.conf import settings
from PIL import Image, ImageChops, ImageDraw

from events import palette, scheduling
from events.lookup import get_webinar
from events.models import Webinar
from events.syndication import cards
from events.syndication.cards import Card, card_of, draw, drawable, is_right_to_left
from tests.builders import NOW, make_host, make_session, make_webinar

AFTER = datetime(2026, 10, 15, tzinfo=UTC)
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"


def make_card(**fields):
    return Card(
        **{
            "slug": "borders",
            "title": "Border Challenges",
            "date": "Wednesday, 14 October 2026",
            "time": "13:30 London, UTC+1",
            "note": "",
            "host": "Border Review",
            "accent": "#0b6b74",
            "skies": (13.5, 17.5),
            "hours": 1.5,
            "is_right_to_left": False,
            **fields,
        }
    )


def card_now(webinar, now=NOW):
    return card_of(get_webinar(webinar.slug), now=now)


def columns_with(image, colour, top, bottom):
    """Where from left to right that colour stands in those rows."""
    pixels = image.crop((0, top, image.width, bottom)).load()
    return [x for x in range(image.width) if any(pixels[x, y] == colour for y in range(bottom - top))]


def picture_of(card):
    return Image.open(io.BytesIO(draw(card)))


# ---------- what it says ----------


@pytest.mark.django_db
def test_card_says_title_date_time_and_host():
    webinar = make_webinar(title="Borders", host=make_host(name="Border Review", time_zone="Europe/London"))
    make_session(webinar)

    card = card_now(webinar)

    assert (card.title, card.host) == ("Borders", "Border Review")
    assert (card.date, card.time) == ("Wednesday, 14 October 2026", "13:30 London, UTC+1")
    assert card.alt == "Borders. Wednesday, 14 October 2026. 13:30 London, UTC+1. Border Review"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "date", "time"),
    [
        ("ru", "среда, 14 октября 2026 г.", "13:30 Лондон, UTC+1"),
        ("zh", "Wednesday, 14 October 2026", "13:30 London, UTC+1"),
        ("xx-nonsense", "Wednesday, 14 October 2026", "13:30 London, UTC+1"),
    ],
)
def test_dates_stand_in_the_webinars_language_as_far_as_it_can_be_drawn(language, date, time):
    webinar = make_webinar(language=language)
    make_session(webinar)

    card = card_now(webinar)

    assert (card.date.replace("\xa0", " "), card.time) == (date, time)


@pytest.mark.django_db
def test_what_is_called_off_says_so_and_has_no_bar():
    session = make_session()
    scheduling.cancel_webinar(session.webinar, by=None, now=NOW)

    card = card_now(session.webinar)

    assert (card.note, card.hours) == ("Cancelled", 0)


@pytest.mark.django_db
def test_without_a_session_there_is_a_card_without_a_date():
    card = card_now(make_webinar(title="Borders"))

    assert (card.title, card.date, card.time, card.skies) == ("Borders", "", "", ())
    assert picture_of(card).size == (1200, 630)


@pytest.mark.django_db
def test_card_asks_the_database_nothing(django_assert_num_queries):
    webinar = make_webinar(zones=("Europe/London", "Asia/Tashkent"))
    make_session(webinar)
    fetched = get_webinar(webinar.slug)

    with django_assert_num_queries(0):
        card = card_of(fetched, now=NOW)

    assert card.skies == (13.5, 17.5)


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["title", "accent", "moved", "over"])
def test_whatever_changes_on_it_changes_its_address(change):
    webinar = make_webinar()
    session = make_session(webinar)
    make_session(webinar, local_date=date(2026, 11, 2))
    before = card_now(webinar)

    if change == "title":
        Webinar.objects.update(title="Another")
    if change == "accent":
        webinar.host.accent = "#7a1f5c"
        webinar.host.save()
    if change == "moved":
        session.local_time = time(18, 0)
        scheduling.save_session(session, by=None, now=NOW)

    assert card_now(webinar, AFTER if change == "over" else NOW).digest != before.digest


@pytest.mark.django_db
def test_what_is_not_on_it_leaves_its_address():
    webinar = make_webinar()
    make_session(webinar)
    before = card_now(webinar)

    Webinar.objects.update(summary="Other words", about="<p>More</p>")

    assert card_now(webinar, NOW + timedelta(days=1)).digest == before.digest


# ---------- letters ----------


def test_letters_that_no_font_has_leave_the_line_out_and_signs_are_left_away():
    assert drawable("冰川融化") == ""
    assert drawable("Glaciers 🧊 melt\u200b away") == "Glaciers melt away"
    assert drawable("Қазақстан, Tiếng Việt, Łódź, Αθήνα, Ґалаґан") == "Қазақстан, Tiếng Việt, Łódź, Αθήνα, Ґалаґан"
    assert drawable("العربية و OSCE") == "العربية و OSCE"


def test_arabic_is_left_out_where_it_cannot_be_shaped(monkeypatch):
    monkeypatch.setattr("events.syndication.cards.features.check", lambda feature: False)
    drawable.cache_clear()

    try:
        assert drawable("تحديات الحدود") == ""
        assert drawable("Borders") == "Borders"
    finally:
        drawable.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"), [("تحديات", True), ("2026 تحديات", True), ("OSCE تحديات", False), ("Borders", False)]
)
def test_direction_is_that_of_the_first_letter(text, expected):
    assert is_right_to_left(text) is expected


def test_arabic_letters_are_joined():
    # Three letters that stand apart are wider than the word that they make.
    font = cards._font(cards._ARABIC, 60)

    assert font.getlength("بيت", direction="rtl") < 0.8 * sum(map(font.getlength, "بيت"))


def test_a_line_of_arabic_that_begins_with_latin_letters_still_begins_at_the_right():
    text, line, size = cards._Text("تحديات OSCE ححح"), "OSCE ححح", 60
    image = Image.new("L", (1200, 120))

    text.write(ImageDraw.Draw(image), line=line, size=size, top=0, colour="white", at_right=True)

    # Capitals stand on the line, the Arabic letter reaches below it.
    left, _top, right, _bottom = image.crop((0, size + 6, 1200, 120)).getbbox() or (0, 0, 1200, 0)
    assert left >= 1200 - cards.MARGIN - text.length(line, size) - 6
    assert right <= 1200 - cards.MARGIN - text.length("OSCE", size)


# ---------- what it looks like ----------


def test_picture_has_its_size_its_ground_and_its_bar():
    image = picture_of(make_card())

    bar = columns_with(image, cards._rgb(palette.mail_palette("#0b6b74").lamp), 521, 523)
    assert (image.format, image.size, image.mode) == ("PNG", (1200, 630), "RGB")
    assert image.getpixel((5, 5)) == cards._rgb(palette.mail_palette("#0b6b74").deep)
    assert (bar[0], bar[-1]) == (600, 674)


def test_right_to_left_is_the_mirror():
    image = picture_of(make_card(title="تحديات الحدود", is_right_to_left=True))

    ink = cards._rgb(cards._colours("#0b6b74")["ink"])
    words = columns_with(image, ink, 122, 240)
    bar = columns_with(image, cards._rgb(palette.mail_palette("#0b6b74").lamp), 521, 523)
    assert 1080 < words[-1] <= 1200 - cards.MARGIN
    assert words[0] > 400
    assert (bar[0], bar[-1]) == (525, 599)


@pytest.mark.parametrize(
    "title",
    [
        "B",
        "Border Challenges " * 9,
        "Пограничные вопросы " * 8,
        "تحديات الحدود في آسيا " * 7,
        f"{LONG_WORD} {LONG_WORD}",
        "Ж" * 160,
        "W" * 160,
        "",
    ],
)
def test_titles_of_any_length_stay_between_the_margins_and_above_the_date(title):
    card = make_card(title=title.strip(), is_right_to_left=is_right_to_left(title), skies=(), hours=0, time="", date="")

    image = picture_of(card)

    deep = Image.new("RGB", image.size, cards._colours(card.accent)["deep"])
    box = image_difference(image, deep)
    # Some letters reach a little over their own width.
    assert box[0] >= cards.MARGIN - 6
    assert box[2] <= 1200 - cards.MARGIN + 6
    assert box[3] <= cards.WHEN_BOTTOM + 10


def image_difference(image, other):
    return ImageChops.difference(image, other).getbbox()


def test_short_titles_are_set_larger_than_long_ones():
    short, long = (cards._title_in_lines(cards._Text(title), 250) for title in ("Borders", "Border Challenges " * 8))

    assert short[0][0] == cards.TITLE_SIZES[0]
    assert long[0][0] < 60
    assert len({size for size, _line in long}) == 1


def test_what_does_not_fit_at_all_ends_in_an_ellipsis():
    lines = cards._title_in_lines(cards._Text("W" * 300), 250)

    assert lines[-1][1].endswith("…")


@pytest.mark.parametrize("accent", ["#000000", "#ffffff", "#ffff00", "#ff00ff", "#00ff00"])
def test_words_can_be_read_on_any_accent(accent):
    colours = {name: cards._rgb(value) for name, value in cards._colours(accent).items()}

    for name in ("ink", "quiet", "lamp"):
        assert contrast(colours[name], colours["deep"]) >= 6


def contrast(one, other):
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb):
    red, green, blue = (palette._to_linear(channel / 255) for channel in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# ---------- the numbers of the design ----------


def design(name):
    return (settings.BASE_DIR / name).read_text(encoding="utf-8")


def test_colours_are_at_the_lightnesses_of_the_stylesheet():
    # In the light scheme, which is what comes first where there are two.
    shade = r"{}:(?:light-dark\()?oklch\(from var\(--accent\) ([.\d]+) min\(c,([.\d]+)\) h\)"
    written = design("static/css/tokens.css")

    found = {name: re.search(shade.format(name), written) for name in cards.SHADES}

    assert {name: tuple(map(float, match.groups())) for name, match in found.items() if match} == cards.SHADES


def test_dusk_and_night_are_mixed_as_in_the_hero():
    hero = next(line for line in design("static/css/pages.css").splitlines() if line.startswith(".hero{"))

    dusk = re.search(r"--sky-t:color-mix\(in oklab,var\(--sky-h\),var\(--lamp\) (\d+)%\)", hero)
    night = re.search(r"--sky-n:color-mix\(in oklab,var\(--deep\),#000 (\d+)%\)", hero)

    assert dusk
    assert night
    assert int(dusk[1]) / 100 == cards.LAMP_AT_DUSK
    kept = 1 - int(night[1]) / 100
    assert pytest.approx([part * kept for part in cards.SHADES["--deep"]], abs=0.005) == cards.NIGHT


def test_the_sky_has_the_stops_of_the_pages():
    names = {"n": "night", "t": "dusk", "d": "day"}

    stops = re.findall(r'<stop class="sky-(.)" offset="([.\d]+)"/>', design("templates/components/sky.html"))

    assert tuple((float(place), names[kind]) for kind, place in stops) == cards.SKY


def test_fonts_are_there():
    assert all(path.is_file() for path in (*cards._ALPHABETS, cards._ARABIC))


def test_what_is_kept_of_an_accent_cannot_be_changed():
    for kept in (cards._colours("#0b6b74"), cards._sky_shades("#0b6b74")):
        with pytest.raises(TypeError):
            kept["day"] = "#000000"  # type: ignore[index]
