"""The command that a mail server's pipe or a fetchmail job runs for each mail."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from registrations import inbound
from registrations.models import Message
from tests.builders import make_registration, make_session
from tests.incoming import calendar_mail

pytestmark = pytest.mark.django_db


class StandardInput:
    def __init__(self, raw: bytes) -> None:
        self.buffer = io.BytesIO(raw)


def receive_mail(monkeypatch, raw: bytes, *args: str) -> int:
    """Run the command, and return the status that it ends with."""
    monkeypatch.setattr("sys.stdin", StandardInput(raw))
    try:
        call_command("receive_mail", *args)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture
def registration(settings):
    settings.SUBADDRESS_DOMAINS = ["webinars.example"]
    registration = make_registration(make_session())
    Message.objects.update(state=Message.State.SENT, sent_at=timezone.now())
    return registration


def test_an_answer_on_standard_input_is_noted(monkeypatch, registration):
    assert receive_mail(monkeypatch, calendar_mail(registration, dtstamp=timezone.now())) == 0

    registration.refresh_from_db()
    assert registration.partstat == "accepted"
    assert timezone.now() - registration.replied_at < timedelta(minutes=1)


def test_the_address_in_the_envelope_counts(monkeypatch, registration):
    other = make_registration(make_session())

    assert receive_mail(monkeypatch, calendar_mail(registration), "--recipient", other.organizer) == 0

    registration.refresh_from_db()
    assert registration.partstat == ""


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"From: x\r\n\r\n" + b"x" * 3_000_000])
def test_junk_ends_well_and_in_silence(monkeypatch, capsys, raw):
    assert receive_mail(monkeypatch, raw) == 0

    assert capsys.readouterr().out == ""


def test_no_more_is_read_than_a_mail_may_have(monkeypatch):
    given = StandardInput(b"x" * 3_000_000)
    monkeypatch.setattr("sys.stdin", given)

    call_command("receive_mail")

    assert given.buffer.tell() == inbound.MAX_BYTES + 1


def test_a_mail_is_given_to_us_again_when_the_database_is_away(monkeypatch, registration):
    def away(*_args: Any, **_fields: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr("registrations.inbound.receiving.signup.answer", away)

    assert receive_mail(monkeypatch, calendar_mail(registration)) == 75
