"""Times of a night in which clocks change, as organizers plan them: a session is added or changed, on either page."""

from datetime import UTC, date, datetime, time

import pytest
from django.urls import reverse

from events.models import Session, Webinar
from tests.builders import make_session, make_webinar
from tests.events.test_admin import as_inline, session_data, url, webinar_data
from tests.events.test_admin_untouched import save

pytestmark = pytest.mark.django_db

EACH_WAY = [(deed, page) for deed in ("added", "changed") for page in ("session", "webinar")]
each_way = pytest.mark.parametrize(("deed", "page"), EACH_WAY, ids=[f"{deed} on {page}" for deed, page in EACH_WAY])

GAPS = [
    # The zone, the time that does not exist, and the two nearest that do.
    ("Europe/London", "2031-03-30", "01:30", "London", "00:59", "02:00"),
    ("America/New_York", "2031-03-09", "02:30", "New York", "01:59", "03:00"),
    ("Australia/Sydney", "2031-10-05", "02:30", "Sydney", "01:59", "03:00"),
    ("Australia/Lord_Howe", "2031-10-05", "02:15", "Lord Howe Island", "01:59", "02:30"),
    # Clocks change at midnight, so that the one before is on another day.
    ("Asia/Beirut", "2031-03-30", "00:30", "Beirut", "2031-03-29 23:59", "2031-03-30 01:00"),
]
TWICE = [
    ("Europe/London", "2031-10-26", "01:30", "UTC+1", "UTC", "2031-10-26T00:30", "2031-10-26T01:30"),
    ("America/New_York", "2031-11-02", "01:30", "UTC−4", "UTC−5", "2031-11-02T05:30", "2031-11-02T06:30"),
    ("Australia/Sydney", "2031-04-06", "02:30", "UTC+11", "UTC+10", "2031-04-05T15:30", "2031-04-05T16:30"),
    ("Australia/Lord_Howe", "2031-04-06", "01:45", "UTC+11", "UTC+10:30", "2031-04-05T14:45", "2031-04-05T15:15"),
]


def plan(client, host, deed: str, page: str, **typed: str):
    """Type that into the form of a session, and save."""
    webinar = make_webinar(host=host)
    if deed == "changed":
        session = make_session(webinar, local_date=date(2031, 5, 14), local_time=time(13, 30))
        prefix = "" if page == "session" else "sessions-0-"
        changed = {f"{prefix}{name}": value for name, value in typed.items()}
        return save(client, session if page == "session" else webinar, **changed)
    if page == "session":
        return client.post(url(Session, "add"), session_data(webinar=str(webinar.pk), **typed))
    data = webinar_data(
        host=str(host.pk), **as_inline("sessions", 0, session_data(**typed)), **{"sessions-TOTAL_FORMS": "1"}
    )
    return client.post(url(Webinar, "add"), data)


def refused(response) -> dict[str, list[str]]:
    """What the form of the session says, by its fields."""
    form = response.context["adminform"].form
    if not isinstance(form.instance, Session):
        inlines = response.context["inline_admin_formsets"]
        form = next(inline.formset for inline in inlines if inline.formset.prefix == "sessions").forms[0]
    return {name: list(errors) for name, errors in form.errors.items()}


@each_way
@pytest.mark.parametrize(("zone", "day", "clock", "city", "before", "after"), GAPS)
def test_a_time_that_does_not_exist_is_refused_with_the_two_nearest(
    client, owner, host, deed, page, zone, day, clock, city, before, after
):
    response = plan(client, host, deed, page, local_date=day, local_time=clock, time_zone=zone)

    assert refused(response) == {
        "local_time": [
            (
                f"Clocks in {city} go forward over this time, so it does not exist. "
                f"The nearest that do are {before} and {after}."
            )
        ]
    }
    assert f'value="{day}"' in response.content.decode()
    assert not Session.objects.filter(local_date=day).exists()


@each_way
@pytest.mark.parametrize(("zone", "day", "clock", "first", "second", "_early", "_late"), TWICE)
def test_a_time_that_occurs_twice_asks_which(
    client, owner, host, deed, page, zone, day, clock, first, second, _early, _late
):
    response = plan(client, host, deed, page, local_date=day, local_time=clock, time_zone=zone)

    (question,) = refused(response)["occurrence"]
    assert question.endswith(f"this time comes twice: choose the first ({first}) or the second ({second}).")
    assert not Session.objects.filter(local_date=day).exists()


@each_way
@pytest.mark.parametrize(("zone", "day", "clock", "_first", "_second", "early", "late"), TWICE)
def test_whichever_is_chosen_is_planned(
    client, owner, host, deed, page, zone, day, clock, _first, _second, early, late
):
    for occurrence, starts_at in (("first", early), ("second", late)):
        response = plan(
            client, host, deed, page, local_date=day, local_time=clock, time_zone=zone, occurrence=occurrence
        )

        assert response.status_code == 302
        session = Session.objects.get(local_date=day)
        assert session.starts_at == datetime.fromisoformat(starts_at).replace(tzinfo=UTC)
        Session.objects.all().delete()
        Webinar.objects.all().delete()


@each_way
def test_where_clocks_never_change_nothing_is_asked(client, owner, host, deed, page):
    response = plan(client, host, deed, page, local_date="2031-03-30", local_time="01:30", time_zone="Asia/Kathmandu")

    assert response.status_code == 302
    assert Session.objects.get().starts_at == datetime(2031, 3, 29, 19, 45, tzinfo=UTC)


@each_way
def test_the_seeds_hour_is_half_past_eight_in_new_york(client, owner, host, deed, page):
    response = plan(client, host, deed, page, local_date="2020-10-28", local_time="08:30", time_zone="America/New_York")

    assert response.status_code == 302
    assert Session.objects.get().starts_at == datetime(2020, 10, 28, 12, 30, tzinfo=UTC)
    session = Session.objects.get()
    listed = client.get(reverse("admin:events_session_changelist")).content.decode()
    assert (session.local_time, "08:30 New York, UTC−4" in listed) == (time(8, 30), True)
