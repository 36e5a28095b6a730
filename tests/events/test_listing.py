"""Lists of webinars: pages, the filter of the home page, and what rows say."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from events.listing import programme
from events.models import Series, Session, Webinar
from tests.builders import make_appearance, make_host, make_presenter, make_session, make_webinar

pytestmark = pytest.mark.django_db

AT_START = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
RECORDING = "https://video.example.org/7"


def in_days(days):
    return timezone.now().date() + timedelta(days=days)


def make_dated_webinar(days=30, **fields):
    webinar = make_webinar(**fields)
    make_session(webinar, local_date=in_days(days))
    return webinar


def plan(title, on, at, zone="UTC", **fields):
    webinar = make_webinar(title=title, host=make_host(time_zone="UTC"))
    make_session(webinar, local_date=on, local_time=at, time_zone=zone, **fields)
    return webinar


def titles(response):
    programme = response.context["programme"]
    return [row.webinar.title for row in programme.upcoming], [row.webinar.title for row in programme.past]


def chosen(client, **query):
    coming, past = titles(client.get("/", query))
    return coming + past


def rows_at(now, zone="UTC"):
    found = programme(Webinar.objects.all(), now=now, zone=zone)
    return found.upcoming + found.past


# ---------- pages ----------


def test_long_lists_come_in_pages_which_keep_what_was_asked(client, monkeypatch):
    monkeypatch.setattr("events.listing.PER_PAGE", 2)
    for days in (10, 20, 30, -10, -20):
        make_dated_webinar(days, title=f"Number {days}")

    pages = [client.get("/", {"q": "number", "when": "", "tz": "Asia/Tokyo", "page": page}) for page in (1, 2, 3)]

    assert [titles(page) for page in pages] == [
        (["Number 10", "Number 20"], []),
        (["Number 30"], ["Number -10"]),
        ([], ["Number -20"]),
    ]
    for page in pages:
        assert '<span role="status">5 webinars found</span>' in page.content.decode()
    first, second, last = (page.content.decode() for page in pages)
    assert 'href="?q=number&amp;tz=Asia%2FTokyo&amp;page=2" rel="next"' in first
    assert 'rel="prev"' not in first
    assert "Page 2 of 3" in second
    assert 'href="?q=number&amp;tz=Asia%2FTokyo&amp;page=1" rel="prev"' in second
    assert 'rel="next"' not in last


def test_a_page_beyond_the_last_is_the_last(client, monkeypatch):
    monkeypatch.setattr("events.listing.PER_PAGE", 1)
    for days in (10, 20):
        make_dated_webinar(days, title=f"In {days} days")

    assert titles(client.get("/", {"page": 99})) == (["In 20 days"], [])
    assert titles(client.get("/", {"when": "past", "page": 99})) == ([], [])


@pytest.mark.parametrize(("count", "sessions"), [(1, 1), (3, 1), (3, 6)])
def test_lists_take_the_same_number_of_queries_however_long(client, django_assert_num_queries, count, sessions):
    host = make_host()
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    presenter = make_presenter(host=host)
    for days in (10, -30):
        for _number in range(count):
            webinar = make_dated_webinar(days, host=host, series=series)
            for later in range(1, sessions):
                make_session(webinar, local_date=in_days(days + later))
            make_appearance(webinar)
            make_appearance(webinar, presenter)

    # How many there are; what is coming and what is over, each with its sessions. At home, what is offered as well;
    # elsewhere the host, the series with its partners, the presenter with the positions.
    with django_assert_num_queries(6):
        client.get("/")
    with django_assert_num_queries(6):
        client.get(f"/hosts/{host.slug}/")
    with django_assert_num_queries(7):
        client.get("/series/regions/")
    with django_assert_num_queries(7):
        client.get(f"/presenters/{presenter.slug}/")


def test_rows_count_presenters_once_however_many_sessions_there_are(client):
    webinar = make_dated_webinar()
    make_session(webinar, local_date=in_days(31))
    make_appearance(webinar)
    make_appearance(webinar)

    assert [row.presenters for row in client.get("/").context["programme"].upcoming] == ["2 presenters"]


def test_list_pages_are_the_same_for_everybody(client):
    webinar = make_dated_webinar()
    series = Series.objects.create(host=webinar.host, title="Regions", slug="regions")
    make_dated_webinar(host=webinar.host, series=series)
    presenter = make_appearance(webinar).presenter

    for path in ("/", *(subject.get_absolute_url() for subject in (webinar.host, series, presenter))):
        response = client.get(path)
        assert response.is_shared
        assert not response.cookies
        assert "csrfmiddlewaretoken" not in response.content.decode()


def test_a_page_changes_when_the_next_session_begins_or_ends():
    make_session()

    moments = [AT_START - timedelta(days=1), AT_START, AT_START + timedelta(days=1)]
    found = [programme(Webinar.objects.all(), now=moment, zone=None).changes_at for moment in moments]

    assert found == [AT_START, AT_START + timedelta(minutes=90), None]


# ---------- the filter ----------


def test_filters_by_series_host_and_language_can_be_combined(client):
    ours, theirs = make_host(name="Ours", slug="ours"), make_host(name="Theirs", slug="theirs")
    regions = Series.objects.create(host=ours, title="Region by region", slug="regions")
    make_dated_webinar(10, title="Glaciers", host=ours, series=regions)
    make_dated_webinar(20, title="Ледники", host=ours, series=regions, language="ru")
    make_dated_webinar(30, title="Rivers", host=ours)
    make_dated_webinar(-10, title="Roads", host=theirs)

    assert chosen(client, series="regions") == ["Glaciers", "Ледники"]
    assert chosen(client, host="theirs") == ["Roads"]
    assert chosen(client, host="ours", lang="en") == ["Glaciers", "Rivers"]
    assert chosen(client, series="regions", host="ours", lang="ru", when="upcoming", q="ледники") == ["Ледники"]
    assert chosen(client, series="regions", host="theirs") == []


def test_filter_offers_only_what_there_is_to_choose_from(client):
    ours = make_host(name="Ours", slug="ours")
    make_dated_webinar(host=ours)
    make_dated_webinar(host=make_host(), status=Webinar.Status.DRAFT, language="ru")
    Series.objects.create(host=ours, title="Not begun", slug="not-begun")

    alone = client.get("/").context["form"]
    make_dated_webinar(host=make_host(name="Theirs", slug="theirs"), language="fr")
    both = client.get("/").context["form"]

    assert list(alone.fields) == ["q", "when", "day"]
    assert list(both.fields) == ["q", "when", "day", "host", "lang"]
    assert both.fields["host"].widget.choices[1:] == [("ours", "Ours"), ("theirs", "Theirs")]
    assert both.fields["lang"].widget.choices[1:] == [("en", "English"), ("fr", "French")]


def test_languages_are_named_in_the_language_of_the_page(client):
    make_dated_webinar(language="ru")
    make_dated_webinar(language="fr")

    choices = client.get("/ar/").context["form"].fields["lang"].widget.choices

    assert [label for _code, label in choices[1:]] == ["الروسية", "الفرنسية"]


def test_what_nobody_offers_finds_nothing_and_stays_visible(client):
    make_dated_webinar()

    response = client.get("/", {"series": "gone"})

    assert titles(response) == ([], [])
    assert '<option value="gone" selected>gone</option>' in response.content.decode()


def test_each_filter_can_be_cleared_and_all_of_them(client):
    make_dated_webinar(title="Ледники", language="ru")
    make_dated_webinar()

    markup = client.get("/", {"q": "ледн", "lang": "ru", "when": "upcoming", "day": "2099-10-14"}).content.decode()

    assert '<a href="?when=upcoming&amp;day=2099-10-14&amp;lang=ru">Clear “ледн”</a>' in markup
    assert '&amp;when=upcoming&amp;day=2099-10-14">Clear “Russian”</a>' in markup
    assert '&amp;when=upcoming&amp;lang=ru">Clear “14 October 2099”</a>' in markup
    assert '<a href="?">Clear all filters</a>' in markup


def test_nothing_found_says_what_to_try(client):
    make_dated_webinar()

    markup = client.get("/", {"q": "zzz", "when": "past"}).content.decode()

    assert "No webinar matches" in markup
    assert "Try fewer words, or only their beginning." in markup
    assert '<a href="?">See all webinars</a>' in markup


def test_further_filters_are_folded_away_until_one_is_in_use(client):
    make_dated_webinar(language="ru")
    make_dated_webinar(language="en")

    assert "<details><summary>More filters</summary>" in client.get("/").content.decode()
    assert "<details open><summary>More filters</summary>" in client.get("/", {"lang": "ru"}).content.decode()


def test_with_words_prominent_places_come_before_dates_but_what_is_coming_stays_first(client):
    make_dated_webinar(10, title="Sooner", summary="Glaciers.")
    make_dated_webinar(20, title="Glaciers again")
    make_dated_webinar(30, title="Glaciers at last")
    make_dated_webinar(-10, title="Glaciers lately")
    make_dated_webinar(-5, title="Just now", summary="Glaciers.")

    assert titles(client.get("/", {"q": "glaciers"})) == (
        ["Glaciers again", "Glaciers at last", "Sooner"],
        ["Glaciers lately", "Just now"],
    )


def test_search_finds_neither_drafts_nor_unlisted_webinars(client):
    for fields in ({"status": Webinar.Status.DRAFT}, {"access": Webinar.Access.UNLISTED}, {}):
        webinar = make_dated_webinar(title="Glaciers", **fields)
        make_appearance(webinar, make_presenter(host=webinar.host, name="Anna Karimova"))

    assert chosen(client, q="glaciers") == ["Glaciers"]
    assert chosen(client, q="karimova") == ["Glaciers"]


# ---------- the filter: a day ----------


@pytest.mark.parametrize(
    ("at", "days"), [(time(12, 0), [14]), (time(23, 30), [14, 15]), (time(23, 0), [14]), (time(0, 0), [14])]
)
def test_a_webinar_is_on_every_day_that_its_session_touches(client, at, days):
    plan("Rivers", date(2099, 10, 14), at, duration_minutes=60)

    on = [day for day in (13, 14, 15) if chosen(client, day=f"2099-10-{day}", tz="UTC")]

    assert on == days


def test_the_day_is_the_readers_own(client):
    plan("Rivers", date(2099, 10, 14), time(20, 0))

    assert chosen(client, day="2099-10-15", tz="Asia/Tokyo") == ["Rivers"]
    assert chosen(client, day="2099-10-14", tz="Asia/Tokyo") == []
    assert chosen(client, day="2099-10-14", tz="America/New_York") == ["Rivers"]


def test_the_day_is_the_hosts_where_nobody_knows_the_readers(client):
    for city, zone in (("Tokyo", "Asia/Tokyo"), ("New York", "America/New_York")):
        webinar = make_webinar(title=city, host=make_host(time_zone=zone))
        make_session(webinar, local_date=date(2099, 10, 14), local_time=time(20, 0), time_zone="UTC")

    assert chosen(client, day="2099-10-14") == ["New York"]
    assert chosen(client, day="2099-10-15") == ["Tokyo"]


def test_a_day_whose_midnight_does_not_exist_has_its_sessions(client):
    # In Beirut clocks went from 00:00 to 01:00 on 27 March 2022, which was 22:00 UTC.
    plan("Across", date(2022, 3, 26), time(21, 30), duration_minutes=60)
    plan("Before", date(2022, 3, 26), time(21, 0), duration_minutes=60)

    assert chosen(client, day="2022-03-26", tz="Asia/Beirut") == ["Across", "Before"]
    assert chosen(client, day="2022-03-27", tz="Asia/Beirut") == ["Across"]


def test_the_row_tells_of_the_session_on_that_day(client):
    webinar = plan("Rivers", date(2099, 10, 14), time(9, 0))
    make_session(webinar, local_date=date(2099, 10, 20), local_time=time(15, 0), time_zone="UTC")

    response = client.get("/", {"day": "2099-10-20", "tz": "UTC"})

    row = response.context["programme"].upcoming[0]
    assert (row.day, row.time) == ("20", "15:00")


def test_a_cancelled_session_puts_a_webinar_on_its_day_only_where_there_is_no_other(client):
    twice = plan("Twice", date(2099, 10, 14), time(9, 0))
    make_session(twice, local_date=date(2099, 10, 20), state=Session.State.CANCELLED)
    plan("Called off", date(2099, 10, 20), time(9, 0), state=Session.State.CANCELLED)

    assert chosen(client, day="2099-10-20", tz="UTC") == ["Called off"]


@pytest.mark.parametrize("typed", ["2026-13-45", "tomorrow", "0001-01-01", "9999-12-31", "2026-1", "<b>"])
def test_an_invalid_day_is_told_beside_the_field_and_stays(client, typed):
    make_dated_webinar(title="Rivers")

    response = client.get("/", {"day": typed})

    markup = response.content.decode()
    assert '<p class="err">Enter a date such as 2026-10-28.</p>' in markup
    # A date field in a browser would be empty.
    assert f'<input type="text" name="day" value="{escape(typed)}" aria-invalid="true"' in markup
    assert 'aria-describedby="day_error"' in markup
    assert "<title>Error: webinars</title>" in markup
    assert titles(response) == (["Rivers"], [])


# ---------- what rows say ----------


def test_what_is_going_on_says_so():
    make_session(capacity=5, places_taken=5)

    assert [row.words for row in rows_at(AT_START - timedelta(seconds=1))] == ["Full, waiting list open"]
    assert [(row.words, row.mark) for row in rows_at(AT_START)] == [("Running now", "")]
    assert [row.words for row in rows_at(AT_START + timedelta(minutes=90))] == ["Ended"]


def test_what_is_going_on_and_takes_people_says_so():
    make_session()

    assert [row.words for row in rows_at(AT_START)] == ["Running now, you can still come in"]


def test_what_has_moved_says_from_when_until_it_starts():
    make_session(previous_starts_at=datetime(2026, 10, 13, 9, 0, tzinfo=UTC))

    before = AT_START - timedelta(seconds=1)
    assert [row.moved for row in rows_at(before, "Asia/Tokyo")] == ["Moved from Tue, 13 Oct 2026, 18:00"]
    assert [row.moved for row in rows_at(AT_START)] == [""]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"replay_url": RECORDING}, "Replay"),
        ({"replay_url": RECORDING, "replay_access": "registered"}, "Replay for those who had registered"),
        (
            {"replay_url": RECORDING, "replay_from": datetime(2026, 11, 2, 9, 0, tzinfo=UTC)},
            "Replay from Mon, 2 Nov 2026",
        ),
        ({"replay_url": RECORDING, "replay_until": datetime(2026, 10, 20, tzinfo=UTC)}, ""),
    ],
)
def test_what_can_be_watched_again_says_so(fields, words):
    make_session(make_webinar(**fields))

    assert [row.replay for row in rows_at(datetime(2026, 10, 30, tzinfo=UTC))] == [words]
