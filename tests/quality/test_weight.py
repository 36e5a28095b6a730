"""What the landing page weighs on its way into a real browser, from the web server that production runs.

Styles and scripts are collected, hashed and compressed, and the page is kept and compressed, as they are there.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from playwright.sync_api import Browser, CDPSession
from pytest_django import Settings

from registrations import tokens
from registrations.models import Registration
from tests.servers import wait_until
from webinar_site.demonstration.loading import load_demonstration

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "static"
# The demonstration's first webinar, with everything that its original carried; and the one with sessions to come.
PATHS = ("/webinars/central-asia-border-challenges/", "/webinars/caspian-border-challenges/")
UP_SECONDS = 60
NOT_SERVED = (".git", ".venv", "var", "staticfiles", "node_modules", "__pycache__", ".*_cache", ".hypothesis", "tests")

# Asked for because of what an organizer wrote or uploaded.
OF_ITS_CONTENT = r"/media/|/fonts/commissioner-(?:cyrillic|greek|latin-ext)\."

MOST_BYTES = 100_000
MOST_BYTES_WITHOUT_FONTS = 40_000
MOST_REQUESTS = 8
MOST_STYLE = 25_000
MOST_SCRIPT = 10_000


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what runs, with its static files collected."""
    copy = tmp_path_factory.mktemp("weight") / "site"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_SERVED))
    collect = [*(sys.executable, "manage.py", "collectstatic"), "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=copy, env=own_environment(), check=True)
    return copy


def own_environment(**settings: str) -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | settings


@pytest.fixture
def site(
    transactional_db: None, redis_broker: str, checkout: Path, tmp_path: Path, settings: Settings
) -> Iterator[str]:
    """The demonstration on granian; where it answers."""
    assert connection.vendor == "postgresql", "Another process cannot see an SQLite in memory. Use scripts/test."
    settings.MEDIA_ROOT = tmp_path / "media"
    load_demonstration(now=datetime.now(UTC))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    granian = [*(sys.executable, "-m", "granian", "webinar_site.wsgi:application", "--interface", "wsgi")]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [*granian, "--host", "127.0.0.1", "--port", str(port)],
        cwd=checkout,
        env=own_environment(
            DATABASE_URL=database,
            REDIS_URL=redis_broker,
            MEDIA_ROOT=str(settings.MEDIA_ROOT),
            SITE_URL=url,
            SECRET_KEY=settings.SECRET_KEY,
        ),
        stdout=log,
        stderr=log,
    )
    try:
        wait_until(lambda: process.poll() is not None or answers(f"{url}/healthz"), seconds=UP_SECONDS)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


@dataclass
class Loaded:
    """One file as it came over the wire, its headers counted."""

    url: str
    kind: str
    size: int = 0

    @property
    def is_font(self) -> bool:
        return self.kind == "Font"


def load(browser: Browser, url: str) -> list[Loaded]:
    """What a browser asks for that has never been here, but for pictures of people and other alphabets than the Latin.

    Those come where the page has words in them: ours are in one, organizers write in any.
    """
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    network: CDPSession = context.new_cdp_session(page)
    loaded: dict[str, Loaded] = {}

    def begin(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            loaded[event["requestId"]] = Loaded(event["request"]["url"], event.get("type", ""))

    def end(event: dict[str, Any]) -> None:
        if event["requestId"] in loaded:
            loaded[event["requestId"]].size = int(event["encodedDataLength"])

    network.on("Network.requestWillBeSent", begin)
    network.on("Network.loadingFinished", end)
    network.send("Network.enable")
    network.send("Network.setBlockedURLs", {"urls": ["*/media/*"]})
    page.goto(url, wait_until="networkidle")
    context.close()
    return [file for file in loaded.values() if not re.search(OF_ITS_CONTENT, file.url)]


@pytest.mark.parametrize("path", PATHS)
def test_landing_page_is_light(browser: Browser, site: str, path: str) -> None:
    files = load(browser, f"{site}{path}")

    told = "\n".join(f"{file.size:>7} {file.kind:<12} {file.url}" for file in files)
    assert all(file.size for file in files), told
    assert {urlsplit(file.url).netloc for file in files} == {urlsplit(site).netloc}, told
    assert len(files) <= MOST_REQUESTS, told
    assert sum(file.size for file in files) <= MOST_BYTES, told
    assert sum(file.size for file in files if not file.is_font) <= MOST_BYTES_WITHOUT_FONTS, told
    assert [file.kind for file in files].count("Font") == 1, told


def test_what_is_the_same_for_all_is_compressed_and_what_is_ones_own_is_not(site: str) -> None:
    own = tokens.manage_token(Registration.objects.earliest("pk"))

    assert encoding(f"{site}{PATHS[0]}") == "gzip"
    assert encoding(f"{site}/registrations/{own}/") is None
    assert encoding(f"{site}/accounts/login/") is None


def encoding(url: str) -> str | None:
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        found: str | None = answer.headers["Content-Encoding"]
        return found


def test_pictures_of_people_wait_until_they_are_scrolled_to_and_keep_their_place(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}{PATHS[1]}")

    pictures = page.locator("img[src^='/media/']").evaluate_all(
        "pictures => pictures.map(({ src, loading, width, height, attributes }) =>"
        " [src.split('.').pop(), loading, Boolean(attributes.width && attributes.height), width > 0 && height > 0])"
    )
    page.close()

    assert pictures
    assert {tuple(picture) for picture in pictures} == {("webp", "lazy", True, True)}


def test_styles_and_scripts_stay_small() -> None:
    styles = {name: (STATIC / "css" / f"{name}.css").stat().st_size for name in ("tokens", "base", "pages")}
    theme = len(":root{--accent:#0b6b74}\n")
    scripts = [path.stat().st_size for path in (STATIC / "js").glob("*.js")]

    assert sum(styles.values()) + theme < MOST_STYLE, styles
    assert sum(scripts) < MOST_SCRIPT
