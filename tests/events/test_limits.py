"""Limits: who is refused when, what they are told, and what is counted while Redis is away."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.test import RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from events import limits
from events.limits import Limit, TooManyError
from tests.servers import untaken_connections, wait_until

TWICE = Limit("twice", "2/minute")


@pytest.fixture
def use_redis(settings, monkeypatch) -> Callable[[str], None]:
    """Makes the Redis at an address the one that counts."""
    monkeypatch.setattr(limits, "_asks_again_at", 0.0)

    def use(url: str) -> None:
        limits._shared.cache_clear()
        settings.LIMITS_REDIS_URL = url

    return use


@pytest.fixture
def away(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/redis.sock?db=1"


@pytest.fixture
def wait(monkeypatch) -> Callable[[timedelta], None]:
    """Lets time pass without anybody waiting for it; between its calls it stands still."""
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])

    def wait(how_long: timedelta) -> None:
        clock[0] += how_long.total_seconds()

    return wait


def is_taken(limit: Limit, *keys: str) -> bool:
    try:
        limits.take(limit, *keys)
    except TooManyError:
        return False
    return True


# ---------- counting ----------


def test_what_is_done_too_often_is_refused():
    assert [is_taken(TWICE, "anna") for _time in range(4)] == [True, True, False, False]


def test_each_key_and_each_limit_counts_for_itself():
    other = Limit("other", "2/minute")
    for _time in range(3):
        is_taken(TWICE, "anna")

    assert is_taken(TWICE, "bob")
    assert is_taken(other, "anna")
    assert is_taken(TWICE, "anna", "bob")
    assert not is_taken(TWICE, "anna")


def test_keys_do_not_run_into_each_other():
    for _time in range(3):
        is_taken(TWICE, "ab", "c")

    assert is_taken(TWICE, "a", "bc")


def test_every_rate_of_a_limit_holds():
    both = Limit("both", "100/minute;3/hour")

    assert [is_taken(both, "anna") for _time in range(4)] == [True, True, True, False]


def test_who_is_refused_for_a_minute_uses_up_nothing_of_the_hour(wait):
    both = Limit("both", "4/hour;1/minute")
    is_taken(both, "anna")
    for _time in range(10):
        is_taken(both, "anna")
    wait(timedelta(seconds=61))

    assert is_taken(both, "anna")


def test_whoever_waits_as_long_as_they_are_told_gets_on(wait):
    once = Limit("once", "1/minute")
    limits.take(once, "anna")
    with pytest.raises(TooManyError) as refused:
        limits.take(once, "anna")

    wait(refused.value.retry_after - timedelta(seconds=1))
    assert not is_taken(once, "anna")
    wait(timedelta(seconds=2))

    limits.take(once, "anna")


def test_the_wait_is_counted_from_the_oldest_that_must_be_forgotten(wait):
    limits.take(TWICE, "anna")
    wait(timedelta(seconds=25))
    limits.take(TWICE, "anna")

    with pytest.raises(TooManyError) as refused:
        limits.take(TWICE, "anna")

    assert refused.value.retry_after / timedelta(seconds=1) == pytest.approx(35)


# ---------- words ----------


@pytest.mark.parametrize(
    ("wait", "words", "header"),
    [
        (timedelta(0), "Try again in 1 minute.", "1"),
        (timedelta(seconds=59, milliseconds=300), "Try again in 1 minute.", "60"),
        (timedelta(seconds=61), "Try again in 2 minutes.", "61"),
        (timedelta(minutes=90), "Try again in 90 minutes.", "5400"),
        (timedelta(minutes=91), "Try again in 2 hours.", "5460"),
        (timedelta(hours=23, minutes=1), "Try again in 24 hours.", "82860"),
    ],
)
def test_a_refusal_says_when_to_try_again(wait, words, header):
    refused = TooManyError(wait)

    with translation.override("en"):
        assert str(refused) == words
    assert refused.header == header


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)))
def test_nobody_is_told_to_come_back_too_early(wait):
    refused = TooManyError(wait)

    count = int("".join(mark for mark in str(refused) if mark.isdigit()))

    unit = timedelta(hours=1) if "hour" in str(refused) else timedelta(minutes=1)
    assert count * unit >= wait
    assert timedelta(seconds=int(refused.header)) >= wait


# ---------- whence somebody comes ----------


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_a_source_is_an_address_or_a_home(address, source):
    assert limits.source_of(RequestFactory().get("/", REMOTE_ADDR=address)) == source


def test_behind_the_proxy_a_source_is_whom_the_proxy_names(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1  # as in production
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.5"})

    assert limits.source_of(request) == "203.0.113.5"


def test_without_a_proxy_nobody_names_themselves():
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR="203.0.113.5")

    assert limits.source_of(request) == "203.0.113.5"


# ---------- Redis ----------


def test_limits_hold_also_while_redis_is_away(use_redis, away):
    use_redis(away)

    assert [is_taken(TWICE, "anna") for _time in range(3)] == [True, True, False]


def test_redis_that_never_answers_is_waited_for_once(use_redis, away, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.2)
    use_redis(away)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "redis.sock"))
        silent.listen()

        taken = [is_taken(TWICE, "anna") for _time in range(10)]

        assert untaken_connections(silent) == 1
    assert taken == [True, True, *[False] * 8]


@pytest.mark.services
def test_processes_count_together_while_redis_is_there(redis_broker, use_redis):
    use_redis(redis_broker)
    before = [is_taken(TWICE, "anna") for _time in range(2)]
    use_redis(redis_broker)  # as another process, with nothing of its own
    limits.forget()

    assert before == [True, True]
    with pytest.raises(TooManyError) as refused:
        limits.take(TWICE, "anna")
    assert timedelta(seconds=50) < refused.value.retry_after <= timedelta(seconds=60)


@pytest.mark.services
def test_redis_sees_nobodys_address_and_forgets_in_time(redis_broker, use_redis):
    use_redis(redis_broker)

    limits.take(TWICE, "anna@example.org")

    kept = redis.Redis.from_url(redis_broker)
    (key,) = kept.keys("webinar-site:limits*")
    assert b"anna" not in key
    assert 0 < kept.ttl(key) <= 60


@pytest.mark.services
def test_redis_is_asked_again_after_a_pause(redis_broker, use_redis, away, monkeypatch, settings):
    use_redis(redis_broker)
    for _time in range(2):
        limits.take(TWICE, "anna")
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.3)
    use_redis(away)
    assert is_taken(TWICE, "anna")
    settings.LIMITS_REDIS_URL = redis_broker
    assert is_taken(TWICE, "anna")

    wait_until(lambda: not is_taken(TWICE, "anna"), seconds=5)
