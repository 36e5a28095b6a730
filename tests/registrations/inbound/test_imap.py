"""The mailbox that is looked into, on a real IMAP server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import DataError, OperationalError
from environs import Env

from registrations import signup, tasks
from registrations.inbound import imap
from registrations.models import Message, Registration
from tests.builders import NOW, make_registration, make_session
from tests.incoming import ANSWERED, CALENDARS, calendar_mail
from webinar_site import environment

pytestmark = [pytest.mark.services, pytest.mark.django_db]

LATER = ANSWERED + timedelta(seconds=30)


@pytest.fixture
def named(monkeypatch, settings):
    """Names a mailbox in the environment, as an operator does."""

    def name(url: str) -> None:
        monkeypatch.setenv("IMAP_URL", url)
        settings.IMAP_SERVER = environment.read_imap_server(Env())

    return name


@pytest.fixture
def mailbox(imap_mailbox, named):
    named(imap_mailbox.url())
    return imap_mailbox


def registered(**fields) -> Registration:
    registration = make_registration(make_session(), **fields)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    return registration


def answers() -> list[str]:
    return list(Registration.objects.order_by("pk").values_list("partstat", flat=True))


def test_what_came_in_is_taken_in_once_and_marked_as_seen(mailbox):
    people = [registered() for _shape in CALENDARS]
    mailbox.put(*(calendar_mail(person, shape) for person, shape in zip(people, CALENDARS, strict=True)))

    assert imap.look(now=LATER) == len(CALENDARS)
    assert imap.look(now=LATER) == 0

    assert answers() == ["accepted"] * len(CALENDARS)
    assert mailbox.unseen() == 0


def test_the_task_looks_and_without_a_mailbox_there_is_nothing_to_do(mailbox, settings):
    registration = registered()
    mailbox.put(calendar_mail(registration))

    tasks.look_into_mailbox()

    assert answers() == ["accepted"]
    settings.IMAP_SERVER = None
    assert imap.look(now=LATER) == 0


def test_junk_and_what_is_too_large_holds_up_nobody_and_is_looked_at_once(mailbox, caplog):
    registration = registered()
    mailbox.put(b"\x00\xff\xfe", b"From: x\r\n\r\n" + b"x" * 1_100_000, b"", calendar_mail(registration))

    imap.look(now=LATER)

    assert answers() == ["accepted"]
    assert mailbox.unseen() == 0
    assert "Mails in the mailbox that are too large to be read: 1." in caplog.text


def test_a_look_takes_no_more_than_it_may(monkeypatch, mailbox):
    monkeypatch.setattr(imap, "MOST_AT_ONCE", 2)
    mailbox.put(*(b"From: x\r\n\r\n%d" % number for number in range(3)))

    assert [imap.look(now=LATER) for _look in range(3)] == [2, 1, 0]


def failing(monkeypatch, error: Exception, person: Registration) -> None:
    """Let the database refuse what that person answers."""
    answer = signup.answer

    def refuse(registration: Registration, **said: Any) -> bool:
        if registration == person:
            raise error
        return answer(registration, **said)

    monkeypatch.setattr(signup, "answer", refuse)


@pytest.mark.parametrize(
    "trouble", [OperationalError("the database is away"), signup.RegistrationOverError("changed all the time")]
)
def test_what_cannot_be_taken_in_now_stays_unseen_until_it_can(monkeypatch, mailbox, trouble):
    first, second = registered(), registered()
    mailbox.put(calendar_mail(first), calendar_mail(second))

    with monkeypatch.context() as patched:
        failing(patched, trouble, first)
        assert imap.look(now=LATER) == 1
    assert answers() == ["", "accepted"]
    assert mailbox.unseen() == 1
    assert imap.look(now=LATER) == 1

    assert answers() == ["accepted", "accepted"]


def test_a_mail_that_breaks_something_holds_up_nobody_and_does_so_once(monkeypatch, mailbox, caplog):
    first, second = registered(), registered()
    mailbox.put(calendar_mail(first), calendar_mail(second))
    failing(monkeypatch, DataError("never seen before"), first)

    assert imap.look(now=LATER) == 2
    assert imap.look(now=LATER) == 0

    assert answers() == ["", "accepted"]
    assert "could not be taken in" in caplog.text


@pytest.mark.parametrize("trouble", ["password", "folder", "server"])
def test_a_mailbox_that_does_not_open_leaves_a_line_without_the_password(imap_mailbox, named, caplog, trouble):
    url = {
        "password": imap_mailbox.url().replace("hunter2", "hunter3"),
        "folder": f"{imap_mailbox.url()}/Replies",
        "server": "imap://rsvp:hunter2@localhost:1",
    }
    named(url[trouble])

    assert imap.look(now=LATER) == 0

    assert "The mailbox of IMAP_URL could not be read" in caplog.text
    assert "hunter" not in caplog.text


@pytest.fixture
def certificate(tmp_path):
    """A certificate of localhost that nobody has signed, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def test_the_password_goes_to_nobody_whose_certificate_is_not_trusted(
    monkeypatch, start_imap_server, named, certificate, caplog
):
    cert_path, key_path = certificate
    server = start_imap_server("--cert", str(cert_path), "--key", str(key_path))
    named(server.url("imap+tls"))

    imap.look(now=LATER)
    assert "certificate verify failed" in caplog.text

    caplog.clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(cert_path))
    imap.look(now=LATER)
    assert caplog.text == ""
