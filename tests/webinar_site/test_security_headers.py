"""The policy that keeps foreign scripts from running, how an answer widens it, and what the admin needs beside it.

That every public page has it is tested over the gallery: tests/quality/test_headers.py.
"""

import pytest
from django.http import HttpResponse

from events.content_policy import allow
from tests.builders import make_organizer, make_session, make_webinar

PUBLIC = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/webinars/borders/", "/accounts/login/code/", "/nothing-here/"])
def test_public_pages_load_nothing_from_elsewhere(client, path):
    make_session(make_webinar(slug="borders"))

    response = client.get(path)

    assert response["Content-Security-Policy"] == PUBLIC
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.django_db
def test_the_page_of_signing_in_may_ask_the_site_itself_and_the_device_for_a_passkey(client):
    response = client.get("/accounts/login/")

    assert response["Content-Security-Policy"] == f"{PUBLIC}; connect-src 'self'"
    assert "publickey-credentials" not in response["Permissions-Policy"]


@pytest.mark.django_db
def test_the_admin_evaluates_its_own_scripts_and_runs_none_written_into_a_page(client):
    client.force_login(make_organizer())

    response = client.get("/admin/")

    assert response.status_code == 200
    assert response["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; "
        "connect-src 'self'"
    )


def test_the_mailbox_frames_its_own_mails_alone(client):
    assert client.get("/mailbox/")["Content-Security-Policy"] == f"{PUBLIC}; frame-src 'self'"


@pytest.mark.django_db
def test_files_have_the_policy_too(client):
    response = client.get("/static/favicon.svg")
    response.close()

    assert response["Content-Security-Policy"] == PUBLIC


def test_allow_adds_what_was_forbidden():
    response = HttpResponse()

    allow(response, "frame-src", "https://player.example.org")
    allow(response, "frame-src", "https://player.example.net")

    assert response["Content-Security-Policy"] == (
        f"{PUBLIC}; frame-src https://player.example.org https://player.example.net"
    )


def test_allow_replaces_none_and_keeps_what_was_allowed():
    response = HttpResponse()

    allow(response, "frame-ancestors", "https://partner.example.org")
    allow(response, "img-src", "https://pictures.example.org")

    assert response["Content-Security-Policy"] == PUBLIC.replace(
        "frame-ancestors 'none'", "frame-ancestors https://partner.example.org"
    ).replace("data:;", "data: https://pictures.example.org;")


def test_one_answer_that_allows_more_changes_no_other(client):
    allow(HttpResponse(), "script-src", "https://player.example.org")

    assert client.get("/robots.txt")["Content-Security-Policy"] == PUBLIC
