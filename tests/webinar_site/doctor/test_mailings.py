"""Whether the doctor sees that mails to many stand still."""

from datetime import timedelta

import pytest

from registrations.models import Mailing
from tests.builders import NOW, make_session
from webinar_site.doctor import mailings
from webinar_site.doctor.seen import Light

pytestmark = pytest.mark.django_db


def begun(minutes_ago, **fields):
    session = make_session()
    return Mailing.objects.create(
        key=f"plan-{session.pk}",
        kind="reminder",
        webinar=session.webinar,
        session=session,
        due_at=NOW,
        begun_at=NOW - timedelta(minutes=minutes_ago),
        **fields,
    )


def test_mailings_that_are_written_or_have_just_begun_are_green():
    begun(60, written_at=NOW - timedelta(minutes=59))
    begun(5)

    assert mailings.check_mailings(now=NOW).light is Light.GREEN


def test_those_that_stand_still_are_amber_with_their_numbers():
    late = [begun(6) for _each in range(7)]

    seen = mailings.check_mailings(now=NOW)

    assert seen.light is Light.AMBER
    assert seen.what == (
        "7 mailings were begun more than 5 minutes ago, and are not written: "
        f"{', '.join(str(mailing.pk) for mailing in late[:5])}…."
    )
    assert "worker's log" in seen.to_do
