"""Offer codes: what unlocks them, and what does not."""

from datetime import UTC, date, datetime, timedelta

import pytest

from events.models import OfferCondition
from registrations import offers, signup
from registrations.models import OfferCode, Registration
from tests.builders import NOW, make_host, make_offer, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

REPLAY = OfferCondition.Kind.REPLAY
SURVEY = OfferCondition.Kind.SURVEY


def holder_of(*conditions: str, until: date | None = None, **fields: object) -> Registration:
    """Somebody with a place and a locked code, of an offer with those conditions."""
    webinar = make_webinar(host=make_host(time_zone="America/New_York"))
    make_offer(webinar, conditions=conditions, **fields)
    OfferCondition.objects.update(until=until)
    return make_registration(make_session(webinar))


def code_of(registration: Registration) -> OfferCode:
    return registration.offer_codes.get()


def test_code_is_unlocked_by_what_its_offer_asks_for() -> None:
    registration = holder_of(REPLAY, SURVEY)

    count = offers.unlock(registration, kind=REPLAY, now=NOW)

    code = code_of(registration)
    assert (count, code.unlocked_at, code.unlocked_by) == (1, NOW, "replay")


def test_unlocking_twice_leaves_the_first_time_and_cause() -> None:
    registration = holder_of(REPLAY, SURVEY)
    offers.unlock(registration, kind=REPLAY, now=NOW)

    again = offers.unlock(registration, kind=SURVEY, now=NOW + timedelta(days=1))

    code = code_of(registration)
    assert (again, code.unlocked_at, code.unlocked_by) == (0, NOW, "replay")


def test_code_stays_locked_for_what_its_offer_does_not_ask_for() -> None:
    registration = holder_of(SURVEY)

    assert offers.unlock(registration, kind=REPLAY, now=NOW) == 0
    assert not code_of(registration).is_unlocked


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        # The last day is over at midnight in New York, which is 04:00 UTC.
        (datetime(2026, 11, 1, 3, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), 0),
    ],
)
def test_condition_with_a_date_holds_until_that_day_is_over_at_the_host(moment: datetime, count: int) -> None:
    registration = holder_of(REPLAY, until=date(2026, 10, 31))

    assert offers.unlock(registration, kind=REPLAY, now=moment) == count


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"valid_until": NOW + timedelta(hours=1)}, {"valid_from": NOW + timedelta(days=9)}]
)
def test_offer_that_does_not_stand_unlocks_nothing(fields: dict[str, object]) -> None:
    registration = holder_of(REPLAY)
    offer = code_of(registration).offer
    for name, value in fields.items():
        setattr(offer, name, value)
    offer.save()

    assert offers.unlock(registration, kind=REPLAY, now=NOW + timedelta(hours=2)) == 0


def test_cancelled_registration_earns_nothing() -> None:
    registration = signup.cancel(holder_of(REPLAY), now=NOW)

    assert offers.unlock(registration, kind=REPLAY, now=NOW) == 0


def test_session_that_was_called_off_earns_nothing() -> None:
    registration = holder_of(REPLAY)
    registration.session.state = "cancelled"
    registration.session.save()

    assert offers.unlock(registration, kind=REPLAY, now=NOW) == 0


def test_codes_of_others_stay_locked() -> None:
    registration = holder_of(REPLAY)
    other = make_registration(registration.session)

    offers.unlock(registration, kind=REPLAY, now=NOW)

    assert code_of(registration).is_unlocked
    assert not code_of(other).is_unlocked
