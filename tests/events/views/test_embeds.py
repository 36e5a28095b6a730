"""What others show of a webinar on pages of theirs."""

import io
import json
import re
from datetime import timedelta
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from django.core.cache import cache
from django.utils import timezone
from PIL import Image

from events import addresses
from events.models import Webinar
from tests.builders import make_host, make_session, make_webinar

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()


def make_coming(**fields):
    session = fields.pop("session", {})
    webinar = make_webinar(**{"slug": "borders", "title": "Borders", **fields})
    make_session(webinar, local_date=timezone.now().date() + timedelta(days=30), **session)
    return webinar


def meta(markup, name):
    found = re.search(rf'<meta (?:property|name)="{name}" content="([^"]*)">', markup)
    return unescape(found[1]) if found else None


def picture_path(client, settings, page="/webinars/borders/"):
    return meta(client.get(page).content.decode(), "og:image").removeprefix(settings.SITE_URL)


# ---------- the picture ----------


def test_page_names_its_picture_with_its_size_and_words(client, settings):
    make_coming(host=make_host(name="Border Review"))

    markup = client.get("/webinars/borders/").content.decode()

    assert meta(markup, "og:image").startswith(f"{settings.SITE_URL}/webinars/borders/card-")
    assert (meta(markup, "og:image:width"), meta(markup, "og:image:height")) == ("1200", "630")
    assert meta(markup, "og:image:alt").startswith("Borders. ")
    assert meta(markup, "og:image:alt").endswith("Border Review")
    assert meta(markup, "twitter:card") == "summary_large_image"


def test_picture_is_kept_for_a_year_and_may_be_shown_by_others(client, settings):
    make_coming()

    response = client.get(picture_path(client, settings))

    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not response.cookies
    assert Image.open(io.BytesIO(response.content)).size == (1200, 630)


def test_picture_is_drawn_once(client, settings, monkeypatch):
    make_coming()
    path = picture_path(client, settings)
    first = client.get(path)

    monkeypatch.setattr("events.syndication.cards.draw", lambda card: pytest.fail("drawn again"))

    assert client.get(path).content == first.content


def test_every_other_address_leads_to_the_right_one_and_draws_nothing(client, settings, monkeypatch):
    make_coming()
    path = picture_path(client, settings)
    monkeypatch.setattr("events.syndication.cards.draw", lambda card: pytest.fail("drawn"))

    response = client.get("/webinars/borders/card-0123456789abcdef.png")

    assert (response.status_code, response["Location"]) == (302, path)
    assert client.get("/webinars/borders/card-0123.png").status_code == 404


def test_unlisted_webinars_have_a_picture_and_drafts_have_none(client, settings):
    make_coming(access=Webinar.Access.UNLISTED)
    path = picture_path(client, settings)
    assert client.get(path).status_code == 200

    Webinar.objects.update(status=Webinar.Status.DRAFT)

    assert client.get(path).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_picture_takes_three_queries(client, settings, django_assert_num_queries, count):
    webinar = make_coming()
    for number in range(count - 1):
        make_session(webinar, local_date=timezone.now().date() + timedelta(days=40 + number))
    path = picture_path(client, settings)

    with django_assert_num_queries(3):
        client.get(path)


# ---------- the card in a frame ----------


def test_embedded_card_says_what_when_and_whose_and_leads_here(client, settings):
    make_coming(host=make_host(name="Border Review", time_zone="Asia/Tashkent"), session={"time_zone": "Asia/Tashkent"})

    markup = client.get("/webinars/borders/embed/").content.decode()

    text = " ".join(re.sub(r"<[^>]*>", " ", markup).split())
    assert "Border Review Borders" in text
    assert "13:30 to 15:00 Tashkent, UTC+5 08:30 UTC" in text
    assert "Places free" in text
    assert f'<a href="{settings.SITE_URL}/webinars/borders/" target="_blank" rel="noopener">Register' in markup


def test_embedded_card_has_no_script_and_two_small_styles(client):
    make_coming()

    markup = client.get("/webinars/borders/embed/").content.decode()

    assert "<script" not in markup
    assert " style=" not in markup
    assert "<form" not in markup
    assert re.findall(r'rel="stylesheet" href="([^"]*)"', markup) == [
        "/static/css/tokens.css",
        "/theme/0b6b74.css",
        "/static/css/embed.css",
    ]


def test_it_alone_may_be_framed(client):
    webinar = make_coming()

    card = client.get("/webinars/borders/embed/")

    assert "frame-ancestors *" in card["Content-Security-Policy"]
    assert "X-Frame-Options" not in card
    assert card["Cross-Origin-Resource-Policy"] == "cross-origin"
    for path in ("/", "/webinars/borders/", webinar.host.get_absolute_url(), "/webinars/borders/calendar.ics"):
        other = client.get(path)
        assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
        assert other["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("fields", "days", "action"),
    [
        ({"session": {"capacity": 5, "places_taken": 5}}, 0, "Join the waiting list"),
        ({"session": {"capacity": 5, "places_taken": 5, "has_waiting_list": False}}, 0, "See the webinar"),
        ({"status": Webinar.Status.CANCELLED}, 0, "See the webinar"),
        ({}, -60, "See the webinar"),
        ({"replay_url": "https://video.example.org/1"}, -60, "Watch the replay"),
        ({}, 0, "Register"),
    ],
)
def test_embedded_card_asks_for_what_can_be_done(client, fields, days, action):
    webinar = make_coming(**fields)
    webinar.sessions.update(
        starts_at=timezone.now() + timedelta(days=30 + days),
        ends_at=timezone.now() + timedelta(days=30 + days, hours=1),
    )

    markup = client.get("/webinars/borders/embed/").content.decode()

    assert f">{action}<" in markup


def test_embedded_card_of_a_draft_is_not_found(client):
    make_coming(status=Webinar.Status.DRAFT)

    assert client.get("/webinars/borders/embed/").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_embedded_card_takes_three_queries(client, django_assert_num_queries, count):
    webinar = make_coming()
    for number in range(count - 1):
        make_session(webinar, local_date=timezone.now().date() + timedelta(days=40 + number))

    with django_assert_num_queries(3):
        response = client.get("/webinars/borders/embed/")

    assert ("3 sessions to choose from" in response.content.decode()) == (count == 3)


# ---------- oEmbed ----------


def ask(client, settings, path="/webinars/borders/", **query):
    return client.get("/oembed", {"url": f"{settings.SITE_URL}{path}", **query})


def test_oembed_answers_with_a_frame(client, settings):
    webinar = make_coming(title='"Borders" & more', host=make_host(name="Border Review"))

    response = ask(client, settings)

    answer = response.json()
    picture = picture_path(client, settings)
    assert response["Content-Type"] == "application/json"
    assert answer == {
        "version": "1.0",
        "type": "rich",
        "title": '"Borders" & more',
        "author_name": "Border Review",
        "author_url": f"{settings.SITE_URL}{webinar.host.get_absolute_url()}",
        "provider_name": "Webinars",
        "provider_url": f"{settings.SITE_URL}/",
        "cache_age": 3600,
        "html": f'<iframe src="{settings.SITE_URL}/webinars/borders/embed/" width="600" height="300" '
        'title="&quot;Borders&quot; &amp; more" loading="lazy" frameborder="0" '
        'style="max-width:100%"></iframe>',
        "width": 600,
        "height": 300,
        "thumbnail_url": f"{settings.SITE_URL}{picture}",
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
    }


def test_oembed_speaks_xml_too(client, settings):
    make_coming(title='"Borders" & more')

    response = ask(client, settings, format="xml")

    root = ET.fromstring(response.content)
    assert response["Content-Type"] == "text/xml; charset=utf-8"
    assert root.tag == "oembed"
    assert {child.tag: child.text for child in root} == {
        name: str(value) for name, value in ask(client, settings).json().items()
    }


def test_oembed_keeps_to_the_sizes_that_it_is_given(client, settings):
    make_coming()

    answer = ask(client, settings, maxwidth="320", maxheight="200").json()

    assert (answer["width"], answer["height"]) == (320, 200)
    assert 'width="320" height="200"' in answer["html"]
    assert "thumbnail_url" not in answer


def test_oembed_answers_in_the_language_of_the_address(client, settings):
    make_coming()

    answer = ask(client, settings, "/ar/webinars/borders/").json()

    assert f'src="{settings.SITE_URL}/ar/webinars/borders/embed/"' in answer["html"]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.org/webinars/borders/",
        "{site}/webinars/nowhere/",
        "{site}/webinars/borders/register/",
        "{site}/hosts/borders/",
        "{site}.example.org/webinars/borders/",
        "javascript:alert(1)",
        "http://[",
        "{site}/webinars/bor\x00ders/",
    ],
)
def test_oembed_knows_nothing_of_other_addresses(client, settings, url):
    make_coming()

    assert client.get("/oembed", {"url": url.format(site=settings.SITE_URL)}).status_code == 404


def test_oembed_answers_a_former_address_for_where_the_page_is_now(client, settings):
    webinar = make_coming()
    addresses.move("/webinars/before/", "/webinars/borders/", host=webinar.host, now=timezone.now())

    for prefix in ("", "/ar"):
        answer = ask(client, settings, f"{prefix}/webinars/before/").json()

        assert f'src="{settings.SITE_URL}{prefix}/webinars/borders/embed/"' in answer["html"]


def test_oembed_knows_nothing_of_what_is_gone(client, settings):
    addresses.retire("/webinars/before/", host=make_host(), now=timezone.now())

    assert ask(client, settings, "/webinars/before/").status_code == 404


def test_oembed_knows_nothing_of_drafts(client, settings):
    make_coming(status=Webinar.Status.DRAFT)

    assert ask(client, settings).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"format": "yaml"}, 501),
        ({"maxwidth": "wide"}, 400),
        ({"maxheight": "0"}, 400),
        ({"maxheight": "-3"}, 400),
        ({"maxwidth": "9" * 5000}, 400),
        ({"url": ""}, 400),
    ],
)
def test_oembed_refuses_what_it_cannot_do(client, settings, query, status):
    make_coming()

    assert ask(client, settings, **query).status_code == status


def test_unchanged_answer_is_not_sent_twice(client, settings):
    make_coming()
    first = ask(client, settings)

    again = client.get(
        "/oembed",
        {"url": f"{settings.SITE_URL}/webinars/borders/"},
        headers={"If-None-Match": first["ETag"]},
    )

    assert again.status_code == 304


def test_page_leads_to_its_answer(client):
    make_coming()
    markup = client.get("/webinars/borders/").content.decode()

    [address] = re.findall(r'type="application/json\+oembed" href="([^"]*)"', markup)

    assert json.loads(client.get(unescape(address)).content)["title"] == "Borders"


@pytest.mark.parametrize("count", [1, 3])
def test_oembed_takes_three_queries(client, settings, django_assert_num_queries, count):
    webinar = make_coming()
    for number in range(count - 1):
        make_session(webinar, local_date=timezone.now().date() + timedelta(days=40 + number))

    with django_assert_num_queries(3):
        ask(client, settings)
