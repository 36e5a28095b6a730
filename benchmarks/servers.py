"""Private servers for one run: a PostgreSQL that waits for the disk as in production, a Redis, an SMTP sink."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from webinar_site import embedded_redis

START_SECONDS = 30
ROOT = Path(__file__).resolve().parent.parent


def find_postgres(name: str) -> str:
    """One of PostgreSQL's programs; Debian keeps them off the PATH, by version."""
    found = shutil.which(name) or next(
        iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), ""
    )
    if not found:
        sys.exit(f"This needs PostgreSQL's {name}.")
    return str(found)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A new cluster, reached through a socket in its folder; yields its DATABASE_URL."""
    home = folder / "postgres"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    data = home / "data"
    _as_postgres(
        find_postgres("initdb"), "--pgdata", str(data), "--username", "postgres", "--auth", "trust", "-E", "UTF8"
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={home}"
    control = [find_postgres("pg_ctl"), "--pgdata", str(data), "--log", str(home / "log"), "--wait"]
    _as_postgres(*control, "--options", options, "start")
    try:
        _as_postgres(find_postgres("createdb"), "--host", str(home), "--username", "postgres", "webinar_site")
        yield f"postgres://postgres@/webinar_site?host={home}"
    finally:
        _as_postgres(*control, "--mode", "immediate", "stop")


def postgres_process(folder: Path) -> int:
    """The process that all others of the cluster were started by."""
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def bare_insert(folder: Path) -> Path:
    """What registrations are measured beside, for `pgbench`: one row, inserted and committed. Makes its table, too."""
    script = folder / "insert.sql"
    script.write_text("INSERT INTO bare (name, at) VALUES ('A visitor', now());\n")
    _psql(folder, "CREATE TABLE bare (id bigserial PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL)")
    return script


def pgbench(script: Path, *, folder: Path, clients: int, seconds: int) -> float:
    """Transactions per second of a script, by PostgreSQL's own benchmark client."""
    done = subprocess.run(
        [
            *(find_postgres("pgbench"), "--no-vacuum", "--protocol", "prepared", "--file", str(script)),
            *("--client", str(clients), "--jobs", "2", "--time", str(seconds)),
            *("--host", str(folder / "postgres"), "--username", "postgres", "webinar_site"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split("tps = ")[1].split()[0])


def copy_database(name: str, *, folder: Path) -> None:
    """Another database with the same in it. Nobody may be at work in the first."""
    _as_postgres(
        find_postgres("createdb"),
        *("--host", str(folder / "postgres"), "--username", "postgres", "--template", "webinar_site", name),
    )


def _psql(folder: Path, command: str) -> None:
    _as_postgres(
        find_postgres("psql"),
        *("--host", str(folder / "postgres"), "--username", "postgres", "--command", command, "webinar_site"),
    )


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis on a socket; yields its REDIS_URL."""
    home = folder / "redis"
    embedded_redis.make_private(home)
    socket_path = home / "redis.sock"
    command = embedded_redis.command(embedded_redis.find_server(), folder=home, socket_path=socket_path)
    with running(command, log=home / "log", ready=lambda: embedded_redis.answers(socket_path)):
        yield embedded_redis.url(socket_path)


@contextlib.contextmanager
def smtp_sink(folder: Path, *, delay_seconds: float) -> Iterator[int]:
    """An SMTP server in a process of its own that takes everything, after a while; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.sink", str(port), str(delay_seconds)]
    with running(command, log=folder / f"sink-{port}.log", ready=lambda: listens(port)):
        yield port


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, ready: Callable[[], bool], environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """A program, from when it is ready to the end of the block; yields its process id.

    `environment` is what it is told beside our own.
    """
    environ = {**os.environ, **(environment or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(port: int, path: str) -> bool:
    """Whether the web server says 200 there."""
    visit = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        visit.request("GET", path)
        return visit.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        visit.close()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _as_postgres(*command: str) -> None:
    """PostgreSQL refuses to run as root, and its user cannot enter the folder that we are in."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)
