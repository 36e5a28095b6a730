"""The races, run: on the real PostgreSQL, and with real worker processes. scripts/test starts what they need."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from events import scheduling, zone_rules
from events.models import Session, Webinar
from registrations import attendance, mailings, outbox, signup
from registrations.models import Mailing, Message, OfferCode, Registration
from registrations.offers import CodeRefusedError, redeem
from tests.builders import NOW, make_offer, make_registration, make_rule, make_session, make_webinar
from tests.servers import SmtpSink, Worker, wait_until

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

THREADS = 16


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    assert connection.vendor == "postgresql", "Races are run where they can happen: on PostgreSQL, with scripts/test."


def all_at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run the acts in threads that start together, each with its own connection; their results or exceptions."""
    acts = list(acts)
    gate = threading.Barrier(min(THREADS, len(acts)))

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


class Overlap:
    """An act of somebody else, in a transaction of their own."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act
        self.threads = ThreadPoolExecutor(1)
        self.future: Future[Any] | None = None

    def begin(self) -> None:
        """Start it, and go on once it waits for us or has ended."""
        if self.future is None:
            future = self.future = self.threads.submit(self._run)
            wait_until(lambda: future.done() or somebody_waits())

    def result(self) -> Any:
        assert self.future is not None
        return self.future.result(timeout=30)

    def _run(self) -> Any:
        try:
            return self.act()
        finally:
            connection.close()


def somebody_waits() -> bool:
    """Whether a connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
        )
        return cursor.fetchone() is not None


@contextmanager
def overlapping(act: Callable[[], Any]) -> Iterator[Overlap]:
    """Do what stands in the block in one transaction, and that act before it is committed."""
    other = Overlap(act)
    with other.threads:
        with transaction.atomic():
            yield other
            other.begin()
        other.result()


def register(session, number: int) -> Callable[[], Registration]:
    return lambda: signup.register(
        session, name=f"Person {number}", email=f"person{number}@example.org", now=datetime.now(UTC)
    )


def register_for_any(session: Session, number: int) -> Callable[[], Registration]:
    return lambda: signup.register(
        session,
        name=f"Person {number}",
        email=f"person{number}@example.org",
        any_session=True,
        now=datetime.now(UTC),
    )


def wait_for_any(registration: Registration) -> Callable[[], Registration]:
    return lambda: signup.wait_for_any(registration, now=datetime.now(UTC))


def cancel(registration: Registration) -> Callable[[], Registration]:
    return lambda: signup.cancel(registration, now=datetime.now(UTC))


def change_session(registration: Registration, target: Session) -> Callable[[], Registration]:
    return lambda: signup.change_session(registration, session=target, now=datetime.now(UTC))


def unexpected(results: list[Any]) -> list[Any]:
    """What no person may meet: neither what they asked for nor a refusal in words."""
    return [
        result for result in results if isinstance(result, Exception) and not isinstance(result, signup.SignupError)
    ]


def assert_whole(webinar: Webinar) -> None:
    """Places are counted rightly, none is sold twice, and nobody waits beside a free one."""
    for session in webinar.sessions.all():
        assert session.places_taken == session.registrations.filter(has_place=True).count()
        assert session.capacity is None or session.places_taken <= session.capacity
        is_coming = not session.is_cancelled and not session.has_ended(datetime.now(UTC))
        waiting = Registration.objects.waiting_for(session).count()
        assert session.is_full or not is_coming or not waiting, f"{waiting} wait beside a free place"


def two_sessions(**rules: Any) -> list[Session]:
    """Two sessions of one webinar, five places each. The later one has the lower id."""
    webinar = make_webinar(**rules)
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    return [make_session(webinar, capacity=5, local_date=day, local_time=time(hour, 0)) for hour in (20, 8)]


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
    # Nobody overtook anybody: who has to wait is told so under the session's lock, and rows are numbered in that order.
    told = Message.objects.filter(kind=Message.Kind.WAITLISTED)
    still_waiting = told.filter(registration__in=Registration.objects.waiting()).earliest("pk")
    assert told.filter(registration__status="confirmed").latest("pk").pk < still_waiting.pk
    assert_whole(session.webinar)


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

    assert unexpected(results) == []
    assert set(webinar.sessions.values_list("state", flat=True)) == {Session.State.CANCELLED}


def test_registering_again_while_cancelling_does_not_wait_for_each_other(session):
    people = [register(session, number)() for number in range(20)]
    Message.objects.update(created_at=NOW - timedelta(days=1))
    acts: list[Callable[[], Any]] = []
    for number, person in enumerate(people):
        acts += [register(session, number), cancel(person)]

    results = all_at_once(acts)

    assert [result for result in results if isinstance(result, Exception)] == []


def test_two_rechecks_of_the_zones_at_once_move_every_session_once():
    webinar = make_webinar()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    sessions = [make_session(webinar, local_date=day, local_time=time(hour, 0)) for hour in range(8, 14)]
    people = [register(session, number)() for number, session in enumerate(sessions)]
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    # As if other rules had given each an instant an hour earlier.
    hour = timedelta(hours=1)
    webinar.sessions.update(starts_at=F("starts_at") - hour, ends_at=F("ends_at") - hour)

    results = all_at_once([lambda: zone_rules.recheck(now=datetime.now(UTC))] * 2)

    assert unexpected(results) == []
    moved = [finding.session.pk for result in results for finding in result.findings]
    assert sorted(moved) == sorted(session.pk for session in sessions)
    assert set(webinar.sessions.values_list("sequence", flat=True)) == {1}
    assert set(Registration.objects.values_list("sequence", flat=True)) == {1}
    told = Message.objects.filter(kind=Message.Kind.RESCHEDULED)
    assert sorted(told.values_list("registration", flat=True)) == sorted(person.pk for person in people)
    assert [zone_rules.compare(session, now=datetime.now(UTC)) for session in webinar.sessions.all()] == [None] * 6


def test_a_recheck_of_the_zones_that_meets_an_organizer_leaves_their_time_alone():
    session = make_session(local_date=(datetime.now(UTC) + timedelta(days=30)).date())
    planned = session.starts_at
    Session.objects.update(starts_at=planned - timedelta(hours=1), ends_at=session.ends_at - timedelta(hours=1))
    organizers = Session.objects.get()
    organizers.local_time = time(15, 0)

    with overlapping(lambda: zone_rules.recheck(now=datetime.now(UTC))):
        scheduling.save_session(organizers, by=None, now=datetime.now(UTC))

    session.refresh_from_db()
    assert (session.starts_at, session.sequence) == (planned + timedelta(minutes=90), 1)


def test_two_requests_at_once_owe_one_link(session):
    registration = register(session, 1)()
    Message.objects.update(created_at=NOW - timedelta(days=1))

    all_at_once([register(session, 1) for _ in range(THREADS)])

    assert registration.messages.filter(kind=Message.Kind.LINK_AGAIN).count() == 1


def test_a_double_click_on_a_full_session_is_one_turn_in_the_queue(session):
    for number in range(10):
        register(session, number)()

    results = all_at_once([register(session, 99) for _ in range(THREADS)])

    assert len({result.pk for result in results}) == 1
    assert Registration.objects.waiting().count() == 1
    assert Registration.objects.waiting().get().messages.count() == 1


def test_five_places_under_a_rush_of_people_who_come_and_go():
    session, _other = two_sessions()
    acts: list[Callable[[], Any]] = [register(session, number) for number in range(40)]

    def cancel_one(number: int) -> Callable[[], Any]:
        """Somebody cancels as soon as they are there."""

        def act() -> Any:
            wait_until(lambda: Registration.objects.filter(email=f"person{number}@example.org").exists())
            return cancel(Registration.objects.get(email=f"person{number}@example.org"))()

        return act

    for number in range(0, 40, 2):
        acts.insert(len(acts) - number // 2, cancel_one(number))

    results = all_at_once(acts)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert_whole(session.webinar)
    assert (Registration.objects.confirmed().count(), Registration.objects.waiting().count()) == (5, 15)


@pytest.mark.parametrize("rules", [{}, {"offer_hours": 6}])
def test_those_who_wait_for_any_session_while_places_come_free_in_both(rules):
    sessions = two_sessions(**rules)
    holders = [register(sessions[number % 2], number)() for number in range(10)]
    undecided = [register_for_any(sessions[0], number)() for number in range(10, 22)]
    acts: list[Callable[[], Any]] = [cancel(person) for person in holders]
    acts += [register_for_any(sessions[number % 2], number) for number in range(22, 32)]
    acts += [register(sessions[number % 2], number) for number in range(32, 42)]
    acts += [cancel(person) for person in undecided[::3]]
    acts += [change_session(person, sessions[number % 2]) for number, person in enumerate(undecided[1::3])]
    random.Random(11).shuffle(acts)

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(sessions[0].webinar)
    assert Registration.objects.filter(has_place=True).count() == 10


def test_those_who_wait_for_any_session_while_sessions_are_called_off_and_added():
    sessions = two_sessions()
    webinar = sessions[0].webinar
    holders = [register(sessions[number % 2], number)() for number in range(10)]
    people = [register_for_any(sessions[number % 2], number)() for number in range(10, 30)]
    acts: list[Callable[[], Any]] = [cancel(person) for person in holders + people[::2]]
    acts += [wait_for_any(person) for person in people]
    random.Random(5).shuffle(acts)
    new = Session(
        webinar=webinar, local_date=sessions[0].local_date, time_zone="UTC", local_time=time(23, 0), capacity=3
    )
    acts.insert(6, lambda: scheduling.save_session(new, by=None, now=datetime.now(UTC)))
    acts.insert(9, lambda: scheduling.cancel_session(sessions[1], by=None, now=datetime.now(UTC)))

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(webinar)
    assert not Registration.objects.undecided().filter(session=sessions[1]).exists()
    # Whoever had a place in it was told, and nobody who waits for any: their mail would withdraw no entry.
    assert not Message.objects.filter(kind=Message.Kind.SESSION_CANCELLED, sequence=None).exists()


def test_two_sessions_called_off_at_once_tell_everybody_once():
    sessions = two_sessions()
    holders = [register(sessions[number % 2], number)() for number in range(10)]
    people = [register_for_any(sessions[number % 2], number)() for number in range(10, 20)]

    results = all_at_once(
        [partial(scheduling.cancel_session, session, by=None, now=datetime.now(UTC)) for session in sessions]
        + [cancel(person) for person in holders]
        + [wait_for_any(person) for person in people]
    )

    assert unexpected(results) == []
    # Whoever had a place in the first, and asked in time to wait for any, is told of the second instead.
    owed = Message.objects.open().filter(kind=Message.Kind.SESSION_CANCELLED)
    for person in people:
        assert owed.filter(registration=person).count() == 1


def test_capacity_that_grows_while_people_come_leaves_nobody_beside_a_free_place(session):
    acts: list[Callable[[], Any]] = [register(session, number) for number in range(40)]

    def grow() -> Session:
        stored = Session.objects.select_related("webinar").get(pk=session.pk)
        stored.capacity = 25
        return scheduling.save_session(stored, by=None, now=datetime.now(UTC))

    acts.insert(15, grow)

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(session.webinar)
    assert Registration.objects.confirmed().count() == 25


def test_offers_that_are_taken_when_they_lapse_are_taken_or_gone():
    sessions = two_sessions(offer_hours=1)
    holders = [register(sessions[0], number)() for number in range(5)]
    waiting = [register(sessions[0], number)() for number in range(5, 20)]
    for holder in holders:
        cancel(holder)()
    now = datetime.now(UTC)
    acts: list[Callable[[], Any]] = []
    for person in waiting[:5]:
        acts += [partial(signup.accept_offer, person, now=now), partial(signup.pass_offer, person, now=now)]
        acts += [lambda: signup.lapse_overdue(now=now + timedelta(hours=2))]

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(sessions[0].webinar)
    assert Registration.objects.filter(has_place=True).count() == 5
    for person in waiting[:5]:
        person.refresh_from_db()
        assert person.is_confirmed or person.is_cancelled
        ends = [Message.Kind.CONFIRMED, Message.Kind.LAPSED]
        assert person.messages.filter(kind__in=ends).count() == 1


def test_proof_at_the_moment_it_lapses_is_taken_or_too_late():
    sessions = two_sessions(needs_proof=True)
    people = [register(sessions[0], number)() for number in range(12)]
    now = datetime.now(UTC)
    acts: list[Callable[[], Any]] = []
    for person in people:
        acts += [partial(signup.prove, person, now=now)] * 2
    acts[7:7] = [lambda: signup.lapse_overdue(now=now + timedelta(hours=25))] * 2

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(sessions[0].webinar)
    for person in people:
        person.refresh_from_db()
        assert person.is_cancelled == (person.proved_at is None)
        told = person.messages.filter(kind__in=[Message.Kind.CONFIRMED, Message.Kind.PROMOTED])
        assert told.count() == person.is_confirmed


def test_two_organizers_who_accept_the_same_people_sell_nothing_twice():
    sessions = two_sessions(needs_approval=True)
    people = [register(sessions[0], number)() for number in range(12)]
    acts = [partial(signup.approve, person, by=None, now=datetime.now(UTC)) for person in people for _ in range(2)]
    acts += [partial(signup.turn_down, person, by=None, now=datetime.now(UTC)) for person in people[:3]]

    results = all_at_once(acts)

    assert unexpected(results) == []
    assert_whole(sessions[0].webinar)
    assert Registration.objects.filter(has_place=True).count() == 5
    assert Message.objects.filter(kind=Message.Kind.APPROVED).count() == 5


def test_coming_back_in_two_tabs_is_one_registration():
    sessions = two_sessions()
    cancel(register(sessions[0], 1)())()

    results = all_at_once([register(sessions[number % 2], 1) for number in range(THREADS)])

    assert unexpected(results) == []
    assert_whole(sessions[0].webinar)
    assert Registration.objects.get().is_confirmed


def test_who_is_first_in_the_queue_but_leaves_at_that_moment_leaves_the_place_to_the_next():
    morning, evening = two_sessions()
    holders = [register(session, number)() for number, session in enumerate([morning, evening] * 5)]
    leaving, following = (register_for_any(evening, number)() for number in (10, 11))

    # Holding the lock of the evening, not of the morning.
    with overlapping(cancel(holders[0])):
        cancel(leaving)()

    following.refresh_from_db()
    assert (following.is_confirmed, following.session) == (True, morning)
    assert_whole(morning.webinar)


@pytest.mark.parametrize("is_known", [True, False])
def test_who_begins_to_wait_for_any_session_while_a_place_comes_free_in_another_gets_it(is_known):
    morning, evening = two_sessions()
    holders = [register(session, number)() for number, session in enumerate([morning, evening] * 5)]
    waiting = register(morning, 10)() if is_known else None

    with overlapping(cancel(holders[1])):
        late = (wait_for_any(waiting) if waiting else register_for_any(morning, 10))()

    late.refresh_from_db()
    assert (late.is_confirmed, late.session) == (True, evening)
    assert_whole(morning.webinar)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_second_click_holds_up_nobody_while_it_waits_for_the_first(session, is_full):
    for number in range(10 if is_full else 1):
        register(session, number)()
    session.refresh_from_db()

    with overlapping(register(session, 99)) as second_click:
        first = Registration.objects.create(
            webinar=session.webinar,
            session=session,
            email="person99@example.org",
            email_key="person99@example.org",
            status=Registration.Status.PENDING,
            awaits=Registration.Awaits.APPROVAL,
            registered_at=NOW,
        )
        second_click.begin()
        # Refused at once where somebody has it: the first click would wait for the second, and that for the first.
        Session.objects.select_for_update(no_key=True, nowait=True).get(pk=session.pk)

    assert second_click.result() == first


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


def test_many_sweeps_at_once_write_each_reminder_once_while_people_come_and_go_and_join(monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 7)
    session = make_session()
    make_rule(session.webinar.host, 60)
    people = [make_registration(session) for _each in range(60)]
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    now = session.starts_at - timedelta(minutes=60)
    # Whom sweeps have owed a reminder: the unique key would hide that two have done the same work.
    reached: list[int] = []
    enqueue_mailing = outbox.enqueue_mailing

    def noted(people: list[Registration], *args: Any, **kwargs: Any) -> int:
        reached.extend(person.pk for person in people)
        return enqueue_mailing(people, *args, **kwargs)

    monkeypatch.setattr(outbox, "enqueue_mailing", noted)

    acts: list[Callable[[], Any]] = [partial(mailings.sweep, now=now) for _each in range(6)]
    acts += [partial(signup.cancel, person, now=now) for person in people[:10]]
    acts += [partial(attendance.note_coming, person, now=now) for person in people[10:30]]
    acts += [partial(make_registration, session, now=now) for _each in range(10)]
    outcomes = all_at_once(random.sample(acts, len(acts)))

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    reminders = Counter(Message.objects.filter(kind="reminder").values_list("registration", flat=True))
    assert set(reminders.values()) == {1}
    assert Counter(reached) == reminders
    # Who came when it was due is told by the confirmation; who left meanwhile may have been written to before.
    assert {person.pk for person in people[10:]} <= set(reminders) <= {person.pk for person in people}
    assert Mailing.objects.get().told == len(reminders)


def test_a_session_that_moves_while_its_reminders_are_written_waits_for_no_ring(monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 3)
    session = make_session()
    make_rule(session.webinar.host, 60)
    for _each in range(30):
        make_registration(session)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    now = session.starts_at - timedelta(minutes=60)
    later = Session.objects.get(pk=session.pk)
    later.local_date += timedelta(days=1)

    outcomes = all_at_once(
        [
            *(partial(mailings.sweep, now=now) for _each in range(3)),
            partial(scheduling.save_session, later, by=None, now=now),
        ]
    )

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert Mailing.objects.filter(written_at__isnull=True).count() == 0
    reminders = Counter(Message.objects.filter(kind="reminder").values_list("registration", flat=True))
    assert set(reminders.values()) <= {1}


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
    assert message.state == Message.State.SENDING
    # The lease is over.
    Message.objects.update(claimed_until=datetime.now(UTC))
    smtp_sink.behave()

    start_worker()
    outbox.nudge_sweep()

    smtp_sink.wait_for(1, seconds=20)
    wait_until(lambda: registration.messages.get().state == Message.State.SENT)
    assert registration.messages.get().attempts == 2
