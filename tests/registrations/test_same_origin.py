"""The registration form has no token: what browsers say of where it comes from decides."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registrations.models import Registration
from tests.builders import form_data, make_session

pytestmark = pytest.mark.django_db


def send(headers: dict[str, str]) -> int:
    """Register from a browser that keeps to the rules of tokens, and return the status."""
    start = timezone.now() + timedelta(days=30)
    session = make_session(local_date=start.date(), time_zone="UTC")
    browser = Client(enforce_csrf_checks=True)
    path = reverse("register", args=[session.webinar.slug])
    return browser.post(path, form_data(session), headers=headers).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "http://testserver"},
        {},
    ],
)
def test_own_form_is_taken_without_a_token(headers):
    assert send(headers) == 303
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:8080"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Origin": "http://testserver/"},
    ],
)
def test_form_of_another_site_is_refused_with_words(headers):
    assert send(headers) == 403
    assert not Registration.objects.exists()


def test_address_of_the_site_is_trusted_behind_a_proxy(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://webinars.example.org"]

    assert send({"Origin": "https://webinars.example.org"}) == 303


def test_other_forms_keep_their_token():
    browser = Client(enforce_csrf_checks=True)

    assert browser.post(reverse("account_request_login_code"), {"email": "anna@example.org"}).status_code == 403
