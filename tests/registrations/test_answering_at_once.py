"""Answers from calendars while everything else happens: run on the real PostgreSQL, with threads."""

from datetime import timedelta
from functools import partial

import pytest

from events.models import Session
from registrations import signup
from registrations.models import Message, Registration
from tests.builders import NOW, make_registration, make_session
from tests.registrations.test_concurrency import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

Partstat = Registration.Partstat
NEXT_DAY = NOW + timedelta(hours=24)


def everything_sent() -> None:
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)


def decline(registration: Registration, **fields) -> bool:
    values = {"partstat": Partstat.DECLINED, "sequence": 0, "dtstamp": NOW, "now": NOW, **fields}
    return signup.answer(registration, **values)


def test_declined_places_go_to_as_many_as_wait_however_many_workers_look():
    session = make_session(capacity=8)
    holders = [make_registration(session) for _ in range(8)]
    waiting = [make_registration(session) for _ in range(3)]
    for holder in holders:
        decline(holder)
    everything_sent()

    freed = all_at_once([partial(signup.free_declined, now=NEXT_DAY)] * 8)

    assert sum(freed) == 3
    session.refresh_from_db()
    assert session.places_taken == 8
    statuses = Registration.objects.filter(pk__in=[person.pk for person in waiting]).values_list("status", flat=True)
    assert list(statuses) == ["confirmed"] * 3
    assert Registration.objects.filter(cancelled_because="declined").count() == 3
    assert Message.objects.filter(kind="promoted").count() == 3


def test_the_same_decline_through_many_doors_asks_once():
    session = make_session(capacity=1)
    registration = make_registration(session)
    make_registration(session)

    noted = all_at_once([partial(decline, registration)] * 8)

    assert sorted(noted) == [False] * 7 + [True]
    assert registration.messages.filter(kind="declined").count() == 1


def test_a_place_is_kept_or_passed_on_and_never_both():
    for _attempt in range(6):
        session = make_session(capacity=1)
        registration, waiting = make_registration(session), make_registration(session)
        decline(registration)
        everything_sent()

        results = all_at_once(
            [partial(signup.keep_place, registration, now=NEXT_DAY), partial(signup.free_declined, now=NEXT_DAY)]
        )

        registration.refresh_from_db()
        waiting.refresh_from_db()
        assert [registration.is_confirmed, waiting.is_confirmed].count(True) == 1
        assert registration.is_confirmed != isinstance(results[0], signup.RegistrationOverError)
        assert Session.objects.get(pk=session.pk).places_taken == 1
        Registration.objects.filter(frees_at__isnull=False).update(frees_at=None)


def test_answers_moves_and_cancellations_at_once_leave_one_truth():
    session = make_session(capacity=4)
    people = [make_registration(session) for _ in range(4)]
    for _ in range(2):
        make_registration(session)
    other = make_session(session.webinar, local_time=session.local_time.replace(hour=18))

    results = all_at_once(
        [
            *(partial(decline, person) for person in people),
            partial(signup.cancel, people[0], now=NOW),
            partial(signup.change_session, people[1], session=other, now=NOW),
            partial(signup.free_declined, now=NEXT_DAY),
            partial(signup.keep_place, people[2], now=NOW),
        ]
    )

    unexpected = [result for result in results if isinstance(result, Exception)]
    assert [error for error in unexpected if not isinstance(error, signup.SignupError)] == []
    for each in Session.objects.all():
        assert each.places_taken == each.registrations.filter(has_place=True).count()
    assert not Registration.objects.exclude(status="confirmed").filter(frees_at__isnull=False).exists()
    moved = Registration.objects.get(pk=people[1].pk)
    if not isinstance(results[5], signup.SignupError):
        assert (moved.session, moved.frees_at) == (other, None)
