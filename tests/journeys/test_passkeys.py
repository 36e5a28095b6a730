"""A passkey, from making it to signing in with it, in a browser that has a device of its own to keep it."""

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Browser, CDPSession, Page, expect

from events.models import User
from tests.builders import make_host, make_organizer

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long enough phrase"
# A telephone that knows its owner's finger, and is told at once that it lies on it.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Telephone:
    """What keeps the passkeys."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def kept(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})[
            "credentials"
        ]
        return found

    def forgets(self) -> None:
        self._session.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})


@pytest.fixture
def telephone(page: Page) -> Telephone:
    return Telephone(page)


@pytest.fixture
def organizer(transactional_db: None) -> Iterator[User]:
    cache.clear()
    yield make_organizer(make_host(name="Border Review", requires_second_factor=True), password=PASSWORD)
    cache.clear()


def sign_in_with_password(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    page.get_by_text("Sign in with a password").click()
    form = page.locator("details form")
    form.get_by_label("Email").fill(user.email)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"localhost:\d+/$"))


def make_one(page: Page, user: User) -> None:
    """From the account's page to a passkey of this device; the password is asked for once more."""
    sign_in_with_password(page, user)
    page.goto("/my/account/")
    page.get_by_role("main").get_by_role("link", name="Passkeys").first.click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("The telephone")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_a_passkey_is_made_and_signs_in_by_itself(page: Page, telephone: Telephone, organizer: User) -> None:
    make_one(page, organizer)
    sign_out(page)

    page.goto("/accounts/login/?next=/admin/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"\d/admin/$"))

    # With a host that demands a second step: the passkey is both.
    expect(page.get_by_role("link", name="Webinars").first).to_be_visible()
    assert [key["rpId"] for key in telephone.kept()] == ["localhost"]
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_text("The telephone").first).to_be_visible()


def test_a_passkey_is_the_second_step_after_a_password(page: Page, telephone: Telephone, organizer: User) -> None:
    make_one(page, organizer)
    sign_out(page)

    sign_in_with_password(page, organizer)
    page.wait_for_url("**/2fa/authenticate/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/my/")

    page.goto("/admin/")
    expect(page.get_by_role("link", name="Webinars").first).to_be_visible()


def test_setting_one_up_leads_back_to_what_the_host_withheld(page: Page, telephone: Telephone, organizer: User) -> None:
    sign_in_with_password(page, organizer)
    page.goto("/admin/events/webinar/")
    expect(page.get_by_text("Border Review")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Make the passkey").click()

    page.get_by_role("link", name="Go on to the organizers' pages").click()

    page.wait_for_url("**/admin/events/webinar/")


def test_without_a_passkey_for_this_site_the_page_says_so(
    page: Page, telephone: Telephone, organizer: User, browser_errors: list[str]
) -> None:
    make_one(page, organizer)
    sign_out(page)
    telephone.forgets()

    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("The browser gave no passkey for this site.")).to_be_visible()
    expect(page.get_by_role("button", name="Mail me a code")).to_be_visible()
    assert browser_errors == []


def test_a_removed_passkey_opens_nothing(page: Page, telephone: Telephone, organizer: User) -> None:
    make_one(page, organizer)
    sign_out(page)
    Authenticator.objects.all().delete()

    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("This passkey does not open this account")).to_be_visible()
    page.goto("/my/")
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_where_no_script_runs_nothing_is_offered_that_does_not_work(browser: Browser, base_url: str) -> None:
    user = make_organizer(password=PASSWORD)
    with browser.new_context(base_url=base_url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/accounts/login/")
        offered = page.get_by_role("button", name="Use a passkey")
        expect(offered).to_have_count(0)

        sign_in_with_password(page, user)
        page.goto("/accounts/2fa/webauthn/add/")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()

        expect(page.get_by_text("This browser cannot make a passkey here")).to_be_visible()
        expect(page.get_by_role("button", name="Make the passkey")).to_have_count(0)
