"""Mails on their way through a real SMTP server."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import monotonic

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DataError
from django.db.models import F

from events import scheduling
from registrations import delivery, emails, erasure, marking, outbox, signup, stops, transport
from registrations.models import Message, Registration
from tests.builders import make_registration, make_session
from tests.servers import ReceivedMail, SmtpSink

pytestmark = pytest.mark.django_db


def register_now(**fields):
    return make_registration(**{"now": datetime.now(UTC) - timedelta(seconds=1), **fields})


@pytest.fixture
def session():
    return make_session(local_date=(datetime.now(UTC) + timedelta(days=30)).date())


def test_a_registration_sends_one_mail_to_one_person(outgoing, session):
    registration = register_now(session=session, email="anna@example.org", name="Anna")

    assert delivery.drain() == 1
    assert delivery.drain() == 0

    [mail] = outgoing.mails
    assert mail.recipients == ["anna@example.org"]
    message = registration.messages.get()
    assert message.state == Message.State.SENT
    assert message.answer.startswith("250")
    assert mail.message["Message-ID"] == message.message_id
    assert b"\r\n" in mail.content
    assert b"\n" not in mail.content.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("250 2.0.0 OK\0queued as \x1b[2JA1", "250 2.0.0 OK queued as [2JA1"),
        ("250-2.0.0 OK\r\n250 queued as A1", "250 2.0.0 OK queued as A1"),
        (f"250 {'x' * 600}", f"250 {'x' * 496}"),
    ],
)
def test_whatever_the_server_says_is_kept_as_one_line_of_text(outgoing, session, said, kept):
    registration = register_now(session=session)
    outgoing.refuse("DATA", said, times=1)

    delivery.drain()

    message = registration.messages.get()
    assert (message.state, message.answer, message.past_attempts[0].answer) == ("sent", kept, kept)


def test_a_mail_whose_answer_the_database_refuses_is_marked_sent_all_the_same(outgoing, session, monkeypatch):
    registration = register_now(session=session)
    mark_sent = outbox.mark_sent

    def refuse_text(message: Message, *, answer: str, **fields) -> bool:
        if answer:
            raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return mark_sent(message, answer=answer, **fields)

    monkeypatch.setattr(outbox, "mark_sent", refuse_text)
    began = monotonic()

    assert (delivery.drain(), delivery.drain()) == (1, 0)

    message = registration.messages.get()
    assert (message.state, message.answer, len(outgoing.mails)) == ("sent", "", 1)
    assert monotonic() - began < delivery.MARK_SENT_SECONDS / 3


def test_what_a_program_says_that_fails_is_kept_as_one_line_of_text(outgoing, session, monkeypatch):
    registration = register_now(session=session)

    def break_down(*_args, **_more) -> None:
        raise ValueError("No\0thing\nof it")

    monkeypatch.setattr(emails, "compose", break_down)

    delivery.drain()

    message = registration.messages.get()
    assert (message.state, message.answer) == ("retrying", "ValueError: No thing of it")


def test_many_mails_go_over_one_connection(outgoing, session):
    for _ in range(5):
        register_now(session=session)

    assert delivery.drain() == 5

    assert len({mail.recipients[0] for mail in outgoing.mails}) == 5
    assert outgoing.connections == 1


def test_a_line_that_begins_with_a_dot_arrives_as_it_was_written(outgoing, session):
    register_now(session=session, name=".hidden")
    registration = register_now(session=session)
    session.webinar.summary = "one\n.two\n..three"
    session.webinar.save()

    delivery.drain()

    calendar = calendar_of(outgoing.mails[-1]).replace(b"\r\n ", b"")
    assert registration.email.encode() in calendar
    assert b"one\\n.two\\n..three" in calendar


def test_a_task_that_is_told_to_stop_leaves_the_message_to_its_claim(outgoing, session, monkeypatch):
    registration = register_now(session=session)

    def stop(*_, **__):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("registrations.emails.compose", stop)
    with pytest.raises(SoftTimeLimitExceeded):
        delivery.drain()

    assert registration.messages.get().state == Message.State.SENDING


def test_a_sign_in_code_is_not_sent_once_it_is_no_longer_valid(outgoing, settings):
    late = datetime.now(UTC) - timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT + 60)
    message = outbox.enqueue_account_mail(to_email="a@example.org", subject="Code", text="ABCD", html="", now=late)

    assert delivery.drain() == 0

    message.refresh_from_db()
    assert (message.state, message.payload) == (Message.State.CANCELLED, {})


def test_a_refused_command_is_final_too(outgoing, session):
    registration = register_now(session=session)
    outgoing.refuse("RCPT", "552 Mailbox full", times=1)

    delivery.drain()

    assert registration.messages.get().state == Message.State.FAILED


def test_a_mail_that_carries_a_later_revision_is_another_message(outgoing, session):
    registration = register_now(session=session)
    outgoing.drop("DATA", after_accepting=True, times=1)
    delivery.drain()
    session.refresh_from_db()
    session.local_time = time(16, 0)
    scheduling.save_session(session, by=None, now=datetime.now(UTC))
    Message.objects.update(due_at=datetime.now(UTC))

    delivery.drain()

    first, second = outgoing.mails
    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert b"SEQUENCE:1" in calendar_of(second)
    assert registration.messages.count() == 1


def moved_twice(session, **first):
    """Somebody who was told of the second change of a session, and of whose first became what is said here."""
    registration = register_now(session=session)
    Message.objects.update(state="sent", sent_at=datetime.now(UTC))
    for hour in (15, 16):
        session.refresh_from_db()
        session.local_time = time(hour, 0)
        scheduling.save_session(session, by=None, now=datetime.now(UTC))
        Message.objects.filter(state="queued").update(state="sent", sent_at=datetime.now(UTC))
    moved, _again = registration.messages.filter(kind="rescheduled").order_by("pk")
    Message.objects.filter(pk=moved.pk).update(**{"state": "failed", **first})
    return registration, moved


def test_an_update_is_not_sent_again_once_a_later_one_has_told_more(outgoing, session):
    _registration, moved = moved_twice(session)
    assert outbox.retry(moved, now=datetime.now(UTC))

    delivery.drain()

    moved.refresh_from_db()
    assert (moved.state, moved.answer) == ("cancelled", delivery.TOLD_SINCE)
    assert outgoing.mails == []


def test_an_update_is_sent_again_where_the_later_one_came_back(outgoing, session):
    registration, moved = moved_twice(session)
    registration.messages.filter(pk__gt=moved.pk).update(bounced_at=datetime.now(UTC))
    outbox.retry(moved, now=datetime.now(UTC))

    delivery.drain()

    [mail] = outgoing.mails
    assert b"SEQUENCE:2" in calendar_of(mail)


def test_a_first_mail_is_sent_again_though_an_update_has_told_the_time(outgoing, session):
    registration, _moved = moved_twice(session, state="sent")
    confirmed = registration.messages.get(kind="confirmed")
    Message.objects.filter(pk=confirmed.pk).update(state="failed")
    outbox.retry(confirmed, now=datetime.now(UTC))

    delivery.drain()

    [mail] = outgoing.mails
    assert b"SEQUENCE:2" in calendar_of(mail)


def test_a_passing_refusal_is_tried_again_with_the_same_words(outgoing, session):
    registration = register_now(session=session)
    outgoing.refuse("DATA", "451 Try again later", times=1)

    assert delivery.drain() == 0
    message = registration.messages.get()
    assert (message.state, message.answer) == (Message.State.RETRYING, "451 Try again later")
    assert message.due_at > datetime.now(UTC)

    Message.objects.update(due_at=datetime.now(UTC))
    assert delivery.drain() == 1
    assert len(outgoing.mails) == 1


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_a_final_refusal_is_dead_and_does_not_hold_up_the_next(outgoing, session, stage):
    refused = register_now(session=session)
    taken = register_now(session=session)
    outgoing.refuse(stage, "550 No such user", times=1)

    assert delivery.drain() == 1

    assert refused.messages.get().state == Message.State.FAILED
    assert refused.messages.get().answer == "550 No such user"
    assert taken.messages.get().state == Message.State.SENT


def test_a_refusal_of_our_login_is_not_the_mails_fault(outgoing, session):
    registration = register_now(session=session)
    outgoing.refuse("RCPT", "530 Authentication required", times=1)

    delivery.drain()

    assert registration.messages.get().state == Message.State.RETRYING


def test_a_connection_that_breaks_costs_that_mail_a_pause_and_no_other(outgoing, session):
    broken = register_now(session=session)
    fine = register_now(session=session)
    outgoing.drop("DATA", times=1)

    assert delivery.drain() == 1

    assert broken.messages.get().state == Message.State.RETRYING
    assert fine.messages.get().state == Message.State.SENT


def test_what_nobody_needs_is_not_sent_again_where_the_server_has_it_and_said_nothing(outgoing, session, monkeypatch):
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.CONFIRMED}))
    registration = register_now(session=session)
    outgoing.drop("DATA", after_accepting=True, times=1)

    delivery.drain()

    message = registration.messages.get()
    assert message.state == Message.State.UNKNOWN
    assert message.message_id == outgoing.mails[0].message["Message-ID"]
    assert len(message.past_attempts) == 1


def test_what_somebody_needs_is_sent_again_where_the_server_has_it_and_said_nothing(outgoing, session):
    registration = register_now(session=session)
    outgoing.drop("DATA", after_accepting=True, times=1)

    delivery.drain()

    assert registration.messages.get().state == Message.State.RETRYING


def test_a_server_that_is_away_loses_nothing(settings, outgoing, session):
    settings.EMAIL_PORT = 1
    registration = register_now(session=session)

    assert delivery.drain() == 0
    message = registration.messages.get()
    assert message.state == Message.State.RETRYING
    assert "ConnectionRefusedError" in message.answer


def test_a_worker_killed_after_the_servers_yes_repeats_the_same_mail(outgoing, session):
    register_now(session=session)
    delivery.drain()
    # As the row stands when the worker dies between the 250 and its mark, once the lease is over.
    Message.objects.update(state=Message.State.SENDING, sent_at=None, claimed_until=datetime.now(UTC))

    delivery.drain()

    first, second = outgoing.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert calendar_of(first) == calendar_of(second)


def test_a_cancelled_registration_never_gets_its_late_confirmation(outgoing, session):
    registration = register_now(session=session)
    signup.cancel(registration, now=datetime.now(UTC))

    delivery.drain()

    [mail] = outgoing.mails
    assert b"METHOD:CANCEL" in calendar_of(mail)


def test_one_mail_that_cannot_be_written_does_not_hold_up_the_others(outgoing, session):
    broken = register_now(session=session)
    Message.objects.filter(registration=broken).update(kind="nonsense")
    register_now(session=session)

    assert delivery.drain() == 1

    assert broken.messages.get().state == Message.State.RETRYING


def test_without_a_mail_server_a_mail_is_a_file(settings, tmp_path, session):
    settings.EMAIL_URL = ""
    settings.MAILBOX_DIR = tmp_path / "mail"
    register_now(session=session)

    assert delivery.drain() == 1

    [file] = settings.MAILBOX_DIR.glob("*.eml")
    assert b"METHOD:REQUEST" in calendar_of_bytes(file.read_bytes())


def calendar_of(mail) -> bytes:
    [part] = [part for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def calendar_of_bytes(content: bytes) -> bytes:
    return calendar_of(ReceivedMail("", [], content))


@pytest.fixture
def slow_server(outgoing, monkeypatch) -> SmtpSink:
    """One that takes its time, of which our side knows after two mails."""
    monkeypatch.setattr(transport, "ANSWERS_REMEMBERED", 2)
    outgoing.delay("DATA", 0.05)
    return outgoing


def test_the_next_mail_is_composed_while_a_slow_server_thinks(slow_server, session, monkeypatch):
    for _ in range(5):
        register_now(session=session)
    compose, taken = emails.compose, []

    def composed(message, *, now):
        taken.append(len(slow_server.mails))
        return compose(message, now=now)

    monkeypatch.setattr(emails, "compose", composed)

    assert delivery.drain() == 5

    # How many mails the server had taken when each was composed.
    assert taken == [0, 1, 2, 2, 3]


def test_nothing_stands_between_the_answer_of_a_prompt_server_and_the_mark(outgoing, session, monkeypatch):
    monkeypatch.setattr(transport, "ANSWERS_REMEMBERED", 2)
    monkeypatch.setattr(transport, "SLOW_ANSWER_SECONDS", 5)
    for _ in range(4):
        register_now(session=session)
    prepared: list[None] = []
    monkeypatch.setattr(delivery._Desk, "prepare", lambda _desk: prepared.append(None))

    assert delivery.drain() == 4

    assert prepared == []


def test_what_cannot_be_composed_ahead_is_told_when_it_is_its_turn(slow_server, session):
    for _ in range(3):
        register_now(session=session)
    broken = register_now(session=session)
    broken.messages.update(kind="unheard_of")

    assert delivery.drain() == 3

    message = broken.messages.get()
    assert (message.state, message.attempts) == (Message.State.RETRYING, 1)
    assert "unheard_of" in message.answer


def test_what_was_composed_ahead_too_long_ago_is_composed_anew(slow_server, session, monkeypatch):
    for _ in range(4):
        register_now(session=session)
    monkeypatch.setattr(delivery, "AHEAD_SECONDS", -1)
    compose, of = emails.compose, []

    def composed(message, *, now):
        of.append(message.pk)
        return compose(message, now=now)

    monkeypatch.setattr(emails, "compose", composed)

    assert delivery.drain() == 4

    # The last was composed while the server thought about the third, and again when it was its turn.
    assert of.count(of[-1]) == 2


def test_beside_a_mail_that_may_have_killed_its_worker_nothing_else_is_touched(slow_server, session, monkeypatch):
    for _ in range(3):
        abandoned = register_now(session=session)
        outbox.claim(abandoned.messages.get().pk, now=datetime.now(UTC))
    Message.objects.update(claimed_until=datetime.now(UTC))
    register_now(session=session)
    claim_batch, taken = outbox.claim_batch, []

    def claimed(*, now):
        taken.append(len(slow_server.mails))
        return claim_batch(now=now)

    monkeypatch.setattr(outbox, "claim_batch", claimed)

    assert delivery.drain() == 4

    assert taken[0] == 3


def test_at_the_end_of_its_time_a_worker_gives_back_what_it_has_claimed(outgoing, session):
    for _ in range(2):
        register_now(session=session)
    desk = delivery._Desk(monotonic() + 60)

    assert desk.next() is not None
    desk._deadline = 0
    assert desk.next() is None

    [given_back] = Message.objects.filter(state=Message.State.QUEUED)
    assert given_back.attempts == 0


# ---------- what changes once a mail is composed ----------


@pytest.fixture
def last_composed_ahead(
    slow_server, session, monkeypatch
) -> Callable[[Callable[[Registration], object]], Registration]:
    """Lets something happen to the last of three people at the moment at which their mail was composed ahead."""

    def send(happens: Callable[[Registration], object]) -> Registration:
        *_others, last = [register_now(session=session, email=f"visitor-{number}@example.org") for number in range(3)]
        prepare, composed = delivery._Desk.prepare, []

        def prepare_and_change(desk):
            prepare(desk)
            composed.append(desk._ahead)
            happens(Registration.objects.select_related("session__webinar__host", "webinar").get(pk=last.pk))

        monkeypatch.setattr(delivery._Desk, "prepare", prepare_and_change)
        with SmtpOnce() as way_out, marking.open_marks() as marks:
            delivery._deliver_due(delivery._Outlet(way_out, marks), delivery._Desk(monotonic() + 60))
        assert [ahead[0] for ahead in composed if ahead] == [last.messages.earliest("pk").pk]
        return last

    class SmtpOnce(transport.SmtpTransport):
        """It is known to be slow from the second mail on, and lets compose ahead once."""

        def _is_slow(self) -> bool:
            return len(slow_server.mails) == 1

    return send


def told(sink: SmtpSink, person: Registration) -> list[str]:
    """The subjects of what they got."""
    return [str(mail.message["Subject"]) for mail in sink.mails if mail.recipients == [person.email]]


def test_what_was_composed_ahead_is_not_sent_once_its_person_has_cancelled(last_composed_ahead, slow_server):
    last = last_composed_ahead(lambda person: signup.cancel(person, now=datetime.now(UTC)))

    confirmed, cancelled = last.messages.order_by("pk")
    assert (confirmed.state, confirmed.past_attempts) == (Message.State.CANCELLED, [])
    assert confirmed.answer
    assert cancelled.state == Message.State.SENT
    assert [subject.startswith("Registration cancelled") for subject in told(slow_server, last)] == [True]


def test_what_was_composed_ahead_is_not_sent_once_its_person_is_erased(last_composed_ahead, slow_server):
    last = last_composed_ahead(lambda person: erasure.erase(person, now=datetime.now(UTC)))

    assert last.messages.earliest("pk").state == Message.State.CANCELLED
    assert len([mail for mail in slow_server.mails if mail.recipients == ["visitor-2@example.org"]]) == 1


def test_what_was_composed_ahead_is_not_sent_once_its_reader_has_unsubscribed(
    last_composed_ahead, slow_server, monkeypatch
):
    monkeypatch.setattr(Message, "OPTIONAL_KINDS", frozenset({Message.Kind.CONFIRMED}))

    last = last_composed_ahead(lambda person: stops.unsubscribe(person, how=stops.How.PAGE, now=datetime.now(UTC)))

    message = last.messages.get()
    assert (message.state, message.answer) == (Message.State.CANCELLED, stops.UNWANTED)
    assert told(slow_server, last) == []


def test_what_was_composed_ahead_is_not_sent_once_its_address_takes_no_mail(last_composed_ahead, slow_server):
    last = last_composed_ahead(
        lambda person: stops.note_address(person.messages.get(), reason="5.1.1", now=datetime.now(UTC))
    )

    message = last.messages.get()
    assert (message.state, message.answer) == (Message.State.CANCELLED, stops.ADDRESS_FAILS)
    assert told(slow_server, last) == []


def test_what_was_composed_ahead_is_not_sent_once_a_newer_revision_is_on_its_way(last_composed_ahead, slow_server):
    def move(person: Registration) -> None:
        person.session.local_time = time(15, 0)
        scheduling.save_session(person.session, by=None, now=datetime.now(UTC))

    last = last_composed_ahead(move)

    confirmed, moved = last.messages.order_by("pk")
    assert (confirmed.state, confirmed.answer) == (Message.State.CANCELLED, delivery.OVERTAKEN)
    assert (moved.kind, moved.state) == (Message.Kind.RESCHEDULED, Message.State.QUEUED)
    assert told(slow_server, last) == []


def test_what_was_composed_ahead_goes_to_the_address_that_was_corrected_meanwhile(last_composed_ahead, slow_server):
    last = last_composed_ahead(lambda person: Registration.objects.filter(pk=person.pk).update(email="b@example.org"))

    assert last.messages.get().state == Message.State.SENT
    assert slow_server.mails[-1].recipients == ["b@example.org"]
    assert b"b@example.org" in calendar_of(slow_server.mails[-1])


def test_what_waits_behind_others_of_its_batch_is_looked_at_again_too(outgoing, session):
    for number in range(2):
        last = register_now(session=session, email=f"visitor-{number}@example.org")
    batch = outbox.claim_batch(now=datetime.now(UTC))
    signup.cancel(last, now=datetime.now(UTC))

    with delivery._open() as outlet:
        sent = [delivery._deliver_claimed(message, outlet) for message in batch]

    assert sent == [True, False]
    assert last.messages.earliest("pk").state == Message.State.CANCELLED


def test_a_mail_that_changes_whenever_it_is_about_to_be_sent_waits(outgoing, session, monkeypatch):
    registration = register_now(session=session)
    compose = emails.compose

    def composed(message, *, now):
        Registration.objects.update(sequence=F("sequence") + 1)
        return compose(message, now=now)

    monkeypatch.setattr(emails, "compose", composed)

    assert delivery.drain() == 0

    message = registration.messages.get()
    assert (message.state, message.answer) == (Message.State.RETRYING, delivery.CHANGES)
    assert outgoing.mails == []
