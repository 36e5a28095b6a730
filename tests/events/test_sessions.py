"""What can be read off one session: whether it takes place, took place, or stands elsewhere than it was announced."""

from datetime import UTC, datetime, timedelta

import pytest

from events import scheduling
from events.models import Webinar
from tests.builders import NOW, make_session, make_webinar

pytestmark = pytest.mark.django_db

AT_START = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
AFTER = AT_START + timedelta(minutes=90)
BEFORE_MOVING = datetime(2026, 10, 14, 16, 0, tzinfo=UTC)


def test_a_moved_session_says_from_where_until_it_starts():
    session = make_session(previous_starts_at=BEFORE_MOVING)

    assert session.moved_from(NOW) == BEFORE_MOVING
    assert session.moved_from(AT_START - timedelta(seconds=1)) == BEFORE_MOVING
    assert session.moved_from(AT_START) is None
    assert session.moved_from(AFTER) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_starts_at": None},
        {"previous_starts_at": AT_START},
        {"previous_starts_at": BEFORE_MOVING, "state": "cancelled"},
    ],
)
def test_what_never_moved_is_back_or_was_called_off_is_not_said_to_have_moved(fields):
    assert make_session(**fields).moved_from(NOW) is None


def test_a_session_of_a_cancelled_webinar_is_called_off():
    session = make_session(make_webinar(status=Webinar.Status.CANCELLED), previous_starts_at=BEFORE_MOVING)

    assert session.is_called_off
    assert not session.is_cancelled
    assert not session.is_running(AT_START)
    assert session.moved_from(NOW) is None
    assert make_session(state="cancelled").is_called_off
    assert not make_session().is_called_off


def test_a_session_took_place_once_it_is_over_unless_it_was_cancelled():
    given, cancelled = make_session(), make_session(state="cancelled")

    assert not given.took_place(AT_START)
    assert given.took_place(AFTER)
    assert not cancelled.took_place(AFTER)


def test_what_took_place_did_so_though_the_webinar_was_called_off_afterwards():
    over = make_session()

    scheduling.cancel_webinar(over.webinar, by=None, now=AFTER)

    over.refresh_from_db()
    assert over.took_place(AFTER)


def test_the_door_opens_as_many_minutes_before_the_start_as_people_are_told():
    session = make_session()

    assert session.starts_at - session.join_opens_at == timedelta(minutes=session.join_lead_minutes)
