"""The webinars that a page names beside its own."""

from datetime import date

import pytest

from events.lookup import get_webinar
from events.models import Series, Webinar
from events.related import related_webinars
from tests.builders import NOW, make_host, make_session, make_webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar():
    host = make_host()
    series = Series.objects.create(host=host, title="Region by region", slug="regions")
    return make_session(make_webinar(host=host, series=series)).webinar


def titles_beside(webinar, *, is_called_off=False):
    beside = related_webinars(get_webinar(webinar.slug), is_called_off=is_called_off, now=NOW, zone="Europe/London")
    return [other.title for other in beside]


def test_what_the_organizer_recommends_stands_alone(webinar):
    make_session(make_webinar(host=webinar.host, series=webinar.series, title="Of the series"))
    chosen = make_webinar(title="Chosen")
    make_session(chosen)
    webinar.recommended.add(chosen)

    assert titles_beside(webinar) == ["Chosen"]


def test_without_a_choice_the_series_comes_before_the_host_and_the_host_before_the_language(webinar):
    of_language = make_webinar(title="Of the language")
    hosts = [make_webinar(host=webinar.host, title=f"Of the host, {number}") for number in (1, 2)]
    of_both = {"host": webinar.host, "series": webinar.series}
    series = [make_webinar(**of_both, title=f"Of the series, {number}") for number in (1, 2)]
    russian = make_webinar(title="Of another language", language="ru")
    for day, other in enumerate((russian, of_language, *hosts, *series), start=1):
        make_session(other, local_date=date(2026, 10, day))

    assert titles_beside(webinar) == ["Of the host, 1", "Of the series, 1", "Of the series, 2"]
    series[0].delete()
    assert titles_beside(webinar) == ["Of the host, 1", "Of the host, 2", "Of the series, 2"]
    hosts[0].delete()
    assert titles_beside(webinar) == ["Of the language", "Of the host, 2", "Of the series, 2"]
    of_language.delete()
    assert titles_beside(webinar) == ["Of the host, 2", "Of the series, 2"]


def test_without_a_choice_what_is_coming_stands_before_what_is_over(webinar):
    for number, day in enumerate((date(2026, 8, 1), date(2026, 11, 2), date(2026, 9, 1), date(2026, 12, 3))):
        make_session(make_webinar(host=webinar.host, title=f"Number {number}"), local_date=day)

    assert titles_beside(webinar) == ["Number 1", "Number 3", "Number 2"]


def test_what_is_over_is_recommended_for_its_series_or_host_alone(webinar):
    make_session(make_webinar(title="Of the language"), local_date=date(2026, 8, 1))
    make_session(make_webinar(host=webinar.host, title="Of the host"), local_date=date(2026, 8, 1))

    assert titles_beside(webinar) == ["Of the host"]


def test_nothing_hidden_or_called_off_is_recommended_without_a_choice(webinar):
    for title, fields in (
        ("A draft", {"status": Webinar.Status.DRAFT}),
        ("Unlisted", {"access": Webinar.Access.UNLISTED}),
        ("Cancelled", {"status": Webinar.Status.CANCELLED}),
    ):
        make_session(make_webinar(host=webinar.host, series=webinar.series, title=title, **fields))
    called_off = make_webinar(host=webinar.host, series=webinar.series, title="Called off")
    make_session(called_off, state="cancelled")
    make_session(called_off, state="cancelled", local_date=date(2026, 8, 1))
    make_webinar(host=webinar.host, series=webinar.series, title="Not dated yet")

    assert titles_beside(webinar) == []


def test_what_the_organizer_recommends_and_nobody_can_see_makes_room_for_others(webinar):
    webinar.recommended.add(make_webinar(title="A draft", status=Webinar.Status.DRAFT))
    make_session(make_webinar(host=webinar.host, title="Of the host"))

    assert titles_beside(webinar) == ["Of the host"]


def test_what_was_called_off_names_what_its_organizer_recommends_before_what_its_host_gives_next():
    webinar = make_webinar(status=Webinar.Status.CANCELLED)
    make_session(webinar)
    make_session(make_webinar(host=webinar.host, title="The host's next"))
    recommended, called_off = make_webinar(title="Recommended"), make_webinar(title="Called off too")
    make_session(recommended)
    make_session(called_off, state="cancelled")
    webinar.recommended.add(recommended, called_off)

    assert titles_beside(webinar, is_called_off=True) == ["Recommended"]
