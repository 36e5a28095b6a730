"""Real servers for tests: an SMTP server that can be difficult, and worker processes on the real Redis.

The PostgreSQL and the Redis themselves are started by scripts/test. Whoever asks for a fixture that needs them without
them gets a failure that says so, never a skip.
"""

import asyncio
import email
import email.policy
import imaplib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kombu.pools
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from webinar_site import environment

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


# ---------- mail ----------


@dataclass(frozen=True)
class ReceivedMail:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        message = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class _Trouble:
    stage: str
    reply: str | None
    times: float
    keeps_mail: bool
    delay_seconds: float


@dataclass
class SmtpSink:
    """An SMTP server that keeps what it accepts. Stages are MAIL, RCPT and DATA."""

    port: int
    mails: list[ReceivedMail] = field(default_factory=list)
    # How many clients greeted.
    connections: int = 0
    # Whose login it takes, and with which password; anybody may send without one.
    logins: dict[str, str] = field(default_factory=dict)
    # How often each stage was reached, troubles included.
    visits: dict[str, int] = field(default_factory=dict)
    _troubles: list[_Trouble] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As EMAIL_URL has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def refuse(self, stage: str, reply: str, *, times: float = float("inf")) -> None:
        """Answer a stage with, say, "451 Try again later" or "550 No such user"."""
        self._troubles.append(_Trouble(stage, reply, times, keeps_mail=False, delay_seconds=0))

    def drop(self, stage: str, *, times: float = float("inf"), after_accepting: bool = False) -> None:
        """Close the connection instead of answering, before or after having taken the mail (the latter at DATA)."""
        self._troubles.append(_Trouble(stage, None, times, keeps_mail=after_accepting, delay_seconds=0))

    def delay(self, stage: str, seconds: float, *, times: float = float("inf")) -> None:
        """Take long, and then behave."""
        self._troubles.append(_Trouble(stage, "250 OK", times, keeps_mail=True, delay_seconds=seconds))

    def behave(self) -> None:
        """Forget all troubles."""
        self._troubles.clear()

    def wait_for(self, count: int, *, seconds: float = 20) -> list[ReceivedMail]:
        """The mails, once there are so many. Fails when there are fewer in the end."""
        wait_until(
            lambda: len(self.mails) >= count, seconds=seconds, what=f"{count} mails, there are {len(self.mails)}"
        )
        return self.mails

    # aiosmtpd calls these.

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: Any) -> AuthResult:
        is_known = isinstance(login, LoginPassword) and self.logins.get(login.login.decode()) == login.password.decode()
        # What is not handled here, aiosmtpd answers with 535.
        return AuthResult(success=is_known, handled=False)

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply, _keep = await self._answer("MAIL", server)
        if reply.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply, _keep = await self._answer("RCPT", server)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply, keep = await self._answer("DATA", server)
        if keep:
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append(ReceivedMail(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        return reply

    async def _answer(self, stage: str, server: SMTP) -> tuple[str, bool]:
        self.visits[stage] = self.visits.get(stage, 0) + 1
        for trouble in self._troubles:
            if trouble.stage == stage and trouble.times > 0:
                trouble.times -= 1
                await asyncio.sleep(trouble.delay_seconds)
                if trouble.reply is None:
                    assert isinstance(server.transport, asyncio.WriteTransport)
                    server.transport.abort()
                return trouble.reply or "421 Gone", trouble.keeps_mail
        return "250 OK", True


class _SinkController(Controller):
    """Listens on a socket that is bound already, so that nobody can take the port in between."""

    def __init__(self, handler: SmtpSink, listener: socket.socket) -> None:
        super().__init__(
            handler,
            hostname="127.0.0.1",
            port=handler.port,
            ready_timeout=START_SECONDS,
            authenticator=handler.authenticate,
            auth_require_tls=False,
        )
        self.listener = listener

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    listener = socket.create_server(("127.0.0.1", 0))
    sink = SmtpSink(port=listener.getsockname()[1])
    controller = _SinkController(sink, listener)
    controller.start()
    yield sink
    controller.stop()


@pytest.fixture
def outgoing(settings: Any, smtp_sink: SmtpSink) -> SmtpSink:
    """Mail goes to the sink."""
    settings.EMAIL_URL = smtp_sink.url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    return smtp_sink


# ---------- mail that comes in ----------


@dataclass(frozen=True)
class ImapMailbox:
    """An IMAP server with one mailbox, whose owner reads it here."""

    port: int
    user: str
    password: str

    def url(self, scheme: str = "imap") -> str:
        """As IMAP_URL has it."""
        return f"{scheme}://{self.user}:{self.password}@localhost:{self.port}"

    def put(self, *mails: bytes) -> None:
        with self._opened() as client:
            for mail in mails:
                client.append("INBOX", "", "", mail)

    def unseen(self) -> int:
        """How many mails nobody has seen."""
        with self._opened() as client:
            return len(client.uid("SEARCH", "UNSEEN")[1][0].split())

    @contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("localhost", self.port, timeout=START_SECONDS) as client:
            client.login(self.user, self.password)
            client.select("INBOX")
            yield client


@pytest.fixture
def start_imap_server(tmp_path: Path) -> Iterator[Callable[..., ImapMailbox]]:
    """Starts IMAP servers with an empty mailbox each; --cert and --key make them speak TLS after STARTTLS."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> ImapMailbox:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        mailbox = ImapMailbox(port, user="rsvp", password="hunter2")
        log_path = tmp_path / f"imap-{port}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", "from pymap.main import main; main()"),
                    *("--host", "127.0.0.1", "--port", str(port)),
                    *(options or ("--no-tls",)),
                    *("dict", "--demo-user", mailbox.user, "--demo-password", mailbox.password),
                ],
                cwd=tmp_path,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        processes.append(process)
        wait_until(
            lambda: process.poll() is not None or _listens(port),
            seconds=START_SECONDS,
            what=f"an IMAP server:\n{log_path.read_text()}",
        )
        assert process.poll() is None, log_path.read_text()
        return mailbox

    try:
        yield start
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture
def imap_mailbox(start_imap_server: Callable[..., ImapMailbox]) -> ImapMailbox:
    """An empty mailbox on a server without encryption."""
    return start_imap_server()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---------- broker and workers ----------


@pytest.fixture(scope="session", autouse=True)
def silent_broker() -> Iterator[None]:
    """Nobody hears the bell, unless a test asks for redis_broker: a site that runs from this folder must not."""
    with _broker("memory://"):
        yield


@pytest.fixture
def redis_broker(silent_broker: None, worker_id: str) -> Iterator[str]:
    """A real, empty Redis that this process and the workers it starts have for themselves, as REDIS_URL has it."""
    if not os.environ.get("REDIS_URL"):
        pytest.fail("This test needs a Redis that may be emptied. scripts/test starts one.")
    url = _own_redis_database(os.environ["REDIS_URL"], worker_id)
    client = redis.Redis.from_url(url)
    client.flushdb()
    with _broker(environment.celery_broker_url(url)):
        yield url
    client.close()


@dataclass(frozen=True)
class Worker:
    """A real `celery worker`, with two children."""

    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def services(transactional_db: None, redis_broker: str, smtp_sink: SmtpSink) -> dict[str, str]:
    """The environment of programs that work on the test's own database, Redis and SMTP server."""
    from django.db import connection

    if connection.vendor != "postgresql":
        pytest.fail(
            "This test needs PostgreSQL, since another process cannot see an SQLite in memory. Use scripts/test."
        )
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
        "REDIS_URL": redis_broker,
        "EMAIL_URL": smtp_sink.url,
        "UPDATES_SETTLE_SECONDS": "0",
        # Nobody answers there, and nobody else is asked.
        "NAME_SERVERS": "127.0.0.1",
        # The suite's own warnings are errors; a worker is not the suite.
        "PYTHONWARNINGS": "ignore",
    }


@pytest.fixture
def start_worker(services: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers on the test's own services: start_worker(SETTING="value")."""
    workers: list[Worker] = []

    def start(**settings: str) -> Worker:
        log_path = tmp_path / f"worker-{len(workers)}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "webinar_site", "worker", "--loglevel", "INFO"),
                    *("--concurrency", "2", "--hostname", f"worker-{len(workers)}@test"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                cwd=ROOT,
                env=services | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = Worker(process, log_path)
        workers.append(worker)
        wait_until(
            lambda: " ready." in worker.log or process.poll() is not None,
            seconds=START_SECONDS,
            what=f"a worker:\n{worker.log}",
        )
        assert process.poll() is None, worker.log
        return worker

    try:
        yield start
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.kill()


@pytest.fixture
def start_beat(services: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the schedule, which remembers across starts when each of its tasks last ran."""
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"beat-{len(running)}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "webinar_site", "beat", "--loglevel", "INFO"),
                    *("--schedule", str(tmp_path / "beat-schedule"), "--pidfile", ""),
                ],
                cwd=ROOT,
                env=services,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.append(process)
        return process

    try:
        yield start
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def celery_worker_process(start_worker: Callable[..., Worker]) -> Worker:
    """One worker that is ready to take tasks."""
    return start_worker()


def untaken_connections(server: socket.socket) -> int:
    """How many connections were made to the server that nobody has taken up."""
    server.setblocking(False)
    connections = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return connections
        connections += 1


def wait_until(condition: Callable[[], bool], *, seconds: float = 20, what: str = "it to happen") -> None:
    """Wait, but fail rather than wait for ever."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"Waited {seconds} seconds for {what}."
        time.sleep(0.05)


class _broker:  # noqa: N801 - reads as a function
    """For a while, this process sends its tasks there."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        from webinar_site.celery import app

        self.before = app.conf.broker_url
        self._change(self.url)

    def __exit__(self, *_: object) -> None:
        self._change(self.before)

    def _change(self, url: str) -> None:
        from webinar_site.celery import app

        # Open connections are kept, and know only the address that they were made with.
        kombu.pools.reset()
        app.conf.update(broker_url=url, broker_read_url=url, broker_write_url=url)
        app._after_fork()  # type: ignore[attr-defined] # drops what the app itself has kept


def _own_redis_database(url: str, worker_id: str) -> str:
    """The same server, and in it a database for each process of pytest-xdist: worker_id is "master" without it."""
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()
