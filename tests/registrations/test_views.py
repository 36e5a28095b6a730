"""What people meet: the form, the page after it, their own registration, the joining link, all their webinars."""

import re
from datetime import date, time, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from icalendar import Calendar

from events.models import Question, Session, User, Webinar
from registrations import signup, tokens
from registrations.models import Message, OfferCode, Registration
from tests.builders import (
    NOW,
    form_data,
    make_host,
    make_offer,
    make_organizer,
    make_question,
    make_session,
    make_webinar,
)

pytestmark = pytest.mark.django_db

SCRIPT = '"><script>alert(1)</script>'


def coming_session(webinar=None, *, starts_in=timedelta(days=30), **fields):
    """A session so far from now, whenever the tests run; planned in UTC, to the minute."""
    start = timezone.now() + starts_in
    return make_session(
        webinar,
        **{"local_date": start.date(), "local_time": start.time().replace(microsecond=0), "time_zone": "UTC", **fields},
    )


def make_own(session, **fields):
    """A registration made now."""
    return signup.register(
        session, **{"name": "Anna Karimova", "email": "anna@example.org", "now": timezone.now(), **fields}
    )


def post_form(client, place, *, follow=False, **data):
    return client.post(reverse("register", args=[place.webinar.slug]), form_data(place, **data), follow=follow)


def own_url(registration, name="registration"):
    return reverse(name, args=[tokens.manage_token(registration)])


def join_url(registration):
    return reverse("join", args=[tokens.join_token(registration)])


def words_of(response):
    """The page's words, tags and runs of space gone."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text)


def input_of(page, name):
    """The input of that name, as it stands in the page."""
    return next(iter(re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)))


def without_csrf(response):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


# ---------- landing ----------


def test_landing_page_carries_the_form(client):
    session = coming_session()

    response = client.get(session.webinar.get_absolute_url())

    assert response.status_code == 200
    assert f'action="{reverse("register", args=[session.webinar.slug])}"' in response.content.decode()


def test_utc_is_not_said_twice(client):
    session = coming_session(make_webinar(host=make_host(time_zone="UTC")))
    url = session.webinar.get_absolute_url()

    unknown, chosen = words_of(client.get(url)), words_of(client.get(f"{url}?tz=Etc/UTC"))

    assert "in UTC, the host’s time Change" in unknown
    assert "in UTC, your time " in chosen
    for words in (unknown, chosen):
        assert "time, UTC" not in words
        assert "UTC, UTC" not in words


def test_a_draft_does_not_exist_for_others(client):
    host = make_host()
    draft = make_webinar(host=host, status=Webinar.Status.DRAFT)
    client.force_login(make_organizer())

    assert client.get(draft.get_absolute_url()).status_code == 404
    assert Client().get(draft.get_absolute_url()).status_code == 404
    assert post_form(Client(), coming_session(draft)).status_code == 404


def test_an_organizer_of_the_host_sees_a_draft_and_is_told_so(client):
    host = make_host()
    draft = make_webinar(host=host, status=Webinar.Status.DRAFT)
    client.force_login(make_organizer(host))

    response = client.get(draft.get_absolute_url())

    assert response.status_code == 200
    assert "This is a draft. Only organizers of its host can see it." in words_of(response)


def test_a_lone_session_is_sent_without_a_choice(client):
    session = coming_session()

    page = client.get(session.webinar.get_absolute_url()).content.decode()

    assert f'<input type="hidden" name="session" value="{session.pk}">' in page
    assert 'type="radio" name="session"' not in page


# ---------- registering ----------


def test_registering_makes_one_registration_with_everything_that_was_typed(client):
    session = coming_session()
    question = make_question(session.webinar, kind=Question.Kind.COUNTRY)

    response = post_form(client, session, time_zone="Asia/Calcutta", consent="on", **{question.field_name: "UZ"})

    assert response.status_code == 303
    assert response["Location"] == reverse("registered", args=[session.webinar.slug])
    made = Registration.objects.get()
    assert (made.name, made.email, made.session) == ("Anna Karimova", "anna@example.org", session)
    assert (made.status, made.time_zone, made.language) == ("confirmed", "Asia/Kolkata", "en")
    assert made.consented_at is not None
    assert [(answer.wording, answer.value) for answer in made.answers.all()] == [("Where do you work?", "UZ")]
    assert Message.objects.get().kind == Message.Kind.CONFIRMED


def test_a_double_click_is_one_registration_and_one_mail(client):
    session = coming_session()

    post_form(client, session)
    response = post_form(client, session)

    assert response.status_code == 303
    assert Registration.objects.count() == 1
    assert Message.objects.count() == 1


def test_opening_the_address_of_the_form_leads_to_the_webinar(client):
    session = coming_session()

    response = client.get(reverse("register", args=[session.webinar.slug]))

    assert response["Location"] == f"{session.webinar.get_absolute_url()}#register"
    assert not Registration.objects.exists()


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(client):
    session = coming_session()
    other = coming_session(session.webinar, starts_in=timedelta(days=31))
    question = make_question(session.webinar, kind=Question.Kind.LONG_TEXT)

    response = post_form(
        client, other, name=" ", email="anna@example", consent="on", **{question.field_name: "What of <rivers>?"}
    )

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert 'role="alert" tabindex="-1" id="errors"' in page
    assert '<a href="#id_name">Enter your full name</a>' in page
    name_input = input_of(page, "name")
    assert 'aria-invalid="true"' in name_input
    assert 'aria-describedby="id_name_error"' in name_input
    assert 'id="id_name_error"' in page
    email_input = input_of(page, "email")
    assert 'aria-describedby="id_email_helptext id_email_error"' in email_input
    assert 'value="anna@example"' in email_input
    assert "What of &lt;rivers&gt;?" in page
    assert re.search(rf'value="{other.pk}"[^>]* checked', page)
    assert re.search(r'name="consent"[^>]* checked', page)
    assert not Registration.objects.exists()
    assert not Message.objects.exists()


def test_a_session_of_another_webinar_is_refused_beside_the_sessions(client):
    session = coming_session()
    elsewhere = coming_session()

    response = post_form(client, session, session=elsewhere.pk)

    assert response.status_code == 422
    assert '<a href="#sessions">Choose one of the sessions</a>' in response.content.decode()
    assert not Registration.objects.exists()


def test_optional_questions_say_so_and_required_ones_do_not(client):
    session = coming_session()
    make_question(session.webinar, wording="Employer")
    make_question(session.webinar, wording="Country", kind=Question.Kind.COUNTRY, is_required=True)

    words = words_of(client.get(session.webinar.get_absolute_url()))

    assert "Employer (optional)" in words
    assert "Country (optional)" not in words
    assert "Full name (optional)" not in words


def test_a_full_session_leads_to_its_waiting_list(client):
    session = coming_session(capacity=1)
    make_own(session, email="first@example.org")

    response = post_form(client, session, follow=True)

    assert response.status_code == 200
    assert "You are on the waiting list, Anna" in words_of(response)
    assert Registration.objects.get(email="anna@example.org").is_waitlisted


def test_the_last_place_gone_meanwhile_keeps_what_was_typed_and_offers_the_other_session(client, monkeypatch):
    session = coming_session(capacity=1, has_waiting_list=False)
    other = coming_session(session.webinar, starts_in=timedelta(days=31))
    act = signup.register

    def overtaken(*args, **fields):
        """Somebody else is quicker, after the form was checked."""
        monkeypatch.setattr(signup, "register", act)
        make_own(session, email="quicker@example.org")
        return act(*args, **fields)

    monkeypatch.setattr(signup, "register", overtaken)

    response = post_form(client, session)

    page = response.content.decode()
    assert response.status_code == 409
    assert "The last place has just gone, and this session has no waiting list." in words_of(response)
    assert 'value="Anna Karimova"' in page
    assert 'value="anna@example.org"' in page
    assert f'type="radio" name="session" id="id_session_{other.pk}"' in page
    assert f'type="radio" name="session" id="id_session_{session.pk}"' not in page
    assert not Registration.objects.filter(email="anna@example.org").exists()


def test_scripts_in_every_field_come_back_as_text(client):
    session = coming_session()
    kinds = [make_question(session.webinar, kind=kind, options="a\nb") for kind in Question.Kind.values]

    response = post_form(
        client,
        session,
        name=SCRIPT * 20,
        email=SCRIPT,
        session=SCRIPT,
        time_zone=SCRIPT,
        consent=SCRIPT,
        **{question.field_name: SCRIPT for question in kinds},
    )

    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()


def test_what_organizers_wrote_comes_out_as_text(client):
    webinar = make_webinar(title=f"T{SCRIPT}", host=make_host(name=f"H{SCRIPT}"))
    session = coming_session(webinar, label=f"L{SCRIPT}")
    make_question(webinar, wording=f"Q{SCRIPT}", help_text=f"E{SCRIPT}", kind="one", options=f"O{SCRIPT}\nb")
    make_offer(webinar, headline=f"F{SCRIPT}", terms=f"M{SCRIPT}")
    own = make_own(session, name=f"N{SCRIPT}")

    pages = [
        client.get(webinar.get_absolute_url()),
        post_form(client, session, name=""),
        post_form(client, session, name=f"N{SCRIPT}", follow=True),
        client.get(own_url(own)),
        client.get(own_url(own, "registration_cancel")),
        client.get(join_url(own)),
    ]

    for page in pages:
        assert escape(f"T{SCRIPT}") in page.content.decode()
        assert "<script>alert" not in page.content.decode()


# ---------- another place or language, before registering ----------


def show_again(client, place, *, prefix="", **data):
    sent = {"session": place.pk, "name": "", "email": "", "tz": "", "show": "times", **data}
    return client.post(f"{prefix}{reverse('register', args=[place.webinar.slug])}", sent)


def test_another_place_keeps_what_was_typed_and_stores_nothing(client):
    first = coming_session()
    second = coming_session(first.webinar, starts_in=timedelta(days=31))
    question = make_question(first.webinar, kind=Question.Kind.SOME_OF, options="Road\nRail\nAir")

    response = show_again(
        client,
        second,
        tz="Asia/Tokyo",
        name="Anna <Karimova>",
        email="anna@",
        consent="on",
        **{question.field_name: ["Road", "Air"]},
    )

    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="Anna &lt;Karimova&gt;"' in input_of(page, "name")
    assert 'value="anna@"' in input_of(page, "email")
    assert "checked" in input_of(page, "consent")
    ticked = [tag for tag in re.findall(r"<input[^>]+>", page) if "checked" in tag and question.field_name in tag]
    assert len(ticked) == 2
    assert f'id="id_session_{second.pk}" value="{second.pk}" checked' in page
    assert 'name="time_zone" value="Asia/Tokyo"' in page
    assert "Tokyo, UTC+9" in page
    assert 'role="alert"' not in page
    assert response["Cache-Control"] == "private, no-store"
    assert client.cookies["tz"].value == "Asia/Tokyo"
    assert not Registration.objects.exists()


def test_another_place_before_anything_is_typed_is_an_address(client):
    place = coming_session()

    response = show_again(client, place, tz="Asia/Tokyo")

    assert response.status_code == 303
    assert response["Location"] == f"{place.webinar.get_absolute_url()}?tz=Asia%2FTokyo#main"


def test_another_session_alone_is_worth_keeping(client):
    first = coming_session()
    second = coming_session(first.webinar, starts_in=timedelta(days=31))

    page = show_again(client, second, tz="Asia/Tokyo").content.decode()

    assert f'value="{second.pk}" checked' in page


def test_other_language_keeps_what_was_typed(client):
    place = coming_session()
    refused = post_form(client, place, email="").content.decode()
    assert f'formaction="/ar{reverse("register", args=[place.webinar.slug])}#registration"' in refused

    page = show_again(client, place, prefix="/ar", name="Anna Karimova", show="language").content.decode()

    assert 'dir="rtl"' in page
    assert 'value="Anna Karimova"' in input_of(page, "name")


def test_other_site_cannot_show_the_form_filled_in(client):
    place = coming_session()

    response = client.post(
        reverse("register", args=[place.webinar.slug]),
        {"show": "times", "name": "Anna"},
        headers={"sec-fetch-site": "cross-site"},
    )

    assert response.status_code == 403


def test_place_named_beside_the_form_does_not_count_for_registering(client):
    place = coming_session()

    post_form(client, place, tz="Asia/Tokyo", time_zone="Europe/Paris")

    assert Registration.objects.get().time_zone == "Europe/Paris"
    assert "tz" not in client.cookies


# ---------- after registering ----------


def test_the_page_after_registering_says_when_where_and_what_comes(client):
    session = coming_session(local_date=date(2040, 10, 28), local_time=time(12, 30), time_zone="Europe/London")

    response = post_form(client, session, time_zone="Asia/Tashkent", follow=True)

    words = words_of(response)
    assert "You have a place, Anna" in words
    assert "We have written to anna@example.org ." in words
    assert "17:30 to 19:00 in Tashkent, UTC+5" in words
    assert "12:30 London, UTC" in words
    assert reverse("mailbox") in response.content.decode()


def test_the_page_after_registering_is_the_same_for_a_known_address():
    session = coming_session(capacity=10)
    known = make_own(session, name="Anna Earlier", email="ANNA@example.org")
    newcomer, again = Client(), Client()

    first = post_form(newcomer, session, email="anna@example.com", follow=True)
    second = post_form(again, session, email="anna@example.org", follow=True)

    assert without_csrf(first).replace("anna@example.com", "anna@example.org") == without_csrf(second)
    assert tokens.manage_token(known) not in second.content.decode()
    assert tokens.join_token(known) not in second.content.decode()
    assert "Earlier" not in second.content.decode()


def test_who_has_a_place_in_a_full_session_is_not_given_away_by_the_page():
    session = coming_session(capacity=1)
    make_own(session, email="anna@example.org", now=timezone.now() - timedelta(minutes=1))

    first = post_form(Client(), session, email="anna@example.com", follow=True)
    second = post_form(Client(), session, email="anna@example.org", follow=True)

    assert "You are on the waiting list" in words_of(second)
    assert without_csrf(first).replace("anna@example.com", "anna@example.org") == without_csrf(second)


def test_the_cookie_of_the_page_is_closed_to_scripts_and_to_other_pages(client):
    session = coming_session()

    cookies = post_form(client, session).cookies

    path = session.webinar.get_absolute_url()
    assert {name: cookie["path"] for name, cookie in cookies.items()} == {
        "registered-en": path,
        "registered-ar": f"/ar{path}",
    }
    for cookie in cookies.values():
        assert cookie["httponly"] is True
        assert (cookie["samesite"], cookie["max-age"]) == ("Lax", 3600)


@pytest.mark.parametrize(("sent_to", "read_at"), [("", "/ar"), ("/ar", "")])
def test_the_page_after_registering_knows_what_came_of_it_in_the_other_language(client, sent_to, read_at):
    session = coming_session()
    path = reverse("register", args=[session.webinar.slug])
    client.post(f"{sent_to}{path}", form_data(session))

    page = client.get(f"{read_at}{reverse('registered', args=[session.webinar.slug])}").content.decode()

    assert "anna@example.org" in page


@pytest.mark.parametrize("value", ["", "junk", "eyJhIjoxfQ:1abcde:forged"])
def test_without_its_cookie_the_page_speaks_in_general(client, value):
    session = coming_session()
    client.cookies["registered-en"] = value

    response = client.get(reverse("registered", args=[session.webinar.slug]))

    assert response.status_code == 200
    assert "Look in your mail" in words_of(response)


def test_a_very_long_name_fits_into_the_cookie(client):
    session = coming_session()

    response = post_form(client, session, name="𝒜" * 200, email="a" * 60 + "@" + "b." * 90 + "org")

    assert response.status_code == 303
    # Proxies take no more than 4 kB of headers unless they are told.
    assert sum(len(cookie.OutputString()) for cookie in response.cookies.values()) < 3000


# ---------- one's own registration ----------


def test_own_page_shows_the_place_the_time_and_the_details(client):
    session = coming_session(local_date=date(2040, 10, 28), local_time=time(12, 30), time_zone="Europe/London")
    own = make_own(session, time_zone="Asia/Tashkent")

    response = client.get(own_url(own))

    words = words_of(response)
    assert response.status_code == 200
    assert "You have a place, Anna" in words
    assert "17:30 to 19:00 in Tashkent, UTC+5" in words
    assert "12:30 London, UTC" in words
    assert "The join button appears here on Sunday, 28 October 2040 at 17:15 Tashkent, UTC+5" in words
    assert f"That is {session.join_lead_minutes} minutes before the start." in words
    assert own.reference in words
    assert session.join_url not in response.content.decode()


def test_own_page_is_kept_by_nobody_and_tells_no_other_site(client):
    response = client.get(own_url(make_own(coming_session())))

    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"


def test_own_page_shows_another_zone_for_this_once(client):
    own = make_own(coming_session(), time_zone="Asia/Tashkent")

    words = words_of(client.get(own_url(own), {"tz": "Asia/Kathmandu"}))

    assert "in Kathmandu, UTC+5:45" in words
    own.refresh_from_db()
    assert own.time_zone == "Asia/Tashkent"


@pytest.mark.parametrize(
    "name", ["registration", "registration_cancel", "registration_session", "registration_calendar"]
)
def test_a_tampered_token_is_a_page_that_does_not_exist(client, name):
    own = make_own(coming_session())
    token = tokens.manage_token(own)
    another = make_own(coming_session(), email="another@example.org")
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace(own.reference, another.reference),
        own.reference,
        tokens.join_token(own),
        "x",
    ]

    for bad in forged:
        response = client.get(reverse(name, args=[bad]))
        assert response.status_code == 404
        assert "Anna" not in response.content.decode()
    for bad in forged:
        assert client.post(reverse(name, args=[bad])).status_code in {404, 405}
    own.refresh_from_db()
    assert own.is_confirmed


def test_the_waiting_list_page_tells_the_place_in_it(client):
    session = coming_session(capacity=1)
    make_own(session, email="first@example.org")
    make_own(session, email="second@example.org")
    own = make_own(session)

    words = words_of(client.get(own_url(own)))

    assert "You are on the waiting list, Anna" in words
    assert "You are number 2 on the waiting list" in words
    assert "Download the calendar file" not in words


def test_a_locked_code_is_not_in_the_page_and_an_unlocked_one_is(client):
    session = coming_session()
    make_offer(session.webinar, conditions=("attended",), headline="Locked offer")
    make_offer(session.webinar, conditions=("registered", "attended"), headline="Unlocked offer")
    own = make_own(session)
    locked = OfferCode.objects.get(offer__headline="Locked offer")
    unlocked = OfferCode.objects.get(offer__headline="Unlocked offer")

    page = client.get(own_url(own)).content.decode()

    assert "Locked offer" in page
    assert locked.code not in page
    assert unlocked.code in page


def test_a_cancelled_session_dangles_no_locked_code_and_keeps_an_unlocked_one(client):
    session = coming_session()
    make_offer(session.webinar, headline="For coming", conditions=("attended",))
    make_offer(session.webinar, headline="For registering", conditions=("registered",))
    own = make_own(session)
    Session.objects.update(state=Session.State.CANCELLED)

    words = words_of(client.get(own_url(own)))

    assert "For registering" in words
    assert "For coming" not in words


def test_only_done_ways_make_boxes_of_the_ways_to_a_code(client):
    session = coming_session()
    make_offer(session.webinar, conditions=("attended", "replay"))
    own = make_own(session)
    locked = client.get(own_url(own)).content.decode()
    OfferCode.objects.update(unlocked_at=timezone.now(), unlocked_by="attended")

    unlocked = client.get(own_url(own)).content.decode()

    assert '<ul class="ways" role="list">' in locked
    assert '<ul class="ways ticked" role="list">' in unlocked


def test_a_code_of_somebody_else_is_not_in_the_page(client):
    session = coming_session()
    make_offer(session.webinar)
    own = make_own(session)
    another = make_own(session, email="another@example.org")

    page = client.get(own_url(own)).content.decode()

    assert own.offer_codes.get().code in page
    assert another.offer_codes.get().code not in page


def test_a_code_past_its_date_cannot_be_used_any_more(client):
    session = coming_session()
    offer = make_offer(session.webinar)
    own = make_own(session)
    offer.valid_until = timezone.now()
    offer.save()

    words = words_of(client.get(own_url(own)))

    assert "The code can no longer be used." in words
    assert own.offer_codes.get().code not in words


def test_the_web_calendar_links_do_not_carry_the_joining_link(client):
    own = make_own(coming_session())

    page = client.get(own_url(own)).content.decode()

    links = re.findall(r'href="(https://(?:calendar|outlook)[^"]+)"', page)
    assert len(links) == 4
    assert not [link for link in links if tokens.join_token(own) in link or tokens.manage_token(own) in link]


def test_the_number_of_queries_of_ones_own_page_does_not_grow(client, django_assert_max_num_queries):
    session = coming_session()
    for day in range(5):
        coming_session(session.webinar, starts_in=timedelta(days=40 + day), capacity=1)
    for number in range(3):
        make_offer(session.webinar, headline=f"Offer {number}", conditions=("registered", "attended"))
    answers = {make_question(session.webinar): "Customs" for _ in range(3)}
    own = make_own(session, answers=answers)

    with django_assert_max_num_queries(9):
        client.get(own_url(own))


# ---------- cancelling and moving ----------


def test_a_link_alone_never_cancels(client):
    own = make_own(coming_session())

    response = client.get(own_url(own, "registration_cancel"))
    client.head(own_url(own, "registration_cancel"))

    assert "Cancel your registration?" in words_of(response)
    own.refresh_from_db()
    assert own.is_confirmed


def test_cancelling_takes_a_post_and_leads_back(client):
    own = make_own(coming_session())

    response = client.post(own_url(own, "registration_cancel"), follow=True)

    own.refresh_from_db()
    assert own.is_cancelled
    assert response.redirect_chain == [(own_url(own), 303)]
    assert "Your registration is cancelled" in words_of(response)


def test_cancelling_twice_is_cancelling(client):
    own = make_own(coming_session())

    client.post(own_url(own, "registration_cancel"))
    response = client.post(own_url(own, "registration_cancel"), follow=True)

    assert response.status_code == 200
    assert Message.objects.filter(kind=Message.Kind.CANCELLED).count() <= 1


def test_moving_to_another_session(client):
    session = coming_session()
    other = coming_session(session.webinar, starts_in=timedelta(days=31))
    own = make_own(session)

    response = client.post(own_url(own, "registration_session"), {"session": other.pk}, follow=True)

    own.refresh_from_db()
    assert own.session == other
    assert "Your place has moved." in words_of(response)


def test_moving_to_a_session_of_another_webinar_changes_nothing(client):
    session = coming_session()
    coming_session(session.webinar, starts_in=timedelta(days=31))
    own = make_own(session)

    response = client.post(own_url(own, "registration_session"), {"session": coming_session().pk})

    assert response.status_code == 422
    assert "Nothing was changed Choose one of the sessions" in words_of(response)
    own.refresh_from_db()
    assert own.session == session


def test_moving_to_a_full_session_keeps_the_place_and_says_so(client):
    session = coming_session()
    full = coming_session(session.webinar, starts_in=timedelta(days=31), capacity=1)
    make_own(full, email="first@example.org")
    own = make_own(session)

    response = client.post(own_url(own, "registration_session"), {"session": full.pk})

    assert response.status_code == 409
    assert "That session is full. Your place stays as it was." in words_of(response)
    own.refresh_from_db()
    assert own.session == session


def test_opening_the_address_of_moving_leads_to_the_registration(client):
    own = make_own(coming_session())

    response = client.get(own_url(own, "registration_session"))

    assert response["Location"] == own_url(own)


# ---------- the calendar file ----------


def test_the_calendar_file_is_ones_own_entry(client):
    own = make_own(coming_session())

    response = client.get(own_url(own, "registration_calendar"))

    calendar = Calendar.from_ical(response.content)
    assert response["Content-Type"].startswith("text/calendar")
    assert response["Content-Disposition"] == f'attachment; filename="{own.webinar.slug}.ics"'
    assert calendar["METHOD"] == "PUBLISH"
    assert str(calendar.events[0]["UID"]).startswith(own.uid)


def test_whoever_waits_has_no_calendar_file(client):
    session = coming_session(capacity=1)
    make_own(session, email="first@example.org")

    response = client.get(own_url(make_own(session), "registration_calendar"))

    assert response.status_code == 404


# ---------- joining ----------


def test_too_early_says_when_the_link_lets_in(client):
    own = make_own(coming_session(starts_in=timedelta(hours=2)))

    response = client.get(join_url(own))

    assert response.status_code == 200
    assert "You are early" in words_of(response)
    assert own.session.join_url not in response.content.decode()


@pytest.mark.parametrize("starts_in", [timedelta(minutes=14), timedelta(minutes=-60)])
def test_the_link_lets_in_from_15_minutes_before_until_the_end(client, starts_in):
    own = make_own(coming_session(starts_in=starts_in))

    response = client.get(join_url(own))

    assert response.status_code == 302
    assert response["Location"] == own.session.join_url


def test_without_an_address_there_are_words(client):
    own = make_own(coming_session(starts_in=timedelta(minutes=5), join_url=""))

    assert "The host has not said yet where to join" in words_of(client.get(join_url(own)))


def ended_session(webinar=None, **replay):
    """A session that has ended, and what its webinar says of the replay."""
    session = coming_session(webinar, starts_in=timedelta(minutes=5))
    own = make_own(session)
    Session.objects.filter(pk=session.pk).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )
    Webinar.objects.filter(pk=session.webinar_id).update(**replay)
    return own


REPLAY = "https://video.example.org/7"


def test_after_the_end_both_links_lead_to_the_page_of_the_replay_and_not_to_the_recording(client):
    own = ended_session(replay_url=REPLAY)

    joined, managed = client.get(join_url(own)).content.decode(), client.get(own_url(own)).content.decode()

    assert f'href="{reverse("webinar_replay", args=[own.webinar.slug])}"' in joined
    assert f'href="{reverse("registration_replay", args=[tokens.manage_token(own)])}"' in managed
    assert REPLAY not in joined + managed


def test_a_forwarded_joining_link_does_not_give_a_replay_for_those_who_registered(client):
    own = ended_session(replay_url=REPLAY, replay_access="registered")

    joined = client.get(join_url(own)).content.decode()

    assert "The replay is for those who had registered" in joined
    assert "/replay/" not in joined
    assert tokens.manage_token(own) not in joined
    assert (
        f'href="{reverse("registration_replay", args=[tokens.manage_token(own)])}"'
        in client.get(own_url(own)).content.decode()
    )


@pytest.mark.parametrize(
    ("replay", "words"),
    [
        ({}, "There is no recording yet."),
        ({"replay_url": REPLAY, "replay_from": NOW.replace(year=2099)}, "The replay can be watched from"),
        ({"replay_url": REPLAY, "replay_until": NOW.replace(year=2020)}, "Its replay could be watched until"),
    ],
)
def test_without_a_replay_at_that_moment_there_are_words(client, replay, words):
    own = ended_session(**replay)

    for url in (join_url(own), own_url(own)):
        page = client.get(url).content.decode()
        assert words in page
        assert "/replay/" not in page
        assert REPLAY not in page


def test_whoever_cancelled_is_not_led_to_the_replay(client):
    own = ended_session(replay_url=REPLAY)
    Registration.objects.update(status="cancelled", has_place=False, cancelled_at=timezone.now())

    page = client.get(own_url(own)).content.decode()

    assert "/replay/" not in page


def test_while_it_runs_ones_own_page_says_so_and_offers_no_calendar_entry(client):
    running = make_own(coming_session(starts_in=-timedelta(minutes=12)))
    coming = make_own(coming_session(starts_in=timedelta(minutes=12)))

    now, soon = (client.get(own_url(own)).content.decode() for own in (running, coming))

    assert "It is on now, Anna" in now
    assert "Started 12 minutes ago" in now
    assert "Join now" in now
    assert 'id="calendar"' not in now
    assert "You have a place, Anna" in soon
    assert 'id="calendar"' in soon


def test_a_moved_session_is_said_to_have_moved(client):
    session = coming_session()
    own = make_own(session, time_zone="Asia/Tashkent")
    before = client.get(own_url(own)).content.decode()
    Session.objects.update(previous_starts_at=NOW.replace(hour=12, minute=30))

    pages = [client.get(url).content.decode() for url in (own_url(own), join_url(own))]

    assert "Moved." not in before
    for page in pages:
        assert "<b>Moved.</b> It was planned for <s>Wednesday, 16 September 2026, 17:30 Tashkent, UTC+5</s>." in page


def test_a_moved_session_that_has_started_is_not_said_to_have_moved(client):
    own = make_own(coming_session(starts_in=-timedelta(minutes=12)))
    Session.objects.update(previous_starts_at=NOW)

    page = client.get(own_url(own)).content.decode()

    assert "It is on now, Anna" in page
    assert "Moved." not in page


def test_whoever_waits_or_cancelled_is_not_let_in_and_sees_no_manage_link(client):
    session = coming_session(starts_in=timedelta(minutes=5), capacity=1)
    cancelled = make_own(session, email="first@example.org")
    make_own(session, email="second@example.org")
    waiting = make_own(session, email="third@example.org")
    signup.cancel(cancelled, now=timezone.now())

    for own in (cancelled, waiting):
        response = client.get(join_url(own))
        assert response.status_code == 200
        assert tokens.manage_token(own) not in response.content.decode()
        assert session.join_url not in response.content.decode()
        assert own.email not in response.content.decode()


def test_a_cancelled_session_lets_nobody_in(client):
    own = make_own(coming_session(starts_in=timedelta(minutes=5)))
    Session.objects.update(state=Session.State.CANCELLED)

    response = client.get(join_url(own))

    assert response.status_code == 200
    assert "This session is cancelled" in words_of(response)


def test_a_cancelled_session_points_to_others_only_where_there_are_some(client):
    own = make_own(coming_session())
    Session.objects.update(state=Session.State.CANCELLED)
    alone = [words_of(client.get(url)) for url in (own_url(own), join_url(own))]
    coming_session(own.webinar, capacity=1, places_taken=1)

    beside_another = [words_of(client.get(url)) for url in (own_url(own), join_url(own))]

    assert all("other sessions" not in words for words in alone)
    assert "See the webinar and its sessions" not in alone[0]
    assert all("See other sessions" in words for words in beside_another)
    assert "Full, waiting list open" in beside_another[0]


def test_after_the_end_there_is_nothing_to_change_or_cancel(client):
    coming, over = make_own(coming_session()), make_own(coming_session(), email="bob@example.org")
    Session.objects.filter(pk=over.session_id).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )

    assert "To change or cancel" in words_of(client.get(join_url(coming)))
    assert "To change or cancel" not in words_of(client.get(join_url(over)))


def test_whoever_was_cancelled_is_not_told_that_they_did_it(client):
    own = make_own(coming_session())
    signed_in(client)
    signup.cancel(own, now=timezone.now())

    pages = [words_of(client.get(url)) for url in (own_url(own), join_url(own), reverse("my_webinars"))]

    assert all("You cancelled" not in words for words in pages)
    assert "Your registration was cancelled on" in pages[0]
    assert "Registration cancelled" in pages[2]
    assert "Register again" in pages[0]


def test_a_manage_token_does_not_join_and_a_tampered_one_is_nothing(client):
    own = make_own(coming_session(starts_in=timedelta(minutes=5)))

    for token in (tokens.manage_token(own), tokens.join_token(own) + "x", "x"):
        assert client.get(reverse("join", args=[token])).status_code == 404


# ---------- all of one's webinars ----------


def signed_in(client, email="anna@example.org", *, verified=True):
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    client.force_login(user)
    return user


def test_my_webinars_asks_who_one_is(client):
    response = client.get(reverse("my_webinars"))

    assert response["Location"] == f"{reverse('account_login')}?next={reverse('my_webinars')}"
    assert isinstance(response.wsgi_request.user, AnonymousUser)


def test_my_webinars_lists_what_was_registered_with_the_proved_address_only(client):
    mine = make_own(coming_session(), email="Anna@Example.org")
    theirs = make_own(coming_session(), email="other@example.org")
    signed_in(client)

    page = client.get(reverse("my_webinars")).content.decode()

    assert own_url(mine) in page
    assert own_url(theirs) not in page
    assert theirs.webinar.title not in page


def test_my_webinars_tells_what_comes_from_what_is_over_and_what_was_cancelled(client):
    over, coming = ended_session(), make_own(coming_session())
    cancelled = make_own(coming_session())
    signup.cancel(cancelled, now=timezone.now())
    signed_in(client)

    page = client.get(reverse("my_webinars")).content.decode()

    places = [page.index(words) for words in ('id="coming"', own_url(coming), 'id="past"', own_url(over))]
    places += [page.index(words) for words in ('id="cancelled"', own_url(cancelled))]
    assert places == sorted(places)


def test_my_webinars_leads_from_what_is_over_to_what_can_still_be_done(client):
    with_both = ended_session()
    Webinar.objects.filter(pk=with_both.webinar.pk).update(replay_url="https://video.example.org/1")
    make_question(with_both.webinar, asked=Question.Asked.SURVEY)
    make_question(with_both.webinar, asked=Question.Asked.SURVEY)
    with_none, coming = ended_session(), make_own(coming_session())
    make_question(coming.webinar, asked=Question.Asked.SURVEY)
    signed_in(client)

    page = client.get(reverse("my_webinars")).content.decode()

    assert own_url(with_both, "registration_replay") in page
    assert own_url(with_both, "registration_survey") in page
    assert own_url(with_none, "registration_replay") not in page
    assert own_url(with_none, "registration_survey") not in page
    assert own_url(coming, "registration_survey") not in page
    assert page.count(">Over<") == 1


def test_my_webinars_without_any_says_what_to_do_next(client):
    signed_in(client)

    page = client.get(reverse("my_webinars")).content.decode()

    assert "Nothing is registered with" in page
    assert f'class="btn" href="{reverse("home")}"' in page
    assert f'href="{reverse("account_email")}"' in page
    assert 'id="past"' not in page


def test_an_address_that_was_not_proved_shows_nothing(client):
    mine = make_own(coming_session())
    signed_in(client, verified=False)

    assert mine.webinar.title not in client.get(reverse("my_webinars")).content.decode()


def test_an_address_that_only_folds_to_the_same_letters_is_not_the_same(client):
    theirs = make_own(coming_session(), email="anna@straße.example")
    signed_in(client, "anna@strasse.example")

    assert theirs.webinar.title not in client.get(reverse("my_webinars")).content.decode()


def test_my_webinars_asks_the_database_the_same_for_one_and_for_many(client, django_assert_num_queries):
    signed_in(client)
    make_own(coming_session())

    with django_assert_num_queries(8):
        client.get(reverse("my_webinars"))
    for _ in range(3):
        make_own(coming_session())
        ended_session()
    with django_assert_num_queries(8):
        client.get(reverse("my_webinars"))
