"""The list of pages for search engines."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone

from events import scheduling
from events.models import Series, Webinar
from events.views import crawlers
from tests.builders import make_appearance, make_session, make_webinar

pytestmark = pytest.mark.django_db

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


def lists(client, settings):
    """The paths of the lists that the index names."""
    index = ET.fromstring(client.get("/sitemap.xml").content)
    return [entry.findtext(f"{SITEMAP}loc", "").removeprefix(settings.SITE_URL) for entry in index]


def pages(client, settings):
    """Each address without the site's own, with when it changed and where its alternates are."""
    return {
        page.findtext(f"{SITEMAP}loc", "").removeprefix(settings.SITE_URL): (
            page.findtext(f"{SITEMAP}lastmod"),
            {link.get("hreflang"): link.get("href", "").removeprefix(settings.SITE_URL) for link in page.findall(LINK)},
        )
        for path in lists(client, settings)
        for page in ET.fromstring(client.get(path).content)
    }


def make_coming(**fields):
    return make_session(make_webinar(**fields), local_date=timezone.now().date() + timedelta(days=30))


def test_each_page_stands_there_in_each_language_with_the_others(client, settings):
    webinar = make_coming(slug="borders").webinar
    make_appearance(webinar)

    found = pages(client, settings)

    alternates = {
        "en": "/webinars/borders/",
        "ar": "/ar/webinars/borders/",
        "x-default": "/webinars/borders/",
    }
    assert found["/webinars/borders/"][1] == found["/ar/webinars/borders/"][1] == alternates
    assert found["/"][1] == {"en": "/", "ar": "/ar/", "x-default": "/"}
    assert len(found) == 2 * len(["home", "webinar", "host", "presenter"])


def test_a_page_has_changed_when_a_session_of_it_moved(client, settings):
    session = make_coming(slug="borders")
    later = timezone.now() + timedelta(days=3)

    session.local_time = session.local_time.replace(hour=15)
    scheduling.save_session(session, by=None, now=later)

    found = pages(client, settings)
    assert found["/webinars/borders/"][0] == found["/"][0] == later.date().isoformat()


@pytest.mark.parametrize("count", [1, 3])
def test_it_takes_the_same_number_of_queries_however_long(client, django_assert_num_queries, count):
    for number in range(count):
        webinar = make_coming().webinar
        webinar.series = Series.objects.create(host=webinar.host, title="Region", slug=f"region-{number}")
        webinar.save()
        make_appearance(webinar)
    assert Webinar.objects.listed().count() == count

    with django_assert_num_queries(4):
        client.get("/sitemap.xml")
    for name, queries in (("home", 2), ("webinars", 1), ("series", 1), ("hosts", 1), ("presenters", 1)):
        with django_assert_num_queries(queries):
            client.get(f"/sitemap-{name}-1.xml")


def test_long_list_is_cut_and_every_page_stands_in_one_part(client, settings, monkeypatch):
    monkeypatch.setattr(crawlers.SiteSitemap, "limit", 2)
    slugs = {make_coming().webinar.slug for _number in range(3)}

    parts = [path for path in lists(client, settings) if path.startswith("/sitemap-webinars-")]
    roots = [ET.fromstring(client.get(path).content) for path in parts]

    assert parts == [f"/sitemap-webinars-{number}.xml" for number in (1, 2, 3)]
    assert [len(root) for root in roots] == [2, 2, 2]
    assert {f"/webinars/{slug}/" for slug in slugs} < set(pages(client, settings))


@pytest.mark.parametrize("path", ["/sitemap-users-1.xml", "/sitemap-webinars-0.xml", "/sitemap-webinars-2.xml"])
def test_there_are_no_other_lists(client, path):
    make_coming()

    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/sitemap.xml", "/sitemap-webinars-1.xml"])
def test_lists_are_the_same_for_everybody_and_may_be_kept(client, path):
    make_coming()

    response = client.get(path)

    assert (response["Content-Type"], response["X-Robots-Tag"]) == ("application/xml", "noindex")
    assert response.is_shared
    assert not response.cookies


def test_robots_are_kept_from_what_is_personal(client, settings):
    lines = client.get("/robots.txt").content.decode().splitlines()

    assert lines == [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /mailbox/",
        "Disallow: /accounts/",
        "Disallow: /registrations/",
        "Disallow: /join/",
        "Disallow: /my/",
        "Disallow: /ar/accounts/",
        "Disallow: /ar/registrations/",
        "Disallow: /ar/join/",
        "Disallow: /ar/my/",
        f"Sitemap: {settings.SITE_URL}/sitemap.xml",
    ]
