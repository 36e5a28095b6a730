"""When somebody who tried too often may try again: said in words and in a header, and true."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.builders import make_organizer, make_registration

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough phrase"


@pytest.fixture(autouse=True)
def fresh_limits(settings):
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clock(monkeypatch):
    """Moves the time by which allauth counts."""

    class Clock:
        now = time.time()

        def passes(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


def enter_password(email, password="wrong", **headers):
    return Client(**headers).post(reverse("account_login"), {"login": email, "password": password})


def ask_for_code(email, **headers):
    return Client(**headers).post(reverse("account_request_login_code"), {"email": email})


def test_whoever_waits_as_long_as_they_are_told_gets_on(clock):
    organizer = make_organizer(password=PASSWORD)
    for _ in range(5):
        enter_password(organizer.email)
        clock.passes(10)

    refused = enter_password(organizer.email, PASSWORD)
    clock.passes(int(refused["Retry-After"]) - 2)
    early = enter_password(organizer.email, PASSWORD)
    clock.passes(3)
    later = enter_password(organizer.email, PASSWORD)

    assert (refused.status_code, refused["Retry-After"]) == (429, "250")
    assert "Too many tries. Try again in 5 minutes." in refused.content.decode()
    assert early.status_code == 429
    assert later.status_code == 302


def test_the_day_is_counted_beside_the_minutes(clock):
    make_registration(email="anna@example.org")
    answers = []

    for _ in range(40):
        answers.append(ask_for_code("anna@example.org"))
        clock.passes(600)

    assert [answer.status_code for answer in answers].count(302) == 30
    assert "Try again in 19 hours." in answers[30].content.decode()


def test_a_page_that_says_nothing_else_says_the_time_too(clock):
    for _ in range(30):
        enter_password("")
        clock.passes(1)

    refused = enter_password("")

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert "That was too fast" in refused.content.decode()
    assert "Try again in 1 minute. Nothing that you typed was used." in refused.content.decode()


def test_one_source_does_not_hold_back_another_nor_one_address_another():
    for _ in range(4):
        ask_for_code("anna@example.org", REMOTE_ADDR="192.0.2.1")

    assert ask_for_code("anna@example.org", REMOTE_ADDR="192.0.2.2").status_code == 429
    assert ask_for_code("berta@example.org", REMOTE_ADDR="192.0.2.1").status_code == 302


def test_wrong_passwords_leave_the_code_by_mail_open():
    organizer = make_organizer(password=PASSWORD)

    for _ in range(6):
        enter_password(organizer.email)

    assert ask_for_code(organizer.email).status_code == 302


def test_codes_of_the_second_step_are_limited_for_the_person(clock):
    organizer = make_organizer(password=PASSWORD)
    TOTP.activate(organizer, "JBSWY3DPEHPK3PXP")
    client = Client()
    client.post(reverse("account_login"), {"login": organizer.email, "password": PASSWORD})

    tries = [client.post(reverse("mfa_authenticate"), {"code": f"{n:06}"}) for n in range(6)]

    assert [answer.status_code for answer in tries] == [422] * 5 + [429]
    assert tries[-1]["Retry-After"] == "300"
    assert "Too many tries. Try again in 5 minutes." in tries[-1].content.decode()


def test_links_for_a_password_are_limited_for_the_address(clock):
    answers = [
        Client().post(reverse("account_reset_password"), {"email": "Anna@example.org"}, REMOTE_ADDR=f"192.0.2.{n}")
        for n in range(4)
    ]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert answers[-1]["Retry-After"] == "60"


def test_a_third_wrong_code_is_answered_with_what_to_do_next(client):
    make_registration(email="anna@example.org")
    client.post(reverse("account_request_login_code"), {"email": "anna@example.org"})

    for _ in range(3):
        ended = client.post(reverse("account_confirm_login_code"), {"code": "ZZZZ-ZZZZ"})

    assert "Begin again with a new code by mail." in client.get(ended["Location"]).content.decode()


@pytest.mark.parametrize("action", ["login_failed", "request_login_code", "reset_password", "confirm_email"])
def test_what_is_tried_against_an_address_is_counted_for_it_and_for_a_day(action):
    rates = settings.ACCOUNT_RATE_LIMITS[action].split(",")

    assert any(rate.endswith("/d/key") for rate in rates)
