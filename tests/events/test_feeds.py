"""Calendars to download and to subscribe to."""

from datetime import timedelta

import pytest
import vobject
from django.utils import timezone

from events import scheduling
from events.models import Webinar
from tests.builders import make_host, make_session, make_webinar

pytestmark = pytest.mark.django_db


def make_coming_session(webinar=None, **fields):
    return make_session(webinar, **{"local_date": timezone.now().date() + timedelta(days=30), **fields})


def read(response):
    return vobject.readOne(response.content.decode())


def test_webinar_calendar_has_its_sessions_as_a_file(client, settings):
    session = make_coming_session(make_webinar(slug="borders", title="Borders; and more", summary="Who guards them."))

    response = client.get("/webinars/borders/calendar.ics")

    event = read(response).vevent
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="borders.ics"'
    assert (event.uid.value, event.summary.value) == (session.uid, "Borders; and more")
    assert (event.dtstart.value, event.dtend.value) == (session.starts_at, session.ends_at)
    assert event.dtstamp.value == session.revised_at
    assert event.description.value == f"Who guards them.\n\nRegister: {settings.SITE_URL}/webinars/borders/"
    assert event.organizer.value == "mailto:webinars@webinars.example"


def test_host_sends_from_its_own_address(client):
    webinar = make_webinar(host=make_host(sender_email="talks@example.org"))
    make_coming_session(webinar)

    response = client.get(f"/webinars/{webinar.slug}/calendar.ics")

    assert read(response).vevent.organizer.value == "mailto:talks@example.org"


def test_joining_address_is_in_no_public_calendar(client):
    session = make_coming_session(join_url="https://meet.example.org/secret-room")

    for path in (session.webinar.get_absolute_url(), session.webinar.host.get_absolute_url()):
        assert b"secret-room" not in client.get(f"{path}calendar.ics").content


def test_moved_session_keeps_its_uid_and_raises_its_sequence(client):
    session = make_coming_session()
    path = f"{session.webinar.get_absolute_url()}calendar.ics"
    before = read(client.get(path)).vevent

    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=timezone.now())

    after = read(client.get(path)).vevent
    assert after.uid.value == before.uid.value
    assert (before.sequence.value, after.sequence.value) == ("0", "1")
    assert after.dtstart.value == before.dtstart.value + timedelta(hours=2)


def test_cancelled_session_is_withdrawn_for_a_month_and_then_gone(client):
    recent, old = make_coming_session(), make_coming_session()
    scheduling.cancel_session(recent, by=None, now=timezone.now() - timedelta(days=29))
    scheduling.cancel_session(old, by=None, now=timezone.now() - timedelta(days=31))

    response = client.get(f"{recent.webinar.get_absolute_url()}calendar.ics")

    assert read(response).vevent.status.value == "CANCELLED"
    assert client.get(f"{old.webinar.get_absolute_url()}calendar.ics").status_code == 404


def test_host_calendar_has_listed_webinars_of_that_host_alone(client):
    host = make_host(name="Border Review")
    listed = make_coming_session(make_webinar(host=host))
    make_coming_session(make_webinar(host=host, status=Webinar.Status.DRAFT))
    make_coming_session(make_webinar(host=host, access=Webinar.Access.UNLISTED))
    make_coming_session()
    make_session(make_webinar(host=host), local_date=timezone.now().date() - timedelta(days=60))

    response = client.get(f"/hosts/{host.slug}/calendar.ics")

    calendar = read(response)
    assert [event.uid.value for event in calendar.vevent_list] == [listed.uid]
    assert calendar.contents["x-wr-calname"][0].value == "Border Review"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in response.content


def test_calendar_of_a_draft_is_not_found(client):
    session = make_coming_session(make_webinar(status=Webinar.Status.DRAFT))

    assert client.get(f"{session.webinar.get_absolute_url()}calendar.ics").status_code == 404


def test_unchanged_calendar_is_not_sent_twice(client):
    path = f"{make_coming_session().webinar.host.get_absolute_url()}calendar.ics"
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    assert first["Cache-Control"] == "public, max-age=300"
