"""Whether the doctor sees what is wrong, says so in words, and goes on."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from events import zone_rules
from events.models import Session
from tests.builders import make_session
from webinar_site import doctor, health
from webinar_site.doctor import Light, Line, Seen

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)


@pytest.fixture
def broker_answers(monkeypatch):
    monkeypatch.setattr(health, "broker_answers", lambda: True)


def seen(name: str) -> Seen:
    return next(line.seen for line in doctor.examine(now=NOW) if line.name == name)


def doctor_says() -> tuple[str, int]:
    """What the command prints, and its status."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_site_that_is_well_is_green_throughout(broker_answers):
    make_session(local_date=date(2031, 5, 14))

    said, status = doctor_says()

    assert said == (
        f"green  Database: The database answers ({connection.vendor}).\n"
        "green  Migrations: All migrations are applied.\n"
        "green  Broker: The broker answers.\n"
        f"green  Zone rules: Zone rules are those of the tzdata package, {zone_rules.VERSION}.\n"
        "green  Sessions and zone rules: All sessions to come agree with the zone rules (1 looked at).\n"
    )
    assert status == 0


def test_a_broker_that_is_away_is_red_with_what_to_do_and_the_rest_is_told(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    said, status = doctor_says()

    assert "red    Broker: The broker does not answer: mail waits.\n       Look at REDIS_URL and at Redis.\n" in said
    assert "green  Zone rules" in said
    assert status == 1


def test_a_migration_that_is_not_applied_is_red():
    MigrationRecorder(connection).record_unapplied("events", "0006_tentative_entries_and_anchors")

    found = seen("Migrations")

    assert found.light is Light.RED
    assert "not applied" in found.what
    assert "migrate" in found.to_do


def test_rules_of_the_system_are_red():
    zoneinfo.reset_tzpath(to=["/usr/share/zoneinfo"])
    try:
        found = seen("Zone rules")
    finally:
        zoneinfo.reset_tzpath(to=())

    assert found.light is Light.RED
    assert "/usr/share/zoneinfo" in found.what


def test_sessions_that_differ_are_amber_with_the_command_and_nothing_is_changed(broker_answers):
    session = make_session()
    make_session()
    hour = timedelta(hours=1)
    Session.objects.filter(pk=session.pk).update(starts_at=session.starts_at - hour, ends_at=session.ends_at - hour)

    found = seen("Sessions and zone rules")

    assert found.light is Light.AMBER
    assert found.what == "Sessions to come that do not agree with the zone rules: 1 of 2."
    assert "manage.py recheck_zones" in found.to_do
    assert Session.objects.get(pk=session.pk).starts_at == session.starts_at - hour


def test_sessions_that_need_a_person_are_amber_and_no_failure(broker_answers):
    session = make_session(local_date=date(2031, 5, 14))
    Session.objects.filter(pk=session.pk).update(time_zone="Europe/Atlantis")

    said, status = doctor_says()

    assert "amber  Sessions and zone rules: Sessions to come that need a person to choose a time: 1 of 1.\n" in said
    assert status == 0


def test_a_check_that_fails_is_red_and_the_next_one_is_made(monkeypatch):
    def fails(now: datetime) -> Seen:
        raise OperationalError("The database is gone.")

    monkeypatch.setattr(doctor, "CHECKS", [("First", fails), ("Second", lambda now: Seen(Light.GREEN, "It is well."))])

    first, second = doctor.examine(now=NOW)

    assert (first.name, first.seen.light) == ("First", Light.RED)
    assert "OperationalError" in first.seen.what
    assert second == Line("Second", Seen(Light.GREEN, "It is well."))
