"""The races, run: on the real PostgreSQL, and with real worker processes. scripts/test starts what they need."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from events import scheduling
from events.models import Session
from registrations import outbox, signup
from registrations.models import Message, OfferCode, Registration
from registrations.offers import CodeRefusedError, redeem
from tests.builders import NOW, make_offer, make_registration, make_session, make_webinar
from tests.servers import SmtpSink, Worker, wait_until

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

THREADS = 16


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    assert connection.vendor == "postgresql", "Races are run where they can happen: on PostgreSQL, with scripts/test."


def all_at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run the acts in threads that start together, each with its own connection; their results or exceptions."""
    gate = threading.Barrier(THREADS)

    def run(act: Callable[[], Any], *, is_first: bool) -> Any:
        if is_first:
            gate.wait(timeout=10)
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        futures = [threads.submit(run, act, is_first=place < THREADS) for place, act in enumerate(acts)]
        return [future.result(timeout=60) for future in futures]


def register(session, number: int) -> Callable[[], Registration]:
    return lambda: signup.register(
        session, name=f"Person {number}", email=f"person{number}@example.org", now=datetime.now(UTC)
    )


def cancel(registration: Registration) -> Callable[[], Registration]:
    return lambda: signup.cancel(registration, now=datetime.now(UTC))


def change_session(registration: Registration, target: Session) -> Callable[[], Registration]:
    return lambda: signup.change_session(registration, session=target, now=datetime.now(UTC))


@pytest.fixture
def session():
    return make_session(capacity=10, local_date=(datetime.now(UTC) + timedelta(days=30)).date())


def test_exactly_as_many_as_there_are_places_are_confirmed(session):
    results = all_at_once([register(session, number) for number in range(60)])

    assert [result for result in results if isinstance(result, Exception)] == []
    assert Registration.objects.confirmed().count() == 10
    assert Registration.objects.waiting().count() == 50
    session.refresh_from_db()
    assert session.places_taken == 10
    assert Message.objects.count() == 60


def test_a_double_click_is_one_registration_and_one_mail(session):
    results = all_at_once([register(session, 1) for _ in range(THREADS)])

    assert len({result.pk for result in results}) == 1
    session.refresh_from_db()
    assert session.places_taken == 1
    assert Message.objects.count() == 1


def test_places_given_back_while_others_register_are_neither_lost_nor_doubled(session):
    holders = [register(session, number)() for number in range(10)]
    waiting = [register(session, number)() for number in range(10, 20)]
    acts: list[Callable[[], Any]] = [register(session, number) for number in range(20, 50)]
    acts += [cancel(person) for person in holders + waiting[::2]]
    random.Random(7).shuffle(acts)

    results = all_at_once(acts)

    assert [result for result in results if isinstance(result, Exception)] == []
    session.refresh_from_db()
    confirmed = Registration.objects.confirmed().count()
    assert (session.places_taken, confirmed) == (10, 10)
    # Nobody overtook anybody: rows are numbered under the session's lock, in the order in which people came.
    assert Registration.objects.confirmed().latest("pk").pk < Registration.objects.waiting()[0].pk


def test_people_who_swap_sessions_crosswise_do_not_wait_for_each_other():
    webinar = make_webinar()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    sessions = [make_session(webinar, capacity=40, local_date=day, local_time=time(hour, 0)) for hour in (8, 20)]
    people = [register(sessions[number % 2], number)() for number in range(32)]
    acts = [change_session(person, sessions[(number + 1) % 2]) for number, person in enumerate(people)]

    results = all_at_once(acts)

    assert [result for result in results if isinstance(result, Exception)] == []
    for session in sessions:
        session.refresh_from_db()
        assert session.places_taken == session.registrations.confirmed().count() == 16


def test_people_who_change_session_while_the_webinar_is_cancelled_do_not_wait_for_each_other():
    webinar = make_webinar()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    # The later one has the lower id.
    sessions = [make_session(webinar, local_date=day, local_time=time(hour, 0)) for hour in (20, 8)]
    people = [register(sessions[number % 2], number)() for number in range(30)]
    acts: list[Callable[[], Any]] = [
        change_session(person, sessions[(number + 1) % 2]) for number, person in enumerate(people)
    ]
    acts.insert(10, lambda: scheduling.cancel_webinar(webinar, by=None, now=datetime.now(UTC)))

    results = all_at_once(acts)

    unexpected = [
        result for result in results if isinstance(result, Exception) and not isinstance(result, signup.SignupError)
    ]
    assert unexpected == []
    assert set(webinar.sessions.values_list("state", flat=True)) == {Session.State.CANCELLED}


def test_registering_again_while_cancelling_does_not_wait_for_each_other(session):
    people = [register(session, number)() for number in range(20)]
    Message.objects.update(created_at=NOW - timedelta(days=1))
    acts: list[Callable[[], Any]] = []
    for number, person in enumerate(people):
        acts += [register(session, number), cancel(person)]

    results = all_at_once(acts)

    assert [result for result in results if isinstance(result, Exception)] == []


def test_two_requests_at_once_owe_one_link(session):
    registration = register(session, 1)()
    Message.objects.update(created_at=NOW - timedelta(days=1))

    all_at_once([register(session, 1) for _ in range(THREADS)])

    assert registration.messages.filter(kind=Message.Kind.LINK_AGAIN).count() == 1


def test_a_message_is_claimed_by_one_of_many_workers():
    session = make_session()
    for _ in range(40):
        make_registration(session)

    batches = all_at_once([lambda: outbox.claim_batch(now=NOW, limit=7) for _ in range(THREADS)])

    claimed = Counter(message.pk for batch in batches for message in batch)
    assert set(claimed.values()) == {1}


def test_one_message_offered_to_many_workers_is_claimed_once():
    message = make_registration().messages.get()

    results = all_at_once([lambda: outbox.claim(message.pk, now=NOW) for _ in range(THREADS)])

    assert len([result for result in results if result is not None]) == 1
    message.refresh_from_db()
    assert message.attempts == 1


def test_a_code_is_used_as_often_as_its_offer_allows():
    webinar = make_webinar()
    make_offer(webinar, redemptions_per_code=3)
    code = make_registration(make_session(webinar)).offer_codes.get()

    results = all_at_once([lambda: redeem(code.code, now=NOW) for _ in range(THREADS)])

    assert len([result for result in results if isinstance(result, OfferCode)]) == 3
    assert len([result for result in results if isinstance(result, CodeRefusedError)]) == THREADS - 3
    code.refresh_from_db()
    assert code.redemptions == 3


def test_a_worker_sends_the_confirmation_a_moment_after_registering(
    session, celery_worker_process: Worker, smtp_sink: SmtpSink
):
    registration = register(session, 1)()

    [mail] = smtp_sink.wait_for(1, seconds=15)

    assert mail.recipients == [registration.email]
    wait_until(lambda: registration.messages.get().state == Message.State.SENT)


def test_what_a_lost_nudge_missed_the_sweep_finds(session, celery_worker_process: Worker, smtp_sink: SmtpSink):
    registration = register(session, 1)()
    # Not only with the server but marked: a mark that comes later would take the message back out of the queue.
    wait_until(lambda: registration.messages.get().state == Message.State.SENT)
    Message.objects.update(state=Message.State.QUEUED, sent_at=None, attempts=0)

    outbox.nudge_sweep()

    smtp_sink.wait_for(2, seconds=15)


def test_a_killed_workers_mail_goes_out_by_another(session, start_worker: Callable[..., Worker], smtp_sink: SmtpSink):
    victim = start_worker()
    smtp_sink.delay("RCPT", 30, times=1)
    registration = register(session, 1)()
    wait_until(lambda: smtp_sink.visits.get("RCPT", 0) == 1)
    victim.kill()
    assert victim.process.returncode == -signal.SIGKILL
    message = registration.messages.get()
    assert message.state == Message.State.CLAIMED
    # The lease is over.
    Message.objects.update(claimed_until=datetime.now(UTC))
    smtp_sink.behave()

    start_worker()
    outbox.nudge_sweep()

    smtp_sink.wait_for(1, seconds=20)
    wait_until(lambda: registration.messages.get().state == Message.State.SENT)
    assert registration.messages.get().attempts == 2
