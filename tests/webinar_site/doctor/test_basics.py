"""What the site stands on, in each colour that it can have."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from events import zone_rules
from events.models import Session
from tests.builders import make_session
from webinar_site import health
from webinar_site.doctor import basics
from webinar_site.doctor.seen import Light, Seen

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)


def test_a_database_that_answers_is_green_and_one_that_does_not_red(monkeypatch):
    well = basics.check_database()
    monkeypatch.setattr(health, "database_answers", lambda: False)
    ill = basics.check_database()

    assert well == Seen(Light.GREEN, f"The database answers ({connection.vendor}).")
    assert (ill.light, ill.to_do) == (Light.RED, "Look at DATABASE_URL and at PostgreSQL.")


def test_a_migration_that_is_not_applied_is_red():
    well = basics.check_migrations()
    [newest] = MigrationLoader(connection).graph.leaf_nodes("events")
    MigrationRecorder(connection).record_unapplied(*newest)
    ill = basics.check_migrations()

    assert well.light is Light.GREEN
    assert ill.light is Light.RED
    assert "not applied" in ill.what
    assert "migrate" in ill.to_do


# ---------- zone rules ----------


def test_rules_of_the_package_are_green_and_those_of_the_system_red():
    well = basics.check_zone_rules()
    zoneinfo.reset_tzpath(to=["/usr/share/zoneinfo"])
    try:
        ill = basics.check_zone_rules()
    finally:
        zoneinfo.reset_tzpath(to=())

    assert well.light is Light.GREEN
    assert ill.light is Light.RED
    assert "/usr/share/zoneinfo" in ill.what


def test_rules_that_may_be_older_than_nine_months_are_amber():
    released_after = date(2026, 1, 6)

    young = basics.age_of_zone_rules(released_after, now=datetime(2026, 10, 3, tzinfo=UTC))
    old = basics.age_of_zone_rules(released_after, now=datetime(2026, 10, 4, tzinfo=UTC))

    assert young.light is Light.GREEN
    assert young.what == f"{zone_rules.VERSION} was released on 2026-01-06 or later: it is 270 days old at most."
    assert (old.light, old.to_do != "") == (Light.AMBER, True)


def test_the_installed_rules_tell_a_day_of_the_year_of_their_name():
    day = basics.not_before()

    assert day.year == int(zone_rules.VERSION[:4])


def test_sessions_that_differ_are_amber_with_the_command_and_nothing_is_changed():
    session = make_session()
    make_session()
    hour = timedelta(hours=1)
    Session.objects.filter(pk=session.pk).update(starts_at=session.starts_at - hour, ends_at=session.ends_at - hour)

    seen = basics.check_sessions_agree(now=NOW)

    assert seen.light is Light.AMBER
    assert seen.what == "Sessions to come that do not agree with the zone rules: 1 of 2."
    assert "manage.py recheck_zones" in seen.to_do
    assert Session.objects.get(pk=session.pk).starts_at == session.starts_at - hour


def test_sessions_that_need_a_person_are_amber():
    session = make_session()
    Session.objects.filter(pk=session.pk).update(time_zone="Europe/Atlantis")

    seen = basics.check_sessions_agree(now=NOW)

    assert (seen.light, seen.what) == (
        Light.AMBER,
        "Sessions to come that need a person to choose a time: 1 of 1.",
    )


def test_sessions_that_agree_are_green():
    make_session()

    assert basics.check_sessions_agree(now=NOW).light is Light.GREEN


# ---------- clocks ----------


@pytest.mark.parametrize(
    ("seconds", "light", "words"),
    [
        (0.2, Light.GREEN, "ahead of this machine's by 0.2 seconds"),
        (-4.9, Light.GREEN, "behind this machine's by 4.9 seconds"),
        (6, Light.AMBER, "ahead of this machine's by 6.0 seconds"),
        (-61, Light.RED, "behind this machine's by 61.0 seconds"),
    ],
)
def test_clocks_that_differ_are_amber_and_then_red(seconds, light, words):
    seen = basics.compare_clocks({"Redis": timedelta(seconds=seconds)})

    assert seen.light is light
    assert words in seen.what
    assert bool(seen.to_do) == (light is not Light.GREEN)


def test_the_worse_of_two_clocks_decides():
    seen = basics.compare_clocks({"Redis": timedelta(), "PostgreSQL": timedelta(seconds=90)})

    assert seen.light is Light.RED
    assert seen.what.splitlines()[0] == "The clock of PostgreSQL is ahead of this machine's by 90.0 seconds."


def test_the_databases_own_clock_is_read_where_it_has_one():
    seen = basics.check_clocks(broker_is_ahead=None)

    assert seen.light is Light.GREEN
    assert ("PostgreSQL" in seen.what) == (connection.vendor == "postgresql")


# ---------- pictures ----------


def test_a_folder_that_can_be_written_to_is_green_and_stays_as_it_was(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"

    seen = basics.check_media_folder()

    assert seen == Seen(Light.GREEN, f"{tmp_path / 'media'} can be written to.")
    assert list((tmp_path / "media").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_red_with_the_reason(settings, tmp_path):
    # A file in its place, since whoever is root may write into any folder.
    (tmp_path / "media").touch()
    settings.MEDIA_ROOT = tmp_path / "media"

    seen = basics.check_media_folder()

    assert seen.light is Light.RED
    assert seen.what == f"Nothing can be written to {tmp_path / 'media'}: File exists."
    assert "MEDIA_ROOT" in seen.to_do
