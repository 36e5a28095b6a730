"""Calendars to download and to subscribe to, and news in Atom."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import feedparser
import pytest
import vobject
from django.utils import timezone

from events import scheduling
from events.models import Series, Webinar
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
    assert read(response).vevent.description.value == recent.webinar.summary
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


def test_series_calendar_has_listed_webinars_of_that_series_alone(client):
    host = make_host()
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    listed = make_coming_session(make_webinar(host=host, series=series))
    make_coming_session(make_webinar(host=host, series=series, access=Webinar.Access.UNLISTED))
    make_coming_session(make_webinar(host=host))

    calendar = read(client.get("/series/regions/calendar.ics"))

    assert [event.uid.value for event in calendar.vevent_list] == [listed.uid]
    assert calendar.contents["x-wr-calname"][0].value == "Region by region"


def test_series_of_drafts_alone_has_no_calendar(client):
    series = Series.objects.create(host=make_host(), title="Secret plans", slug="plans")
    make_coming_session(make_webinar(host=series.host, series=series, status=Webinar.Status.DRAFT))

    assert client.get("/series/plans/calendar.ics").status_code == 404


# ---------- news ----------

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(response):
    return feedparser.parse(response.content).entries


def make_dated(**fields):
    return make_coming_session(make_webinar(**fields)).webinar


def test_news_tell_of_a_webinar_with_its_time_and_place(client, settings):
    host = make_host(name="Border Review", slug="border-review", time_zone="Asia/Tashkent")
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    webinar = make_webinar(host=host, series=series, title="Q & A <live>", slug="borders", summary="Who & why.")
    session = make_session(webinar, local_date=datetime(2099, 10, 14, tzinfo=UTC).date(), time_zone="Asia/Tashkent")

    response = client.get("/feed.atom")

    [entry] = entries(response)
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert (entry.title, entry.link) == ("Q & A <live>", f"{settings.SITE_URL}/webinars/borders/")
    assert entry.summary == "<p>Wednesday, 14 October 2099, 13:30 Tashkent, UTC+5</p><p>Who &amp; why.</p>"
    assert entry.author_detail == {"name": "Border Review", "href": f"{settings.SITE_URL}/hosts/border-review/"}
    assert [tag.term for tag in entry.tags] == ["Region by region"]
    assert entry.id == f"tag:localhost,{webinar.created_at:%Y-%m-%d}:webinar/{session.webinar_id}"


@pytest.mark.parametrize("path", ["/feed.atom", "/hosts/border-review/feed.atom", "/ar/feed.atom"])
@pytest.mark.parametrize("count", [0, 2])
def test_news_have_what_atom_requires(client, settings, path, count):
    host = make_host(slug="border-review")
    for _number in range(count):
        make_dated(host=host)

    root = ET.fromstring(client.get(path).content)

    # RFC 4287, 4.1.1 and 4.1.2: each exactly once, and an author here or in every entry.
    assert root.tag == f"{ATOM}feed"
    assert len(root.findall(f"{ATOM}entry")) == count
    for part in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            [element] = part.findall(f"{ATOM}{name}")
            assert element.text
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated", "")).tzinfo is not None
        assert [link.get("href") for link in part.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
    assert all(entry.find(f"{ATOM}author/{ATOM}name") is not None for entry in root.findall(f"{ATOM}entry"))
    [own] = [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own == f"{settings.SITE_URL}{path}"
    assert len({entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")}) == count


def test_news_name_listed_webinars_that_are_coming_or_new(client):
    host = make_host(slug="border-review")
    old = make_session(make_webinar(host=host, title="Long over"), local_date=datetime(2020, 10, 28, tzinfo=UTC).date())
    Webinar.objects.filter(pk=old.webinar_id).update(created_at=timezone.now() - timedelta(days=31))
    make_session(make_webinar(host=host, title="Lately added"), local_date=datetime(2020, 10, 28, tzinfo=UTC).date())
    make_dated(host=host, title="Coming")
    make_dated(host=host, title="Draft", status=Webinar.Status.DRAFT)
    make_dated(host=host, title="Unlisted", access=Webinar.Access.UNLISTED)
    make_dated(title="Of another host")

    titles = {
        path: {one.title for one in entries(client.get(path))}
        for path in ("/feed.atom", "/hosts/border-review/feed.atom")
    }

    assert titles == {
        "/feed.atom": {"Lately added", "Coming", "Of another host"},
        "/hosts/border-review/feed.atom": {"Lately added", "Coming"},
    }


def test_a_webinar_whose_session_moved_is_news_again(client):
    first, second = make_coming_session(), make_coming_session()
    later = timezone.now() + timedelta(hours=1)

    first.local_time = first.local_time.replace(hour=15)
    scheduling.save_session(first, by=None, now=later)

    found = entries(client.get("/feed.atom"))
    assert [entry.title for entry in found] == [first.webinar.title, second.webinar.title]
    assert found[0].updated == later.replace(microsecond=0).isoformat()


def test_news_say_in_which_language_each_webinar_is(client):
    make_dated(language="ru", title="Ледники")

    root = ET.fromstring(client.get("/feed.atom").content)

    [entry] = root.findall(f"{ATOM}entry")
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "ru"


def test_joining_address_is_in_no_news(client):
    make_coming_session(join_url="https://meet.example.org/secret-room")

    assert b"secret-room" not in client.get("/feed.atom").content


@pytest.mark.parametrize("count", [0, 1])
def test_unchanged_news_are_not_sent_twice(client, count):
    for _number in range(count):
        make_dated()
    first = client.get("/feed.atom")

    by_mark = client.get("/feed.atom", headers={"If-None-Match": first["ETag"]})
    by_date = client.get("/feed.atom", headers={"If-Modified-Since": first["Last-Modified"]})

    assert (by_mark.status_code, by_date.status_code) == (304, 304)


@pytest.mark.parametrize("count", [1, 3])
def test_news_and_calendars_take_the_same_number_of_queries_however_long(client, django_assert_num_queries, count):
    host = make_host(slug="border-review")
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    for _number in range(count):
        make_coming_session(make_dated(host=host, series=series))

    for path, queries in (
        ("/feed.atom", 2),
        ("/hosts/border-review/feed.atom", 3),
        ("/series/regions/calendar.ics", 2),
    ):
        with django_assert_num_queries(queries):
            client.get(path)
