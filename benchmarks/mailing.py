"""A mail with an invite to 10,000 people, by one worker and more, beside a bare loop that sends the same bytes."""

import contextlib
import copy
import json
import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import TypeVar

from django.db import connection

from benchmarks import servers
from events.models import Session
from registrations import emails, signup
from registrations.models import Message, OfferCode, Registration, new_reference, new_uid
from webinar_site.demonstration.border_security import CASPIAN_SLUG

ROUNDS = 3
WORKERS = (1, 2, 4)
# Of all mails so many in a round: where the server takes 20 ms, 10,000 would take minutes.
SHARES = {0.0: 5, 0.02: 20}
CHUNK = 1_000
SAMPLE = 500

Row = TypeVar("Row", Registration, OfferCode, Message)


def measure(*, folder: Path, mails: int, is_large: bool) -> None:
    """Rates in turn with the bare loop's; then all of them by one worker, and what it takes of memory."""
    most = mails * 10 if is_large else mails
    owe(most)
    letters = sample()
    print(f"  {len(letters[0]):,} bytes a mail; load average {os.getloadavg()[0]:.1f}")
    for delay_seconds, share in SHARES.items():
        with servers.smtp_sink(folder, delay_seconds=delay_seconds) as port:
            print(f"  a sink that takes {delay_seconds * 1000:.0f} ms for each mail, {mails // share:,} mails a round:")
            for workers in WORKERS:
                with drainers(workers, port) as running:
                    measure_rounds(running, port, letters, mails // share)
    with servers.smtp_sink(folder, delay_seconds=0.0) as port, drainers(1, port) as running:
        for count in (mails // 10, mails, *([most] if is_large else [])):
            bare = mails / send_bare(port, letters, mails)
            rate, megabytes = drain(running, count)
            print(
                f"  {count:,} mails by one worker: {rate:,.0f} a second, {rate / bare:.1%} of the bare loop's", end=""
            )
            print(f" {bare:,.0f}; it then takes {megabytes:.0f} MB")


def measure_rounds(running: Sequence["subprocess.Popen[str]"], port: int, letters: list[bytes], count: int) -> None:
    drain(running, count // 10)
    ours, theirs = [], []
    for _round in range(ROUNDS):
        theirs.append(count / send_bare(port, letters, count))
        ours.append(drain(running, count)[0])
    ratio = median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
    print(
        f"    {len(running)} worker{'s' if len(running) > 1 else ''}: {median(ours):,.0f} a second, "
        f"bare loop {median(theirs):,.0f}: {ratio:.1%}, {ratio / len(running):.1%} per worker "
        f"(rounds {', '.join(f'{mine / bare:.1%}' for mine, bare in zip(ours, theirs, strict=True))})"
    )


# ---------- what is owed ----------


def owe(count: int) -> None:
    """Register somebody through the act, and so many others like them in bulk: each with codes and a confirmation."""
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")
    Session.objects.filter(pk=session.pk).update(capacity=None)
    Message.objects.all().delete()
    first = signup.register(
        session, name="Anna Karimova", email="first@example.org", time_zone="Asia/Tashkent", now=datetime.now(UTC)
    )
    owed, codes = first.messages.get(), list(first.offer_codes.all())
    for begin in range(0, count - 1, CHUNK):
        numbers = range(begin, min(begin + CHUNK, count - 1))
        people = Registration.objects.bulk_create(_another(first, number) for number in numbers)
        OfferCode.objects.bulk_create(_their(code, person) for person in people for code in codes)
        Message.objects.bulk_create(_to(owed, person) for person in people)


def _another(first: Registration, number: int) -> Registration:
    email = f"visitor-{number}@example.org"
    return _copied(first, reference=new_reference(), uid=new_uid(), email=email, email_key=email)


def _their(code: OfferCode, person: Registration) -> OfferCode:
    return _copied(code, registration=person, code=f"{code.code[:4]}-{person.reference}")


def _to(owed: Message, person: Registration) -> Message:
    return _copied(owed, registration=person, key=f"{owed.kind}-{person.reference}-0", to_email=person.email)


def _copied(row: Row, **fields: object) -> Row:
    copied = copy.copy(row)
    copied.pk = None
    copied._state = copy.copy(row._state)
    copied._state.adding = True
    copied._state.fields_cache = dict(row._state.fields_cache)
    for name, value in fields.items():
        setattr(copied, name, value)
    return copied


def sample() -> list[bytes]:
    """The bytes of some of the mails, which the bare loop sends again and again."""
    some = list(Message.objects.select_related("registration__session__webinar__host").order_by("pk")[:SAMPLE])
    emails.read_ahead(some)
    return [emails.compose(message, now=datetime.now(UTC)).as_bytes() for message in some]


def make_due(count: int) -> None:
    """Owe so many of them anew, in a table without yesterday's rows."""
    Message.objects.open().update(state=Message.State.CANCELLED)
    wanted = Message.objects.order_by("pk").values("pk")[:count]
    Message.objects.filter(pk__in=wanted).update(
        state=Message.State.QUEUED,
        due_at=datetime.now(UTC),
        attempts=0,
        attempt_log=[],
        claim=None,
        begun_at=None,
        sent_at=None,
        message_id="",
        answer="",
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE registrations_message")


# ---------- sending ----------


@contextlib.contextmanager
def drainers(count: int, port: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Workers that wait for the word."""
    environment = {**os.environ, "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.drainer"],
            cwd=servers.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _worker in range(count)
    ]
    try:
        for process in started:
            _read(process)
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def drain(running: Sequence["subprocess.Popen[str]"], count: int) -> tuple[float, float]:
    """Mails a second, until the last worker finds nothing more; and what the largest takes of memory, in MB."""
    make_due(count)
    began = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [json.loads(_read(process)) for process in running]
    taken = time.perf_counter() - began
    if (sent := sum(answer["sent"] for answer in answers)) != count:
        sys.exit(f"{sent} of {count} mails were sent: something is missing.")
    return count / taken, max(answer["megabytes"] for answer in answers)


def _read(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit("A worker ended.")
    return line


def send_bare(port: int, letters: list[bytes], count: int) -> float:
    """Seconds that smtplib takes for so many over one connection."""
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for letter in islice(cycle(letters), count):
            smtp.sendmail("webinars@example.org", "visitor@example.org", letter)
    return time.perf_counter() - started
