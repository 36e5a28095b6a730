import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from webinar_site import environment

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def env() -> Env:
    return Env()


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("1", True), ("False", False), ("", None)])
def test_read_bool_takes_what_people_write(monkeypatch, env, written, meant):
    monkeypatch.setenv("DEBUG", written)

    assert environment.read_bool(env, "DEBUG") is meant


def test_read_bool_refuses_what_is_neither(monkeypatch, env):
    monkeypatch.setenv("DEBUG", "perhaps")

    with pytest.raises(ImproperlyConfigured, match="DEBUG must be true or false, not 'perhaps'"):
        environment.read_bool(env, "DEBUG")


@pytest.mark.parametrize(
    ("url", "celerys"),
    [
        ("redis://host:6379/3", "redis://host:6379/3"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_celery_is_told_of_the_same_redis_database(url, celerys):
    assert environment.celery_broker_url(url) == celerys


def test_read_site_url_drops_the_slash_at_the_end(monkeypatch, env):
    monkeypatch.setenv("SITE_URL", "https://webinars.example.org/")

    assert environment.read_site_url(env, default="http://localhost:8000") == "https://webinars.example.org"


@pytest.mark.parametrize(
    "wrong", ["webinars.example.org", "ftp://example.org", "https://", "https://example.org/events"]
)
def test_read_site_url_refuses_what_no_link_can_begin_with(monkeypatch, env, wrong):
    monkeypatch.setenv("SITE_URL", wrong)

    with pytest.raises(ImproperlyConfigured, match="SITE_URL must be"):
        environment.read_site_url(env, default="http://localhost:8000")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8000", True),
        ("http://localhost.example.org", False),
        ("https://webinars.example.org", False),
    ],
)
def test_is_loopback_means_this_machine_only(url, local):
    assert environment.is_loopback(url) is local


def test_read_time_zone_refuses_an_abbreviation_of_nothing(monkeypatch, env):
    monkeypatch.setenv("TIME_ZONE", "Mars/Olympus")

    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE must be an IANA name"):
        environment.read_time_zone(env, default="UTC")


def test_read_language_names_the_ones_that_there_are(monkeypatch, env):
    monkeypatch.setenv("LANGUAGE_CODE", "tlh")

    with pytest.raises(ImproperlyConfigured, match="LANGUAGE_CODE must be one of en, ar, not 'tlh'"):
        environment.read_language(env, default="en", known=["en", "ar"])


def test_read_url_refuses_another_scheme_without_repeating_the_password(monkeypatch, env):
    monkeypatch.setenv("DATABASE_URL", "mysql://user:hunter2@db/name")

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.read_url(env, "DATABASE_URL", ("sqlite", "postgres"))

    assert str(refusal.value) == "DATABASE_URL must begin with one of sqlite://, postgres://."


@pytest.mark.parametrize("wrong", ["nobody", "Webinars <nobody>", "a@example.org\r\nBcc: b@example.org"])
def test_check_address_refuses_what_cannot_stand_in_a_header(wrong):
    with pytest.raises(ImproperlyConfigured, match="DEFAULT_FROM_EMAIL must be an address"):
        environment.check_address("DEFAULT_FROM_EMAIL", wrong)


def test_kept_secret_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "var" / "secret_key"

    first = environment.kept_secret(path)
    second = environment.kept_secret(path)

    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


# ---------- the settings as a whole, each in a process of its own ----------


def load_settings(**given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from webinar_site import settings; print(settings.PRODUCTION, settings.DEBUG)"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {
    "SITE_URL": "https://webinars.example.org",
    "SECRET_KEY": "fifty characters that nobody else knows, and then some",
    "DATABASE_URL": "postgres://user:password@db/webinars",
    "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_URL": "smtp+tls://user:password@mail:587",
    "DEFAULT_FROM_EMAIL": "Webinars <webinars@example.org>",
}


def test_settings_of_a_fresh_clone_are_the_trial_without_debug():
    assert load_settings().stdout == "False False\n"


def test_settings_with_an_address_that_others_can_reach_are_production():
    assert load_settings(**PRODUCTION).stdout == "True False\n"


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"SITE_URL"}))
def test_settings_of_production_stop_the_start_without_each_of_the_secrets(name):
    given = {key: value for key, value in PRODUCTION.items() if key != name}

    refused = load_settings(**given)

    assert refused.returncode != 0
    assert f"Production needs {name}." in refused.stderr


def test_settings_with_debug_switched_off_are_production_even_here():
    refused = load_settings(DEBUG="false")

    assert "Production needs SITE_URL, SECRET_KEY, DATABASE_URL" in refused.stderr
