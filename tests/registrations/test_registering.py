"""Registering by the form: its steps, how often it may be sent, what looks like a program, and bad input."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.models import Question, User
from registrations import signup, stamps, tokens
from registrations.models import Message, Registration
from tests.builders import form_data, make_host, make_question, make_session, make_webinar
from tests.posting import posted

pytestmark = pytest.mark.django_db

ACCEPTED = "{host} accepts each registration. You have a place once that is done, and we write to you either way."
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


def coming_session(webinar=None, *, days=30, **fields):
    start = timezone.now() + timedelta(days=days)
    return make_session(
        webinar,
        **{"local_date": start.date(), "local_time": start.time().replace(microsecond=0), "time_zone": "UTC", **fields},
    )


def full_session(webinar=None, **fields):
    """One that has a waiting list."""
    return coming_session(webinar, **{"capacity": 1, "places_taken": 1, **fields})


def send(client, place, *, follow=False, headers=None, **typed):
    path = reverse("register", args=[place.webinar.slug])
    return client.post(path, form_data(place, **typed), follow=follow, headers=headers)


def words_of(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text)


def input_of(page, name):
    return next(iter(re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)))


def landing_words(session):
    return words_of(Client().get(session.webinar.get_absolute_url()))


def signed_in(email="anna@example.org", *, verified=True):
    client = Client()
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# ---------- how often ----------


def test_one_address_is_written_to_six_times_an_hour_over_all_webinars():
    sessions = [coming_session() for _number in range(7)]

    answers = [send(Client(), session) for session in sessions]

    assert [answer.status_code for answer in answers] == [303] * 6 + [429]
    assert Message.objects.count() == 6
    assert int(answers[6]["Retry-After"]) in range(3590, 3601)
    words = words_of(answers[6])
    assert "You are not registered yet" in words
    assert "Too many registrations were sent for this address Try again in 60 minutes." in words
    assert 'value="Anna Karimova"' in input_of(answers[6].content.decode(), "name")
    assert 'value="anna@example.org"' in input_of(answers[6].content.decode(), "email")


def test_what_comes_after_a_plus_is_no_other_address():
    session = coming_session()

    statuses = [send(Client(), session, email=f"an.na+{number}@gmail.com").status_code for number in range(6)]

    assert send(Client(), session, email="anna@googlemail.com").status_code == 429
    assert statuses == [303] * 6
    assert send(Client(), session, email="anna@example.org").status_code == 303


@pytest.mark.parametrize(
    "spellings",
    [
        ['"anna"@example.org', '"a\\nna"@example.org', '"an\\na"@example.org', '"ann\\a+news"@example.org'],
        ["anna@bücher.example", "anna@xn--bcher-kva.example", "ANNA+1@BÜCHER.example", "anna+2@bücher.example"],
    ],
)
def test_another_spelling_of_a_mailbox_is_no_other_address(spellings):
    session = coming_session()
    for email in (spellings * 2)[:6]:
        assert send(Client(), session, email=email).status_code == 303

    assert [send(Client(), session, email=email).status_code for email in spellings] == [429] * 4


def test_a_known_address_is_counted_like_any_other():
    session = coming_session()
    signup.register(session, name="Anna", email="known@example.org", now=timezone.now())

    known = [send(Client(), session, email="known@example.org").status_code for _time in range(7)]
    unknown = [send(Client(), session, email="unknown@example.org").status_code for _time in range(7)]

    assert known == unknown == [303] * 6 + [429]


def test_what_has_a_mistake_in_it_does_not_count_for_the_address():
    session = coming_session()
    for _time in range(10):
        assert send(Client(), session, name="").status_code == 422

    assert send(Client(), session).status_code == 303


def test_whoever_proved_the_address_may_register_for_as_much_as_they_like():
    client = signed_in()
    for _number in range(7):
        answer = send(client, coming_session(), headers=FROM_OUR_PAGE)

    assert answer.status_code == 303


def test_one_source_sends_sixty_forms_a_minute_with_or_without_mistakes():
    session = coming_session()
    for number in range(60):
        send(Client(), session, email=f"anna{number}@example.org", name="Anna" if number % 2 else "")

    answer = send(Client(), session, email="another@example.org")
    elsewhere = Client(REMOTE_ADDR="198.51.100.7").post(
        reverse("register", args=[session.webinar.slug]), form_data(session)
    )

    assert answer.status_code == 429
    assert "Too many registrations came from your network Try again in 1 minute." in words_of(answer)
    assert not Registration.objects.filter(email="another@example.org").exists()
    assert elsewhere.status_code == 303


# ---------- programs ----------


def test_the_page_gives_a_stamp_with_which_the_form_is_taken(client):
    session = coming_session()
    page = client.get(session.webinar.get_absolute_url())

    sent = posted(page, id="registration")
    answer = client.post(
        reverse("register", args=[session.webinar.slug]), {**sent, "name": "Anna", "email": "anna@example.org"}
    )

    assert answer.status_code == 303


def test_what_is_sent_too_fast_is_asked_for_once_more_and_then_taken(client, settings):
    settings.FORM_TAKES_AT_LEAST = timedelta(seconds=2)
    session = coming_session()

    held_back = send(client, session, consent="on")
    settings.FORM_TAKES_AT_LEAST = timedelta(0)
    again = client.post(reverse("register", args=[session.webinar.slug]), posted(held_back, id="registration"))

    assert held_back.status_code == 422
    words = words_of(held_back)
    assert "You are not registered yet" in words
    assert "Please send it once more That was faster than people type. What you typed is kept." in words
    assert re.search(r'id="errors" autofocus', held_back.content.decode())
    assert again.status_code == 303
    assert Registration.objects.get().consented_at is not None


@pytest.mark.parametrize(
    "stamp",
    ["", "123:forged", stamps.new_stamp(now=timezone.now() - timedelta(days=2))],
    ids=["none", "forged", "of the day before yesterday"],
)
def test_an_old_page_is_asked_for_once_more_with_a_stamp_that_is_good(client, stamp):
    session = coming_session()

    held_back = send(client, session, stamp=stamp)
    again = client.post(reverse("register", args=[session.webinar.slug]), posted(held_back, id="registration"))

    assert held_back.status_code == 422
    assert "This page stood open for very long." in words_of(held_back)
    assert again.status_code == 303


def test_a_program_that_fills_in_everything_is_refused_and_a_person_sees_why(client):
    session = coming_session()

    answer = send(client, session, message="Cheap pills")
    page = answer.content.decode()
    again = client.post(reverse("register", args=[session.webinar.slug]), posted(answer, id="registration"))

    assert answer.status_code == 422
    assert "Something stood in this field. Please send the form once more." in words_of(answer)
    assert "Cheap pills" not in page
    assert '<div class="field vh">' not in page
    assert again.status_code == 303


def test_nobody_sees_the_field_that_is_for_nobody(client):
    page = client.get(coming_session().webinar.get_absolute_url()).content.decode()

    assert '<div class="field vh"><label for="id_message">Leave this field empty</label>' in page
    assert 'tabindex="-1"' in input_of(page, "message")
    assert 'autocomplete="off"' in input_of(page, "message")


def test_another_place_is_shown_with_the_same_stamp(client):
    session = coming_session()
    stamp = stamps.new_stamp(now=timezone.now() - timedelta(minutes=3))

    shown = send(client, session, stamp=stamp, show="times", tz="Asia/Tokyo")

    assert f'name="stamp" value="{stamp}"' in shown.content.decode()


# ---------- steps ----------


@pytest.mark.parametrize(
    ("rules", "button", "words"),
    [
        ({}, "Register, free", ""),
        (
            {"needs_proof": True},
            "Register, free",
            "We send you a link. Follow it within 24 hours: your place is kept until then.",
        ),
        (
            {"needs_approval": True, "needs_proof": True},
            "Ask for a place",
            f"We send you a link. Follow it within 24 hours. {ACCEPTED}",
        ),
        (
            {"price_amount": "49.50", "price_currency": "EUR", "payment_days": 1},
            "Register, pay later",
            "You pay €49.50 later: {host} tells you how. An unpaid place is kept for 1 day.",
        ),
        (
            {"price_amount": "49.50", "price_currency": "EUR"},
            "Register, pay later",
            "You pay €49.50 later: {host} tells you how.",
        ),
    ],
)
def test_the_form_says_before_its_button_what_comes_before_a_place(rules, button, words):
    session = coming_session(make_webinar(**rules))

    page = landing_words(session)

    assert f"{words.format(host=session.webinar.host.name)} {button}".strip() in page
    assert page.count(button) >= 2  # in the head of the page, too


def test_who_must_prove_the_address_is_told_until_when_the_place_is_kept(client):
    session = coming_session(make_webinar(needs_proof=True))

    page = send(client, session, time_zone="Asia/Tashkent", follow=True)

    words = words_of(page)
    own = Registration.objects.get()
    assert (own.status, own.awaits, own.has_place) == ("pending", "proof", True)
    assert "Follow the link in your mail, Anna" in words
    assert "Your place is kept until" in words
    assert "Tashkent, UTC+5: follow the link in the message before then." in words
    assert "You have a place" not in words
    assert tokens.join_token(own) not in page.content.decode()
    assert tokens.manage_token(own) not in page.content.decode()


def test_who_must_be_accepted_is_told_that_there_is_no_place_yet(client):
    session = coming_session(make_webinar(needs_approval=True))

    words = words_of(send(client, session, follow=True))

    assert "You have asked for a place, Anna" in words
    assert f"write again as soon as {session.webinar.host.name} has decided" in words
    assert "You have a place, " not in words


def test_who_must_pay_is_told_what_and_until_when(client):
    session = coming_session(make_webinar(price_amount=20, price_currency="USD", payment_days=3))

    words = words_of(send(client, session, follow=True))

    assert "A place is kept for you, Anna" in words
    assert re.search(r"The place is kept until \w+,? .+, \d\d:\d\d UTC, and yours once US\$20\.00 is paid\.", words)


@pytest.mark.parametrize(
    ("rules", "fields", "carries_an_invitation"),
    [
        ({}, {}, True),
        ({"needs_proof": True}, {}, False),
        ({"needs_approval": True}, {}, False),
        ({"price_amount": 20, "price_currency": "USD"}, {}, False),
        ({}, {"capacity": 1, "places_taken": 1}, False),
    ],
)
def test_nobody_is_sent_to_look_for_an_invitation_that_the_message_has_not(
    client, rules, fields, carries_an_invitation
):
    session = coming_session(make_webinar(**rules), **fields)

    words = words_of(send(client, session, follow=True))

    assert ("open the message and choose Yes" in words) is carries_an_invitation


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"needs_proof": True},
        {"needs_approval": True},
        {"needs_proof": True, "needs_approval": True},
        {"price_amount": 20, "price_currency": "EUR"},
        {"price_amount": 20, "price_currency": "EUR", "payment_days": 3},
    ],
)
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("became", ["as it was", "further", "cancelled"])
def test_the_page_after_registering_tells_nobody_who_is_known(rules, is_full, became):
    """Whatever became of the registration that is there already."""
    session = coming_session(make_webinar(**rules), capacity=2)
    before = timezone.now() - timedelta(hours=1)
    own = signup.register(session, name="Anna Karimova", email="known@example.org", now=before, is_proved=True)
    if became == "cancelled":
        signup.cancel(own, now=before)
    elif became == "further" and own.awaits == "approval":
        signup.approve(own, by=User.objects.create_user("host@example.org"), now=before)
    if is_full:
        session.refresh_from_db()
        session.capacity = session.places_taken = 2
        session.save()

    pages = [
        send(Client(), session, email=email, follow=True).content.decode().replace(email, "…")
        for email in ("known@example.org", "new@example.org")
    ]

    without_clock = [re.sub(r"\d\d:\d\d", "", page) for page in pages]
    assert without_clock[0] == without_clock[1]


def test_the_second_click_on_the_last_place_says_what_the_first_did(client):
    session = coming_session(capacity=1)

    first, second = send(client, session, follow=True), send(client, session, follow=True)

    assert "You have a place, Anna" in words_of(first)
    assert "You have a place, Anna" in words_of(second)
    assert Registration.objects.count() == Message.objects.count() == 1


def test_two_tabs_for_two_sessions_are_one_registration(client):
    webinar = make_webinar()
    first, second = coming_session(webinar), coming_session(webinar, days=31)

    send(client, first)
    answer = send(client, second, name="Anna K.")

    assert answer.status_code == 303
    assert Registration.objects.get().session == first


def test_a_full_session_that_needs_acceptance_says_neither_place_nor_queue(client):
    session = full_session(make_webinar(needs_approval=True))

    words = words_of(send(client, session, follow=True))

    assert "You have asked for a place, Anna" in words
    assert "waiting list" not in words


# ---------- who is signed in ----------


def test_whoever_is_signed_in_with_the_address_has_proved_it():
    session = coming_session(make_webinar(needs_proof=True))

    page = send(signed_in(), session, email="Anna@Example.org", headers=FROM_OUR_PAGE, follow=True)

    assert Registration.objects.get().is_confirmed
    assert "You have a place, Anna" in words_of(page)


@pytest.mark.parametrize(
    ("client_of", "headers"),
    [
        (lambda: signed_in("other@example.org"), FROM_OUR_PAGE),
        (lambda: signed_in(verified=False), FROM_OUR_PAGE),
        (signed_in, {}),
        (signed_in, {"Sec-Fetch-Site": "none"}),
        (Client, FROM_OUR_PAGE),
    ],
    ids=["somebody else", "unproved", "a browser that says nothing", "no page of ours", "nobody known"],
)
def test_nobody_else_has(client_of, headers):
    session = coming_session(make_webinar(needs_proof=True))

    send(client_of(), session, headers=headers)

    assert Registration.objects.get().awaits == "proof"


# ---------- any of the sessions ----------


def test_any_session_is_offered_where_one_has_only_its_waiting_list():
    webinar = make_webinar()
    session = full_session(webinar)
    coming_session(webinar, days=31)
    two_free = coming_session()
    coming_session(two_free.webinar, days=31)
    alone = full_session()
    beside_what_is_closed = full_session()
    full_session(beside_what_is_closed.webinar, days=31, has_waiting_list=False)

    offered = [
        "Any of these sessions" in landing_words(place) for place in (session, two_free, alone, beside_what_is_closed)
    ]

    assert offered == [True, False, False, False]


def test_any_session_is_the_one_that_has_a_place(client):
    webinar = make_webinar()
    full = full_session(webinar)
    free = coming_session(webinar, days=31, label="The free one")

    page = send(client, full, session="any", follow=True)

    own = Registration.objects.get()
    assert (own.session, own.is_confirmed) == (free, True)
    assert "You have a place, Anna" in words_of(page)
    assert "The free one" in words_of(page)


def test_any_session_is_waited_for_where_none_has_a_place(client):
    webinar = make_webinar()
    full, other = full_session(webinar), full_session(webinar, days=31)

    page = send(client, full, session="any", follow=True)

    own = Registration.objects.get()
    assert (own.is_waitlisted, own.any_session) == (True, True)
    assert "You are on the waiting list, Anna" in words_of(page)
    assert "Any session Whichever has a place first" in words_of(page)
    assert other.webinar == full.webinar


def test_any_session_stays_chosen_while_something_else_is_wrong(client):
    webinar = make_webinar()
    full = full_session(webinar)
    coming_session(webinar, days=31)

    refused = send(client, full, session="any", name="").content.decode()
    shown = send(client, full, session="any", show="times", tz="Asia/Tokyo").content.decode()

    for page in (refused, shown):
        ticked = [tag for tag in re.findall(r'<input type="radio"[^>]*>', page) if "checked" in tag]
        assert len(ticked) == 1
        assert 'value="any"' in ticked[0]


# ---------- questions that depend on others ----------


def test_a_question_says_of_whom_it_is_asked_and_a_script_can_tell(client):
    session = coming_session()
    how = make_question(session.webinar, kind="one", options="Road\nRail", wording="How do you <travel>?", order=1)
    which = make_question(
        session.webinar, depends_on=how, depends_answers="Road\nRail", is_required=True, help_text="M39, say.", order=2
    )

    page = client.get(session.webinar.get_absolute_url()).content.decode()

    assert f'<div data-if="{how.field_name}" data-answers="road\nrail">' in page
    hint = (
        "Only if you answered <bdi>Road or Rail</bdi> to “<bdi>How do you &lt;travel&gt;?</bdi>”. <bdi>M39, say.</bdi>"
    )
    assert f'id="id_{which.field_name}_helptext"><bdi>{hint}</bdi></div>' in page
    assert f'aria-describedby="id_{which.field_name}_helptext"' in input_of(page, which.field_name)
    assert "required" not in input_of(page, which.field_name)
    assert "Where do you work? (optional)" not in words_of(client.get(session.webinar.get_absolute_url()))


def test_answers_keep_the_wording_of_what_was_asked_alone(client):
    session = coming_session()
    how = make_question(session.webinar, kind="yes-no", wording="Do you drive?", order=1)
    which = make_question(session.webinar, depends_on=how, depends_answers="yes", order=2)

    send(client, session, **{how.field_name: "no", which.field_name: "M39"})

    own = Registration.objects.get()
    assert [(answer.wording, answer.value) for answer in own.answers.all()] == [("Do you drive?", "no")]
    assert which.wording == "Where do you work?"


# ---------- bad input ----------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("anna+webinars@example.org", "anna+webinars@example.org"),
        ("anna@example.org\n", "anna@example.org"),
        ("anna@bücher.example", "anna@bücher.example"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
    ],
)
def test_unusual_addresses_are_registered(client, typed, kept):
    answer = send(client, coming_session(), email=typed)

    assert answer.status_code == 303
    assert Registration.objects.get().email == kept
    assert Message.objects.get().to_email == kept


def test_an_address_has_at_most_254_characters(client):
    session = coming_session()
    longest = "a" * 60 + "@" + ".".join(["b" * 60, "c" * 60, "d" * 60, "e" * 6]) + ".org"
    assert len(longest) == 254

    too_long, taken = send(client, session, email="x" + longest), send(client, session, email=longest)

    assert too_long.status_code == 422
    assert "This has 255 characters; at most 254 are taken" in words_of(too_long)
    assert f'value="x{longest}"' in input_of(too_long.content.decode(), "email")
    assert taken.status_code == 303


@pytest.mark.parametrize("name", ["X", "ليلى حسن", "=1+1", "a" * 200, "Анна\r\nКаримова", "O'Brien & <Sons>"])
def test_unusual_names_are_registered_and_shown_as_they_are(client, name):
    page = send(client, coming_session(), name=name, follow=True)

    assert page.status_code == 200
    assert Registration.objects.get().name == " ".join(name.split())
    assert "<Sons>" not in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "name", "error"),
    [
        ({"name": "a" * 201}, "name", "This has 201 characters; at most 200 are taken"),
        ({"name": "\r\n"}, "name", "Enter your full name"),
        ({"name": "evil.org"}, "name", "becomes a link"),
        ({"email": "änna@example.org"}, "email", "Before the @ sign, only the letters a to z work here."),
        ({"email": "anna@example.org\nbcc: x@example.org"}, "email", "The email address has a space in it."),
        ({"session": "0"}, "session", "Choose one of the sessions"),
        ({"session": "any " * 50}, "session", "Choose one of the sessions"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_which_has_the_focus(client, typed, name, error):
    session = coming_session()
    coming_session(session.webinar, days=31)
    question = make_question(session.webinar, kind=Question.Kind.LONG_TEXT)

    answer = send(client, session, **{question.field_name: "As typed", **typed})

    page = answer.content.decode()
    assert answer.status_code == 422
    error_text = re.search(rf'id="id_{name}_error">(.*?)</div>', page, re.DOTALL)
    assert error_text is not None
    assert error in re.sub(r"<[^>]+>", "", error_text[1])
    assert page.count("autofocus") == 1
    assert re.search(rf'<input[^>]*name="{name}"[^>]* autofocus', page)
    assert "As typed" in page
    assert not Registration.objects.exists()


def test_a_zone_that_does_not_exist_is_ignored_and_the_rest_kept(client):
    answer = send(client, coming_session(), time_zone="Mars/Olympus", consent="on")

    assert answer.status_code == 303
    own = Registration.objects.get()
    assert own.time_zone == ""
    assert own.consented_at is not None


def test_what_is_sent_many_times_or_in_another_shape_breaks_nothing(client):
    session = coming_session()
    path = reverse("register", args=[session.webinar.slug])

    twice = client.post(path, {**form_data(session), "email": ["first@example.org", "anna@example.org"]})
    as_json = client.post(path, {"name": "Anna"}, content_type="application/json")
    empty = client.post(path, {})
    too_much = client.post(path, {f"field{number}": "x" for number in range(2100)})

    statuses = [answer.status_code for answer in (twice, as_json, empty, too_much)]
    assert statuses == [303, 422, 422, 400]
    assert Registration.objects.get().email == "anna@example.org"


# ---------- before, after, full and cancelled ----------


def test_a_form_that_comes_too_late_says_why_and_where_to_go_on(client):
    host = make_host(name="Border Review")
    closed = coming_session(make_webinar(host=host, registration_closes_at=timezone.now() - timedelta(days=1)))
    announced = coming_session(make_webinar(host=host, registration_opens_at=timezone.now() + timedelta(days=1)))
    full = full_session(make_webinar(host=host), has_waiting_list=False)

    answers = [send(client, session) for session in (closed, announced, full)]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    reasons = ["Registration has closed", "Registration opens on", "Every place is taken"]
    for answer, reason in zip(answers, reasons, strict=True):
        words = words_of(answer)
        assert "You are not registered" in words
        assert reason in words
        assert "See what Border Review gives next" in words
        assert "Full name" not in words
        assert re.search(r'id="errors" autofocus', answer.content.decode())
    assert "Put the date in your calendar" in words_of(answers[1])
    assert not Registration.objects.exists()
