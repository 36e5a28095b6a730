"""Questions that people have answered: deleting them is asked about, moving them refused, lost options are told."""

from datetime import date, time

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from events.models import Membership, Question
from registrations.models import Answer
from tests.builders import make_host, make_organizer, make_question, make_registration, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


@pytest.fixture
def answered(host):
    """A question that two people have answered, and one that nobody has."""
    webinar = make_webinar(host=host)
    question = make_question(webinar, kind="one", options="Roads\nRivers", order=1)
    make_question(webinar, wording="Which one?", order=2)
    session = make_session(webinar, **COMING)
    for answer in ("Roads", "Rivers"):
        make_registration(session, answers={question: answer})
    return question


def page(question):
    return reverse("admin:events_webinar_change", args=[question.webinar_id])


def save(client, question, **changed):
    return client.post(page(question), posted(client.get(page(question)), id="webinar_form") | changed, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def test_deleting_an_answered_question_is_asked_about_with_the_number(client, editor, answered):
    question = save(client, answered, **{"questions-0-DELETE": "on"})
    before = (Question.objects.count(), Answer.objects.count())
    done = client.post(page(answered), dict(question.context["carried"]) | {"confirmed": ""}, follow=True)

    assert question.status_code == 200
    assert "“Where do you work?” is deleted with the answers of 2 people, which cannot be brought back." in words_of(
        question
    )
    assert "told by mail" not in words_of(question)
    assert before == (2, 2)
    assert "was changed successfully" in words_of(done)
    assert list(Question.objects.values_list("wording", flat=True)) == ["Which one?"]
    assert not Answer.objects.exists()


def test_the_answer_no_deletes_nothing(client, editor, answered):
    question = save(client, answered, **{"questions-0-DELETE": "on"})
    client.post(page(answered), dict(question.context["carried"]) | {"reconsidered": ""})

    assert (Question.objects.count(), Answer.objects.count()) == (2, 2)


def test_a_question_that_nobody_answered_is_deleted_at_once(client, editor, answered):
    done = save(client, answered, **{"questions-1-DELETE": "on"})

    assert "was changed successfully" in words_of(done)
    assert (Question.objects.count(), Answer.objects.count()) == (1, 2)


def test_an_answered_question_is_not_asked_at_another_time(client, editor, answered):
    response = save(client, answered, **{"questions-0-asked": "survey"})

    assert "2 people have answered it as it is asked now. Add a new question instead." in words_of(response)
    answered.refresh_from_db()
    assert answered.asked == "registering"


def test_options_that_were_chosen_and_are_gone_are_told(client, editor, answered):
    response = save(client, answered, **{"questions-0-options": "Roads\nSea"})

    words = words_of(response)
    assert "“Rivers” is no option now. 1 person had chosen it, and the answer stays." in words
    assert "“Roads” is no option" not in words
    assert sorted(Answer.objects.values_list("value", flat=True)) == ["Rivers", "Roads"]


def test_viewers_delete_no_question(client, host, answered):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    response = client.post(page(answered), {"questions-0-DELETE": "on", "confirmed": ""})

    assert response.status_code == 403
    assert Answer.objects.count() == 2


def test_a_forged_question_of_another_webinar_is_not_deleted(client, editor, host, answered):
    mine = make_question(make_webinar(host=host))
    sent = posted(client.get(page(mine)), id="webinar_form")

    client.post(page(mine), sent | {"questions-0-id": str(answered.pk), "questions-0-DELETE": "on", "confirmed": ""})

    assert Question.objects.filter(pk=answered.pk).exists()
    assert Answer.objects.count() == 2
