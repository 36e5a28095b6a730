"""The list of pages for search engines."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone

from events import scheduling
from events.models import Series, Webinar
from tests.builders import make_appearance, make_session, make_webinar

pytestmark = pytest.mark.django_db

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


def pages(client, settings):
    """Each address without the site's own, with when it changed and where its alternates are."""
    root = ET.fromstring(client.get("/sitemap.xml").content)
    return {
        page.findtext(f"{SITEMAP}loc", "").removeprefix(settings.SITE_URL): (
            page.findtext(f"{SITEMAP}lastmod"),
            {link.get("hreflang"): link.get("href", "").removeprefix(settings.SITE_URL) for link in page.findall(LINK)},
        )
        for page in root
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

    with django_assert_num_queries(6):
        client.get("/sitemap.xml")
