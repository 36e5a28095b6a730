"""What is answered where there is no page."""

from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client

from events import addresses
from events.models import Webinar
from tests.builders import NOW, make_session, make_webinar

pytestmark = pytest.mark.django_db


def test_moved_page_leads_to_where_it_is_with_everything_asked(client: Client) -> None:
    addresses.move("/webinars/a/", "/webinars/b/", now=NOW)

    response = client.get("/webinars/a/replay/?tz=Asia/Tokyo")

    assert (response.status_code, response["Location"]) == (301, "/webinars/b/replay/?tz=Asia/Tokyo")


def test_moved_page_leads_to_itself_in_the_same_language(client: Client) -> None:
    addresses.move("/hosts/a/", "/hosts/b/", now=NOW)

    response = client.get("/ar/hosts/a/")

    assert (response.status_code, response["Location"]) == (301, "/ar/hosts/b/")


def test_page_that_is_gone_says_so_and_what_is_coming_up(client: Client) -> None:
    make_session(make_webinar(title="Border security in the Sahel"), local_date=date(2031, 5, 14))
    addresses.retire(["/webinars/a/"], now=NOW)

    response = client.get("/webinars/a/")

    assert response.status_code == 410
    assert "This page is gone" in response.content.decode()
    assert "Border security in the Sahel" in response.content.decode()
    assert 'role="search"' in response.content.decode()


def test_page_that_is_gone_is_so_in_every_language(client: Client) -> None:
    addresses.retire(["/webinars/a/"], now=NOW)

    response = client.get("/ar/webinars/a/")

    assert response.status_code == 410
    assert 'dir="rtl"' in response.content.decode()


def test_page_that_never_was_is_not_found_and_shows_what_is_coming_up(client: Client) -> None:
    make_session(make_webinar(title="Border security in the Sahel"), local_date=date(2031, 5, 14))
    make_session(make_webinar(title="A secret plan", status=Webinar.Status.DRAFT), local_date=date(2031, 5, 14))

    response = client.get("/webinars/a/")

    assert response.status_code == 404
    assert "Border security in the Sahel" in response.content.decode()
    assert "A secret plan" not in response.content.decode()


def test_draft_is_not_found(client: Client) -> None:
    draft = make_webinar(status=Webinar.Status.DRAFT)

    assert client.get(draft.get_absolute_url()).status_code == 404


def test_page_wins_over_what_its_address_was_before(client: Client) -> None:
    session = make_session()
    addresses.retire([session.webinar.get_absolute_url()], now=NOW)

    assert client.get(session.webinar.get_absolute_url()).status_code == 200


def test_what_is_sent_to_a_former_address_did_not_arrive(client: Client) -> None:
    addresses.move("/webinars/a/", "/webinars/b/", now=NOW)

    assert client.post("/webinars/a/register/").status_code == 404


def test_too_many_tries_are_told_when_to_come_back(client: Client) -> None:
    cache.clear()

    for attempt in range(40):
        response = client.post("/accounts/login/", {"login": f"anna{attempt}@example.org", "password": "wrong"})
        if response.status_code == 429:
            break

    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert "That was too fast" in response.content.decode()
    cache.clear()
