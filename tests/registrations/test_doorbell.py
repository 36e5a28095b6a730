"""The workers' doorbell, on a real Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from registrations import delivery, doorbell, outbox
from tests.builders import make_registration, make_session
from tests.servers import SmtpSink, Worker, wait_until

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broker(redis_broker: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_broker) as client:
        yield client


def calls(broker: redis.Redis) -> int:
    """How many times a worker was called that has not come yet."""
    return int(broker.llen("celery"))


def test_many_mails_call_one_worker(broker):
    session = make_session()

    for _ in range(3):
        make_registration(session)

    assert calls(broker) == 1


def test_what_is_written_once_somebody_has_come_calls_the_next(broker, settings, tmp_path):
    settings.EMAIL_URL, settings.MAILBOX_DIR = "", tmp_path
    make_registration()
    delivery.drain()

    make_registration()

    assert calls(broker) == 2


def test_a_worker_that_was_called_and_never_came_is_called_again(broker):
    make_registration()
    broker.delete("celery")
    assert 0 < broker.ttl(doorbell.KEY) <= doorbell.COMES_WITHIN_SECONDS

    broker.delete(doorbell.KEY)  # as when that time is over
    outbox.nudge_sweep()

    assert calls(broker) == 1


def test_one_call_sends_every_mail(broker, celery_worker_process: Worker, smtp_sink: SmtpSink):
    now = datetime.now(UTC)
    session = make_session(local_date=(now + timedelta(days=30)).date())
    broker.set(doorbell.KEY, 1)  # as when somebody was called already
    people = [make_registration(session, now=now) for _ in range(outbox.BATCH_SIZE + 1)]
    assert calls(broker) == 0
    broker.delete(doorbell.KEY)

    outbox.nudge_sweep()

    wait_until(lambda: len(smtp_sink.mails) == len(people), seconds=20)
