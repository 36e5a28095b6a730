"""What a webinar asks: questions that depend on earlier ones, changed on its page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Question
from tests.builders import make_question, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(host):
    return make_webinar(host=host)


def page(webinar):
    return reverse("admin:events_webinar_change", args=[webinar.pk])


def save(client, webinar, **changed):
    return client.post(page(webinar), posted(client.get(page(webinar)), id="webinar_form") | changed, follow=True)


def rows_of(response):
    inlines = response.context["inline_admin_formsets"]
    return next(inline.formset for inline in inlines if inline.formset.prefix == "questions").forms


def test_only_earlier_questions_of_the_same_webinar_and_time_are_offered(client, owner, webinar, host):
    make_question(make_webinar(host=host), wording="Of another webinar")
    first = make_question(webinar, wording="First", order=1)
    make_question(webinar, wording="Survey", order=1, asked=Question.Asked.SURVEY)
    second = make_question(webinar, wording="Second", order=2)
    make_question(webinar, wording="Third", order=3)

    rows = {row.instance.pk: row for row in rows_of(client.get(page(webinar)))}

    assert [key for key, _words in rows[second.pk].fields["depends_on"].choices] == ["", first.pk]
    assert [key for key, _words in rows[first.pk].fields["depends_on"].choices] == [""]


def test_a_question_is_made_to_depend_on_an_answer(client, owner, webinar):
    first = make_question(webinar, kind="one", options="Roads\nRivers", order=1)
    second = make_question(webinar, wording="Which river?", order=2)

    save(client, webinar, **{"questions-1-depends_on": str(first.pk), "questions-1-depends_answers": "rivers"})

    second.refresh_from_db()
    assert (second.depends_on, second.depends_answers) == (first, "Rivers")


def test_a_forged_question_of_another_webinar_is_refused(client, owner, webinar, host):
    other = make_question(make_webinar(host=host), order=0)
    make_question(webinar, order=2)

    response = save(client, webinar, **{"questions-0-depends_on": str(other.pk)})

    assert "depends_on" in rows_of(response)[0].errors


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"questions-0-order": "5"}, "This question comes later. Choose an earlier one."),
        ({"questions-0-DELETE": "on"}, "This question is being deleted. Choose another, or none."),
        ({"questions-0-asked": "survey"}, "This question is asked at another time."),
    ],
)
def test_no_change_of_one_row_leaves_another_without_its_question(client, owner, webinar, changed, words):
    first = make_question(webinar, order=1)
    second = make_question(webinar, order=2, depends_on=first)

    response = save(client, webinar, **changed)

    errors = [row.errors.get("depends_on") for row in rows_of(response) if row.instance.pk == second.pk]
    assert errors == [[words]]
    assert Question.objects.filter(pk=first.pk, order=1, asked="registering").exists()


def test_an_option_is_renamed_together_with_what_is_asked_after_it(client, owner, webinar):
    first = make_question(webinar, kind="one", options="Roads\nRivers", order=1)
    second = make_question(webinar, wording="Which?", order=2, depends_on=first, depends_answers="Rivers")

    alone = save(client, webinar, **{"questions-0-options": "Roads\r\nRivers and seas"})
    save(
        client,
        webinar,
        **{"questions-0-options": "Roads\r\nRivers and seas", "questions-1-depends_answers": "rivers and seas"},
    )

    assert "which would be none any more" in str(rows_of(alone)[0].errors)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.option_list, second.depends_answers) == (["Roads", "Rivers and seas"], "Rivers and seas")


@pytest.mark.parametrize(
    "changed", [{"questions-1-depends_on": "", "questions-1-depends_answers": ""}, {"questions-1-DELETE": "on"}]
)
def test_an_option_goes_together_with_what_was_asked_after_it(client, owner, webinar, changed):
    first = make_question(webinar, kind="one", options="Roads\nRivers\nAir", order=1)
    make_question(webinar, wording="Which?", order=2, depends_on=first, depends_answers="Rivers")

    save(client, webinar, **{"questions-0-options": "Roads\r\nAir"}, **changed)

    first.refresh_from_db()
    assert first.option_list == ["Roads", "Air"]


def test_both_are_deleted_together(client, owner, webinar):
    first = make_question(webinar, order=1)
    make_question(webinar, order=2, depends_on=first)

    save(client, webinar, **{"questions-0-DELETE": "on", "questions-1-DELETE": "on"})

    assert not webinar.questions.exists()


def test_the_page_takes_as_many_queries_for_six_questions_as_for_three(client, owner, host):
    few, many = make_webinar(host=host), make_webinar(host=host)
    for webinar, count in ((few, 3), (many, 6)):
        earlier = None
        for number in range(count):
            earlier = make_question(webinar, wording=f"Question {number}", order=number, depends_on=earlier)
    client.get(page(few))
    counts = []
    for webinar in (few, many):
        with CaptureQueriesContext(connection) as captured:
            client.get(page(webinar))
        counts.append(len(captured))

    assert counts[0] == counts[1]
