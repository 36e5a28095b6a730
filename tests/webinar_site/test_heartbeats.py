"""Marks of real workers and a real schedule, in a real broker."""

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from events.models import Finding
from tests.servers import Worker, wait_until
from webinar_site import doctor, heartbeats
from webinar_site.doctor import programs
from webinar_site.doctor.seen import Light

pytestmark = pytest.mark.services

START_BEAT = Callable[[], "subprocess.Popen[bytes]"]
START_WORKER = Callable[..., Worker]
FRESH = timedelta(seconds=20)


@pytest.fixture(autouse=True)
def broker(services: dict[str, str], settings) -> str:
    """The same for us as for the programs."""
    settings.REDIS_URL = services["REDIS_URL"]
    return services["REDIS_URL"]


def test_nobody_is_heard_of_in_an_empty_broker_and_its_clock_is_ours() -> None:
    heard = heartbeats.listen()

    assert (heard.workers, heard.schedule, heard.task_done) == ({}, None, None)
    assert abs(heard.broker_is_ahead) < timedelta(seconds=1)


def test_each_worker_is_heard_of_under_its_name_and_one_that_stops_says_goodbye(start_worker: START_WORKER) -> None:
    first, second = start_worker(), start_worker()
    wait_until(lambda: len(heartbeats.listen().workers) == 2, what="both workers to be heard of")

    first.process.send_signal(signal.SIGTERM)
    first.process.wait(timeout=30)
    after_goodbye = heartbeats.listen().workers
    second.kill()
    after_kill = heartbeats.listen().workers

    assert after_goodbye.keys() == after_kill.keys() == {"worker-1@test"}
    assert after_kill["worker-1@test"] < FRESH


def test_a_worker_without_the_schedule_and_the_schedule_without_a_worker_are_told_apart(
    start_worker: START_WORKER, start_beat: START_BEAT, broker: str
) -> None:
    worker = start_worker()
    wait_until(lambda: bool(heartbeats.listen().workers))
    alone = heartbeats.listen()
    worker.kill()
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
    start_beat()
    wait_until(lambda: heartbeats.listen().schedule is not None, seconds=30)
    called_in_vain = heartbeats.listen()

    assert programs.check_workers(alone).light is Light.GREEN
    assert programs.check_schedule(alone).light is Light.RED
    assert programs.check_workers(called_in_vain).light is Light.RED
    assert programs.check_schedule(called_in_vain).light is Light.GREEN
    assert called_in_vain.task_done is None


def test_a_worker_that_is_called_does_tasks_and_the_doctor_looks_at_the_start_of_the_schedule(
    start_worker: START_WORKER, start_beat: START_BEAT
) -> None:
    worker = start_worker()
    start_beat()

    wait_until(lambda: Finding.objects.count() == len(doctor.CHECKS), seconds=60, what=f"findings:\n{worker.log}")

    heard = heartbeats.listen()
    assert heard.task_done is not None
    assert heard.task_done < FRESH
    assert programs.check_workers(heard).light is Light.GREEN
    assert Finding.objects.get(topic="mail-server").light == Light.GREEN
    assert Finding.objects.get(topic="broker").light == Light.GREEN


def test_marks_stand_again_after_the_broker_was_emptied(start_worker: START_WORKER, broker: str) -> None:
    start_worker()
    wait_until(lambda: bool(heartbeats.listen().workers))
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
    emptied = heartbeats.listen()

    wait_until(lambda: bool(heartbeats.listen().workers), seconds=heartbeats.WORKER_SECONDS + 10)

    assert emptied.workers == {}


def test_a_worker_that_was_killed_long_ago_is_forgotten_when_another_leaves_its_mark(broker: str) -> None:
    hour = heartbeats.REMEMBERED.total_seconds()
    with redis.Redis.from_url(broker) as client:
        seconds, microseconds = client.time()
        now = seconds + microseconds / 1_000_000
        client.zadd(heartbeats.WORKERS_KEY, {"old@test": now - hour - 5, "killed@test": now - 300})

    heartbeats.leave_for_worker("new@test")

    workers = heartbeats.listen().workers
    assert list(workers) == ["new@test", "killed@test"]
    assert 300 <= workers["killed@test"].total_seconds() < 330


def test_a_broker_that_is_away_stops_nobody_who_leaves_a_mark_and_is_told_to_who_reads(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    heartbeats.leave_for_task()

    with pytest.raises(redis.RedisError):
        heartbeats.listen()
