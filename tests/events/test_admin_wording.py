"""How the organizers' pages say how long ago something was."""

from datetime import timedelta

import pytest

from events.admin.wording import ago


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 seconds ago"),
        (1, "1 second ago"),
        (12, "12 seconds ago"),
        (119, "119 seconds ago"),
        (120, "2 minutes ago"),
        (7199, "119 minutes ago"),
        (7200, "2 hours ago"),
        (47 * 3600, "47 hours ago"),
        (48 * 3600, "2 days ago"),
    ],
)
def test_an_age_is_told_in_the_largest_measure_of_which_there_are_two(seconds, words):
    assert ago(timedelta(seconds=seconds)) == words
