"""Pages that are gone or have moved: what is remembered of their addresses, and what is answered there.

A page that exists is always answered; this is asked only where there would be none. Links and calendars that people
have go on asking at an address for years, so it stays its host's: no act touches what is another's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from events.models import FormerAddress, Host

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


def retire(path: str, *, host: Host, now: datetime) -> None:
    """Say that the host's page at this path is gone for good, and so is what once led there. May run twice."""
    with transaction.atomic():
        FormerAddress.objects.filter(host=host, moved_to=path).update(moved_to="", retired_at=now)
        _remember(path, host=host, moved_to="", now=now)


def move(old: str, new: str, *, host: Host, now: datetime) -> None:
    """Say that the host's page has a new path. What led to the old one leads to the new one, without a detour."""
    if old == new:
        return
    with transaction.atomic():
        reopen(new, host=host)
        FormerAddress.objects.filter(host=host, moved_to=old).update(moved_to=new)
        _remember(old, host=host, moved_to=new, now=now)


def reopen(path: str, *, host: Host) -> None:
    """Say that the host has a page at this path, again or for the first time. May run twice."""
    FormerAddress.objects.filter(host=host, path=path).delete()


def is_anothers(path: str, *, host: Host | None) -> bool:
    """Whether people who ask at this path mean a page of another host, which may be no more itself.

    They also ask where another host's former address leads. None: a host that is only being made.
    """
    asked_for = FormerAddress.objects.filter(Q(path=path) | Q(moved_to=path))
    return (asked_for if host is None else asked_for.exclude(host=host)).exists()


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


def _remember(path: str, *, host: Host, moved_to: str, now: datetime) -> None:
    said = {"moved_to": moved_to, "retired_at": now}
    former, is_new = FormerAddress.objects.get_or_create(path=path, defaults={"host": host, **said})
    if not is_new:
        FormerAddress.objects.filter(pk=former.pk, host=host).update(**said)
