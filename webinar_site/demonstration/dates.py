"""When the demonstration's webinars take place, counted from the day on which it is loaded."""

from datetime import date, timedelta

WEDNESDAY, THURSDAY, FRIDAY = 2, 3, 4


def weekday_ahead(today: date, weekday: int, *, weeks: int) -> date:
    """The first such weekday that is at least so many weeks ahead. Never a weekend, when clocks change."""
    earliest = today + timedelta(weeks=weeks)
    return earliest + timedelta(days=(weekday - earliest.weekday()) % 7)


def weekday_ago(today: date, weekday: int, *, weeks: int) -> date:
    """The last such weekday that is at least so many weeks ago."""
    latest = today - timedelta(weeks=weeks)
    return latest - timedelta(days=(latest.weekday() - weekday) % 7)
