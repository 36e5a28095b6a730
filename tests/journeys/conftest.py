"""A real browser. A page that complains in its console, or asks for something that is not there, fails its test."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser is a service, and slow, so that these start first and the small ones fill the gaps."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.services)
    items.sort(key=lambda item: "journeys" not in item.path.parts)


@pytest.fixture(scope="session")
def base_url(plain_static_files: None, orm_beside_a_loop: None, live_server: LiveServer) -> str:
    """The running site: page.goto("/") goes there. Everything that uses a browser comes by here first."""
    return live_server.url


@pytest.fixture(autouse=True)
def links_lead_to_the_running_site(base_url: str, settings: Settings) -> None:
    settings.SITE_URL = base_url


@pytest.fixture(autouse=True)
def changes_settle_at_once(settings: Settings) -> None:
    """Nobody waits here for an organizer who might change a session once more."""
    settings.UPDATES_SETTLE = timedelta(0)


@pytest.fixture(autouse=True)
def browser_errors(context: BrowserContext) -> Iterator[list[str]]:
    """What went wrong in the browser. A test that provokes it on purpose compares and clears the list."""
    errors: list[str] = []
    context.on("console", lambda said: errors.append(f"console: {said.text}") if said.type == "error" else None)
    context.on("weberror", lambda thrown: errors.append(f"script: {thrown.error}"))
    context.on(
        "response",
        lambda answer: errors.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None,
    )
    context.on(
        "requestfailed",
        # A download, or a click before the page was complete, breaks off what was under way.
        lambda request: (
            errors.append(f"{request.failure}: {request.url}") if request.failure != "net::ERR_ABORTED" else None
        ),
    )
    yield errors
    assert errors == []
