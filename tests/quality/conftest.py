"""The gallery, shown once for all tests of a process: as production answers, with its headers and its cookies."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests import gallery
from tests.gallery import SITE, Shown

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "SITE_URL": SITE,
    "SECRET_KEY": "a key that is long enough to be taken, and no secret",
    "DATABASE_URL": "sqlite:////nowhere",
    "REDIS_URL": "redis://localhost",
    "EMAIL_URL": "smtp://localhost",
    "DEFAULT_FROM_EMAIL": "webinars@example.org",
}
# What production decides anew about headers and cookies, whatever it is.
_PRINT = (
    "import json; from django.conf import settings; settings.DEBUG; "
    "print(json.dumps({name: getattr(settings, name) for name in dir(settings) "
    "if name.startswith(('SECURE_', 'SESSION_COOKIE_', 'CSRF_COOKIE_', 'LANGUAGE_COOKIE_', 'X_FRAME')) "
    "or name in ('SITE_URL', 'EMAIL_URL', 'CSRF_TRUSTED_ORIGINS', 'ALLOWED_HOSTS', 'MIDDLEWARE')}))"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is said of pages is said once, where the services are. Who is marked gets a database of the tests' own."""
    for item in items:
        if "quality" in item.path.parts:
            item.add_marker(pytest.mark.services)
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(scope="session", autouse=True)
def database_beside_a_browser(orm_beside_a_loop: None) -> None:
    """Before anything else, since whichever test comes first makes the database."""


@pytest.fixture(scope="session")
def production_settings() -> dict[str, Any]:
    """The settings on which headers and cookies depend, as webinar_site.settings makes them for production."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-c", _PRINT],
        env={**kept, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "webinar_site.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="session")
def gallery_settings(
    plain_static_files: None,
    silent_broker: None,
    production_settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What the gallery is shown under: production, but for what would make it slow or keep what it shows."""
    return {
        **production_settings,
        "ROOT_URLCONF": "tests.gallery_urls",
        "MEDIA_ROOT": tmp_path_factory.mktemp("media"),
        "PAGES_REDIS_URL": "",
        "FORM_TAKES_AT_LEAST": timedelta(0),
        # Half of the gallery's time would go into making passwords hard to guess.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    }


@pytest.fixture(scope="session")
def shown(
    gallery_settings: dict[str, Any], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> dict[tuple[str, str], Shown]:
    """Every page of the gallery in every language, by its name and its language."""
    # Only while they are made: other tests run in this process before the session ends.
    with override_settings(**gallery_settings), django_db_blocker.unblock():
        return {(page.entry.name, page.language): page for page in gallery.show_all()}
