"""What organizers decide: accepting, turning down, noting payments, cancelling; and how they find what waits."""

from datetime import date, time, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from events import zone_rules
from events.models import Membership, Session, Webinar
from registrations import erasure, signup
from registrations.admin import deeds
from registrations.models import Registration
from tests.builders import NOW, make_host, make_organizer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}
DEEDS = [
    "accept_registrations",
    "turn_down_registrations",
    "mark_registrations_paid",
    "cancel_registrations",
    "erase_registrations",
]
PAGES = ["accept_one", "turn_down_one", "mark_one_paid", "cancel_one", "erase_one"]
LIST = "admin:registrations_registration_changelist"


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


def a_session(host, *, capacity=None, **rules):
    return make_session(make_webinar(host=host, **rules), capacity=capacity, **COMING)


def priced(**rules):
    return {"price_amount": 40, "price_currency": "EUR", **rules}


def page(name, person):
    return reverse(f"admin:registrations_registration_{name}", args=[person.pk])


def act(client, action, people, **more):
    data = {"action": action, "_selected_action": [person.pk for person in people], **more}
    return client.post(reverse(LIST), data, follow=True)


def words_of(response):
    return " ".join(strip_tags(response.content.decode().replace("<", " <")).split())


def standing_of(*people):
    return [Registration.objects.values_list("status", "awaits").get(pk=person.pk) for person in people]


def kinds_of(person):
    return list(person.messages.order_by("pk").values_list("kind", flat=True))


# ---------- accepting and turning down ----------


def test_two_of_three_are_accepted_after_a_question_and_the_third_goes_on_waiting(client, editor, host):
    session = a_session(host, needs_approval=True)
    people = [make_registration(session) for _ in range(3)]

    question = act(client, "accept_registrations", people[:2])
    before = standing_of(*people)
    done = act(client, "accept_registrations", people[:2], confirmed="yes")

    assert "Accept these registrations?" in words_of(question)
    assert "2 people are told by mail." in words_of(question)
    assert before == [("pending", "approval")] * 3
    assert "2 registrations are accepted." in words_of(done)
    assert standing_of(*people) == [("confirmed", ""), ("confirmed", ""), ("pending", "approval")]
    assert kinds_of(people[0])[-1] == "approved"


def test_where_places_run_out_the_first_who_came_have_them_and_the_rest_are_announced(client, editor, host):
    session = a_session(host, capacity=1, needs_approval=True)
    first, second = (make_registration(session, now=NOW + timedelta(minutes=number)) for number in range(2))

    question = act(client, "accept_registrations", [second, first])
    act(client, "accept_registrations", [second, first], confirmed="yes")

    assert "For 1 of them no place is left: they go on the waiting list" in words_of(question)
    assert standing_of(first, second) == [("confirmed", ""), ("waitlisted", "")]


def test_accepted_people_who_have_to_pay_are_asked_to(client, editor, host):
    person = make_registration(a_session(host, **priced(needs_approval=True)))

    question = act(client, "accept_registrations", [person])
    act(client, "accept_registrations", [person], confirmed="yes")

    assert "A place has to be paid first" in words_of(question)
    assert standing_of(person) == [("pending", "payment")]


def test_whoever_is_turned_down_is_told_and_has_no_place(client, editor, host):
    person = make_registration(a_session(host, needs_approval=True))

    question = act(client, "turn_down_registrations", [person])
    done = act(client, "turn_down_registrations", [person], confirmed="yes")

    person.refresh_from_db()
    assert "1 person is told by mail that their registration is turned down." in words_of(question)
    assert "1 registration is turned down." in words_of(done)
    assert (person.status, person.cancelled_because) == ("cancelled", "turned_down")
    assert kinds_of(person)[-1] == "turned_down"


# ---------- payments ----------


def test_a_payment_confirms_whoever_waited_for_it(client, editor, host):
    person = make_registration(a_session(host, **priced()))

    question = act(client, "mark_registrations_paid", [person])
    done = act(client, "mark_registrations_paid", [person], confirmed="yes")

    assert "1 person has a place for good from then on, and is told by mail." in words_of(question)
    assert "1 registration is marked as paid." in words_of(done)
    assert standing_of(person) == [("confirmed", "")]
    assert kinds_of(person)[-1] == "confirmed"


def test_whoever_pays_before_their_turn_has_it_noted(client, editor, host):
    session = a_session(host, capacity=1, **priced())
    make_registration(session)
    waiting = make_registration(session)

    question = act(client, "mark_registrations_paid", [waiting])
    act(client, "mark_registrations_paid", [waiting], confirmed="yes")

    waiting.refresh_from_db()
    assert "1 person has no place yet: the payment is noted, and they are not told." in words_of(question)
    assert waiting.paid_at is not None
    assert waiting.status == "waitlisted"
    assert kinds_of(waiting) == ["waitlisted"]


# ---------- cancelling ----------


def test_cancelling_says_who_loses_what_and_notes_that_an_organizer_did_it(client, editor, host):
    held, waiting = a_session(host, capacity=1), a_session(host, needs_proof=True)
    people = [make_registration(held), make_registration(held), make_registration(waiting)]

    words = words_of(act(client, "cancel_registrations", people))
    act(client, "cancel_registrations", people, confirmed="yes")

    assert "1 person loses the place and is told by mail." in words
    assert "1 person without a place waits no longer, and is told by mail." in words
    assert "1 person has not proved the address, so nobody writes to it." in words
    assert set(Registration.objects.values_list("status", "cancelled_because")) == {("cancelled", "organizer")}
    assert [kinds_of(person).count("cancelled") for person in people] == [1, 1, 0]


# ---------- who is meant, and who may ----------


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("accept_registrations", "None of these waits for your decision."),
        ("turn_down_registrations", "None of these waits for your decision."),
        ("mark_registrations_paid", "None of these waits for a payment."),
    ],
)
def test_whoever_is_not_meant_is_left_alone(client, editor, host, action, words):
    person = make_registration(a_session(host))

    response = act(client, action, [person], confirmed="yes")

    assert words in words_of(response)
    assert standing_of(person) == [("confirmed", "")]


@pytest.mark.parametrize("name", PAGES)
def test_each_deed_is_done_on_the_page_of_one_and_a_second_click_is_harmless(client, editor, host, name):
    rules = {} if name == "cancel_one" else priced() if name == "mark_one_paid" else {"needs_approval": True}
    person = make_registration(a_session(host, **rules))
    before = standing_of(person)

    shown = client.get(page("change", person)).content.decode()
    question = client.get(page(name, person))
    asked = standing_of(person)
    done = client.post(page(name, person), {"confirmed": "yes"}, follow=True)
    again = client.post(page(name, person), {"confirmed": "yes"}, follow=True)

    assert f'href="{page(name, person)}"' in shown
    assert question.status_code == 200
    assert asked == before
    assert standing_of(person) != before
    assert (done.status_code, again.status_code) == (200, 200)
    assert f'href="{page(name, person)}"' not in done.content.decode()
    assert LogEntry.objects.filter(object_id=str(person.pk)).count() == 1


def test_viewers_and_strangers_do_none_of_it(client, host):
    session = a_session(host, **priced(needs_approval=True))
    deciding, paying = make_registration(session), make_registration(session)
    signup.approve(paying, by=None, now=NOW)
    before = standing_of(deciding, paying)

    for user in (make_organizer(host, role=Membership.Role.VIEWER), make_organizer(make_host())):
        client.force_login(user)
        for action in DEEDS:
            act(client, action, [deciding, paying], confirmed="yes")
        for name in PAGES:
            for person in (deciding, paying):
                assert client.post(page(name, person), {"confirmed": "yes"}).status_code == 403
                assert page(name, person) not in client.get(page("change", person), follow=True).content.decode()

    assert standing_of(deciding, paying) == before


@pytest.mark.parametrize("action", DEEDS)
def test_a_viewer_here_and_editor_there_decides_only_there(client, editor, host, action):
    looked_at = make_host()
    Membership.objects.create(host=looked_at, user=editor, role=Membership.Role.VIEWER)
    rules = priced() if action == "mark_registrations_paid" else {"needs_approval": True}
    mine, theirs = make_registration(a_session(host, **rules)), make_registration(a_session(looked_at, **rules))
    before = standing_of(mine, theirs)

    act(client, action, [mine, theirs], confirmed="yes")

    assert standing_of(mine) != before[:1]
    assert standing_of(theirs) == before[1:]


def test_more_than_can_be_done_at_once_are_refused_in_words(client, editor, host, monkeypatch):
    monkeypatch.setattr(deeds, "MOST_AT_ONCE", 1)
    session = a_session(host)
    people = [make_registration(session) for _ in range(2)]

    response = act(client, "cancel_registrations", people, confirmed="yes")

    assert "These are 2 registrations. At most 1 are changed at once: choose fewer." in words_of(response)
    assert standing_of(*people) == [("confirmed", "")] * 2


def test_what_an_act_refuses_is_told_and_the_others_go_through(client, editor, host):
    over = make_session(make_webinar(host=host), local_date=date(2020, 10, 28))
    late = make_registration(over, now=over.starts_at - timedelta(days=1))
    person = make_registration(a_session(host))

    words = words_of(act(client, "cancel_registrations", [late, person], confirmed="yes"))

    assert f"{late.name}: The session is over, so there is nothing left to cancel." in words
    assert "1 registration is cancelled." in words
    assert standing_of(late, person) == [("confirmed", ""), ("cancelled", "")]


# ---------- finding what waits ----------


def test_the_list_is_narrowed_to_what_somebody_waits_for(client, editor, host):
    deciding = make_registration(a_session(host, needs_approval=True))
    paying = make_registration(a_session(host, **priced()))
    unproved = make_registration(a_session(host, needs_proof=True))
    full = a_session(host, capacity=1, offer_hours=24)
    holder, offered, waiting = (make_registration(full) for _ in range(3))
    signup.cancel(holder, now=NOW)

    def found(waits):
        return [row.pk for row in client.get(reverse(LIST), {"waits": waits}).context["cl"].result_list]

    people = {"approval": deciding, "payment": paying, "proof": unproved, "offered": offered, "waiting": waiting}
    assert {waits: found(waits) for waits in people} == {waits: [person.pk] for waits, person in people.items()}
    assert len(found("nonsense")) == 6


def test_the_list_says_how_things_stand(client, editor, host):
    session = a_session(host, capacity=1, **priced(needs_approval=True, payment_days=5, offer_hours=24))
    people = [make_registration(session) for _ in range(4)]
    for person in people[1:]:
        signup.approve(person, by=None, now=NOW)
    signup.cancel(people[1], now=NOW)

    content = words_of(client.get(reverse(LIST)))

    for words in ("You decide", "Cancelled", "Place offered", "Waiting"):
        assert words in content


def test_the_page_of_one_tells_what_is_kept_how_long_and_why_it_ended(client, editor, host):
    session = a_session(host, **priced(needs_approval=True, payment_days=5))
    person = make_registration(session, is_proved=True)
    signup.approve(person, by=None, now=NOW)

    kept = words_of(client.get(page("change", person)))
    signup.cancel(person, now=NOW)
    ended = words_of(client.get(page("change", person)))

    assert "Status To be paid" in kept
    assert "Kept until Mon, 21 Sept 2026, 10:00 London, UTC+1" in kept
    assert "Address proved Wed, 16 Sept 2026" in kept
    assert "Accepted Wed, 16 Sept 2026" in kept
    assert "Why it was cancelled" not in kept
    assert "Why it was cancelled Its owner cancelled it" in ended
    assert "Kept until" not in ended


def test_the_page_of_one_who_waits_tells_the_place_in_the_queue(client, editor, host):
    session = a_session(host, capacity=1)
    _holder, _first, second = (make_registration(session, now=NOW + timedelta(minutes=number)) for number in range(3))
    third = make_registration(session, now=NOW + timedelta(hours=1))

    assert "Place in the queue 2" in words_of(client.get(page("change", second)))
    assert "Place in the queue 3" in words_of(client.get(page("change", third)))


def test_the_catalogue_and_the_front_page_count_what_is_to_do_and_lead_there(client, editor, host):
    session = a_session(host, **priced(needs_approval=True))
    people = [make_registration(session) for _ in range(3)]
    signup.approve(people[0], by=None, now=NOW)
    elsewhere = make_registration(a_session(make_host(), needs_approval=True))
    sessions, webinars = (reverse(f"admin:events_{name}_changelist") for name in ("session", "webinar"))

    for address, query in (
        (reverse("admin:index"), ""),
        (sessions, f"&amp;session={session.pk}"),
        (webinars, f"&amp;webinar={session.webinar_id}"),
        (reverse("admin:events_session_change", args=[session.pk]), f"&amp;session={session.pk}"),
        (reverse("admin:events_webinar_change", args=[session.webinar_id]), f"&amp;webinar={session.webinar_id}"),
    ):
        content = client.get(address).content.decode()
        assert f'href="{reverse(LIST)}?waits=approval{query}" class="text-link' in content, address
        assert "2 to decide" in content, address
        assert "1 to be paid" in content, address
    found = client.get(reverse(LIST), {"waits": "approval", "session": session.pk}).context["cl"].result_list
    assert {row.pk for row in found} == {people[1].pk, people[2].pk}
    assert elsewhere.webinar.title not in client.get(reverse(LIST)).content.decode()


def test_nothing_is_to_do_about_sessions_that_are_over_or_cancelled(client, editor, host):
    over = make_session(make_webinar(host=host, needs_approval=True), local_date=date(2020, 10, 28))
    make_registration(over, now=over.starts_at - timedelta(days=1))
    called_off = a_session(host, needs_approval=True)
    make_registration(called_off)
    Session.objects.filter(pk=called_off.pk).update(state=Session.State.CANCELLED)

    index, found = client.get(reverse("admin:index")), client.get(reverse(LIST), {"waits": "approval"})

    assert "to decide" not in index.content.decode()
    assert list(found.context["cl"].result_list) == []


def test_the_front_page_asks_nothing_of_viewers(client, host):
    make_registration(a_session(host, needs_approval=True))
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    assert "to decide" not in client.get(reverse("admin:index")).content.decode()


def an_undecided_session(host, **fields):
    """Its wall clock does not exist by today's rules: in London clocks go forward over it."""
    session = a_session(host)
    Session.objects.filter(pk=session.pk).update(local_date=date(2031, 3, 30), local_time=time(1, 30), **fields)
    return session


def test_the_front_page_names_the_sessions_that_need_a_time_and_leads_there(client, editor, host):
    session, elsewhere = an_undecided_session(host), an_undecided_session(make_host())

    content = client.get(reverse("admin:index")).content.decode()

    assert f'href="{reverse("admin:events_session_change", args=[session.pk])}"' in content
    assert "Clocks in London go forward over this time, so it does not exist." in content
    assert elsewhere.webinar.title not in content
    assert reverse("admin:events_session_change", args=[elsewhere.pk]) not in content


def test_the_front_page_says_how_many_more_sessions_need_a_time(client, editor, host):
    for _ in range(7):
        an_undecided_session(host)

    words = words_of(client.get(reverse("admin:index")))

    assert words.count("Clocks in London go forward") == 5
    assert "And 2 more." in words


def test_the_front_page_has_the_rules_version_for_everybody_and_the_sessions_for_who_may_change_them(client, host):
    an_undecided_session(host)
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))

    words = words_of(client.get(reverse("admin:index")))

    assert f"Time zone rules: {zone_rules.VERSION}" in words
    assert "Clocks in London" not in words


def test_the_list_of_a_webinar_offers_its_sessions_and_no_others(client, editor, host):
    session = a_session(host)
    make_registration(session)
    theirs = make_session(make_webinar(), label="Foreign", local_date=date(2032, 1, 1))

    narrowed = client.get(reverse(LIST), {"session": session.pk})
    forged = client.get(reverse(LIST), {"session": theirs.pk})

    assert len(narrowed.context["cl"].result_list) == 1
    assert "2032" not in forged.content.decode()
    assert list(forged.context["cl"].result_list) == []


# ---------- erasing for somebody who asked for it ----------


def test_erasing_says_what_goes_and_names_nobody_afterwards(client, editor, host):
    session = a_session(host, capacity=1)
    anna = make_registration(session, name="Anna Karimova", email="anna@example.org")
    next_one = make_registration(session)
    unproved = make_registration(a_session(host, needs_proof=True), name="Anna Karimova", email="anna@example.org")

    found = client.get(reverse(LIST), {"q": "anna@example.org"})
    question = words_of(act(client, "erase_registrations", [anna, unproved]))
    untouched = standing_of(anna, unproved)
    done = act(client, "erase_registrations", [anna, unproved], confirmed="yes")

    assert set(found.context["cl"].result_list) == {anna, unproved}
    assert "The names, addresses, answers and mails of 2 registrations are erased." in question
    assert "1 person gets a last mail" in question
    assert untouched == [("confirmed", ""), ("pending", "proof")]
    assert "2 registrations are erased." in words_of(done)
    assert standing_of(next_one) == [("confirmed", "")]
    assert [kinds_of(person).count("erased") for person in (anna, unproved)] == [1, 0]
    history = LogEntry.objects.filter(object_id__in=[str(anna.pk), str(unproved.pk)])
    assert set(history.values_list("object_repr", flat=True)) == {
        f"Erased ({person.reference})" for person in (anna, unproved)
    }
    assert not Registration.objects.filter(name__contains="Anna").filter(pk__in=[anna.pk, unproved.pk]).exists()


def test_whoever_is_erased_is_not_erased_twice(client, editor, host):
    person = make_registration(a_session(host))
    erasure.erase(person, now=NOW)

    response = act(client, "erase_registrations", [person], confirmed="yes")

    assert "None of these can be erased" in words_of(response)


# ---------- those who erased theirs ----------


def test_an_erased_registration_is_a_row_without_data_or_deeds(client, editor, host):
    person = make_registration(a_session(host), name="Anna Karimova", email="anna@example.org")
    erasure.erase(person, now=NOW)

    shown_list, shown = client.get(reverse(LIST)), client.get(page("change", person))
    response = act(client, "cancel_registrations", [person], confirmed="yes")

    assert "Erased" in words_of(shown_list)
    assert "Status Erased" in words_of(shown)
    for content in (shown_list.content.decode(), shown.content.decode()):
        assert "anna" not in content.lower()
    for name in PAGES:
        assert page(name, person) not in shown.content.decode()
    assert "None of these can be cancelled" in words_of(response)


def test_whoever_came_and_erased_theirs_cannot_be_cancelled(client, editor, host):
    over = make_session(make_webinar(host=host), local_date=date(2020, 10, 28))
    person = make_registration(over, now=over.starts_at - timedelta(days=1))
    erasure.erase(person, now=NOW)

    response = act(client, "cancel_registrations", [person], confirmed="yes")

    assert standing_of(person) == [("confirmed", "")]
    assert "None of these can be cancelled" in words_of(response)
    assert page("cancel_one", person) not in client.get(page("change", person)).content.decode()


# ---------- speed ----------


@pytest.mark.parametrize("model", [Session, Webinar])
def test_lists_with_something_to_do_take_as_many_queries_for_three_rows_as_for_one(client, model):
    counts = []
    for rows in (1, 3):
        host = make_host()
        client.force_login(make_organizer(host))
        for _ in range(rows):
            make_registration(a_session(host, needs_approval=True))
        address = reverse(f"admin:events_{model._meta.model_name}_changelist")
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_front_page_asks_one_query_for_what_is_to_do(client, editor, host):
    client.get(reverse("admin:index"))
    for _ in range(2):
        make_registration(a_session(host, needs_approval=True))

    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("admin:index"))

    assert sum("registrations_registration" in query["sql"] for query in captured.captured_queries) == 1


def test_the_front_page_asks_one_query_for_the_sessions_that_need_a_time(client, editor, host):
    counts = []
    for rows in (1, 3):
        for _ in range(rows):
            an_undecided_session(host)
        client.get(reverse("admin:index"))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert sum('FROM "events_session"' in query["sql"] for query in captured.captured_queries) == 1


def test_a_deed_that_was_done_leads_back_to_its_person_and_says_so(client, editor, host):
    person = make_registration(a_session(host, needs_approval=True))
    signup.approve(person, by=editor, now=NOW)

    response = client.get(page("accept_one", person), follow=True)

    assert response.redirect_chain == [(page("change", person), 302)]
    assert "This was done already, or cannot be done any more." in strip_tags(response.content.decode())
