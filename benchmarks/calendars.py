"""Invites per second, the share of a mail's cost that they are, and what a host's calendar of 1,000 sessions costs."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks import mails, servers
from events.models import Host, Session, Webinar
from registrations import emails, invites
from registrations.models import Message
from webinar_site.demonstration.border_security import CASPIAN_SLUG

ROUNDS = 5
SESSIONS = 1_000
MOST_STATEMENTS = 9
MOST_UNCHANGED = 1


def measure(*, folder: Path, mails_a_round: int) -> None:
    """Invites in one process, beside whole mails in the same process; then the feed, by statements and by time."""
    _measure_invites(folder, mails_a_round)
    _measure_feed()


def _measure_invites(folder: Path, count: int) -> None:
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")
    Session.objects.filter(pk=session.pk).update(capacity=None)
    Message.objects.open().delete()
    built, composed, sent = [], [], []
    with servers.smtp_sink(folder, delay_seconds=0.0) as port:
        for number in range(ROUNDS):
            mails.write_letters(session, f"calendars-{number}", count)
            owed = list(Message.objects.open().select_related("registration__session__webinar__host"))
            emails.read_ahead(owed)
            people = [message.registration for message in owed if message.registration is not None]
            built.append(_seconds(partial(_all, invites.request, people)))
            composed.append(_seconds(partial(_all, _whole_mail, owed)))
            sent.append(mails.drain(port, count))
    per_invite, per_mail, per_sent = (median(seconds) / count for seconds in (built, composed, sent))
    print(f"  invites: {1 / per_invite:,.0f} a second, {per_invite * 1000:.2f} ms each")
    print(f"    {per_invite / per_mail:.1%} of composing a mail ({per_mail * 1000:.2f} ms)")
    print(f"    {per_invite / per_sent:.1%} of sending one, from its claim to its mark ({per_sent * 1000:.2f} ms)")


def _all(act: Callable[[Any], bytes], subjects: list[Any]) -> None:
    for subject in subjects:
        act(subject)


def _whole_mail(message: Message) -> bytes:
    return emails.compose(message, now=datetime.now(UTC)).as_bytes()


def _measure_feed() -> None:
    """Both as a web server answers them, but for the network: through all of the site's middleware."""
    address = reverse("host_calendar", args=[_host_with_sessions().slug])
    whole, statements = _visit(address)
    if whole.content.count(b"BEGIN:VEVENT") < SESSIONS:
        sys.exit("Sessions are missing in the calendar.")
    known = {"if-none-match": whole.headers["ETag"]}
    unchanged, statements_unchanged = _visit(address, **known)
    if unchanged.status_code != HTTPStatus.NOT_MODIFIED:
        sys.exit("The calendar is sent again, though nothing in it has changed.")
    took = median(_seconds(partial(_visit, address)) for _round in range(ROUNDS))
    took_unchanged = median(_seconds(partial(_visit, address, **known)) for _round in range(ROUNDS))
    print(f"  a host's calendar of {SESSIONS:,} sessions, {len(whole.content):,} bytes:")
    print(f"    whole: {statements} statements, {took * 1000:.0f} ms")
    print(
        f"    unchanged: {statements_unchanged} statements, {took_unchanged * 1000:.1f} ms, {took_unchanged / took:.1%}"
    )
    if statements > MOST_STATEMENTS or statements_unchanged > MOST_UNCHANGED:
        sys.exit(f"At most {MOST_STATEMENTS} statements, and {MOST_UNCHANGED} where nothing changed, were to be made.")


def _visit(address: str, **headers: str) -> tuple[Any, int]:
    """The answer, and how many statements it took."""
    client = Client(headers={"host": urlsplit(settings.SITE_URL).netloc})
    with CaptureQueriesContext(connection) as seen:
        response = client.get(address, headers=headers)
        return response, len(seen)


def _host_with_sessions() -> Host:
    """A host with ten webinars, each of a hundred sessions that are to come."""
    host = Host.objects.create(name="A busy host", slug="a-busy-host", time_zone="Europe/London")
    webinars = Webinar.objects.bulk_create(
        Webinar(host=host, title=f"Webinar {number}", slug=f"busy-{number}", summary="What works.", status="published")
        for number in range(10)
    )
    starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    sessions = [
        Session(
            webinar=webinars[number % 10],
            local_date=at.date(),
            local_time=at.time(),
            time_zone="UTC",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            revised_at=starts_at - timedelta(days=9),
        )
        for number in range(SESSIONS)
        for at in [starts_at + timedelta(hours=number)]
    ]
    Session.objects.bulk_create(sessions)
    return host


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
