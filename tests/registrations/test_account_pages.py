"""Every page of signing in and of one's account, walked in every state that its owner can be in: all in one dress."""

import re
from html.parser import HTMLParser

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from events.models import User
from registrations.models import Message
from tests.builders import make_host, make_organizer, make_passkey, make_registration

pytestmark = pytest.mark.django_db

PASSWORD, NEW = "a long enough phrase", "another long phrase"
CODE = r"\b\w{4}-\w{4}\b"
RESET_KEY = "account_reset_password_from_key"
# Everybody, in whatever state, may open these; every other page sends on whoever it is not for.
OPEN_TO_ALL = {
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    RESET_KEY,
}
# Those that open for whoever is signed in.
MANAGING = {"account_logout", "account_email", "mfa_index", "mfa_list_webauthn"}
GENERATE = "mfa_generate_recovery_codes"
OF_ONE_PASSKEY = {"mfa_edit_webauthn", "mfa_remove_webauthn"}
# What they load beside the site's own script: allauth's, which speak with the browser about passkeys.
SCRIPTS = re.compile(r"/static/(js/(enhance|passkeys)|mfa/js/webauthn(-json)?|account/js/onload)\.js")
# Questions that are answered with yes or no; and forms that answer a post without fields by leading elsewhere.
WITHOUT_FIELDS = {"account_logout", "account_signup", "mfa_index"} | {
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_list_webauthn",
    "mfa_remove_webauthn",
    GENERATE,
}
SIGNING_IN = {"account_login", "account_request_login_code", "account_signup"}
SETTING_UP = {"mfa_activate_totp", "mfa_add_webauthn"}
# A passkey that the browser did not send has no field to stand beside; and pages that lead elsewhere with it.
WITHOUT_A_PLACE = {"mfa_add_webauthn", "mfa_reauthenticate_webauthn"}


@pytest.fixture(autouse=True)
def fresh_limits():
    """allauth counts tries in the cache."""
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """What guards real passwords takes its time, a hundred times over in this file."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Page(HTMLParser):
    """What a page is made of, as far as its dress goes."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.text = {"title": "", "h1": ""}
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in self.text else self.inside

    def handle_endtag(self, tag):
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data):
        if self.inside:
            self.text[self.inside] += data

    def all(self, *names):
        return [attrs for tag, attrs in self.tags if tag in names]


def undressed(html):
    """What is wrong with the dress of a page; nothing, for a page as it should be."""
    page = Page(html)
    labelled = {attrs.get("for") for attrs in page.all("label")}
    typed = [attrs for attrs in page.all("input", "select", "textarea") if attrs.get("type") != "hidden"]
    faults = {
        "not in our frame": '<main id="main">' not in html or "css/base.css" not in html,
        "not one h1": len(page.all("h1")) != 1 or not page.text["h1"].strip(),
        "no title": not page.text["title"].strip(),
        "a style of its own": any("style" in attrs for _tag, attrs in page.tags) or page.all("style"),
        "a script of its own": [
            attrs
            for attrs in page.all("script")
            if attrs.get("type") != "application/json" and not SCRIPTS.fullmatch(attrs.get("src", ""))
        ],
        "a placeholder": any("placeholder" in attrs for attrs in typed),
        "no label": any(attrs.get("id") not in labelled for attrs in typed),
        "no autocomplete": any(
            "autocomplete" not in attrs for attrs in typed if attrs.get("type") in {"email", "password", "text"}
        ),
        "a bare button": any("btn" not in attrs.get("class", "").split() for attrs in page.all("button")),
        "a bare table or list": any("class" not in attrs for attrs in page.all("table")),
        "words of a library": re.search(r"\b(Re-send|Sign In|Sign Out|Email Address|Two-Factor|Log in)\b", html),
    }
    return [fault for fault, is_so in faults.items() if is_so]


def account_addresses():
    """Every address of allauth, by its name."""

    def named(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from named(pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and pattern.name:
                yield pattern.name

    names = list(named(get_resolver("allauth.urls").url_patterns))
    newest = Authenticator.objects.filter(type="webauthn").last()
    parts = {RESET_KEY: {"uidb36": "1", "key": "gone"}} | {
        name: {"pk": newest.pk if newest else 1} for name in OF_ONE_PASSKEY
    }
    return {name: reverse(name, kwargs=parts.get(name)) for name in names}


def newest_mail(pattern):
    """What the newest mail has of that form."""
    return re.findall(pattern, Message.objects.latest("pk").payload["text"])[0]


def signed_in(user, *, password=PASSWORD):
    """Somebody who has just signed in with their password, or by a code if they have none."""
    client = Client()
    if password:
        client.post(reverse("account_login"), {"login": user.email, "password": password})
    else:
        client.post(reverse("account_request_login_code"), {"email": user.email})
        client.post(reverse("account_confirm_login_code"), {"code": newest_mail(CODE)})
    assert "_auth_user_id" in client.session
    return client


def with_second_step(user):
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    return user


def past_the_second_step():
    client = at_the_second_step()
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert "_auth_user_id" in client.session
    return client


def asked_again(client):
    """Somebody who has just given their password once more, which what protects the account asks for."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def with_a_passkey():
    user = make_organizer(password=PASSWORD)
    client = signed_in(user)
    make_passkey(user)
    return asked_again(client)


def waiting_for_code():
    make_registration(email="anna@example.org")
    client = Client()
    client.post(reverse("account_request_login_code"), {"email": "anna@example.org"})
    return client


def at_the_second_step():
    user = with_second_step(make_organizer(password=PASSWORD))
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def with_an_address_to_prove():
    client = signed_in(make_organizer(password=PASSWORD))
    client.post(reverse("account_email"), {"action_add": "1", "email": "other@example.org"})
    return client


READERS = {
    "nobody": (Client, SIGNING_IN),
    "waiting for a code": (waiting_for_code, {"account_confirm_login_code", "account_signup"}),
    "at the second step": (at_the_second_step, {"mfa_authenticate", "account_signup"}),
    "signed in": (
        lambda: signed_in(make_organizer(password=PASSWORD)),
        {*MANAGING, "account_change_password", "account_reauthenticate"},
    ),
    "asked again": (
        lambda: asked_again(signed_in(make_organizer(password=PASSWORD))),
        {*MANAGING, "account_change_password", "account_reauthenticate", GENERATE, *SETTING_UP},
    ),
    "without a password": (
        lambda: signed_in(make_organizer(), password=""),
        {*MANAGING, "account_set_password", GENERATE, *SETTING_UP},
    ),
    "with a passkey": (
        with_a_passkey,
        {*MANAGING, "account_change_password", "account_reauthenticate", "mfa_reauthenticate_webauthn", GENERATE}
        | SETTING_UP
        | OF_ONE_PASSKEY,
    ),
    "past the second step": (
        lambda: asked_again(past_the_second_step()),
        {*MANAGING, "account_change_password", "account_reauthenticate", "mfa_reauthenticate", GENERATE}
        | {"mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_add_webauthn"},
    ),
    "with an address to prove": (
        with_an_address_to_prove,
        {*MANAGING, "account_change_password", "account_reauthenticate", "account_email_verification_sent"},
    ),
}


def ask_each(client, addresses, ask):
    """The answer from each address to the reader as they are: some pages end what another one waits for."""
    kept = dict(client.session)
    for name, path in addresses.items():
        session = client.session
        session.clear()
        session.update(kept)
        session.save()
        yield name, ask(path)


def pages_of(client):
    """What the reader sees under each address that shows them a page."""
    answers = dict(ask_each(client, account_addresses(), client.get))
    assert {answer.status_code for answer in answers.values()} <= {200, 302, 403, 404}
    html = {name: answer for name, answer in answers.items() if answer["Content-Type"].startswith("text/html")}
    return {name: answer for name, answer in html.items() if answer.status_code != 302}


@pytest.mark.parametrize("reader", READERS)
def test_every_page_of_the_account_wears_the_sites_dress(reader):
    make, expected = READERS[reader]

    pages = pages_of(make())

    assert {name for name, page in pages.items() if page.status_code == 200} == OPEN_TO_ALL | expected
    faults = {name: undressed(page.content.decode()) for name, page in pages.items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_together_the_readers_have_seen_every_page():
    seen = OPEN_TO_ALL.union(*(pages for _make, pages in READERS.values()))

    # A file, and an address for scripts.
    assert set(account_addresses()) - seen == {"mfa_download_recovery_codes", "mfa_login_webauthn"}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_wrong_stands_beside_its_field(reader):
    make, names = READERS[reader]
    client = make()
    forms = {
        name: path for name, path in account_addresses().items() if name in names - WITHOUT_FIELDS - WITHOUT_A_PLACE
    }

    answers = dict(ask_each(client, forms, lambda path: client.post(path, {"action_add": "1", "code": ""})))

    for name, page in answers.items():
        html = page.content.decode()
        wrong = re.findall(r'<div id="(\w+)_error">', html)
        assert wrong, name
        assert page.status_code == 422, name
        assert undressed(html) == [], name
        assert "<title>Error: " in html, name
        for field in wrong:
            assert f'href="#{field}"' in html, name
            assert re.search(
                rf'aria-invalid="true"[^>]*aria-describedby="[^"]*{field}_error"|'
                rf'aria-describedby="[^"]*{field}_error"[^>]*aria-invalid="true"',
                html,
            ), name


def test_the_link_for_a_new_password_opens_a_page_in_the_sites_dress(client):
    user = make_organizer(password=PASSWORD)
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = newest_mail(r"/accounts/password/reset/key/\S+")

    page = client.get(link, follow=True)
    refused = client.post(page.redirect_chain[-1][0], {"password1": "short", "password2": "shorter"})
    done = client.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})

    assert undressed(page.content.decode()) == []
    assert undressed(refused.content.decode()) == []
    assert "<title>Error: Set a new password" in refused.content.decode()
    assert done.status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_an_address_is_added_proved_and_written_to(client):
    client = with_an_address_to_prove()
    code = newest_mail(CODE)

    client.post(reverse("account_email_verification_sent"), {"code": code})
    page = client.post(reverse("account_email"), {"action_primary": "1", "email": "other@example.org"}, follow=True)

    assert EmailAddress.objects.get(email="other@example.org").verified
    assert User.objects.get().email == "other@example.org"
    assert undressed(page.content.decode()) == []


def test_the_secret_of_the_second_step_is_a_picture_on_white():
    page = asked_again(signed_in(make_organizer(password=PASSWORD))).get(reverse("mfa_activate_totp"))

    assert 'fill="white"' in page.context["totp_svg"]


def test_trying_too_often_shows_a_page_in_the_sites_dress():
    pages = [
        Client().post(reverse("account_login"), {"login": f"p{n}@example.org", "password": "x"}) for n in range(40)
    ]

    refused = next(page for page in pages if page.status_code == 429)
    assert undressed(refused.content.decode()) == []


def test_every_page_of_the_account_has_the_way_out():
    client = signed_in(make_organizer(password=PASSWORD))

    for name in MANAGING:
        assert f'href="{reverse("account_logout")}"' in client.get(reverse(name)).content.decode(), name


def test_the_mails_of_the_account_speak_the_sites_words(client):
    user = make_organizer(password=PASSWORD)
    client.post(reverse("account_reset_password"), {"email": user.email})
    reset = Message.objects.latest("pk").payload
    with_an_address_to_prove()
    proof, code = Message.objects.latest("pk").payload, newest_mail(CODE)

    assert reset["subject"] == "Set a new password"
    assert "your password stays as it is" in reset["text"]
    assert proof["subject"] == f"Your code to confirm your address: {code}"
    for text in (reset["text"], proof["text"]):
        assert "Hello from" not in text
        assert "Thank you for using" not in text


def test_the_account_lists_every_way_in_and_who_asks_for_more():
    host = make_host(name="Border <b>Review</b>", requires_second_factor=True)
    client = signed_in(make_organizer(host, email="olga@example.org", password=PASSWORD))
    before = client.get(reverse("my_account"))
    make_passkey(User.objects.get(), name="The <i>telephone</i>")
    make_passkey(make_organizer(), name="Of somebody else")

    page = client.get(reverse("my_account"))

    html = page.content.decode()
    assert undressed(html) == []
    assert page["Cache-Control"] == "private, no-store"
    assert "olga@example.org" in html
    assert "The &lt;i&gt;telephone&lt;/i&gt;" in html
    assert "Of somebody else" not in html
    assert "Asked for by <bdi>Border &lt;b&gt;Review&lt;/b&gt;</bdi>" in html
    assert "Switched on" in html
    assert "Switched off" in before.content.decode()
    assert Client().get(reverse("my_account"))["Location"].startswith(reverse("account_login"))


def test_ones_own_webinars_lead_to_the_account():
    client = signed_in(make_organizer(password=PASSWORD))

    assert f'href="{reverse("my_account")}"' in client.get(reverse("my_webinars")).content.decode()


def test_a_passkey_gets_another_name_and_goes():
    client = with_a_passkey()
    own = Authenticator.objects.get()

    client.post(reverse("mfa_edit_webauthn", args=[own.pk]), {"name": "مفتاح العمل"})
    listed = client.get(reverse("mfa_list_webauthn")).content.decode()
    too_long = client.post(reverse("mfa_edit_webauthn", args=[own.pk]), {"name": "x" * 61})
    client.post(reverse("mfa_remove_webauthn", args=[own.pk]))

    assert "مفتاح العمل" in listed
    assert too_long.status_code == 422
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("name", sorted(OF_ONE_PASSKEY))
def test_nobody_touches_anothers_passkey(name):
    other = make_passkey(make_organizer())
    client = asked_again(signed_in(make_organizer(password=PASSWORD)))

    assert client.get(reverse(name, args=[other.pk])).status_code == 404
    assert client.post(reverse(name, args=[other.pk]), {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get() == other


@pytest.mark.parametrize("name", ["mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_activate_totp"])
def test_what_protects_the_account_asks_once_more_who_it_is(name):
    user = make_organizer(password=PASSWORD)
    client = signed_in(user)
    args = [make_passkey(user).pk] if name in OF_ONE_PASSKEY else []

    answer = client.get(reverse(name, args=args))

    assert answer["Location"].startswith(reverse("account_reauthenticate"))


@pytest.mark.parametrize(
    "sent", ["", "{}", "[]", "null", "7", '{"response": {}}', '{"response": {"userHandle": "MQ"}}']
)
def test_what_is_no_passkey_signs_nobody_in(client, sent):
    make_passkey(make_organizer())
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})

    answer = client.post(reverse("mfa_login_webauthn"), {"credential": sent}, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("account_login")
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_whoever_comes_from_the_organizers_pages_finds_both_ways_in(client):
    from_the_admin = client.get(reverse("admin:index"), follow=True).content.decode()
    from_the_site = client.get(reverse("account_login"), {"next": "/my/"}).content.decode()

    assert "<details open>" in from_the_admin
    assert "Whoever helps a host signs in" in from_the_admin
    assert "Whoever has registered" not in from_the_admin
    assert "<details>" in from_the_site
    assert "Whoever has registered for a webinar or was invited" in from_the_site
