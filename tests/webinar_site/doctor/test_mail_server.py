"""What the doctor hears from a real SMTP server; nothing is ever sent to it."""

import smtplib
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import SmtpSink
from webinar_site.doctor import mail_server
from webinar_site.doctor.deadline import Deadline
from webinar_site.doctor.seen import Light, Seen

SITE = "webinars@example.org"


@pytest.fixture(autouse=True)
def outgoing(settings, smtp_sink: SmtpSink) -> SmtpSink:
    settings.EMAIL_URL = smtp_sink.url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "webinars", "right"
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    smtp_sink.logins["webinars"] = "right"
    return smtp_sink


def looked(*senders: str, seconds: float = 10) -> Seen:
    return mail_server.check_mail_server(senders or (SITE,), Deadline(seconds))


def test_a_server_that_takes_login_and_sender_is_green_with_its_answer_and_gets_no_mail(outgoing):
    seen = looked()

    assert seen == Seen(
        Light.GREEN,
        f"127.0.0.1:{outgoing.port} takes our login as webinars.\nIt takes mails from {SITE}: 250 OK",
    )
    assert outgoing.visits == {"MAIL": 1, "RCPT": 1}
    assert outgoing.mails == []


def test_a_refused_login_is_red_with_the_answer_and_without_the_password(outgoing, settings):
    settings.EMAIL_HOST_PASSWORD = "wrong-secret"

    seen = looked()

    assert seen.light is Light.RED
    assert "does not take our login: 535" in seen.what
    assert "EMAIL_URL" in seen.to_do
    assert "wrong-secret" not in seen.what + seen.to_do


def test_a_server_without_a_login_is_green(outgoing, settings):
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""

    assert looked().what.startswith(f"127.0.0.1:{outgoing.port} takes us without a login.")


@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
def test_a_sender_that_the_server_refuses_is_red_whichever_stage_says_so(outgoing, stage):
    outgoing.refuse(stage, "553 5.7.1 Not owned by webinars")

    seen = looked()

    assert seen.light is Light.RED
    assert seen.what.splitlines()[0] == (
        f"It takes no mail from {SITE} to the same address: 553 5.7.1 Not owned by webinars"
    )
    assert "send for this address" in seen.to_do


@pytest.mark.parametrize("stage", ["EHLO", "MAIL"])
def test_what_the_server_says_is_kept_as_one_line_of_text(outgoing, monkeypatch, stage):
    said = (550, b"5.7.1 Not\0owned\nby \x1b[2Jwebinars")

    def refuse(*_args, **_more):
        if stage == "EHLO":
            raise smtplib.SMTPHeloError(*said)
        return said

    monkeypatch.setattr(smtplib.SMTP, "mail" if stage == "MAIL" else "ehlo_or_helo_if_needed", refuse)
    if stage == "EHLO":
        outgoing.logins.clear()

    assert "550 5.7.1 Not owned by [2Jwebinars" in looked().what.splitlines()[0]


def test_each_sender_is_asked_for_and_the_refused_one_named_first(outgoing):
    outgoing.refuse("RCPT", "550 No such user", times=1)

    seen = looked("first@example.org", "second@example.org")

    assert seen.light is Light.RED
    assert "first@example.org" in seen.what.splitlines()[0]
    assert seen.what.splitlines()[-1] == "It takes mails from second@example.org: 250 OK"


def test_a_server_that_is_busy_is_amber_and_is_left_alone(outgoing):
    outgoing.refuse("MAIL", "451 Try again later")

    seen = looked("first@example.org", "second@example.org")

    assert seen.light is Light.AMBER
    assert "for now: 451 Try again later" in seen.what
    assert outgoing.visits == {"MAIL": 1}


def test_a_server_that_hangs_up_is_red(outgoing):
    outgoing.drop("MAIL")

    seen = looked()

    assert seen.light is Light.RED
    assert "does not answer as a mail server does" in seen.what


def test_nobody_at_that_port_is_red(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_PORT = listener.getsockname()[1]

    seen = looked()

    assert seen.light is Light.RED
    assert "ConnectionRefusedError" in seen.what
    assert "the host and the port in EMAIL_URL" in seen.to_do


def test_a_server_that_accepts_and_says_nothing_is_red_after_a_few_seconds(settings, monkeypatch):
    monkeypatch.setattr(mail_server, "STEP_SECONDS", 0.5)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_PORT = listener.getsockname()[1]
        seen = looked()

    assert seen.light is Light.RED
    assert "timed out" in seen.what
    assert time.monotonic() - began < 5


def test_a_server_without_the_tls_that_was_asked_for_is_red(settings):
    settings.EMAIL_USE_TLS = True

    seen = looked()

    assert seen.light is Light.RED
    assert "does not offer what EMAIL_URL asks for: SMTPNotSupportedError" in seen.what


@pytest.fixture
def certificate(tmp_path):
    """Of this machine's number, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def tls_server(settings, certificate):
    """One that speaks TLS from the start, as port 465 does."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Sink(), hostname="127.0.0.1", port=port, ssl_context=context, ready_timeout=30)
    controller.start()
    settings.EMAIL_PORT, settings.EMAIL_USE_SSL = port, True
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield controller
    controller.stop()


def test_a_certificate_that_nobody_vouches_for_is_red(tls_server):
    seen = looked()

    assert seen.light is Light.RED
    assert "is not one that can be trusted" in seen.what
    assert "have it renewed" in seen.to_do


def test_a_trusted_certificate_is_green(tls_server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert looked().light is Light.GREEN


def test_a_password_that_goes_over_the_network_in_the_clear_is_amber(monkeypatch):
    monkeypatch.setattr(mail_server, "_THIS_MACHINE", set())

    seen = looked()

    assert seen.light is Light.AMBER
    assert "in the clear" in seen.what
    assert "smtp+tls://" in seen.to_do


def test_senders_for_whom_there_is_no_time_are_amber(outgoing):
    seen = looked(seconds=0)

    assert seen.light is Light.AMBER
    assert "not asked, since the time was up" in seen.what
    assert outgoing.visits == {}


def test_in_the_trial_setting_mails_are_files(settings, outgoing):
    settings.EMAIL_URL = ""

    seen = looked()

    assert seen == Seen(Light.GREEN, "Mails are files, to be read at /mailbox/: without EMAIL_URL nothing is sent.")
    assert outgoing.connections == 0
