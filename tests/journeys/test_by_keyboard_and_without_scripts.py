"""The whole way, from the list of webinars to a place given back: with the keyboard alone, and with scripts off."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from registrations import tokens
from registrations.models import Registration
from tests.builders import make_session, make_webinar

pytestmark = pytest.mark.django_db(transaction=True)

MOST_STOPS = 80
# What somebody sees of where they are: a ring around it or around its label, in the window, with nothing over it.
FOCUS = """() => {
    const focused = document.activeElement;
    const rings = [focused, focused.closest('label'), focused.parentElement].filter(Boolean).map(getComputedStyle);
    const boxes = [...focused.getClientRects()];
    const isOnTop = ({ x, y, width, height }) => {
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        return top && (focused.contains(top) || top.contains(focused) || [...(focused.labels || [])].includes(top));
    };
    return {
        what: focused.outerHTML.slice(0, 160),
        // The parts of a date, and what unfolds its calendar, have rings of the browser's own inside the field.
        hasRing: focused.type === 'date'
            || rings.some((ring) => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) > 0),
        isSeen: boxes.some(isOnTop),
    };
}"""


class Reader(ABC):
    """Somebody who uses a page in a way of their own."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @abstractmethod
    def press(self, target: Locator) -> None:
        """Follow a link, press a button, or unfold what is folded."""

    @abstractmethod
    def write(self, field: Locator, text: str) -> None: ...

    @abstractmethod
    def choose(self, field: Locator, option: str) -> None:
        """One of a list that unfolds."""

    @abstractmethod
    def take_next(self, chosen: Locator) -> None:
        """From the choice that is made to the one after it."""


class WithKeyboard(Reader):
    """Tab, Space, Enter, arrows and letters; never a pointer."""

    def press(self, target: Locator) -> None:
        self._go_to(target)
        self.page.keyboard.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        # What is in a field is selected on entering it, and gives way.
        self._go_to(field)
        self.page.keyboard.type(text)

    def choose(self, field: Locator, option: str) -> None:
        self._go_to(field)
        self.page.keyboard.type(option)

    def take_next(self, chosen: Locator) -> None:
        self._go_to(chosen)
        self.page.keyboard.press("ArrowDown")

    def _go_to(self, target: Locator) -> None:
        expect(target).to_be_attached()
        for _stop in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            focus = self._focus()
            if focus["what"].startswith("<body"):
                continue  # past the last stop; the next is the first again
            assert focus["hasRing"], f"Nobody sees the focus on {focus['what']}"
            assert focus["isSeen"], f"Out of sight, or covered: {focus['what']}"
            if target.evaluate("element => element === document.activeElement"):
                return
        pytest.fail(f"The keyboard does not reach {target}")

    def _focus(self) -> dict[str, Any]:
        """Where the focus is, once the window has followed it there."""
        for _time in range(20):
            focus: dict[str, Any] = self.page.evaluate(FOCUS)
            if focus["isSeen"]:
                break
            self.page.wait_for_timeout(50)
        return focus


class WithPointer(Reader):
    def press(self, target: Locator) -> None:
        target.click()

    def write(self, field: Locator, text: str) -> None:
        field.fill(text)

    def choose(self, field: Locator, option: str) -> None:
        value = field.locator("option", has_text=option).first.get_attribute("value")
        field.select_option(value)

    def take_next(self, chosen: Locator) -> None:
        group = chosen.get_attribute("name")
        self.page.locator(f"input[name={group}]:not(:checked)").first.check()


WAYS: dict[str, tuple[type[Reader], dict[str, Any]]] = {
    "keyboard, phone": (WithKeyboard, {"viewport": {"width": 390, "height": 844}}),
    "keyboard, desk": (WithKeyboard, {"viewport": {"width": 1440, "height": 900}}),
    "pointer, no scripts": (WithPointer, {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}),
    "keyboard, no scripts": (WithKeyboard, {"viewport": {"width": 1440, "height": 900}, "java_script_enabled": False}),
}


@pytest.fixture
def open_reader(browser: Browser, base_url: str) -> Callable[[str], Any]:
    @contextmanager
    def opened(way: str) -> Iterator[Reader]:
        kind, settings = WAYS[way]
        context = browser.new_context(base_url=base_url, timezone_id="Asia/Tashkent", locale="en-GB", **settings)
        try:
            yield kind(context.new_page())
        finally:
            context.close()

    return opened


@pytest.mark.parametrize("way", WAYS)
def test_from_the_list_to_a_place_given_back(open_reader: Callable[[str], Any], way: str) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    webinar = make_webinar(title="Border Challenges", slug="border-challenges", zones=("Europe/London",))
    first = make_session(webinar, local_date=day, local_time=time(9, 30), capacity=40)
    second = make_session(webinar, local_date=day, local_time=time(18, 0))

    with open_reader(way) as reader:
        page: Page = reader.page

        # 1. From the list to the webinar, with its times in Tokyo.
        page.goto("/")
        reader.press(page.get_by_role("link", name="Border Challenges"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Border Challenges")
        reader.press(page.locator(".pick > summary"))
        reader.choose(page.locator("select#tz"), "Tokyo")
        reader.press(page.get_by_role("button", name="Show times", exact=True))
        expect(page.get_by_text("Tokyo, UTC+9").first).to_be_visible()

        # 2. The form, with a mistake first: what was typed stays, and the mistake is found.
        form = page.locator("form[action$='/register/']")
        reader.write(form.get_by_label("Full name"), "Anna Karimova")
        reader.write(form.get_by_label("Email", exact=True), "anna@example")
        reader.press(form.locator("button[type=submit]"))
        expect(page).to_have_title(re.compile(r"^Error: .*Border Challenges"))
        expect(form.get_by_label("Full name")).to_have_value("Anna Karimova")
        reader.write(form.get_by_label("Email", exact=True), "anna@example.net")
        reader.press(form.locator("button[type=submit]"))
        expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Anna")

        # 3. The mail's link: to the other session.
        own = Registration.objects.get()
        assert (own.email, own.session, own.is_confirmed) == ("anna@example.net", first, True)
        page.goto(f"/registrations/{tokens.manage_token(own)}/")
        reader.press(page.locator("summary", has_text="Move to another session"))
        reader.take_next(page.locator("input[name=session]:checked"))
        reader.press(page.get_by_role("button", name="Move to this session"))
        expect(page.get_by_text("Your place has moved.")).to_be_visible()
        own.refresh_from_db()
        assert own.session == second

        # 4. The place given back.
        reader.press(page.locator("summary", has_text="Cancel my registration"))
        reader.press(page.get_by_role("button", name="Cancel my registration"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
        own.refresh_from_db()
        assert own.is_cancelled


@pytest.mark.parametrize("way", WAYS)
def test_another_place_and_language_keep_what_was_typed(open_reader: Callable[[str], Any], way: str) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    webinar = make_webinar(title="Border Challenges", slug="border-challenges", zones=("Europe/London",))
    make_session(webinar, local_date=day, local_time=time(9, 30))
    make_session(webinar, local_date=day, local_time=time(18, 0))

    with open_reader(way) as reader:
        page: Page = reader.page
        form = page.locator("#registration")
        page.goto("/webinars/border-challenges/")
        reader.write(form.get_by_label("Full name"), "Anna Karimova")

        # Beside the times, which leads to the choice of places and unfolds it.
        reader.press(form.get_by_role("link", name="Change"))
        expect(page.locator("select#tz")).to_be_visible()
        reader.choose(page.locator("select#tz"), "Tokyo")
        reader.press(page.get_by_role("button", name="Show times", exact=True))
        expect(form).to_contain_text("Tokyo, UTC+9")
        expect(form.get_by_label("Full name")).to_have_value("Anna Karimova")
        expect(form).to_be_in_viewport()

        # On the page of errors, too, and Enter sends the form that one is in, as ever.
        form.get_by_label("Email", exact=True).fill("anna@example")
        form.get_by_label("Email", exact=True).press("Enter")
        expect(page).to_have_title(re.compile(r"^Error: .*Border Challenges"))
        reader.press(form.get_by_role("link", name="Change"))
        reader.choose(page.locator("select#tz"), "Nairobi")
        reader.press(page.get_by_role("button", name="Show times", exact=True))
        expect(form).to_contain_text("Nairobi, UTC+3")
        expect(form.get_by_label("Email", exact=True)).to_have_value("anna@example")

        reader.press(page.get_by_role("button", name="العربية"))
        expect(page).to_have_url(re.compile("/ar/"))
        expect(page.locator("#id_name")).to_have_value("Anna Karimova")
        assert not Registration.objects.exists()
