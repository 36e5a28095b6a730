"""Planning, moving and cancelling sessions."""

from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import ValidationError

from events import scheduling
from events.models import Session, Webinar
from events.signals import session_cancelled
from registrations.models import Message
from tests.builders import NOW, make_organizer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db


def test_a_new_session_gets_its_instants_from_its_wall_clock():
    session = Session(
        webinar=make_webinar(),
        local_date=date(2026, 10, 14),
        local_time=time(17, 30),
        time_zone="Asia/Tashkent",
        duration_minutes=90,
    )

    scheduling.save_session(session, by=None, now=NOW)

    session.refresh_from_db()
    assert session.starts_at == datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
    assert session.ends_at == datetime(2026, 10, 14, 14, 0, tzinfo=UTC)
    assert session.sequence == 0


def test_moving_raises_the_sequence_and_owes_everybody_one_mail():
    session = make_session()
    holder, another = make_registration(session), make_registration(session)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    session.local_time = time(15, 0)

    scheduling.save_session(session, by=make_organizer(), now=NOW)

    told = Message.objects.filter(kind=Message.Kind.RESCHEDULED)
    assert sorted(told.values_list("registration", "sequence")) == [(holder.pk, 1), (another.pk, 1)]
    assert told[0].payload["previous_starts_at"] == "2026-10-14T12:30:00+00:00"
    session.refresh_from_db()
    assert (session.sequence, session.starts_at) == (1, datetime(2026, 10, 14, 14, 0, tzinfo=UTC))


def test_saving_what_no_calendar_shows_tells_nobody():
    session = make_session(capacity=10)
    make_registration(session)
    session.capacity = 20

    scheduling.save_session(session, by=None, now=NOW)

    session.refresh_from_db()
    assert session.sequence == 0
    assert not Message.objects.filter(kind=Message.Kind.RESCHEDULED).exists()


def test_a_stale_copy_of_a_session_does_not_give_places_back():
    session = make_session(capacity=10)
    stale = Session.objects.get(pk=session.pk)
    make_registration(session)
    stale.label = "Suits the Americas"

    scheduling.save_session(stale, by=None, now=NOW)

    session.refresh_from_db()
    assert session.places_taken == 1


def test_capacity_below_the_places_taken_is_refused():
    session = make_session(capacity=10)
    make_registration(session)
    make_registration(session)
    session.capacity = 1

    with pytest.raises(ValidationError):
        scheduling.save_session(session, by=None, now=NOW)

    session.refresh_from_db()
    assert session.capacity == 10


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"local_date": date(2027, 3, 28), "local_time": time(1, 30)}, "local_time"),
        ({"local_date": date(2026, 10, 25), "local_time": time(1, 30)}, "occurrence"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"duration_minutes": 0}, "duration_minutes"),
    ],
)
def test_an_impossible_plan_is_refused_beside_its_field_and_changes_nothing(changes, field):
    session = make_session()
    for name, value in changes.items():
        setattr(session, name, value)

    with pytest.raises(ValidationError) as refusal:
        scheduling.save_session(session, by=None, now=NOW)

    assert field in refusal.value.message_dict
    assert Session.objects.get(pk=session.pk).starts_at == datetime(2026, 10, 14, 12, 30, tzinfo=UTC)


def test_cancelling_a_session_twice_tells_everybody_once():
    session = make_session()
    registration = make_registration(session)

    scheduling.cancel_session(session, by=None, now=NOW)
    scheduling.cancel_session(session, by=None, now=NOW)

    told = Message.objects.get(kind=Message.Kind.SESSION_CANCELLED)
    assert told.registration == registration
    assert told.sequence == 1
    session.refresh_from_db()
    assert session.is_cancelled


def test_cancelling_a_webinar_cancels_its_coming_sessions():
    webinar = make_webinar()
    coming = make_session(webinar)
    over = make_session(webinar, local_date=date(2026, 9, 1))

    scheduling.cancel_webinar(webinar, by=None, now=NOW)

    coming.refresh_from_db()
    over.refresh_from_db()
    assert webinar.status == Webinar.Status.CANCELLED
    assert coming.is_cancelled
    assert not over.is_cancelled


def test_raising_the_capacity_promotes_those_who_wait_in_their_order():
    session = make_session(capacity=1)
    make_registration(session)
    first, second, third = (make_registration(session) for _ in range(3))
    session.capacity = 3

    scheduling.save_session(session, by=None, now=NOW)

    for waiting in (first, second, third):
        waiting.refresh_from_db()
    assert (first.is_confirmed, second.is_confirmed, third.is_waitlisted) == (True, True, True)
    session.refresh_from_db()
    assert session.places_taken == 3


def test_a_stale_copy_cannot_move_a_session_back_that_somebody_else_moved():
    session = make_session()
    stale = Session.objects.get(pk=session.pk)
    session.local_time = time(19, 0)
    scheduling.save_session(session, by=None, now=NOW)
    stale.label = "A typo mended"

    with pytest.raises(ValidationError, match="Somebody else has changed this session"):
        scheduling.save_session(stale, by=None, now=NOW)

    session.refresh_from_db()
    assert (session.sequence, session.local_time, session.label) == (1, time(19, 0), "")


def test_a_new_title_reaches_the_calendars_of_coming_sessions():
    webinar = make_webinar()
    coming, over = make_session(webinar), make_session(webinar, local_date=date(2026, 9, 1))
    registration = make_registration(coming)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    webinar.title = "A better title"
    webinar.save()

    assert scheduling.announce_new_title(webinar, before="Another title", by=None, now=NOW) == 1

    coming.refresh_from_db()
    over.refresh_from_db()
    assert (coming.sequence, over.sequence) == (1, 0)
    assert registration.messages.get(kind=Message.Kind.RESCHEDULED).sequence == 1


def test_correcting_a_session_that_is_over_tells_nobody():
    session = make_session()
    make_registration(session)
    session.local_time = time(13, 0)

    scheduling.save_session(session, by=None, now=session.ends_at)

    assert not Message.objects.filter(kind=Message.Kind.RESCHEDULED).exists()


def test_a_session_with_people_in_it_cannot_be_moved_into_the_past():
    session = make_session()
    make_registration(session)
    session.local_date = date(2020, 10, 14)

    with pytest.raises(ValidationError) as refusal:
        scheduling.save_session(session, by=None, now=NOW)

    assert refusal.value.message_dict["local_date"] == ["This is in the past. To call the session off, cancel it."]


def test_which_of_two_times_was_meant_is_forgotten_when_the_session_moves_to_another_day():
    session = make_session(local_date=date(2026, 10, 25), local_time=time(1, 30), occurrence="first")
    session.local_date = date(2026, 10, 26)

    scheduling.save_session(session, by=None, now=NOW)

    session.local_date = date(2027, 10, 31)
    with pytest.raises(ValidationError) as refusal:
        scheduling.save_session(session, by=None, now=NOW)
    assert "occurrence" in refusal.value.message_dict


def test_sessions_are_cancelled_with_their_webinar_in_the_order_of_their_ids():
    webinar = make_webinar()
    late, early = make_session(webinar, local_date=date(2026, 12, 1)), make_session(webinar)
    cancelled = []
    session_cancelled.connect(lambda session, **_: cancelled.append(session.pk), weak=False, dispatch_uid="order")

    scheduling.cancel_webinar(webinar, by=None, now=NOW)

    session_cancelled.disconnect(dispatch_uid="order")
    assert cancelled == [late.pk, early.pk]
