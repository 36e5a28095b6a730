"""What the chaos is measured by: whatever was lost, told out of order, or told twice without a reason is named."""

from dataclasses import replace

import pytest

from benchmarks.reckoning import Acceptance, Kill, Person, Row, reckon

ANNA, BOB = "anna@example.org", "bob@example.org"
JOURNAL = [
    Acceptance(1, "<a0>", ANNA, "anna", 0),
    Acceptance(2, "<b0>", BOB, "bob", 0),
    Acceptance(3, "<a1>", ANNA, "anna", 1),
]
ROWS = [Row(1, "sent", ANNA, "<a0>"), Row(2, "sent", BOB, "<b0>"), Row(3, "sent", ANNA, "<a1>")]
PEOPLE = [Person(ANNA, "anna", 1), Person(BOB, "bob", 0)]
TWICE = [JOURNAL[0], replace(JOURNAL[0], at=1.5), *JOURNAL[1:]]


def test_a_run_in_which_everybody_heard_everything_once_has_no_fault():
    result = reckon(JOURNAL, ROWS, PEOPLE, [Kill(2, whole_worker=True, left=())])

    assert (result.messages, result.repeats, result.window_hits) == (3, 0, 0)
    assert (result.faults, result.unexplained) == ([], [])


@pytest.mark.parametrize(
    ("journal", "rows", "said"),
    [
        (JOURNAL[:2], ROWS, "message 3 is marked as sent, and was never accepted"),
        (JOURNAL[:2], [*ROWS[:2], Row(3, "open", ANNA)], "message 3 is still open: never tried"),
        (JOURNAL[:2], [*ROWS[:2], Row(3, "failed", ANNA, answer="Too often")], "message 3 was given up"),
        (JOURNAL[:2], [*ROWS[:2], Row(3, "cancelled", ANNA)], "anna@example.org was never told revision 1"),
        ([JOURNAL[0], JOURNAL[2]], [ROWS[0], ROWS[2]], "bob@example.org was told nothing at all"),
        (JOURNAL, ROWS[:2], "<a1> was accepted, and no row says so"),
        (JOURNAL[::-1], ROWS, "anna@example.org was told revision 0 after 1"),
    ],
)
def test_what_was_lost_or_told_out_of_order_is_named(journal, rows, said):
    assert said in " ".join(reckon(journal, rows, PEOPLE, []).faults)


def test_who_was_refused_for_good_is_not_lost():
    result = reckon(JOURNAL[:2], [*ROWS[:2], Row(3, "refused", ANNA, answer="550 No such user")], PEOPLE, [])

    assert (result.faults, result.refused) == ([], 1)


def test_a_repeat_is_explained_by_the_kill_that_left_its_row_behind():
    result = reckon(
        TWICE, ROWS, PEOPLE, [Kill(1.1, whole_worker=False, left=(1,)), Kill(2, whole_worker=True, left=())]
    )

    assert (result.repeats, result.window_hits, result.unexplained, result.faults) == (1, 1, [], [])


def test_what_one_kill_left_is_not_counted_for_the_next():
    kills = [Kill(1.1, whole_worker=True, left=(1,)), Kill(1.3, whole_worker=True, left=(1,))]

    assert reckon(TWICE, ROWS, PEOPLE, kills).window_hits == 1


def test_a_repeat_that_no_kill_explains_is_named():
    result = reckon(TWICE, ROWS, PEOPLE, [Kill(1.1, whole_worker=True, left=(2,))])

    assert result.unexplained == ["<a0> was accepted again after 0.5 s."]


def test_a_kill_before_the_server_accepted_the_mail_did_not_hit_the_window():
    result = reckon(JOURNAL, ROWS, PEOPLE, [Kill(1, whole_worker=True, left=(3,))])

    assert result.window_hits == 0


def test_a_mail_that_a_kill_left_accepted_and_that_was_refused_as_a_repeat_is_no_fault():
    rows = [Row(1, "refused", ANNA, answer="550 No such user"), *ROWS[1:]]

    result = reckon(JOURNAL, rows, PEOPLE, [Kill(1.1, whole_worker=True, left=(1,))])

    assert (result.window_hits, result.faults) == (1, [])
