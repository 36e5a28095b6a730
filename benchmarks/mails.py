"""Mails per second out of the outbox, beside a bare smtplib loop that sends the same bytes to the same sink."""

import smtplib
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from django.test import override_settings

from benchmarks import servers
from events.models import Session
from registrations import delivery, emails, signup
from registrations.models import Message
from webinar_site.demonstration.border_security import CASPIAN_SLUG

ROUNDS = 3
DELAYS_SECONDS = (0.0, 0.02)


def measure(*, folder: Path, mails: int) -> None:
    """Drain in one process, with a commit before and after each mail; then the bare loop, over one connection."""
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")
    Session.objects.filter(pk=session.pk).update(capacity=None)
    Message.objects.open().delete()
    for delay_seconds in DELAYS_SECONDS:
        ours, theirs = [], []
        with servers.smtp_sink(folder, delay_seconds=delay_seconds) as port:
            for number in range(ROUNDS):
                letters = write_letters(session, f"{port}-{number}", mails)
                ours.append(mails / drain(port, mails))
                theirs.append(mails / _send_bare(port, letters))
        ratio = median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
        size = sum(map(len, letters)) // mails
        print(f"  a sink that takes {delay_seconds * 1000:.0f} ms for each mail of {size:,} bytes:")
        print(f"    bare loop: {median(theirs):,.0f} a second")
        print(f"    outbox: {median(ours):,.0f} a second, {ratio:.1%} of the bare loop")


def write_letters(session: Session, run: str, mails: int) -> list[bytes]:
    """Owe somebody a confirmation that often, and return the bytes that will be sent."""
    for number in range(mails):
        signup.register(
            session,
            name="Anna Karimova",
            email=f"visitor-{run}-{number}@example.org",
            time_zone="Asia/Tashkent",
            now=datetime.now(UTC),
        )
    return [emails.compose(message, now=datetime.now(UTC)).as_bytes() for message in Message.objects.open()]


def drain(port: int, mails: int) -> float:
    """Seconds that it takes to send everything that is due."""
    with override_settings(EMAIL_PORT=port):
        started = time.perf_counter()
        sent = delivery.drain(seconds=600)
        taken = time.perf_counter() - started
    if sent != mails:
        sys.exit(f"{sent} of {mails} mails were sent: something is missing.")
    return taken


def _send_bare(port: int, letters: list[bytes]) -> float:
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for letter in letters:
            smtp.sendmail("webinars@example.org", "visitor@example.org", letter)
    return time.perf_counter() - started
