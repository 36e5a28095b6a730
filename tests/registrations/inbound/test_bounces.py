"""Mails of ours that came back: which of them is marked, and what no report can do."""

from datetime import timedelta

import pytest

from registrations import exports, inbound, stops
from registrations.inbound import Outcome, Result
from registrations.models import Message
from tests.builders import NOW, make_registration, make_session
from tests.incoming import MAIL_SERVERS, bounced_mail

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=3)


def sent_mail(number: int = 1, **fields) -> Message:
    """A mail that the server took."""
    message = make_registration(make_session(), **fields).messages.get()
    message.state, message.sent_at = Message.State.SENT, NOW
    message.message_id = f"<{number:040x}@webinars.example>"
    message.save()
    return message


def receive(raw: bytes, *, now=LATER) -> Outcome:
    return inbound.receive(raw, now=now)


REASONS = {
    "postfix": "5.1.1 smtp; 550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown",
    "exchange": "5.1.1 smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "gmail": (
        "5.1.1 smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
        "double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. - gsmtp"
    ),
}


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("shape", MAIL_SERVERS)
def test_a_mail_that_came_back_is_marked_with_the_reason(settings, shape, tagged):
    settings.SUBADDRESS_DOMAINS = ["webinars.example"] if tagged else []
    message = sent_mail(email="anna@example.net")
    other = sent_mail(2)

    assert receive(bounced_mail(message, shape)) == Outcome(Result.BOUNCED)

    message.refresh_from_db()
    other.refresh_from_db()
    assert (message.bounced_at, message.bounce, message.state) == (LATER, REASONS[shape], "sent")
    assert (other.bounced_at, other.bounce) == (None, "")


def test_where_the_address_takes_no_mail_nothing_more_goes_there():
    message = sent_mail(email="anna@example.net")
    assert message.registration is not None

    receive(bounced_mail(message))

    known = stops.failing_address(message.registration)
    assert known is not None
    assert (known.noted_at, known.reason, known.message) == (LATER, REASONS["postfix"], message)


@pytest.mark.parametrize("status", ["4.4.7", "5.2.2", "5.7.1"])
def test_a_full_mailbox_and_a_refusal_of_us_stop_nothing(status):
    message = sent_mail()
    assert message.registration is not None

    receive(bounced_mail(message, status=status))

    assert stops.failing_address(message.registration) is None


GROUP = (
    b"Final-Recipient: rfc822; %b\r\nOriginal-Recipient: rfc822;%b\r\nAction: failed\r\nStatus: %b\r\n"
    b"Diagnostic-Code: smtp; %b\r\n\r\n"
)


def with_group_before(raw: bytes, *, passed_on_to: str, status: str, said: str) -> bytes:
    """The report, which tells first of somebody to whom the mail was passed on."""
    group = GROUP % (passed_on_to.encode(), passed_on_to.encode(), status.encode(), said.encode())
    return raw.replace(b"\r\n\r\nFinal-Recipient:", b"\r\n\r\n" + group + b"Final-Recipient:")


@pytest.mark.parametrize(
    ("theirs", "others", "is_noted"), [("5.2.2", "5.1.1", False), ("5.1.1", "5.2.2", True), ("5.1.1", "5.7.1", True)]
)
def test_what_counts_is_what_the_report_says_of_the_mails_own_reader(theirs, others, is_noted):
    message = sent_mail(email="anna@example.net")
    assert message.registration is not None
    raw = bounced_mail(message, status=theirs)

    receive(with_group_before(raw, passed_on_to="eve@example.com", status=others, said="550 Eve"))

    message.refresh_from_db()
    assert message.bounce.startswith(f"{theirs} smtp; 550 5.1.1 <anna@example.net>")
    assert (stops.failing_address(message.registration) is not None) is is_noted


@pytest.mark.parametrize("status", ["5.0.0", ""])
def test_where_the_status_says_nothing_the_servers_own_words_do(status):
    message = sent_mail(email="anna@example.net")
    assert message.registration is not None

    receive(bounced_mail(message, status=status))

    message.refresh_from_db()
    assert message.bounce == REASONS["postfix"]
    assert stops.failing_address(message.registration) is not None


def test_a_forged_report_stops_nothing(settings):
    settings.AUTHSERV_ID = "mx.webinars.example"
    message = sent_mail()
    said = b"Authentication-Results: mx.webinars.example; dmarc=fail header.from=example.net\r\n"

    assert receive(said + bounced_mail(message)) == Outcome(Result.IGNORED, "it is forged, as our mail server says")

    message.refresh_from_db()
    assert message.bounced_at is None


def test_a_second_report_changes_nothing():
    message = sent_mail()
    receive(bounced_mail(message))

    assert receive(bounced_mail(message, "gmail"), now=LATER + timedelta(hours=1)).result == Result.STALE

    message.refresh_from_db()
    assert message.bounced_at == LATER
    assert "gsmtp" not in message.bounce


@pytest.mark.parametrize("shape", MAIL_SERVERS)
@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.1.9")])
def test_what_is_only_late_or_arrived_is_not_marked(shape, action, status):
    message = sent_mail()

    outcome = receive(bounced_mail(message, shape, action=action, status=status))

    assert outcome == Outcome(Result.IGNORED, "it is a report of nothing that has failed")
    message.refresh_from_db()
    assert message.bounced_at is None


def test_what_was_tried_in_vain_until_it_was_given_up_is_marked():
    message = sent_mail()

    assert receive(bounced_mail(message, action="failed", status="4.4.7")).result == Result.BOUNCED


@pytest.mark.parametrize(
    "said",
    [
        {"message_id": "<another@webinars.example>"},
        {"message_id": ""},
        {"failed": "eve@example.net"},
        {"failed": ""},
    ],
)
def test_a_report_that_does_not_know_mail_and_reader_marks_nothing(said):
    message = sent_mail()

    assert receive(bounced_mail(message, **said)).result == Result.IGNORED

    message.refresh_from_db()
    assert message.bounced_at is None


def test_a_report_to_the_address_of_another_registration_marks_nothing(settings):
    settings.SUBADDRESS_DOMAINS = ["webinars.example"]
    message, other = sent_mail(), sent_mail(2)
    assert other.registration is not None

    assert receive(bounced_mail(message, organizer=other.registration.organizer)).result == Result.IGNORED
    assert receive(bounced_mail(message, organizer="webinars+x-0123456789abcdef0123@webinars.example")) == Outcome(
        Result.IGNORED, "it is a report of no mail of ours"
    )

    message.refresh_from_db()
    assert message.bounced_at is None


def test_where_it_was_passed_on_the_address_that_we_wrote_to_counts():
    message = sent_mail()
    raw = bounced_mail(message).replace(
        b"Final-Recipient: rfc822; " + message.to_email.encode(), b"Final-Recipient: rfc822; elsewhere@example.com"
    )

    assert receive(raw).result == Result.BOUNCED


def test_a_domain_beyond_ascii_is_found_by_the_spelling_of_mail_servers():
    message = sent_mail(email="anna@bücher.example")

    assert receive(bounced_mail(message, failed="anna@xn--bcher-kva.example")).result == Result.BOUNCED


def test_a_reason_is_one_line_and_no_longer_than_is_read():
    message = sent_mail()
    raw = bounced_mail(message).replace(
        b"User unknown\r\n\r\n--", b"User \x00\xff\x1b[31m" + b"x" * 900 + b"\r\n\r\n--"
    )

    assert receive(raw).result == Result.BOUNCED

    message.refresh_from_db()
    assert len(message.bounce) == 500
    assert message.bounce.isprintable()


def test_a_report_about_somebody_erased_finds_nothing():
    message = sent_mail()
    raw = bounced_mail(message)
    Message.objects.filter(pk=message.pk).update(to_email="")

    assert receive(raw).result == Result.IGNORED


def test_what_came_back_is_among_what_its_reader_may_take_away():
    message = sent_mail(email="anna@example.net")
    receive(bounced_mail(message))
    registration = message.registration
    assert registration is not None

    (mail,) = exports.registration_data(registration, now=LATER)["mails"]

    assert (mail["came_back_at"], mail["why_it_came_back"]) == ("2026-09-16T09:03:00Z", REASONS["postfix"])
