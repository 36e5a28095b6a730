"""What people answer in their calendars, and what becomes of a place that was declined."""

from datetime import date, timedelta

import pytest

from events import scheduling
from registrations import signup
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

Partstat = Registration.Partstat
LATER = NOW + timedelta(minutes=5)
NEXT_DAY = LATER + timedelta(hours=24)


def answer(registration, partstat, *, sequence=0, dtstamp=LATER, now=LATER) -> bool:
    return signup.answer(registration, partstat=partstat, sequence=sequence, dtstamp=dtstamp, now=now)


def full_session(**host):
    return make_session(make_webinar(host=make_host(**host)), capacity=1)


def everything_sent() -> None:
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)


def kinds_owed_to(registration) -> list[str]:
    return list(registration.messages.filter(state="queued").order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("partstat", [Partstat.ACCEPTED, Partstat.TENTATIVE])
def test_who_accepts_is_shown_to_and_nothing_else_happens(partstat):
    registration = make_registration(full_session())
    everything_sent()

    assert answer(registration, partstat)

    registration.refresh_from_db()
    assert (registration.partstat, registration.replied_at, registration.frees_at) == (partstat, LATER, None)
    assert (registration.is_confirmed, registration.sequence) == (True, 0)
    assert kinds_owed_to(registration) == []


def test_who_declines_is_asked_once_and_keeps_the_place_meanwhile():
    registration = make_registration(full_session())
    everything_sent()

    assert answer(registration, Partstat.DECLINED)
    assert answer(registration, Partstat.DECLINED, dtstamp=LATER + timedelta(minutes=1), now=LATER + timedelta(hours=1))

    registration.refresh_from_db()
    assert registration.is_confirmed
    assert registration.frees_at == NEXT_DAY
    assert kinds_owed_to(registration) == ["declined"]


def test_a_declined_place_goes_to_who_waits_when_its_time_is_over():
    session = full_session()
    registration, waiting = make_registration(session), make_registration(session)
    answer(registration, Partstat.DECLINED)
    everything_sent()

    assert signup.free_declined(now=NEXT_DAY - timedelta(seconds=1)) == 0
    assert signup.free_declined(now=NEXT_DAY) == 1
    assert signup.free_declined(now=NEXT_DAY) == 0

    registration.refresh_from_db()
    waiting.refresh_from_db()
    session.refresh_from_db()
    assert (registration.status, registration.cancelled_because) == ("cancelled", "declined")
    assert (registration.entry, registration.sequence) == ("cancelled", 1)
    assert waiting.is_confirmed
    assert session.places_taken == 1
    assert kinds_owed_to(registration)[-1:] == ["lapsed"]
    assert kinds_owed_to(waiting) == ["promoted"]


def test_nothing_is_taken_while_nobody_waits_and_then_it_is():
    session = full_session()
    registration = make_registration(session)
    answer(registration, Partstat.DECLINED)
    everything_sent()

    assert signup.free_declined(now=NEXT_DAY) == 0
    registration.refresh_from_db()
    assert registration.is_confirmed
    waiting = make_registration(session, now=NEXT_DAY)
    assert signup.free_declined(now=NEXT_DAY) == 1

    waiting.refresh_from_db()
    assert waiting.is_confirmed


def test_only_as_many_give_as_there_are_people_who_wait_and_who_declined_first_gives_first():
    session = make_session(capacity=3)
    people = [make_registration(session) for _ in range(3)]
    waiting = make_registration(session)
    for minutes, person in enumerate(reversed(people)):
        answer(person, Partstat.DECLINED, now=LATER + timedelta(minutes=minutes))
    everything_sent()

    assert signup.free_declined(now=NEXT_DAY + timedelta(hours=1)) == 1

    statuses = list(Registration.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == ["confirmed", "confirmed", "cancelled", "confirmed"]
    waiting.refresh_from_db()
    assert waiting.is_confirmed


def test_who_waits_for_any_session_gets_a_declined_place_too():
    webinar = make_webinar()
    session = make_session(webinar, capacity=1)
    registration = make_registration(session)
    waiting = make_registration(session, any_session=True)
    answer(registration, Partstat.DECLINED)
    everything_sent()

    assert signup.free_declined(now=NEXT_DAY) == 1

    waiting.refresh_from_db()
    assert (waiting.is_confirmed, waiting.session) == (True, session)


def test_keeping_the_place_puts_the_entry_back():
    session = full_session()
    registration = make_registration(session)
    make_registration(session)
    everything_sent()
    answer(registration, Partstat.DECLINED)

    everything_sent()

    signup.keep_place(registration, now=LATER)
    signup.keep_place(registration, now=LATER)

    registration.refresh_from_db()
    assert (registration.frees_at, registration.partstat) == (None, "")
    assert (registration.entry, registration.sequence) == ("confirmed", 1)
    assert kinds_owed_to(registration)[-1:] == ["confirmed"]
    assert kinds_owed_to(registration).count("confirmed") == 1
    assert signup.free_declined(now=NEXT_DAY) == 0


def test_accepting_after_all_keeps_the_place():
    session = full_session()
    registration = make_registration(session)
    make_registration(session)
    answer(registration, Partstat.DECLINED)

    everything_sent()
    answer(registration, Partstat.ACCEPTED, dtstamp=LATER + timedelta(hours=1), now=LATER + timedelta(hours=1))

    assert signup.free_declined(now=NEXT_DAY) == 0
    registration.refresh_from_db()
    assert (registration.partstat, registration.frees_at) == ("accepted", None)


@pytest.mark.parametrize(
    ("change", "capacity", "hours"),
    [({}, None, 24), ({}, 1, None), ({"paid_at": NOW}, 1, 24)],
    ids=["no limit of places", "the host takes none", "paid"],
)
def test_where_no_place_would_be_taken_nobody_is_asked(change, capacity, hours):
    webinar = make_webinar(host=make_host(keep_hours=hours))
    registration = make_registration(make_session(webinar, capacity=capacity))
    Registration.objects.filter(pk=registration.pk).update(**change)
    everything_sent()

    assert answer(registration, Partstat.DECLINED)

    registration.refresh_from_db()
    assert (registration.partstat, registration.frees_at) == ("declined", None)
    assert kinds_owed_to(registration) == []


def test_shortly_before_the_start_half_of_the_time_is_the_owners_and_then_nobody_is_asked():
    session = full_session()
    registration = make_registration(session)
    six_hours_before = session.starts_at - timedelta(hours=6)

    answer(registration, Partstat.DECLINED, dtstamp=six_hours_before, now=six_hours_before)

    registration.refresh_from_db()
    assert registration.frees_at == session.starts_at - timedelta(hours=3)
    late = make_registration(full_session())
    answer(late, Partstat.DECLINED, dtstamp=session.starts_at, now=session.starts_at - timedelta(minutes=50))
    late.refresh_from_db()
    assert (late.partstat, late.frees_at) == ("declined", None)


def test_an_answer_that_comes_twice_or_late_or_to_an_earlier_revision_changes_nothing():
    session = full_session()
    registration = make_registration(session)
    everything_sent()
    answer(registration, Partstat.ACCEPTED, dtstamp=LATER + timedelta(minutes=2), now=NEXT_DAY)

    assert not answer(registration, Partstat.DECLINED, dtstamp=LATER + timedelta(minutes=2), now=NEXT_DAY)
    assert not answer(registration, Partstat.DECLINED, dtstamp=LATER, now=NEXT_DAY)
    assert not answer(registration, Partstat.DECLINED, sequence=1, dtstamp=NEXT_DAY, now=NEXT_DAY)
    session.local_time = session.local_time.replace(hour=16)
    scheduling.save_session(session, by=None, now=NEXT_DAY)
    signup.ask_anew(registration, sequence=1)
    assert not answer(registration, Partstat.DECLINED, sequence=0, dtstamp=NEXT_DAY, now=NEXT_DAY)

    registration.refresh_from_db()
    assert registration.partstat == ""


def test_a_clock_that_runs_ahead_does_not_shut_out_later_answers():
    registration = make_registration(full_session())

    answer(registration, Partstat.ACCEPTED, dtstamp=NOW + timedelta(days=9), now=LATER)

    assert answer(registration, Partstat.DECLINED, dtstamp=LATER + timedelta(minutes=1), now=LATER + timedelta(hours=1))


def test_a_new_time_asks_everybody_anew_and_a_new_title_nobody():
    session = full_session()
    registration = make_registration(session)
    make_registration(session)
    answer(registration, Partstat.DECLINED)

    scheduling.announce_new_title(session.webinar, before="Another title", by=None, now=LATER)
    registration.refresh_from_db()
    assert (registration.partstat, registration.frees_at) == ("declined", NEXT_DAY)

    session.refresh_from_db()
    session.local_time = session.local_time.replace(hour=16)
    scheduling.save_session(session, by=None, now=LATER)
    registration.refresh_from_db()
    assert registration.partstat == "declined", "Nobody was told of it yet."
    signup.ask_anew(registration, sequence=registration.sequence)
    registration.refresh_from_db()
    assert (registration.partstat, registration.frees_at) == ("", None)


def test_after_a_change_that_was_undone_unseen_the_last_told_revision_can_be_answered():
    session = full_session()
    registration = make_registration(session)
    everything_sent()
    for hour in (16, 13):
        session.refresh_from_db()
        session.local_time = session.local_time.replace(hour=hour)
        scheduling.save_session(session, by=None, now=NOW)
    Message.objects.filter(kind="rescheduled").update(state=Message.State.CANCELLED)

    assert answer(registration, Partstat.ACCEPTED, sequence=0)

    registration.refresh_from_db()
    assert (registration.partstat, registration.sequence) == ("accepted", 2)


def test_changing_session_or_cancelling_forgets_what_was_declined():
    webinar = make_webinar()
    first, second = make_session(webinar, capacity=1), make_session(webinar, local_date=date(2026, 10, 15))
    moving = make_registration(first)
    answer(moving, Partstat.DECLINED)

    signup.change_session(moving, session=second, now=LATER)

    moving.refresh_from_db()
    assert (moving.partstat, moving.frees_at) == ("", None)
    leaving = make_registration(first)
    answer(leaving, Partstat.DECLINED)
    signup.cancel(leaving, now=LATER)
    leaving.refresh_from_db()
    assert (leaving.status, leaving.frees_at) == ("cancelled", None)


def test_what_was_declined_and_cancelled_or_is_off_cannot_be_kept():
    session = full_session()
    registration = make_registration(session)
    answer(registration, Partstat.DECLINED)

    with pytest.raises(signup.RegistrationOverError):
        signup.keep_place(registration, now=session.ends_at)

    signup.cancel(registration, now=LATER)
    with pytest.raises(signup.RegistrationOverError):
        signup.keep_place(registration, now=LATER)


def test_who_has_no_entry_has_nothing_to_answer():
    session = full_session()
    make_registration(session)
    waiting = make_registration(session)

    assert not answer(waiting, Partstat.ACCEPTED)


def test_a_proposal_of_another_time_is_answered_once_for_each_revision_and_changes_nothing():
    registration = make_registration(full_session())
    everything_sent()

    told = [signup.counter(registration, sequence=sequence, now=LATER) for sequence in (0, 0, 1)]

    assert told == [True, False, False]
    registration.refresh_from_db()
    assert (registration.partstat, registration.sequence, registration.is_confirmed) == ("", 0, True)
    assert kinds_owed_to(registration) == ["countered"]


def test_who_cancelled_proposes_in_vain():
    registration = make_registration(full_session())
    signup.cancel(registration, now=LATER)

    assert not signup.counter(registration, sequence=1, now=LATER)


def test_who_changes_their_mind_all_day_is_written_to_once():
    session = full_session()
    registration = make_registration(session)
    everything_sent()

    for minutes, partstat in enumerate([Partstat.DECLINED, Partstat.ACCEPTED, Partstat.TENTATIVE] * 5):
        moment = LATER + timedelta(minutes=minutes)
        assert answer(registration, partstat, dtstamp=moment, now=moment)
    last = LATER + timedelta(hours=1)
    answer(registration, Partstat.DECLINED, dtstamp=last, now=last)

    registration.refresh_from_db()
    assert registration.frees_at == last + timedelta(hours=24)
    assert kinds_owed_to(registration) == ["declined"]


@pytest.mark.parametrize("before_start", [timedelta(minutes=59), timedelta(minutes=-20)], ids=["soon", "running"])
def test_nobody_is_thrown_out_shortly_before_the_start_or_while_it_runs(before_start):
    session = full_session()
    registration = make_registration(session)
    answer(registration, Partstat.DECLINED)
    late = session.starts_at - before_start
    make_registration(session, now=late)
    everything_sent()

    assert signup.free_declined(now=late) == 0

    registration.refresh_from_db()
    assert registration.is_confirmed


def test_a_host_who_takes_no_places_any_more_takes_none_that_was_declined_before():
    host = make_host()
    session = make_session(make_webinar(host=host), capacity=1)
    registration = make_registration(session)
    make_registration(session)
    answer(registration, Partstat.DECLINED)

    everything_sent()
    host.keep_hours = None
    host.save()

    assert signup.free_declined(now=NEXT_DAY) == 0


def test_what_was_paid_meanwhile_is_not_taken():
    webinar = make_webinar()
    session = make_session(webinar, capacity=1)
    registration = make_registration(session)
    make_registration(session)
    answer(registration, Partstat.DECLINED)
    everything_sent()

    signup.mark_paid(registration, by=None, now=LATER)

    assert signup.free_declined(now=NEXT_DAY) == 0


def test_nobody_loses_a_place_before_the_question_went_out_and_then_has_all_of_the_time():
    session = full_session()
    registration = make_registration(session)
    make_registration(session)
    everything_sent()
    answer(registration, Partstat.DECLINED)

    assert signup.free_declined(now=NEXT_DAY) == 0
    Message.objects.filter(kind="declined").update(state=Message.State.FAILED)
    assert signup.free_declined(now=NEXT_DAY) == 0

    registration.refresh_from_db()
    assert registration.frees_at == NEXT_DAY + timedelta(hours=24)
    everything_sent()
    assert signup.free_declined(now=NEXT_DAY + timedelta(hours=23)) == 0
    assert signup.free_declined(now=NEXT_DAY + timedelta(hours=24)) == 1


def test_news_of_the_session_does_not_take_the_place_of_the_question():
    session = full_session()
    registration = make_registration(session)
    everything_sent()
    answer(registration, Partstat.DECLINED)

    scheduling.announce_new_title(session.webinar, before="Another title", by=None, now=LATER)

    assert kinds_owed_to(registration) == ["declined", "rescheduled"]


def test_a_question_that_was_not_needed_and_is_again_is_asked():
    registration = make_registration(full_session())
    everything_sent()
    answer(registration, Partstat.DECLINED)
    answer(registration, Partstat.ACCEPTED, dtstamp=LATER + timedelta(minutes=1), now=NEXT_DAY)
    registration.messages.filter(kind="declined").update(state=Message.State.CANCELLED)

    answer(registration, Partstat.DECLINED, dtstamp=LATER + timedelta(minutes=2), now=NEXT_DAY)

    assert kinds_owed_to(registration) == ["declined"]


def test_answers_survive_a_slip_that_nobody_heard_of():
    session = full_session()
    accepted = make_registration(session)
    everything_sent()
    answer(accepted, Partstat.ACCEPTED)

    for hour in (16, 13):
        session.refresh_from_db()
        session.local_time = session.local_time.replace(hour=hour)
        scheduling.save_session(session, by=None, now=NOW)

    accepted.refresh_from_db()
    assert accepted.partstat == "accepted"


def test_an_answer_given_while_a_change_settles_or_a_new_title_is_told_counts():
    session = full_session()
    registration = make_registration(session)
    everything_sent()
    scheduling.announce_new_title(session.webinar, before="Another title", by=None, now=LATER)

    assert answer(registration, Partstat.ACCEPTED, sequence=0)

    registration.refresh_from_db()
    assert (registration.partstat, registration.sequence) == ("accepted", 1)


def test_two_answers_of_a_clock_that_runs_ahead_count_in_their_order():
    registration = make_registration(full_session())
    ahead = LATER + timedelta(hours=3)

    assert answer(registration, Partstat.DECLINED, dtstamp=ahead, now=LATER)
    assert answer(registration, Partstat.ACCEPTED, dtstamp=ahead + timedelta(minutes=1), now=LATER)
    assert not answer(registration, Partstat.DECLINED, dtstamp=ahead, now=LATER)

    registration.refresh_from_db()
    assert registration.partstat == "accepted"
