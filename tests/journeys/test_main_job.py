"""The main job, end to end, as it really runs: a phone, a worker, a mail server, a calendar, an organizer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import vobject
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from events.models import Session
from registrations.models import Message, Registration
from tests.builders import make_host, make_offer, make_organizer, make_session, make_webinar
from tests.servers import ReceivedMail, SmtpSink, Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "timezone_id": "Asia/Tashkent",
    "locale": "en-GB",
}


@pytest.fixture
def worker(start_worker: Callable[..., Worker], live_server: LiveServer) -> Worker:
    return start_worker(SITE_URL=live_server.url)


@pytest.fixture
def session() -> Session:
    """A coming session in London, planned at 13:30, with an offer that registering earns."""
    host = make_host(name="Border Review", sender_email="events@border.example")
    webinar = make_webinar(
        host=host, title="Border Challenges", slug="border-challenges", zones=("America/New_York", "Europe/London")
    )
    make_offer(webinar, code_prefix="BR")
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    return make_session(webinar, local_date=day, local_time=time(13, 30), capacity=40)


@pytest.fixture
def phone(browser: Browser, base_url: str) -> Any:
    context: BrowserContext = browser.new_context(
        base_url=base_url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        timezone_id="Asia/Tashkent",
        locale="en-GB",
    )
    yield context
    context.close()


def invite_in(mail: ReceivedMail) -> Any:
    [inline] = [part for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
    [attached] = [part for part in mail.message.walk() if part.get_content_type() == "application/ics"]
    content = inline.get_payload(decode=True)
    assert content == attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar = vobject.readOne(content.decode())
    assert inline.get_param("method") == calendar.method.value
    return calendar


def text_of(mail: ReceivedMail) -> str:
    body = mail.message.get_body(("plain",))
    assert body is not None
    return body.get_content()


def register(page: Page, *, name: str, email: str) -> None:
    page.goto("/webinars/border-challenges/")
    page.get_by_label("Full name").fill(name)
    page.get_by_label("Email", exact=True).fill(email)
    page.locator("#register").get_by_role("button", name=re.compile("Register")).click()


def test_a_stranger_registers_the_organizer_moves_the_session_and_the_calendar_follows(
    phone: BrowserContext, page: Page, worker: Worker, smtp_sink: SmtpSink, session: Session
):
    # 1. On a phone in Tashkent: land, register, read that a mail is on its way.
    visitor = phone.new_page()
    register(visitor, name="Anna Karimova", email="anna@example.net")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You have a place, Anna")

    # 2. A moment later the mail is there: to her alone, in her own time, with the invite and her code.
    [first] = smtp_sink.wait_for(1)
    registration = Registration.objects.get()
    invite = invite_in(first)
    assert first.recipients == ["anna@example.net"]
    assert first.message["From"].addresses[0].addr_spec == "events@border.example"
    assert invite.method.value == "REQUEST"
    assert invite.vevent.dtstart.value == session.starts_at
    assert invite.vevent.organizer.value == "mailto:events@border.example"
    assert "Tashkent" in text_of(first)
    assert registration.offer_codes.get().code in text_of(first)

    # 3. The mail's link opens her registration.
    [manage_url] = set(re.findall(r"http://\S+/registrations/\S+/", text_of(first)))
    visitor.goto(manage_url)
    expect(visitor.get_by_text(registration.offer_codes.get().code)).to_be_visible()

    # 4. The organizer moves the session in the admin; the entry moves by itself.
    organizer = make_organizer(session.webinar.host, password="a long enough password")
    sign_in(page, organizer.email, "a long enough password")
    page.goto(f"/admin/events/session/{session.pk}/change/")
    page.locator("[name=local_time]").fill("15:00")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save and tell 1 person").click()
    smtp_sink.wait_for(2)
    moved = invite_in(smtp_sink.mails[1])
    session.refresh_from_db()
    assert moved.method.value == "REQUEST"
    assert moved.vevent.uid.value == invite.vevent.uid.value
    assert int(moved.vevent.sequence.value) == 1
    assert moved.vevent.dtstart.value == session.starts_at == invite.vevent.dtstart.value + timedelta(minutes=90)

    # 5. She cancels: a question first, then the entry is withdrawn.
    visitor.goto(f"{manage_url}cancel/")
    visitor.get_by_role("button", name="Cancel my registration").click()
    smtp_sink.wait_for(3)
    withdrawn = invite_in(smtp_sink.mails[2])
    assert withdrawn.method.value == "CANCEL"
    assert withdrawn.vevent.status.value == "CANCELLED"
    assert withdrawn.vevent.uid.value == invite.vevent.uid.value
    assert int(withdrawn.vevent.sequence.value) == 2
    session.refresh_from_db()
    assert session.places_taken == 0
    wait_until(lambda: not Message.objects.exclude(state=Message.State.SENT).exists())
    assert len(smtp_sink.mails) == 3


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_text("Sign in with a password").click()
    page.locator("#id_login").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/my/")


def test_registering_works_without_javascript(
    browser: Browser, base_url: str, worker: Worker, smtp_sink: SmtpSink, session: Session
):
    context = browser.new_context(base_url=base_url, java_script_enabled=False)

    register(context.new_page(), name="Алия Сапарова", email="aliya@example.net")

    [mail] = smtp_sink.wait_for(1)
    assert invite_in(mail).vevent.dtstart.value == session.starts_at
    context.close()
