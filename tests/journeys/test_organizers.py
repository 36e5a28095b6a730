"""An organizer decides who comes: the whole task in a browser, with scripts and without."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from events.models import Session, User, Webinar
from registrations.models import Registration
from tests.builders import make_host, make_organizer, make_registration, make_rule, make_session, make_webinar

pytestmark = pytest.mark.django_db(transaction=True)

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def organizer(transactional_db: None) -> User:
    return make_organizer(make_host(name="Border Review"))


@pytest.fixture
def webinar(organizer: User) -> Webinar:
    return make_webinar(host=organizer.hosts.get(), title="Roads and Rivers")


def sign_in(context: BrowserContext, base_url: str, user: User) -> None:
    """As if they had signed in before."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    context.add_cookies([{"name": "sessionid", "value": str(session.session_key), "url": base_url}])


def url(view: str, *args: int) -> str:
    return reverse(f"admin:{view}", args=args)


def in_the_list(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()


def run(page: Page, action: str) -> None:
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Run").click()


def test_two_of_three_are_accepted_and_one_has_paid(
    page: Page, base_url: str, organizer: User, webinar: Webinar
) -> None:
    Webinar.objects.update(needs_approval=True, price_amount=40, price_currency="EUR")
    session = make_session(Webinar.objects.get(), capacity=2, **COMING)
    for number, name in enumerate(("Anna Karimova", "Bob Miller", "Carla Lopez")):
        make_registration(session, name=name, now=datetime.now(UTC) + timedelta(seconds=number))
    sign_in(page.context, base_url, organizer)

    page.goto(url("index"))
    page.get_by_role("link", name="3 to decide").click()
    in_the_list(page, "Anna Karimova", "Carla Lopez")
    run(page, "Accept these registrations")
    expect(page.get_by_text("2 people are told by mail.")).to_be_visible()
    page.get_by_role("button", name="Accept 2 registrations").click()
    expect(page.get_by_text("2 registrations are accepted.")).to_be_visible()
    page.goto(url("index"))
    expect(page.get_by_role("link", name="1 to decide")).to_be_visible()
    page.get_by_role("link", name="2 to be paid").click()
    page.get_by_role("link", name="Anna Karimova").click()
    page.get_by_role("link", name="Mark as paid").first.click()
    page.get_by_role("button", name="Mark 1 registration as paid").click()
    expect(page.get_by_text("1 registration is marked as paid.")).to_be_visible()

    rows = Registration.objects.order_by("name").values_list("status", "awaits")
    assert list(rows) == [("confirmed", ""), ("pending", "approval"), ("pending", "payment")]


def test_a_password_is_set_where_it_matters_and_fewer_places_are_refused(
    page: Page, base_url: str, organizer: User, webinar: Webinar
) -> None:
    session = make_session(webinar, capacity=5, **COMING)
    for _ in range(2):
        make_registration(session)
    sign_in(page.context, base_url, organizer)

    page.goto(url("events_webinar_change", webinar.pk))
    expect(page.get_by_label("Password of the page")).to_be_hidden()
    expect(page.get_by_text("See or change the list")).to_be_hidden()
    page.get_by_label("Who can view").select_option("password")
    page.get_by_label("Password of the page").fill("Rio Grande")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("2 people have registered, and keep what they have, and their own pages.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.goto(url("events_session_change", session.pk))
    page.get_by_label("Places").fill("1")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("2 people hold a place already, so there must be at least that many.")).to_be_visible()

    webinar.refresh_from_db()
    assert (webinar.access, webinar.access_password) == ("password", "Rio Grande")
    assert Session.objects.get().capacity == 5


@pytest.mark.parametrize("way", [{}, {"java_script_enabled": False}], ids=["with scripts", "without scripts"])
def test_five_addresses_are_pasted_and_the_two_that_are_none_left_out(
    browser: Browser, base_url: str, organizer: User, webinar: Webinar, way: dict[str, Any]
) -> None:
    Webinar.objects.update(access="invited")
    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844}, **way)
    page = context.new_page()
    sign_in(context, base_url, organizer)

    page.goto(url("events_webinar_change", webinar.pk))
    page.get_by_role("link", name="See or change the list").click()
    page.get_by_label("Addresses", exact=True).fill(
        "anna@example.org\nbob.example.org\nCarla Lopez <carla@example.org>; dora@example\nemil@example.org"
    )
    page.get_by_role("button", name="Check the addresses").click()
    expect(page.get_by_text("Line 2, “bob.example.org”: The email address has no @ sign.")).to_be_visible()
    expect(page.get_by_text("Line 3, “dora@example”: The email address has no ending.")).to_be_visible()
    page.get_by_role("button", name="Leave out what is no address").click()
    page.get_by_role("button", name="Add 3 addresses").click()
    expect(page.get_by_text("3 addresses are new on the list.")).to_be_visible()
    page.get_by_role("button", name="Take carla@example.org off the list").click()
    expect(page.get_by_text("carla@example.org is off the list.")).to_be_visible()
    is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    context.close()

    assert list(webinar.invitees.values_list("email", flat=True)) == ["anna@example.org", "emil@example.org"]
    assert not is_wider


def test_an_hour_that_does_not_exist_and_one_that_comes_twice_are_planned_with_what_the_page_asks(
    page: Page, base_url: str, organizer: User, webinar: Webinar
) -> None:
    session = make_session(webinar, **COMING)
    sign_in(page.context, base_url, organizer)
    save = page.get_by_role("button", name="Save", exact=True)

    # Sunday 30 March 2031, when London goes from 00:59 to 02:00.
    page.goto(url("events_session_change", session.pk))
    page.get_by_label("Date").fill("2031-03-30")
    page.locator("[name=local_time]").fill("01:30")
    save.click()
    expect(page.get_by_text("so it does not exist. The nearest that do are 00:59 and 02:00.")).to_be_visible()
    expect(page.get_by_label("Date")).to_have_value("2031-03-30")

    # Sunday 26 October, when 01:30 comes twice.
    page.get_by_label("Date").fill("2031-10-26")
    save.click()
    expect(page.get_by_text("choose the first (UTC+1) or the second (UTC).")).to_be_visible()
    page.get_by_label("Which one").select_option(label="The second, after clocks went back")
    save.click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert Session.objects.get().starts_at == datetime(2031, 10, 26, 1, 30, tzinfo=UTC)


def test_the_plan_of_mails_is_tried_out_without_scripts(
    browser: Browser, base_url: str, organizer: User, webinar: Webinar
) -> None:
    make_rule(webinar.host, 24 * 60)
    make_rule(webinar.host, 60)
    session = make_session(webinar, **COMING)
    context = browser.new_context(base_url=base_url, java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(context, base_url, organizer)
    page = context.new_page()

    page.goto(url("events_session_change", session.pk))
    page.get_by_role("link", name="Try out its mails").filter(visible=True).click()
    page.get_by_label("They register").select_option(label="Half an hour before")
    page.get_by_label("Where they are").select_option(label="Tashkent")
    page.get_by_role("button", name="Show their mails").click()

    steps = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=3))
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("Its moment had passed when they registered.")
    expect(steps.nth(2)).to_contain_text("Wed, 14 May 2031, 17:00 Tashkent, UTC+5")
    steps.nth(2).get_by_text("See the mail").click()
    mail = page.frame_locator("iframe").first
    expect(mail.get_by_role("heading", name="Roads and Rivers")).to_be_visible()
    context.close()


def test_who_was_told_fits_a_phone_however_much_went_wrong(
    browser: Browser, base_url: str, organizer: User, webinar: Webinar
) -> None:
    session = make_session(webinar, **COMING)
    ends: list[dict[str, Any]] = [{"state": "failed"}, {"state": "queued"}, {"state": "cancelled", "answer": "Over."}]
    ends += [{"state": "sent", "sent_at": datetime.now(UTC), "bounced_at": at} for at in (None, datetime.now(UTC))]
    for end in ends:
        make_registration(session).messages.update(**end)
    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844})
    sign_in(context, base_url, organizer)
    page = context.new_page()

    page.goto(url("events_session_changelist"))
    badge = page.get_by_text("1 of 5 told, 1 came back, 1 failed, 1 waiting, 1 not needed")
    expect(badge).to_be_visible()
    inside = badge.evaluate(
        "element => element.getBoundingClientRect().right <= element.closest('td').getBoundingClientRect().right"
    )

    assert inside
    context.close()
