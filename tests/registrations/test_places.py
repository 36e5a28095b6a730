"""Steps before a place, places that are kept or offered, and those who wait for any session."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import scheduling
from events.models import Session, Webinar
from registrations import signup, tasks
from registrations.models import Message, Registration
from tests.builders import NOW, make_offer, make_question, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

Because = Registration.CancelledBecause
PRICED: dict[str, Any] = {"price_amount": Decimal("40.00"), "price_currency": "EUR"}
LATER = NOW + timedelta(hours=1)
EVENING = time(20, 0)


def kinds_owed_to(registration: Registration) -> list[str]:
    return list(registration.messages.order_by("pk").values_list("kind", flat=True))


def taken(session: Session) -> int:
    """As the session counts them, which must be how many are there."""
    session.refresh_from_db()
    assert session.places_taken == session.registrations.filter(has_place=True).count()
    return session.places_taken


def seen(registration: Registration) -> Registration:
    registration.refresh_from_db()
    return registration


def full_session(webinar: Webinar | None = None, **fields: Any) -> tuple[Session, Registration]:
    """A session with one place, and who has it."""
    session = make_session(webinar, **{"capacity": 1, **fields})
    holder = make_registration(session, is_proved=True)
    session.refresh_from_db()
    return session, holder


def positions(*people: Registration) -> list[int | None]:
    return [Registration.objects.position_of(seen(person), now=LATER) for person in people]


# ---------- what a registration costs ----------


@pytest.mark.parametrize(
    ("rules", "has_more", "most"),
    [({}, True, 6), ({}, False, 4), ({"needs_proof": True}, True, 4), (PRICED, True, 4)],
)
def test_registering_where_places_are_free_takes_few_statements(rules, has_more, most):
    webinar = make_webinar(**rules)
    questions = [make_question(webinar), make_question(webinar)]
    if has_more:
        make_offer(webinar)
        make_offer(webinar, headline="A book", conditions=("attended",))
    session = Session.objects.select_related("webinar__host").get(pk=make_session(webinar, capacity=50).pk)
    answers = dict.fromkeys(questions, "Customs") if has_more else {}

    with CaptureQueriesContext(connection) as asked:
        registration = signup.register(session, name="Anna", email="a@example.org", now=NOW, answers=answers)

    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == most, statements
    # The row that everybody passes is locked for this and the commit.
    assert statements[-1].startswith('UPDATE "events_session"')
    assert registration.answers.count() == len(answers)
    assert registration.offer_codes.count() == (2 if has_more and not rules else 0)


def test_joining_the_queue_takes_few_statements_too():
    session, _holder = full_session()
    session = Session.objects.select_related("webinar__host").get(pk=session.pk)

    with CaptureQueriesContext(connection) as asked:
        signup.register(session, name="Anna", email="a@example.org", now=NOW)

    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 5


def test_page_that_still_showed_a_place_leads_into_the_queue():
    session = make_session(capacity=1)
    stale = Session.objects.select_related("webinar").get(pk=session.pk)
    make_registration(session)

    late = make_registration(stale)

    assert (late.is_waitlisted, positions(late)) == (True, [1])
    assert kinds_owed_to(late) == ["waitlisted"]
    assert taken(session) == 1


# ---------- proof ----------


def test_unproved_address_holds_a_place_and_is_sent_one_mail_without_codes():
    webinar = make_webinar(needs_proof=True)
    make_offer(webinar)
    session = make_session(webinar, capacity=1)

    registration = make_registration(session)

    assert (registration.status, registration.awaits, registration.has_place) == ("pending", "proof", True)
    assert registration.lapses_at == NOW + timedelta(hours=24)
    assert (registration.dtstamp, registration.offer_codes.count()) == (None, 0)
    assert kinds_owed_to(registration) == ["proof"]
    assert taken(session) == 1


def test_proving_confirms_and_issues_the_codes():
    webinar = make_webinar(needs_proof=True)
    make_offer(webinar)
    session = make_session(webinar)
    registration = make_registration(session)

    proved = signup.prove(registration, now=LATER)
    again = signup.prove(registration, now=LATER + timedelta(minutes=1))

    assert (proved.is_confirmed, proved.proved_at, proved.lapses_at) == (True, LATER, None)
    assert again.proved_at == LATER
    assert proved.offer_codes.get().is_unlocked
    assert kinds_owed_to(registration) == ["proof", "confirmed"]
    assert taken(session) == 1


def test_who_is_signed_in_with_the_address_is_proved_at_once():
    session = make_session(make_webinar(needs_proof=True))

    registration = make_registration(session, is_proved=True)

    assert (registration.is_confirmed, registration.proved_at) == (True, NOW)
    assert kinds_owed_to(registration) == ["confirmed"]


def test_signing_in_and_registering_again_proves_too():
    session = make_session(make_webinar(needs_proof=True))
    first = make_registration(session, email="anna@example.org")

    again = make_registration(session, email="anna@example.org", is_proved=True, now=LATER)

    assert (again.pk, again.is_confirmed) == (first.pk, True)


def test_place_that_nobody_proved_in_time_goes_silently_to_the_next():
    session = make_session(make_webinar(needs_proof=True), capacity=1)
    unproved, waiting = make_registration(session), make_registration(session, is_proved=True)
    assert waiting.is_waitlisted
    in_time = NOW + timedelta(hours=24)

    assert signup.lapse_overdue(now=in_time - timedelta(seconds=1)) == 0
    assert signup.lapse_overdue(now=in_time) == 1
    assert signup.lapse_overdue(now=in_time) == 0

    assert (seen(unproved).is_cancelled, unproved.cancelled_because) == (True, Because.UNPROVED)
    assert kinds_owed_to(unproved) == ["proof"]
    assert (seen(waiting).is_confirmed, kinds_owed_to(waiting)) == (True, ["waitlisted", "promoted"])
    assert taken(session) == 1


@pytest.mark.parametrize("is_noted", [True, False])
def test_proving_too_late_is_refused(is_noted):
    session = make_session(make_webinar(needs_proof=True))
    registration = make_registration(session)
    too_late = NOW + timedelta(hours=24)
    if is_noted:
        signup.lapse_overdue(now=too_late)

    with pytest.raises(signup.RegistrationOverError, match="in time"):
        signup.prove(registration, now=too_late)

    assert seen(registration).proved_at is None


@pytest.mark.parametrize("is_noted", [True, False])
def test_who_was_too_late_registers_again_and_is_asked_again(is_noted):
    session = make_session(make_webinar(needs_proof=True))
    registration = make_registration(session, email="anna@example.org")
    too_late = NOW + timedelta(hours=25)
    if is_noted:
        signup.lapse_overdue(now=too_late)

    again = make_registration(session, email="anna@example.org", now=too_late)

    assert (again.pk, again.awaits, again.has_place) == (registration.pk, "proof", True)
    assert again.lapses_at == too_late + timedelta(hours=24)
    assert (again.cancelled_at, again.cancelled_because, again.registered_at) == (None, "", too_late)
    assert kinds_owed_to(again) == ["proof", "proof"]
    assert taken(session) == 1


def test_who_proved_the_address_once_is_not_asked_again_after_cancelling():
    session = make_session(make_webinar(needs_proof=True))
    registration = make_registration(session, email="anna@example.org", is_proved=True)
    signup.cancel(registration, now=LATER)

    again = make_registration(session, email="anna@example.org", now=LATER)

    assert again.is_confirmed


def test_who_proves_where_all_is_full_joins_the_queue_where_they_came():
    session, _holder = full_session(make_webinar(needs_proof=True))
    early = make_registration(session, now=NOW + timedelta(minutes=1))
    proved_at_once = make_registration(session, now=NOW + timedelta(minutes=2), is_proved=True)
    assert (early.awaits, early.has_place) == ("proof", False)
    assert positions(early, proved_at_once) == [None, 1]

    signup.prove(early, now=LATER)

    assert seen(early).is_waitlisted
    assert positions(early, proved_at_once) == [1, 2]
    assert kinds_owed_to(early) == ["proof", "waitlisted"]


def test_place_that_came_free_before_the_proof_is_theirs():
    session, holder = full_session(make_webinar(needs_proof=True))
    early = make_registration(session)
    signup.cancel(holder, now=LATER)

    assert signup.prove(early, now=LATER).is_confirmed
    assert taken(session) == 1


def test_registering_again_unproved_asks_for_the_proof_at_most_once_in_ten_minutes():
    webinar = make_webinar(needs_proof=True)
    session, other = make_session(webinar), make_session(webinar, local_time=EVENING)
    registration = make_registration(session, email="anna@example.org")

    for minutes, of in ((5, session), (9, other), (11, session), (12, other)):
        make_registration(of, email="anna@example.org", now=NOW + timedelta(minutes=minutes))

    assert kinds_owed_to(registration) == ["proof", "proof"]


def test_unproved_person_who_cancels_is_sent_nothing():
    session = make_session(make_webinar(needs_proof=True), capacity=1)
    registration = make_registration(session)

    signup.cancel(registration, now=LATER)

    assert kinds_owed_to(registration) == ["proof"]
    assert taken(session) == 0


# ---------- approval ----------


def test_nobody_has_a_place_before_an_organizer_accepts():
    session = make_session(make_webinar(needs_approval=True), capacity=1)

    registration = make_registration(session)
    assert (registration.awaits, registration.has_place, registration.lapses_at) == ("approval", False, None)
    assert taken(session) == 0
    accepted = signup.approve(registration, by=None, now=LATER)
    signup.approve(registration, by=None, now=LATER)

    assert (accepted.is_confirmed, accepted.approved_at) == (True, LATER)
    assert kinds_owed_to(registration) == ["pending", "approved"]
    assert taken(session) == 1


def test_who_is_accepted_when_all_is_full_waits_from_then():
    session = make_session(make_webinar(needs_approval=True), capacity=1)
    people = [make_registration(session, now=NOW + timedelta(minutes=minutes)) for minutes in range(3)]

    for person in reversed(people):
        signup.approve(person, by=None, now=LATER)

    assert [seen(person).is_confirmed for person in people] == [False, False, True]
    assert positions(*people) == [2, 1, None]
    assert kinds_owed_to(people[0]) == ["pending", "waitlisted"]


def test_unproved_address_of_a_webinar_with_approval_holds_no_place():
    session = make_session(make_webinar(needs_proof=True, needs_approval=True), capacity=1)

    registration = make_registration(session)
    assert (registration.awaits, registration.has_place) == ("proof", False)
    assert registration.lapses_at == NOW + timedelta(hours=24)
    proved = signup.prove(registration, now=LATER)

    assert (proved.awaits, proved.lapses_at) == ("approval", None)
    assert kinds_owed_to(registration) == ["proof", "pending"]


def test_accepting_before_the_proof_is_noted_and_spares_the_question_later():
    session = make_session(make_webinar(needs_proof=True, needs_approval=True), capacity=1)
    registration = make_registration(session)

    signup.approve(registration, by=None, now=LATER)
    assert seen(registration).awaits == "proof"

    assert signup.prove(registration, now=LATER).is_confirmed
    assert kinds_owed_to(registration) == ["proof", "confirmed"]


def test_turning_down_ends_it_and_tells_once():
    session = make_session(make_webinar(needs_approval=True))
    registration = make_registration(session, email="anna@example.org")

    signup.turn_down(registration, by=None, now=LATER)
    signup.turn_down(registration, by=None, now=LATER)

    assert (seen(registration).is_cancelled, registration.cancelled_because) == (True, Because.TURNED_DOWN)
    assert kinds_owed_to(registration) == ["pending", "turned_down"]
    with pytest.raises(signup.RegistrationOverError):
        signup.approve(registration, by=None, now=LATER)
    again = make_registration(session, email="anna@example.org", now=LATER)
    assert again.awaits == "approval"


def test_turning_down_somebody_who_has_a_place_is_refused():
    registration = make_registration()

    with pytest.raises(signup.RegistrationOverError):
        signup.turn_down(registration, by=None, now=LATER)

    assert seen(registration).is_confirmed


@pytest.mark.parametrize(("because", "awaits"), [(Because.OWNER, ""), (Because.ORGANIZER, "approval")])
def test_who_was_accepted_need_not_be_again_unless_an_organizer_cancelled(because, awaits):
    session = make_session(make_webinar(needs_approval=True))
    registration = make_registration(session, email="anna@example.org")
    signup.approve(registration, by=None, now=LATER)
    signup.cancel(registration, because=because, now=LATER)

    again = make_registration(session, email="anna@example.org", now=LATER + timedelta(minutes=1))

    assert (again.awaits, again.has_place) == (awaits, not awaits)


# ---------- payment ----------


def test_unpaid_place_is_held_until_it_is_paid():
    webinar = make_webinar(**PRICED, payment_days=7)
    make_offer(webinar)
    session = make_session(webinar, capacity=1)

    registration = make_registration(session)
    assert (registration.awaits, registration.has_place) == ("payment", True)
    assert registration.lapses_at == NOW + timedelta(days=7)
    assert not registration.offer_codes.exists()
    signup.mark_paid(registration, by=None, now=LATER)
    paid = signup.mark_paid(registration, by=None, now=LATER + timedelta(minutes=1))

    assert (paid.is_confirmed, paid.paid_at, paid.lapses_at) == (True, LATER, None)
    assert registration.offer_codes.exists()
    assert kinds_owed_to(registration) == ["pending", "confirmed"]


def test_unpaid_place_goes_to_the_next_who_has_as_long_to_pay():
    session = make_session(make_webinar(**PRICED, payment_days=7), capacity=1)
    unpaid, waiting = make_registration(session), make_registration(session)
    due = NOW + timedelta(days=7)

    signup.lapse_overdue(now=due)

    assert (seen(unpaid).cancelled_because, kinds_owed_to(unpaid)) == (Because.UNPAID, ["pending", "lapsed"])
    assert (seen(waiting).awaits, waiting.has_place) == ("payment", True)
    assert waiting.lapses_at == due + timedelta(days=7)
    assert kinds_owed_to(waiting) == ["waitlisted", "pending"]
    assert taken(session) == 1


def test_without_days_to_pay_nothing_lapses():
    registration = make_registration(make_session(make_webinar(**PRICED)))

    assert signup.lapse_overdue(now=NOW + timedelta(days=4000)) == 0
    assert seen(registration).awaits == "payment"


@pytest.mark.parametrize("rules", [{"needs_approval": True}, {}])
def test_who_pays_before_it_is_asked_is_not_asked_later(rules):
    session, holder = full_session(make_webinar(**PRICED, **rules))
    waiting = make_registration(session)

    signup.mark_paid(waiting, by=None, now=LATER)

    assert (seen(waiting).paid_at, waiting.is_confirmed) == (LATER, False)
    signup.cancel(holder, now=LATER)
    signup.approve(waiting, by=None, now=LATER)
    assert seen(waiting).is_confirmed


def test_payment_of_somebody_who_cancelled_is_refused():
    registration = make_registration(make_session(make_webinar(**PRICED)))
    signup.cancel(registration, now=LATER)

    with pytest.raises(signup.RegistrationOverError):
        signup.mark_paid(registration, by=None, now=LATER)

    assert seen(registration).paid_at is None


@pytest.mark.parametrize("because", [Because.ORGANIZER, Because.TURNED_DOWN])
def test_who_got_the_money_back_has_to_pay_again(because):
    session = make_session(make_webinar(**PRICED))
    registration = make_registration(session, email="anna@example.org")
    signup.mark_paid(registration, by=None, now=LATER)
    signup.cancel(registration, because=because, now=LATER)

    again = make_registration(session, email="anna@example.org", now=LATER)

    assert (again.awaits, again.paid_at) == ("payment", None)


def test_who_paid_and_cancelled_need_not_pay_again():
    session = make_session(make_webinar(**PRICED))
    registration = make_registration(session, email="anna@example.org")
    signup.mark_paid(registration, by=None, now=LATER)
    signup.cancel(registration, now=LATER)

    assert make_registration(session, email="anna@example.org", now=LATER).is_confirmed


# ---------- offered places ----------


def offered(**fields: Any) -> tuple[Session, Registration, Registration]:
    """A session whose only place is offered to the first of two who wait."""
    session, holder = full_session(make_webinar(offer_hours=6, **fields))
    first, second = (make_registration(session, now=NOW + timedelta(minutes=minutes)) for minutes in (1, 2))
    signup.cancel(holder, now=LATER)
    return session, seen(first), seen(second)


def test_place_that_came_free_is_kept_for_the_first_who_waits():
    session, first, second = offered()

    assert (first.is_offered, first.lapses_at) == (True, LATER + timedelta(hours=6))
    assert (kinds_owed_to(first), kinds_owed_to(second)) == (["waitlisted", "offered"], ["waitlisted"])
    assert positions(first, second) == [None, 1]
    assert taken(session) == 1


def test_taking_the_offered_place_confirms():
    session, first, _second = offered()

    signup.accept_offer(first, now=LATER)
    signup.accept_offer(first, now=LATER)

    assert (seen(first).is_confirmed, first.lapses_at, first.waiting_since) == (True, None, None)
    assert kinds_owed_to(first) == ["waitlisted", "offered", "confirmed"]
    assert taken(session) == 1


def test_offered_place_of_a_priced_webinar_is_to_be_paid_once_it_is_taken():
    _session, first, _second = offered(**PRICED)

    signup.accept_offer(first, now=LATER)

    assert (seen(first).awaits, first.has_place) == ("payment", True)


@pytest.mark.parametrize(
    ("because", "act"),
    [
        (Because.PASSED, lambda first: signup.pass_offer(first, now=LATER)),
        (Because.UNANSWERED, lambda first: signup.lapse_overdue(now=LATER + timedelta(hours=6))),
    ],
)
def test_passing_and_silence_offer_the_place_to_the_next(because, act):
    session, first, second = offered()

    act(first)
    act(first)

    assert (seen(first).is_cancelled, first.cancelled_because) == (True, because)
    assert kinds_owed_to(first) == ["waitlisted", "offered", "lapsed"]
    assert seen(second).is_offered
    assert taken(session) == 1


def test_offer_that_went_to_somebody_else_can_be_neither_taken_nor_passed():
    _session, first, second = offered()

    with pytest.raises(signup.RegistrationOverError):
        signup.accept_offer(first, now=LATER + timedelta(hours=6))
    with pytest.raises(signup.RegistrationOverError):
        signup.accept_offer(second, now=LATER)
    with pytest.raises(signup.RegistrationOverError):
        signup.pass_offer(second, now=LATER)


def test_nothing_is_offered_beyond_the_end_of_the_session():
    session, holder = full_session(make_webinar(offer_hours=6))
    waiting = make_registration(session)

    signup.cancel(holder, now=session.ends_at - timedelta(minutes=30))

    assert seen(waiting).lapses_at == session.ends_at


def test_offers_of_a_session_that_is_called_off_are_withdrawn_and_all_are_told_once():
    session, first, second = offered()

    scheduling.cancel_session(session, by=None, now=LATER)

    assert (seen(first).is_offered, first.is_waitlisted, first.lapses_at) == (False, True, None)
    assert taken(session) == 0
    assert [list(who.messages.open().values_list("kind", flat=True)) for who in (first, second)] == [
        ["session_cancelled"]
    ] * 2


# ---------- any session ----------


def two_full_sessions(**rules: Any) -> tuple[Session, Session, Registration, Registration]:
    webinar = make_webinar(**rules)
    (morning, early_bird), (evening, owl) = full_session(webinar), full_session(webinar, local_time=EVENING)
    return morning, evening, early_bird, owl


def test_who_would_come_to_any_session_gets_the_earliest_place_that_is_free():
    webinar = make_webinar()
    late = make_session(webinar, local_date=date(2026, 11, 20))
    full, _holder = full_session(webinar)
    soon = make_session(webinar, capacity=1, local_date=date(2026, 11, 1))

    registration = make_registration(late, any_session=True)

    assert (registration.session, registration.is_confirmed, registration.any_session) == (soon, True, False)
    assert [taken(session) for session in (full, soon, late)] == [1, 1, 0]


@pytest.mark.parametrize("comes_free", [0, 1])
def test_who_waits_for_any_session_gets_whichever_place_comes_free_first(comes_free):
    morning, evening, *holders = two_full_sessions()
    waiting = make_registration(morning, any_session=True)
    assert (waiting.is_waitlisted, waiting.any_session, waiting.session) == (True, True, morning)

    signup.cancel(holders[comes_free], now=LATER)

    session = (morning, evening)[comes_free]
    assert (seen(waiting).is_confirmed, waiting.session, waiting.any_session) == (True, session, False)
    assert (taken(morning), taken(evening)) == (1, 1)


def test_positions_count_who_stands_before_them():
    morning, evening, *_holders = two_full_sessions()
    asked = [(morning, False), (evening, False), (evening, True), (morning, False), (evening, False), (morning, True)]
    people = [
        make_registration(session, any_session=is_any, now=NOW + timedelta(minutes=minutes))
        for minutes, (session, is_any) in enumerate(asked)
    ]

    with CaptureQueriesContext(connection) as asked_for:
        Registration.objects.position_of(people[2], now=LATER)

    assert len(asked_for) == 1
    assert positions(*people) == [1, 1, 3, 3, 3, 6]


def test_those_who_waited_for_a_session_that_is_over_are_not_counted():
    morning, evening, *_holders = two_full_sessions()
    make_registration(morning)
    undecided = make_registration(evening, any_session=True)

    assert Registration.objects.position_of(undecided, now=morning.ends_at - timedelta(seconds=1)) == 2
    assert Registration.objects.position_of(undecided, now=morning.ends_at) == 1


def test_slower_clock_lets_nobody_overtake():
    morning, evening, *_holders = two_full_sessions()
    asked = [(morning, False), (evening, True), (morning, False), (morning, True), (evening, False)]

    people = [
        make_registration(session, any_session=is_any, now=NOW - timedelta(minutes=minutes))
        for minutes, (session, is_any) in enumerate(asked)
    ]

    assert [person.pk for person in Registration.objects.waiting()] == [person.pk for person in people]


def test_those_who_wait_for_one_and_for_any_session_are_served_in_one_order():
    morning, _evening, early_bird, _owl = two_full_sessions()
    people = [
        make_registration(morning, any_session=is_any, now=NOW + timedelta(minutes=minutes))
        for minutes, is_any in enumerate([True, False, True])
    ]

    morning.refresh_from_db()
    morning.capacity = 3
    scheduling.save_session(morning, by=None, now=LATER)

    assert [seen(person).is_confirmed for person in people] == [True, True, False]
    assert taken(morning) == 3
    signup.cancel(early_bird, now=LATER)
    assert seen(people[2]).is_confirmed


def test_new_session_takes_those_who_wait_for_any():
    morning, _evening, *_holders = two_full_sessions()
    only_morning, undecided = make_registration(morning), make_registration(morning, any_session=True)
    new = Session(
        webinar=morning.webinar,
        local_date=date(2026, 11, 11),
        local_time=EVENING,
        time_zone="Europe/London",
        duration_minutes=60,
        capacity=1,
    )

    scheduling.save_session(new, by=None, now=LATER)

    assert (seen(undecided).is_confirmed, undecided.session) == (True, new)
    assert seen(only_morning).is_waitlisted
    assert taken(new) == 1


def test_cancelled_session_does_not_concern_those_who_wait_for_any_until_none_is_left():
    morning, evening, *_holders = two_full_sessions()
    undecided, only_morning = make_registration(morning, any_session=True), make_registration(morning)

    scheduling.cancel_session(morning, by=None, now=LATER)

    assert (seen(undecided).session, undecided.is_waitlisted) == (evening, True)
    assert kinds_owed_to(undecided) == ["waitlisted"]
    assert kinds_owed_to(only_morning)[-1] == "session_cancelled"
    scheduling.cancel_session(evening, by=None, now=LATER)
    assert kinds_owed_to(undecided) == ["waitlisted", "session_cancelled"]


def test_cancelled_webinar_tells_those_who_wait_for_any_session_once():
    morning, _evening, *holders = two_full_sessions()
    undecided = make_registration(morning, any_session=True)

    scheduling.cancel_webinar(morning.webinar, by=None, now=LATER)

    for person in (undecided, *holders):
        assert kinds_owed_to(person).count("session_cancelled") == 1
        assert list(person.messages.open().values_list("kind", flat=True)) == ["session_cancelled"]


def test_moved_session_is_no_news_for_those_who_wait_for_any():
    morning, _evening, *_holders = two_full_sessions()
    undecided, only_morning = make_registration(morning, any_session=True), make_registration(morning)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    morning.refresh_from_db()
    morning.local_time = time(15, 0)

    scheduling.save_session(morning, by=None, now=LATER)

    assert kinds_owed_to(undecided) == ["waitlisted"]
    assert kinds_owed_to(only_morning) == ["waitlisted", "rescheduled"]


def test_who_waits_for_any_session_goes_on_waiting_when_theirs_is_over():
    morning, evening, _early_bird, owl = two_full_sessions()
    undecided = make_registration(morning, any_session=True)
    between = morning.ends_at

    assert signup.rehome_waiting(now=between - timedelta(seconds=1)) == 0
    assert signup.rehome_waiting(now=between) == 1
    assert signup.rehome_waiting(now=between) == 0

    assert seen(undecided).session == evening
    signup.cancel(owl, now=between)
    assert seen(undecided).is_confirmed


def test_who_was_offered_a_place_in_a_session_that_is_called_off_waits_for_the_others_again():
    morning, evening, early_bird, owl = two_full_sessions(offer_hours=6)
    undecided = make_registration(evening, any_session=True)
    signup.cancel(early_bird, now=LATER)
    assert (seen(undecided).is_offered, undecided.session) == (True, morning)
    signup.cancel(owl, now=LATER)  # nobody else wants it

    scheduling.cancel_session(morning, by=None, now=LATER)

    assert (seen(undecided).is_offered, undecided.session) == (True, evening)
    assert (taken(morning), taken(evening)) == (1 - 1, 1)
    assert "session_cancelled" not in kinds_owed_to(undecided)


@pytest.mark.parametrize("had_an_entry", [False, True])
def test_who_was_offered_a_place_that_is_called_off_hears_that_they_wait_for_the_others(had_an_entry):
    morning, evening, early_bird, _owl = two_full_sessions(offer_hours=6)
    undecided = make_registration(evening, any_session=True)
    if had_an_entry:
        Registration.objects.filter(pk=undecided.pk).update(dtstamp=NOW, sequence=3, entry="cancelled")
        undecided.messages.update(sequence=3, key=f"waitlisted-{undecided.reference}-3")
    signup.cancel(early_bird, now=LATER)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)

    scheduling.cancel_session(morning, by=None, now=LATER)

    assert (seen(undecided).is_waitlisted, undecided.is_offered, undecided.session) == (True, False, evening)
    assert kinds_owed_to(undecided) == ["waitlisted", "offered", "waitlisted"]
    news = undecided.messages.latest("pk")
    assert news.payload == {"called_off": scheduling.PlannedTime.of(morning).as_payload()}
    assert news.sequence == (4 if had_an_entry else None)


def test_webinar_that_is_called_off_while_places_are_offered_tells_once():
    morning, _evening, early_bird, owl = two_full_sessions(offer_hours=6)
    _night, night_owl = full_session(morning.webinar, local_time=time(23, 0))
    undecided = make_registration(morning, any_session=True)
    for holder in (early_bird, owl, night_owl):
        signup.cancel(holder, now=LATER)

    scheduling.cancel_webinar(morning.webinar, by=None, now=LATER)

    assert (seen(undecided).is_waitlisted, undecided.has_place) == (True, False)
    assert list(undecided.messages.open().values_list("kind", flat=True)) == ["session_cancelled"]


def test_somebody_who_waits_can_wait_for_any_session_and_keeps_the_turn():
    morning, evening, _early_bird, owl = two_full_sessions()
    first = make_registration(morning, now=NOW + timedelta(minutes=1))
    second = make_registration(evening, now=NOW + timedelta(minutes=2))

    signup.wait_for_any(first, now=LATER)
    signup.wait_for_any(first, now=LATER)

    assert kinds_owed_to(first)[1:] == ["waitlisted"]
    assert positions(first, second) == [1, 2]
    signup.cancel(owl, now=LATER)
    assert (seen(first).session, first.is_confirmed, seen(second).is_waitlisted) == (evening, True, True)


def test_waiting_for_any_session_takes_a_place_that_is_free_elsewhere():
    webinar = make_webinar()
    make_offer(webinar)
    full, _holder = full_session(webinar)
    waiting = make_registration(full)
    free = make_session(webinar, local_time=EVENING)

    signup.wait_for_any(waiting, now=LATER)

    assert (seen(waiting).session, waiting.is_confirmed) == (free, True)
    assert waiting.offer_codes.get().session == free
    assert kinds_owed_to(waiting) == ["waitlisted", "promoted"]


def test_who_has_a_place_has_nothing_to_wait_for():
    registration = make_registration()

    with pytest.raises(signup.RegistrationOverError):
        signup.wait_for_any(registration, now=LATER)


def test_choosing_one_session_after_all_keeps_the_turn_in_it():
    morning, evening, early_bird, owl = two_full_sessions()
    undecided = make_registration(morning, any_session=True, now=NOW + timedelta(minutes=1))
    other = make_registration(evening, now=NOW + timedelta(minutes=2))

    signup.change_session(undecided, session=evening, now=LATER)

    assert (seen(undecided).any_session, undecided.session) == (False, evening)
    assert positions(undecided, other) == [1, 2]
    signup.cancel(early_bird, now=LATER)
    assert seen(undecided).is_waitlisted
    signup.cancel(owl, now=LATER)
    assert seen(undecided).is_confirmed


def test_any_session_of_a_webinar_where_nobody_may_wait_is_full():
    webinar = make_webinar()
    full_session(webinar, has_waiting_list=False)
    session, _holder = full_session(webinar, has_waiting_list=False, local_time=EVENING)

    with pytest.raises(signup.SessionFullError):
        make_registration(session, any_session=True, email="late@example.org")

    assert not Registration.objects.filter(email="late@example.org").exists()


def test_accepting_somebody_who_would_come_to_any_session_looks_at_all():
    webinar = make_webinar(needs_approval=True)
    morning, evening = make_session(webinar, capacity=1), make_session(webinar, capacity=1, local_time=EVENING)
    people = [make_registration(evening, any_session=True) for _ in range(3)]

    for person in people:
        signup.approve(person, by=None, now=LATER)

    assert [seen(person).session for person in people[:2]] == [morning, evening]
    assert (seen(people[2]).is_waitlisted, people[2].any_session) == (True, True)


# ---------- changing ----------


def test_unpaid_place_is_kept_until_one_in_the_other_session_is_theirs():
    webinar = make_webinar(**PRICED, payment_days=7)
    morning, evening = make_session(webinar, capacity=1), make_session(webinar, capacity=1, local_time=EVENING)
    unpaid, waiting = make_registration(morning), make_registration(morning)

    signup.change_session(unpaid, session=evening, now=LATER)

    assert (seen(unpaid).session, unpaid.awaits, unpaid.has_place) == (evening, "payment", True)
    assert unpaid.lapses_at == NOW + timedelta(days=7)
    assert seen(waiting).has_place
    assert (taken(morning), taken(evening)) == (1, 1)


def test_who_was_offered_a_place_and_goes_elsewhere_leaves_it_to_the_next():
    session, first, second = offered()
    free = make_session(session.webinar, local_time=EVENING)

    signup.change_session(first, session=free, now=LATER)

    assert (seen(first).is_confirmed, first.session, seen(second).is_offered) == (True, free, True)
    assert (taken(session), taken(free)) == (1, 1)


def test_who_was_offered_a_place_keeps_it_when_the_other_session_is_full():
    session, first, _second = offered()
    other, _holder = full_session(session.webinar, local_time=EVENING)

    with pytest.raises(signup.SessionFullError):
        signup.change_session(first, session=other, now=LATER)

    assert seen(first).is_offered


def test_paying_for_a_session_that_was_called_off_counts_for_another():
    webinar = make_webinar(**PRICED, payment_days=7)
    first, second = make_session(webinar), make_session(webinar, local_time=EVENING)
    registration = make_registration(first)
    scheduling.cancel_session(first, by=None, now=LATER)

    signup.mark_paid(registration, by=None, now=LATER)
    assert signup.lapse_overdue(now=NOW + timedelta(days=8)) == 0
    signup.change_session(registration, session=second, now=LATER)

    assert (seen(registration).is_confirmed, registration.session) == (True, second)
    assert (taken(first), taken(second)) == (0, 1)


def test_who_had_not_paid_for_a_session_that_was_called_off_has_new_time_to_pay_for_another():
    webinar = make_webinar(**PRICED, payment_days=7)
    first, second = make_session(webinar), make_session(webinar, local_time=EVENING)
    registration = make_registration(first)
    scheduling.cancel_session(first, by=None, now=LATER)
    much_later = NOW + timedelta(days=20)

    assert signup.lapse_overdue(now=much_later) == 0
    moved = signup.change_session(registration, session=second, now=much_later)

    assert (moved.awaits, moved.session, moved.has_place) == ("payment", second, True)
    assert moved.lapses_at == much_later + timedelta(days=7)


def test_unproved_person_who_changes_session_gains_no_time_and_is_sent_no_other_mail():
    webinar = make_webinar(needs_proof=True)
    full, _holder = full_session(webinar)
    free = make_session(webinar, capacity=1, local_time=EVENING)
    registration = make_registration(full)

    moved = signup.change_session(registration, session=free, now=LATER)

    assert (moved.session, moved.awaits, moved.has_place) == (free, "proof", True)
    assert moved.lapses_at == NOW + timedelta(hours=24)
    assert set(kinds_owed_to(moved)) == {"proof"}


def test_unproved_people_are_not_told_of_a_cancelled_session_and_those_who_must_pay_are():
    webinar = make_webinar(needs_proof=True, **PRICED)
    session = make_session(webinar)
    unproved, unpaid = make_registration(session), make_registration(session, is_proved=True)

    scheduling.cancel_session(session, by=None, now=LATER)

    assert kinds_owed_to(unproved) == ["proof"]
    assert kinds_owed_to(unpaid) == ["pending", "session_cancelled"]
    assert unpaid.messages.get(kind="session_cancelled").sequence is None


def test_details_are_changed_without_a_mail():
    registration = make_registration()

    signup.change_details(registration, name="Anna K.", time_zone="Asia/Tokyo", language="ar", now=LATER)

    assert (seen(registration).name, registration.time_zone, registration.language) == ("Anna K.", "Asia/Tokyo", "ar")
    assert kinds_owed_to(registration) == ["confirmed"]


def test_details_of_a_cancelled_registration_stay():
    registration = make_registration()
    signup.cancel(registration, now=LATER)

    with pytest.raises(signup.RegistrationOverError):
        signup.change_details(registration, name="X", time_zone="", language="en", now=LATER)


def test_who_waits_for_any_session_can_cancel_though_theirs_is_over():
    morning, _evening, *_holders = two_full_sessions()
    undecided = make_registration(morning, any_session=True)

    signup.cancel(undecided, now=morning.ends_at)

    assert seen(undecided).is_cancelled


def test_cancelled_registration_says_why():
    registration = make_registration()

    signup.cancel(registration, because=Because.ORGANIZER, now=LATER)

    assert (seen(registration).cancelled_because, registration.cancelled_at) == (Because.ORGANIZER, LATER)


# ---------- what organizers change ----------


def save_rules(webinar: Webinar, **rules: Any) -> None:
    for rule, value in rules.items():
        setattr(webinar, rule, value)
    webinar.save()
    signup.advance_pending(webinar, now=LATER)


def test_step_that_is_not_asked_any_more_holds_nobody_up():
    webinar = make_webinar(needs_approval=True)
    session = make_session(webinar, capacity=1)
    people = [make_registration(session, now=NOW + timedelta(minutes=minutes)) for minutes in range(2)]

    save_rules(webinar, needs_approval=False)
    save_rules(webinar, needs_approval=False)

    assert (seen(people[0]).is_confirmed, seen(people[1]).is_waitlisted) == (True, True)
    assert [kinds_owed_to(person) for person in people] == [["pending", "confirmed"], ["pending", "waitlisted"]]


@pytest.mark.parametrize(
    ("before", "after"),
    [({"needs_proof": True}, {"needs_proof": False}), (PRICED, {"price_amount": 0, "price_currency": ""})],
)
def test_proof_or_price_that_is_dropped_confirms_who_waited_for_it(before, after):
    webinar = make_webinar(**before)
    registration = make_registration(make_session(webinar, capacity=1))

    save_rules(webinar, **after)

    assert (seen(registration).is_confirmed, registration.lapses_at) == (True, None)


def test_who_proves_after_organizers_began_to_accept_people_gives_the_place_back_until_then():
    webinar = make_webinar(needs_proof=True)
    session = make_session(webinar, capacity=1)
    unproved, waiting = make_registration(session), make_registration(session, is_proved=True)
    save_rules(webinar, needs_approval=True)

    proved = signup.prove(unproved, now=LATER)

    assert (proved.awaits, proved.has_place, seen(waiting).is_confirmed) == ("approval", False, True)
    assert taken(session) == 1


def test_new_rule_is_not_asked_of_those_who_are_past_it():
    webinar = make_webinar()
    session, holder = full_session(webinar)
    waiting = make_registration(session)

    save_rules(webinar, needs_proof=True, needs_approval=True, price_amount=40, price_currency="EUR")
    assert seen(holder).is_confirmed
    signup.cancel(holder, now=LATER)

    assert (seen(waiting).awaits, waiting.has_place) == ("payment", True)


def test_raising_the_capacity_by_so_many_promotes_so_many_in_their_order():
    session, _holder = full_session()
    people = [make_registration(session, now=NOW + timedelta(minutes=minutes)) for minutes in range(4)]
    session.refresh_from_db()
    session.capacity = 3

    scheduling.save_session(session, by=None, now=LATER)

    assert [seen(person).is_confirmed for person in people] == [True, True, False, False]
    assert positions(*people[2:]) == [1, 2]
    assert taken(session) == 3


@pytest.mark.parametrize("capacity", [3, None])
def test_capacity_below_the_places_taken_is_refused_beside_it_with_their_number(capacity):
    session = make_session(make_webinar(needs_proof=True), capacity=capacity)
    for _ in range(3):
        make_registration(session)
    session.refresh_from_db()
    session.capacity = 2

    with pytest.raises(ValidationError) as refused:
        scheduling.save_session(session, by=None, now=LATER)

    assert refused.value.message_dict == {
        "capacity": ["3 people hold a place already, so there must be at least that many."]
    }
    assert Session.objects.get(pk=session.pk).capacity == capacity


def test_stale_form_cannot_lower_the_capacity_below_the_places_taken_either():
    session = make_session(capacity=3)
    stale = Session.objects.select_related("webinar").get(pk=session.pk)
    for _ in range(3):
        make_registration(session)
    stale.capacity = 2

    with pytest.raises(ValidationError) as refused:
        scheduling.save_session(stale, by=None, now=LATER)

    assert list(refused.value.message_dict) == ["capacity"]


def test_place_that_lapses_is_swept_by_the_schedule(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["sweep-places"]

    assert entry["task"] == "registrations.tasks.sweep_places"
    assert entry["options"]["expires"] <= entry["schedule"] == 60


def test_sessions_that_ran_out_are_forgotten_by_the_schedule(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["forget-sessions"]
    for key, expires_at in (("old", NOW), ("new", timezone.now() + timedelta(days=1))):
        BrowserSession.objects.create(session_key=key, session_data="", expire_date=expires_at)

    tasks.forget_sessions()

    assert entry["task"] == tasks.forget_sessions.name
    assert [kept.session_key for kept in BrowserSession.objects.all()] == ["new"]


def test_one_that_cannot_lapse_does_not_hold_up_the_others(caplog, monkeypatch):
    session = make_session(make_webinar(needs_proof=True))
    broken, other = make_registration(session), make_registration(session, now=NOW + timedelta(seconds=1))
    act = signup.ending._end_overdue

    def fail_for_one(pk: int, *, now: datetime) -> bool:
        if pk == broken.pk:
            raise ValueError
        return act(pk, now=now)

    monkeypatch.setattr(signup.ending, "_end_overdue", fail_for_one)

    assert signup.lapse_overdue(now=NOW + timedelta(days=2)) == 1
    assert seen(other).is_cancelled
    assert f"fail_for_one failed for registration {broken.pk}." in caplog.text
