"""Signing in: a code by mail for whoever registered, the same answer for all, and nothing sent in a request."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.models import Invitee, User
from registrations.models import Message
from tests.builders import make_host, make_organizer, make_passkey, make_registration, make_webinar

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"


@pytest.fixture(autouse=True)
def fresh_limits():
    """allauth counts requests for codes in the cache."""
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """What guards real passwords takes its time, a hundred times over in this file."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def ask_for_code(client, email, **data):
    return client.post(reverse("account_request_login_code"), {"email": email, **data})


def enter_code(client, code, **data):
    return client.post(reverse("account_confirm_login_code"), {"code": code, **data})


def newest_mail():
    """What the newest row of the outbox will send."""
    return Message.objects.latest("pk").payload


def mailed_code():
    return next(iter(re.findall(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", newest_mail()["text"], re.MULTILINE)))


def page_of(response):
    """What the answer shows, without what differs from answer to answer by design."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_whoever_registered_signs_in_with_a_code_and_sees_their_webinars(client):
    own = make_registration(email="Anna@Example.org")

    asked = ask_for_code(client, " anna@example.ORG ", next="/my/")
    entered = enter_code(client, mailed_code(), next="/my/")

    assert asked["Location"] == f"{reverse('account_confirm_login_code')}?next=%2Fmy%2F"
    assert entered["Location"] == "/my/"
    assert own.webinar.title in client.get("/my/").content.decode()
    assert not User.objects.get().has_usable_password()
    assert EmailAddress.objects.get().verified


def test_the_code_is_a_row_of_the_outbox_and_nothing_leaves_in_the_request(client):
    make_registration(email="anna@example.org")
    Message.objects.all().delete()

    ask_for_code(client, "anna@example.org")

    message = Message.objects.get()
    assert (message.kind, message.to_email, message.state) == ("account", "anna@example.org", "queued")
    assert message.payload["subject"] == f"Your code to sign in: {mailed_code()}"
    assert timezone.now() - message.due_at < timedelta(minutes=1)
    assert mail.outbox == []


def test_nobody_learns_whether_an_address_is_known():
    make_registration(email="anna@example.org")
    known, unknown = Client(), Client()

    first, second = ask_for_code(known, "anna@example.org"), ask_for_code(unknown, "anna@example.net")

    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    shown = [page_of(client.get(first["Location"])) for client in (known, unknown)]
    assert shown[0].replace("anna@example.org", "anna@example.net") == shown[1]
    assert not User.objects.filter(email="anna@example.net").exists()
    assert newest_mail()["subject"] == "No registration with this address"


def test_an_organizer_without_a_proved_address_signs_in_to_the_admin_with_a_code(client):
    organizer = make_organizer(email="Olga.Petrova@Example.org")

    ask_for_code(client, "olga.petrova@example.org", next="/admin/")
    entered = enter_code(client, mailed_code(), next="/admin/")

    assert entered["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert User.objects.get() == organizer


def test_an_organizer_signs_in_with_a_password(client):
    make_organizer(email="olga@example.org", password="a long enough phrase")

    response = client.post(
        reverse("account_login"), {"login": "olga@example.org", "password": "a long enough phrase", "next": "/admin/"}
    )

    assert response["Location"] == "/admin/"


# ---------- what strangers learn ----------


def told(email, name, data):
    """What somebody new to the site is answered who types that address, and on the page to which that leads."""
    client = Client()
    answer = client.post(reverse(name), data)
    followed = page_of(client.get(answer["Location"])) if answer.status_code == 302 else ""
    headers = {key: value for key, value in answer.items() if key not in {"Content-Length", "Expires"}}
    shown = (answer.status_code, headers, sorted(answer.cookies), page_of(answer), followed)
    return repr(shown).replace(email, "ADDRESS")


KNOWN = {
    "with a password": lambda email: make_organizer(email=email, password=PASSWORD),
    "without a password": lambda email: make_organizer(email=email),
    "with a second step": lambda email: make_passkey(make_organizer(email=email, password=PASSWORD)),
    "switched off": lambda email: make_organizer(email=email, password=PASSWORD, is_active=False),
    "registered": lambda email: make_registration(email=email),
    "invited": lambda email: Invitee.objects.create(webinar=make_webinar(access="invited"), email=email),
}


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("account_request_login_code", lambda email: {"email": email}),
        ("account_reset_password", lambda email: {"email": email}),
        ("account_login", lambda email: {"login": email, "password": "wrong"}),
    ],
)
def test_whoever_types_an_address_is_told_the_same_byte_for_byte(kind, name, typed):
    KNOWN[kind]("anna@example.org")

    known = told("anna@example.org", name, typed("anna@example.org"))
    unknown = told("nobody@example.org", name, typed("nobody@example.org"))

    assert known == unknown


@pytest.mark.parametrize("kind", KNOWN)
def test_a_code_that_nobody_has_is_wrong_in_the_same_words(kind):
    KNOWN[kind]("anna@example.org")
    pages = []

    for email in ("anna@example.org", "nobody@example.org"):
        client = Client()
        ask_for_code(client, email)
        again = client.post(reverse("account_confirm_login_code"), {"action": "resend"})
        tries = [enter_code(client, "ZZZZ-ZZZZ") for _ in range(3)]
        pages.append((again["Location"], [(one.status_code, page_of(one).replace(email, "")) for one in tries]))

    assert pages[0] == pages[1]


@pytest.mark.parametrize("name", ["account_request_login_code", "account_login", "account_reset_password"])
def test_whoever_types_one_address_too_often_is_told_the_same(name):
    make_organizer(email="anna@example.org", password=PASSWORD)
    answers = {}

    for email in ("anna@example.org", "nobody@example.org"):
        cache.clear()
        typed = {"email": email, "login": email, "password": "wrong"}
        tries = [Client().post(reverse(name), typed) for _ in range(7)]
        answers[email] = [(one.status_code, page_of(one).replace(email, "")) for one in tries]

    assert answers["anna@example.org"] == answers["nobody@example.org"]
    assert answers["anna@example.org"][-1][0] == 429


def test_somebody_elses_address_is_added_as_one_that_nobody_has(client):
    make_organizer(email="olga@example.org", password=PASSWORD)
    pages = []

    for email in ("olga@example.org", "nobody@example.org"):
        own = Client()
        cache.clear()
        own.post(reverse("account_login"), {"login": make_organizer(password=PASSWORD).email, "password": PASSWORD})
        added = own.post(reverse("account_email"), {"action_add": "1", "email": email})
        pages.append((added.status_code, added["Location"], page_of(own.get(added["Location"])).replace(email, "")))

    assert pages[0] == pages[1]


@pytest.mark.parametrize("kind", [*KNOWN, "nobody"])
def test_a_password_takes_as_long_to_be_wrong_for_whoever_has_none(kind, monkeypatch):
    """Counted in what takes the time: how often a password is hashed."""
    if kind != "nobody":
        KNOWN[kind]("anna@example.org")
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(*args: Any) -> str:
        hashed.append(1)
        return encode(*args)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)

    Client().post(reverse("account_login"), {"login": "anna@example.org", "password": "wrong"})

    assert len(hashed) == 2  # for each of the two backends


def test_a_stranger_is_told_twice_a_day_that_there_is_no_account_and_no_page_says_so():
    tries = []

    for _ in range(5):
        cache.clear()
        tries.append(told("stranger@example.org", "account_request_login_code", {"email": "stranger@example.org"}))
        told("stranger@example.org", "account_reset_password", {"email": "stranger@example.org"})

    assert len(set(tries)) == 1
    assert Message.objects.filter(to_email="stranger@example.org").count() == 2


def test_what_comes_after_a_plus_is_no_other_stranger():
    for number in range(5):
        ask_for_code(Client(), f"stranger+{number}@example.org")

    assert Message.objects.count() == 2


@pytest.mark.parametrize("name", ["account_request_login_code", "account_reset_password"])
def test_nobodys_mailbox_is_filled_by_whoever_writes_something_after_a_plus(name, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # those are for each source, and some have many
    make_webinar(access="members", host=make_host(member_domains="example.org"))

    answers = [Client().post(reverse(name), {"email": f"anna+{number}@example.org"}) for number in range(20)]

    assert {answer.status_code for answer in answers} == {302}
    assert Message.objects.count() == 15
    ask_for_code(Client(), "bob@example.org")
    assert Message.objects.filter(to_email="bob@example.org").exists()


# ---------- who gets an account ----------


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_registration(email="Anna@Example.org"),
        lambda: Invitee.objects.create(webinar=make_webinar(access="invited"), email="Anna@Example.org"),
        lambda: make_webinar(access="members", host=make_host(member_domains="example.org")),
    ],
    ids=["registered", "invited", "member"],
)
def test_whoever_has_something_to_see_here_signs_in(client, make):
    make()

    ask_for_code(client, "anna@example.org")
    entered = enter_code(client, mailed_code())

    assert entered["Location"] == "/my/"
    assert EmailAddress.objects.get().verified


def test_whoever_registered_may_set_a_password_before_they_have_an_account(client):
    make_registration(email="anna@example.org")

    client.post(reverse("account_reset_password"), {"email": "anna@example.org"})

    assert newest_mail()["subject"] == "Set a new password"
    assert User.objects.get().email == "anna@example.org"


def test_the_admin_leads_to_the_sign_in_page_with_the_code_first(client):
    response = client.get("/admin/", follow=True)

    page = response.content.decode()
    assert page.index("Mail me a code") < page.index("Sign in with a password")
    assert 'name="password"' in page
    assert "placeholder" not in page


def test_a_wrong_code_does_not_let_in_and_the_third_ends_it(client):
    make_registration(email="anna@example.org")
    ask_for_code(client, "anna@example.org")
    code = mailed_code()

    tries = [enter_code(client, "ZZZZ-ZZZZ") for _ in range(3)]
    late = enter_code(client, code)

    assert "This is not the code. Compare it with the message." in tries[0].content.decode()
    assert tries[2]["Location"] == reverse("account_request_login_code")
    assert late["Location"] == reverse("account_request_login_code")
    assert "_auth_user_id" not in client.session


def test_a_user_who_was_switched_off_gets_no_code(client):
    make_registration(email="anna@example.org")
    User.objects.create_user("anna@example.org", is_active=False)

    ask_for_code(client, "anna@example.org")

    assert newest_mail()["subject"] == "No registration with this address"


def test_an_address_that_only_folds_to_a_known_one_is_not_known(client):
    make_registration(email="anna@straße.example")

    ask_for_code(client, "anna@strasse.example")

    assert not User.objects.exists()


@pytest.mark.parametrize("address", ["boss@gmaıl.com", "boss@gmaİl.com", "BOSS@GMAIL.COM.".replace("I", "ı")[:-1]])
@pytest.mark.parametrize("is_registered", [True, False])
def test_whoever_owns_a_look_alike_does_not_enter_anothers_account(client, address, is_registered):
    boss = make_organizer(email="boss@gmail.com")
    if is_registered:
        make_registration(email=address)

    ask_for_code(client, address)
    if is_registered:
        enter_code(client, mailed_code())

    assert client.session.get("_auth_user_id") != str(boss.pk)
    assert not EmailAddress.objects.filter(user=boss).exclude(email="boss@gmail.com").exists()
    assert User.objects.count() == (2 if is_registered else 1)


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("ſue@example.org", "Before the @ sign, only the letters a to z work here. Use another address."),
        ("sue@[10.0.0.5]", "The email address has a mistake in it. It should look like name@example.org"),
        ("sue@℀.example.org", "The email address has a mistake in it. It should look like name@example.org"),
    ],
)
def test_no_code_is_mailed_to_what_cannot_be_an_address(client, address, refusal):
    make_organizer(email="sue@example.org")

    response = ask_for_code(client, address)

    assert response.context["form"].errors == {"email": [refusal]}
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["account_request_login_code", "account_reset_password"])
def test_what_signs_in_goes_to_the_address_that_is_known(client, name):
    make_organizer(email="kate@example.org", password="a long enough phrase")

    client.post(reverse(name), {"email": "\N{KELVIN SIGN}ate@Example.org"})

    assert Message.objects.get().to_email == "kate@example.org"


def test_somebody_who_mistyped_the_address_can_begin_again(client):
    make_registration(email="anna@example.org")
    ask_for_code(client, "ana@example.org")

    back = client.post(reverse("account_logout"), {"next": reverse("account_login")}, follow=True)
    ask_for_code(client, "anna@example.org")
    entered = enter_code(client, mailed_code())

    assert "Mail me a code" in back.content.decode()
    assert entered["Location"] == "/my/"


def test_another_code_can_be_had_and_ends_the_first(client):
    make_registration(email="anna@example.org")
    ask_for_code(client, "anna@example.org")
    first = mailed_code()

    client.post(reverse("account_confirm_login_code"), {"action": "resend"})

    assert mailed_code() != first
    assert enter_code(client, first).status_code == 422
    assert enter_code(client, mailed_code())["Location"] == "/my/"


def test_asking_again_and_again_for_one_address_is_slowed_down():
    make_registration(email="anna@example.org")

    answers = [ask_for_code(Client(), "anna@example.org") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 429, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert "Too many tries. Try again in 1 minute." in answers[-1].content.decode()
    assert Message.objects.filter(kind=Message.Kind.ACCOUNT).count() == 3


def test_nobody_makes_an_account_by_hand(client):
    page = client.get(reverse("account_signup"))
    client.post(reverse("account_signup"), {"email": "new@example.org"})

    assert "No account needed" in page.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name", ["account_reset_password", "account_login", "account_request_login_code", "account_signup"]
)
def test_every_page_of_signing_in_wears_the_sites_dress(client, name):
    page = client.get(reverse(name)).content.decode()

    assert '<main id="main">' in page
    assert "style=" not in page
