"""What programs find in the head of pages: where a page is at home, its other languages, its feeds, how to embed it."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.utils import timezone

from events.models import Series, Webinar
from tests.builders import make_appearance, make_organizer, make_session, make_webinar

pytestmark = pytest.mark.django_db


def make_coming(**fields):
    webinar = make_webinar(**{"slug": "borders", "title": "Borders", **fields})
    make_session(webinar, local_date=timezone.now().date() + timedelta(days=30))
    return webinar


def links(client, path, **query):
    """The links of a page's head by what they are, without the site's own address."""
    markup = client.get(path, query).content.decode()
    head = markup[: markup.index("</head>")]
    found = {}
    for attributes in re.findall(r"<link ([^>]*)>", head):
        values = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', attributes)}
        if values["rel"] in {"canonical", "alternate"}:
            name = values.get("hreflang") or values.get("type") or values["rel"]
            found[name] = values["href"].removeprefix(settings.SITE_URL)
    return found


def public_pages():
    webinar = make_coming(series=Series.objects.create(host=make_webinar().host, title="Region", slug="region"))
    presenter = make_appearance(webinar).presenter
    return [
        f"/{rest}"
        for rest in (
            "",
            "webinars/borders/",
            "series/region/",
            *(subject.get_absolute_url().lstrip("/") for subject in (webinar.host, presenter)),
        )
    ]


def test_public_pages_say_where_they_are_and_where_their_other_languages_are(client):
    for path in public_pages():
        alternates = {"en": path, "ar": f"/ar{path}", "x-default": path}

        english, arabic = links(client, path), links(client, f"/ar{path}")

        assert english.items() >= {"canonical": path, **alternates}.items(), path
        assert arabic.items() >= {"canonical": f"/ar{path}", **alternates}.items(), path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tz": "Asia/Tokyo", "q": "border"}, "/"),
        ({"utm_source": "mail"}, "/"),
        ({"page": "3"}, "/?page=3"),
        ({"page": "1"}, "/"),
        ({"page": '"><script>'}, "/"),
    ],
)
def test_what_was_asked_of_a_page_is_no_page_of_its_own(client, query, expected):
    found = links(client, "/", **query)

    assert found["canonical"] == found["en"] == expected


def test_pages_lead_to_their_feeds(client):
    webinar = make_coming(series=Series.objects.create(host=make_webinar().host, title="Region", slug="region"))
    host = webinar.host.slug

    assert links(client, "/")["application/atom+xml"] == "/feed.atom"
    assert links(client, f"/hosts/{host}/")["application/atom+xml"] == f"/hosts/{host}/feed.atom"
    assert links(client, f"/hosts/{host}/")["text/calendar"] == f"/hosts/{host}/calendar.ics"
    assert links(client, "/series/region/")["text/calendar"] == "/series/region/calendar.ics"
    assert links(client, "/webinars/borders/")["application/atom+xml"] == f"/hosts/{host}/feed.atom"
    assert links(client, "/webinars/borders/")["text/calendar"] == "/webinars/borders/feed.ics"


def test_every_address_in_the_head_opens(client):
    make_coming()

    for name, path in links(client, "/webinars/borders/").items():
        assert client.get(path).status_code == 200, name


def test_unlisted_page_can_be_shared_and_not_found(client):
    make_coming(access=Webinar.Access.UNLISTED)

    markup = client.get("/webinars/borders/").content.decode()

    assert '<meta name="robots" content="noindex">' in markup
    assert "application/ld+json" not in markup
    assert "og:image" in markup


def test_draft_tells_programs_nothing(client):
    webinar = make_coming(status=Webinar.Status.DRAFT)
    client.force_login(make_organizer(webinar.host))

    markup = client.get("/webinars/borders/").content.decode()

    assert '<meta name="robots" content="noindex">' in markup
    for word in ("application/ld+json", "og:image", "oembed"):
        assert word not in markup


def test_listed_page_may_be_found_and_has_its_data(client):
    make_coming()

    markup = client.get("/webinars/borders/").content.decode()

    assert "noindex" not in markup
    assert markup.count('<script type="application/ld+json">') == 1


@pytest.mark.parametrize("count", [1, 3])
def test_what_programs_read_costs_the_page_no_query(client, django_assert_max_num_queries, count):
    webinar = make_coming(series=Series.objects.create(host=make_webinar().host, title="Region", slug="region"))
    for number in range(count):
        make_appearance(webinar)
        make_session(webinar, local_date=timezone.now().date() + timedelta(days=40 + number))

    with django_assert_max_num_queries(8):
        client.get("/webinars/borders/")
