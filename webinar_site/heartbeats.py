"""Marks that the programs behind the web server leave, so that somebody can see that they live.

Each worker leaves one under its name, the schedule one whenever it has sent a call, and whoever did a task another.
They stand in the broker, beside its queues, and bear its clock: machines whose clocks differ make nobody look dead. In
a broker that was emptied they stand again within seconds. A mark that cannot be left is no reason to stop.
"""

import functools
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from celery import bootsteps
from django.conf import settings

logger = logging.getLogger(__name__)

WORKERS_KEY = "webinar-site:heartbeats:workers"
SCHEDULE_KEY = "webinar-site:heartbeats:schedule"
TASK_DONE_KEY = "webinar-site:heartbeats:task-done"
WORKER_SECONDS = 10
# A worker that was killed says no goodbye: so long it is remembered.
REMEMBERED = timedelta(hours=1)
# Marks are left between tasks and connections, which must not wait for them.
ANSWER_SECONDS = 2


@dataclass(frozen=True)
class Heard:
    """What stands in the broker: how long ago each worker was heard of, by its name, and the schedule.

    `broker_is_ahead` is how far the broker's clock is ahead of this machine's.
    """

    workers: dict[str, timedelta]
    schedule: timedelta | None
    task_done: timedelta | None
    broker_is_ahead: timedelta


def listen() -> Heard:
    """Read the marks. Raises redis.RedisError where the broker does not answer."""
    with _client(settings.REDIS_URL) as client:
        asked = time.time()
        now = _clock(client)
        answered = time.time()
        workers = client.zrange(WORKERS_KEY, 0, -1, withscores=True)
        schedule, task_done = client.mget(SCHEDULE_KEY, TASK_DONE_KEY)
    return Heard(
        workers={name.decode(): _since(left, now) for name, left in reversed(workers)},
        schedule=_since(schedule, now) if schedule else None,
        task_done=_since(task_done, now) if task_done else None,
        broker_is_ahead=timedelta(seconds=now - (asked + answered) / 2),
    )


def _since(left: bytes | float, now: float) -> timedelta:
    return timedelta(seconds=max(now - float(left), 0))


# ---------- leaving marks ----------


class WorkerHeartbeat(bootsteps.StartStopStep):
    """In each worker, while it is connected to the broker: a mark under its name every few seconds.

    It comes from the main process, beside the children that do the tasks; these leave a mark of their own.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        self._timer: Any = None
        super().__init__(consumer, **options)

    def start(self, consumer: Any) -> None:
        leave_for_worker(consumer.hostname)
        self._timer = consumer.timer.call_repeatedly(WORKER_SECONDS, leave_for_worker, (consumer.hostname,))

    def stop(self, consumer: Any) -> None:
        """At the end, and also when the connection is lost: then `start` follows once there is another."""
        if self._timer is not None:
            self._timer.cancel()
        forget_worker(consumer.hostname)


def leave_for_worker(name: str) -> None:
    """That worker is here."""
    _leave(lambda client, now: _mark_worker(client, name, now))


def _mark_worker(client: redis.Redis, name: str, now: float) -> None:
    client.zadd(WORKERS_KEY, {name: now})
    client.zremrangebyscore(WORKERS_KEY, "-inf", now - REMEMBERED.total_seconds())


def forget_worker(name: str) -> None:
    """That worker has stopped as it should, and nobody need wait for it."""
    _leave(lambda client, _now: client.zrem(WORKERS_KEY, name))


def leave_for_schedule(**_: Any) -> None:
    """The schedule has sent a call."""
    _leave(lambda client, now: client.set(SCHEDULE_KEY, now))


def leave_for_task(**_: Any) -> None:
    """A task was done."""
    _leave(lambda client, now: client.set(TASK_DONE_KEY, now))


def _leave(mark: Any) -> None:
    client = _kept_client(settings.REDIS_URL)
    try:
        mark(client, _clock(client))
    except redis.RedisError as error:
        logger.debug("A heartbeat could not be left: %s.", type(error).__name__)


def _clock(client: redis.Redis) -> float:
    """The broker's own time, in seconds since 1970."""
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1_000_000


@functools.cache
def _kept_client(url: str) -> redis.Redis:
    return _client(url)


def _client(url: str) -> redis.Redis:
    patience: dict[str, Any] = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    return redis.Redis.from_url(url, retry=None, **patience)
