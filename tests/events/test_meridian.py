"""One moment in many places: the chart, and the rows of words for paper."""

from datetime import UTC, datetime, timedelta

from events.meridian import day_bar, meridian, zone_times

START = datetime(2020, 10, 28, 12, 30, tzinfo=UTC)
END = START + timedelta(minutes=90)


def test_new_york_was_still_on_summer_time_when_london_no_longer_was():
    chart = meridian(START, END, ["Europe/London", "America/New_York", "Europe/Vienna"], reference="Europe/London")

    assert [(row.city, row.time, row.offset) for row in chart.rows] == [
        ("New York", "08:30", "UTC−4"),
        ("London", "12:30", "UTC"),
        ("Vienna", "13:30", "UTC+1"),
    ]
    assert chart.utc_time == "12:30"
    assert chart.width == "1.5"


def test_sky_and_midnight_stand_where_the_local_hour_puts_them():
    chart = meridian(START, END, ["America/New_York"], reference="America/New_York")

    assert (chart.rows[0].sky_x, chart.rows[0].midnight_x) == ("-20.5", "3.5")


def test_quarter_hours_are_exact_enough():
    chart = meridian(START, END, ["Asia/Kathmandu"], reference="Asia/Kathmandu")

    assert chart.rows[0].time == "18:15"
    assert (chart.rows[0].sky_x, chart.rows[0].midnight_x) == ("-30.25", "17.75")


def test_readers_city_is_added_in_its_place_and_marked():
    chart = meridian(START, END, ["America/New_York", "Asia/Bishkek"], reference="Europe/Kyiv", own="Europe/Kyiv")

    assert [(row.city, row.is_own) for row in chart.rows] == [("New York", False), ("Kyiv", True), ("Bishkek", False)]


def test_readers_city_stands_once_also_under_its_old_name():
    chart = meridian(START, END, ["Asia/Calcutta"], reference="Asia/Kolkata", own="Asia/Kolkata")

    assert [(row.time_zone, row.is_own) for row in chart.rows] == [("Asia/Kolkata", True)]


def test_date_is_told_only_where_it_differs_from_the_readers():
    evening = datetime(2020, 10, 29, 17, 0, tzinfo=UTC)

    chart = meridian(evening, evening + timedelta(hours=1), ["Asia/Tashkent", "Asia/Tokyo"], reference="Asia/Tashkent")

    assert [(row.city, row.time, row.date) for row in chart.rows] == [
        ("Tashkent", "22:00", ""),
        ("Tokyo", "02:00", "30 Oct"),
    ]


def test_order_is_that_of_the_day_of_the_session():
    # In January Phoenix and Denver agree; in July Denver is an hour ahead and so east of it.
    july = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)

    chart = meridian(july, july + timedelta(hours=1), ["America/Denver", "America/Phoenix"], reference="UTC")

    assert [row.city for row in chart.rows] == ["Phoenix", "Denver"]


def test_day_bar_has_the_sessions_of_the_readers_day():
    sessions = [(START, END), (START + timedelta(hours=9), END + timedelta(hours=9))]

    in_london = day_bar(sessions, START, "Europe/London")
    in_tashkent = day_bar(sessions, START, "Asia/Tashkent")

    assert [(block.x, block.width) for block in in_london] == [("12.5", "1.5"), ("21.5", "1.5")]
    assert [(block.x, block.width) for block in in_tashkent] == [("17.5", "1.5")]


def test_rows_of_words_stand_from_west_to_east_with_date_time_and_offset():
    rows = zone_times(START, END, ["Europe/Vienna", "America/New_York"], own="Asia/Tashkent")

    assert [(row.city, row.is_own, row.date, row.time, row.offset) for row in rows] == [
        ("New York", False, "Wed, 28 Oct 2020", "08:30 to 10:00", "UTC−4"),
        ("Vienna", False, "Wed, 28 Oct 2020", "13:30 to 15:00", "UTC+1"),
        ("Tashkent", True, "Wed, 28 Oct 2020", "17:30 to 19:00", "UTC+5"),
    ]


def test_zone_with_two_names_is_one_row_of_words():
    assert [row.city for row in zone_times(START, END, ["Asia/Calcutta", "Asia/Kolkata"])] == ["Kolkata"]


def test_end_after_midnight_is_said_to_be_on_the_next_day():
    rows = zone_times(START, END, ["Australia/Sydney", "Asia/Tokyo"])

    assert [(row.date, row.time, row.ends_next_day) for row in rows] == [
        ("Wed, 28 Oct 2020", "21:30 to 23:00", False),
        ("Wed, 28 Oct 2020", "23:30 to 01:00", True),
    ]
