"""What mail providers tell of our mails, as they post it: returns and complaints."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations import stops
from registrations.models import Message, Registration
from tests.builders import NOW, make_registration, make_session

pytestmark = pytest.mark.django_db

SECRET = "mail:0123456789abcdef"
SIGNING_KEY = "key-that-mailgun-signs-with"
USER_UNKNOWN = "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown"


@pytest.fixture(autouse=True)
def _opened(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
    settings.ROOT_URLCONF = "tests.registrations.inbound.with_webhooks"


@pytest.fixture
def mail() -> Message:
    """A mail that the provider took."""
    message = make_registration(make_session(), email="anna@example.net").messages.get()
    message.state, message.sent_at = Message.State.SENT, timezone.now() - timedelta(hours=1)
    message.message_id = "<0123456789abcdef@webinars.example>"
    message.save()
    return message


def authorized(secret: str = SECRET) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def mailgun(event: str, *, key: str = SIGNING_KEY, **data: Any) -> dict[str, Any]:
    """What Mailgun posts of an event of one mail."""
    timestamp, token = "1789550133", "a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607182"
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": {
            "event": event,
            "id": "ncV2XwymRUKbPek_MIM-Gw",
            "timestamp": timezone.now().timestamp(),
            "log-level": "error",
            "recipient": "anna@example.net",
            "recipient-domain": "example.net",
            "message": {
                "headers": {
                    "to": "anna@example.net",
                    "message-id": "0123456789abcdef@webinars.example",
                    "from": "webinars@webinars.example",
                    "subject": "You have a place",
                },
                "attachments": [],
                "size": 11523,
            },
            "tags": [],
            "user-variables": {},
            **data,
        },
    }


def failed(severity: str = "permanent", said: str = USER_UNKNOWN, code: int = 550) -> dict[str, Any]:
    status = {"message": said, "code": code, "description": "", "attempt-no": 1, "session-seconds": 0.4}
    reason = "bounce" if severity == "permanent" else "generic"
    data: dict[str, Any] = {"severity": severity, "reason": reason, "delivery-status": status}
    return mailgun("failed", **data)


def postmark(**said: Any) -> dict[str, Any]:
    """What Postmark posts of a mail that came back: it calls mails by names of its own."""
    return {
        "RecordType": "Bounce",
        "MessageStream": "outbound",
        "ID": 4323372036854775807,
        "Type": "HardBounce",
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {},
        "ServerID": 23,
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "anna@example.net",
        "From": "webinars@webinars.example",
        "BouncedAt": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "DumpAvailable": False,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "You have a place",
        **said,
    }


def tell(client: Client, provider: str, payload: dict[str, Any], *, secret: str = SECRET) -> int:
    answer = client.post(
        f"/anymail/{provider}/tracking/", json.dumps(payload), "application/json", headers=authorized(secret)
    )
    return answer.status_code


def reader(mail: Message) -> Registration:
    mail.refresh_from_db()
    assert mail.registration is not None
    return mail.registration


def reason(mail: Message) -> str:
    """Why nothing more goes to the reader of the mail; empty where mail still goes there."""
    found = stops.failing_address(reader(mail))
    return found.reason if found else ""


def test_a_mail_that_mailgun_could_not_deliver_marks_mail_and_address(client, mail):
    assert tell(client, "mailgun", failed()) == 200
    assert tell(client, "mailgun", failed()) == 200

    assert USER_UNKNOWN in reason(mail)
    assert mail.bounced_at is not None
    assert USER_UNKNOWN in mail.bounce


def test_what_mailgun_tries_again_marks_nothing(client, mail):
    tell(client, "mailgun", failed("temporary", "450 4.2.0 Greylisted", 450))

    assert (reason(mail), mail.bounced_at) == ("", None)


def test_a_refusal_of_us_is_not_the_addresss_fault(client, mail):
    tell(client, "mailgun", failed(said="550 5.7.26 This mail is unauthenticated.", code=550))

    assert reason(mail) == ""
    assert mail.bounced_at is not None


def test_what_postmark_tells_is_found_by_its_reader(client, mail):
    assert tell(client, "postmark", postmark()) == 200

    assert "5.1.1" in reason(mail)
    assert mail.bounced_at is not None


def test_a_full_mailbox_may_take_mail_tomorrow(client, mail):
    soft = postmark(Type="SoftBounce", Details="smtp;552 5.2.2 The mailbox is full.")
    tell(client, "postmark", soft)

    assert reason(mail) == ""
    assert mail.bounced_at is not None


def test_a_complaint_stops_what_nobody_needs_and_nothing_else(client, mail):
    assert tell(client, "mailgun", mailgun("complained")) == 200

    unsubscription = stops.unsubscription_of(reader(mail))
    assert unsubscription is not None
    assert unsubscription.how == "complaint"
    assert (reason(mail), mail.bounced_at) == ("", None)


def test_what_arrived_or_was_opened_is_nobodys_business(client, mail):
    tell(client, "mailgun", mailgun("delivered"))
    tell(client, "mailgun", mailgun("opened"))

    assert (reason(mail), mail.bounced_at) == ("", None)


def test_about_an_address_that_is_not_ours_nothing_is_noted(client, mail):
    tell(client, "postmark", postmark(Email="eve@example.com"))

    assert (reason(mail), mail.bounced_at) == ("", None)


def test_whoever_has_neither_secret_nor_signature_stops_nobodys_mail(client, mail):
    assert tell(client, "mailgun", failed(), secret="mail:guessed") == 400
    assert tell(client, "mailgun", {**failed(), "signature": mailgun("failed", key="guessed")["signature"]}) == 400
    assert tell(client, "postmark", postmark(), secret="mail:guessed") == 400

    assert (reason(mail), mail.bounced_at) == ("", None)


def test_a_return_is_known_to_the_mail_though_its_worker_has_not_heard_the_servers_yes_yet(client, mail):
    Message.objects.update(state=Message.State.SENDING, sent_at=None, claimed_until=NOW)

    tell(client, "mailgun", failed())

    assert USER_UNKNOWN in reason(mail)
    assert mail.bounced_at is not None
