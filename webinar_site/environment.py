"""Typed values from the environment, and one sentence for each that is wrong.

Nothing here knows Django's settings module, so that it can be tested by itself.
"""

import contextlib
import os
import secrets
import zoneinfo
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env
from environs.exceptions import EnvError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def read_bool(env: Env, name: str) -> bool | None:
    """True or false as written, None where nothing is. Raises ImproperlyConfigured for anything else."""
    if not env.str(name, ""):
        return None
    try:
        return env.bool(name)
    except EnvError as error:
        raise ImproperlyConfigured(f"{name} must be true or false, not {env.str(name)!r}.") from error


def read_site_url(env: Env, default: str) -> str:
    """The address under which people reach the site, without a trailing slash."""
    value = (env.str("SITE_URL", "") or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"SITE_URL must be a scheme and a host such as https://webinars.example.org, not {value!r}."
        )
    return value


def is_loopback(site_url: str) -> bool:
    """Whether the address can be reached from this machine only."""
    return urlsplit(site_url).hostname in LOOPBACK_HOSTS


def read_time_zone(env: Env, default: str) -> str:
    """An IANA zone name that the installed rules know."""
    value = env.str("TIME_ZONE", "") or default
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"TIME_ZONE must be an IANA name such as Europe/London, not {value!r}.") from error
    return value


def read_language(env: Env, default: str, known: list[str]) -> str:
    """A language code that the site has words for."""
    value = env.str("LANGUAGE_CODE", "") or default
    if value not in known:
        raise ImproperlyConfigured(f"LANGUAGE_CODE must be one of {', '.join(known)}, not {value!r}.")
    return value


def read_url(env: Env, name: str, schemes: tuple[str, ...]) -> str:
    """A URL with one of the schemes, or the empty string where nothing is given."""
    value = env.str(name, "")
    if value and urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(s + '://' for s in schemes)}.")
    return value


def celery_broker_url(redis_url: str) -> str:
    """A Redis address as Celery spells it: the database of a socket is its virtual host there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


def check_address(name: str, value: str) -> str:
    """A mail address, with or without a name before it, as a From header has it."""
    if "@" not in parseaddr(value)[1] or any(mark in value for mark in "\r\n"):
        raise ImproperlyConfigured(f"{name} must be an address such as Webinars <webinars@example.org>, not {value!r}.")
    return value


def require(missing: list[str]) -> None:
    """Stop the start, naming everything that production needs and does not have."""
    if missing:
        raise ImproperlyConfigured(
            f"Production needs {', '.join(missing)}. "
            "Nothing secret has a default there; see the table of settings in the README."
        )


def kept_secret(path: Path) -> str:
    """A key made for this checkout at its first start and kept beside its data. Safe to call from many processes."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        # A hard link, unlike a rename, leaves alone what another process was quicker to put there.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()
