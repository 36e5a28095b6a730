"""The cache of production, with a Redis, without one, and with one that does not answer. Above all: signing in."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from django.urls import reverse

from tests.servers import untaken_connections, wait_until
from webinar_site import cache
from webinar_site.cache import SharedCache

TRIES = 5  # with one address, in five minutes: allauth's own limit


@pytest.fixture
def use_redis(settings, monkeypatch) -> Iterator[Callable[[str], BaseCache]]:
    """Makes the Redis at an address the site's cache, and returns that."""
    monkeypatch.setattr(SharedCache, "_asks_again_at", 0.0)

    def use(url: str) -> BaseCache:
        settings.CACHES = {"default": {"BACKEND": "webinar_site.cache.SharedCache", "LOCATION": [url]}}
        return caches["default"]

    yield use
    LocMemCache("webinar_site.cache", {}).clear()


@pytest.fixture
def away(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/redis.sock?db=1"


def sign_in(client: Client, *, email: str = "nobody@example.org", forwarded_for: str = "") -> str:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    answer = client.post(reverse("account_login"), {"login": email, "password": "wrong"}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == (429 if "Too many tries" in page else 422)
    return page


def test_signing_in_is_limited_also_while_redis_is_away(db, client, use_redis, away):
    use_redis(away)

    for _ in range(TRIES):
        assert "Too many tries" not in sign_in(client)

    assert "Too many tries" in sign_in(client)


def test_asking_for_a_code_works_while_redis_is_away(db, client, use_redis, away):
    use_redis(away)

    answer = client.post(reverse("account_request_login_code"), {"email": "nobody@example.org"})

    assert answer.status_code == 302


def test_cache_does_everything_while_redis_is_away(use_redis, away):
    cached = use_redis(away)

    assert cached.add("a", 1)
    assert not cached.add("a", 2)
    assert cached.incr("a") == 2
    assert cached.touch("a")
    assert cached.has_key("a")
    assert cached.set_many({"b": "x", "c": "y"}) == []
    assert cached.get_many(["a", "b"]) == {"a": 2, "b": "x"}
    assert cached.delete("a")
    cached.delete_many(["b"])
    cached.set("d", "z")
    assert [cached.get(key) for key in "abcd"] == [None, None, "y", "z"]


def test_redis_that_never_answers_is_waited_for_once(use_redis, away, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "ANSWER_SECONDS", 0.2)
    cached = use_redis(away)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "redis.sock"))
        silent.listen()

        for number in range(20):
            cached.set("number", number)

        assert untaken_connections(silent) == 1
    assert cached.get("number") == 19


@pytest.mark.services
def test_processes_count_together_while_redis_is_there(redis_broker, use_redis):
    cached = use_redis(redis_broker)
    another = SharedCache([redis_broker], {})

    cached.set("tries", [1.5])

    assert another.get("tries") == [1.5]
    assert another.add("tries", "taken") is False


@pytest.mark.services
def test_redis_is_asked_again_after_a_pause(redis_broker, use_redis, away, monkeypatch):
    monkeypatch.setattr(cache, "PAUSE_SECONDS", 0.3)
    use_redis(away).set("a", "own")
    cached = use_redis(redis_broker)
    assert cached.get("a") == "own"

    wait_until(lambda: cached.get("a") is None, seconds=5)

    cached.set("a", "shared")
    assert SharedCache([redis_broker], {}).get("a") == "shared"


def test_visitors_behind_the_proxy_are_limited_each_for_themselves(db, client, settings, use_redis, away):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1  # as in production
    use_redis(away)
    for number in range(10):
        sign_in(client, email=f"guess{number}@example.org", forwarded_for="203.0.113.5")

    guesser = sign_in(client, email="another@example.org", forwarded_for="203.0.113.5")
    visitor = sign_in(client, email="visitor@example.org", forwarded_for="198.51.100.7")

    assert "Too many tries" in guesser
    assert "Too many tries" not in visitor


def test_what_a_visitor_claims_to_be_is_not_believed(db, client, settings, use_redis, away):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    use_redis(away)
    for number in range(10):
        # The last address is the one that the proxy wrote.
        claimed = f"192.0.2.{number}, 203.0.113.5"
        sign_in(client, email=f"guess{number}@example.org", forwarded_for=claimed)

    guesser = sign_in(client, email="another@example.org", forwarded_for="203.0.113.5")

    assert "Too many tries" in guesser
