"""Registering, changing session, cancelling."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from events import scheduling
from events.models import Session
from registrations import outbox, signup
from registrations.models import Message, Registration
from tests.builders import NOW, make_offer, make_question, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db


def kinds_owed_to(registration: Registration) -> list[str]:
    return list(registration.messages.order_by("pk").values_list("kind", flat=True))


def test_registering_takes_a_place_and_owes_one_mail():
    session = make_session(capacity=10)

    registration = signup.register(session, name="Anna", email=" Anna@Example.org ", now=NOW, time_zone="Asia/Tashkent")

    assert registration.is_confirmed
    assert registration.email == "Anna@Example.org"
    assert (registration.sequence, registration.dtstamp) == (0, NOW)
    session.refresh_from_db()
    assert session.places_taken == 1
    assert kinds_owed_to(registration) == ["confirmed"]


def test_the_same_address_is_the_same_registration_in_any_letter_case():
    session = make_session(capacity=10)
    first = signup.register(session, name="Anna", email="anna@example.org", now=NOW)

    later = NOW + timedelta(minutes=11)
    second = signup.register(session, name="Somebody Else", email=" ANNA@example.ORG", now=later)

    assert second == first
    assert second.name == "Anna"
    session.refresh_from_db()
    assert session.places_taken == 1
    assert kinds_owed_to(first) == ["confirmed", "link_again"]


def test_registering_again_within_ten_minutes_owes_no_second_mail():
    session = make_session()
    first = signup.register(session, name="Anna", email="anna@example.org", now=NOW)

    signup.register(session, name="Anna", email="anna@example.org", now=NOW + timedelta(minutes=9))

    assert kinds_owed_to(first) == ["confirmed"]


def test_a_full_session_queues_people_in_the_order_they_came():
    session = make_session(capacity=1)
    make_registration(session)

    first, second = make_registration(session), make_registration(session)

    assert (first.is_waitlisted, second.is_waitlisted) == (True, True)
    assert [Registration.objects.position_of(person, now=NOW) for person in (first, second)] == [1, 2]
    assert first.dtstamp is None
    assert kinds_owed_to(first) == ["waitlisted"]


def test_a_full_session_without_a_waiting_list_refuses_and_writes_nothing():
    session = make_session(capacity=1, has_waiting_list=False)
    make_registration(session)

    with pytest.raises(signup.SignupError):
        signup.register(session, name="Late", email="late@example.org", now=NOW)

    assert not Registration.objects.filter(email="late@example.org").exists()


@pytest.mark.parametrize(
    "closed",
    [
        {"registration_opens_at": NOW + timedelta(days=1)},
        {"registration_closes_at": NOW - timedelta(days=1)},
        {"status": "draft"},
        {"status": "cancelled"},
    ],
)
def test_a_closed_webinar_refuses(closed):
    session = make_session(make_webinar(**closed))

    with pytest.raises(signup.RegistrationClosedError):
        signup.register(session, name="Anna", email="anna@example.org", now=NOW)

    assert not Registration.objects.exists()


def test_a_session_that_was_cancelled_meanwhile_refuses():
    session = make_session(capacity=10)
    stale = type(session).objects.select_related("webinar").get(pk=session.pk)
    scheduling.cancel_session(session, by=None, now=NOW)

    with pytest.raises(signup.RegistrationClosedError):
        signup.register(stale, name="Anna", email="anna@example.org", now=NOW)


def test_cancelling_gives_the_place_to_the_first_who_waits_and_tells_both():
    session = make_session(capacity=1)
    leaving = make_registration(session)
    waiting, waiting_longer = make_registration(session), make_registration(session)

    signup.cancel(leaving, now=NOW)

    for person in (leaving, waiting, waiting_longer):
        person.refresh_from_db()
    assert (leaving.is_cancelled, waiting.is_confirmed, waiting_longer.is_waitlisted) == (True, True, True)
    assert Registration.objects.position_of(waiting_longer, now=NOW) == 1
    session.refresh_from_db()
    assert session.places_taken == 1
    assert kinds_owed_to(waiting) == ["waitlisted", "promoted"]
    assert leaving.messages.get(kind="cancelled").sequence == 1


def test_cancelling_twice_frees_one_place_and_owes_one_mail():
    session = make_session(capacity=5)
    registration = make_registration(session)
    make_registration(session)

    signup.cancel(registration, now=NOW)
    signup.cancel(registration, now=NOW)

    session.refresh_from_db()
    assert session.places_taken == 1
    assert kinds_owed_to(registration).count("cancelled") == 1


def test_whoever_waits_and_cancels_leaves_the_queue_and_takes_no_place_along():
    session = make_session(capacity=1)
    make_registration(session)
    waiting = make_registration(session)

    signup.cancel(waiting, now=NOW)

    session.refresh_from_db()
    assert session.places_taken == 1
    assert waiting.messages.get(kind="cancelled").sequence is None


def test_coming_back_after_cancelling_continues_the_same_entry():
    session = make_session()
    first = signup.register(session, name="Anna", email="anna@example.org", now=NOW)
    signup.cancel(first, now=NOW + timedelta(hours=1))

    back = signup.register(session, name="Anna K.", email="anna@example.org", now=NOW + timedelta(hours=2))

    assert back.pk == first.pk
    assert (back.uid, back.sequence, back.name) == (first.uid, 2, "Anna K.")
    assert back.dtstamp == NOW + timedelta(hours=2)


def test_cancelling_after_the_end_is_refused():
    session = make_session()
    registration = make_registration(session)

    with pytest.raises(signup.RegistrationOverError):
        signup.cancel(registration, now=session.ends_at)


def test_changing_session_moves_place_entry_and_codes():
    webinar = make_webinar()
    make_offer(webinar)
    morning, evening = make_session(webinar, capacity=1), make_session(webinar, capacity=1, local_time=time(20, 0))
    registration, waiting = make_registration(morning), make_registration(morning)
    code = registration.offer_codes.get()

    signup.change_session(registration, session=evening, now=NOW)

    registration.refresh_from_db()
    waiting.refresh_from_db()
    morning.refresh_from_db()
    evening.refresh_from_db()
    assert (registration.session, registration.sequence) == (evening, 1)
    assert waiting.is_confirmed
    assert (morning.places_taken, evening.places_taken) == (1, 1)
    moved = registration.offer_codes.get()
    assert (moved.code, moved.session) == (code.code, evening)


def test_changing_to_a_full_session_is_refused_and_keeps_the_place():
    webinar = make_webinar()
    morning, evening = make_session(webinar), make_session(webinar, capacity=1, local_time=time(20, 0))
    make_registration(evening)
    registration = make_registration(morning)

    with pytest.raises(signup.SessionFullError):
        signup.change_session(registration, session=evening, now=NOW)

    registration.refresh_from_db()
    morning.refresh_from_db()
    assert (registration.session, morning.places_taken) == (morning, 1)


@pytest.mark.parametrize("is_over", [True, False])
def test_whoever_missed_a_session_or_lost_it_can_come_to_another(is_over):
    webinar = make_webinar()
    first, second = make_session(webinar, capacity=5), make_session(webinar, capacity=5, local_date=date(2026, 10, 20))
    registration = make_registration(first, email="anna@example.org")
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    later = first.ends_at if is_over else NOW
    if not is_over:
        scheduling.cancel_session(first, by=None, now=later)
    withdrawn_at = Registration.objects.get().sequence

    again = signup.register(second, name="Anna", email="anna@example.org", now=later)

    assert (again.pk, again.session, again.is_confirmed) == (registration.pk, second, True)
    assert (again.uid, again.sequence) == (registration.uid, withdrawn_at + 1)
    assert again.messages.filter(kind="session_changed").count() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.places_taken, second.places_taken) == (0, 1)


def test_whoever_asks_for_another_session_than_theirs_hears_that_nothing_changed():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_time=time(20, 0))
    registration = make_registration(first, email="anna@example.org")

    for _ in range(2):
        signup.register(second, name="Anna", email="anna@example.org", now=NOW + timedelta(minutes=1))

    registration.refresh_from_db()
    assert registration.session == first
    assert kinds_owed_to(registration) == ["confirmed", "link_again"]


def test_changing_to_a_session_that_was_deleted_meanwhile_is_refused():
    webinar = make_webinar()
    registration = make_registration(make_session(webinar))
    gone = make_session(webinar, local_time=time(20, 0))
    Session.objects.filter(pk=gone.pk).delete()

    with pytest.raises(signup.RegistrationClosedError):
        signup.change_session(registration, session=gone, now=NOW)


def test_changing_to_a_session_of_another_webinar_is_refused():
    registration = make_registration()

    with pytest.raises(signup.RegistrationClosedError):
        signup.change_session(registration, session=make_session(), now=NOW)


def test_whoever_waits_gets_a_place_at_once_in_a_session_that_has_one():
    webinar = make_webinar()
    full, free = make_session(webinar, capacity=1), make_session(webinar, local_time=time(20, 0))
    make_registration(full)
    waiting = make_registration(full)

    moved = signup.change_session(waiting, session=free, now=NOW)

    assert (moved.is_confirmed, moved.session) == (True, free)
    assert Registration.objects.position_of(moved, now=NOW) is None


def test_a_registration_earns_its_code_by_registering_where_that_is_the_condition():
    webinar = make_webinar()
    make_offer(webinar, code_prefix="BSR")
    make_offer(webinar, headline="A book", conditions=("attended",))

    registration = make_registration(make_session(webinar))

    earned, locked = registration.offer_codes.order_by("offer_id")
    assert (earned.unlocked_at, earned.unlocked_by) == (NOW, "registered")
    assert earned.code.startswith("BSR-")
    assert not locked.is_unlocked


def test_whoever_waits_has_no_code_until_promoted():
    webinar = make_webinar()
    make_offer(webinar)
    session = make_session(webinar, capacity=1)
    leaving = make_registration(session)
    waiting = make_registration(session)

    assert not waiting.offer_codes.exists()

    signup.cancel(leaving, now=NOW)

    assert waiting.offer_codes.get().is_unlocked


def test_answers_keep_the_wording_that_was_asked():
    webinar = make_webinar()
    question = make_question(webinar, wording="Where do you work?")
    registration = make_registration(make_session(webinar), answers={question: "Customs"})

    question.wording = "Which organization?"
    question.save()

    answer = registration.answers.get()
    assert (answer.wording, answer.value) == ("Where do you work?", "Customs")


def test_a_move_before_the_first_mail_went_out_is_told_by_that_mail():
    session = make_session()
    registration = make_registration(session)
    session.local_date = date(2026, 10, 15)

    scheduling.save_session(session, by=None, now=NOW)

    assert kinds_owed_to(registration) == ["confirmed"]
    assert registration.messages.get().sequence == 1


def test_three_moves_while_a_mail_waits_owe_one_mail_that_remembers_the_first_time():
    session = make_session()
    registration = make_registration(session)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)

    for hour in (15, 16, 17):
        session.local_time = time(hour, 0)
        scheduling.save_session(session, by=None, now=NOW)

    moved = registration.messages.get(kind="rescheduled")
    assert moved.sequence == 3
    assert datetime.fromisoformat(moved.payload["previous_starts_at"]) == datetime(2026, 10, 14, 12, 30, tzinfo=UTC)


def test_a_cancelled_session_replaces_the_mails_that_still_wait():
    session = make_session()
    registration = make_registration(session)

    scheduling.cancel_session(session, by=None, now=NOW)

    states = dict(registration.messages.values_list("kind", "state"))
    assert states == {"confirmed": "cancelled", "session_cancelled": "queued"}


def test_an_entry_is_withdrawn_also_from_somebody_who_came_back_only_to_wait():
    session = make_session(capacity=1)
    registration = make_registration(session, email="anna@example.org")
    make_registration(session)
    signup.cancel(registration, now=NOW)
    back = make_registration(session, email="anna@example.org")
    session.refresh_from_db()
    session.local_time = time(16, 0)

    scheduling.save_session(session, by=None, now=NOW)
    session.local_time = time(17, 0)
    scheduling.save_session(session, by=None, now=NOW + timedelta(minutes=1))

    assert back.is_waitlisted
    # One mail: on the list, with the notice that takes out the entry from before.
    assert list(back.messages.open().values_list("kind", "sequence")) == [("waitlisted", 2)]


def test_a_zone_that_is_not_known_any_more_does_not_stop_the_invite():
    registration = make_registration(time_zone="Europe/Atlantis", language="tlh")

    assert registration.own_time_zone == "Europe/London"
    assert registration.own_language == "en"


def test_an_own_change_of_session_replaces_the_news_that_the_old_one_moved():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_time=time(20, 0))
    registration = make_registration(first)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    first.local_time = time(15, 0)
    scheduling.save_session(first, by=None, now=NOW)

    signup.change_session(registration, session=second, now=NOW)

    assert list(registration.messages.open().values_list("kind", "sequence")) == [("session_changed", 2)]


def test_a_move_is_told_soon_also_when_the_mail_that_carries_it_was_to_wait(settings):
    session = make_session()
    registration = make_registration(session)
    Message.objects.update(due_at=NOW + timedelta(hours=1), attempts=9)
    session.local_time = time(15, 0)

    scheduling.save_session(session, by=None, now=NOW)

    assert registration.messages.get().due_at == NOW + settings.UPDATES_SETTLE


def test_a_promotion_replaces_the_notice_of_waiting_that_was_not_sent_yet():
    session = make_session(capacity=1)
    leaving = make_registration(session)
    waiting = make_registration(session)

    signup.cancel(leaving, now=NOW)

    assert dict(waiting.messages.values_list("kind", "state")) == {"waitlisted": "cancelled", "promoted": "queued"}


def test_a_mail_that_came_back_and_one_written_since_do_not_tell_the_same_twice():
    webinar = make_webinar()
    first, second = make_session(webinar), make_session(webinar, local_time=time(18, 0))
    registration = make_registration(first)
    under_way = outbox.claim(registration.messages.get().pk, now=NOW)
    assert under_way is not None
    signup.change_session(registration, session=second, now=NOW)
    outbox.mark_postponed(under_way, answer="421 Later", now=NOW)
    second.refresh_from_db()
    second.local_time = time(19, 0)

    scheduling.save_session(second, by=None, now=NOW)

    assert registration.messages.open().count() == 1
    assert registration.messages.open().get().sequence == 2


def test_whoever_waited_for_a_session_that_takes_place_after_all_gets_the_place_that_came_free():
    session = make_session(capacity=1)
    other = make_session(session.webinar, local_date=date(2026, 11, 18))
    holder, waiting = make_registration(session), make_registration(session)
    later = session.ends_at + timedelta(hours=1)
    signup.change_session(holder, session=other, now=later)
    session.refresh_from_db()
    session.local_date = date(2026, 10, 21)

    scheduling.save_session(session, by=None, now=later)

    waiting.refresh_from_db()
    session.refresh_from_db()
    assert (waiting.is_confirmed, session.places_taken) == (True, 1)
