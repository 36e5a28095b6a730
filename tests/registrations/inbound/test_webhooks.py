"""Mail that a provider hands on: what its webhook posts, and who may."""

import base64
import hashlib
import hmac
import json
import time
from email.message import Message as Mime
from typing import Any

import pytest
from django.urls import Resolver404, resolve
from django.utils import timezone

from registrations import inbound
from registrations.inbound import Outcome, Result
from registrations.models import Message, Registration
from tests.builders import make_registration, make_session
from tests.incoming import calendar_mail, calendar_of

pytestmark = pytest.mark.django_db

SECRET = "mail:0123456789abcdef"
SIGNING_KEY = "key-that-mailgun-signs-with"


@pytest.fixture
def _opened(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
    settings.ROOT_URLCONF = "tests.registrations.inbound.with_webhooks"
    settings.SUBADDRESS_DOMAINS = ["webinars.example"]


def registered() -> Registration:
    registration = make_registration(make_session())
    Message.objects.update(state=Message.State.SENT, sent_at=timezone.now())
    return registration


def authorized(secret: str = SECRET) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def mailgun(registration: Registration, *, key: str = SIGNING_KEY, recipient: str = "") -> dict[str, str]:
    """What a route of Mailgun posts that forwards to …/mime."""
    timestamp, token = "1789550133", "a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607182"
    return {
        "recipient": recipient or registration.organizer,
        "sender": registration.email,
        "subject": "Accepted: Border Challenges",
        "from": registration.email,
        "body-mime": calendar_mail(registration, "thunderbird", dtstamp=timezone.now()).decode(),
        "timestamp": timestamp,
        "token": token,
        "signature": hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest(),
    }


def postmark(registration: Registration) -> dict[str, Any]:
    """What Postmark posts of a mail that it has taken apart."""
    calendar = calendar_of(registration, dtstamp=timezone.now())
    person = {"Email": registration.email, "Name": "Anna Karimova", "MailboxHash": ""}
    to = {"Email": registration.organizer, "Name": "", "MailboxHash": ""}
    return {
        "FromName": "Anna Karimova",
        "MessageStream": "inbound",
        "From": registration.email,
        "FromFull": person,
        "To": registration.organizer,
        "ToFull": [to],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": registration.organizer,
        "Subject": "Accepted: Border Challenges",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "ReplyTo": "",
        "MailboxHash": "",
        "Date": "Wed, 16 Sep 2026 09:15:32 +0000",
        "TextBody": "Anna Karimova has accepted this invitation.",
        "HtmlBody": "",
        "StrippedTextReply": "",
        "Tag": "",
        "Headers": [
            {"Name": "Return-Path", "Value": f"<{registration.email}>"},
            {"Name": "MIME-Version", "Value": "1.0"},
        ],
        "Attachments": [
            {
                "Name": "invite.ics",
                "Content": base64.b64encode(calendar).decode(),
                "ContentType": "text/calendar",
                "ContentLength": len(calendar),
                "ContentID": "",
            }
        ],
    }


def answer_of(registration) -> str:
    registration.refresh_from_db()
    return registration.partstat


@pytest.mark.usefixtures("_opened")
def test_what_mailgun_hands_on_is_taken_in(client):
    registration = registered()

    response = client.post("/anymail/mailgun/inbound/", mailgun(registration), headers=authorized())

    assert response.status_code == 200
    assert answer_of(registration) == "accepted"


@pytest.mark.usefixtures("_opened")
def test_what_postmark_hands_on_is_taken_in(client):
    registration = registered()

    response = client.post(
        "/anymail/postmark/inbound/",
        json.dumps(postmark(registration)),
        content_type="application/json",
        headers=authorized(),
    )

    assert response.status_code == 200
    assert answer_of(registration) == "accepted"


@pytest.mark.usefixtures("_opened")
@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/calendar" + ";" * 200_000,
        "Content-Type: text/calendar" + ";a=b" * 50_000,
        "Cc: " + "a@b.c," * 30_000,
        "Cc: " + "(a)" * 60_000,
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + "--b\r\n\r\n" * 100_000,
    ],
    ids=["semicolons", "parameters", "names", "comments", "parts"],
)
def test_what_is_made_to_take_long_holds_up_no_page(client, head):
    posted = mailgun(registered()) | {"body-mime": f"From: anna@example.net\r\n{head}\r\n\r\nHello.\r\n"}
    began = time.process_time()

    response = client.post("/anymail/mailgun/inbound/", posted, headers=authorized())

    assert response.status_code == 200
    # Anymail alone takes minutes for some of these.
    assert time.process_time() - began < 5


@pytest.mark.usefixtures("_opened")
def test_whoever_has_neither_secret_nor_signature_hands_on_nothing(client):
    registration = registered()
    wrong_key = mailgun(registration, key="guessed")

    refused = [
        client.post("/anymail/mailgun/inbound/", mailgun(registration)),
        client.post("/anymail/mailgun/inbound/", mailgun(registration), headers=authorized("mail:guessed")),
        client.post("/anymail/mailgun/inbound/", wrong_key, headers=authorized()),
        client.post("/anymail/postmark/inbound/", json.dumps(postmark(registration)), content_type="application/json"),
    ]

    assert [response.status_code for response in refused] == [400] * len(refused)
    assert answer_of(registration) == ""


@pytest.mark.usefixtures("_opened")
def test_the_address_in_the_envelope_counts(client):
    registration, other = registered(), registered()

    client.post("/anymail/mailgun/inbound/", mailgun(registration, recipient=other.organizer), headers=authorized())

    assert answer_of(registration) == ""


def test_in_the_trial_setting_nobody_hands_on_anything():
    with pytest.raises(Resolver404):
        resolve("/anymail/mailgun/inbound/")


def test_a_mail_that_cannot_be_put_together_again_is_ignored():
    message = Mime()
    message["Subject"] = "x"
    message.set_payload(["no part"])

    assert inbound.receive_parsed(message, now=timezone.now()) == Outcome(Result.IGNORED, "it cannot be read")
