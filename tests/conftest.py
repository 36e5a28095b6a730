"""What every test has at hand."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.urls import resolve
from django.utils import translation
from pytest_django import Settings

from events import limits

pytest_plugins = ["tests.browser", "tests.dns_server", "tests.servers"]


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Each test begins in the site's own language: a request leaves its own behind, and the next changes it."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_kept_pages(settings: Settings) -> None:
    """Pages are read anew each time, since tests change rows behind the site's back. Those of the cache turn it on."""
    settings.PAGES_REDIS_URL = ""


@pytest.fixture(autouse=True)
def typists_are_fast(settings: Settings) -> None:
    """Tests fill in forms in no time."""
    settings.FORM_TAKES_AT_LEAST = timedelta(0)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Nobody has done anything too often yet."""
    limits.forget()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database goes in the end also where a program that a test has just ended is still connected to it."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(scope="session", autouse=True)
def addresses_of_the_trial() -> None:
    """A process reads its addresses once: before any test says that there is a mail server, and so no mailbox."""
    resolve("/")


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Styles and scripts straight from their sources, by their own names: nothing has to be collected first."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES={**settings.STORAGES, "staticfiles": plain},
        WHITENOISE_AUTOREFRESH=True,
        WHITENOISE_USE_FINDERS=True,
    ):
        yield
