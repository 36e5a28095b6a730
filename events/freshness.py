"""Whether pages that were kept still say what is true: one mark for all processes, which changes with every edit.

A kept page carries the mark that was in force before it was read from the database, and is shown only while that is
still the mark. So whatever changes the catalogue calls `throw_away`, and no kept page outlives it anywhere.
"""

import functools
import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime

import redis
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control

logger = logging.getLogger(__name__)

KEY = "webinar-site:generation"
# A visitor waits no longer than this for the mark, and after a failure nobody does for a while.
ANSWER_SECONDS = 0.5
PAUSE_SECONDS = 10
A_YEAR_IN_SECONDS = 365 * 24 * 60 * 60

# When Redis is asked again, and whether a change could not be told; for all threads of this process.
_asks_again_at = 0.0
_owes_a_change = False


def generation() -> str | None:
    """The mark in force; None while nobody can know it, and then nothing kept may be shown."""
    client = _client(settings.PAGES_REDIS_URL)
    if client is None or time.monotonic() < _asks_again_at:
        return None
    try:
        if _owes_a_change:
            _change_mark()
            if _owes_a_change:
                return None
        mark = client.get(KEY)
        if mark is None:
            client.set(KEY, secrets.token_hex(8), nx=True)
            mark = client.get(KEY)
    except redis.RedisError as error:
        _pause(error)
        return None
    return mark.decode("ascii") if isinstance(mark, bytes) else None


def throw_away() -> None:
    """Make every kept page worthless, once the transaction that this is called in has been committed. May run twice.

    Where Redis cannot be told, this process tells it before it shows or keeps anything again. Should the process end
    before, other processes show what they kept until its minute is over (`webinar_site.page_cache`).
    """
    transaction.on_commit(_change_mark, robust=True)


def share(response: HttpResponse, *, until: datetime | None = None) -> None:
    """Say that a page is the same for everybody who has its address, and, if it varies by Cookie, the same zone.

    `until`: when it will say something else, whatever happens; None where nothing is planned.
    """
    response.shared_until = until  # type: ignore[attr-defined]
    response.is_shared = True  # type: ignore[attr-defined]


def keep_private(response: HttpResponse) -> HttpResponse:
    """Let nothing keep or find what is for some people alone: neither we, nor caches, nor search engines."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response.is_shared = False  # type: ignore[attr-defined]
    return response


def keep_for_owner(response: HttpResponse) -> HttpResponse:
    """Let nobody but its owner's own program keep it, which asks each time whether it is still the same."""
    keep_private(response)["Cache-Control"] = "private, no-cache"
    return response


def etag_of(*parts: object) -> str:
    """A mark for an answer that is made of these alone; weak, for it says nothing of the bytes (RFC 9110 8.8.1)."""
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def unless_known(request: HttpRequest, response: HttpResponse, *, etag: str, make: Callable[[], bytes]) -> HttpResponse:
    """The response with what `make` returns in it, or 304 without making it where the reader has it (RFC 9110 13.1.2).

    Its headers are to be set before: a 304 repeats those that say how long it may be kept.
    """
    response["ETag"] = etag
    answer = get_conditional_response(request, etag=etag, response=response)
    if answer is not None and answer is not response:
        return answer
    response.content = make()
    return response


def keep_for_good(response: HttpResponse) -> None:
    """Let everybody keep what never changes, since its address says what is in it."""
    patch_cache_control(response, public=True, max_age=A_YEAR_IN_SECONDS, immutable=True)


def _change_mark() -> None:
    """Tried also while reading pauses, once: a slow answer must not swallow an edit, nor hold up all who come after."""
    global _owes_a_change
    client = _client(settings.PAGES_REDIS_URL)
    if client is None or (_owes_a_change and time.monotonic() < _asks_again_at):
        return
    try:
        client.set(KEY, secrets.token_hex(8))
        _owes_a_change = False
    except redis.RedisError as error:
        _owes_a_change = True
        _pause(error)


@functools.lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis | None:
    if not url:
        return None
    return redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=None)


def _pause(error: redis.RedisError) -> None:
    global _asks_again_at
    _asks_again_at = time.monotonic() + PAUSE_SECONDS
    logger.warning("Redis does not answer (%s). For %s seconds no page is kept.", type(error).__name__, PAUSE_SECONDS)
