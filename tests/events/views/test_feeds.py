"""Calendars to download and to subscribe to, and news in Atom."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import feedparser
import pytest
import vobject
from django.utils import timezone

from events import ical, scheduling
from events.models import Host, Series, Webinar
from tests.builders import make_host, make_organizer, make_session, make_webinar

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
    assert event.description.value == (
        f"Who guards them.\n\nRegister: {settings.SITE_URL}/webinars/borders/\n\n"
        "This entry is a copy: it does not move by itself when the session moves."
    )
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


# ---------- a webinar's, to subscribe to ----------


def test_webinar_feed_follows_its_sessions(client, settings):
    session = make_coming_session(make_webinar(slug="borders", title="Borders; and more", summary="Who guards them."))
    make_coming_session(make_webinar(host=session.webinar.host))

    response = client.get("/webinars/borders/feed.ics")

    calendar = read(response)
    lines = response.content.replace(b"\r\n ", b"").decode().split("\r\n")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert "Content-Disposition" not in response
    assert (calendar.method.value, calendar.contents["name"][0].value) == ("PUBLISH", "Borders; and more")
    assert f"SOURCE;VALUE=URI:{settings.SITE_URL}/webinars/borders/feed.ics" in lines
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in lines
    assert "X-PUBLISHED-TTL:PT1H" in lines
    [event] = calendar.vevent_list
    assert (event.uid.value, event.sequence.value, event.status.value) == (session.uid, "0", "CONFIRMED")
    assert event.dtstamp.value == event.last_modified.value == session.revised_at
    assert event.description.value == f"Who guards them.\n\nRegister: {settings.SITE_URL}/webinars/borders/"
    assert "attendee" not in event.contents


def test_webinar_feed_has_the_entries_of_the_hosts_calendar(client):
    session = make_coming_session()
    scheduling.cancel_session(make_coming_session(session.webinar), by=None, now=timezone.now())

    own = client.get(f"{session.webinar.get_absolute_url()}feed.ics")
    of_the_host = client.get(f"{session.webinar.host.get_absolute_url()}calendar.ics")

    assert [event.status.value for event in read(own).vevent_list] == ["CONFIRMED", "CANCELLED"]
    assert [event.serialize() for event in read(own).vevent_list] == [
        event.serialize() for event in read(of_the_host).vevent_list
    ]


def test_webinar_feed_without_sessions_is_an_empty_calendar_and_no_error(client):
    """A program that met an error once may never ask again, and the date may only not be set yet."""
    response = client.get(f"{make_webinar().get_absolute_url()}feed.ics")

    assert response.status_code == 200
    assert "vevent" not in read(response).contents


@pytest.mark.parametrize("access", [access for access in Webinar.Access if access != Webinar.Access.EVERYONE])
@pytest.mark.parametrize("status", Webinar.Status)
def test_webinar_that_is_not_listed_has_no_feed_for_anybody(client, access, status):
    session = make_coming_session(make_webinar(access=access, access_password="sapodilla", status=status))
    client.force_login(make_organizer(session.webinar.host), backend="django.contrib.auth.backends.ModelBackend")

    response = client.get(f"{session.webinar.get_absolute_url()}feed.ics")

    assert response.status_code == 404
    assert session.webinar.title not in response.content.decode()


# ---------- asked again ----------

FEEDS = ("/webinars/borders/feed.ics", "/hosts/border-review/calendar.ics", "/series/regions/calendar.ics")
every_feed = pytest.mark.parametrize("path", FEEDS)


@pytest.fixture
def followed():
    """A session of the webinar, the host and the series that FEEDS are of."""
    host = make_host(name="Border Review", slug="border-review", sender_email="talks@example.org")
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    return make_coming_session(make_webinar(host=host, series=series, slug="borders"))


@every_feed
@pytest.mark.parametrize("count", [1, 3, 40])
def test_feeds_take_two_statements_and_one_for_whoever_has_them(
    client, followed, django_assert_num_queries, path, count
):
    for _number in range(count - 1):
        webinar = followed.webinar
        other = make_webinar(host=webinar.host, series=webinar.series)
        make_coming_session(webinar if path == FEEDS[0] else other)
    with django_assert_num_queries(2):
        first = client.get(path)

    with django_assert_num_queries(1):
        again = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert len(read(first).vevent_list) == count
    assert (again.status_code, again.content) == (304, b"")
    # What the program has goes on being kept as it was told (RFC 9110 15.4.5).
    assert first["Cache-Control"] == again["Cache-Control"] == "public, max-age=300"
    assert first["ETag"] == again["ETag"]
    assert "Last-Modified" not in first


@every_feed
def test_nothing_is_written_for_whoever_has_the_calendar(client, followed, path, monkeypatch):
    etag = client.get(path)["ETag"]
    monkeypatch.setattr(ical, "feed", lambda *_events, **_words: pytest.fail("It is written all the same."))

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


@every_feed
@pytest.mark.parametrize("known", ["{etag}", "{strong}", '"other", {etag}', "*"])
def test_calendar_that_is_known_is_not_sent_again(client, followed, path, known):
    etag = client.get(path)["ETag"]

    again = client.get(path, headers={"If-None-Match": known.format(etag=etag, strong=etag.removeprefix("W/"))})

    assert again.status_code == 304


@every_feed
@pytest.mark.parametrize("known", ['W/"other"', "", "nonsense"])
def test_calendar_that_is_not_known_is_sent(client, followed, path, known):
    again = client.get(path, headers={"If-None-Match": known})

    assert again.status_code == 200
    assert read(again).vevent.uid.value == followed.uid


@every_feed
def test_head_says_of_a_calendar_what_getting_it_would(client, followed, path):
    got, asked = client.get(path), client.head(path)

    assert asked.content == b""
    assert {**asked.headers, "Date": ""} == {**got.headers, "Date": ""}
    assert client.head(path, headers={"If-None-Match": got["ETag"]}).status_code == 304


def rename_the_host(session, _settings):
    Host.objects.filter(pk=session.webinar.host_id).update(name="Border Weekly")


def change_the_hosts_address(session, _settings):
    Host.objects.filter(pk=session.webinar.host_id).update(sender_email="office@example.org")


def move(session, _settings):
    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=timezone.now())


def cancel(session, _settings):
    scheduling.cancel_session(session, by=None, now=timezone.now())


def add_another(session, _settings):
    make_coming_session(session.webinar)


def rename_the_webinar(session, _settings):
    session.webinar.title = "Borders, again"
    session.webinar.save()


def summarize_it_anew(session, _settings):
    session.webinar.summary = "Who guards them, and how."
    session.webinar.save()


def move_the_site(_session, settings):
    settings.SITE_URL = "https://moved.example.org"


@every_feed
@pytest.mark.parametrize(
    "change",
    [
        rename_the_host,
        change_the_hosts_address,
        move,
        cancel,
        add_another,
        rename_the_webinar,
        summarize_it_anew,
        move_the_site,
    ],
)
def test_calendar_that_changed_is_sent_again(client, settings, followed, path, change):
    first = client.get(path)

    change(followed, settings)

    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again.content != first.content
    assert again["ETag"] != first["ETag"]


def test_calendar_that_names_the_site_as_sender_follows_its_address(client, settings):
    path = f"{make_coming_session().webinar.host.get_absolute_url()}calendar.ics"
    etag = client.get(path)["ETag"]

    settings.DEFAULT_FROM_EMAIL = "Talks <talks@webinars.example>"

    again = client.get(path, headers={"If-None-Match": etag})
    assert read(again).vevent.organizer.value == "mailto:talks@webinars.example"


def test_series_that_has_another_title_is_another_calendar(client, followed):
    etag = client.get("/series/regions/calendar.ics")["ETag"]

    Series.objects.update(title="Border by border")

    again = client.get("/series/regions/calendar.ics", headers={"If-None-Match": etag})
    assert read(again).contents["x-wr-calname"][0].value == "Border by border"


def test_webinar_without_sessions_that_has_another_title_is_another_calendar(client):
    webinar = make_webinar(slug="borders")
    etag = client.get("/webinars/borders/feed.ics")["ETag"]

    Webinar.objects.filter(pk=webinar.pk).update(title="Borders, again")

    assert client.get("/webinars/borders/feed.ics", headers={"If-None-Match": etag}).status_code == 200


def test_calendar_in_another_language_is_another(client, followed):
    etags = {client.get(f"{language}{path}")["ETag"] for language in ("", "/ar") for path in FEEDS}

    assert len(etags) == 2 * len(FEEDS)


@every_feed
def test_calendar_that_is_written_in_another_way_is_sent_again(client, followed, path, monkeypatch):
    etag = client.get(path)["ETag"]

    monkeypatch.setattr(ical, "FORMAT", ical.FORMAT + 1)

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


@every_feed
def test_calendar_of_nobody_is_not_found_and_neither_when_one_says_to_know_it(client, path):
    for known in ({}, {"If-None-Match": "*"}):
        assert client.get(path, headers=known).status_code == 404


@every_feed
def test_nothing_is_sent_to_a_calendar(client, followed, path):
    assert client.post(path).status_code == 405


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
def test_news_take_the_same_number_of_queries_however_long(client, django_assert_num_queries, count):
    host = make_host(slug="border-review")
    for _number in range(count):
        make_coming_session(make_dated(host=host))

    for path, queries in (("/feed.atom", 2), ("/hosts/border-review/feed.atom", 3)):
        with django_assert_num_queries(queries):
            client.get(path)
