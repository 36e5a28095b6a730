"""Wall-clock times, and the instants they stand for."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import timezones


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        # The seed's webinar: New York was still on summer time on 28 October 2020.
        (date(2020, 10, 28), time(8, 30), "America/New_York", datetime(2020, 10, 28, 12, 30, tzinfo=UTC)),
        (date(2020, 10, 28), time(12, 30), "Europe/London", datetime(2020, 10, 28, 12, 30, tzinfo=UTC)),
        (date(2026, 7, 1), time(12, 30), "Europe/London", datetime(2026, 7, 1, 11, 30, tzinfo=UTC)),
        (date(2026, 1, 1), time(12, 30), "Asia/Kathmandu", datetime(2026, 1, 1, 6, 45, tzinfo=UTC)),
        # Kazakhstan has one zone since 1 March 2024.
        (date(2024, 2, 28), time(12, 0), "Asia/Almaty", datetime(2024, 2, 28, 6, 0, tzinfo=UTC)),
        (date(2024, 3, 2), time(12, 0), "Asia/Almaty", datetime(2024, 3, 2, 7, 0, tzinfo=UTC)),
        # The pinned rules, not the system's: Vancouver stays on summer time from November 2026.
        (date(2026, 12, 1), time(12, 0), "America/Vancouver", datetime(2026, 12, 1, 19, 0, tzinfo=UTC)),
    ],
)
def test_resolve_gives_the_instant_of_the_wall_clock(day, at, zone, instant):
    assert timezones.resolve(day, at, zone) == instant


@pytest.mark.parametrize(
    ("day", "at", "zone", "before", "after"),
    [
        (date(2027, 3, 28), time(1, 30), "Europe/London", "00:59", "02:00"),
        (date(2027, 3, 14), time(2, 0), "America/New_York", "01:59", "03:00"),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "01:59", "02:30"),
    ],
)
def test_resolve_refuses_a_time_that_clocks_skip_and_names_the_nearest(day, at, zone, before, after):
    with pytest.raises(timezones.NonexistentTimeError) as refusal:
        timezones.resolve(day, at, zone)

    assert f"{refusal.value.before:%H:%M}" == before
    assert f"{refusal.value.after:%H:%M}" == after


def test_resolve_asks_which_when_a_time_comes_twice():
    day, at = date(2026, 10, 25), time(1, 30)

    with pytest.raises(timezones.AmbiguousTimeError):
        timezones.resolve(day, at, "Europe/London")

    assert timezones.resolve(day, at, "Europe/London", second_occurrence=False) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert timezones.resolve(day, at, "Europe/London", second_occurrence=True) == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "EST5EDT\n", "Europe", "UTC+1", "a" * 500])
def test_a_name_that_is_not_a_zone_is_unknown(name):
    assert not timezones.is_known(name)
    with pytest.raises(timezones.UnknownTimeZoneError):
        timezones.get_zone(name)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - wall-clock times
    st.sampled_from([choice.name for choice in timezones.zone_choices()]),
)
def test_every_wall_clock_time_reads_the_same_when_it_comes_back(local, zone):
    try:
        instant = timezones.resolve(local.date(), local.time(), zone)
    except (timezones.NonexistentTimeError, timezones.AmbiguousTimeError):
        return

    assert instant.astimezone(timezones.get_zone(zone)).replace(tzinfo=None) == local


@pytest.mark.parametrize(
    ("old", "current"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Europe/Oslo", "Europe/Oslo"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
    ],
)
def test_old_names_become_current_ones_and_places_stay(old, current):
    assert timezones.canonical_name(old) == current


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("America/New_York", "UTC−4"),
        ("Europe/London", "UTC"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("America/St_Johns", "UTC−2:30"),
    ],
)
def test_offset_is_that_of_the_day(zone, label):
    assert timezones.utc_offset_label(datetime(2020, 10, 28, 12, 30, tzinfo=UTC), zone) == label


def test_cities_are_named_in_the_readers_language():
    assert timezones.city_name("Asia/Tashkent", "en") == "Tashkent"
    assert timezones.city_name("Asia/Calcutta", "en") == "Kolkata"
    assert timezones.city_name("America/Argentina/Buenos_Aires", "en") == "Buenos Aires"
    assert timezones.city_name("Asia/Tashkent", "ar") == "طشقند"
    assert timezones.city_name("Asia/Kolkata", "ar") == "كالكتا"


def test_zones_stand_from_west_to_east_as_clocks_are_on_the_day():
    names = ["Asia/Calcutta", "America/Denver", "America/Phoenix", "Asia/Kolkata"]

    # In January Phoenix and Denver agree, and stand as they were named; in July Denver is an hour ahead.
    january = timezones.from_west_to_east(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), names)
    july = timezones.from_west_to_east(datetime(2026, 7, 1, 12, 0, tzinfo=UTC), names, "Europe/Oslo")

    assert january == ["America/Denver", "America/Phoenix", "Asia/Kolkata"]
    assert july == ["America/Phoenix", "America/Denver", "Europe/Oslo", "Asia/Kolkata"]


def test_the_end_is_on_the_next_day_where_midnight_lies_between():
    start, end = datetime(2020, 10, 28, 12, 30, tzinfo=UTC), datetime(2020, 10, 28, 14, 0, tzinfo=UTC)

    assert timezones.ends_next_day(start, end, "Asia/Tokyo") is False
    assert timezones.ends_next_day(start, end, "Australia/Sydney") is True
