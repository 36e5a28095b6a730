"""What people type: what is taken, what is refused beside which field, and what stays."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from events.email_addresses import check_email
from events.models import Question, Session
from registrations import stamps
from registrations.forms import RegistrationForm, SessionChoiceForm, SurveyForm
from tests.builders import NOW, form_data, make_question, make_session, make_webinar

pytestmark = pytest.mark.django_db

REAL_AGE = timedelta(seconds=2)


def filled(place, *, zone=None, now=NOW, **data):
    """A form as somebody sends it who makes no mistake, but for what the test changes."""
    return RegistrationForm(place.webinar, zone, form_data(place, now=now, **data), now=now)


def errors_of(form, field):
    return [str(error) for error in form.errors.get(field, [])]


# ---------- name ----------


def test_name_loses_line_breaks_and_control_characters():
    form = filled(make_session(), name="  Анна\r\nBcc: x\x00\x07 \u202eКаримова ")

    assert form.is_valid()
    assert form.cleaned_data["name"] == "Анна Bcc: x Каримова"


@pytest.mark.parametrize("name", ["", "   ", "\x00\x01\x1f", "\u202e\u2066", "\u200b\u200d\ufeff", "…—!"])
def test_a_name_without_a_letter_is_asked_for_again(name):
    form = filled(make_session(), name=name)

    assert errors_of(form, "name") == ["Enter your full name"]


@pytest.mark.parametrize(
    "name",
    [
        "Win: https://example.org/prize",
        "Go to WWW.example.org",
        "x@example.org",
        "ｈttp：／／example.org",
        "x＠example.org",
    ],
)
def test_a_name_that_would_be_a_link_in_a_mail_is_refused(name):
    form = filled(make_session(), name=name)

    assert errors_of(form, "name") == ["Enter a name without links or addresses."]


@pytest.mark.parametrize("name", ["O'Brien-Smith, Jr.", "Dr. Wwan Li", "Anna (Border Office): chair", "Anna / Olga"])
def test_a_name_with_unusual_signs_is_a_name(name):
    assert filled(make_session(), name=name).is_valid()


def test_a_name_of_ten_thousand_characters_is_refused_and_kept():
    long_name = "Anna " * 2000

    form = filled(make_session(), name=long_name)

    assert errors_of(form, "name") == ["This has 9999 characters; at most 200 are taken"]
    assert long_name in str(form["name"])


def test_no_input_has_a_maxlength_that_would_cut_what_is_pasted():
    session = make_session()
    make_question(session.webinar)

    form = RegistrationForm(session.webinar, None, now=NOW)

    assert not [field.name for field in form if "maxlength" in str(field)]


# ---------- address ----------


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("", "Enter your email address"),
        ("anna", "The email address has no @ sign. It should look like name@example.org"),
        ("anna@example", "The email address has no ending. It should look like name@example.org"),
        ("anna@example.", "The email address has no ending. It should look like name@example.org"),
        ("anna karimova@example.org", "The email address has a space in it. It should look like name@example.org"),
        ("a@b.org\r\nBcc: c@d.org", "The email address has a space in it. It should look like name@example.org"),
        ("anna@@example.org", "The email address has a mistake in it. It should look like name@example.org"),
        ("ſue@example.org", "Before the @ sign, only the letters a to z work here. Use another address."),
        ("a@[10.0.0.5]", "The email address has a mistake in it. It should look like name@example.org"),
        ("a@[IPv6:fe80::1.2]", "The email address has a mistake in it. It should look like name@example.org"),
        # Sixty letters that take more than sixty-three to spell, and a letter that is a slash to mail servers.
        ("a@" + "ж" * 60 + ".org", "The email address has a mistake in it. It should look like name@example.org"),
        ("a@℀.example.org", "The email address has a mistake in it. It should look like name@example.org"),
        ("a" * 250 + "@example.org", "This has 262 characters; at most 254 are taken"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_with_the_reason(email, error):
    form = filled(make_session(), email=email)

    assert errors_of(form, "email") == [error]


@pytest.mark.parametrize("email", ["anna@почта.рф", "anna@STRASSE.example", "o'brien+webinars@mail.example.co.uk"])
def test_an_address_that_mail_reaches_is_taken(email):
    assert filled(make_session(), email=email).is_valid()


def test_what_copying_leaves_around_an_address_is_nobodys_fault():
    form = filled(make_session(), email="  \u202aAnna@Example.org\u202c\x00 ")

    assert form.is_valid()
    assert form.cleaned_data["email"] == "Anna@Example.org"


# ---------- session ----------


def test_a_session_of_another_webinar_is_refused_beside_the_field():
    elsewhere = make_session()

    form = filled(make_session(), session=str(elsewhere.pk))

    assert errors_of(form, "session") == ["Choose one of the sessions"]


@pytest.mark.parametrize("typed", ["0", "-1", "abc", "1e3", "٣", "9" * 400, "1 OR 1=1"])
def test_what_is_no_session_is_refused(typed):
    form = filled(make_session(), session=typed)

    assert errors_of(form, "session") == ["Choose one of the sessions"]


def test_a_lone_session_need_not_be_sent():
    session = make_session()

    form = filled(session, session="")

    assert form.is_valid()
    assert form.cleaned_data["session"] == session


def test_of_several_sessions_one_must_be_chosen():
    session = make_session()
    make_session(session.webinar)

    form = filled(session, session="")

    assert errors_of(form, "session") == ["Choose one of the sessions"]


def test_a_cancelled_session_takes_nobody():
    session = make_session(state=Session.State.CANCELLED)

    assert errors_of(filled(session), "session") == ["This session is cancelled. Choose another."]


def test_a_session_that_has_ended_takes_nobody():
    session = make_session()

    assert errors_of(filled(session, now=session.ends_at), "session") == ["This session is over. Choose another."]


def test_a_full_session_without_a_waiting_list_takes_nobody():
    session = make_session(capacity=1, places_taken=1, has_waiting_list=False)

    assert errors_of(filled(session), "session") == ["This session is full. Choose another."]


def test_a_full_session_with_a_waiting_list_can_be_chosen():
    assert filled(make_session(capacity=1, places_taken=1)).is_valid()


def test_registration_that_is_not_open_yet_is_refused():
    webinar = make_webinar(registration_opens_at=NOW + timedelta(hours=1))

    assert errors_of(filled(make_session(webinar)), "session") == ["Registration opens on Wed, 16 Sept 2026"]


def test_moving_asks_for_nothing_but_the_session():
    session = make_session()
    other = make_session(session.webinar)

    form = SessionChoiceForm(session.webinar, {"session": str(other.pk)}, now=NOW)

    assert form.is_valid()
    assert form.cleaned_data == {"session": other}


# ---------- zone and consent ----------


@pytest.mark.parametrize(
    ("sent", "zone", "kept"),
    [
        ("Asia/Tashkent", None, "Asia/Tashkent"),
        ("Asia/Calcutta", None, "Asia/Kolkata"),
        ("Mars/Olympus", None, ""),
        ("Mars/Olympus", "Europe/Vienna", "Europe/Vienna"),
        ("../../etc/passwd", None, ""),
        ("\x00", None, ""),
        ("", "Europe/Vienna", "Europe/Vienna"),
    ],
)
def test_an_unknown_zone_is_ignored_and_an_old_name_is_folded(sent, zone, kept):
    form = filled(make_session(), zone=zone, time_zone=sent)

    assert form.is_valid()
    assert form.cleaned_data["time_zone"] == kept


def test_consent_is_given_only_by_ticking_the_box():
    session = make_session()
    without, with_consent = filled(session), filled(session, consent="on")

    assert without.is_valid()
    assert with_consent.is_valid()
    assert (without.wants_news, with_consent.wants_news) == (False, True)


# ---------- questions ----------

KINDS = Question.Kind


@pytest.mark.parametrize(
    ("kind", "sent", "stored"),
    [
        (KINDS.SHORT_TEXT, "  Customs\r\n office ", "Customs office"),
        (KINDS.LONG_TEXT, "One\r\ntwo\x00\x07", "One\ntwo"),
        (KINDS.ONE_OF, "Sea", "Sea"),
        (KINDS.SOME_OF, ["Sea", "Land & river"], "Sea\nLand & river"),
        (KINDS.SOME_OF, ["Sea", "Air", "Sea"] + ["Air"] * 900, "Sea\nAir"),
        (KINDS.YES_NO, "no", "no"),
        (KINDS.NUMBER, " 12.50 ", "12.5"),
        (KINDS.NUMBER, "100", "100"),
        (KINDS.COUNTRY, "UZ", "UZ"),
    ],
)
def test_each_kind_of_question_is_answered_and_cleaned(kind, sent, stored):
    session = make_session()
    question = make_question(session.webinar, kind=kind, options="Sea\nLand & river\nAir", is_required=True)

    form = filled(session, **{question.field_name: sent})

    assert form.is_valid(), form.errors
    assert form.answers == {question: stored}


@pytest.mark.parametrize("kind", KINDS.values)
def test_a_required_question_left_out_is_asked_again(kind):
    session = make_session()
    question = make_question(session.webinar, kind=kind, options="Sea\nLand", is_required=True)

    form = filled(session)

    assert len(errors_of(form, question.field_name)) == 1


@pytest.mark.parametrize("kind", KINDS.values)
def test_an_optional_question_may_be_left_out(kind):
    session = make_session()
    make_question(session.webinar, kind=kind, options="Sea\nLand")

    form = filled(session)

    assert form.is_valid(), form.errors
    assert form.answers == {}


@pytest.mark.parametrize(
    ("kind", "sent", "error"),
    [
        (KINDS.SHORT_TEXT, "x" * 301, "This has 301 characters; at most 300 are taken"),
        (KINDS.LONG_TEXT, "x" * 10_000, "This has 10000 characters; at most 4000 are taken"),
        (KINDS.ONE_OF, "Space", "Choose from the list"),
        (KINDS.SOME_OF, ["Sea", "Space"], "Choose from the list"),
        (KINDS.YES_NO, "maybe", "Choose from the list"),
        (KINDS.NUMBER, "many", "Enter a number in digits, such as 3 or 3.5"),
        (KINDS.NUMBER, "NaN", "Enter a number in digits, such as 3 or 3.5"),
        (KINDS.NUMBER, "1e400", "Enter a shorter number"),
        (KINDS.COUNTRY, "ZZ", "Choose from the list"),
        (KINDS.COUNTRY, "uzbekistan", "Choose from the list"),
    ],
)
def test_an_answer_that_cannot_be_one_is_refused_beside_its_question(kind, sent, error):
    session = make_session()
    question = make_question(session.webinar, kind=kind, options="Sea\nLand")

    form = filled(session, **{question.field_name: sent})

    assert errors_of(form, question.field_name) == [error]


def test_a_long_list_of_options_is_a_list_to_open():
    session = make_session()
    question = make_question(session.webinar, kind=KINDS.ONE_OF, options="\n".join("abcdefgh"))

    form = RegistrationForm(session.webinar, None, now=NOW)

    assert "<select" in str(form[question.field_name])


def test_an_address_that_mail_would_carry_to_another_domain_is_refused():
    check_email("anna@bücher.example")
    check_email("Anna@BÜCHER.example")

    with pytest.raises(ValidationError):
        check_email("anna@faß.example")


@pytest.mark.parametrize(("kind", "sent"), [(KINDS.ONE_OF, "Sea"), (KINDS.SOME_OF, ["Sea"])])
def test_what_was_answered_before_stays_a_choice_when_it_is_no_option_any_more(kind, sent):
    question = make_question(make_webinar(), kind=kind, options="Water\nLand", asked=Question.Asked.SURVEY)

    shown = SurveyForm([question], given={question: "Sea"})
    kept = SurveyForm([question], {question.field_name: sent}, given={question: "Sea"})
    anothers = SurveyForm([question], {question.field_name: sent})

    field: Any = shown.fields[question.field_name]
    choices = [value for value, _label in field.choices if value]
    assert choices == ["Water", "Land", "Sea"]
    assert shown[question.field_name].value() == sent
    assert kept.is_valid()
    assert kept.answers == {question: "Sea"}
    assert anothers.errors == {question.field_name: ["Choose from the list"]}


# ---------- questions that depend on others ----------


def ask_how(session, **fields):
    """How somebody travels, and on which road where they drive."""
    how = make_question(session.webinar, kind=KINDS.ONE_OF, options="Road\nRail\nAir", wording="How?", order=1)
    which = make_question(
        session.webinar, depends_on=how, depends_answers="Road\nAir", wording="Which?", order=2, **fields
    )
    return how, which


def test_a_question_that_is_asked_is_required_and_kept():
    session = make_session()
    how, which = ask_how(session, is_required=True)

    without = filled(session, **{how.field_name: "Road"})
    answered = filled(session, **{how.field_name: "Road", which.field_name: "M39"})

    assert without.errors == {which.field_name: ["Answer this question"]}
    assert answered.is_valid()
    assert answered.answers == {how: "Road", which: "M39"}


@pytest.mark.parametrize("given", ["Rail", ""])
def test_a_question_that_is_not_asked_is_not_missed_and_its_answer_is_dropped(given):
    session = make_session()
    how, which = ask_how(session, is_required=True)

    without = filled(session, **{how.field_name: given})
    answered = filled(session, **{how.field_name: given, which.field_name: "M39"})
    wrong = filled(session, **{how.field_name: given, which.field_name: "x" * 5000})

    for form in (without, answered, wrong):
        assert form.is_valid(), form.errors
        assert which not in form.answers


def test_a_wrong_answer_stands_in_the_way_only_of_whoever_is_asked():
    session = make_session()
    how, which = ask_how(session, kind=KINDS.NUMBER)

    form = filled(session, **{how.field_name: "Air", which.field_name: "many"})

    assert form.errors == {which.field_name: ["Enter a number in digits, such as 3 or 3.5"]}


@pytest.mark.parametrize("kind", KINDS.values)
def test_each_kind_of_question_can_be_asked_after_another(kind):
    session = make_session()
    how, which = ask_how(session, kind=kind, options="Sea\nLand", is_required=True)

    asked, not_asked = filled(session, **{how.field_name: "Road"}), filled(session, **{how.field_name: "Rail"})

    assert list(asked.errors) == [which.field_name]
    assert not_asked.is_valid()
    assert "required" not in str(asked[which.field_name])


@pytest.mark.parametrize(
    ("kind", "answers", "sent"),
    [
        (KINDS.SOME_OF, "Land", ["Sea", "Land"]),
        (KINDS.YES_NO, "yes", "yes"),
        (KINDS.COUNTRY, "UZ", "UZ"),
        (KINDS.NUMBER, "3.5", "3.50"),
        (KINDS.SHORT_TEXT, "Tashkent", " tashkent"),
        (KINDS.LONG_TEXT, "", "Whatever"),
    ],
)
def test_a_question_can_be_asked_after_each_kind(kind, answers, sent):
    session = make_session()
    first = make_question(session.webinar, kind=kind, options="Sea\nLand", order=1)
    then = make_question(session.webinar, depends_on=first, depends_answers=answers, is_required=True, order=2)

    asked, not_asked = filled(session, **{first.field_name: sent}), filled(session)

    assert list(asked.errors) == [then.field_name]
    assert not_asked.is_valid()


def test_what_is_not_asked_asks_nothing_else():
    session = make_session()
    how, which = ask_how(session)
    why = make_question(session.webinar, depends_on=which, is_required=True, order=3)

    chain = filled(session, **{how.field_name: "Rail", which.field_name: "M39", why.field_name: "Because"})
    asked = filled(session, **{how.field_name: "Road", which.field_name: "M39"})

    assert chain.is_valid(), chain.errors
    assert chain.answers == {how: "Rail"}
    assert asked.errors == {why.field_name: ["Answer this question"]}


def test_a_question_whose_earlier_one_is_asked_elsewhere_is_asked_of_everybody():
    session = make_session()
    elsewhere = make_question(session.webinar, asked=Question.Asked.SURVEY)
    question = make_question(session.webinar, depends_on=elsewhere, is_required=False)

    form = filled(session, **{question.field_name: "M39"})

    assert form.is_valid()
    assert form.answers == {question: "M39"}


def test_the_survey_asks_by_the_same_rules():
    webinar = make_webinar()
    how = make_question(webinar, kind=KINDS.YES_NO, asked=Question.Asked.SURVEY, order=1)
    why = make_question(
        webinar, depends_on=how, depends_answers="no", asked=Question.Asked.SURVEY, is_required=True, order=2
    )

    asked = SurveyForm([how, why], {how.field_name: "no"})
    not_asked = SurveyForm([how, why], {how.field_name: "yes", why.field_name: "x"})
    nothing = SurveyForm([how, why], {why.field_name: "x"})

    assert asked.errors == {why.field_name: ["Answer this question"]}
    assert not_asked.is_valid()
    assert not_asked.answers == {how: "yes"}
    assert nothing.non_field_errors() == ["Answer at least one question"]


# ---------- any of the sessions ----------


def test_any_session_is_the_earliest_with_a_place():
    webinar = make_webinar()
    full = make_session(webinar, capacity=1, places_taken=1)
    make_session(webinar, local_date=date(2026, 10, 20))
    free = make_session(webinar, local_date=date(2026, 10, 16))

    form = filled(full, session="any")

    assert form.is_valid()
    assert form.any_session
    assert form.cleaned_data["session"] == free


def test_any_session_is_the_earliest_to_wait_for_where_no_place_is_left():
    webinar = make_webinar()
    later = make_session(webinar, local_date=date(2026, 10, 16), capacity=1, places_taken=1)
    make_session(webinar, capacity=1, places_taken=1, has_waiting_list=False)

    form = filled(later, session="any")

    assert form.is_valid()
    assert form.cleaned_data["session"] == later


def test_any_session_is_refused_where_none_takes_anybody():
    session = make_session(capacity=1, places_taken=1, has_waiting_list=False)

    assert errors_of(filled(session, session="any"), "session") == ["Choose one of the sessions"]


# ---------- programs ----------


@pytest.mark.parametrize("seconds", [0, 1.9])
def test_what_comes_faster_than_people_type_is_held_back(settings, seconds):
    settings.FORM_TAKES_AT_LEAST = REAL_AGE
    session = make_session()
    stamp = stamps.new_stamp(now=NOW - timedelta(seconds=seconds))

    form = filled(session, stamp=stamp)

    assert form.is_held_back
    assert form.non_field_errors() == ["That was faster than people type."]
    assert form.stamp == stamp  # a moment later it is good


@pytest.mark.parametrize("age", [timedelta(seconds=2), timedelta(hours=23)])
def test_what_takes_its_time_is_taken(settings, age):
    settings.FORM_TAKES_AT_LEAST = REAL_AGE

    form = filled(make_session(), stamp=stamps.new_stamp(now=NOW - age))

    assert form.is_valid()


@pytest.mark.parametrize("stamp", ["", "forged", stamps.new_stamp(now=NOW - timedelta(days=2))])
def test_without_a_good_stamp_it_is_held_back_once(stamp):
    session = make_session()

    form = filled(session, stamp=stamp)
    again = filled(session, stamp=form.stamp)

    assert form.is_held_back
    assert form.non_field_errors() == ["This page stood open for very long."]
    assert again.is_valid()


def test_who_has_something_to_correct_hears_of_that_first():
    form = filled(make_session(), stamp="", name="")

    assert form.errors == {"name": ["Enter your full name"]}
    assert not form.is_held_back


def test_what_stands_in_the_field_for_nobody_is_said_and_taken_out():
    form = filled(make_session(), message="Buy now")

    assert form.errors == {"message": ["Something stood in this field. Please send the form once more."]}
    assert "Buy" not in str(form["message"])


# ---------- where the page begins ----------


def focused(form):
    return [name for name in form.fields if "autofocus" in str(form[name])]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"name": ""}, "name"), ({"name": "", "email": ""}, "name"), ({"email": "anna@"}, "email")],
)
def test_the_first_field_that_is_wrong_has_the_focus(wrong, name):
    assert focused(filled(make_session(), **wrong)) == [name]


@pytest.mark.parametrize("kind", KINDS.values)
def test_a_question_of_any_kind_can_have_the_focus_in_one_place(kind):
    session = make_session()
    question = make_question(session.webinar, kind=kind, options="Sea\nLand", is_required=True)
    make_question(session.webinar, is_required=True, order=2)

    form = filled(session)

    drawn = (
        "".join(str(choice.tag()) for choice in form[question.field_name])
        if form[question.field_name].is_group
        else str(form[question.field_name])
    )
    assert drawn.count("autofocus") == 1


def test_a_form_without_a_mistake_leaves_the_focus_where_it_is():
    session = make_session()

    assert focused(filled(session)) == []
    assert focused(RegistrationForm(session.webinar, None, now=NOW)) == []
