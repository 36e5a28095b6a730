"""Pages that are gone or have moved: what is remembered of their addresses."""

import pytest

from events.addresses import Whereabouts, move, retire, whereabouts
from events.models import FormerAddress
from tests.builders import NOW

pytestmark = pytest.mark.django_db


def test_moved_page_takes_what_lies_below_it_along() -> None:
    move("/webinars/a/", "/webinars/b/", now=NOW)

    assert whereabouts("/webinars/a/") == Whereabouts("/webinars/b/")
    assert whereabouts("/webinars/a/calendar.ics") == Whereabouts("/webinars/b/calendar.ics")


def test_page_that_moved_twice_is_found_without_a_detour() -> None:
    move("/webinars/a/", "/webinars/b/", now=NOW)
    move("/webinars/b/", "/webinars/c/", now=NOW)

    assert whereabouts("/webinars/a/") == Whereabouts("/webinars/c/")


def test_page_that_moved_back_leads_nowhere_in_circles() -> None:
    move("/webinars/a/", "/webinars/b/", now=NOW)
    move("/webinars/b/", "/webinars/a/", now=NOW)

    assert whereabouts("/webinars/a/") is None
    assert whereabouts("/webinars/b/") == Whereabouts("/webinars/a/")


def test_what_led_to_a_page_that_is_gone_is_gone_with_it() -> None:
    move("/webinars/a/", "/webinars/b/", now=NOW)
    retire(["/webinars/b/"], now=NOW)

    assert [found.is_gone for path in "ab" if (found := whereabouts(f"/webinars/{path}/"))] == [True, True]


def test_acts_may_run_twice() -> None:
    for _time in range(2):
        retire(["/webinars/a/"], now=NOW)
        move("/webinars/b/", "/webinars/c/", now=NOW)

    assert FormerAddress.objects.count() == 2


@pytest.mark.parametrize("path", ["/", "/webinars/", "/webinars/other/", "/webinars/\x00/", f"/webinars/{'a' * 300}/"])
def test_nothing_is_known_of_other_paths(path: str) -> None:
    move("/webinars/a/", "/webinars/b/", now=NOW)

    assert whereabouts(path) is None
