"""The cache of production: a Redis that all processes share, and each one's own memory while that is away."""

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar

import redis
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

logger = logging.getLogger(__name__)

# The broker may be busy; a visitor who signs in waits no longer than this, once.
ANSWER_SECONDS = 1
# So long Redis is not asked again after it failed: signing in asks a dozen times.
PAUSE_SECONDS = 10


class SharedCache(RedisCache):
    """Django's Redis cache, which answers from this process's memory while Redis does not answer.

    Signing in must not fail for want of a cache, and must not go unlimited either: then each process counts alone.
    What is counted there is forgotten when Redis is back, and the other way round.
    """

    # For all threads of the process, since each has a cache object of its own.
    _asks_again_at: ClassVar[float] = 0

    def __init__(self, server: list[str], params: dict[str, Any]) -> None:
        patience = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS, "retry": None}
        super().__init__(server, {**params, "OPTIONS": {**patience, **params.get("OPTIONS", {})}})
        self._own = LocMemCache("webinar_site.cache", params)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._shared_or_own(super().add, self._own.add, *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._shared_or_own(super().get, self._own.get, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._shared_or_own(super().set, self._own.set, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._shared_or_own(super().touch, self._own.touch, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._shared_or_own(super().delete, self._own.delete, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return self._shared_or_own(super().get_many, self._own.get_many, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._shared_or_own(super().has_key, self._own.has_key, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> int:
        return self._shared_or_own(super().incr, self._own.incr, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return self._shared_or_own(super().set_many, self._own.set_many, *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._shared_or_own(super().delete_many, self._own.delete_many, *args, **kwargs)

    def _shared_or_own(self, shared: Callable[..., Any], own: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < SharedCache._asks_again_at:
            return own(*args, **kwargs)
        try:
            return shared(*args, **kwargs)
        except redis.RedisError as error:
            SharedCache._asks_again_at = time.monotonic() + PAUSE_SECONDS
            logger.warning(
                "The cache's Redis does not answer (%s). For %s seconds this process counts by itself.",
                type(error).__name__,
                PAUSE_SECONDS,
            )
            return own(*args, **kwargs)
