"""Unsubscribing: what mails say of it, the page, and the button of mail programs (RFC 8058)."""

from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from registrations import emails, erasure, outbox, stops, tokens
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def own() -> Registration:
    return make_registration(make_session(make_webinar(host=make_host(name="Border Review"))))


@pytest.fixture
def _optional(monkeypatch) -> None:
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.LINK_AGAIN}))


def path(registration: Registration) -> str:
    return reverse("unsubscribe", args=[tokens.unsubscribe_token(registration)])


def how(registration: Registration) -> str:
    found = stops.unsubscription_of(registration)
    return found.how if found else ""


def mail_of(registration: Registration, kind: Message.Kind):
    outbox.enqueue_beside(registration, kind, now=NOW)
    return emails.compose(registration.messages.filter(kind=kind).latest("pk"), now=NOW)


@pytest.fixture
def program() -> Client:
    """A mail program: no cookies, and it knows no token of a form."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.usefixtures("_optional")
def test_a_mail_that_nobody_needs_says_how_to_stop_it(own):
    mail = mail_of(own, Message.Kind.LINK_AGAIN)

    mime = message_from_bytes(mail.as_bytes())
    url = tokens.unsubscribe_url(own)
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in mail.as_bytes()
    assert mime["List-Unsubscribe"] == f"<{url}>"
    assert mime["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    parts: list[Any] = [part for part in mime.walk() if not part.is_multipart()]
    text, html = (part.get_payload(decode=True).decode() for part in parts)
    sentence = "To get no more of them from Border Review:"
    assert sentence in " ".join(text.split())
    assert url in text
    assert f'href="{url}"' in html


@pytest.mark.usefixtures("_optional")
def test_a_mail_about_the_place_itself_cannot_be_stopped(own):
    mime = message_from_bytes(emails.compose(own.messages.get(), now=NOW).as_bytes())

    assert mime["List-Unsubscribe"] is None
    assert mime["List-Unsubscribe-Post"] is None
    assert tokens.unsubscribe_url(own) not in mime.as_string()


def test_following_the_link_stops_nothing(client, own):
    page = client.get(path(own))

    assert page.status_code == 200
    assert "Unsubscribe?" in page.content.decode()
    assert how(own) == ""


def test_the_button_of_the_page_stops_them_and_the_page_takes_it_back(client, own):
    stopped = client.post(path(own), {"answer": "stop"}, follow=True)

    assert "You are unsubscribed" in stopped.content.decode()
    assert how(own) == "page"

    client.post(path(own), {"answer": "undo"})
    assert how(own) == ""


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_mail_program_unsubscribes_with_one_post_and_no_cookie(program, own, language):
    with translation.override(language):
        url = path(own)

    answers = [program.post(url, ONE_CLICK), program.post(url, ONE_CLICK)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not program.cookies
    assert how(own) == "one_click"


def test_a_mail_program_may_post_it_as_parts(program, own):
    """RFC 8058 3.1 leaves both to it; Django's own client sends multipart, and some programs the other."""
    program.post(path(own), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert how(own) == "one_click"


def test_what_others_send_stops_nothing(program, own):
    other = make_registration()
    forged = path(own).replace(own.reference, other.reference)

    assert program.post(forged, ONE_CLICK).status_code == 404
    assert program.post(reverse("unsubscribe", args=[tokens.manage_token(own)]), ONE_CLICK).status_code == 404
    assert (how(own), how(other)) == ("", "")


def test_the_address_opens_nothing_else(client, own):
    token = tokens.unsubscribe_token(own)

    assert client.get(reverse("registration", args=[token])).status_code == 404
    assert own.email not in client.get(path(own)).content.decode()
    assert own.name not in client.get(path(own)).content.decode()


def test_who_was_erased_has_nothing_left_to_stop(program, own):
    url = path(own)
    erasure.erase(own, now=LATER)

    assert program.post(url, ONE_CLICK).status_code == 404


def test_ones_own_page_says_that_one_has_unsubscribed(client, own):
    page = reverse("registration", args=[tokens.manage_token(own)])
    before = client.get(page).content.decode()
    stops.unsubscribe(own, how=stops.How.PAGE, now=LATER)

    after = client.get(page).content.decode()

    assert "Get no more from Border Review than you need for a place" in before
    assert "You are unsubscribed: Border Review sends you nothing that you do not need for a place." in after
    assert path(own) in after
