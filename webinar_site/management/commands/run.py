"""The whole site with one command: Redis, web server, worker and schedule, started in order and stopped together."""

import errno
import fcntl
import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError
from django.db import connection

from webinar_site import embedded_redis, environment
from webinar_site.demonstration import DEMO_ORGANIZER_EMAIL, DEMO_ORGANIZER_PASSWORD
from webinar_site.processes import ProcessTree, Program, ProgramFailed, StopRequested

START_SECONDS = 60
# A start right after a kill -9 finds the old programs still stopping.
LOCK_SECONDS = 15


class Command(BaseCommand):
    help = (
        "Run the whole site: Redis (when REDIS_URL is not given), the web server, the worker and the schedule. "
        "PORT and HOST say where it listens. Ctrl-C stops everything."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        host = os.environ.get("HOST") or "127.0.0.1"
        port = read_port()
        check_private(host)
        redis_folder = settings.VAR_DIR / "redis"
        with only_here(settings.VAR_DIR / "run.lock") as lock, embedded_redis.socket_for(redis_folder) as redis_socket:
            check_free(host, port)
            tree = ProcessTree(
                environment=children_environment(port, redis_socket),
                folder=settings.BASE_DIR,
                log_dir=settings.VAR_DIR / "log",
                lock=lock,
            )
            tree.heed_signals()
            try:
                if not os.environ.get("REDIS_URL"):
                    start_redis(tree, folder=redis_folder, socket_path=redis_socket)
                self.start_site(tree, host=host, port=port)
                tree.wait(lambda: False)
            except StopRequested:
                self.say("Stopping.")
            except (ProgramFailed, embedded_redis.NoRedisServer) as failure:
                raise CommandError(str(failure)) from None
            finally:
                tree.stop()

    def start_site(self, tree: ProcessTree, *, host: str, port: int) -> None:
        """Start everything but Redis, each when what it needs is there."""
        # 1. The database and the files, before anyone can ask for them.
        for saying, name, *arguments in self.preparations():
            self.say(f"{saying} ...")
            tree.run(Program(name, manage(name, *arguments)))

        # 2. In this order, because they are stopped in the opposite one: first no more visitors, then no more
        #    scheduled work, then the worker finishes what it holds, and Redis goes last.
        tree.start(worker())
        tree.start(beat())
        web = web_server(host, port)
        tree.start(web)

        # 3. Up is when it answers, not when it was started.
        wait_for(tree, web, lambda: answers(host, port), what="/healthz did not answer")
        self.say(self.welcome(tree.environment["SITE_URL"]))

    def preparations(self) -> Iterator[tuple[str, ...]]:
        """What to tell, and the management command to run with its arguments."""
        yield ("Preparing the database", "migrate", "--noinput")
        if not settings.PRODUCTION:
            yield ("Loading the demonstration, where it is not there", "demo")
        yield ("Collecting styles and pictures", "collectstatic", "--noinput")

    def welcome(self, site_url: str) -> str:
        lines = ["", "The site is up.", "", f"  Site      {site_url}/", f"  Admin     {site_url}/admin/"]
        if not settings.PRODUCTION and demo_login_works():
            lines += [f"            {DEMO_ORGANIZER_EMAIL}, password {DEMO_ORGANIZER_PASSWORD}"]
        if not settings.EMAIL_URL:
            lines += [f"  Mailbox   {site_url}/mailbox/ (mail is kept there, none is sent)"]
        lines += [f"  Logs      {settings.VAR_DIR / 'log'}", "", "Ctrl-C stops everything.", ""]
        return "\n".join(lines)

    def say(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError:
            # The terminal is closed. What is left to do is to stop, and that must not fail for lack of a reader.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_port() -> int:
    """PORT, or in the trial setting the port of SITE_URL, whose links must lead here. Raises CommandError."""
    given = os.environ.get("PORT") or ("" if settings.PRODUCTION else urlsplit(settings.SITE_URL).port) or 8000
    try:
        port = int(given)
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise CommandError(f"PORT must be a number from 1 to 65535, not {given!r}.")
    return port


def check_private(host: str) -> None:
    """Raise CommandError where the trial setting would be open to the network: anybody could read the mails in it."""
    if settings.PRODUCTION or host in environment.LOOPBACK_HOSTS:
        return
    raise CommandError(
        f"HOST={host} would open the trial setting to the network, with its mailbox and its organizer's password for "
        "everybody. Leave HOST out, or set the site up for others: SITE_URL and the rest of the README's table."
    )


def check_free(host: str, port: int) -> None:
    """Raise CommandError when another program has the port: visitors would meet that one instead of us."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do it: an address that has just been given up counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is busy: another program listens there. "
                f"Stop it, or choose another port: PORT={port + 1} make run"
            ) from None
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}. See HOST and PORT.") from None


@contextmanager
def only_here(path: Path) -> Iterator[int]:
    """Hold the lock of this folder: two Redis servers on the same data would destroy it. Raises CommandError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LOCK_SECONDS
    with path.open("a+") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                # A holder who lives means to stay. A dead one has left programs that are stopping: they are quick.
                if Path(f"/proc/{holder}").exists():
                    raise CommandError(
                        f"The site already runs from this folder (process {holder}). Stop that one first."
                    ) from None
                if time.monotonic() > deadline:
                    raise CommandError(
                        "Programs that an earlier start left behind have not stopped yet. "
                        f"They hold {path}; fuser, with that name, shows which."
                    ) from None
                time.sleep(0.1)
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


def children_environment(port: int, redis_socket: Path) -> dict[str, str]:
    """Our own environment, with the addresses that it leaves open."""
    return {
        **os.environ,
        "SITE_URL": os.environ.get("SITE_URL") or f"http://localhost:{port}",
        "REDIS_URL": os.environ.get("REDIS_URL") or embedded_redis.url(redis_socket),
        "PYTHONUNBUFFERED": "1",
    }


def start_redis(tree: ProcessTree, *, folder: Path, socket_path: Path) -> None:
    """Start our own Redis and wait until it has loaded its data. Raises NoRedisServer."""
    embedded_redis.make_private(folder)
    server = embedded_redis.find_server()
    redis = Program("redis", embedded_redis.command(server, folder=folder, socket_path=socket_path))
    tree.start(redis)
    wait_for(tree, redis, lambda: embedded_redis.answers(socket_path), what="did not answer")


def wait_for(tree: ProcessTree, program: Program, ready: Callable[[], bool], *, what: str) -> None:
    """Wait for a program that runs to be of use, but not for ever. Raises ProgramFailed."""
    deadline = time.monotonic() + START_SECONDS

    def ready_or_late() -> bool:
        if time.monotonic() > deadline:
            raise ProgramFailed(
                f"{program.name} runs, but {what} in {START_SECONDS} seconds. "
                f"The end of {tree.log_of(program)}:\n{tree.tail_of(program)}"
            )
        return ready()

    tree.wait(ready_or_late)


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def web_server(host: str, port: int) -> Program:
    # Without --respawn-failed-workers the whole server ends with the first worker that does.
    return Program(
        "web",
        [
            *(sys.executable, "-m", "granian", "webinar_site.wsgi:application"),
            *("--interface", "wsgi", "--host", host, "--port", str(port)),
            *("--workers", str(min(2, os.cpu_count() or 1)), "--blocking-threads", "4"),
            "--respawn-failed-workers",
        ],
    )


def worker() -> Program:
    return Program(
        "worker",
        [
            *(sys.executable, "-m", "celery", "-A", "webinar_site", "worker"),
            *("--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
            # A worker that sends heartbeats never ends when Redis has gone before it.
            "--without-heartbeat",
        ],
        # It may finish what it holds, and puts back what takes longer.
        patience_seconds=settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 5,
        stops_its_own_children=True,
    )


def beat() -> Program:
    return Program(
        "beat",
        [
            *(sys.executable, "-m", "celery", "-A", "webinar_site", "beat", "--loglevel", "INFO"),
            *("--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile", ""),
        ],
    )


def answers(host: str, port: int) -> bool:
    """Whether the site says that it is well."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    visit = http.client.HTTPConnection(everywhere.get(host, host), port, timeout=2)
    try:
        # By the name that it is known by: it answers to no other.
        visit.request("GET", "/healthz", headers={"Host": urlsplit(settings.SITE_URL).netloc})
        return visit.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        visit.close()


def demo_login_works() -> bool:
    """Whether the demonstration's organizer is there and has kept the password."""
    try:
        organizer = get_user_model()._default_manager.filter(email=DEMO_ORGANIZER_EMAIL).first()
        return organizer is not None and organizer.check_password(DEMO_ORGANIZER_PASSWORD)
    finally:
        connection.close()
