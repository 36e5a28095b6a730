"""The zone in which a reader wants times."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from events.reader import reader_zone, remember_zone


def a_request(query="", cookie=None):
    request = RequestFactory().get("/", {"tz": query} if query else {})
    if cookie is not None:
        request.COOKIES["tz"] = cookie
    return request


def test_nobody_knows_the_zone_of_a_first_visit():
    assert reader_zone(a_request()) is None


def test_the_page_asked_for_wins_over_what_was_remembered():
    assert reader_zone(a_request("Asia/Tokyo", cookie="Europe/London")) == "Asia/Tokyo"


@pytest.mark.parametrize("cookie", ["Asia/Tashkent", "Asia%2FTashkent"])
def test_remembered_zone_is_read(cookie):
    assert reader_zone(a_request(cookie=cookie)) == "Asia/Tashkent"


def test_old_names_become_the_present_ones():
    assert reader_zone(a_request("Asia/Calcutta")) == "Asia/Kolkata"


@pytest.mark.parametrize("nonsense", ["Mars/Olympus", "../../etc/passwd", "Europe/London\x00", "<script>", "x" * 9000])
def test_nonsense_is_nobodys_zone(nonsense):
    assert reader_zone(a_request(nonsense, cookie=nonsense)) is None


def test_chosen_zone_is_remembered():
    response = HttpResponse()

    remember_zone(a_request("Asia/Tokyo"), response)

    assert response.cookies["tz"].value == "Asia/Tokyo"
    assert response["Vary"] == "Cookie"


def test_nothing_is_remembered_when_nothing_was_chosen():
    response = HttpResponse()

    remember_zone(a_request(cookie="Asia/Tokyo"), response)

    assert not response.cookies


def test_broken_cookie_is_forgotten():
    response = HttpResponse()

    remember_zone(a_request(cookie="Mars/Olympus"), response)

    assert response.cookies["tz"]["max-age"] == 0
