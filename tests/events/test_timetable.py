"""A session in many zones, for paper."""

from datetime import UTC, datetime

from events.timetable import zone_times

START, END = datetime(2020, 10, 28, 12, 30, tzinfo=UTC), datetime(2020, 10, 28, 14, 0, tzinfo=UTC)


def test_cities_stand_from_west_to_east_with_date_time_and_offset() -> None:
    rows = zone_times(START, END, ["Europe/Vienna", "America/New_York"], own="Asia/Tashkent")

    assert [(row.city, row.is_own, row.date, row.time, row.offset) for row in rows] == [
        ("New York", False, "Wed, 28 Oct 2020", "08:30 to 10:00", "UTC−4"),
        ("Vienna", False, "Wed, 28 Oct 2020", "13:30 to 15:00", "UTC+1"),
        ("Tashkent", True, "Wed, 28 Oct 2020", "17:30 to 19:00", "UTC+5"),
    ]


def test_zone_with_two_names_stands_once() -> None:
    assert [row.city for row in zone_times(START, END, ["Asia/Calcutta", "Asia/Kolkata"])] == ["Kolkata"]


def test_end_after_midnight_is_on_the_next_day() -> None:
    rows = zone_times(START, END, ["Australia/Sydney", "Asia/Tokyo"])

    assert [(row.date, row.time, row.ends_next_day) for row in rows] == [
        ("Wed, 28 Oct 2020", "21:30 to 23:00", False),
        ("Wed, 28 Oct 2020", "23:30 to 01:00", True),
    ]
