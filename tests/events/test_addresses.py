"""Pages that are gone or have moved: what is remembered of their addresses, and that they stay their host's."""

import pytest

from events.addresses import Whereabouts, is_anothers, move, reopen, retire, whereabouts
from events.models import FormerAddress, Host
from tests.builders import NOW, make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    return make_host()


def test_moved_page_takes_what_lies_below_it_along(host: Host) -> None:
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)

    assert whereabouts("/webinars/a/") == Whereabouts("/webinars/b/")
    assert whereabouts("/webinars/a/calendar.ics") == Whereabouts("/webinars/b/calendar.ics")


def test_page_that_moved_twice_is_found_without_a_detour(host: Host) -> None:
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)
    move("/webinars/b/", "/webinars/c/", host=host, now=NOW)

    assert whereabouts("/webinars/a/") == Whereabouts("/webinars/c/")


def test_page_that_moved_back_leads_nowhere_in_circles(host: Host) -> None:
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)
    move("/webinars/b/", "/webinars/a/", host=host, now=NOW)

    assert whereabouts("/webinars/a/") is None
    assert whereabouts("/webinars/b/") == Whereabouts("/webinars/a/")


def test_what_led_to_a_page_that_is_gone_is_gone_with_it(host: Host) -> None:
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)
    retire("/webinars/b/", host=host, now=NOW)

    assert [found.is_gone for path in "ab" if (found := whereabouts(f"/webinars/{path}/"))] == [True, True]


def test_acts_may_run_twice(host: Host) -> None:
    for _time in range(2):
        retire("/webinars/a/", host=host, now=NOW)
        move("/webinars/b/", "/webinars/c/", host=host, now=NOW)

    assert FormerAddress.objects.count() == 2


@pytest.mark.parametrize("path", ["/", "/webinars/", "/webinars/other/", "/webinars/\x00/", f"/webinars/{'a' * 300}/"])
def test_nothing_is_known_of_other_paths(path: str, host: Host) -> None:
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)

    assert whereabouts(path) is None


# ---------- whose they are ----------


def test_no_act_of_another_host_changes_where_an_address_leads(host: Host) -> None:
    other = make_host()
    move("/hosts/a/", "/hosts/b/", host=host, now=NOW)

    retire("/hosts/a/", host=other, now=NOW)
    retire("/hosts/b/", host=other, now=NOW)
    move("/hosts/a/", "/hosts/c/", host=other, now=NOW)
    move("/hosts/b/", "/hosts/c/", host=other, now=NOW)
    move("/hosts/c/", "/hosts/a/", host=other, now=NOW)
    reopen("/hosts/a/", host=other)

    assert whereabouts("/hosts/a/") == Whereabouts("/hosts/b/")


def test_address_stays_with_a_host_that_is_no_more(host: Host) -> None:
    retire("/hosts/a/", host=host, now=NOW)
    host.delete()

    other = make_host()
    move("/hosts/a/", "/hosts/c/", host=other, now=NOW)

    assert whereabouts("/hosts/a/") == Whereabouts("")
    assert (is_anothers("/hosts/a/", host=other), is_anothers("/hosts/a/", host=None)) == (True, True)


def test_address_is_anothers_where_a_former_address_of_another_is_or_leads(host: Host) -> None:
    other = make_host()
    move("/webinars/a/", "/webinars/b/", host=host, now=NOW)

    assert [is_anothers(f"/webinars/{slug}/", host=host) for slug in "abc"] == [False, False, False]
    assert [is_anothers(f"/webinars/{slug}/", host=other) for slug in "abc"] == [True, True, False]
    assert [is_anothers(f"/webinars/{slug}/", host=None) for slug in "abc"] == [True, True, False]
