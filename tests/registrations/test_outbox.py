"""Rows of the outbox: written once, claimed by one, marked by who claimed."""

from datetime import datetime, timedelta

import pytest

from registrations import outbox, signup
from registrations.models import Message
from tests.builders import NOW, make_registration, make_session

pytestmark = pytest.mark.django_db


def claimed(message: Message, *, at: datetime) -> Message:
    """The message, as the worker has it that was first."""
    mine = outbox.claim(message.pk, now=at)
    assert mine is not None
    return mine


def test_a_message_is_claimed_by_one_worker_only():
    message = make_registration().messages.get()

    first = claimed(message, at=NOW)
    second = outbox.claim(message.pk, now=NOW)

    assert first.attempts == 1
    assert second is None


def test_a_killed_workers_message_is_claimed_again_after_its_lease():
    message = make_registration().messages.get()
    outbox.claim(message.pk, now=NOW)

    just_before = outbox.claim(message.pk, now=NOW + outbox.CLAIM_FOR - timedelta(seconds=1))
    after = outbox.claim(message.pk, now=NOW + outbox.CLAIM_FOR)

    assert just_before is None
    assert after is not None
    assert after.attempts == 2


def test_whoever_lost_its_claim_changes_nothing():
    message = make_registration().messages.get()
    slow = claimed(message, at=NOW)
    quick = claimed(message, at=NOW + outbox.CLAIM_FOR)

    assert not outbox.mark_sending(slow, now=NOW)
    assert not outbox.mark_sent(slow, message_id="<x@y>", answer="250", now=NOW)
    assert outbox.mark_sending(quick, now=NOW + outbox.CLAIM_FOR)
    message.refresh_from_db()
    assert message.state == Message.State.SENDING


def test_no_update_overtakes_the_invite_before_it():
    session = make_session()
    registration = make_registration(session)
    invite = registration.messages.get()
    mine = claimed(invite, at=NOW)
    signup.cancel(registration, now=NOW)
    withdrawal = registration.messages.get(kind="cancelled")

    assert outbox.claim(withdrawal.pk, now=NOW) is None

    outbox.mark_sent(mine, message_id="<x@y>", answer="250", now=NOW)
    assert outbox.claim(withdrawal.pk, now=NOW) is not None


def test_a_refused_message_waits_longer_each_time_and_then_is_dead():
    message = make_registration().messages.get()
    moment = NOW
    pauses = []

    while True:
        outbox.mark_postponed(claimed(message, at=moment), answer="451 Try later", now=moment)
        message.refresh_from_db()
        if message.state == Message.State.DEAD:
            break
        pauses.append(message.due_at - moment)
        moment = message.due_at

    assert pauses == sorted(pauses)
    assert len(pauses) == len(outbox.PAUSES)
    assert sum(pauses, timedelta()) > timedelta(days=2)
    assert message.answer == "451 Try later"


def test_a_dead_message_can_be_queued_again():
    message = make_registration().messages.get()
    outbox.mark_dead(claimed(message, at=NOW), answer="550 No such user")
    dead = Message.objects.get(pk=message.pk)

    assert outbox.retry(dead, now=NOW)
    assert not outbox.retry(dead, now=NOW)

    assert outbox.claim(message.pk, now=NOW) is not None


def test_a_batch_takes_the_oldest_first_and_leaves_what_is_not_due():
    session = make_session()
    late, early = make_registration(session), make_registration(session)
    Message.objects.filter(registration=early).update(due_at=NOW - timedelta(hours=1))
    future = make_registration(session)
    Message.objects.filter(registration=future).update(due_at=NOW + timedelta(hours=1))

    batch = outbox.claim_batch(now=NOW)

    assert [message.registration for message in batch] == [early, late]


def test_what_was_claimed_and_not_begun_is_given_back_as_it_was():
    make_registration()
    batch = outbox.claim_batch(now=NOW)

    outbox.release(batch)

    again = outbox.claim_batch(now=NOW)
    assert [message.pk for message in again] == [message.pk for message in batch]
    assert again[0].attempts == 1


def test_sign_in_mail_forgets_its_code_once_sent():
    message = outbox.enqueue_account_mail(
        to_email="anna@example.org", subject="Your code", text="ABCD", html="", now=NOW
    )

    outbox.mark_sent(claimed(message, at=NOW), message_id="<x@y>", answer="250", now=NOW)

    message.refresh_from_db()
    assert message.payload == {}
