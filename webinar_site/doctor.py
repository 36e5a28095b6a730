"""Whether everything is as it must be, for whoever runs the site: a list of checks, each a small function.

A check looks and changes nothing. It gets the moment, and says in one sentence what it saw and, where that is not as it
should be, what to do.
"""

import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from events import zone_rules
from webinar_site import health


class Light(Enum):
    """Green: as it must be. Amber: it runs, and somebody should look. Red: something does not work."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Seen:
    """What a check saw, in a sentence, and what to do about it; nothing to do where the light is green."""

    light: Light
    what: str
    to_do: str = ""


@dataclass(frozen=True)
class Line:
    """A check by its name, with what it saw."""

    name: str
    seen: Seen


def check_database(_now: datetime) -> Seen:
    if not health.database_answers():
        return Seen(Light.RED, "The database does not answer.", "Look at DATABASE_URL and at PostgreSQL.")
    return Seen(Light.GREEN, f"The database answers ({connection.vendor}).")


def check_migrations(_now: datetime) -> Seen:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return Seen(Light.RED, f"Migrations that are not applied: {missing}.", "Run manage.py migrate, and restart.")
    return Seen(Light.GREEN, "All migrations are applied.")


def check_broker(_now: datetime) -> Seen:
    if not health.broker_answers():
        return Seen(Light.RED, "The broker does not answer: mail waits.", "Look at REDIS_URL and at Redis.")
    return Seen(Light.GREEN, "The broker answers.")


def check_zone_rules(_now: datetime) -> Seen:
    if zoneinfo.TZPATH:
        return Seen(
            Light.RED,
            f"Zone rules are read from {', '.join(zoneinfo.TZPATH)}, not from the tzdata package alone.",
            "See docs/decisions/0003; something has set the search path after the settings did.",
        )
    return Seen(Light.GREEN, f"Zone rules are those of the tzdata package, {zone_rules.VERSION}.")


def check_sessions_agree(now: datetime) -> Seen:
    found = zone_rules.survey(now=now)
    if found.for_a_person:
        return Seen(
            Light.AMBER,
            f"Sessions to come that need a person to choose a time: {len(found.for_a_person)} of {found.looked_at}.",
            "manage.py recheck_zones names them; an organizer chooses another time in the admin.",
        )
    if found.differing:
        return Seen(
            Light.AMBER,
            f"Sessions to come that do not agree with the zone rules: {len(found.differing)} of {found.looked_at}.",
            "Run manage.py recheck_zones, or see whether the schedule and a worker run: they do it at each start.",
        )
    return Seen(Light.GREEN, f"All sessions to come agree with the zone rules ({found.looked_at} looked at).")


# In the order in which they are told: what others need comes first.
CHECKS: list[tuple[str, Callable[[datetime], Seen]]] = [
    ("Database", check_database),
    ("Migrations", check_migrations),
    ("Broker", check_broker),
    ("Zone rules", check_zone_rules),
    ("Sessions and zone rules", check_sessions_agree),
]


def examine(*, now: datetime) -> Iterator[Line]:
    """Run every check, one after the other. One that fails is red, and the rest go on."""
    to_do = "Mend what is red above, and ask again."
    for name, check in CHECKS:
        try:
            yield Line(name, check(now))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor is asked for
            yield Line(name, Seen(Light.RED, f"This could not be looked at ({type(error).__name__}).", to_do))
