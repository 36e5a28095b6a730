"""What an offer asks for, in words."""

from datetime import date

import pytest

from events.conditions import condition_text


@pytest.mark.parametrize(
    ("kind", "details", "text"),
    [
        ("registered", {}, "Register for a session"),
        ("attended", {}, "Attend a session live"),
        ("attended", {"minutes": 1}, "Attend a session live for at least 1 minute"),
        ("attended", {"minutes": 30}, "Attend a session live for at least 30 minutes"),
        ("asked", {}, "Send the presenters a question before the day"),
        ("replay", {}, "Watch the replay"),
        ("replay", {"until": date(2020, 11, 11)}, "Watch the replay by 11 November 2020"),
        ("survey", {}, "Answer the survey"),
    ],
)
def test_condition_is_told_in_words(kind, details, text):
    assert condition_text(kind, **details) == text
