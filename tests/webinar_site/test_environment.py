import os
import stat
import subprocess
import sys
from datetime import timedelta
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


GOOGLE = {"GOOGLE_CLIENT_ID": "site-at-google", "GOOGLE_CLIENT_SECRET": "secret"}


def test_read_social_providers_takes_each_once_in_the_order_given(monkeypatch, env):
    given = {"SOCIAL_PROVIDERS": " GitHub,google, github", "GITHUB_CLIENT_ID": "id", "GITHUB_CLIENT_SECRET": "secret"}
    for name, value in {**given, **GOOGLE}.items():
        monkeypatch.setenv(name, value)

    assert environment.read_social_providers(env) == [
        environment.SocialProvider("github", "id", "secret"),
        environment.SocialProvider("google", "site-at-google", "secret"),
    ]


def test_read_social_providers_names_none_by_itself(monkeypatch, env):
    monkeypatch.delenv("SOCIAL_PROVIDERS", raising=False)

    assert environment.read_social_providers(env) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"SOCIAL_PROVIDERS": "google,myspace", **GOOGLE},
            "SOCIAL_PROVIDERS must be some of discord, github, gitlab, google, microsoft, slack, yahoo, not 'myspace'.",
        ),
        (
            {"SOCIAL_PROVIDERS": "github", "GITHUB_CLIENT_SECRET": "secret"},
            "SOCIAL_PROVIDERS names github, so GITHUB_CLIENT_ID must be set. github gives it out.",
        ),
        (
            {"SOCIAL_PROVIDERS": "github", "GITHUB_CLIENT_ID": "id"},
            "SOCIAL_PROVIDERS names github, so GITHUB_CLIENT_SECRET must be set. github gives it out.",
        ),
    ],
)
def test_read_social_providers_refuses_one_that_is_unknown_or_half_set(monkeypatch, env, given, sentence):
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        environment.read_social_providers(env)

    assert str(refused.value) == sentence


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
    "wrong",
    [
        "webinars.example.org",
        "ftp://example.org",
        "https://",
        "https://example.org/events",
        "http://localhost:abc",
        "http://[x",
        "https://me:secret@example.org",
        "https://@example.org",
        "https://example.org#top",
        "https://example.org/#",
        "https://example.org?",
    ],
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


def test_read_database_url_refuses_another_scheme_without_repeating_the_password(monkeypatch, env):
    monkeypatch.setenv("DATABASE_URL", "mysql://user:hunter2@db/name")

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.read_database_url(env)

    assert str(refusal.value) == "DATABASE_URL must begin with one of postgres://, postgresql://, sqlite://."


@pytest.mark.parametrize(
    ("name", "read", "wrong", "sentence"),
    [
        ("DATABASE_URL", environment.read_database_url, "postgres://user:hun#ter2@db/name", "DATABASE_URL cannot be"),
        ("DATABASE_URL", environment.read_database_url, "postgres://user:hun[ter2@db/name", "DATABASE_URL cannot be"),
        ("DATABASE_URL", environment.read_database_url, "postgres://user:hun/ter2@db/name", "DATABASE_URL cannot be"),
        ("DATABASE_URL", environment.read_database_url, "postgres://user:hunter2@db", "DATABASE_URL names no database"),
        ("DATABASE_URL", environment.read_database_url, "sqlite://name.sqlite3", "DATABASE_URL names no database"),
        ("REDIS_URL", environment.read_redis_url, "http://host", "REDIS_URL must begin with one of redis://"),
        ("REDIS_URL", environment.read_redis_url, "redis://", "REDIS_URL names no Redis"),
        ("REDIS_URL", environment.read_redis_url, "unix://", "REDIS_URL names no Redis"),
        ("REDIS_URL", environment.read_redis_url, "redis://host:port/0", "REDIS_URL cannot be read"),
        ("REDIS_URL", environment.read_redis_url, "redis://host/first", "REDIS_URL must name its database by a number"),
        ("EMAIL_URL", environment.read_mail_server, "mail.example.org:587", "EMAIL_URL must begin with one of smtp://"),
        ("EMAIL_URL", environment.read_mail_server, "smtp+tls://user:hunter2@", "EMAIL_URL names no mail server"),
        ("EMAIL_URL", environment.read_mail_server, "smtp://user:hunter2@host:mail", "EMAIL_URL cannot be read"),
        ("EMAIL_URL", environment.read_mail_server, "smtp://host:587?tls=true", "EMAIL_URL must end with the host"),
        ("IMAP_URL", environment.read_imap_server, "mail.example.org:993", "IMAP_URL must begin with one of imaps://"),
        ("IMAP_URL", environment.read_imap_server, "imaps://user:hunter2@", "IMAP_URL names no mail server"),
        ("IMAP_URL", environment.read_imap_server, "imaps://host", "IMAP_URL names no user and password"),
        ("IMAP_URL", environment.read_imap_server, "imaps://user@host", "IMAP_URL names no user and password"),
        ("IMAP_URL", environment.read_imap_server, "imaps://user:hunter2@host:mail", "IMAP_URL cannot be read"),
        ("IMAP_URL", environment.read_imap_server, "imaps://user:hun#ter2@host", "IMAP_URL cannot be read"),
        ("IMAP_URL", environment.read_imap_server, "imaps://user:hunter2@host?tls=no", "IMAP_URL must end with"),
        ("IMAP_URL", environment.read_imap_server, "imap://user:hunter2@host", "IMAP_URL would send the password in"),
    ],
)
def test_addresses_of_servers_are_refused_with_a_sentence_that_tells_no_password(
    monkeypatch, env, name, read, wrong, sentence
):
    monkeypatch.setenv(name, wrong)

    with pytest.raises(ImproperlyConfigured, match=sentence) as refusal:
        read(env)

    assert "ter2" not in str(refusal.value)
    # Nor does the traceback tell it, which would show what was caught on the way.
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls_from_the_start"),
    [
        ("smtp://host", 25, False, False),
        ("smtp+tls://host", 587, True, False),
        ("smtp+ssl://host", 465, False, True),
        ("smtp+tls://host:2525", 2525, True, False),
    ],
)
def test_read_mail_server_encrypts_when_the_scheme_says_so(monkeypatch, env, url, port, starttls, tls_from_the_start):
    monkeypatch.setenv("EMAIL_URL", url)

    server = environment.read_mail_server(env)

    assert server == environment.MailServer("host", port, "", "", starttls, tls_from_the_start)


def test_read_mail_server_takes_a_password_as_it_was_before_it_was_escaped(monkeypatch, env):
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://me%40example.org:a%23b%2Fc@host")

    server = environment.read_mail_server(env)

    assert server is not None
    assert (server.user, server.password) == ("me@example.org", "a#b/c")


@pytest.mark.parametrize(
    ("url", "port", "folder", "starttls", "tls_from_the_start"),
    [
        ("imaps://user:password@host", 993, "INBOX", False, True),
        ("imaps://user:password@host:1993/Replies%2F2026", 1993, "Replies/2026", False, True),
        ("imap+tls://user:password@host/", 143, "INBOX", True, False),
    ],
)
def test_read_imap_server_encrypts_and_looks_into_the_inbox(
    monkeypatch, env, url, port, folder, starttls, tls_from_the_start
):
    monkeypatch.setenv("IMAP_URL", url)

    server = environment.read_imap_server(env)

    assert server == environment.ImapServer("host", port, "user", "password", folder, starttls, tls_from_the_start)


def test_read_imap_server_takes_one_on_this_machine_without_encryption(monkeypatch, env):
    monkeypatch.setenv("IMAP_URL", "imap://me%40example.org:a%23b%2Fc@127.0.0.1:1143")

    server = environment.read_imap_server(env)

    assert server == environment.ImapServer("127.0.0.1", 1143, "me@example.org", "a#b/c", "INBOX", False, False)


def test_read_anymail_takes_its_names_from_the_environment():
    given = {"ANYMAIL_WEBHOOK_SECRET": "mail:0123456789abcdef", "ANYMAIL_MAILGUN_API_KEY": "key", "PATH": "/bin"}

    assert environment.read_anymail(given) == {"WEBHOOK_SECRET": "mail:0123456789abcdef", "MAILGUN_API_KEY": "key"}
    assert environment.read_anymail({}) == {}


@pytest.mark.parametrize("secret", ["0123456789abcdef0123", ":0123456789abcdef", "mail:", "mail:hunter2"])
def test_read_anymail_refuses_a_secret_that_can_be_guessed_and_does_not_repeat_it(secret):
    with pytest.raises(ImproperlyConfigured, match="ANYMAIL_WEBHOOK_SECRET must be a name and a password") as refused:
        environment.read_anymail({"ANYMAIL_WEBHOOK_SECRET": secret})

    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    ("broker", "cache"),
    [
        ("redis://host:6379", "redis://host:6379/1"),
        ("redis://:a%2Cb@host:6379/3", "redis://:a%2Cb@host:6379/4"),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/1?ssl_cert_reqs=none"),
        ("redis://host:6379?db=2", "redis://host:6379?db=3"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=1"),
        ("unix:///run/redis.sock?db=3", "unix:///run/redis.sock?db=4"),
    ],
)
def test_cache_has_the_database_after_the_brokers(broker, cache):
    assert environment.cache_url(broker) == cache


@pytest.mark.parametrize("wrong", ["https://www.example.org", "example.org:8000", "*", "a b", "example.org/"])
def test_read_hosts_refuses_what_is_no_host(monkeypatch, env, wrong):
    monkeypatch.setenv("ALLOWED_HOSTS", f"www.example.org, {wrong}")

    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS must be host names"):
        environment.read_hosts(env, always={"example.org"})


def test_read_hosts_adds_to_those_that_always_are(monkeypatch, env):
    monkeypatch.setenv("ALLOWED_HOSTS", "www.example.org, .example.net,")

    assert environment.read_hosts(env, always={"example.org", "::1"}) == [
        ".example.net",
        "[::1]",
        "example.org",
        "www.example.org",
    ]


def test_read_selectors_takes_each_once_in_one_letter_case(monkeypatch, env):
    monkeypatch.setenv("DKIM_SELECTORS", "Mail2026, s1.example,mail2026,")

    assert environment.read_selectors(env, "DKIM_SELECTORS") == ["mail2026", "s1.example"]


def test_read_selectors_refuses_what_cannot_stand_in_the_dns(monkeypatch, env):
    monkeypatch.setenv("DKIM_SELECTORS", "s1, mail 2026")

    with pytest.raises(ImproperlyConfigured, match=r"DKIM_SELECTORS must be selectors .* 'mail 2026'"):
        environment.read_selectors(env, "DKIM_SELECTORS")


def test_read_name_servers_takes_numbers_and_refuses_names(monkeypatch, env):
    monkeypatch.setenv("NAME_SERVERS", "192.0.2.53, 2001:db8::53")
    given = environment.read_name_servers(env, "NAME_SERVERS")
    monkeypatch.setenv("NAME_SERVERS", "dns.example.org")

    assert given == ["192.0.2.53", "2001:db8::53"]
    with pytest.raises(ImproperlyConfigured, match="NAME_SERVERS must be IP addresses"):
        environment.read_name_servers(env, "NAME_SERVERS")


def test_read_folder_refuses_a_path_that_depends_on_where_one_stands(monkeypatch, env):
    monkeypatch.setenv("MEDIA_ROOT", "media")

    with pytest.raises(ImproperlyConfigured, match="MEDIA_ROOT must be an absolute path such as /var/lib"):
        environment.read_folder(env, "MEDIA_ROOT", default=ROOT)


def test_read_folder_refuses_what_cannot_be_made(monkeypatch, env, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDIA_ROOT", str(tmp_path / "file" / "media"))

    with pytest.raises(ImproperlyConfigured, match="MEDIA_ROOT must be a folder that this user can write to"):
        environment.read_folder(env, "MEDIA_ROOT", default=ROOT)


def test_read_folder_takes_what_is_still_to_be_made(monkeypatch, env, tmp_path):
    monkeypatch.setenv("MEDIA_ROOT", str(tmp_path / "new" / "media"))

    assert environment.read_folder(env, "MEDIA_ROOT", default=ROOT) == tmp_path / "new" / "media"


@pytest.mark.parametrize(
    "wrong", ["nobody", "Webinars <nobody>", "@example.org", "a@", "a@example.org\r\nBcc: b@example.org"]
)
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


def load_settings(show: str = "PRODUCTION, settings.DEBUG", **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from webinar_site import settings; print(settings.{show})"],
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


def test_settings_of_production_stop_the_start_with_debug():
    refused = load_settings(**PRODUCTION, DEBUG="true")

    assert refused.returncode != 0
    assert "DEBUG=true shows settings and program to every visitor" in refused.stderr


@pytest.mark.parametrize("key", ["short", "x" * 31])
def test_settings_of_production_stop_the_start_with_a_key_that_can_be_guessed(key):
    refused = load_settings(**PRODUCTION | {"SECRET_KEY": key})

    assert refused.returncode != 0
    assert f"SECRET_KEY must have at least 32 characters, not {len(key)}" in refused.stderr
    assert f"'{key}'" not in refused.stderr


def test_settings_of_the_trial_may_debug():
    assert load_settings(DEBUG="true").stdout == "False True\n"


def test_settings_with_debug_switched_off_are_production_even_here():
    refused = load_settings(DEBUG="false")

    assert "Production needs SITE_URL, SECRET_KEY, DATABASE_URL" in refused.stderr


def test_settings_of_production_encrypt_the_way_to_the_mail_server():
    assert load_settings("EMAIL_USE_TLS, settings.EMAIL_PORT", **PRODUCTION).stdout == "True 587\n"


def test_settings_look_into_a_mailbox_only_where_one_is_named():
    shown = "CELERY_BEAT_SCHEDULE.get('look-into-mailbox', {}).get('schedule'), settings.IMAP_SERVER is None"

    assert load_settings(shown).stdout == "None True\n"
    assert load_settings(shown, IMAP_URL="imaps://user:password@host").stdout == "60 False\n"


def test_settings_open_the_webhooks_of_providers_only_where_there_is_a_secret():
    shown = "__dict__['INSTALLED_APPS'].count('anymail')"

    assert load_settings(shown).stdout == "0\n"
    assert load_settings(shown, ANYMAIL_MAILGUN_API_KEY="key").stdout == "0\n"
    assert load_settings(shown, ANYMAIL_WEBHOOK_SECRET="mail:0123456789abcdef").stdout == "1\n"


def test_settings_of_production_trust_the_proxy_in_front_and_count_in_the_database_after_the_brokers():
    shown = load_settings("ALLAUTH_TRUSTED_PROXY_COUNT, settings.CACHES['default']['LOCATION']", **PRODUCTION)

    assert shown.stdout == "1 ['redis://redis:6379/1']\n"


def test_settings_of_the_trial_trust_no_proxy_and_count_in_their_own_memory():
    assert load_settings("__dict__.keys() & {'ALLAUTH_TRUSTED_PROXY_COUNT'}").stdout == "set()\n"
    assert "LocMemCache" in load_settings("CACHES['default']['BACKEND']").stdout


def test_settings_refuse_a_database_address_without_showing_its_password():
    refused = load_settings(DATABASE_URL="postgres://user:hunter2/@host/name/x:5432")

    assert refused.returncode != 0
    assert "hunter2" not in refused.stderr
    assert "DATABASE_URL cannot be read" in refused.stderr


def test_settings_keep_links_that_an_earlier_key_has_signed():
    assert load_settings("SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS="older,oldest").stdout == "['older', 'oldest']\n"


@pytest.mark.parametrize("value", ["-1", "5m", "3601", "1.5", "²"])
def test_seconds_that_are_none_stop_the_start(monkeypatch, value):
    monkeypatch.setenv("UPDATES_SETTLE_SECONDS", value)

    with pytest.raises(ImproperlyConfigured, match="a whole number of seconds from 0 to 3600"):
        environment.read_seconds(Env(), "UPDATES_SETTLE_SECONDS", 300, most=3600)


def test_seconds_are_read_and_have_a_default(monkeypatch):
    assert environment.read_seconds(Env(), "UPDATES_SETTLE_SECONDS", 300, most=3600) == timedelta(minutes=5)
    monkeypatch.setenv("UPDATES_SETTLE_SECONDS", "0")
    assert environment.read_seconds(Env(), "UPDATES_SETTLE_SECONDS", 300, most=3600) == timedelta(0)
