"""The workers' doorbell: rung once until somebody comes, however many mails are written meanwhile.

A task for each mail would cost the web server and the worker a millisecond or two each. Whoever is called sends all
that is due, so that between the call and their coming nobody has to be called again. They answer before they look at
the table; so a mail that was written before they looked is seen, and one that was written later rings anew.

The mark is kept where the calls are, in the broker. A bell that nobody hears costs time, never a mail (see `outbox`).
"""

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

KEY = "webinar-site:doorbell"
# Whoever was called and does not come is taken for lost, and the next ring calls again.
COMES_WITHIN_SECONDS = 5


def ring(task: str, *args: int) -> None:
    """Call a worker with that task, unless one was called already and has not come yet."""
    try:
        with current_app.producer_or_acquire() as producer:
            if _is_first(producer.channel):
                current_app.send_task(task, args=args, producer=producer, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError):
        logger.warning("The broker is away; the sweep will find what %s%s would have sent.", task, args)


def answer() -> None:
    """A worker is here, and looks at the table now: whoever rings from now on calls again."""
    try:
        with current_app.producer_or_acquire() as producer:
            if (client := _redis(producer.channel)) is not None:
                client.delete(KEY)
    except (OperationalError, RedisError, OSError):
        logger.warning("The broker is away; the bell is silent for %s seconds.", COMES_WITHIN_SECONDS)


def _is_first(channel: Any) -> bool:
    client = _redis(channel)
    return client is None or bool(client.set(KEY, 1, nx=True, ex=COMES_WITHIN_SECONDS))


def _redis(channel: Any) -> Any:
    """The broker's own connection, or None where the broker is none of Redis: there each ring is a call."""
    return getattr(channel, "client", None)
