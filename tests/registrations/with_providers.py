"""What providers open and what not. test_social.py runs these where providers are installed.

The provider's own pages are not asked: what one would answer is put in place of asking.
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from events.models import User
from registrations.models import Message
from tests.builders import make_organizer, make_registration
from tests.registrations.test_account_pages import undressed

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"
TOKEN = {"access_token": "of the provider"}


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def google(monkeypatch):
    """Says who somebody is at Google, and what is known of their address."""

    def says(email, *, is_verified, uid="17"):
        told = {"sub": uid, "email": email, "email_verified": is_verified, "given_name": "Anna"}
        monkeypatch.setattr(
            GoogleOAuth2Adapter, "get_access_token_data", lambda *_args, **_kwargs: {"access_token": "t"}
        )
        monkeypatch.setattr(
            GoogleOAuth2Adapter,
            "complete_login",
            lambda self, request, *_args, **_kwargs: self.get_provider().sociallogin_from_response(request, told),
        )

    return says


def sign_in(client, *, process="login", next_path="/my/"):
    """To Google and back; the last answer of ours."""
    sent = client.post(f"{reverse('google_login')}?process={process}&next={next_path}")
    state = parse_qs(urlsplit(sent["Location"]).query)["state"][0]
    return client.get(reverse("google_callback"), {"code": "c", "state": state})


def is_signed_in(client):
    return "_auth_user_id" in client.session


# ---------- the way there ----------


def test_the_sign_in_page_has_a_button_for_each(client):
    page = client.get(reverse("account_login"), {"next": "/my/"})

    html = page.content.decode()
    assert "Sign in with Google" in html
    assert "Sign in with GitHub" in html
    assert undressed(html) == []


@pytest.mark.parametrize("provider", [provider.name for provider in settings.SOCIAL_PROVIDERS])
def test_a_button_leads_to_the_providers_own_site_and_the_policy_lets_it(client, provider):
    page = client.get(reverse("account_login"))
    ways = re.findall(rf'action="(/accounts/{provider}/login/[^"]*)"', page.content.decode())

    sent = client.post(ways[0].replace("&amp;", "&"))

    target = urlsplit(sent["Location"])
    assert target.scheme == "https"
    assert f"{provider}+ID" in target.query or f"{provider}%20ID" in target.query
    forms = next(part for part in page["Content-Security-Policy"].split("; ") if part.startswith("form-action "))
    assert f"https://{target.netloc}" in forms.split()


def test_other_pages_forms_lead_nowhere_else(client):
    assert "form-action 'self';" in client.get(reverse("account_reset_password"))["Content-Security-Policy"]


def test_a_link_asks_before_it_leads_away(client):
    page = client.get(reverse("github_login"))

    assert "Go on to GitHub?" in page.content.decode()
    assert undressed(page.content.decode()) == []
    assert "form-action 'self' https://github.com" in page["Content-Security-Policy"]


# ---------- who is let in ----------


def test_whoever_registered_is_signed_in_by_an_address_that_the_provider_has_verified(client, google):
    own = make_registration(email="Anna@example.org")
    google("anna@example.org", is_verified=True)

    answer = sign_in(client)

    assert answer["Location"] == "/my/"
    assert own.webinar.title in client.get("/my/").content.decode()
    assert EmailAddress.objects.get(email="anna@example.org").verified
    assert not User.objects.get().has_usable_password()
    assert not SocialToken.objects.exists()


def test_an_address_that_the_provider_has_not_verified_lets_nobody_in(client, google):
    make_registration(email="anna@example.org")
    google("anna@example.org", is_verified=False)

    answer = sign_in(client)

    assert answer.status_code == 403
    assert undressed(answer.content.decode()) == []
    assert not is_signed_in(client)
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


def test_an_account_that_there_is_is_entered_by_a_verified_address_alone(client, google):
    make_registration(email="anna@example.org")
    anna = User.objects.create_user("anna@example.org")
    EmailAddress.objects.create(user=anna, email=anna.email, verified=True, primary=True)
    google("anna@example.org", is_verified=False)
    refused = sign_in(client)

    google("anna@example.org", is_verified=True)
    entered = sign_in(Client())

    assert refused.status_code == 403
    assert not is_signed_in(client)
    assert entered["Location"] == "/my/"
    assert User.objects.get() == anna


def test_a_password_that_somebody_set_in_anothers_name_ends_when_its_owner_comes(client, google):
    make_registration(email="anna@example.org")
    anna = User.objects.create_user("anna@example.org", PASSWORD)
    google("anna@example.org", is_verified=True)

    answer = sign_in(client)

    anna.refresh_from_db()
    assert not anna.has_usable_password()
    # It was never proved here, which takes one code.
    assert answer["Location"].startswith(reverse("account_email_verification_sent"))


@pytest.mark.parametrize("is_verified", [True, False])
@pytest.mark.parametrize("email", ["olga@example.org", "Olga@Example.org"])
def test_an_organizers_account_is_entered_by_no_address(client, google, is_verified, email):
    organizer = make_organizer(email=email)
    google("olga@example.org", is_verified=is_verified)

    answer = sign_in(client, next_path="/admin/")

    assert answer.status_code == 403
    assert not is_signed_in(client)
    assert User.objects.get() == organizer


def test_nobody_learns_who_has_an_account(google):
    make_organizer(email="olga@example.org")
    make_registration(email="anna@example.org")
    pages = []

    for email, is_verified in (("olga@example.org", True), ("nobody@example.org", True), ("anna@example.org", False)):
        google(email, is_verified=is_verified)
        answer = sign_in(Client())
        # The way to the page in another language has what came with the address.
        pages.append((answer.status_code, re.sub(r"state=\w+", "", answer.content.decode())))

    assert pages[0] == pages[1] == pages[2]
    assert not Message.objects.filter(kind="account").exists()


@pytest.mark.parametrize("address", ["anna@gmaıl.com", "anna@[10.0.0.5]", "ſue@example.org"])
def test_an_address_that_cannot_be_one_lets_nobody_in(client, google, address):
    make_registration(email="anna@gmail.com")
    google(address, is_verified=True)

    assert sign_in(client).status_code == 403


def test_of_several_addresses_only_those_that_are_verified_are_kept(client, monkeypatch):
    make_registration(email="anna@example.org")
    emails = [
        {"email": "olga@example.org", "verified": False, "primary": True},
        {"email": "anna@example.org", "verified": True, "primary": False},
    ]
    told = {"id": 17, "login": "anna", "email": "olga@example.org", "emails": emails}
    monkeypatch.setattr(GitHubOAuth2Adapter, "get_access_token_data", lambda *_args, **_kwargs: TOKEN)
    monkeypatch.setattr(
        GitHubOAuth2Adapter,
        "complete_login",
        lambda self, request, *_args, **_kwargs: self.get_provider().sociallogin_from_response(request, told),
    )

    sent = client.post(reverse("github_login"))
    state = parse_qs(urlsplit(sent["Location"]).query)["state"][0]
    client.get(reverse("github_callback"), {"code": "c", "state": state})

    assert is_signed_in(client)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("anna@example.org", True)]
    assert User.objects.get().email == "anna@example.org"


# ---------- what somebody has connected ----------


def connect(user, google):
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    google("elsewhere@example.net", is_verified=False)
    sign_in(client, process="connect")
    return client


def test_an_organizer_who_has_connected_an_account_is_signed_in_by_it(client, google):
    organizer = make_organizer(password=PASSWORD)
    connected = connect(organizer, google).get(reverse("socialaccount_connections"))

    answer = sign_in(client, next_path="/admin/")

    assert answer["Location"] == "/admin/"
    assert client.session["_auth_user_id"] == str(organizer.pk)
    assert undressed(connected.content.decode()) == []
    assert not EmailAddress.objects.filter(email="elsewhere@example.net").exists()


def test_the_second_step_is_asked_for_after_it(client, google):
    organizer = make_organizer(password=PASSWORD)
    connect(organizer, google)
    TOTP.activate(organizer, "JBSWY3DPEHPK3PXP")

    answer = sign_in(client, next_path="/admin/")

    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    assert not is_signed_in(client)


def test_it_is_disconnected_again(google):
    organizer = make_organizer(password=PASSWORD)
    client = connect(organizer, google)

    client.post(reverse("socialaccount_connections"), {"account": SocialAccount.objects.get().pk})
    refused = client.post(reverse("socialaccount_connections"), {})

    assert not SocialAccount.objects.exists()
    assert refused.status_code == 422
    assert reverse("socialaccount_connections") in client.get("/my/account/").content.decode()


# ---------- what goes wrong ----------


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"error": "access_denied"}, "You broke it off"), ({"error": "server_error"}, "That did not work")],
)
def test_what_the_provider_refuses_is_said_in_the_sites_words(client, answer, words):
    sent = client.post(reverse("google_login"))
    state = parse_qs(urlsplit(sent["Location"]).query)["state"][0]

    page = client.get(reverse("google_callback"), {**answer, "state": state}, follow=True)

    assert words in page.content.decode()
    assert undressed(page.content.decode()) == []


def test_an_answer_that_nobody_asked_for_lets_nobody_in(client, google):
    make_registration(email="anna@example.org")
    google("anna@example.org", is_verified=True)

    page = client.get(reverse("google_callback"), {"code": "c", "state": "made up"})

    assert page.status_code == 401
    assert not is_signed_in(client)
