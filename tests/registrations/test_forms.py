"""What people type: what is taken, what is refused beside which field, and what stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from events.email_addresses import check_email
from events.models import Question, Session
from registrations.forms import RegistrationForm, SessionChoiceForm, SurveyForm, can_hold, shown_answer
from tests.builders import NOW, make_question, make_session, make_webinar

pytestmark = pytest.mark.django_db


def filled(place, *, zone=None, now=NOW, **data):
    """A form as somebody sends it who makes no mistake, but for what the test changes."""
    sent = {"name": "Anna Karimova", "email": "anna@example.org", "session": str(place.pk), **data}
    return RegistrationForm(place.webinar, zone, sent, now=now)


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
        ("ſue@example.org", "The email address has a mistake in it. It should look like name@example.org"),
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

    assert errors_of(filled(make_session(webinar)), "session") == ["Registration is not open."]


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


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [(KINDS.COUNTRY, "UZ", "Uzbekistan"), (KINDS.YES_NO, "yes", "Yes"), (KINDS.SHORT_TEXT, "UZ", "UZ")],
)
def test_a_stored_answer_is_shown_in_words(kind, value, words):
    question = make_question(make_webinar(), kind=kind)

    assert shown_answer(question, value) == words


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
