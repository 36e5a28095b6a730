"""A crowd that comes for three sessions at once, while others cancel: python -m benchmarks.crowd

64 clients in several processes, each with its own connection to the database, call the acts. What came of it goes to
standard output as JSON: how long it took, and whatever does not hold.
"""

import json
import logging
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import django

django.setup()

from celery import current_app  # noqa: E402 - models can be imported once Django is set up
from django.db import connection  # noqa: E402

from benchmarks import promises  # noqa: E402
from events.lookup import get_webinar  # noqa: E402
from events.models import Session  # noqa: E402
from registrations import signup  # noqa: E402
from registrations.models import Message, Registration  # noqa: E402
from webinar_site.demonstration.border_security import CASPIAN_SLUG  # noqa: E402

PEOPLE = 5_000
CANCELLING = 300
CAPACITY = 1_000
# Of so many people one waits for any of the sessions.
ONE_IN_ANY = 10
PROCESSES = 4
CLIENTS = 64
# One order for every run, so that runs can be compared.
SEED = 2020_10_28
START_SECONDS = 60
# Whoever had a place before the crowd came, had it before all of them.
LONG_AGO = float("-inf")

_gate: Any = None


@dataclass(frozen=True)
class Job:
    """Somebody who registers for a session or, where they have a registration already, cancels it."""

    name: str
    session: Session
    registration: Registration | None = None
    any_session: bool = False


@dataclass(frozen=True)
class Done:
    """When a job was begun and ended, by the machine's clock, and what went wrong."""

    name: str
    came: float
    answered: float
    error: str = ""


def main() -> None:
    logging.disable(logging.INFO)
    sessions = _prepare()
    early = [_register(f"early-{number}", sessions[number % len(sessions)]) for number in range(CANCELLING)]
    jobs = _jobs(sessions, early)
    deadlocks = _deadlocks()
    connection.close()
    done = _run(jobs)
    people = _people(done)
    faults = [f"{job.name}: {job.error}" for job in done if job.error]
    if count := _deadlocks() - deadlocks:
        faults.append(f"{count} deadlocks.")
    if len(people) != PEOPLE + CANCELLING:
        faults.append(f"{len(people):,} registrations of {PEOPLE + CANCELLING:,} people.")
    faults += promises.broken(_counted(), people)
    came_of_it = {
        "people": PEOPLE,
        "cancelling": CANCELLING,
        "confirmed": sum(person.status == Registration.Status.CONFIRMED for person in people),
        "waiting": sum(person.status == Registration.Status.WAITLISTED for person in people),
        "clients": CLIENTS,
        "seconds": max(job.answered for job in done) - min(job.came for job in done),
        "faults": faults,
    }
    print(json.dumps(came_of_it))


# ---------- before ----------


def _prepare() -> list[Session]:
    """The demonstration's three sessions with nobody in them, and nothing left over of an earlier run."""
    Registration.objects.filter(webinar__slug=CASPIAN_SLUG).delete()
    current_app.control.purge()
    sessions = Session.objects.filter(webinar__slug=CASPIAN_SLUG)
    sessions.update(capacity=CAPACITY, places_taken=0, has_waiting_list=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return list(sessions.select_related("webinar__host").order_by("pk"))


def _jobs(sessions: Sequence[Session], early: Sequence[Registration]) -> list[Job]:
    """More people than places for each session, and those who cancel anywhere among them."""
    jobs = [
        Job(f"visitor-{number}", sessions[number % len(sessions)], any_session=number % ONE_IN_ANY == 0)
        for number in range(PEOPLE)
    ]
    jobs += [Job(registration.name, registration.session, registration) for registration in early]
    random.Random(SEED).shuffle(jobs)
    return jobs


# ---------- all at once ----------


def _run(jobs: Sequence[Job]) -> list[Done]:
    """All jobs, by as many clients as there are, who begin together."""
    # New processes rather than forks: a connection that two share belongs to nobody.
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(CLIENTS)
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_meet_at, initargs=(gate,)) as processes:
        shares = processes.map(_run_share, [jobs[place::PROCESSES] for place in range(PROCESSES)])
        return [job for share in shares for job in share]


def _meet_at(gate: Barrier) -> None:
    global _gate
    _gate = gate


def _run_share(jobs: Sequence[Job]) -> list[Done]:
    """What one process does of it: each of its clients takes the next job until none is left."""
    logging.disable(logging.INFO)
    left, lock = iter(jobs), threading.Lock()
    clients = CLIENTS // PROCESSES
    with ThreadPoolExecutor(clients) as threads:
        shares = threads.map(lambda _client: list(_run_client(left, lock)), range(clients))
        return [job for share in shares for job in share]


def _run_client(left: Iterator[Job], lock: threading.Lock) -> Iterator[Done]:
    connection.ensure_connection()
    try:
        _gate.wait(START_SECONDS)
        while True:
            with lock:
                job = next(left, None)
            if job is None:
                return
            yield _do(job)
    finally:
        connection.close()


def _do(job: Job) -> Done:
    came, error = time.monotonic(), ""
    try:
        if job.registration is None:
            # As a page reads it for whoever sends its form.
            webinar = get_webinar(CASPIAN_SLUG)
            session = next(session for session in webinar.sessions.all() if session.pk == job.session.pk)
            _register(job.name, session, any_session=job.any_session)
        else:
            signup.cancel(job.registration, now=datetime.now(UTC))
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
        error = f"{type(raised).__name__}: {raised}"
    return Done(job.name, came, time.monotonic(), error)


def _register(name: str, session: Session, *, any_session: bool = False) -> Registration:
    return signup.register(
        session,
        name=name,
        email=f"{name}@example.org",
        time_zone="Asia/Tashkent",
        now=datetime.now(UTC),
        any_session=any_session,
    )


# ---------- afterwards ----------


def _people(done: Sequence[Done]) -> list[promises.Person]:
    when = {job.name: job for job in done}
    all_sessions = tuple(session.session for session in _counted())
    owed: dict[int, list[str]] = {}
    for registration_id, kind in Message.objects.open().order_by("pk").values_list("registration", "kind"):
        owed.setdefault(registration_id, []).append(kind)
    return [
        promises.Person(
            name=registration.name,
            sessions=all_sessions if registration.any_session else (registration.session_id,),
            status=registration.status,
            has_place=registration.has_place,
            came=LONG_AGO if registration.is_cancelled else when[registration.name].came,
            answered=when[registration.name].answered,
            queued=(registration.waiting_since, registration.pk) if registration.is_waitlisted else None,
            owed=tuple(owed.get(registration.pk, [])),
        )
        for registration in Registration.objects.filter(webinar__slug=CASPIAN_SLUG)
    ]


def _counted() -> list[promises.Counted]:
    sessions = Session.objects.filter(webinar__slug=CASPIAN_SLUG)
    return [promises.Counted(session.pk, session.capacity or 0, session.places_taken) for session in sessions]


def _deadlocks() -> int:
    """How many the database has had to break up; a client that has gone has told of all of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
