"""For migrations that change many rows."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, QuerySet

ROWS = 20_000


def in_ranges(rows: QuerySet[Any]) -> Iterator[QuerySet[Any]]:
    """The rows by ranges of their keys, the lowest first, so that no statement is long however many there are."""
    last = rows.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, ROWS):
        yield rows.filter(pk__gte=first, pk__lt=first + ROWS)
