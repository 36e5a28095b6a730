"""The survey after a session: who may answer and when, what is kept, and what answering earns."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from events import scheduling
from events.models import OfferCondition, Question
from registrations import signup, surveys, tokens
from registrations.models import Answer, OfferCode, Registration
from tests.builders import NOW, make_offer, make_question, make_registration, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

SURVEY = Question.Asked.SURVEY


def ask(webinar, **fields):
    return make_question(webinar, **{"wording": "What will you use?", "asked": SURVEY, **fields})


def attended(webinar=None, **fields):
    """Somebody with a place in a session of this spring, long over whenever the tests run."""
    session = make_session(webinar, local_date=fields.pop("on", NOW.date().replace(year=2024, month=3)))
    return make_registration(session, now=session.starts_at - timedelta(days=9), **fields)


def page_of(client, own, **params):
    return client.get(reverse("registration_survey", args=[tokens.manage_token(own)]), params)


def answer(client, own, **data):
    return client.post(reverse("registration_survey", args=[tokens.manage_token(own)]), data)


# ---------- the act ----------


def test_answers_are_kept_with_the_wording_and_the_moment():
    own = attended()
    question = ask(own.webinar)
    now = own.session.ends_at

    surveys.answer_survey(own, {question: "The map"}, now=now)

    kept = Answer.objects.get()
    assert (kept.registration, kept.question, kept.wording, kept.value) == (own, question, question.wording, "The map")
    assert Registration.objects.get().surveyed_at == now


def test_new_answers_take_the_place_of_the_old_and_the_first_moment_stays():
    own = attended()
    first, second = ask(own.webinar), ask(own.webinar, wording="What was missing?")
    surveys.answer_survey(own, {first: "The map", second: "Time"}, now=own.session.ends_at)

    surveys.answer_survey(own, {first: "The names"}, now=own.session.ends_at + timedelta(days=1))

    assert [(kept.question, kept.value) for kept in Answer.objects.all()] == [(first, "The names")]
    assert Registration.objects.get().surveyed_at == own.session.ends_at


def test_what_was_answered_when_registering_stays_apart():
    webinar = make_webinar()
    registering, after = make_question(webinar), ask(webinar)
    own = attended(webinar, answers={registering: "Customs"})

    surveys.answer_survey(own, {after: "The map"}, now=own.session.ends_at)

    assert {kept.question: kept.value for kept in own.answers.all()} == {registering: "Customs", after: "The map"}


def test_registering_again_leaves_the_survey_as_it_was():
    webinar = make_webinar()
    registering, after = make_question(webinar), ask(webinar)
    own = attended(webinar, answers={registering: "Customs"}, email="anna@example.org")
    surveys.answer_survey(own, {after: "The map"}, now=own.session.ends_at)
    next_session = make_session(webinar)
    moved = signup.change_session(own, session=next_session, now=NOW)
    signup.cancel(moved, now=NOW)

    make_registration(next_session, email="anna@example.org", answers={registering: "Police"})

    assert {kept.question: kept.value for kept in own.answers.all()} == {registering: "Police", after: "The map"}


def test_answering_unlocks_what_it_earns_and_nothing_else():
    webinar = make_webinar()
    earned = make_offer(webinar, conditions=(OfferCondition.Kind.SURVEY,))
    other = make_offer(webinar, conditions=(OfferCondition.Kind.REPLAY,), headline="A book")
    own = attended(webinar)
    question = ask(webinar)

    surveys.answer_survey(own, {question: "The map"}, now=own.session.ends_at)

    codes = {code.offer: code for code in own.offer_codes.all()}
    assert (codes[earned].unlocked_at, codes[earned].unlocked_by) == (own.session.ends_at, "survey")
    assert not codes[other].is_unlocked


def test_an_offer_made_after_they_registered_is_earned_too():
    own = attended()
    question = ask(own.webinar)
    make_offer(own.webinar, conditions=(OfferCondition.Kind.SURVEY,))

    surveys.answer_survey(own, {question: "The map"}, now=own.session.ends_at)

    assert OfferCode.objects.get().is_unlocked


def refused(own, question, now):
    with pytest.raises(surveys.SurveyClosedError):
        surveys.answer_survey(own, {question: "The map"}, now=now)
    own.refresh_from_db()
    return not Answer.objects.exists() and own.surveyed_at is None


def test_the_survey_opens_when_the_session_ends():
    own = attended()
    question = ask(own.webinar)

    assert refused(own, question, own.session.ends_at - timedelta(seconds=1))


def test_whoever_waited_or_cancelled_is_not_asked():
    session = make_session(capacity=1)
    question = ask(session.webinar)
    cancelled = make_registration(session)
    waiting = make_registration(session)
    another = make_registration(session)
    signup.cancel(cancelled, now=NOW)

    assert Registration.objects.get(pk=waiting.pk).is_confirmed
    assert refused(cancelled, question, session.ends_at)
    assert refused(another, question, session.ends_at)


def test_a_session_that_never_took_place_has_no_survey():
    own = make_registration()
    question = ask(own.webinar)
    scheduling.cancel_session(own.session, by=None, now=NOW)

    assert refused(own, question, own.session.ends_at)


# ---------- the page ----------


def test_the_page_asks_the_survey_and_only_the_survey(client):
    webinar = make_webinar()
    make_question(webinar, wording="Where do you work?")
    ask(webinar, wording="What will you use?", is_required=True)
    own = attended(webinar, name="Anna Karimova")

    page = page_of(client, own).content.decode()

    assert "How was it, Anna?" in page
    assert "What will you use?" in page
    assert "Where do you work?" not in page


def test_registering_does_not_ask_the_survey(client):
    session = make_session(local_date=(timezone.now() + timedelta(days=30)).date())
    make_question(session.webinar, wording="Where do you work?")
    ask(session.webinar)

    page = client.get(session.webinar.get_absolute_url()).content.decode()

    assert "Where do you work?" in page
    assert "What will you use?" not in page


def test_answering_leads_to_thanks_with_the_code(client):
    webinar = make_webinar()
    make_offer(webinar, conditions=(OfferCondition.Kind.SURVEY,))
    own = attended(webinar, name="Anna Karimova")
    question = ask(webinar)
    code = OfferCode.objects.get().code
    before = page_of(client, own).content.decode()

    response = answer(client, own, **{question.field_name: "The map"})

    page = client.get(response["Location"]).content.decode()
    assert response.status_code == 303
    assert code not in before
    assert "Thank you, Anna" in page
    assert code in page
    assert "You answered the survey, so this code is yours." in page
    assert "The map" in page


def test_errors_stand_beside_their_questions_and_what_was_typed_stays(client):
    own = attended()
    number = ask(own.webinar, wording="How many came with you?", kind=Question.Kind.NUMBER)
    words = ask(own.webinar, wording="What was missing?")

    response = answer(client, own, **{number.field_name: "three", words.field_name: "<Time>"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert page.count("Enter a number in digits, such as 3 or 3.5") == 2
    assert f'href="#id_{number.field_name}"' in page
    assert 'value="three"' in page
    assert escape("<Time>") in page
    assert not Answer.objects.exists()


def test_a_required_question_left_out_is_asked_again(client):
    own = attended()
    question = ask(own.webinar, is_required=True)

    response = answer(client, own, **{question.field_name: " "})

    assert response.context["form"].errors == {question.field_name: ["Answer this question"]}


def test_an_empty_survey_earns_nothing(client):
    webinar = make_webinar()
    make_offer(webinar, conditions=(OfferCondition.Kind.SURVEY,))
    own = attended(webinar)
    ask(webinar)

    response = answer(client, own)

    assert "Answer at least one question" in response.content.decode()
    assert not OfferCode.objects.get().is_unlocked


def test_answers_can_be_changed_from_what_they_were(client):
    own = attended()
    many = ask(own.webinar, kind=Question.Kind.SOME_OF, options="Maps\nNames\nDates")
    words = ask(own.webinar)
    answer(client, own, **{many.field_name: ["Maps", "Dates"], words.field_name: "The map"})

    form = page_of(client, own).context["form"]
    changed = client.post(
        reverse("registration_survey", args=[tokens.manage_token(own)]),
        {many.field_name: ["Names"], words.field_name: "The map"},
        follow=True,
    )

    assert form.initial == {many.field_name: ["Maps", "Dates"], words.field_name: "The map"}
    assert "Your new answers are kept." in changed.content.decode()
    assert {kept.question: kept.value for kept in own.answers.all()} == {many: "Names", words: "The map"}


def test_an_option_that_the_organizers_renamed_is_kept_by_whoever_had_chosen_it(client):
    own = attended()
    one = ask(own.webinar, kind=Question.Kind.ONE_OF, options="Maps\nNames")
    many = ask(own.webinar, kind=Question.Kind.SOME_OF, options="Maps\nNames\nDates")
    answer(client, own, **{one.field_name: "Maps", many.field_name: ["Maps", "Dates"]})
    Question.objects.update(options="Charts\nNames")

    shown = posted(page_of(client, own), action=reverse("registration_survey", args=[tokens.manage_token(own)]))
    response = answer(client, own, **shown)

    assert response.status_code == 303
    assert {kept.question: kept.value for kept in own.answers.all()} == {one: "Maps", many: "Maps\nDates"}


def test_before_the_end_the_page_says_when_it_opens(client):
    session = make_session(local_date=(timezone.now() + timedelta(days=30)).date(), time_zone="Asia/Tashkent")
    own = make_registration(session, now=timezone.now())
    question = ask(session.webinar)

    page = page_of(client, own).content.decode()
    sent = answer(client, own, **{question.field_name: "The map"})

    assert "It opens when your session ends" in page
    assert "15:00 Tashkent, UTC+5" in page
    assert question.wording not in page
    assert sent.status_code == 409
    assert not Answer.objects.exists()


def test_without_questions_there_is_no_survey(client):
    own = attended()

    assert page_of(client, own).status_code == 404
    assert answer(client, own).status_code == 404


def test_ones_own_page_leads_to_the_survey_once_it_is_open(client):
    webinar = make_webinar()
    make_offer(webinar, conditions=(OfferCondition.Kind.SURVEY,))
    question = ask(webinar)
    own = attended(webinar)
    survey = reverse("registration_survey", args=[tokens.manage_token(own)])
    own_page = reverse("registration", args=[tokens.manage_token(own)])

    opened = client.get(own_page).content.decode()
    answer(client, own, **{question.field_name: "The map"})
    answered = client.get(own_page).content.decode()

    assert opened.count(f'href="{survey}"') == 2  # the button, and the way to the code
    assert "1 question, read by" in opened
    assert "See or change your answers" in answered
    assert "The map" not in answered


def test_the_joining_link_does_not_open_the_survey(client):
    own = attended()
    ask(own.webinar)

    response = client.get(reverse("registration_survey", args=[tokens.join_token(own)]))

    assert response.status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_questions(client, django_assert_num_queries):
    own, other = attended(), attended()
    ask(own.webinar)
    for number in range(3):
        ask(other.webinar, wording=f"Question {number}?", order=number)
    page_of(client, own)

    with django_assert_num_queries(8) as queries:
        page_of(client, own)
    with django_assert_num_queries(len(queries)):
        page_of(client, other)
