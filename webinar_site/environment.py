"""Typed values from the environment, and one sentence for each that is wrong.

Nothing here knows Django's settings module, so that it can be tested by itself.
"""

import contextlib
import ipaddress
import os
import re
import secrets
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from environs import Env
from environs.exceptions import EnvError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

MIN_SECRET_KEY_LENGTH = 32
MIN_WEBHOOK_PASSWORD_LENGTH = 16
DATABASE_SCHEMES = ("postgres", "postgresql", "sqlite")
DATABASE_EXAMPLE = "postgres://user:password@host:5432/name"
REDIS_SCHEMES = ("redis", "rediss", "unix")
REDIS_EXAMPLE = "redis://host:6379/0 or unix:///path?db=0"
# Scheme: the port where none is given.
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
MAIL_EXAMPLE = "smtp+tls://user:password@host:587"

IMAP_PORTS = {"imaps": 993, "imap+tls": 143, "imap": 143}
IMAP_EXAMPLE = "imaps://user:password@host:993/INBOX"

# allauth's names of those that need an id and a secret, and nothing else, to sign people in (OAuth 2).
SOCIAL_PROVIDERS = ("discord", "github", "gitlab", "google", "microsoft", "slack", "yahoo")

_IN_A_PASSWORD = "(in a password, write @ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25)"  # noqa: S105 - says how

# A name, with a dot before it for everything below that name, or an address. No scheme, no port, no wildcard.
_HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)

# One name or several with dots between them (RFC 6376 3.1).
_SELECTOR = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


@dataclass(frozen=True)
class MailServer:
    """What EMAIL_URL says, in the words of Django's settings."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls_from_the_start: bool


@dataclass(frozen=True)
class ImapServer:
    """What IMAP_URL says: the mailbox that calendars answer to."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    starttls: bool
    tls_from_the_start: bool


@dataclass(frozen=True)
class SocialProvider:
    """Somebody else's accounts that people may sign in with, and by what this site is known there."""

    name: str
    client_id: str
    client_secret: str


def read_bool(env: Env, name: str) -> bool | None:
    """True or false as written, None where nothing is. Raises ImproperlyConfigured for anything else."""
    if not env.str(name, ""):
        return None
    try:
        return env.bool(name)
    except EnvError as error:
        raise ImproperlyConfigured(f"{name} must be true or false, not {env.str(name)!r}.") from error


def read_seconds(env: Env, name: str, default: int, *, most: int) -> timedelta:
    """A whole number of seconds, from none to that many."""
    value = env.str(name, "") or str(default)
    if not (value.isascii() and value.isdecimal() and int(value) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number of seconds from 0 to {most}, not {value!r}.")
    return timedelta(seconds=int(value))


def read_site_url(env: Env, default: str) -> str:
    """The address under which people reach the site, without a trailing slash."""
    value = (env.str("SITE_URL", "") or default).rstrip("/")
    wrong = f"SITE_URL must be a scheme and a host such as https://webinars.example.org, not {value!r}."
    parts = _split(value, wrong)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ImproperlyConfigured(wrong)
    if parts.path or "?" in value or "#" in value:
        raise ImproperlyConfigured(wrong)
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


def read_hosts(env: Env, always: Collection[str]) -> list[str]:
    """The host names that the site answers to, as Django compares them: `always`, and those of ALLOWED_HOSTS."""
    given = [host.strip() for host in env.str("ALLOWED_HOSTS", "").split(",") if host.strip()]
    for host in given:
        if not _HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS must be host names with commas between them, such as www.example.org, not {host!r}."
            )
    return sorted({f"[{host}]" if ":" in host and host[0] != "[" else host for host in (*always, *given)})


def read_domains(env: Env, name: str) -> list[str]:
    """Domains of mail addresses, with commas between them, in one letter case; none where it is not set."""
    domains = [domain.strip().lower() for domain in env.str(name, "").split(",") if domain.strip()]
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise ImproperlyConfigured(
                f"{name} must be domains with commas between them, such as example.org, not {domain!r}."
            )
    return domains


def read_selectors(env: Env, name: str) -> list[str]:
    """Selectors of DKIM, with commas between them, in one letter case; none where it is not set."""
    selectors = [selector.strip().lower() for selector in env.str(name, "").split(",") if selector.strip()]
    for selector in selectors:
        if not _SELECTOR.fullmatch(selector):
            raise ImproperlyConfigured(
                f"{name} must be selectors with commas between them, such as mail2026, not {selector!r}."
            )
    return list(dict.fromkeys(selectors))


def read_name_servers(env: Env, name: str) -> list[str]:
    """Numbers of machines that answer for the DNS, with commas between them; none where it is not set."""
    addresses = [address.strip() for address in env.str(name, "").split(",") if address.strip()]
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must be IP addresses with commas between them, such as 192.0.2.53, not {address!r}."
            ) from None
    return addresses


def read_database_url(env: Env) -> str:
    """Where the database is, or the empty string where nothing is given."""
    value, parts = _read_url(env, "DATABASE_URL", DATABASE_SCHEMES, DATABASE_EXAMPLE)
    if value and not parts.path.strip("/"):
        raise ImproperlyConfigured(f"DATABASE_URL names no database. Example: {DATABASE_EXAMPLE}")
    return value


def read_redis_url(env: Env) -> str:
    """Where the broker is, or the empty string where nothing is given."""
    value, parts = _read_url(env, "REDIS_URL", REDIS_SCHEMES, REDIS_EXAMPLE)
    if not value:
        return ""
    if not (parts.path.strip("/") if parts.scheme == "unix" else parts.hostname):
        raise ImproperlyConfigured(f"REDIS_URL names no Redis. Example: {REDIS_EXAMPLE}")
    number = _redis_database(parts)
    if not re.fullmatch("[0-9]*", number):
        raise ImproperlyConfigured(f"REDIS_URL must name its database by a number. Example: {REDIS_EXAMPLE}")
    return value


def read_mail_server(env: Env) -> MailServer | None:
    """The mail server of EMAIL_URL, or None where nothing is given."""
    value, parts = _read_url(env, "EMAIL_URL", tuple(MAIL_PORTS), MAIL_EXAMPLE)
    if not value:
        return None
    if not parts.hostname:
        raise ImproperlyConfigured(f"EMAIL_URL names no mail server. Example: {MAIL_EXAMPLE}")
    # Taken in silence, a "?tls=true" would send the password in the clear.
    if parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(f"EMAIL_URL must end with the host and its port. Example: {MAIL_EXAMPLE}")
    return MailServer(
        host=parts.hostname,
        port=parts.port or MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls_from_the_start=parts.scheme == "smtp+ssl",
    )


def read_imap_server(env: Env) -> ImapServer | None:
    """The mailbox of IMAP_URL, or None where nothing is given. Without TLS it must be on this machine."""
    value, parts = _read_url(env, "IMAP_URL", tuple(IMAP_PORTS), IMAP_EXAMPLE)
    if not value:
        return None
    if not parts.hostname:
        raise ImproperlyConfigured(f"IMAP_URL names no mail server. Example: {IMAP_EXAMPLE}")
    if not parts.username or not parts.password:
        raise ImproperlyConfigured(f"IMAP_URL names no user and password. Example: {IMAP_EXAMPLE}")
    if parts.query:
        raise ImproperlyConfigured(f"IMAP_URL must end with the host, its port and a folder. Example: {IMAP_EXAMPLE}")
    if parts.scheme == "imap" and parts.hostname not in LOOPBACK_HOSTS:
        raise ImproperlyConfigured(
            "IMAP_URL would send the password in the clear: imaps:// or imap+tls:// encrypts. "
            "Only a server on this machine is spoken to without."
        )
    return ImapServer(
        host=parts.hostname,
        port=parts.port or IMAP_PORTS[parts.scheme],
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        starttls=parts.scheme == "imap+tls",
        tls_from_the_start=parts.scheme == "imaps",
    )


def read_anymail(environ: Mapping[str, str]) -> dict[str, str]:
    """Anymail's settings: what stands in ANYMAIL_… variables, by the names that its documentation has."""
    given = {name.removeprefix("ANYMAIL_"): value for name, value in environ.items() if name.startswith("ANYMAIL_")}
    secret = given.get("WEBHOOK_SECRET", "")
    user, _colon, password = secret.partition(":")
    if secret and not (user and len(password) >= MIN_WEBHOOK_PASSWORD_LENGTH):
        raise ImproperlyConfigured(
            "ANYMAIL_WEBHOOK_SECRET must be a name and a password with a colon between them, and the password have at "
            f"least {MIN_WEBHOOK_PASSWORD_LENGTH} characters: whoever guesses it can answer for everybody."
        )
    return given


def _read_url(env: Env, name: str, schemes: tuple[str, ...], example: str) -> tuple[str, SplitResult]:
    """The value as written, and its parts. What is refused is not repeated: it may hold a password."""
    value = env.str(name, "")
    parts = _split(value, cannot_be_read(name, example))
    if value and parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(s + '://' for s in schemes)}.")
    if parts.fragment:
        raise ImproperlyConfigured(cannot_be_read(name, example))
    return value, parts


def cannot_be_read(name: str, example: str) -> str:
    """The sentence about an address whose parts cannot be told from one another."""
    return f"{name} cannot be read. Example: {example} {_IN_A_PASSWORD}"


def _split(value: str, refusal: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        # Read for its own sake: a port that is no number shows here alone.
        _ = parts.port
    except ValueError:
        raise ImproperlyConfigured(refusal) from None
    return parts


def celery_broker_url(redis_url: str) -> str:
    """A Redis address as Celery spells it: the database of a socket is its virtual host there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


def cache_url(redis_url: str) -> str:
    """The next database of the same Redis: emptying a cache must never empty the broker's queue."""
    parts = urlsplit(redis_url)
    number = str(int(_redis_database(parts) or 0) + 1)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "unix" or "db" in query:
        # By hand, since urlunsplit leaves out the slashes of a scheme that it does not know.
        return f"{redis_url.partition('?')[0]}?{urlencode(query | {'db': number})}"
    return parts._replace(path=f"/{number}").geturl()


def _redis_database(parts: SplitResult) -> str:
    """The database's number as written. In a socket's address the path is the socket's."""
    in_query = parse_qs(parts.query).get("db", [""])[-1]
    return in_query if parts.scheme == "unix" else in_query or parts.path.strip("/")


def read_social_providers(env: Env) -> list[SocialProvider]:
    """With whose accounts people may sign in, as SOCIAL_PROVIDERS names them; none where it is not set."""
    names = [name.strip().lower() for name in env.str("SOCIAL_PROVIDERS", "").split(",") if name.strip()]
    for name in names:
        if name not in SOCIAL_PROVIDERS:
            raise ImproperlyConfigured(f"SOCIAL_PROVIDERS must be some of {', '.join(SOCIAL_PROVIDERS)}, not {name!r}.")
    return [
        SocialProvider(
            name=name,
            client_id=_required_for_provider(env, f"{name.upper()}_CLIENT_ID", name),
            client_secret=_required_for_provider(env, f"{name.upper()}_CLIENT_SECRET", name),
        )
        for name in dict.fromkeys(names)
    ]


def _required_for_provider(env: Env, variable: str, name: str) -> str:
    value = env.str(variable, "")
    if not value:
        raise ImproperlyConfigured(f"SOCIAL_PROVIDERS names {name}, so {variable} must be set. {name} gives it out.")
    return value


def read_folder(env: Env, name: str, default: Path) -> Path:
    """A folder that is there or can be made, and written to."""
    folder = Path(env.str(name, "") or default)
    if not folder.is_absolute():
        raise ImproperlyConfigured(
            f"{name} must be an absolute path such as /var/lib/webinar-site/media, not {str(folder)!r}."
        )
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} must be a folder that this user can write to, unlike {str(folder)!r}.")
    return folder


def check_address(name: str, value: str) -> str:
    """A mail address, with or without a name before it, as a From header has it."""
    wrong = f"{name} must be an address such as Webinars <webinars@example.org>, not {value!r}."
    if any(mark in value for mark in "\r\n"):
        raise ImproperlyConfigured(wrong)
    try:
        validate_email(parseaddr(value)[1])
    except ValidationError:
        raise ImproperlyConfigured(wrong) from None
    return value


def require(missing: list[str]) -> None:
    """Stop the start, naming everything that production needs and does not have."""
    if missing:
        raise ImproperlyConfigured(
            f"Production needs {', '.join(missing)}. "
            "Nothing secret has a default there; see the table of settings in the README."
        )


def refuse_unsafe(*, debug: bool, secret_key: str) -> None:
    """Stop the start of a production that would show its settings to visitors, or whose key could be guessed."""
    if debug:
        raise ImproperlyConfigured(
            "DEBUG=true shows settings and program to every visitor, so it works with a SITE_URL on this machine alone."
        )
    if len(secret_key) < MIN_SECRET_KEY_LENGTH:
        raise ImproperlyConfigured(
            f"SECRET_KEY must have at least {MIN_SECRET_KEY_LENGTH} characters, not {len(secret_key)}: "
            "whoever guesses it can open everybody's registration."
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
