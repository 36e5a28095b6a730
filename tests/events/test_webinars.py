"""What can be read off one webinar: when it will next be told differently, and what is passed on of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.models import Webinar
from tests.builders import NOW, make_session, make_webinar

pytestmark = pytest.mark.django_db

AT_START = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def test_the_next_moment_is_each_time_that_something_changes_by_itself(django_assert_num_queries):
    moments: dict[str, Any] = {
        "registration_opens_at": NOW + DAY,
        "registration_closes_at": NOW + 2 * DAY,
        "replay_from": AT_START + DAY,
        "replay_until": AT_START + 2 * DAY,
    }
    made = make_webinar(**moments)
    make_session(made)
    webinar = Webinar.objects.prefetch_related("sessions").get(pk=made.pk)

    passed, now = [], NOW
    with django_assert_num_queries(0):
        while moment := webinar.next_moment(now):
            passed.append(moment)
            now = moment

    assert passed == [
        NOW + DAY,
        NOW + 2 * DAY,
        AT_START,
        AT_START + timedelta(minutes=90),
        AT_START + DAY,
        AT_START + 2 * DAY,
    ]


def test_nothing_changes_where_nothing_is_planned():
    assert make_webinar().next_moment(NOW) is None


def test_in_short_it_is_the_summary_and_where_the_page_is():
    webinar = make_webinar(summary="People compare what works.")

    assert webinar.in_short.startswith("People compare what works.\n\nhttp")
    assert webinar.in_short.endswith(webinar.get_absolute_url())
