"""What is answered where there is no page."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events import addresses
from events.models import Webinar
from tests.builders import NOW, form_data, make_appearance, make_host, make_session, make_webinar

pytestmark = pytest.mark.django_db


def test_moved_page_leads_to_where_it_is_with_everything_asked(client: Client) -> None:
    addresses.move("/webinars/a/", "/webinars/b/", host=make_host(), now=NOW)

    response = client.get("/webinars/a/replay/?tz=Asia/Tokyo")

    assert (response.status_code, response["Location"]) == (301, "/webinars/b/replay/?tz=Asia/Tokyo")


def test_moved_page_leads_to_itself_in_the_same_language(client: Client) -> None:
    addresses.move("/hosts/a/", "/hosts/b/", host=make_host(), now=NOW)

    response = client.get("/ar/hosts/a/")

    assert (response.status_code, response["Location"]) == (301, "/ar/hosts/b/")


def test_page_that_is_gone_says_so_and_what_is_coming_up(client: Client) -> None:
    make_session(make_webinar(title="Border security in the Sahel"), local_date=date(2031, 5, 14))
    addresses.retire("/webinars/a/", host=make_host(), now=NOW)

    response = client.get("/webinars/a/")

    assert response.status_code == 410
    assert "This page is gone" in response.content.decode()
    assert "Border security in the Sahel" in response.content.decode()
    assert 'role="search"' in response.content.decode()


def test_page_that_is_gone_is_so_in_every_language(client: Client) -> None:
    addresses.retire("/webinars/a/", host=make_host(), now=NOW)

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
    addresses.retire(session.webinar.get_absolute_url(), host=session.webinar.host, now=NOW)

    assert client.get(session.webinar.get_absolute_url()).status_code == 200


def test_address_that_is_changed_back_leads_nobody_in_a_circle(client: Client) -> None:
    presenter, host = make_appearance(make_webinar()).presenter, make_host()
    path = presenter.get_absolute_url()
    addresses.move(path, "/presenters/b/", host=host, now=NOW)
    addresses.move("/presenters/b/", path, host=host, now=NOW)

    response = client.get("/presenters/b/")

    assert (response.status_code, response["Location"]) == (301, path)
    assert response["Cache-Control"] == "no-cache"
    assert client.get(path).status_code == 200


def test_page_that_is_gone_may_come_back(client: Client) -> None:
    addresses.retire("/webinars/a/", host=make_host(), now=NOW)

    assert client.get("/webinars/a/")["Cache-Control"] == "no-cache"


def test_what_is_sent_to_a_former_address_is_sent_again_where_it_is_now(client: Client) -> None:
    start = timezone.now() + timedelta(days=30)
    session = make_session(local_date=start.date())
    addresses.move("/webinars/a/", session.webinar.get_absolute_url(), host=session.webinar.host, now=NOW)

    sent = form_data(session, name="Anna", now=timezone.now() - timedelta(minutes=1))

    response = client.post("/webinars/a/register/", sent, follow=True)

    assert response.redirect_chain[0] == (f"{session.webinar.get_absolute_url()}register/", 308)
    assert "You have a place, Anna" in response.content.decode()


def test_what_is_sent_to_a_page_that_is_gone_did_not_arrive(client: Client) -> None:
    addresses.retire("/webinars/a/", host=make_host(), now=NOW)

    assert client.post("/webinars/a/register/").status_code == 410


@pytest.mark.parametrize("path", ["webinars/", "series/", "hosts/", "presenters/"])
@pytest.mark.parametrize("home", ["/", "/ar/"])
def test_cut_address_leads_to_the_list(client: Client, home: str, path: str) -> None:
    response = client.get(f"{home}{path}")

    assert (response.status_code, response["Location"]) == (301, home)


# ---------- in a partner's frame ----------


def may_be_framed(response: Any) -> bool:
    return (
        "frame-ancestors *" in response["Content-Security-Policy"]
        and "X-Frame-Options" not in response
        and response["Cross-Origin-Resource-Policy"] == "cross-origin"
    )


def test_frame_of_what_is_gone_says_so(client: Client) -> None:
    addresses.retire("/webinars/a/", host=make_host(), now=NOW)

    response = client.get("/webinars/a/embed/")

    assert response.status_code == 410
    assert may_be_framed(response)
    assert "This webinar is no longer here" in response.content.decode()


def test_frame_of_what_never_was_says_so(client: Client) -> None:
    response = client.get("/webinars/a/embed/")

    assert response.status_code == 404
    assert may_be_framed(response)
    assert "There is no webinar here" in response.content.decode()


def test_frame_of_what_has_moved_shows_it(client: Client) -> None:
    webinar = make_session().webinar
    addresses.move("/webinars/a/", webinar.get_absolute_url(), host=webinar.host, now=NOW)

    response = client.get("/webinars/a/embed/")
    shown = client.get(response["Location"])

    assert response["Location"] == f"{webinar.get_absolute_url()}embed/"
    assert may_be_framed(response)
    assert may_be_framed(shown)


def test_no_other_page_that_is_missing_may_be_framed(client: Client) -> None:
    response = client.get("/webinars/a/")

    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/en/webinars/a/", "/ar-eg/webinars/a/", "/AR/webinars/a/"])
def test_language_that_there_is_not_leads_nowhere(client, path):
    addresses.move("/webinars/a/", "/webinars/b/", host=make_host(), now=NOW)

    assert client.get(path).status_code == 404


def test_tail_of_an_address_stays_as_it_was_written(client):
    addresses.move("/webinars/a/", "/webinars/b/", host=make_host(), now=NOW)

    assert client.get("/webinars/a/x%3Fy%23z/")["Location"] == "/webinars/b/x%3Fy%23z/"
