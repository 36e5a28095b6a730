"""Questions: after which answers they are asked, and what organizers are told who want the impossible."""

import pytest
from django.core.exceptions import ValidationError

from events.models import Question
from tests.builders import make_question, make_webinar

pytestmark = pytest.mark.django_db

KINDS = Question.Kind


def faults_of(question: Question) -> dict[str, list[str]]:
    try:
        question.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


def after(earlier: Question, answers: str = "", **fields: object) -> Question:
    """A question, not saved yet, that is asked after those answers."""
    return Question(
        **{
            "webinar": earlier.webinar,
            "wording": "Which one?",
            "order": 2,
            "depends_on": earlier,
            "depends_answers": answers,
            **fields,
        }
    )


def way_of_travel(**fields: object) -> Question:
    return make_question(make_webinar(), **{"kind": KINDS.ONE_OF, "options": "Road\nRail\nAir", "order": 1, **fields})


@pytest.mark.parametrize(
    ("kind", "answers", "kept"),
    [
        (KINDS.ONE_OF, "Road\nAir", "Road\nAir"),
        (KINDS.SOME_OF, " road \n\nAIR", "Road\nAir"),
        (KINDS.YES_NO, "Yes", "yes"),
        (KINDS.COUNTRY, "uz\nKZ", "UZ\nKZ"),
        (KINDS.NUMBER, "12", "12"),
        (KINDS.SHORT_TEXT, "Tashkent", "Tashkent"),
        (KINDS.ONE_OF, "", ""),
    ],
)
def test_a_question_may_be_asked_after_answers_that_can_be_given(kind, answers, kept):
    later = after(way_of_travel(kind=kind), answers)

    assert faults_of(later) == {}
    assert later.depends_answers == kept


def test_answers_that_cannot_be_given_are_refused_with_those_that_can():
    fault = "Boat is no answer to that question. Its answers are: Road, Rail, Air."

    assert faults_of(after(way_of_travel(), "Road\nBoat")) == {"depends_answers": [fault]}


def test_a_question_depends_on_none_but_an_earlier_one_of_its_own_webinar_and_time():
    earlier = way_of_travel()
    itself = after(earlier)
    itself.save()
    itself.depends_on = itself

    assert faults_of(itself)["depends_on"] == ["A question cannot depend on itself."]
    assert faults_of(after(earlier, webinar=make_webinar()))["depends_on"] == ["This is a question of another webinar."]
    assert faults_of(after(earlier, asked="survey"))["depends_on"] == ["This question is asked at another time."]
    assert faults_of(after(earlier, order=0))["depends_on"] == ["This question comes later. Choose an earlier one."]


def test_among_questions_of_one_order_the_older_comes_earlier():
    first = way_of_travel()
    second = make_question(first.webinar, order=1)

    assert faults_of(after(first, order=1)) == {}
    second.depends_on = first
    assert faults_of(second) == {}
    first.depends_on = second
    assert "depends_on" in faults_of(first)


def test_answers_need_the_question_that_is_answered_so():
    assert faults_of(make_question(make_webinar(), depends_answers="Road")) == {
        "depends_on": ["Choose the question that is answered so."]
    }


def test_an_answer_after_which_another_question_is_asked_is_not_taken_away():
    earlier = way_of_travel()
    after(earlier, "Rail").save()
    earlier.options = "Road\nAir"

    assert faults_of(earlier) == {
        "options": [
            "“Which one?” is asked after the answer Rail, which would be none any more. Change that question first."
        ]
    }

    earlier.options = "Road\nRail"
    assert faults_of(earlier) == {}
    earlier.kind = KINDS.YES_NO
    assert "kind" in faults_of(earlier)


@pytest.mark.parametrize(
    ("answers", "given", "is_asked"),
    [
        ("Road", "Road", True),
        ("Road", "road", True),
        ("Road\nAir", "Rail\nAir", True),
        ("Road", "Rail", False),
        ("Road", "", False),
        ("Road", "Road and rail", False),
        ("", "anything", True),
        ("", "", False),
        ("", " \n ", False),
    ],
)
def test_a_question_is_asked_after_any_of_its_answers(answers, given, is_asked):
    assert Question(depends_answers=answers).is_asked_after(given) is is_asked
