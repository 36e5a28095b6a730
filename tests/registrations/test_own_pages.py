"""One's own page in every state, by a link without an account; leaving; and all of one's webinars."""

import json
import re
from datetime import UTC, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from events import limits
from events.models import Invitee, Question, Session, User
from registrations import erasure, offers, signup, tokens
from registrations.models import Message, OfferCode, Registration
from registrations.views import own as own_views
from tests.builders import make_host, make_offer, make_organizer, make_question, make_session, make_webinar

pytestmark = pytest.mark.django_db

PRICED = {"price_amount": 20, "price_currency": "EUR", "payment_days": 7}
Because = Registration.CancelledBecause


def coming_session(webinar=None, *, starts_in=timedelta(days=30), **fields):
    """A session so far from now, whenever the tests run; planned in UTC, to the minute."""
    start = timezone.now() + starts_in
    return make_session(
        webinar,
        **{"local_date": start.date(), "local_time": start.time().replace(microsecond=0), "time_zone": "UTC", **fields},
    )


def make_own(session=None, **fields):
    return signup.register(
        session or coming_session(),
        **{
            "name": "Anna Karimova",
            "email": "anna@example.org",
            "now": timezone.now(),
            "time_zone": "Asia/Tashkent",
            **fields,
        },
    )


def in_steps(*, starts_in=timedelta(days=30), registered_ago=timedelta(0), **rules):
    """A registration for a webinar with these rules."""
    session = coming_session(make_webinar(**rules), starts_in=starts_in)
    return make_own(session, now=timezone.now() - registered_ago)


def offered(*, offered_ago=timedelta(0), **rules):
    """Somebody who waited, and is offered the place of one who has cancelled."""
    now = timezone.now() - offered_ago
    session = coming_session(make_webinar(offer_hours=24, **rules), capacity=1)
    first = make_own(session, email="first@example.org", now=now)
    own = make_own(session, now=now)
    signup.cancel(first, now=now)
    own.refresh_from_db()
    assert own.is_offered
    return own


def ended_for(own, **fields):
    """Their registration, as an act or the schedule has ended it."""
    Registration.objects.filter(pk=own.pk).update(
        status="cancelled", awaits="", has_place=False, lapses_at=None, cancelled_at=timezone.now(), **fields
    )
    return own


def end_session(own):
    Session.objects.filter(pk=own.session_id).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )


def own_url(registration, name="registration"):
    return reverse(name, args=[tokens.manage_token(registration)])


def join_url(registration):
    return reverse("join", args=[tokens.join_token(registration)])


def words_of(response):
    """The page's words, tags and runs of space gone."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text)


def seen(client, own):
    return words_of(client.get(own_url(own)))


def state_of(own):
    """What is written of it, to see that nothing changed."""
    return Registration.objects.filter(pk=own.pk).values().get(), Message.objects.count()


def signed_in(client, email="anna@example.org", *, verified=True):
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    client.force_login(user)
    return user


# ---------- proving the address ----------


def test_before_the_address_is_proved_the_page_has_one_button_and_until_when(client):
    own = in_steps(needs_proof=True)
    Registration.objects.update(lapses_at=own.session.starts_at.replace(hour=7, minute=5))

    page = client.get(own_url(own))

    words = words_of(page)
    assert "Is this your address, Anna?" in words
    assert "This is my address" in words
    assert re.search(r"The place is kept until \w+, \d+ \w+ \d{4}, 12:05 Tashkent, UTC\+5\.", words)
    assert f'method="post" action="{own_url(own, "registration_prove")}"' in page.content.decode()


def test_before_the_address_is_proved_neither_the_way_in_nor_codes_are_on_any_page(client):
    session = coming_session(make_webinar(), starts_in=timedelta(minutes=5))
    make_offer(session.webinar, conditions=("registered",))
    own = make_own(session)
    code = OfferCode.objects.get().code
    signup.cancel(own, now=timezone.now())
    session.webinar.needs_proof = True
    session.webinar.save()
    again = make_own(Session.objects.get())

    pages = [client.get(own_url(again, name)) for name in ("registration", "registration_data", "registration_erase")]

    assert again.awaits == "proof"
    for page in pages:
        assert code not in page.content.decode()
        assert tokens.join_token(again) not in page.content.decode()
        assert session.join_url not in page.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        f"registration_{act}"
        for act in ("prove", "offer", "keep", "details", "mail_again", "session", "cancel", "erase")
    ],
)
@pytest.mark.parametrize("build", [lambda: in_steps(needs_proof=True), offered], ids=["to prove", "offered"])
def test_following_a_link_changes_nothing(client, name, build):
    own = build()
    before = state_of(own)

    for answer in (client.get(own_url(own, name), {"answer": "take"}), client.head(own_url(own, name))):
        assert answer.status_code in {200, 302, 303}

    assert state_of(own) == before


def test_the_button_proves_the_address_and_says_so(client):
    own = in_steps(needs_proof=True)

    response = client.post(own_url(own, "registration_prove"), follow=True)

    own.refresh_from_db()
    assert own.is_confirmed
    assert own.proved_at is not None
    assert response.redirect_chain == [(own_url(own), 303)]
    assert "Thank you. Your address is confirmed." in words_of(response)
    assert "You have a place, Anna" in words_of(response)


def test_proving_twice_is_proving(client):
    own = in_steps(needs_proof=True)
    client.post(own_url(own, "registration_prove"))
    before = state_of(own)

    response = client.post(own_url(own, "registration_prove"), follow=True)

    assert response.status_code == 200
    assert state_of(own) == before


@pytest.mark.parametrize("is_noted", [True, False], ids=["noted", "in the minute before it is noted"])
def test_proving_too_late_says_so_and_how_to_register_again(client, is_noted):
    own = in_steps(needs_proof=True, registered_ago=timedelta(hours=25))
    if is_noted:
        signup.lapse_overdue(now=timezone.now())

    shown = client.get(own_url(own))
    pressed = client.post(own_url(own, "registration_prove"), follow=True)

    assert "Your address was not confirmed in time" in words_of(shown)
    assert "This is my address" not in words_of(shown)
    assert f'href="{own.webinar.get_absolute_url()}#register">Register again' in shown.content.decode()
    assert pressed.status_code == 200
    assert 'class="note bad"' in pressed.content.decode()
    own.refresh_from_db()
    assert own.proved_at is None


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, "Then the place is yours."),
        ({"needs_approval": True}, "decides whether you have a place."),
        (PRICED, "Then the place is kept for you until it is paid."),
    ],
)
def test_what_follows_the_proof_is_said_before(client, rules, words):
    own = in_steps(needs_proof=True, **rules)

    assert words in seen(client, own)


def test_a_proof_for_a_full_session_promises_no_place(client):
    session = coming_session(make_webinar(needs_proof=True), capacity=1)
    make_own(session, email="first@example.org")

    words = seen(client, make_own(session))

    assert "The session is full: then you are on its waiting list" in words
    assert "The place is kept until" not in words


# ---------- waiting for others ----------


def test_whoever_is_to_be_accepted_is_told_who_decides(client):
    own = in_steps(needs_approval=True)

    words = seen(client, own)

    assert "Your registration is noted, Anna" in words
    assert f"{own.webinar.host.name} accepts each registration." in words
    assert "Nobody has a place before that." in words


def test_whoever_has_to_pay_is_told_what_and_until_when(client):
    own = in_steps(**PRICED)
    Registration.objects.update(lapses_at=own.session.starts_at.replace(hour=7, minute=5))

    english, arabic = client.get(own_url(own)), client.get(f"/ar{own_url(own)}")

    assert "Your place is kept, Anna" in words_of(english)
    assert "€20.00" in words_of(english)
    assert re.search(r"Kept for you until \w+, \d+ \w+ \d{4}, 12:05 Tashkent, UTC\+5", words_of(english))
    assert "€20.00" not in words_of(arabic)
    assert "€" in words_of(arabic)


def test_whoever_has_to_pay_reads_how_and_nobody_else_does(client):
    account = "Account 12 34\nWrite your name beside the sum."
    own = in_steps(**PRICED | {"how_to_pay": account})

    assert "How to pay: Account 12 34 Write your name beside the sum." in seen(client, own)
    signup.mark_paid(own, by=None, now=own.registered_at)
    assert "Account 12 34" not in seen(client, own)
    assert "Account 12 34" not in words_of(client.get(own.webinar.get_absolute_url()))


def test_without_days_to_pay_the_place_is_kept_until_it_is_paid(client):
    own = in_steps(**PRICED | {"payment_days": None})

    assert "Kept for you until it is paid" in seen(client, own)


def test_the_place_in_the_queue_is_told_for_one_session_and_over_all(client):
    webinar = make_webinar()
    first = coming_session(webinar, capacity=1)
    second = coming_session(webinar, starts_in=timedelta(days=31), capacity=1)
    for number, session in enumerate([first, second, first, second]):
        make_own(session, email=f"p{number}@example.org")

    own, any_own = make_own(first), make_own(first, email="any@example.org", any_session=True)

    assert "You are number 2 on the waiting list" in seen(client, own)
    assert "You are number 4, counted over all sessions" in seen(client, any_own)
    assert "You wait for whichever session has a place first." in seen(client, any_own)
    assert "Any session Whichever has a place first" in seen(client, any_own)
    assert "Any session Whichever has a place first" not in seen(client, own)


def test_whoever_waits_can_wait_for_any_session(client):
    webinar = make_webinar()
    session = coming_session(webinar, capacity=1)
    other = coming_session(webinar, starts_in=timedelta(days=31), capacity=1)
    for place in (session, other):
        make_own(place, email=f"p{place.pk}@example.org")
    own = make_own(session)
    assert "Wait for any session" in seen(client, own)

    response = client.post(own_url(own, "registration_session"), {"session": "any"}, follow=True)

    own.refresh_from_db()
    assert own.any_session
    assert "counted over all sessions" in words_of(response)
    assert "Wait for any session" not in words_of(response)


def test_where_there_is_but_one_session_any_is_no_choice(client):
    session = coming_session(capacity=1)
    make_own(session, email="first@example.org")

    assert "Wait for any session" not in seen(client, make_own(session))


# ---------- a place that was declined in the calendar ----------


def declined():
    """Somebody who has a place and declined in their calendar, while another waits for it."""
    session = coming_session(capacity=1)
    own = make_own(session)
    make_own(session, name="Ben Waits", email="ben@example.org")
    now = timezone.now()
    signup.answer(own, partstat=Registration.Partstat.DECLINED, sequence=0, dtstamp=now, now=now)
    own.refresh_from_db()
    return own


def test_whoever_declined_is_asked_on_their_page_and_keeps_the_place_by_one_button(client):
    own = declined()

    asked = seen(client, own)
    response = client.post(own_url(own, "registration_keep"), follow=True)

    assert "Do you keep your place, Anna?" in asked
    assert "While nobody waits, it stays yours." in asked
    assert "You keep your place. We have sent the entry to your calendar again." in words_of(response)
    assert "You have a place, Anna" in words_of(response)
    own.refresh_from_db()
    assert (own.frees_at, own.sequence) == (None, 1)


def test_the_link_alone_keeps_no_place(client):
    own = declined()

    response = client.get(own_url(own, "registration_keep"), follow=True)

    assert "Do you keep your place, Anna?" in words_of(response)
    own.refresh_from_db()
    assert own.frees_at is not None


def test_what_went_to_somebody_else_cannot_be_kept_and_says_why(client):
    own = declined()
    own.messages.update(state="sent", sent_at=timezone.now())
    signup.free_declined(now=timezone.now() + timedelta(hours=25))

    response = client.post(own_url(own, "registration_keep"), follow=True)

    words = words_of(response)
    assert "Your place went to somebody else" in words
    assert "You declined in your calendar and did not keep it, and somebody waited." in words


# ---------- a place that is offered ----------


def test_an_offered_place_is_taken_or_passed_on_until_then(client):
    own = offered()
    Registration.objects.filter(pk=own.pk).update(lapses_at=own.session.starts_at.replace(hour=7, minute=5))

    page = client.get(own_url(own))

    words = words_of(page)
    assert "A place is kept for you, Anna" in words
    assert re.search(r"Kept for you until \w+, \d+ \w+ \d{4}, 12:05 Tashkent, UTC\+5", words)
    assert "Take the place" in words
    assert "Pass it on" in words
    assert "you leave the waiting list: to wait again, you would have to register again." in words
    assert tokens.join_token(own) not in page.content.decode()


def test_taking_it_is_one_click(client):
    own = offered()

    response = client.post(own_url(own, "registration_offer"), {"answer": "take"}, follow=True)

    own.refresh_from_db()
    assert own.is_confirmed
    assert "You have a place, Anna" in words_of(response)


def test_passing_it_on_ends_the_wait_and_says_how_to_queue_again(client):
    own = offered()

    response = client.post(own_url(own, "registration_offer"), {"answer": "pass"}, follow=True)

    own.refresh_from_db()
    assert own.cancelled_because == Because.PASSED
    assert "You passed the place on" in words_of(response)
    assert "Register again" in words_of(response)


@pytest.mark.parametrize("sent", [{}, {"answer": ""}, {"answer": "both"}])
def test_an_answer_that_is_none_does_nothing(client, sent):
    own = offered()
    before = state_of(own)

    client.post(own_url(own, "registration_offer"), sent)

    assert state_of(own) == before


@pytest.mark.parametrize("is_noted", [True, False], ids=["noted", "in the minute before it is noted"])
def test_taking_it_too_late_is_a_sentence(client, is_noted):
    own = offered(offered_ago=timedelta(hours=25))
    if is_noted:
        signup.lapse_overdue(now=timezone.now())

    response = client.post(own_url(own, "registration_offer"), {"answer": "take"}, follow=True)

    assert response.status_code == 200
    assert 'class="note bad"' in response.content.decode()
    assert "The place went to somebody else" in words_of(response)


# ---------- what has ended ----------


@pytest.mark.parametrize(
    ("because", "heading", "next_step"),
    [
        (Because.OWNER, "Your registration is cancelled", "Register again"),
        (Because.ORGANIZER, "has cancelled it.", "Register again"),
        (Because.TURNED_DOWN, "Your registration was not accepted", "See the webinar"),
        (Because.UNPROVED, "Your address was not confirmed in time", "Register again"),
        (Because.UNPAID, "Your place was not paid in time", "Register again"),
        (Because.PASSED, "You passed the place on", "Register again"),
        (Because.UNANSWERED, "The place went to somebody else", "Register again"),
        ("", "Your registration is cancelled", "Register again"),
    ],
)
def test_a_registration_that_ended_says_why_and_what_next(client, because, heading, next_step):
    own = ended_for(make_own(), cancelled_because=because)

    page = client.get(own_url(own)).content.decode()

    assert heading in page
    assert f'href="{own.webinar.get_absolute_url()}#register">{next_step}<' in page
    assert "Correct my details" not in page
    assert own_url(own, "registration_cancel") not in page


def test_where_only_a_queue_is_open_the_next_step_is_the_queue(client):
    session = coming_session(capacity=1)
    own = make_own(session)
    ended_for(own, cancelled_because=Because.PASSED)

    assert "Join the waiting list again" in seen(client, own)


@pytest.mark.parametrize("rules", [{"needs_approval": True}, PRICED | {"payment_days": None}])
def test_a_session_that_ended_before_every_step_was_done_was_not_theirs(client, rules):
    own = in_steps(**rules)
    end_session(own)
    own.webinar.replay_url, own.webinar.replay_access = "https://video.example.org/7", "registered"
    own.webinar.save()

    page, joined = client.get(own_url(own)).content.decode(), client.get(join_url(own)).content.decode()
    replay = client.get(own_url(own, "registration_replay"), {"play": "1"}).content.decode()

    assert "It took place before your registration was complete" in page
    assert "/replay/" not in page
    assert "It took place before the registration was complete." in joined
    assert "This registration was never complete." in replay
    assert "video.example.org" not in page + joined + replay


def test_a_cancelled_registration_opens_no_replay_of_a_webinar_for_some_people(client):
    own = make_own(coming_session(make_webinar(access="invited", replay_url="https://video.example.org/7")))
    ended_for(own, cancelled_because=Because.OWNER)
    end_session(own)

    response = client.get(own_url(own, "registration_replay"), {"play": "1"}, follow=True)

    assert response.status_code == 403
    assert "video.example.org" not in response.content.decode()


# ---------- the joining link ----------


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: in_steps(needs_proof=True, starts_in=timedelta(minutes=5)), "First, the address is to be confirmed."),
        (lambda: in_steps(needs_approval=True, starts_in=timedelta(minutes=5)), "has not decided yet."),
        (lambda: in_steps(starts_in=timedelta(minutes=5), **PRICED), "kept until the payment is noted."),
        (offered, "A place is kept: take it, and this link lets you in."),
    ],
    ids=["proof", "approval", "payment", "offered"],
)
def test_the_joining_link_lets_in_nobody_without_a_place_and_shows_no_way_to_one(client, build, words):
    own = build()
    Session.objects.filter(pk=own.session_id).update(starts_at=timezone.now() + timedelta(minutes=5))

    response = client.get(join_url(own))

    page = response.content.decode()
    assert response.status_code == 200
    assert words in words_of(response)
    assert own.session.join_url not in page
    assert tokens.manage_token(own) not in page
    assert own.email not in page
    assert "registration_prove" not in page
    assert 'method="post"' not in page


# ---------- name, zone and language ----------


def test_name_zone_and_language_are_changed_and_the_page_goes_on_in_that_language(client):
    own = make_own()
    sent = {"name": " Anna\u202e K. ", "time_zone": "Asia/Calcutta", "language": "ar"}

    response = client.post(own_url(own, "registration_details"), sent)

    own.refresh_from_db()
    assert (own.name, own.time_zone, own.language) == ("Anna K.", "Asia/Kolkata", "ar")
    assert response.status_code == 303
    assert response["Location"] == f"/ar{own_url(own)}"
    assert 'lang="ar"' in client.get(response["Location"]).content.decode()


def test_who_reads_in_another_language_than_their_mails_stays_where_they_are(client):
    own = make_own()
    page = f"/ar{own_url(own)}"
    sent = {"name": "Anna K.", "time_zone": "Asia/Tashkent", "language": "en"}

    response = client.post(f"{page}details/", sent)

    assert response["Location"] == page


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "x" * 200, "Asia/Tashkent\n"])
def test_a_zone_that_nobody_knows_is_ignored_and_the_rest_kept(client, zone):
    own = make_own()

    client.post(own_url(own, "registration_details"), {"name": "Anna K.", "time_zone": zone, "language": "en"})

    own.refresh_from_db()
    assert (own.name, own.time_zone) == ("Anna K.", "Asia/Tashkent")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": " "}, "Enter your full name"),
        ({"name": "see www.example.org"}, "Enter a name without links or addresses."),
        ({"name": "x" * 201}, "This has 201 characters; at most 200 are taken"),
        ({"language": "tlh"}, "Choose from the list"),
        ({"language": ""}, "Choose one"),
    ],
)
def test_details_that_cannot_be_are_refused_beside_their_field(client, sent, words):
    own = make_own()
    before = state_of(own)
    field = next(iter(sent))

    response = client.post(
        own_url(own, "registration_details"),
        {"name": "Anna <K.>", "time_zone": "Asia/Tokyo", "language": "en", **sent},
    )

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert f'<a href="#id_{field}">{words}</a>' in page
    assert f'<div id="id_{field}_error"><p class="err">{words}</p></div>' in page
    assert '<option value="Asia/Tokyo" selected' in page.split('id="id_time_zone"')[1]
    assert field == "name" or 'value="Anna &lt;K.&gt;"' in page
    assert state_of(own) == before


# ---------- mails we sent you ----------


def test_mails_are_listed_with_what_and_when(client):
    own = make_own()
    Message.objects.update(state="sent", sent_at=own.session.starts_at.replace(hour=7, minute=5))

    page = client.get(own_url(own))

    mails = page.content.decode().split('id="mails"')[1]
    assert "You have a place" in mails
    assert re.search(r"Sent on \w+, \d+ \w+ \d{4}, 12:05 Tashkent, UTC\+5", words_of(page))
    assert "Send again" in mails


def test_a_mail_is_sent_again_at_most_once_in_ten_minutes(client):
    own = make_own()
    Message.objects.update(state="sent", sent_at=timezone.now())
    sent = {"message": Message.objects.get().pk}

    first = client.post(own_url(own, "registration_mail_again"), sent, follow=True)
    Message.objects.update(state="sent", sent_at=timezone.now())
    second = client.post(
        own_url(own, "registration_mail_again"), {"message": Message.objects.latest("pk").pk}, follow=True
    )

    assert "The mail is on its way to you again." in words_of(first)
    assert 'class="note bad"' in second.content.decode()
    assert second.status_code == 429
    assert 500 < int(second["Retry-After"]) <= 600
    assert Message.objects.count() == 2


def test_mails_are_not_sent_again_without_end_for_one_network(client):
    for _number in range(60):
        limits.take(own_views.AGAIN_FROM_ONE_SOURCE, "127.0.0.1")
    own = make_own()
    Message.objects.update(state="sent", sent_at=timezone.now())

    refused = client.post(own_url(own, "registration_mail_again"), {"message": Message.objects.get().pk})

    assert refused.status_code == 429
    assert "Try again in 60 minutes." in words_of(refused)
    assert Message.objects.count() == 1


def test_a_mail_of_somebody_else_is_never_sent_again_and_not_listed(client):
    own = make_own()
    another = make_own(coming_session(), email="another@example.org")
    Message.objects.update(state="sent", sent_at=timezone.now())
    theirs = another.messages.get()

    response = client.post(own_url(own, "registration_mail_again"), {"message": theirs.pk}, follow=True)

    assert response.status_code == 200
    assert Message.objects.count() == 2
    assert f'value="{theirs.pk}"' not in client.get(own_url(own)).content.decode()


@pytest.mark.parametrize("sent", [{}, {"message": ""}, {"message": "x"}, {"message": "٣"}, {"message": "9" * 5000}])
def test_a_mail_that_is_none_is_no_error(client, sent):
    own = make_own()

    assert client.post(own_url(own, "registration_mail_again"), sent, follow=True).status_code == 200


# ---------- all of one's data ----------


def test_the_data_are_everything_that_is_held_of_one_and_nothing_of_others(client):
    session = coming_session(make_webinar(title="Grenzen & Brücken"), label="Evening")
    question = make_question(session.webinar, wording="Where?", kind=Question.Kind.COUNTRY)
    make_offer(session.webinar, headline="Locked", conditions=("attended",))
    make_offer(session.webinar, headline="Unlocked", conditions=("registered",))
    own = make_own(session, name="Анна 'K'", answers={question: "UZ"}, wants_news=True)
    make_own(session, name="Boris", email="boris@example.org", answers={question: "KZ"})
    codes = {code.offer.headline: code for code in own.offer_codes.all()}

    response = client.get(own_url(own, "registration_data"))

    text = response.content.decode()
    data = json.loads(text)
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == f'attachment; filename="registration-{own.reference}.json"'
    assert response["Cache-Control"] == "private, no-store"
    assert data["registration"]["name"] == "Анна 'K'"
    assert "Анна" in text  # for people to read
    assert data["registration"]["email"] == "anna@example.org"
    assert data["registration"]["agreed_to_later_mails_at"] == data["registration"]["registered_at"]
    assert data["session"] == {
        "label": "Evening",
        "starts_at": f"{session.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{session.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "time_zone": "UTC",
        "is_cancelled": False,
    }
    assert data["answers"] == [{"asked": "registering", "question": "Where?", "answer": "UZ"}]
    assert {code["offer"]: code["code"] for code in data["offer_codes"]} == {
        "Locked": None,
        "Unlocked": codes["Unlocked"].code,
    }
    assert [(mail["kind"], mail["to"]) for mail in data["mails"]] == [("confirmed", "anna@example.org")]
    for secret in (codes["Locked"].code, "boris", "Boris", "KZ", tokens.join_token(own), session.join_url):
        assert secret not in text


def test_the_data_leave_out_no_field_of_a_registration_but_these(client):
    own = make_own()
    # What holds it together here, and says nothing of anybody.
    ours = {"id", "webinar", "session", "email_key", "erased_at", "uid", "sequence", "dtstamp", "organizer", "entry"}
    ours |= {"partstat_sequence", "partstat_dtstamp", "asked_sequence"}
    elsewhere = {
        "awaits": "waits_for",
        "lapses_at": "kept_until",
        "any_session": "waits_for_any_session",
        "joined_at": "came_at",
        "consented_at": "agreed_to_later_mails_at",
        "proved_at": "address_proved_at",
        "approved_at": "accepted_at",
        "surveyed_at": "answered_survey_at",
        "partstat": "answered_in_calendar",
        "replied_at": "answered_in_calendar_at",
        "frees_at": "declined_and_free_for_others_from",
    }
    fields = {field.name for field in Registration._meta.fields} - ours

    data = client.get(own_url(own, "registration_data")).json()

    assert {elsewhere.get(name, name) for name in fields} == set(data["registration"])


# ---------- erasing ----------


def test_erasing_asks_first_then_forgets_everything_and_ends_the_link(client):
    own = make_own()
    manage, join = own_url(own), join_url(own)
    assert "Erase everything about you?" in words_of(client.get(own_url(own, "registration_erase")))

    response = client.post(own_url(own, "registration_erase"), follow=True)

    assert response.redirect_chain == [(reverse("registration_erased"), 303)]
    assert "Your data is erased" in words_of(response)
    assert "What stays are numbers without a name" in words_of(response)
    for url in (manage, join, f"{manage}erase/", f"{manage}data.json"):
        assert client.get(url).status_code == 404
    assert client.post(f"{manage}erase/").status_code == 404
    own = Registration.objects.get()
    assert own.erased_at is not None
    assert "anna" not in f"{own.name}{own.email}{own.email_key}".lower()


def test_an_erased_registration_is_not_attached_to_the_address_any_more(client):
    own = make_own()
    title = own.webinar.title
    erasure.erase(own, now=timezone.now())
    signed_in(client)

    assert title not in client.get(reverse("my_webinars")).content.decode()


# ---------- old tabs and double clicks ----------

ACTS = {
    "prove": ("registration_prove", {}),
    "take": ("registration_offer", {"answer": "take"}),
    "pass": ("registration_offer", {"answer": "pass"}),
    "details": ("registration_details", {"name": "Anna B.", "time_zone": "UTC", "language": "en"}),
    "any": ("registration_session", {"session": "any"}),
    "move": ("registration_session", None),
    "cancel": ("registration_cancel", {}),
    "again": ("registration_mail_again", {"message": "1"}),
}
STATES = {
    "confirmed": make_own,
    "proof": lambda: in_steps(needs_proof=True),
    "approval": lambda: in_steps(needs_approval=True),
    "payment": lambda: in_steps(**PRICED),
    "offered": offered,
    "cancelled": lambda: signup.cancel(make_own(), now=timezone.now()),
    "lapsed": lambda: in_steps(needs_proof=True, registered_ago=timedelta(hours=25)),
    "offer lapsed": lambda: offered(offered_ago=timedelta(hours=25)),
    "over": lambda: _over(make_own()),
    "session cancelled": lambda: _called_off(make_own()),
}


def _over(own):
    end_session(own)
    return own


def _called_off(own):
    Session.objects.filter(pk=own.session_id).update(state=Session.State.CANCELLED)
    return own


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", STATES)
def test_acting_in_an_old_tab_is_never_an_error_page_and_twice_is_once(client, state, act):
    own = STATES[state]()
    other = coming_session(own.webinar, starts_in=timedelta(days=33))
    name, sent = ACTS[act]
    sent = {"session": other.pk} if sent is None else sent

    first = client.post(own_url(own, name), sent, follow=True)
    after = state_of(own)
    second = client.post(own_url(own, name), sent, follow=True)

    for answer in (first, second):
        assert answer.status_code in {200, 409, 422}, answer.status_code
        assert re.search(r"<h1>[^<]+</h1>", answer.content.decode())
    assert state_of(own) == after


@pytest.mark.parametrize("act", ["take", "pass", "details", "any", "move", "prove"])
def test_acting_after_cancelling_in_another_tab_says_why_nothing_happened(client, act):
    own = make_own()
    other = coming_session(own.webinar, starts_in=timedelta(days=33))
    signup.cancel(own, now=timezone.now())
    before = state_of(own)
    name, sent = ACTS[act]

    response = client.post(own_url(own, name), {"session": other.pk} if sent is None else sent, follow=True)

    assert 'class="note bad"' in response.content.decode()
    assert state_of(own) == before


@pytest.mark.parametrize(
    "name",
    [f"registration_{name}" for name in ("prove", "offer", "details", "mail_again", "data", "erase")],
)
def test_a_token_changed_by_one_letter_is_a_page_that_does_not_exist(client, name):
    own = make_own()
    token = tokens.manage_token(own)
    changed = [token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in (0, 5, 13, 40)]
    before = state_of(own)

    for bad in [*changed, tokens.join_token(own), own.reference]:
        for answer in (client.get(reverse(name, args=[bad])), client.post(reverse(name, args=[bad]))):
            assert answer.status_code in {404, 405}
            assert "Anna" not in answer.content.decode()

    assert state_of(own) == before


# ---------- how much is asked of the database ----------


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_the_database_the_same_for_one_and_for_many(client, django_assert_num_queries, rows):
    webinar = make_webinar()
    sessions = [coming_session(webinar, starts_in=timedelta(days=30 + day), capacity=1) for day in range(rows)]
    for number in range(rows):
        make_offer(webinar, headline=f"Offer {number}", conditions=("registered", "attended"))
    answers = {make_question(webinar): "Customs" for _ in range(rows)}
    own = make_own(sessions[0], answers=answers)
    for number in range(rows - 1):
        Message.objects.create(
            key=f"more-{number}",
            kind="link_again",
            registration=own,
            to_email=own.email,
            created_at=timezone.now(),
            due_at=timezone.now(),
        )

    # The registration, its webinar's sessions, survey, codes with their conditions, answers, mails.
    with django_assert_num_queries(9):
        client.get(own_url(own))


# ---------- all of one's webinars ----------


def test_what_was_registered_as_a_guest_attaches_to_every_verified_address_whatever_its_case(client):
    first = make_own(coming_session(), email="ANNA@Example.org")
    second = make_own(coming_session(), email="a.karimova@example.com")
    user = signed_in(client)
    EmailAddress.objects.create(user=user, email="A.Karimova@example.com", verified=True)

    page = client.get(reverse("my_webinars")).content.decode()
    data = client.get(reverse("my_data")).json()

    for own in (first, second):
        assert own_url(own) in page
    assert {own["registration"]["reference"] for own in data["registrations"]} == {first.reference, second.reference}


@pytest.mark.parametrize("is_alone", [True, False], ids=["their only address", "beside one that is proved"])
def test_an_address_that_nobody_proved_leaks_nothing(client, is_alone):
    theirs = make_own(coming_session(), name="Boris Secret", email="boris@example.org")
    user = signed_in(client, "boris@example.org" if is_alone else "anna@example.org", verified=not is_alone)
    if not is_alone:
        EmailAddress.objects.create(user=user, email="boris@example.org", verified=False)

    texts = [client.get(reverse(name)).content.decode() for name in ("my_webinars", "my_data", "my_erase")]
    client.post(reverse("my_erase"))

    for text in texts:
        for secret in (theirs.reference, theirs.webinar.title, "Secret"):
            assert secret not in text
    theirs.refresh_from_db()
    assert theirs.is_confirmed
    assert theirs.erased_at is None


def test_my_webinars_says_the_next_step_of_each(client):
    for own in (
        in_steps(needs_proof=True),
        in_steps(needs_approval=True),
        in_steps(**PRICED),
        offered(),
    ):
        assert own.email == "anna@example.org"
    down = in_steps(needs_approval=True)
    signup.turn_down(down, by=None, now=timezone.now())
    late = in_steps(needs_proof=True, registered_ago=timedelta(hours=25))
    signed_in(client)

    page = client.get(reverse("my_webinars"))

    coming, cancelled = page.content.decode().split('id="cancelled"')
    for words in ("Confirm that it was me", "The host decides", "A place is kept, to be paid"):
        assert coming.count(words) == 1
    assert "A place is kept for you: take it or pass it on" in coming
    assert own_url(down) in cancelled
    assert "Not accepted" in cancelled
    assert own_url(late) in cancelled


def test_what_is_open_to_the_reader_alone_stands_among_their_webinars_until_they_register(client):
    host = make_host(member_domains="example.org")
    for_members = coming_session(make_webinar(host=host, access="members", title="Inside"))
    invited = coming_session(make_webinar(access="invited", title="By invitation"))
    Invitee.objects.create(webinar=invited.webinar, email="ANNA@example.org")
    others = [
        coming_session(make_webinar(access="members", host=make_host(member_domains="example.com"), title="Elsewhere")),
        coming_session(make_webinar(access="invited", title="Not invited")),
        coming_session(make_webinar(access="password", access_password="sesame", title="Locked")),
        coming_session(make_webinar(access="unlisted", title="Unlisted")),
    ]
    signed_in(client)

    before = client.get(reverse("my_webinars")).content.decode()
    own = make_own(invited)
    after = client.get(reverse("my_webinars")).content.decode()

    open_before, open_after = before.split('id="open-to-you"')[1], after.split('id="open-to-you"')[1]
    for session in (for_members, invited):
        assert f'href="{session.webinar.get_absolute_url()}"' in open_before
    assert f"For members of {host.name}" in open_before
    assert "You are invited" in open_before
    for session in others:
        assert session.webinar.title not in before
    assert invited.webinar.get_absolute_url() not in open_after
    assert own_url(own) in after


def test_an_address_that_nobody_proved_opens_nothing(client):
    invited = coming_session(make_webinar(access="invited", title="By invitation"))
    Invitee.objects.create(webinar=invited.webinar, email="anna@example.org")
    signed_in(client, verified=False)

    assert "By invitation" not in client.get(reverse("my_webinars")).content.decode()


def test_whoever_is_signed_in_confirms_with_one_click(client):
    own = in_steps(needs_proof=True)
    signed_in(client)
    page = client.get(reverse("my_webinars")).content.decode()
    assert f'action="{own_url(own, "registration_prove")}"' in page

    client.post(own_url(own, "registration_prove"))

    own.refresh_from_db()
    assert own.is_confirmed


def test_all_ones_data_are_asked_for_with_as_many_queries_for_many(client, django_assert_num_queries):
    signed_in(client)
    make_own()

    with django_assert_num_queries(11):
        client.get(reverse("my_data"))
    for _ in range(2):
        make_own(coming_session(), answers={})
    with django_assert_num_queries(11):
        client.get(reverse("my_data"))


def test_erasing_everything_asks_first_and_then_leaves_neither_registrations_nor_account(client):
    make_own(coming_session())
    make_own(coming_session(), email="second@example.org")
    other = make_own(coming_session(), email="other@example.org")
    user = signed_in(client)
    EmailAddress.objects.create(user=user, email="second@example.org", verified=True)
    about_signing_in = {"kind": "account", "created_at": timezone.now(), "due_at": timezone.now()}
    Message.objects.create(key="code-1", to_email="anna@example.org", **about_signing_in)
    Message.objects.create(key="code-2", to_email="other@example.org", **about_signing_in)
    question = words_of(client.get(reverse("my_erase")))

    response = client.post(reverse("my_erase"), follow=True)

    assert "2 registrations end and are erased" in question
    assert response.redirect_chain == [(reverse("registration_erased"), 303)]
    assert not User.objects.filter(pk=user.pk).exists()
    assert "_auth_user_id" not in client.session
    assert Registration.objects.filter(erased_at__isnull=True).get() == other
    assert [message.key for message in Message.objects.filter(kind="account")] == ["code-2"]
    assert client.post(reverse("my_erase")).status_code == 302


@pytest.mark.parametrize("is_staff", [True, False])
def test_whoever_works_for_a_host_cannot_erase_their_account_here(client, is_staff):
    user = make_organizer(is_staff=is_staff)
    own = make_own(coming_session(), email=user.email)
    client.force_login(user)

    asked, pressed = client.get(reverse("my_erase")), client.post(reverse("my_erase"))

    assert asked.status_code == 200
    assert "Erase everything" not in words_of(asked)
    assert pressed.status_code == 409
    assert "You help a host with its webinars" in words_of(pressed)
    own.refresh_from_db()
    assert own.erased_at is None
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("name", ["my_data", "my_erase"])
def test_a_strangers_request_leads_to_signing_in(client, name):
    assert client.get(reverse(name))["Location"] == f"{reverse('account_login')}?next={reverse(name)}"


def test_an_unlocked_code_stays_on_the_page_of_whoever_waits_again(client):
    session = coming_session()
    make_offer(session.webinar, conditions=("attended", "survey"))
    own = make_own(session)
    offers.unlock(own, kind="survey", now=timezone.now())
    code = OfferCode.objects.get().code
    signup.cancel(own, now=timezone.now())

    assert code in client.get(own_url(own)).content.decode()
