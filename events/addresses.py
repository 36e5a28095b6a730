"""Pages that are gone or have moved: what is remembered of their addresses, and what is answered there.

A page that exists is always answered; this is asked only where there would be none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from events.models import FormerAddress

MAX_PATH_LENGTH = FormerAddress._meta.get_field("path").max_length or 0
# /webinars/border-challenges/: what lies below moves and goes with it.
STEPS_OF_A_PAGE = 2


@dataclass(frozen=True)
class Whereabouts:
    """What became of the page at an address: where it is now, empty where it is gone for good."""

    path: str

    @property
    def is_gone(self) -> bool:
        return not self.path


def retire(paths: Iterable[str], *, now: datetime) -> None:
    """Say that the pages at these paths are gone for good, and so is what once led there. May run twice."""
    with transaction.atomic():
        for path in paths:
            FormerAddress.objects.filter(moved_to=path).update(moved_to="", retired_at=now)
            _remember(path, moved_to="", now=now)


def move(old: str, new: str, *, now: datetime) -> None:
    """Say that the page has a new path. What led to the old one leads to the new one, without a detour."""
    if old == new:
        return
    with transaction.atomic():
        FormerAddress.objects.filter(path=new).delete()
        FormerAddress.objects.filter(moved_to=old).update(moved_to=new)
        _remember(old, moved_to=new, now=now)


def whereabouts(path: str) -> Whereabouts | None:
    """What became of the page at that path, or of the one that it lies below. None where nothing ever was."""
    steps = path.strip("/").split("/")
    own = f"/{'/'.join(steps[:STEPS_OF_A_PAGE])}/"
    if len(steps) < STEPS_OF_A_PAGE or len(own) > MAX_PATH_LENGTH or "\x00" in own:
        return None
    former = FormerAddress.objects.filter(path=own).first()
    if former is None:
        return None
    return Whereabouts(f"{former.moved_to}{path[len(own) :]}" if former.moved_to else "")


def _remember(path: str, *, moved_to: str, now: datetime) -> None:
    FormerAddress.objects.update_or_create(path=path, defaults={"moved_to": moved_to, "retired_at": now})
