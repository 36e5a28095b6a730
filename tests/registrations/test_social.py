"""Signing in with somebody else's accounts: off, unless the settings name a provider. Then: with_providers.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.test import Client
from django.urls import NoReverseMatch, reverse

ROOT = Path(__file__).resolve().parent.parent.parent
GITHUB = {"GITHUB_CLIENT_ID": "site-at-github", "GITHUB_CLIENT_SECRET": "secret"}
GOOGLE = {"GOOGLE_CLIENT_ID": "site-at-google", "GOOGLE_CLIENT_SECRET": "secret"}


def run(*command: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The site started anew, since what is installed is decided at the start."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db
def test_nobody_elses_accounts_are_offered_by_themselves() -> None:
    page = Client().get(reverse("account_login")).content.decode()

    assert not apps.is_installed("allauth.socialaccount")
    assert "Sign in with G" not in page
    with pytest.raises(NoReverseMatch):
        reverse("socialaccount_connections")


def test_with_providers_the_site_starts(tmp_path: Path) -> None:
    checked = run("manage.py", "check", folder=tmp_path, SOCIAL_PROVIDERS="google, github", **GITHUB, **GOOGLE)

    assert checked.returncode == 0, checked.stderr


def test_a_provider_that_is_half_set_stops_the_start(tmp_path: Path) -> None:
    started = run("manage.py", "check", folder=tmp_path, SOCIAL_PROVIDERS="google, github", **GOOGLE)

    assert started.returncode != 0
    assert started.stderr.strip().endswith("GITHUB_CLIENT_ID must be set. github gives it out.")


def test_with_providers_installed_all_of_it_holds(tmp_path: Path) -> None:
    """Runs the tests of with_providers.py where every provider that the settings know is installed, with its tables."""
    names = ("discord", "github", "gitlab", "google", "microsoft", "slack", "yahoo")
    given = {f"{name.upper()}_CLIENT_{part}": f"{name} {part}" for name in names for part in ("ID", "SECRET")}
    tests = ("-m", "pytest", "tests/registrations/with_providers.py", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")

    tested = run(*tests, folder=tmp_path, SOCIAL_PROVIDERS=",".join(names), **given)

    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
