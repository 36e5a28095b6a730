"""What the crowd is measured by: the benchmark's own checks fail where a promise is broken."""

from dataclasses import replace

import pytest

from benchmarks.promises import Counted, Person, broken

SESSION, OTHER = 1, 2


def holder(name: str, *, came: float) -> Person:
    return Person(name, (SESSION,), "confirmed", has_place=True, came=came, answered=came + 0.5, owed=("confirmed",))


def waiter(name: str, *, came: float, queued: int) -> Person:
    return Person(
        *(name, (SESSION,), "waitlisted"),
        has_place=False,
        came=came,
        answered=came + 0.5,
        queued=(queued,),
        owed=("waitlisted",),
    )


FULL = [Counted(SESSION, capacity=2, places_taken=2)]
CROWD = [
    holder("Anna", came=1),
    holder("Batbold", came=2),
    waiter("Chinara", came=3, queued=1),
    waiter("Dilshod", came=4, queued=2),
]


def test_a_crowd_that_was_treated_as_promised_breaks_nothing():
    assert broken(FULL, CROWD) == []


def test_two_who_came_at_once_may_stand_in_either_order():
    at_once = [*CROWD[:2], waiter("Chinara", came=3, queued=2), waiter("Dilshod", came=3.4, queued=1)]

    assert broken(FULL, at_once) == []


@pytest.mark.parametrize(
    ("crowd", "sessions", "said"),
    [
        ([*CROWD, holder("Elnura", came=1)], FULL, "3 are confirmed for 2 places"),
        (CROWD[:1], [Counted(SESSION, capacity=2, places_taken=1)], "1 are confirmed for 2 places"),
        (CROWD, [Counted(SESSION, capacity=2, places_taken=1)], "1 places are counted, 2 people have one"),
        ([CROWD[0], CROWD[2]], [Counted(SESSION, capacity=2, places_taken=1)], "1 wait beside a free place"),
        ([*CROWD[:3], replace(CROWD[3], queued=(0,))], FULL, "Chinara waits behind Dilshod, who came later"),
        ([CROWD[0], *CROWD[2:], holder("Elnura", came=9)], FULL, "Chinara waits behind Elnura, who came later"),
        ([*CROWD[:3], replace(CROWD[3], owed=())], FULL, "Dilshod is waitlisted and owed no mail"),
        ([*CROWD[:3], replace(CROWD[3], owed=("confirmed",))], FULL, "Dilshod is waitlisted and owed confirmed"),
    ],
)
def test_whoever_is_passed_over_or_let_in_too_many_is_named(crowd, sessions, said):
    assert said in " ".join(broken(sessions, crowd))


def test_who_waits_for_any_session_is_passed_over_in_each_of_them():
    patient = replace(CROWD[2], sessions=(SESSION, OTHER))
    elsewhere = replace(holder("Elnura", came=9), sessions=(OTHER,))
    sessions = [*FULL, Counted(OTHER, capacity=1, places_taken=1)]

    faults = broken(sessions, [*CROWD[:2], patient, elsewhere])

    assert faults == [f"Session {OTHER}: Chinara waits behind Elnura, who came later."]
