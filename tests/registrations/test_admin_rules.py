"""More places and other rules: what organizers are asked before people hear of it, and who goes on."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from events.models import Membership, Session, Webinar
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_organizer, make_registration, make_session, make_webinar
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


def page(thing):
    return reverse(f"admin:events_{thing._meta.model_name}_change", args=[thing.pk])


def save(client, thing, **changed):
    sent = posted(client.get(page(thing)), id=f"{thing._meta.model_name}_form")
    sent = {name: value for name, value in sent.items() if changed.get(name) is not OFF}
    return client.post(
        page(thing), sent | {name: value for name, value in changed.items() if value is not OFF}, follow=True
    )


# A switch that is turned off: browsers send nothing of it.
OFF = object()


def agree(client, thing, question):
    return client.post(page(thing), dict(question.context["carried"]) | {"confirmed": ""}, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode()).split())


def statuses(webinar):
    rows = Registration.objects.filter(webinar=webinar).order_by("pk")
    return list(rows.values_list("status", "awaits", "has_place"))


def full(webinar, *, waiting):
    session = make_session(webinar, capacity=1, **COMING)
    for number in range(waiting + 1):
        make_registration(session, now=NOW + timedelta(minutes=number))
    return session


# ---------- more places ----------


@pytest.mark.parametrize("where", ["session", "webinar"])
def test_raising_the_capacity_says_before_and_after_how_many_get_a_place(client, editor, host, where):
    session = full(make_webinar(host=host), waiting=3)
    thing, field = (session, "capacity") if where == "session" else (session.webinar, "sessions-0-capacity")

    question = save(client, thing, **{field: "3"})
    before = statuses(session.webinar)
    done = agree(client, thing, question)

    assert "2 people who wait get a place, and are told by mail." in words_of(question)
    assert "Save and tell 2 people" in words_of(question)
    assert before == [("confirmed", "", True)] + [("waitlisted", "", False)] * 3
    assert statuses(session.webinar) == [("confirmed", "", True)] * 3 + [("waitlisted", "", False)]
    assert "2 people who waited have a place now, or are offered one, and are being told." in words_of(done)


def test_no_limit_any_more_lets_everybody_in(client, editor, host):
    session = full(make_webinar(host=host), waiting=2)

    question = save(client, session, capacity="")

    assert "2 people who wait get a place, and are told by mail." in words_of(question)


def test_places_that_are_offered_are_announced_with_their_hours(client, editor, host):
    session = full(make_webinar(host=host, offer_hours=24), waiting=1)

    question = save(client, session, capacity="9")
    agree(client, session, question)

    assert "1 person who waits is offered a place by mail, and has 24 hours to take it." in words_of(question)
    assert statuses(session.webinar) == [("confirmed", "", True), ("waitlisted", "", True)]


def test_whoever_waits_for_any_session_is_counted_once(client, editor, host):
    webinar = make_webinar(host=host)
    for _ in range(2):
        full(webinar, waiting=0)
    make_registration(webinar.sessions.first(), any_session=True)

    question = save(client, webinar, **{"sessions-0-capacity": "2", "sessions-1-capacity": "2"})

    assert "1 person who waits gets a place, and is told by mail." in words_of(question)


def test_cancelling_counts_those_who_hear_of_it(client, editor, host):
    webinar = make_webinar(host=host)
    first, second = (full(webinar, waiting=1) for _ in range(2))
    undecided = make_registration(first, any_session=True)
    webinar.needs_proof = True
    webinar.save()
    make_registration(first)

    question = client.get(reverse("admin:events_session_cancel_one", args=[first.pk]))
    done = client.post(reverse("admin:events_session_cancel_one", args=[first.pk]), {"confirmed": "yes"}, follow=True)
    of_all = client.get(reverse("admin:events_webinar_cancel_one", args=[webinar.pk]))

    # Whoever holds a place and whoever waits for that session alone; the third waits for the other.
    assert "2 people are told by mail" in words_of(question)
    assert "Cancelled. 2 people are being told." in words_of(done)
    assert Message.objects.filter(kind="session_cancelled").count() == 2
    undecided.refresh_from_db()
    assert undecided.session == second
    # Of the other, its two, and who would have come to any.
    assert "3 people are told by mail" in words_of(of_all)


def test_another_price_is_asked_about_where_people_have_been_told_of_the_earlier_one(client, editor, host):
    webinar = make_webinar(host=host, price_amount=40, price_currency="EUR")
    make_registration(make_session(webinar, **COMING))

    question = save(client, webinar, price_amount="50")

    assert "1 person has been asked to pay the earlier price" in words_of(question)
    webinar.refresh_from_db()
    assert webinar.price_amount == 40
    agree(client, webinar, question)
    webinar.refresh_from_db()
    assert webinar.price_amount == 50
    assert statuses(webinar) == [("pending", "payment", True)]


def test_nobody_is_asked_where_nobody_waits(client, editor, host):
    session = full(make_webinar(host=host), waiting=0)

    response = save(client, session, capacity="9")

    assert "was changed successfully" in response.content.decode()
    assert "who waited" not in words_of(response)


def test_fewer_places_than_are_taken_are_refused_with_the_number(client, editor, host):
    session = make_session(make_webinar(host=host), capacity=9, **COMING)
    for _ in range(2):
        make_registration(session)

    response = save(client, session, capacity="1")

    assert dict(response.context["adminform"].form.errors) == {
        "capacity": ["2 people hold a place already, so there must be at least that many."]
    }
    session.refresh_from_db()
    assert session.capacity == 9


# ---------- rules that are turned off ----------


@pytest.mark.parametrize(
    ("rules", "off", "words"),
    [
        ({"needs_approval": True}, {"needs_approval": OFF}, "2 people wait for your decision, and go on without it"),
        ({"needs_proof": True}, {"needs_proof": OFF}, "2 people have not proved their addresses yet, and go on"),
        (
            {"price_amount": 40, "price_currency": "EUR"},
            {"price_amount": "0"},
            "2 people have not paid yet, and have their places for good.",
        ),
    ],
)
def test_whoever_waited_for_a_step_goes_on_once_it_is_asked_no_more(client, editor, host, rules, off, words):
    webinar = make_webinar(host=host, **rules)
    session = make_session(webinar, **COMING)
    for _ in range(2):
        make_registration(session)

    question = save(client, webinar, **off)
    before = {status for status, _awaits, _has_place in statuses(webinar)}
    done = agree(client, webinar, question)

    assert words in words_of(question)
    assert "Save and tell 2 people" in words_of(question)
    assert before == {"pending"}
    assert statuses(webinar) == [("confirmed", "", True)] * 2
    assert "2 registrations go on without that, and the people are being told." in words_of(done)


def test_the_answer_no_leaves_everybody_where_they_are(client, editor, host):
    webinar = make_webinar(host=host, needs_approval=True)
    make_registration(make_session(webinar, **COMING))

    question = save(client, webinar, needs_approval=OFF)
    client.post(page(webinar), dict(question.context["carried"]) | {"reconsidered": ""})

    assert Webinar.objects.get().needs_approval
    assert statuses(webinar) == [("pending", "approval", False)]


# ---------- rules that are turned on ----------


@pytest.mark.parametrize(
    "rule", [{"needs_approval": "on"}, {"needs_proof": "on"}, {"price_amount": "40", "price_currency": "EUR"}]
)
def test_a_new_step_leaves_those_alone_who_have_a_place_and_says_so(client, editor, host, rule):
    webinar = make_webinar(host=host)
    session = make_session(webinar, **COMING)
    make_registration(session)

    response = save(client, webinar, **rule)
    make_registration(Session.objects.get())

    assert "1 person has a place already and keeps it." in words_of(response)
    assert [status for status, _awaits, _has_place in statuses(webinar)] == ["confirmed", "pending"]


def test_another_price_is_no_new_step(client, editor, host):
    webinar = make_webinar(host=host, price_amount=40, price_currency="EUR")
    make_registration(make_session(webinar, **COMING))

    response = save(client, webinar, price_amount="50")

    assert "has a place already" not in words_of(response)
    assert statuses(webinar) == [("pending", "payment", True)]
