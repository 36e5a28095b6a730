"""Signing in: a code by mail for whoever registered, the same answer for all, and nothing sent in a request."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.models import User
from registrations.models import Message
from tests.builders import make_organizer, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    """allauth counts requests for codes in the cache."""
    cache.clear()


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


def test_a_wrong_password_says_the_same_for_every_address(client):
    make_organizer(email="olga@example.org", password="a long enough phrase")

    pages = [
        client.post(reverse("account_login"), {"login": email, "password": "wrong"}).content.decode()
        for email in ("olga@example.org", "nobody@example.org")
    ]

    for page in pages:
        assert "Address and password do not go together." in page


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


@pytest.mark.parametrize("address", ["ſue@example.org", "sue@[10.0.0.5]", "sue@℀.example.org"])
def test_no_code_is_mailed_to_what_cannot_be_an_address(client, address):
    make_organizer(email="sue@example.org")

    response = ask_for_code(client, address)

    assert response.context["form"].errors == {
        "email": ["The email address has a mistake in it. It should look like name@example.org"]
    }
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
    assert enter_code(client, first).status_code == 200
    assert enter_code(client, mailed_code())["Location"] == "/my/"


def test_asking_again_and_again_for_one_address_is_slowed_down():
    make_registration(email="anna@example.org")

    answers = [ask_for_code(Client(), "anna@example.org").status_code for _ in range(5)]

    assert answers[0] == 302
    assert answers[-1] == 200
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
