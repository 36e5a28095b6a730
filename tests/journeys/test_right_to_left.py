"""Arabic in a real browser: the pages are mirrored, what must not turn round does not, and script and server agree."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from events.models import Session
from registrations.models import Registration
from tests.builders import make_appearance, make_host, make_offer, make_presenter, make_session, make_webinar

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = "Asia/Tashkent"
# Where each letter of an element's text stands, from the left: what a reader sees, whatever the order in the source.
LETTERS = """(element) => {
    const found = [], texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node; (node = texts.nextNode());) for (let at = 0; at < node.data.length; at++) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const { left, width } = range.getBoundingClientRect();
        if (width && node.data[at].trim()) found.push([left, node.data[at]]);
    }
    return found;
}"""


@pytest.fixture
def session() -> Session:
    """The first of two coming sessions with an English page: a presenter, an offer, a chart of four cities."""
    host = make_host(name="Border Review")
    webinar = make_webinar(
        host=host,
        title="Border Challenges",
        slug="border-challenges",
        about="<p>People who guard roads compare what works.</p>",
        zones=("America/New_York", "Europe/London", "Asia/Kolkata"),
    )
    make_appearance(webinar, make_presenter(host=host, name="Anna Kowalska"))
    make_offer(webinar)
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    make_session(webinar, local_date=day, local_time=time(20, 0))
    return make_session(webinar, local_date=day, local_time=time(13, 30), capacity=40, label="Suits the Caucasus.")


@pytest.fixture
def open_context(browser: Browser, base_url: str) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def open_one(*, width: int = 1440, **options: Any) -> BrowserContext:
        opened.append(
            browser.new_context(
                base_url=base_url, viewport={"width": width, "height": 900}, timezone_id=ZONE, locale="ar", **options
            )
        )
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def landing(open_context: Callable[..., BrowserContext], session: Session) -> Page:
    page = open_context().new_page()
    page.goto("/ar/webinars/border-challenges/")
    return page


def box(locator: Locator) -> dict[str, float]:
    """Where it stands between the left and the right."""
    found = locator.bounding_box()
    assert found is not None
    return {"left": found["x"], "right": found["x"] + found["width"], "width": found["width"]}


def as_seen(locator: Locator) -> str:
    """The letters of a line as they stand, from left to right."""
    return "".join(letter for _left, letter in sorted(locator.evaluate(LETTERS)))


def width_to_scroll(page: Page) -> int:
    """How many pixels lie beside the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_page_is_mirrored(landing: Page):
    assert landing.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    assert box(landing.locator("#register"))["right"] < box(landing.locator(".body"))["left"]
    assert box(landing.locator(".when"))["right"] < box(landing.locator(".lead"))["left"]
    assert box(landing.locator(".top nav"))["right"] < box(landing.locator(".brand"))["left"]
    tile, name = landing.locator(".people .tile").first, landing.locator(".people h3").first
    assert box(name)["right"] < box(tile)["left"]


def test_words_begin_at_the_right_whatever_their_language(landing: Page):
    for words in (".lead h1 bdi", ".opt small bdi", "#register label bdi", "#register .hint bdi", ".people h3 a"):
        line = landing.locator(words).first
        around = line.locator("xpath=ancestor::*[self::h1 or self::h3 or self::small or self::label or self::div][1]")
        assert box(line)["right"] == pytest.approx(box(around)["right"], abs=1), words


def test_the_same_page_in_english_is_not(open_context: Callable[..., BrowserContext], session: Session):
    page = open_context().new_page()

    page.goto("/webinars/border-challenges/")

    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]
    assert box(page.locator("#register"))["left"] > box(page.locator(".body"))["right"]
    chart, bar = page.locator(".zones .day").first, page.locator(".zones .day .slot").first
    assert box(bar)["left"] == pytest.approx(box(chart)["left"] + box(chart)["width"] / 2, abs=1)


def test_in_the_chart_time_runs_to_the_left(landing: Page):
    chart, bar = landing.locator(".zones .day").first, landing.locator(".zones .day .slot").first
    city = landing.locator(".zones li:has(time) > span").first

    # The session begins in the middle and goes on to the left of it.
    assert box(bar)["right"] == pytest.approx(box(chart)["left"] + box(chart)["width"] / 2, abs=1)
    assert box(chart)["right"] < box(city)["left"]


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_lies_beside_the_window(open_context: Callable[..., BrowserContext], session: Session, width: int):
    page = open_context(width=width).new_page()

    for path in ("/ar/", "/ar/webinars/border-challenges/", "/ar/hosts/" + session.webinar.host.slug + "/", "/ar/my/"):
        page.goto(path)
        assert width_to_scroll(page) == 0, path


def test_times_offsets_and_foreign_names_keep_their_order(landing: Page):
    assert as_seen(landing.locator(".zones li", has_text="نيويورك").locator("time")).startswith("0")
    assert as_seen(landing.locator(".zones li", has_text="نيويورك").locator(".ltr")) in {"UTC−4", "UTC−5"}
    assert (
        as_seen(landing.locator(".zones li", has=landing.locator("time[datetime*='+05:30']")).locator(".ltr"))
        == "UTC+5:30"
    )
    assert "UTC+5" in as_seen(landing.locator(".yours span[data-city]"))
    assert as_seen(landing.locator(".opt small").first) == "SuitstheCaucasus."
    assert as_seen(landing.locator(".strip b")) == "50%offyourfirsttwomonths"
    start, end = landing.locator(".yours time").all()
    assert box(end)["right"] < box(start)["left"]


@pytest.mark.parametrize("path", ["/webinars/border-challenges/", "/ar/webinars/border-challenges/"])
def test_script_writes_times_as_the_server_does(
    open_context: Callable[..., BrowserContext], session: Session, path: str
):
    times = ".when, .opt b"
    by_script, by_server = open_context().new_page(), open_context(java_script_enabled=False).new_page()

    by_script.goto(path)
    expect(by_script.locator("input[name=time_zone]")).to_have_value(ZONE)
    by_server.goto(f"{path}?tz={ZONE}")

    # Who chose a zone is not asked whether to change it.
    written = [re.sub(r"تغيير|Change", "", words) for words in by_script.locator(times).all_inner_texts()]
    expected = by_server.locator(times).all_inner_texts()
    assert [" ".join(words.split()) for words in written] == [" ".join(words.split()) for words in expected]
    assert not set("٠١٢٣٤٥٦٧٨٩") & set("".join(written))


def test_a_reader_changes_language_and_registers_in_it(open_context: Callable[..., BrowserContext], session: Session):
    page = open_context(width=390).new_page()
    page.goto("/webinars/border-challenges/")

    page.locator("footer").get_by_role("link", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.get_by_label("الاسم الكامل").fill("ليلى حسن")
    page.get_by_label("البريد الإلكتروني").fill("layla@example.org")
    page.locator("#register").get_by_role("button").first.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("ليلى")
    assert page.url.endswith("/ar/webinars/border-challenges/registered/")
    assert Registration.objects.get().language == "ar"


def test_an_address_is_typed_from_left_to_right(landing: Page):
    field = landing.get_by_label("البريد الإلكتروني")

    assert field.evaluate("(input) => [getComputedStyle(input).direction, getComputedStyle(input).textAlign]") == [
        "ltr",
        "right",
    ]


def test_letters_of_arabic_are_not_spaced_and_a_little_larger(landing: Page):
    heading = landing.locator("h2", has_text="عن الندوة")

    assert heading.evaluate("(words) => getComputedStyle(words).letterSpacing") in {"normal", "0px"}
    assert landing.evaluate("getComputedStyle(document.documentElement).fontSize") == "17px"


def test_an_arabic_webinar_reads_from_the_right_on_an_english_page(
    open_context: Callable[..., BrowserContext], session: Session
):
    webinar = make_webinar(
        host=session.webinar.host, title="أمن الحدود 2026: ما الذي ينجح؟", slug="arabic", language="ar", summary="ملخّص."
    )
    make_session(webinar, local_date=session.local_date, local_time=time(9, 0))
    page = open_context().new_page()

    page.goto("/")

    title = page.get_by_role("link", name=webinar.title)
    assert title.evaluate("(link) => [link.lang, getComputedStyle(link).direction]") == ["ar", "rtl"]
    # The first word stands right of the last.
    assert as_seen(title).startswith("؟")
