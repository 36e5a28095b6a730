"""Mail that comes in through two doors at once, and beside what somebody does on the site: on the real PostgreSQL."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from registrations import inbound, signup
from registrations.inbound import Result, imap
from registrations.models import Message, Registration
from tests.builders import NOW, make_registration, make_session
from tests.incoming import ANSWERED, bounced_mail, calendar_mail
from tests.registrations.test_concurrency import all_at_once, overlapping, unexpected
from webinar_site import environment

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

TIMES = 8
LATER = ANSWERED + timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    assert connection.vendor == "postgresql", "Races are run where they can happen: on PostgreSQL, with scripts/test."


def registered() -> Registration:
    registration = make_registration(make_session(capacity=1))
    message_id = "<0a1b2c@webinars.example>"
    Message.objects.update(state=Message.State.SENT, sent_at=NOW, message_id=message_id)
    return registration


def receive(raw: bytes) -> partial[inbound.Outcome]:
    return partial(inbound.receive, raw, now=LATER)


def cancel(registration: Registration) -> partial[Registration]:
    return partial(signup.cancel, registration, now=LATER)


def kinds_owed() -> list[str]:
    return list(Message.objects.filter(state="queued").order_by("pk").values_list("kind", flat=True))


def test_one_answer_through_many_doors_is_noted_once_and_asks_once():
    registration = registered()
    raw = calendar_mail(registration, partstat="DECLINED")

    results = [outcome.result for outcome in all_at_once([receive(raw)] * TIMES)]

    assert sorted(results) == [Result.NOTED] + [Result.STALE] * (TIMES - 1)
    registration.refresh_from_db()
    assert registration.partstat == "declined"
    assert kinds_owed() == ["declined"]


def test_one_proposal_through_many_doors_is_answered_once():
    raw = calendar_mail(registered(), method="COUNTER")

    results = [outcome.result for outcome in all_at_once([receive(raw)] * TIMES)]

    assert sorted(results) == [Result.ANSWERED] + [Result.STALE] * (TIMES - 1)
    assert kinds_owed() == ["countered"]


def test_one_question_for_the_entry_through_many_doors_sends_it_once():
    raw = calendar_mail(registered(), method="REFRESH")

    results = [outcome.result for outcome in all_at_once([receive(raw)] * TIMES)]

    assert sorted(results) == [Result.ANSWERED] + [Result.STALE] * (TIMES - 1)
    assert kinds_owed() == ["confirmed"]


def test_one_report_through_many_doors_marks_once():
    raw = bounced_mail(registered().messages.get())

    results = [outcome.result for outcome in all_at_once([receive(raw)] * TIMES)]

    assert sorted(results) == [Result.BOUNCED] + [Result.STALE] * (TIMES - 1)


def test_an_answer_that_meets_a_cancellation_comes_too_late():
    registration = registered()
    raw = calendar_mail(registration, partstat="DECLINED")

    with overlapping(receive(raw)) as reply:
        cancel(registration)()

    assert reply.result().result == Result.STALE
    registration.refresh_from_db()
    assert (registration.status, registration.partstat, registration.frees_at) == ("cancelled", "", None)
    assert kinds_owed() == ["cancelled"]


def test_a_cancellation_that_meets_an_answer_still_cancels():
    registration = registered()
    raw = calendar_mail(registration, partstat="DECLINED")

    with overlapping(cancel(registration)):
        assert receive(raw)().result == Result.NOTED

    registration.refresh_from_db()
    assert (registration.status, registration.partstat, registration.frees_at) == ("cancelled", "", None)


def test_answers_and_cancellations_at_random_end_whole():
    for _round in range(5):
        registration = registered()
        raw = calendar_mail(registration, partstat="DECLINED")

        results = all_at_once([receive(raw), cancel(registration), receive(raw), cancel(registration)])

        assert unexpected(results) == []
        registration.refresh_from_db()
        assert (registration.status, registration.partstat) == ("cancelled", "")


def test_two_who_look_into_the_mailbox_at_once_take_everything_in_once(settings, imap_mailbox):
    settings.IMAP_SERVER = environment.ImapServer(
        "localhost", imap_mailbox.port, imap_mailbox.user, imap_mailbox.password, "INBOX", False, False
    )
    people = [make_registration(make_session()) for _person in range(6)]
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    imap_mailbox.put(*(calendar_mail(person) for person in people))

    looked = all_at_once([partial(imap.look, now=LATER)] * 2)

    assert all(isinstance(taken, int) for taken in looked)
    assert set(Registration.objects.values_list("partstat", flat=True)) == {"accepted"}
    assert imap_mailbox.unseen() == 0
