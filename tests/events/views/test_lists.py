"""Pages that only show."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from events import scheduling
from events.listing import programme
from events.models import Partner, Series, SeriesPartnership, Session, Webinar
from tests.builders import make_appearance, make_host, make_presenter, make_session, make_webinar

pytestmark = pytest.mark.django_db


def in_days(days):
    return timezone.now().date() + timedelta(days=days)


def make_dated_webinar(days=30, session=None, **fields):
    webinar = make_webinar(**fields)
    make_session(webinar, local_date=in_days(days), **(session or {}))
    return webinar


def titles(response):
    programme = response.context["programme"]
    return [row.webinar.title for row in programme.upcoming], [row.webinar.title for row in programme.past]


def titles_on(now):
    found = programme(Webinar.objects.all(), now=now, zone=None)
    return [row.webinar.title for row in found.upcoming], [row.webinar.title for row in found.past]


# ---------- home ----------


def test_home_lists_what_is_coming_soonest_first_and_what_is_over_latest_first(client):
    for days, title in ((40, "Later"), (20, "Sooner"), (-40, "Long ago"), (-20, "Lately")):
        make_dated_webinar(days, title=title)

    response = client.get("/")

    assert titles(response) == (["Sooner", "Later"], ["Lately", "Long ago"])


def test_home_names_neither_drafts_nor_unlisted_webinars(client):
    make_dated_webinar(title="A secret plan", status=Webinar.Status.DRAFT)
    make_dated_webinar(title="By invitation", access=Webinar.Access.UNLISTED)
    make_dated_webinar(title="For everyone")

    response = client.get("/")

    assert titles(response) == (["For everyone"], [])
    assert b"A secret plan" not in response.content
    assert b"By invitation" not in response.content


def test_home_without_webinars_says_so(client):
    assert "Nothing is planned at the moment." in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "border sahel"}, ["Border security in the Sahel"]),
        ({"q": "nothing like it"}, []),
        ({"lang": "ru"}, ["Ледники"]),
        ({"when": "past"}, []),
        ({"when": "upcoming"}, ["Border security in the Sahel", "Ледники"]),
        ({"when": "nonsense", "page": "x"}, ["Border security in the Sahel", "Ледники"]),
        ({"page": "99999999999999999999"}, ["Border security in the Sahel", "Ледники"]),
    ],
)
def test_home_filters(client, query, found):
    make_dated_webinar(20, title="Border security in the Sahel")
    make_dated_webinar(30, title="Ледники", language="ru")

    assert titles(client.get("/", query))[0] == found


@pytest.mark.parametrize("name", ["q", "lang", "when", "tz", "page"])
@pytest.mark.parametrize("value", ["\x00", "a\x00b\x01\x1f\x7f", "\ud800", "\u202e", "x" * 50_000, "%", "\\"])
def test_home_answers_whatever_is_asked(client, name, value):
    make_dated_webinar(20)

    response = client.get("/", {name: value.encode(errors="surrogatepass")})

    assert response.status_code == 200
    assert "\x00" not in response.content.decode()


def test_control_characters_do_not_hide_what_was_searched_for(client):
    make_dated_webinar(20, title="Border security in the Sahel")

    assert titles(client.get("/", {"q": "Sa\x00hel", "lang": "en\x00"}))[0] == ["Border security in the Sahel"]


def test_what_was_searched_for_stays_in_the_form(client):
    markup = client.get("/", {"q": '"><script>'}).content.decode()

    assert 'value="&quot;&gt;&lt;script&gt;"' in markup
    assert "0 webinars found" in markup


def test_home_tells_times_in_the_zone_that_was_chosen_and_remembers_it(client):
    webinar = make_webinar()
    make_session(webinar, local_date=date(2099, 1, 15), time_zone="UTC")

    chosen = client.get("/", {"tz": "Asia/Tokyo"})
    again = client.get("/")

    assert chosen.context["programme"].upcoming[0].time == "22:30"
    assert "Tokyo, UTC+9, your time" in again.content.decode()


def test_home_says_what_each_webinar_still_offers(client):
    make_dated_webinar(20, session={"capacity": 50, "places_taken": 47})
    make_dated_webinar(30, session={"capacity": 5, "places_taken": 5})
    make_dated_webinar(-20, attended_count=115)

    programme = client.get("/").context["programme"]

    assert [(row.words, row.mark) for row in programme.upcoming] == [
        ("3 places left", "few"),
        ("Full, waiting list open", "fullup"),
    ]
    assert [(row.words, row.mark) for row in programme.past] == [("Ended, 115 attended", "past")]


def test_what_was_called_off_stays_in_its_place_struck_through_until_it_would_have_ended(client):
    make_dated_webinar(20, title="Sooner")
    called_off = make_dated_webinar(30, title="Called off")
    make_dated_webinar(40, title="Later")
    scheduling.cancel_webinar(called_off, by=None, now=timezone.now())

    response = client.get("/")

    row = response.context["programme"].upcoming[1]
    assert titles(response) == (["Sooner", "Called off", "Later"], [])
    assert (row.words, row.mark) == ("Cancelled", "gone")
    assert re.search(f"<s><time [^>]*>{row.time}</time></s>", response.content.decode())
    assert titles_on(timezone.now() + timedelta(days=31)) == (["Later"], ["Called off", "Sooner"])


def test_what_took_place_is_over_though_another_session_of_it_was_called_off(client):
    webinar = make_dated_webinar(-20, title="Held once")
    make_session(webinar, local_date=in_days(30), state=Session.State.CANCELLED)

    assert titles(client.get("/")) == ([], ["Held once"])


# ---------- series, hosts, presenters ----------


def test_series_shows_its_partners_and_its_webinars(client):
    host = make_host()
    series = Series.objects.create(host=host, title="Region by region", slug="regions", about="One at a time.")
    partner = Partner.objects.create(host=host, name="The Congress", parent="The World")
    SeriesPartnership.objects.create(series=series, partner=partner)
    make_dated_webinar(host=host, series=series, title="Of the series")
    make_dated_webinar(host=host, title="Another")

    response = client.get("/series/regions/")

    assert titles(response) == (["Of the series"], [])
    assert "In partnership with" in response.content.decode()
    assert "The Congress" in response.content.decode()
    assert "One at a time." in response.content.decode()


def test_series_of_drafts_alone_has_no_page(client):
    series = Series.objects.create(host=make_host(), title="Secret plans", slug="plans")
    make_dated_webinar(host=series.host, series=series, status=Webinar.Status.DRAFT)

    assert client.get("/series/plans/").status_code == 404


def test_host_shows_its_own_webinars_and_a_calendar_to_subscribe_to(client, settings):
    host = make_host(slug="border-review", about="A magazine.", accent="#7a1f5c")
    make_dated_webinar(host=host, title="Ours")
    make_dated_webinar(title="Theirs")

    response = client.get("/hosts/border-review/")

    markup = response.content.decode()
    assert titles(response) == (["Ours"], [])
    assert "A magazine." in markup
    assert f'href="webcal://{settings.SITE_URL.split("://")[1]}/hosts/border-review/calendar.ics"' in markup
    assert 'href="/theme/7a1f5c.css"' in markup


def test_presenter_without_a_public_name_is_shown_by_job_title(client):
    webinar = make_dated_webinar(title="With the editor")
    presenter = make_presenter(host=webinar.host, name="", job_title="Editor", organization="Border Review")
    make_appearance(webinar, presenter)

    response = client.get(f"/presenters/{presenter.slug}/")

    assert titles(response) == (["With the editor"], [])
    assert "<h1><bdi>Editor</bdi></h1>" in response.content.decode()


def test_presenter_of_drafts_alone_has_no_page(client):
    webinar = make_dated_webinar(status=Webinar.Status.DRAFT)
    presenter = make_appearance(webinar).presenter

    assert client.get(f"/presenters/{presenter.slug}/").status_code == 404


# ---------- what programs read ----------


def test_sitemap_names_public_pages_alone(client, settings):
    listed = make_dated_webinar(title="For everyone")
    presenter = make_appearance(listed).presenter
    unlisted = make_dated_webinar(access=Webinar.Access.UNLISTED)
    draft = make_dated_webinar(status=Webinar.Status.DRAFT)
    hidden = make_appearance(unlisted).presenter

    lists = ("home", "webinars", "series", "hosts", "presenters")
    body = "".join(client.get(f"/sitemap-{name}-1.xml").content.decode() for name in lists)

    for path in ("/", f"/webinars/{listed.slug}/", f"/hosts/{listed.host.slug}/", f"/presenters/{presenter.slug}/"):
        assert f"<loc>{settings.SITE_URL}{path}</loc>" in body
    for slug in (unlisted.slug, draft.slug, draft.host.slug, hidden.slug):
        assert f"/{slug}/" not in body


def test_page_not_found_says_what_to_do(client):
    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert "We cannot find this page" in response.content.decode()


def test_pages_have_neither_inline_styles_nor_inline_scripts(client):
    webinar = make_dated_webinar()
    make_appearance(webinar)

    for path in ("/", webinar.get_absolute_url(), webinar.host.get_absolute_url(), "/nowhere/"):
        markup = client.get(path).content.decode()
        # Partners put their own frame's style into pages of theirs; here it is text.
        assert " style=" not in re.sub(r"<code>.*?</code>", "", markup)
        assert "<style" not in markup
        # What programs read is no script: browsers leave it alone.
        scripts = markup.replace('<script type="application/ld+json">', "")
        assert scripts.count("<script") == scripts.count("<script src=") == 1
