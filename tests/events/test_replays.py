"""From when, until when and for whom a recording can be watched."""

from datetime import date, timedelta

import pytest

from events.lookup import get_webinar
from events.models import Webinar
from events.replays import Replay, replay_of
from tests.builders import make_session, make_webinar

pytestmark = pytest.mark.django_db


def replay(session, *, later: timedelta = timedelta(days=1), **fields: object) -> Replay:
    """The replay so long after the session's end."""
    Webinar.objects.filter(pk=session.webinar_id).update(**{"replay_url": "https://youtu.be/dQw4w9WgXcQ", **fields})
    return replay_of(get_webinar(session.webinar.slug), now=session.ends_at + later)


def test_recording_can_be_watched_once_the_session_is_over() -> None:
    session = make_session()

    assert replay(session, later=timedelta(seconds=-1)).state == "none"
    assert replay(session, later=timedelta()).state == "open"


def test_without_a_recording_there_is_no_replay() -> None:
    assert replay(make_session(), replay_url="").state == "none"


def test_replay_keeps_to_its_dates() -> None:
    session = make_session()
    dates = {"replay_from": session.ends_at + timedelta(days=2), "replay_until": session.ends_at + timedelta(days=9)}

    states = [replay(session, later=timedelta(days=days), **dates).state for days in (1, 2, 8, 9)]

    assert states == ["soon", "open", "open", "ended"]


def test_first_of_two_sessions_opens_the_replay() -> None:
    session = make_session()
    make_session(session.webinar, local_date=date(2026, 12, 1))

    assert replay(session).state == "open"


def test_what_was_called_off_has_no_replay() -> None:
    assert replay(make_session(state="cancelled")).state == "none"
    assert replay(make_session(), status=Webinar.Status.CANCELLED).state == "none"


def test_replay_for_registered_people_is_open_but_not_for_all() -> None:
    found = replay(make_session(make_webinar()), replay_access="registered")

    assert (found.is_open, found.can_be_watched_by_all) == (True, False)
