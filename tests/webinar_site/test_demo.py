"""The demonstration: loaded once and whole, upcoming on any day, and silent towards people who do not exist."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from events import timezones
from events.models import Host, Offer, OfferCondition, Presenter, Session, User, Webinar
from registrations import signup
from registrations.models import Message, OfferCode, Registration
from tests.posting import posted
from webinar_site.demonstration import DEMO_ORGANIZER_EMAIL, DEMO_ORGANIZER_PASSWORD, DEMO_SECOND_ORGANIZER_EMAIL
from webinar_site.demonstration.border_security import CASPIAN_SLUG, CENTRAL_ASIA_SLUG, border_security_report
from webinar_site.demonstration.loading import load_demonstration
from webinar_site.demonstration.rivers_and_cities import GLACIER_SLUG, rivers_and_cities

NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_media_and_quick_passwords(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def demonstration(db: None) -> None:
    load_demonstration(now=NOW)


def contents_of_the_database() -> dict[str, list[dict[str, object]]]:
    """Every row of our own tables."""
    tables = [*Registration._meta.apps.get_app_config("events").get_models()]
    tables += Registration._meta.apps.get_app_config("registrations").get_models()
    return {table._meta.label: list(table._default_manager.order_by("pk").values()) for table in tables}


# ---------- loading ----------


def test_command_loads_demonstration_once(db: None) -> None:
    call_command("demo", stdout=io.StringIO())
    first = contents_of_the_database()

    second_run = io.StringIO()
    call_command("demo", stdout=second_run)

    assert contents_of_the_database() == first
    assert second_run.getvalue() == "The demonstration was loaded before; nothing has changed.\n"


def test_second_run_keeps_what_organizers_changed_and_deleted(demonstration: None) -> None:
    Webinar.objects.filter(slug=CENTRAL_ASIA_SLUG).update(title="Our own title")
    Webinar.objects.get(slug="shade-by-design").delete()
    Host.objects.filter(slug="border-security-report").update(slug="renamed")
    edited = contents_of_the_database()

    is_loaded = load_demonstration(now=NOW + timedelta(days=400))

    assert not is_loaded
    assert contents_of_the_database() == edited


def test_production_refuses_unless_forced(db: None, settings) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="--force"):
        call_command("demo")

    assert not Host.objects.exists()


def test_forced_production_has_no_password_that_everybody_knows(db: None, settings) -> None:
    settings.PRODUCTION = True

    call_command("demo", force=True, stdout=io.StringIO())

    assert [user.has_usable_password() for user in User.objects.all()] == [False, False]


def test_pictures_of_an_earlier_database_are_used_again(db: None, settings) -> None:
    before = transaction.savepoint()
    load_demonstration(now=NOW)
    stored = {path: path.stat().st_mtime_ns for path in (settings.MEDIA_ROOT / "presenters").iterdir()}
    transaction.savepoint_rollback(before)

    load_demonstration(now=NOW)

    assert {path: path.stat().st_mtime_ns for path in (settings.MEDIA_ROOT / "presenters").iterdir()} == stored
    assert len(stored) == Presenter.objects.exclude(portrait="").count()


# ---------- dates ----------

# Each day of years whose clock changes fall early, late, and on leap days.
DAYS = [date(year, 1, 1) + timedelta(days=day) for year in (2024, 2026, 2027, 2032) for day in range(366)]


def planned_sessions(today: date) -> list[tuple[str, datetime]]:
    """Each session of the demonstration as planned on a day, with its instant."""
    return [
        (webinar.slug, timezones.resolve(session.on, session.at, session.time_zone))
        for host in (border_security_report(today), rivers_and_cities(today))
        for webinar in host.webinars
        for session in webinar.sessions
    ]


def test_local_times_exist_once_whatever_the_day() -> None:
    for today in DAYS:
        planned_sessions(today)  # raises where clocks change


def test_webinars_are_upcoming_or_over_whatever_the_day() -> None:
    for today in DAYS:
        loaded = datetime(today.year, today.month, today.day, 23, 59, tzinfo=UTC)
        ahead = {slug for slug, starts_at in planned_sessions(today) if starts_at > loaded + timedelta(days=19)}
        past = {slug for slug, starts_at in planned_sessions(today) if starts_at < loaded - timedelta(days=20)}

        assert ahead == {CASPIAN_SLUG, GLACIER_SLUG, "shade-by-design"}
        assert past == {CENTRAL_ASIA_SLUG, "flood-warnings-for-small-towns"}


@pytest.mark.parametrize(
    "now",
    [
        datetime(2027, 3, 14, 7, 0, tzinfo=UTC),  # New York goes forward
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),  # Europe goes forward
        datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # Europe goes back
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
    ],
)
def test_loads_on_days_of_change(db: None, now: datetime) -> None:
    assert load_demonstration(now=now)

    assert Session.objects.filter(webinar__slug=CASPIAN_SLUG, starts_at__gt=now + timedelta(weeks=3)).count() == 3


# ---------- what is there ----------


def test_first_webinar_is_as_it_was(demonstration: None) -> None:
    webinar = Webinar.objects.get(slug=CENTRAL_ASIA_SLUG)
    session = webinar.sessions.get()

    assert session.starts_at == datetime(2020, 10, 28, 12, 30, tzinfo=UTC)
    assert session.ends_at == datetime(2020, 10, 28, 14, 0, tzinfo=UTC)
    assert (session.time_zone, webinar.attended_count, webinar.is_free) == ("Europe/London", 115, True)
    assert webinar.appearances.filter(role="host").count() == 12
    assert set(webinar.appearances.values_list("presenter__name", flat=True)) == {
        "",
        "Albina Yakubova",
        "Ulrik P. Ahnfeldt-Mollerup",
    }


def test_next_webinar_has_an_open_a_full_and_a_nearly_full_session(demonstration: None) -> None:
    morning, afternoon, evening = Session.objects.filter(webinar__slug=CASPIAN_SLUG)

    assert (morning.time_zone, morning.is_full, morning.is_nearly_full) == ("Asia/Tashkent", False, False)
    assert (afternoon.time_zone, afternoon.is_full) == ("Europe/London", True)
    assert (evening.time_zone, evening.is_full, evening.is_nearly_full) == ("America/New_York", False, True)
    assert Registration.objects.waiting().filter(session=afternoon).count() == 4
    assert all(session.takes_registrations(NOW) for session in (morning, afternoon, evening))


def test_everybody_with_a_place_has_a_code_of_their_own(demonstration: None) -> None:
    with_a_place = Registration.objects.confirmed().filter(webinar__slug=CASPIAN_SLUG)

    codes = OfferCode.objects.filter(registration__in=with_a_place, unlocked_by=OfferCondition.Kind.REGISTERED)

    assert codes.count() == with_a_place.count() > 0
    assert codes.values("code").distinct().count() == codes.count()


def test_no_mail_goes_to_people_who_do_not_exist(demonstration: None) -> None:
    assert not Message.objects.open().exists()
    assert Message.objects.filter(state=Message.State.CANCELLED).count() == Registration.objects.count()


def test_visitor_is_registered_with_a_mail_and_a_code(demonstration: None) -> None:
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")

    visitor = signup.register(session, name="A Visitor", email="visitor@example.org", now=NOW)

    assert visitor.is_confirmed
    assert visitor.messages.get().state == Message.State.QUEUED
    assert visitor.offer_codes.get().is_unlocked


def test_organizers_sign_in_and_have_a_host_each(demonstration: None) -> None:
    organizers = {user.email: user for user in User.objects.all()}

    assert set(organizers) == {DEMO_ORGANIZER_EMAIL, DEMO_SECOND_ORGANIZER_EMAIL}
    for organizer in organizers.values():
        assert organizer.check_password(DEMO_ORGANIZER_PASSWORD)
        assert organizer.is_staff
        assert not organizer.is_superuser
    assert organizers[DEMO_ORGANIZER_EMAIL].hosts.get().slug == "border-security-report"
    assert organizers[DEMO_SECOND_ORGANIZER_EMAIL].hosts.get().slug == "rivers-and-cities"


def test_some_presenters_have_a_small_portrait_and_some_have_none(demonstration: None) -> None:
    for presenter in Presenter.objects.exclude(portrait=""):
        assert presenter.portrait.size < 8 * 1024
        with presenter.portrait.open() as file, Image.open(file) as picture:
            assert picture.size == (224, 224)
    assert Presenter.objects.exclude(name="").filter(portrait="").exists()


def test_everything_is_as_an_organizer_could_have_entered_it(demonstration: None) -> None:
    tables: list[type[models.Model]] = [Host, Webinar, Presenter, Offer, Session]
    for row in (row for table in tables for row in table._default_manager.all()):
        row.full_clean()


@pytest.mark.parametrize("model", [Host, Webinar, Presenter, Offer, Session])
def test_every_page_of_the_organizers_can_be_saved_as_it_came(demonstration: None, client: Client, model: Any) -> None:
    client.force_login(User.objects.create_superuser("root@example.org"))
    before = contents_of_the_database()

    for row in model.objects.all():
        page = reverse(f"admin:events_{model._meta.model_name}_change", args=[row.pk])
        response = client.post(page, posted(client.get(page), id=f"{model._meta.model_name}_form"))
        assert response.status_code == 302, row

    after = contents_of_the_database()
    # The editor takes the line breaks from between the paragraphs of a text.
    for row in (row for rows in (*before.values(), *after.values()) for row in rows):
        for column in ("updated_at", "about", "biography"):
            row.pop(column, None)
    assert after == before


def test_upcoming_list_has_webinars_of_both_hosts(db: None) -> None:
    now = timezone.now()
    load_demonstration(now=now)

    assert list(Webinar.objects.listed().upcoming(now).values_list("host__slug", flat=True)) == [
        "border-security-report",
        "rivers-and-cities",
        "rivers-and-cities",
    ]
