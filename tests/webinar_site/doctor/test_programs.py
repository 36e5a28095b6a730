"""What the marks in the broker mean, in each colour."""

from datetime import timedelta

import pytest

from webinar_site.doctor import programs
from webinar_site.doctor.seen import Light, Seen
from webinar_site.heartbeats import Heard


def heard(workers: dict[str, int] | None = None, *, schedule: int | None = 3, task_done: int | None = 4) -> Heard:
    """Ages in seconds."""
    ages = {name: timedelta(seconds=age) for name, age in (workers or {}).items()}
    return Heard(
        ages,
        schedule=None if schedule is None else timedelta(seconds=schedule),
        task_done=None if task_done is None else timedelta(seconds=task_done),
        broker_is_ahead=timedelta(),
    )


def test_workers_that_live_are_green_each_with_its_age():
    seen = programs.check_workers(heard({"a@one": 2, "b@two": 9}))

    assert seen == Seen(
        Light.GREEN,
        "2 workers are alive: a@one, 2 seconds ago; b@two, 9 seconds ago.\nThe last task was done 4 seconds ago.",
    )


def test_a_worker_that_was_killed_beside_one_that_lives_is_amber():
    seen = programs.check_workers(heard({"a@one": 2, "b@two": 1500}))

    assert seen.light is Light.AMBER
    assert seen.what.splitlines()[0] == "Silent without having said goodbye: b@two, 25 minutes ago."
    assert "look at its log" in seen.to_do


@pytest.mark.parametrize(("age", "light"), [(44, Light.GREEN), (60, Light.AMBER), (121, Light.RED)])
def test_a_single_worker_turns_amber_and_then_red_when_it_falls_silent(age, light):
    assert programs.check_workers(heard({"a@one": age})).light is light


def test_no_worker_at_all_is_red_with_what_to_start():
    seen = programs.check_workers(heard({}))

    assert seen.light is Light.RED
    assert "No worker has been heard of" in seen.what
    assert "webinar-site-worker" in seen.to_do


@pytest.mark.parametrize("task_done", [None, 500])
def test_workers_that_live_and_do_nothing_though_they_are_called_are_amber(task_done):
    seen = programs.check_workers(heard({"a@one": 2}, task_done=task_done))

    assert seen.light is Light.AMBER
    assert "though the schedule calls for some" in seen.what


@pytest.mark.parametrize("task_done", [None, 500])
def test_a_worker_is_not_to_blame_where_nobody_calls_it(task_done):
    without_schedule = heard({"a@one": 2}, schedule=None, task_done=task_done)

    assert programs.check_workers(without_schedule).light is Light.GREEN
    assert programs.check_schedule(without_schedule).light is Light.RED


@pytest.mark.parametrize(("age", "light"), [(3, Light.GREEN), (46, Light.AMBER), (121, Light.RED), (None, Light.RED)])
def test_the_schedule_is_judged_by_its_last_call(age, light):
    seen = programs.check_schedule(heard({"a@one": 2}, schedule=age))

    assert seen.light is light
    if light is not Light.GREEN:
        assert "webinar-site-beat" in seen.to_do


def test_without_the_broker_all_three_are_red():
    seen = [check(None) for check in (programs.check_broker, programs.check_workers, programs.check_schedule)]

    assert [found.light for found in seen] == [Light.RED] * 3
    assert {found.to_do for found in seen} == {"Look at REDIS_URL and at Redis."}


def test_a_broker_that_answers_is_green():
    assert programs.check_broker(heard()) == Seen(Light.GREEN, "The broker answers.")
