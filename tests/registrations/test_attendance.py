"""Who came: whoever went through the joining link while it was open, and what that and other deeds earn."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import scheduling
from events.models import Session
from registrations import attendance, earning, outbox, signup, tokens
from registrations.emails import compose
from registrations.models import Message, Registration
from registrations.pointless import PointlessError
from tests.builders import NOW, make_offer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

Kind = Message.Kind


def running(**fields):
    """Somebody in a session that has begun ten minutes ago."""
    session = make_session(**fields)
    anna = make_registration(session)
    starts_at = timezone.now() - timedelta(minutes=10)
    Session.objects.filter(pk=session.pk).update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    return Registration.objects.get(pk=anna.pk)


def door(person):
    return reverse("join", args=[tokens.join_token(person)])


def came_at(person):
    return Registration.objects.get(pk=person.pk).joined_at


def test_whoever_goes_through_the_open_door_came_and_the_first_time_counts(client):
    anna = running()
    before = timezone.now()

    response = client.get(door(anna))
    first = came_at(anna)
    client.get(door(anna))

    assert response.url == anna.session.join_url
    assert first >= before
    assert came_at(anna) == first


@pytest.mark.parametrize(
    ("moved_at", "moved_by", "is_given_again"),
    [
        # It lasts an hour and a half: it begins late, it goes on, it is corrected afterwards.
        (timedelta(minutes=5), timedelta(minutes=15), False),
        (timedelta(minutes=5), timedelta(minutes=80), False),
        (timedelta(minutes=95), timedelta(minutes=30), False),
        # It broke off and is given next day, and so is one that was over.
        (timedelta(minutes=20), timedelta(days=1), True),
        (timedelta(minutes=95), timedelta(days=1), True),
        (timedelta(minutes=95), timedelta(minutes=120), True),
        # It had not begun when somebody was let in, and is put off.
        (timedelta(minutes=-5), timedelta(minutes=15), False),
        (timedelta(minutes=-5), timedelta(days=1), True),
    ],
)
def test_who_came_is_forgotten_where_a_session_is_given_again(moved_at, moved_by, is_given_again):
    session = make_session()
    anna = make_registration(session)
    attendance.note_coming(anna, now=session.starts_at - timedelta(minutes=6))
    moved = datetime.combine(session.local_date, session.local_time) + moved_by
    fresh = Session.objects.get(pk=session.pk)
    fresh.local_date, fresh.local_time = moved.date(), moved.time()

    scheduling.save_session(fresh, by=None, now=session.starts_at + moved_at)

    assert (came_at(anna) is None) == is_given_again


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_program_that_asks_ahead_has_not_come(client, headers):
    anna = running()

    assert client.get(door(anna), headers=headers).status_code == 302
    assert client.head(door(anna)).status_code == 302

    assert came_at(anna) is None


def test_nobody_comes_through_a_door_that_is_shut(client):
    early, gone = make_registration(), running()
    signup.cancel(gone, now=timezone.now())

    for person in (early, gone):
        assert client.get(door(person)).status_code == 200
        assert came_at(person) is None


def test_coming_again_costs_no_statement():
    anna = running()
    attendance.note_coming(anna, now=NOW)
    anna.refresh_from_db()

    with CaptureQueriesContext(connection) as queries:
        assert not attendance.note_coming(anna, now=NOW)

    assert len(queries) == 0


def test_of_two_who_come_at_once_with_one_link_one_is_the_first():
    anna = running()

    assert [attendance.note_coming(anna, now=NOW) for _click in range(2)] == [True, False]


def test_coming_is_noted_with_what_it_earns_or_not_at_all(monkeypatch):
    webinar = make_webinar()
    make_offer(webinar, conditions=("attended",))
    anna = running(webinar=webinar)

    def fail(*_args, **_kwargs):
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as broken:
        broken.setattr(earning, "earn", fail)
        with pytest.raises(OperationalError):
            attendance.note_coming(anna, now=timezone.now())
    assert came_at(anna) is None

    attendance.note_coming(anna, now=timezone.now())
    assert anna.offer_codes.get().is_unlocked


def test_coming_earns_what_asks_for_no_minutes_and_its_owner_is_told_once():
    webinar = make_webinar()
    make_offer(webinar, conditions=("attended",), headline="A free issue")
    anna = running(webinar=webinar)

    attendance.note_coming(anna, now=timezone.now())
    attendance.note_coming(anna, now=timezone.now())

    code = anna.offer_codes.get()
    assert code.unlocked_by == "attended"
    [message] = anna.messages.filter(kind=Kind.OFFER_EARNED)
    assert message.payload == {"earned_by": "attended"}


def test_coming_does_not_earn_what_asks_to_stay():
    webinar = make_webinar()
    offer = make_offer(webinar, conditions=("attended",))
    offer.conditions.update(minutes=30)
    anna = running(webinar=webinar)

    attendance.note_coming(anna, now=timezone.now())

    assert not anna.offer_codes.get().is_unlocked
    assert not anna.messages.filter(kind=Kind.OFFER_EARNED).exists()


def test_what_registering_earned_is_told_by_the_confirmation_alone():
    webinar = make_webinar()
    make_offer(webinar)

    anna = make_registration(make_session(webinar))

    assert set(anna.messages.values_list("kind", flat=True)) == {Kind.CONFIRMED}


def test_an_offer_that_has_ended_is_not_told_of():
    webinar = make_webinar()
    offer = make_offer(webinar, conditions=("replay",))
    anna = make_registration(make_session(webinar))
    assert earning.earn_by_visit(anna, kind="replay", now=NOW) == 1
    offer.valid_until = NOW + timedelta(hours=1)
    offer.save()
    message = Message.objects.select_related("registration__session__webinar__host").get(kind=Kind.OFFER_EARNED)

    assert "You watched the replay, so this code is yours." in str(compose(message, now=NOW).as_bytes())
    with pytest.raises(PointlessError, match="The offer is over"):
        compose(message, now=NOW + timedelta(hours=2))


def test_an_earned_offer_waits_beside_other_mails():
    webinar = make_webinar()
    make_offer(webinar, conditions=("replay",))
    anna = make_registration(make_session(webinar))

    earning.earn_by_visit(anna, kind="replay", now=NOW)
    outbox.enqueue(anna, Kind.SESSION_CHANGED, now=datetime(2026, 9, 17, tzinfo=UTC))

    assert anna.messages.get(kind=Kind.OFFER_EARNED).state == Message.State.QUEUED
