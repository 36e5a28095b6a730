"""How many statements the dearest acts take: what comes in crowds is counted, so that nobody adds one unseen."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import OfferCondition
from registrations import delivery, emails, outbox, signup
from tests.builders import make_offer, make_registration, make_session

pytestmark = pytest.mark.django_db

MOST_FOR_A_REGISTRATION = 6


def statements(act: Callable[[], Any]) -> list[str]:
    """What the database was asked, without where transactions begin and end."""
    with CaptureQueriesContext(connection) as asked:
        act()
    return [query["sql"] for query in asked if not re.match("BEGIN|COMMIT|SAVEPOINT|RELEASE", query["sql"])]


@pytest.fixture
def session():
    """A session whose registrants are owed a code, too."""
    session = make_session(capacity=3, local_date=(datetime.now(UTC) + timedelta(days=30)).date())
    make_offer(session.webinar, conditions=(OfferCondition.Kind.REGISTERED,))
    return session


def register(session, number: int) -> Callable[[], Any]:
    return lambda: signup.register(
        session, name="Anna", email=f"anna{number}@example.org", now=datetime.now(UTC) - timedelta(seconds=1)
    )


def test_a_registration_takes_six_statements_at_most(session):
    taken = statements(register(session, 1))

    assert len(taken) <= MOST_FOR_A_REGISTRATION, "\n".join(taken)


def test_the_session_is_locked_by_the_last_statement_alone(session):
    taken = statements(register(session, 1))

    assert [place for place, sql in enumerate(taken, 1) if "events_session" in sql and "UPDATE" in sql] == [len(taken)]


def test_composing_a_batch_takes_as_many_statements_as_composing_one_mail(session):
    for _ in range(3):
        make_registration(session, now=datetime.now(UTC) - timedelta(seconds=1))
    batch = outbox.claim_batch(now=datetime.now(UTC))

    read = statements(lambda: emails.read_ahead(batch))
    composed = statements(lambda: [emails.compose(message, now=datetime.now(UTC)) for message in batch])

    assert len(batch) == 3
    assert len(read) == 5
    assert composed == []


def test_sending_a_mail_takes_two_statements_beside_those_of_its_batch(settings, tmp_path, session):
    """One before the text and one after the answer, which writes down the attempt as well."""
    settings.EMAIL_URL, settings.MAILBOX_DIR = "", tmp_path

    def sent(count: int) -> int:
        for _ in range(count):
            make_registration(session, now=datetime.now(UTC) - timedelta(seconds=1))
        return len(statements(delivery.drain))

    session.capacity = None
    session.save()
    of_one, of_four = sent(1), sent(4)

    assert of_four - of_one == 3 * 2
