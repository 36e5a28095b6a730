"""What the ledger's migrations make of rows that were there before, and what is left when they are taken back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate
from django.utils import timezone

from events.models import Host
from registrations.models import BouncedAddress, Message, Probe
from tests.builders import make_host, make_registration

BEFORE_THE_LEDGER = [("registrations", "0008_entries_are_stamped"), ("events", "0006_tentative_entries_and_anchors")]

Migrate = Callable[..., Apps]


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Migrate]:
    """Take the tables to these migrations, and have the models as they were then. Afterwards all is as it was."""

    def to(*targets: tuple[str, str]) -> Apps:
        executor = MigrationExecutor(connection)
        return executor.migrate(list(targets)).apps

    yield to
    to(*MigrationExecutor(connection).loader.graph.leaf_nodes())


def add_message(apps: Apps, key: str, **fields: Any) -> None:
    now = timezone.now()
    message = apps.get_model("registrations", "Message")
    message.objects.create(**{"key": key, "kind": "confirmed", "created_at": now, "due_at": now, **fields})


def states(apps: Apps) -> dict[str, str]:
    return dict(apps.get_model("registrations", "Message").objects.values_list("key", "state"))


def test_states_get_the_names_of_the_ledger_and_back_the_earlier_ones(migrate):
    now = timezone.now()
    earlier = migrate(("registrations", "0010_ledger_columns"))
    add_message(earlier, "never tried", state="queued")
    add_message(earlier, "tried", state="queued", attempts=2)
    add_message(earlier, "held", state="claimed", attempts=1, claimed_until=now)
    add_message(earlier, "begun", state="sending", attempts=1, claimed_until=now)
    add_message(earlier, "went out", state="sent", attempts=1, sent_at=now)
    add_message(earlier, "given up", state="dead", attempts=9)
    add_message(earlier, "without point", state="dropped")
    before = states(earlier)

    renamed = migrate(("registrations", "0011_states_in_the_words_of_the_ledger"))

    assert states(renamed) == {
        "never tried": "queued",
        "tried": "retrying",
        "held": "sending",
        "begun": "sending",
        "went out": "sent",
        "given up": "failed",
        "without point": "cancelled",
    }
    begun = renamed.get_model("registrations", "Message").objects.exclude(begun_at=None)
    assert [(message.key, message.begun_at) for message in begun] == [("begun", now)]

    add_message(renamed, "nobody knows", state="unknown")
    assert states(migrate(("registrations", "0010_ledger_columns"))) == {**before, "nobody knows": "dead"}


def test_what_many_were_told_at_one_time_is_of_one_occasion(migrate):
    earlier = migrate(("registrations", "0010_ledger_columns"))
    for kind in ("rescheduled", "session_cancelled", "confirmed"):
        add_message(earlier, kind, kind=kind)

    renamed = migrate(("registrations", "0011_states_in_the_words_of_the_ledger"))

    messages = renamed.get_model("registrations", "Message").objects.order_by("pk")
    assert [message.occasion_at == message.created_at for message in messages] == [True, True, False]


def test_more_rows_than_one_range_has_are_all_renamed(migrate, monkeypatch):
    monkeypatch.setattr("registrations.migrations._ranges.ROWS", 2)
    earlier = migrate(("registrations", "0010_ledger_columns"))
    for number in range(5):
        add_message(earlier, str(number), state="dead")

    renamed = migrate(("registrations", "0011_states_in_the_words_of_the_ledger"))

    assert set(states(renamed).values()) == {"failed"}


def test_going_back_leaves_no_mail_of_a_kind_that_the_code_before_does_not_know(migrate):
    now = timezone.now()
    person = make_registration()
    fields = {"registration": person, "to_email": person.email, "created_at": now, "due_at": now}
    for kind in [*sorted(Message.OPTIONAL_KINDS), "probe"]:
        message = Message.objects.create(key=kind, kind=kind, **fields)
    Probe.objects.create(message=message, dtstamp=now, starts_at=now)
    BouncedAddress.objects.create(email_key=person.email_key, noted_at=now, message=message)

    before = migrate(*BEFORE_THE_LEDGER)

    left = before.get_model("registrations", "Message").objects.values_list("kind", "state")
    assert list(left) == [("confirmed", "queued")]


def test_hosts_that_were_there_keep_their_mails_for_good_and_are_reminded_from_now_on(migrate):
    since = timezone.now()
    before = migrate(*BEFORE_THE_LEDGER)
    before.get_model("events", "Host").objects.create(name="Border Review", slug="review", time_zone="Europe/London")

    migrate(*MigrationExecutor(connection).loader.graph.leaf_nodes())

    host = Host.objects.get(slug="review")
    assert host.keep_mails_days is None
    assert [(rule.purpose, rule.minutes) for rule in host.mail_rules.all()] == [("reminder", 60), ("reminder", 24 * 60)]
    assert all(rule.holds_from >= since for rule in host.mail_rules.all())
    assert make_host().keep_mails_days == 365


@pytest.mark.django_db
def test_migrating_takes_as_long_as_it_takes_and_pages_do_not():
    found = []

    def look(**_told: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout" if connection.vendor == "postgresql" else "SELECT '0'")
            found.append(cursor.fetchone()[0])

    post_migrate.connect(look)
    try:
        call_command("migrate", verbosity=0)
    finally:
        post_migrate.disconnect(look)
    assert set(found) == {"0"}

    if connection.vendor == "postgresql":
        look()
        assert found[-1] == "30s"
