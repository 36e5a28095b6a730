"""The kinds of question: what an answer may be, how it reads, and of whom a question is asked."""

import pytest

from events.models import Question
from registrations.questions import can_hold, shown_answer
from tests.builders import make_question, make_webinar

pytestmark = pytest.mark.django_db

KINDS = Question.Kind


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [(KINDS.COUNTRY, "UZ", "Uzbekistan"), (KINDS.YES_NO, "yes", "Yes"), (KINDS.SHORT_TEXT, "UZ", "UZ")],
)
def test_a_stored_answer_is_shown_in_words(kind, value, words):
    question = make_question(make_webinar(), kind=kind)

    assert shown_answer(question, value) == words


@pytest.mark.parametrize(
    ("kind", "values", "was_choice", "is_held"),
    [
        (KINDS.NUMBER, ["12", "3.5"], False, True),
        (KINDS.NUMBER, ["12", "a dozen"], False, False),
        (KINDS.SHORT_TEXT, ["Roads\nRivers"], False, False),
        (KINDS.LONG_TEXT, ["Roads\nRivers"], True, True),
        (KINDS.ONE_OF, ["Sea", "Air"], True, True),  # once options, and still choices
        (KINDS.ONE_OF, ["Sea", "Air"], False, False),
        (KINDS.ONE_OF, ["Sea\nLand"], True, False),
        (KINDS.SOME_OF, ["Sea", "Air"], True, True),
        (KINDS.YES_NO, ["Sea"], True, False),
        (KINDS.COUNTRY, ["UZ"], False, True),
        (KINDS.NUMBER, [], False, True),
    ],
)
def test_a_kind_of_question_holds_the_answers_that_it_could_have_had(kind, values, was_choice, is_held):
    question = Question(kind=kind, options="Sea\nLand")

    assert can_hold(question, values, was_choice=was_choice) is is_held
