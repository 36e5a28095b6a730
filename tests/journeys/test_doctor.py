"""Whoever runs the site asks the doctor, with scripts and without, on a phone and at a desk, by day and by night."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings

from events.models import Finding, User
from registrations.models import Probe
from tests.builders import make_organizer
from tests.journeys.test_organizers import sign_in
from webinar_site import doctor

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/doctor/"
# What is ours on the page: the frame around it is Unfold's.
OURS: dict[str, Any] = {"include": [["#content-main"]]}


@pytest.fixture
def superuser(transactional_db: None, settings: Settings, tmp_path: Any) -> User:
    settings.MEDIA_ROOT = tmp_path
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.EMAIL_URL = "smtp://mail.example.org"
    return make_organizer(is_superuser=True, email="me@example.net")


@pytest.fixture
def findings(transactional_db: None) -> None:
    """One of each colour, with words that are long and cannot be broken."""
    now = timezone.now()
    key = "v=spf1 " + "include:_spf.a-very-long-name-of-a-mail-provider.example.net " * 4 + "+all"
    for topic, light, what, to_do in (
        ("mail-server", "green", "mail.example.org:587 takes our login as webinars, over TLSv1.3.", ""),
        ("spf", "red", f"SPF of example.org lets everybody send in its name: {key}", "Write -all or ~all at its end."),
        ("dkim", "amber", "The key at mail2026._domainkey.example.org is shorter than 2,048 bits.", "Make another."),
        ("dmarc", "green", f"DMARC at _dmarc.example.org: v=DMARC1; rua=mailto:{'d' * 90}@example.org", ""),
    ):
        age = timedelta(minutes=12)
        Finding.objects.create(topic=topic, light=light, what=what, to_do=to_do, looked_at=now - age)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_read_at_every_width_by_day_and_by_night(
    page: Page, context: BrowserContext, base_url: str, superuser: User, findings: None, scheme: Any, width: int
) -> None:
    sign_in(context, base_url, superuser)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})

    page.goto(PAGE)

    expect(page.locator("#spf")).to_contain_text("Red")
    expect(page.locator("#spf")).to_contain_text("Looked at 12 minutes ago.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page, context=OURS).response["violations"] == []


def test_without_scripts_everything_is_looked_at_and_an_invite_is_sent(
    browser: Browser, base_url: str, superuser: User, settings: Settings
) -> None:
    settings.EMAIL_URL = ""
    viewport: Any = {"width": 390, "height": 844}
    with browser.new_context(base_url=base_url, java_script_enabled=False, viewport=viewport) as context:
        sign_in(context, base_url, superuser)
        page = context.new_page()
        page.goto(PAGE)
        expect(page.locator("#spf")).to_contain_text("Nobody has looked at this yet.")

        page.get_by_role("button", name="Look at everything again").click()
        expect(page.locator("#spf")).to_contain_text("Not looked up")
        page.get_by_role("button", name="Send the invite").click()
        expect(page.locator("#probe")).to_contain_text("An invite to me@example.net waits to be sent")

    assert Finding.objects.count() == len(doctor.CHECKS)
    assert Probe.objects.get().message.to_email == "me@example.net"
