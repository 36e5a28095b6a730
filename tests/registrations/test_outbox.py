"""Rows of the outbox: written once, claimed by one, marked by who claimed."""

from datetime import datetime, time, timedelta

import pytest

from events import scheduling
from registrations import delivery, outbox, signup, transport
from registrations.models import Attempt, Message
from tests.builders import NOW, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db


def claimed(message: Message, *, at: datetime) -> Message:
    """The message, as the worker has it that was first."""
    mine = outbox.claim(message.pk, now=at)
    assert mine is not None
    return mine


def answers(message: Message) -> list[str]:
    """What was answered to each attempt, as it stands in the table."""
    return [attempt.answer for attempt in Message.objects.get(pk=message.pk).past_attempts]


@pytest.fixture
def optional(monkeypatch) -> Message.Kind:
    """A kind of mail that nobody needs for a place."""
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.CONFIRMED}))
    return Message.Kind.CONFIRMED


def test_a_message_is_claimed_by_one_worker_only():
    message = make_registration().messages.get()

    first = claimed(message, at=NOW)
    second = outbox.claim(message.pk, now=NOW)

    assert first.attempts == 1
    assert second is None


def test_a_killed_workers_message_is_claimed_again_after_its_lease():
    message = make_registration().messages.get()
    outbox.claim(message.pk, now=NOW)

    just_before = outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR - timedelta(seconds=1))
    [after] = outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR)

    assert just_before == []
    assert after == message
    assert after.attempts == 2
    assert answers(after) == [outbox.WORKER_LOST]


def test_whoever_lost_its_claim_changes_nothing():
    message = make_registration().messages.get()
    slow = claimed(message, at=NOW)
    [quick] = outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR)

    assert not outbox.mark_begun(slow, message_id="<x@y>", now=NOW)
    assert not outbox.mark_sent(slow, message_id="<x@y>", answer="250", now=NOW)
    assert outbox.mark_begun(quick, message_id="<x@y>", now=NOW + outbox.CLAIM_FOR)
    message.refresh_from_db()
    assert message.state == Message.State.SENDING
    assert message.begun_at == NOW + outbox.CLAIM_FOR


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


@pytest.mark.parametrize("held_by", ["retrying", "sending"])
def test_what_nobody_needs_for_a_place_holds_nothing_back(held_by):
    session = make_session()
    registration = make_registration(session)
    registration.messages.update(state="sent", sent_at=NOW)
    outbox.enqueue_beside(registration, Message.Kind.ANNOUNCEMENT, now=NOW)
    announcement = claimed(registration.messages.get(kind="announcement"), at=NOW)
    if held_by == "retrying":
        outbox.mark_postponed(announcement, answer="451 4.7.1 Not with these words", now=NOW)
    scheduling.cancel_session(session, by=None, now=NOW)

    assert [message.kind for message in outbox.claim_batch(now=NOW)] == ["session_cancelled"]


def test_what_nobody_needs_waits_behind_what_somebody_does():
    registration = make_registration()
    mine = claimed(registration.messages.get(), at=NOW)
    outbox.enqueue_beside(registration, Message.Kind.ANNOUNCEMENT, now=NOW)

    assert outbox.claim_batch(now=NOW) == []

    outbox.mark_sent(mine, message_id="<x@y>", answer="250", now=NOW)
    assert [message.kind for message in outbox.claim_batch(now=NOW)] == ["announcement"]


def test_news_goes_along_only_with_a_mail_that_still_tells_how_things_stand():
    session = make_session(make_webinar(needs_approval=True))
    registration = make_registration(session)
    first = registration.messages.get()
    session.local_time = time(15, 0)
    scheduling.save_session(session, by=None, now=NOW)
    assert list(registration.messages.all()) == [first]

    # A mail of how things stood before, which an act forgot to replace.
    Message.objects.update(kind=Message.Kind.OFFERED)
    session.local_time = time(16, 0)
    scheduling.save_session(session, by=None, now=NOW)

    states = dict(registration.messages.values_list("kind", "state"))
    assert states == {"offered": Message.State.CANCELLED, "rescheduled": Message.State.QUEUED}


def test_a_refused_message_waits_longer_each_time_and_then_has_failed():
    message = make_registration().messages.get()
    moment = NOW
    pauses = []

    while True:
        outbox.mark_postponed(claimed(message, at=moment), answer="451 Try later", now=moment)
        message.refresh_from_db()
        if message.state == Message.State.FAILED:
            break
        assert message.state == Message.State.RETRYING
        pauses.append(message.due_at - moment)
        moment = message.due_at

    assert pauses == sorted(pauses)
    assert len(pauses) == len(outbox.PAUSES)
    assert sum(pauses, timedelta()) > timedelta(days=2)
    assert message.answer == "451 Try later"


def test_every_attempt_is_kept_with_its_time_and_the_servers_answer():
    message = make_registration().messages.get()
    outbox.mark_postponed(claimed(message, at=NOW), answer="451 Try later", now=NOW)
    later = NOW + outbox.PAUSES[0]
    outbox.mark_sent(claimed(message, at=later), message_id="<x@y>", answer="250 OK", now=later)

    message.refresh_from_db()
    assert message.past_attempts == [Attempt(NOW, "451 Try later"), Attempt(later, "250 OK")]
    assert (message.attempts, message.answer) == (2, "250 OK")


def test_of_a_servers_long_answer_its_beginning_is_kept():
    message = make_registration().messages.get()

    outbox.mark_failed(claimed(message, at=NOW), answer="550 " + "x" * 5000, now=NOW)

    assert [len(answer) for answer in answers(message)] == [500]


def test_a_mail_that_has_lost_its_point_counts_no_attempt_more():
    message = make_registration().messages.get()

    outbox.mark_cancelled(claimed(message, at=NOW), reason="The session is over.")

    message.refresh_from_db()
    assert (message.state, message.answer, message.past_attempts) == ("cancelled", "The session is over.", [])


@pytest.mark.usefixtures("optional")
def test_what_nobody_needs_is_not_risked_twice_when_its_worker_was_lost_with_the_server_at_it():
    message = make_registration().messages.get()
    outbox.mark_begun(claimed(message, at=NOW), message_id="<x@y>", now=NOW)

    assert outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR) == []

    message.refresh_from_db()
    assert (message.state, message.answer) == (Message.State.UNKNOWN, outbox.NOBODY_KNOWS)
    assert answers(message) == [outbox.WORKER_LOST]
    assert message.message_id == "<x@y>"


@pytest.mark.usefixtures("optional")
def test_what_the_server_has_not_seen_is_sent_after_all():
    message = make_registration().messages.get()
    outbox.claim(message.pk, now=NOW)

    assert outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR) == [message]


def test_what_somebody_needs_is_risked_twice():
    message = make_registration().messages.get()
    outbox.mark_begun(claimed(message, at=NOW), message_id="<x@y>", now=NOW)

    assert outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR) == [message]


@pytest.mark.usefixtures("optional")
def test_whoever_follows_a_mail_of_unknown_end_does_not_wait_for_it():
    registration = make_registration()
    outbox.mark_begun(claimed(registration.messages.get(), at=NOW), message_id="<x@y>", now=NOW)
    signup.cancel(registration, now=NOW)

    outbox.claim_abandoned(now=NOW + outbox.CLAIM_FOR)

    assert [mine.kind for mine in outbox.claim_batch(now=NOW + outbox.CLAIM_FOR)] == ["cancelled"]


@pytest.mark.usefixtures("optional")
def test_a_mail_of_unknown_end_can_be_sent_again_by_hand():
    message = make_registration().messages.get()
    outbox.mark_unanswered(claimed(message, at=NOW), answer="Nothing", now=NOW)
    message.refresh_from_db()
    assert message.state == Message.State.UNKNOWN

    assert outbox.retry(message, now=NOW)

    assert outbox.claim(message.pk, now=NOW) is not None


def test_a_message_that_failed_can_be_queued_again():
    message = make_registration().messages.get()
    outbox.mark_failed(claimed(message, at=NOW), answer="550 No such user", now=NOW)
    failed = Message.objects.get(pk=message.pk)

    assert outbox.retry(failed, now=NOW)
    assert not outbox.retry(failed, now=NOW)

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

    assert set(Message.objects.values_list("state", "attempts")) == {("queued", 0)}
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


def test_what_kills_its_workers_takes_no_other_message_along_and_fails_in_the_end():
    session = make_session()
    poison = make_registration(session).messages.get()
    others = [make_registration(session).messages.get() for _ in range(3)]
    moment = NOW
    outbox.claim_batch(now=moment)  # and its worker dies

    for _ in range(outbox.MAX_ABANDONED + len(others)):
        moment += outbox.CLAIM_FOR
        while taken := outbox.claim_abandoned(now=moment):
            if taken == [poison]:
                break  # the worker dies again
            outbox.mark_sent(taken[0], message_id="<x@y>", answer="250", now=moment)

    states = dict(Message.objects.values_list("pk", "state"))
    assert [states[other.pk] for other in others] == [Message.State.SENT] * 3
    assert states[poison.pk] == Message.State.FAILED


def test_what_was_refused_for_a_day_is_not_given_up_since_one_worker_was_lost():
    message = make_registration().messages.get()
    moment = NOW
    for _ in range(outbox.MAX_ABANDONED + 5):
        outbox.mark_postponed(claimed(message, at=moment), answer="421 Away", now=moment)
        moment += max(outbox.PAUSES)
    outbox.claim(message.pk, now=moment)

    assert outbox.claim_abandoned(now=moment + outbox.CLAIM_FOR) == [message]


def test_what_is_sent_again_by_hand_may_lose_as_many_workers_again():
    message = make_registration().messages.get()
    outbox.claim(message.pk, now=NOW)
    moment = NOW + outbox.CLAIM_FOR
    while outbox.claim_abandoned(now=moment):
        moment += outbox.CLAIM_FOR

    outbox.retry(message, now=moment)
    outbox.claim(message.pk, now=moment)

    assert outbox.claim_abandoned(now=moment + outbox.CLAIM_FOR) == [message]
    message.refresh_from_db()
    assert answers(message) == [outbox.WORKER_LOST] * (outbox.MAX_ABANDONED + 1)


def test_what_somebody_waits_for_goes_before_what_tells_many():
    session = make_session()
    told = make_registration(session)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    session.local_time = time(15, 0)
    scheduling.save_session(session, by=None, now=NOW - timedelta(minutes=10))
    just_registered = make_registration(session)

    batch = outbox.claim_batch(now=NOW)

    assert [message.registration for message in batch] == [just_registered, told]


def test_the_time_limits_of_a_task_and_a_claim_add_up(settings):
    longest_mail = 8 * settings.EMAIL_TIMEOUT + transport.DATA_ANSWER_SECONDS
    limits = [
        delivery.DRAIN_SECONDS + longest_mail,
        settings.CELERY_TASK_SOFT_TIME_LIMIT,
        settings.CELERY_TASK_TIME_LIMIT,
        outbox.CLAIM_FOR.total_seconds(),
        settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"],
    ]

    assert limits == sorted(limits)
    assert len(set(limits)) == len(limits)
