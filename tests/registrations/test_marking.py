"""The mark "sent" of a mail is written beside the next one: on the real PostgreSQL, before a real mail server."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from events.models import Session
from registrations import delivery, marking, outbox, signup
from registrations.models import Message, Registration
from tests.builders import make_registration, make_session
from tests.servers import wait_until

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

MANY = marking.WRITTEN_BY_ITSELF + 4


@pytest.fixture(autouse=True)
def _on_postgresql(outgoing) -> None:
    assert connection.vendor == "postgresql", "Run with scripts/test: there is no second writer on SQLite."


@pytest.fixture
def session():
    return make_session(local_date=(datetime.now(UTC) + timedelta(days=30)).date())


def register(session: Session) -> Registration:
    return make_registration(session, now=datetime.now(UTC))


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_each_mail_is_marked_while_the_server_reads_the_next(session, outgoing, monkeypatch):
    for _person in range(MANY):
        register(session)
    seen = []
    mark_begun = outbox.mark_begun

    def look_first(message: Message, **fields: Any) -> bool:
        others = Message.objects.filter(begun_at__isnull=False).exclude(pk=message.pk).exclude(state="sent")
        wait_until(lambda: not others.exists(), what="the mark of the mail before, written by nobody but a thread")
        seen.append(message.pk)
        return mark_begun(message, **fields)

    monkeypatch.setattr(outbox, "mark_begun", look_first)

    assert delivery.drain() == MANY

    assert len(seen) == MANY
    assert len(outgoing.mails) == MANY
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert [thread for thread in threading.enumerate() if thread.name.startswith("marks")] == []
    wait_until(lambda: connections() == 1, what="the second connection to be closed")


def test_what_follows_to_the_same_person_goes_out_in_the_same_round(session):
    people = [register(session) for _person in range(MANY)]
    last = people[-1]
    signup.cancel(last, now=datetime.now(UTC))
    # The one before was not replaced since a worker had it once already.
    last.messages.filter(kind="confirmed").update(state="retrying", attempts=1, due_at=datetime.now(UTC))

    delivery.drain()

    assert not Message.objects.open().exists()


def test_a_mark_that_cannot_be_written_is_said_and_the_next_one_is_written(session, monkeypatch):
    monkeypatch.setattr(delivery, "MARK_SENT_SECONDS", 0)
    for _person in range(MANY):
        register(session)
    unlucky = Message.objects.order_by("pk")[MANY - 2].pk
    mark_sent = outbox.mark_sent

    def fail_once(message: Message, **fields: Any) -> bool:
        if message.pk == unlucky:
            raise OperationalError("The database is away.")
        return mark_sent(message, **fields)

    monkeypatch.setattr(outbox, "mark_sent", fail_once)

    with pytest.raises(OperationalError, match="is away"):
        delivery.drain()

    assert list(Message.objects.exclude(state="sent").values_list("pk", flat=True)) == [unlucky]


def test_in_a_transaction_nothing_is_written_beside_it():
    written: list[str] = []

    with transaction.atomic(), marking.open_marks() as marks:
        for _mail in range(MANY):
            marks.write(lambda: written.append(threading.current_thread().name))

    assert set(written) == {threading.current_thread().name}


def test_a_handful_of_mails_needs_no_second_connection(session):
    for _person in range(marking.WRITTEN_BY_ITSELF):
        register(session)
    written: list[str] = []

    with marking.open_marks() as marks:
        for _mail in range(marking.WRITTEN_BY_ITSELF):
            marks.write(lambda: written.append(threading.current_thread().name))

    assert set(written) == {threading.current_thread().name}
