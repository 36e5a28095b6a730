"""What the site stands on: the database and its migrations, zone rules, clocks, and the folder of pictures."""

import importlib.resources
import re
import tempfile
import time
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import zone_rules
from webinar_site import health
from webinar_site.doctor.seen import Seen, amber, green, red, together

# A joining link opens minutes before the start, and a code to sign in ends after fifteen: seconds do no harm yet.
CLOCKS_DIFFER = timedelta(seconds=5)
CLOCKS_ARE_WRONG = timedelta(seconds=60)
# Governments change their clocks at a few months' notice, and the list of leap seconds is made anew twice a year.
ZONE_RULES_ARE_OLD = timedelta(days=270)
# Seconds since 1900 would be another unit: the first number is one since 1970, the words beside it are for people.
_LEAP_SECONDS_OF = re.compile(r"^#updated (\d+)", re.MULTILINE)


# ---------- database ----------


def check_database() -> Seen:
    if not health.database_answers():
        return red(_("The database does not answer."), _("Look at DATABASE_URL and at PostgreSQL."))
    return green(_("The database answers (%(vendor)s).") % {"vendor": connection.vendor})


def check_migrations() -> Seen:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return red(
            _("Migrations that are not applied: %(count)d.") % {"count": missing},
            _("Run manage.py migrate, and restart."),
        )
    return green(_("All migrations are applied."))


# ---------- zone rules ----------


def check_zone_rules() -> Seen:
    if zoneinfo.TZPATH:
        return red(
            _("Zone rules are read from %(places)s, not from the tzdata package alone.")
            % {"places": ", ".join(zoneinfo.TZPATH)},
            _("See docs/decisions/0003; something has set the search path after the settings did."),
        )
    return green(_("Zone rules are those of the tzdata package, %(version)s.") % {"version": zone_rules.VERSION})


def check_age_of_zone_rules(*, now: datetime) -> Seen:
    return age_of_zone_rules(not_before(), now=now)


def age_of_zone_rules(released_after: date, *, now: datetime) -> Seen:
    """The package does not say when it was released. Its list of leap seconds has a date, and no release is older."""
    age = now.date() - released_after
    words = ngettext(
        "%(version)s was released on %(day)s or later: it is %(count)d day old at most.",
        "%(version)s was released on %(day)s or later: it is %(count)d days old at most.",
        age.days,
    )
    said = words % {"version": zone_rules.VERSION, "day": released_after.isoformat(), "count": age.days}
    if age > ZONE_RULES_ARE_OLD:
        return amber(
            said, _("See whether there is a newer tzdata, and release it: make lock. If there is none, all is well.")
        )
    return green(said)


def not_before() -> date:
    """A day on which the installed release was not there yet, as late as its own contents tell."""
    leap_seconds = importlib.resources.files("tzdata") / "zoneinfo" / "leapseconds"
    found = _LEAP_SECONDS_OF.search(leap_seconds.read_text(encoding="utf-8")) if leap_seconds.is_file() else None
    new_year = date(int(zone_rules.VERSION[:4]), 1, 1)
    return max(datetime.fromtimestamp(int(found[1]), UTC).date(), new_year) if found else new_year


def check_sessions_agree(*, now: datetime) -> Seen:
    found = zone_rules.survey(now=now)
    if found.for_a_person:
        return amber(
            _("Sessions to come that need a person to choose a time: %(count)d of %(all)d.")
            % {"count": len(found.for_a_person), "all": found.looked_at},
            _("manage.py recheck_zones names them; an organizer chooses another time in the admin."),
        )
    if found.differing:
        return amber(
            _("Sessions to come that do not agree with the zone rules: %(count)d of %(all)d.")
            % {"count": len(found.differing), "all": found.looked_at},
            _("Run manage.py recheck_zones, or see whether the schedule and a worker run: they do it at each start."),
        )
    return green(
        _("All sessions to come agree with the zone rules (%(count)d looked at).") % {"count": found.looked_at}
    )


# ---------- clocks ----------


def check_clocks(*, broker_is_ahead: timedelta | None) -> Seen:
    """This machine's clock beside those of the broker and of the database, where that runs on its own."""
    ahead = {"Redis": broker_is_ahead, "PostgreSQL": _database_is_ahead()}
    return compare_clocks({name: by for name, by in ahead.items() if by is not None})


def compare_clocks(ahead: dict[str, timedelta]) -> Seen:
    """`ahead` says of each other clock how far it is ahead of ours."""
    if not ahead:
        return green(_("There is no other clock to compare this machine's with."))
    return together([_compare(name, by) for name, by in ahead.items()])


def _compare(name: str, by: timedelta) -> Seen:
    facts = {"name": name, "seconds": f"{abs(by.total_seconds()):.1f}"}
    is_ahead = _("The clock of %(name)s is ahead of this machine's by %(seconds)s seconds.") % facts
    is_behind = _("The clock of %(name)s is behind this machine's by %(seconds)s seconds.") % facts
    said = is_ahead if by > timedelta() else is_behind
    to_do = _("See which of the two is wrong, and let it be set from the network (timedatectl shows whether it is).")
    if abs(by) > CLOCKS_ARE_WRONG:
        return red(said, to_do)
    return amber(said, to_do) if abs(by) > CLOCKS_DIFFER else green(said)


def _database_is_ahead() -> timedelta | None:
    """None for SQLite, which has no clock but ours."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        asked = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        answered = time.time()
        (theirs,) = cursor.fetchone()
    return timedelta(seconds=float(theirs) - (asked + answered) / 2)


# ---------- media ----------


def check_media_folder() -> Seen:
    """Write a small file where pictures go, and take it away again; a folder that is not there yet is made for it."""
    folder = Path(settings.MEDIA_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"The doctor was here.")
            file.flush()
    except OSError as error:
        return red(
            _("Nothing can be written to %(folder)s: %(reason)s.")
            % {"folder": folder, "reason": error.strerror or type(error).__name__},
            _("Look at MEDIA_ROOT, whose folder it is, and whether the disk is full. Until then no picture is taken."),
        )
    return green(_("%(folder)s can be written to.") % {"folder": folder})
