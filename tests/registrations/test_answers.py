"""What people answered, counted for the organizers."""

import pytest

from events.models import Question
from registrations.answers import store_answers, summaries
from tests.builders import make_question, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

SURVEY = Question.Asked.SURVEY


def ask(webinar, **fields):
    return make_question(webinar, asked=SURVEY, **fields)


def counted(webinar):
    return {summary.question: (summary.answered, summary.counts) for summary in summaries(webinar)}


def answered(session, *answers):
    """One person for each."""
    for given in answers:
        store_answers(make_registration(session), given, asked=SURVEY)


def test_choices_are_counted_also_those_that_nobody_made():
    session = make_session()
    many = ask(session.webinar, kind=Question.Kind.SOME_OF, options="Maps\nNames\nDates")
    yes_no = ask(session.webinar, wording="Again?", kind=Question.Kind.YES_NO)
    answered(session, {many: "Maps\nDates", yes_no: "yes"}, {many: "Maps"})

    counts = counted(session.webinar)

    assert counts == {
        many: (2, [("Maps", 2), ("Names", 0), ("Dates", 1)]),
        yes_no: (1, [("Yes", 1), ("No", 0)]),
    }


def test_a_choice_that_is_no_longer_one_is_counted_as_it_was():
    session = make_session()
    question = ask(session.webinar, kind=Question.Kind.ONE_OF, options="Maps\nNames")
    answered(session, {question: "Maps"}, {question: "Dates"})

    counts = counted(session.webinar)

    assert counts == {question: (2, [("Maps", 1), ("Names", 0), ("Dates", 1)])}


def test_countries_have_their_names_and_the_most_frequent_comes_first():
    session = make_session()
    question = ask(session.webinar, kind=Question.Kind.COUNTRY)
    answered(session, {question: "KZ"}, {question: "PL"}, {question: "PL"})

    counts = counted(session.webinar)

    assert counts == {question: (3, [("Poland", 2), ("Kazakhstan", 1)])}


def test_answers_in_free_words_are_counted_and_not_compared():
    session = make_session()
    question = ask(session.webinar, kind=Question.Kind.NUMBER)
    answered(session, {question: "3"}, {question: "4"})

    counts = counted(session.webinar)

    assert counts == {question: (2, [])}


def test_the_number_of_queries_does_not_grow_with_the_questions(django_assert_num_queries):
    webinar = make_webinar()
    session = make_session(webinar)
    for number in range(3):
        answered(session, {ask(webinar, order=number): "The map"})

    with django_assert_num_queries(2):
        summaries(webinar)
