"""Mails under chaos: python -m benchmarks.chaos FOLDER [--registrations 2000] [--kills 20] [--seconds 90]

People register, cancel and change session, and sessions move, while workers are killed with SIGKILL, Redis is emptied
twice, and the mail server is difficult and for a while away. Afterwards its journal is compared with the table. Real
worker processes and one beat, on the database, the broker and the settings (`benchmarks.hurried`) of the environment.
Ends with 1 where anything was lost, told out of order, or repeated without a kill that explains it.
"""

import argparse
import contextlib
import itertools
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import django

django.setup()

import redis  # noqa: E402 - models can be imported once Django is set up
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import hurry, servers  # noqa: E402
from benchmarks.difficult import TROUBLES  # noqa: E402
from benchmarks.reckoning import Acceptance, Kill, Person, Reckoning, Row, reckon  # noqa: E402
from events import scheduling  # noqa: E402
from events.lookup import get_webinar  # noqa: E402
from events.models import Host, Session, Webinar  # noqa: E402
from registrations import signup  # noqa: E402
from registrations.models import Message, Registration  # noqa: E402
from registrations.querysets import MessageQuerySet  # noqa: E402
from webinar_site.management.commands.run import beat, worker  # noqa: E402

SLUG = "chaos"
SEED = 2020_10_28
WORKERS = 2
CLIENTS = 4
# As systemd starts them again (deploy/webinar-site-worker.service).
RESTART_SECONDS = 2
AWAY_SECONDS = 8
# Of ten kills so many end a worker with its children, the others one child.
WHOLE_OF_TEN = 6
# Of a hundred people so many cancel later, and so many change session.
CANCEL_OF_HUNDRED = 8
CHANGE_OF_HUNDRED = 6
# For so long the last mails may take: claims that run out, one after the other, and pauses.
PATIENCE_SECONDS = 240
# Longer than anybody waits for the server, and shorter than a claim.
SETTLED_SECONDS = hurry.DATA_ANSWER_SECONDS + 5
SHOWN_FAULTS = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--registrations", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=90.0, help="in which they come")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    chaos = Chaos(chosen.folder, chosen.registrations, chosen.kills, chosen.seconds, random.Random(chosen.seed))
    say(f"  seed {chosen.seed}; {WORKERS} workers with 2 children each, one beat; of 100 mails the server answers")
    say("    " + ", ".join(f"{share:g} with {reply or 'nothing at all'}" for reply, share in TROUBLES.items()))
    say(
        f"  shortened: claims {hurry.CLAIM_SECONDS} s, drains {hurry.DRAIN_SECONDS} s, the answer to DATA "
        f"{hurry.DATA_ANSWER_SECONDS} s, pauses 1 to {max(hurry.PAUSES_SECONDS)} s, "
        f"sweeps {settings.OUTBOX_SWEEP_SECONDS} s, changes settle in {settings.UPDATES_SETTLE.total_seconds():g} s"
    )
    result = chaos.run(seed=chosen.seed)
    tell(chaos, result)
    sys.exit(1 if result.faults or result.unexplained else 0)


def tell(chaos: "Chaos", result: Reckoning) -> None:
    whole = sum(kill.whole_worker for kill in chaos.kills)
    say(f"  {chaos.people:,} registrations; acts: {', '.join(f'{n} {act}' for act, n in sorted(chaos.acts.items()))}")
    say(
        f"  {len(chaos.kills)} kills ({whole} of whole workers), Redis emptied {chaos.emptied} times, "
        f"the mail server away for {AWAY_SECONDS} s; {chaos.taken:.0f} s in all, {chaos.waited:.0f} s of it to the end"
    )
    say(f"  accepted: {result.messages:,} messages; refused for good (550): {result.refused}")
    say(f"  not sent, since a newer mail took their place or they lost their point: {result.cancelled}")
    lost = sum(fault.startswith("LOST") for fault in result.faults)
    say(f"  lost: {lost}; other faults: {len(result.faults) - lost}")
    say(
        f"  accepted twice: {result.repeats} ({result.repeats / max(result.messages, 1):.3%} of the messages, "
        f"{result.repeats / max(result.messages, 1) * 2000:.1f} in 2,000); "
        f"kills that hit the window: {result.window_hits} of {len(chaos.kills)}; not from it: {len(result.unexplained)}"
    )
    if result.window_ms:
        middle, most = (result.window_ms[int(len(result.window_ms) * share)] for share in (0.5, 0.95))
        say(f"  from the server's note to our mark: {middle:.0f} ms in the middle, at most {most:.0f} ms for 95 of 100")
    for fault in [*result.faults, *result.unexplained][:SHOWN_FAULTS]:
        say(f"  BROKEN: {fault}")


def say(line: str) -> None:
    print(line, flush=True)


# ---------- what runs ----------


@dataclass
class RunningWorker:
    """A worker with its children, started again when it was killed."""

    number: int
    folder: Path
    environment: dict[str, str]
    starts: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def _log(self) -> Path:
        return self.folder / f"chaos-worker-{self.number}-{self.starts}.log"

    @property
    def is_ready(self) -> bool:
        """Whether it takes tasks. A child that is killed before ends all of it."""
        return self.process.poll() is None and b" ready." in self._log.read_bytes()

    def start(self) -> None:
        self.starts += 1
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*worker().command, "--hostname", f"chaos-{self.number}@localhost"],
                cwd=servers.ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def children(self) -> list[int]:
        """Its pool, from Linux' own books."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return [int(pid) for pid in path.read_text().split()]
        except OSError:
            return []

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Fresh:
    """A kill of which is not known yet what it left: all that was being sent at that moment, by which claim."""

    at: float
    whole_worker: bool
    sending: frozenset[tuple[int, object]]


@dataclass
class Chaos:
    """One run."""

    folder: Path
    people: int
    kill_count: int
    seconds: float
    dice: random.Random
    kills: list[Kill] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    emptied: int = 0
    taken: float = 0
    waited: float = 0
    _fresh: "deque[Fresh]" = field(default_factory=deque)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, *, seed: int) -> Reckoning:
        """All of it, to the last mail or the end of patience."""
        sessions = prepare()
        journal = self.folder / "journal"
        port = servers.free_port()
        environment = {**os.environ, "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            mail_server = stack.enter_context(MailServer(self.folder, port, journal, seed))
            workers = [RunningWorker(number, self.folder, environment) for number in range(WORKERS)]
            for each in workers:
                stack.callback(each.kill)
            supervisor = threading.Thread(target=self._start_again, args=(workers,))
            stack.callback(supervisor.join)
            stack.callback(self._is_over.set)
            supervisor.start()
            stack.enter_context(
                servers.running(
                    self._beat(), log=self.folder / "chaos-beat.log", ready=lambda: True, environment=environment
                )
            )
            crowd = threading.Thread(target=self._come, args=(sessions, random.Random(seed)))
            crowd.start()
            self._make_trouble(workers, mail_server, sessions)
            crowd.join()
            self._wait_for_mails()
            while self._fresh:
                time.sleep(0.5)
        self.taken = time.monotonic() - began
        return reckon(list(read_journal(journal)), list(read_rows()), list(read_people()), self.kills)

    def _beat(self) -> list[str]:
        command = list(beat().command)
        command[command.index("--schedule") + 1] = str(self.folder / "beat-schedule")
        return command

    # ---------- the crowd ----------

    def _come(self, sessions: list[Session], dice: random.Random) -> None:
        """Everybody registers at their moment, some cancel or change session later, by a few clients."""
        begins = time.monotonic()
        jobs: list[tuple[float, Callable[[], None]]] = []
        for number in range(self.people):
            at = begins + self.seconds * number / self.people
            email = f"visitor-{number}@example.org"
            jobs.append((at, partial(self._register, sessions[number % len(sessions)], email)))
            fate, later = dice.random() * 100, at + dice.random() * 20
            if fate < CANCEL_OF_HUNDRED:
                jobs.append((later, partial(self._cancel, email)))
            elif fate < CANCEL_OF_HUNDRED + CHANGE_OF_HUNDRED:
                jobs.append((later, partial(self._change, email, sessions[(number + 1) % len(sessions)])))
        jobs.sort(key=lambda job: job[0])
        left, lock = iter(jobs), threading.Lock()
        with ThreadPoolExecutor(CLIENTS) as clients:
            for done in [clients.submit(self._act_in_turn, left, lock) for _client in range(CLIENTS)]:
                done.result()

    def _act_in_turn(self, left: Iterator[tuple[float, Callable[[], None]]], lock: threading.Lock) -> None:
        try:
            while True:
                with lock:
                    at, act = next(left, (0.0, None))
                if act is None:
                    return
                time.sleep(max(0.0, at - time.monotonic()))
                act()
        finally:
            connection.close()

    def _register(self, session: Session, email: str) -> None:
        webinar = get_webinar(SLUG)
        chosen = next(each for each in webinar.sessions.all() if each.pk == session.pk)
        signup.register(chosen, name="Anna Karimova", email=email, time_zone="Asia/Tashkent", now=datetime.now(UTC))
        self.acts["registered"] += 1

    def _cancel(self, email: str) -> None:
        signup.cancel(registered(email), now=datetime.now(UTC))
        self.acts["cancelled"] += 1

    def _change(self, email: str, session: Session) -> None:
        registration = registered(email)
        with contextlib.suppress(signup.SignupError):
            signup.change_session(registration, session=Session.objects.get(pk=session.pk), now=datetime.now(UTC))
            self.acts["changed session"] += 1

    # ---------- trouble ----------

    def _make_trouble(self, workers: list[RunningWorker], mail_server: "MailServer", sessions: list[Session]) -> None:
        """Each at its moment; a kill waits for a worker that is at work."""
        begins = time.monotonic()
        last = self.seconds + 10
        plan: list[tuple[float, Callable[[], None]]] = [
            (self.dice.uniform(5, last), partial(self._kill, self.dice.choice(workers)))
            for _number in range(self.kill_count)
        ]
        for share, session in zip((0.25, 0.5, 0.75, 0.8), itertools.cycle(sessions), strict=False):
            plan.append((self.seconds * share, partial(self._move, session)))
        plan += [(last * share, self._empty_redis) for share in (0.3, 0.65)]
        plan += [(last * 0.45, mail_server.stop), (last * 0.45 + AWAY_SECONDS, mail_server.start)]
        for at, act in sorted(plan, key=lambda planned: planned[0]):
            time.sleep(max(0.0, begins + at - time.monotonic()))
            act()

    def _kill(self, victim: RunningWorker) -> None:
        """At whatever moment that is, once it takes tasks."""
        deadline = time.monotonic() + servers.START_SECONDS
        while not victim.is_ready and time.monotonic() < deadline:
            time.sleep(0.05)
        is_whole = self.dice.random() * 10 < WHOLE_OF_TEN
        children = victim.children()
        if is_whole:
            victim.kill()
        elif children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.dice.choice(children), signal.SIGKILL)
        self._fresh.append(Fresh(time.time(), is_whole, frozenset(sending())))

    def _start_again(self, workers: list[RunningWorker]) -> None:
        """Whatever has ended, as systemd does it; and look after the kills."""
        ended: dict[int, float] = {}
        while not self._is_over.wait(0.2):
            while self._fresh and time.time() > self._fresh[0].at + SETTLED_SECONDS:
                self._settle(self._fresh.popleft())
            for each in workers:
                if each.process.poll() is None:
                    ended.pop(each.number, None)
                elif time.monotonic() > ended.setdefault(each.number, time.monotonic()) + RESTART_SECONDS:
                    each.start()
        connection.close()

    def _settle(self, kill: "Fresh") -> None:
        """Whoever lives has marked theirs by now, or was not answered: what is left was left by the dead."""
        left = kill.sending & sending()
        self.kills.append(Kill(kill.at, kill.whole_worker, tuple(pk for pk, _claim in left)))

    def _empty_redis(self) -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushdb()
        self.emptied += 1

    def _move(self, session: Session) -> None:
        moved = Session.objects.select_related("webinar__host").get(pk=session.pk)
        moved.local_date += timedelta(days=1)
        scheduling.save_session(moved, by=None, now=datetime.now(UTC))
        self.acts["sessions moved"] += 1

    def _wait_for_mails(self) -> None:
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE_SECONDS and messages().open().exists():
            time.sleep(0.5)
        self.waited = time.monotonic() - began


class MailServer:
    """`benchmarks.difficult` in a process of its own, which can go away and come back with the same journal."""

    def __init__(self, folder: Path, port: int, journal: Path, seed: int) -> None:
        self._command = [sys.executable, "-m", "benchmarks.difficult", str(port), str(journal)]
        self._folder, self._port, self._seeds = folder, port, itertools.count(seed)
        self._running: contextlib.AbstractContextManager[int] | None = None

    def __enter__(self) -> "MailServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._running = servers.running(
            [*self._command, str(next(self._seeds))],
            log=self._folder / "difficult.log",
            ready=lambda: servers.listens(self._port),
        )
        self._running.__enter__()

    def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.__exit__(None, None, None)


# ---------- the table ----------


def prepare() -> list[Session]:
    """A webinar with three sessions, one of them soon full, and nobody in them."""
    now = datetime.now(UTC)
    host = Host.objects.create(
        name="A host in trouble", slug=SLUG, time_zone="Europe/London", sender_email="host@example.org"
    )
    webinar = Webinar.objects.create(
        host=host, title="Mails under chaos", slug=SLUG, summary="What is promised is kept.", status="published"
    )
    sessions = [
        Session(
            webinar=webinar,
            local_date=(now + timedelta(days=20 + number)).date(),
            local_time=now.replace(hour=9, minute=0, second=0, microsecond=0).time(),
            time_zone="Europe/London",
            duration_minutes=60,
            join_url="https://example.org/room",
            capacity=capacity,
            has_waiting_list=True,
        )
        for number, capacity in enumerate((None, None, 100))
    ]
    return [scheduling.save_session(session, by=None, now=now) for session in sessions]


def messages() -> MessageQuerySet:
    """Those of this run's people."""
    return Message.objects.filter(registration__webinar__slug=SLUG)


def registered(email: str) -> Registration:
    """Whoever has that address; another client may still be at it."""
    deadline = time.monotonic() + servers.START_SECONDS
    people = Registration.objects.select_related("session__webinar__host", "webinar").filter(email=email)
    while (found := people.first()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if found is None:
        sys.exit(f"{email} was never registered.")
    return found


def sending() -> set[tuple[int, object]]:
    """Whatever the server may have the text of and nobody has marked, by which claim."""
    begun = messages().filter(state=Message.State.SENDING, begun_at__isnull=False)
    return set(begun.values_list("pk", "claim"))


def read_journal(path: Path) -> Iterator[Acceptance]:
    for line in path.read_text().splitlines():
        yield Acceptance(**json.loads(line))


def read_rows() -> Iterator[Row]:
    ends = {Message.State.SENT: "sent", Message.State.CANCELLED: "cancelled", Message.State.UNKNOWN: "unknown"}
    for message in messages().order_by("pk"):
        end = ends.get(Message.State(message.state), "open")
        if message.state == Message.State.FAILED:
            end = "refused" if message.answer.startswith("550") else "failed"
        sent_at = message.sent_at.timestamp() if message.sent_at else 0
        yield Row(message.pk, end, message.to_email, message.message_id, message.answer, sent_at)


def read_people() -> Iterator[Person]:
    for registration in Registration.objects.filter(webinar__slug=SLUG):
        sequence = None if registration.dtstamp is None else registration.sequence
        yield Person(registration.email, registration.uid, sequence)


if __name__ == "__main__":
    main()
