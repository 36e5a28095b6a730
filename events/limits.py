"""How often somebody may do what costs others something: counted for all processes together, in a moving window.

In production Redis counts. Where it does not answer, each process counts by itself for a while, and nobody waits: what
is limited goes on, and does not go on unlimited. Whoever is refused is told when to try again.
"""

import functools
import ipaddress
import logging
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

logger = logging.getLogger(__name__)

# Nobody waits longer for Redis, and after a failure nobody does for a while.
ANSWER_SECONDS = 1.0
PAUSE_SECONDS = 10.0
# From here on, hours say more than minutes.
_MOST_MINUTES = 90
# What one home or office gets of IPv6, and can choose its addresses from.
_HOME_BITS = 64
_NOBODY_KNOWS = "unknown"


@dataclass(frozen=True)
class Limit:
    """What is limited, and how often it may be done: "6/hour;15/day". Each key of `take` counts for itself."""

    name: str
    rates: str

    @functools.cached_property
    def items(self) -> list[RateLimitItem]:
        """The shortest first: who is refused for this minute has used up nothing of the day."""
        return sorted(parse_many(self.rates))


class TooManyError(Exception):
    """It was done too often. The text may be shown to the person who did it."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        minutes = max(math.ceil(self.retry_after / timedelta(minutes=1)), 1)
        if minutes <= _MOST_MINUTES:
            words = ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes)
            return words % {"count": minutes}
        hours = math.ceil(minutes / 60)
        return ngettext("Try again in %(count)d hour.", "Try again in %(count)d hours.", hours) % {"count": hours}

    @property
    def header(self) -> str:
        """The value of Retry-After (RFC 9110 10.2.3)."""
        return str(max(math.ceil(self.retry_after.total_seconds()), 1))


def take(limit: Limit, *keys: str) -> None:
    """Count that it was done once more by or to what the keys name. Raises TooManyError where that is too often.

    What is refused is not counted: whoever waits as long as they are told gets on. The keys may be addresses of people;
    Redis sees none of them.
    """
    identifiers = _identifiers(limit, keys)
    if settings.LIMITS_REDIS_URL and time.monotonic() >= _asks_again_at:
        try:
            return _take(_shared(settings.LIMITS_REDIS_URL), limit, identifiers)
        except redis.RedisError as error:
            _pause(error)
    return _take(_own(), limit, identifiers)


def give_back(limit: Limit, *keys: str) -> None:
    """Begin to count anew for these keys: what was done was rightly done, and is no try."""
    identifiers = _identifiers(limit, keys)
    if settings.LIMITS_REDIS_URL and time.monotonic() >= _asks_again_at:
        try:
            return _forget(_shared(settings.LIMITS_REDIS_URL), limit, identifiers)
        except redis.RedisError as error:
            _pause(error)
    return _forget(_own(), limit, identifiers)


def source_of(request: HttpRequest) -> str:
    """Whence a request comes, by the rule that the limits on signing in have; of IPv6, the network of one home."""
    try:
        address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ValueError):
        # A proxy that writes nonsense: all its visitors are one, and none is turned away for it.
        return _NOBODY_KNOWS
    # An address of the older kind in the newer one's clothes: without this, all of these would be one home.
    address = getattr(address, "ipv4_mapped", None) or address
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address.packed, _HOME_BITS), strict=False))
    return str(address)


def forget() -> None:
    """Begin to count anew in this process, for tests."""
    _own().storage.reset()


# ---------- where is counted ----------

# When Redis is asked again, for all threads of this process.
_asks_again_at = 0.0


@functools.cache
def _own() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


@functools.cache
def _shared(url: str) -> MovingWindowRateLimiter:
    patience: dict[str, Any] = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": None,
    }
    return MovingWindowRateLimiter(RedisStorage(url, key_prefix="webinar-site:limits", **patience))


def _take(limiter: MovingWindowRateLimiter, limit: Limit, identifiers: tuple[str, ...]) -> None:
    for item in limit.items:
        if not limiter.hit(item, *identifiers):
            wait = limiter.get_window_stats(item, *identifiers).reset_time - time.time()
            raise TooManyError(timedelta(seconds=max(wait, 0)))


def _identifiers(limit: Limit, keys: tuple[str, ...]) -> tuple[str, str]:
    return limit.name, salted_hmac(__name__, "\n".join(keys), algorithm="sha256").hexdigest()


def _forget(limiter: MovingWindowRateLimiter, limit: Limit, identifiers: tuple[str, ...]) -> None:
    for item in limit.items:
        limiter.clear(item, *identifiers)


def _pause(error: redis.RedisError) -> None:
    global _asks_again_at
    _asks_again_at = time.monotonic() + PAUSE_SECONDS
    logger.warning(
        "The Redis of the limits does not answer (%s). For %s seconds this process counts by itself.",
        type(error).__name__,
        PAUSE_SECONDS,
    )
