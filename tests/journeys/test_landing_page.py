"""The landing page in a real browser: on a device that counts in UTC, and on paper."""

import contextlib
import re
from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.builders import make_session, make_webinar

pytestmark = pytest.mark.django_db(transaction=True)


def test_device_in_utc_is_not_told_so_twice(browser: Browser, base_url: str) -> None:
    address = make_session(local_date=(datetime.now(UTC) + timedelta(days=30)).date()).webinar.get_absolute_url()
    with contextlib.closing(browser.new_context(base_url=base_url, timezone_id="Etc/UTC")) as context:
        page = context.new_page()

        for start, time_of_it in (("", "in UTC, your time"), ("/ar", "بتوقيت UTC، وهو توقيتك")):
            context.clear_cookies()
            page.goto(f"{start}{address}")

            expect(page.locator(".yours")).to_contain_text(time_of_it)
            assert not re.search("UTC[,،] \u2066?UTC|(time|توقيتك)[,،] \u2066?UTC", page.locator("main").inner_text())


def test_paper_has_every_session(page: Page) -> None:
    webinar = make_webinar()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    sessions = [make_session(webinar, local_date=day, local_time=time(hour, 0)) for hour in (9, 14, 20)]
    page.goto(webinar.get_absolute_url())

    page.emulate_media(media="print")

    for session in sessions:
        option = page.locator(f"#register .opt:has([value='{session.pk}'])")
        expect(option).to_be_visible()
    for left_out in (page.get_by_role("textbox"), page.get_by_role("button"), page.get_by_role("radio")):
        expect(left_out.locator("visible=true")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(200, 100), (300, 150), (200, 220), (600, 300)])
def test_small_frame_keeps_what_can_be_done(browser: Browser, base_url: str, width: int, height: int) -> None:
    title = "Border challenges, and what those who guard roads, rivers and harbours make of them in every season"
    session = make_session(make_webinar(title=title), local_date=(datetime.now(UTC) + timedelta(days=30)).date())
    viewport: ViewportSize = {"width": width, "height": height}
    with contextlib.closing(browser.new_context(base_url=base_url, viewport=viewport)) as context:
        page = context.new_page()

        page.goto(f"{session.webinar.get_absolute_url()}embed/")

        expect(page.get_by_role("heading")).to_be_in_viewport()
        expect(page.get_by_role("link")).to_be_in_viewport(ratio=1)
        root = page.locator("html")
        assert root.evaluate("root => [root.scrollWidth <= innerWidth, root.scrollHeight <= innerHeight]") == [True] * 2
