"""What erasing leaves: counts. And that nothing brings a person back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.urls import reverse

from events.email_addresses import address_key
from events.models import Session, User
from registrations import delivery, emails, erasure, outbox, signup, tokens, transport
from registrations.models import Answer, BouncedAddress, Message, OfferCode, Registration, Unsubscription
from registrations.pointless import PointlessError
from tests.builders import (
    NOW,
    make_host,
    make_offer,
    make_organizer,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)
from tests.registrations.test_concurrency import THREADS, all_at_once
from tests.registrations.test_delivery import calendar_of_bytes as calendar_of
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
AFTER_THE_SESSION = datetime(2026, 10, 14, 14, 0, tzinfo=UTC)
PERSONAL = ("anna", "karimova", "tashkent", "roads and rivers", "550 no such")


@pytest.fixture
def session() -> Session:
    webinar = make_webinar()
    make_offer(webinar, conditions=("registered",))
    make_offer(webinar, conditions=("attended",))
    return make_session(webinar, capacity=1)


def register_anna(session: Session, **fields: Any) -> Registration:
    question = make_question(session.webinar)
    return make_registration(
        session,
        **{
            "name": "Anna Karimova",
            "email": "anna@example.net",
            "time_zone": "Asia/Tashkent",
            "answers": {question: "Roads and rivers"},
            "wants_news": True,
            **fields,
        },
    )


def deliver_everything() -> None:
    Message.objects.filter(state=Message.State.QUEUED).update(
        state=Message.State.SENT, sent_at=NOW, answer="550 No such user anna@example.net"
    )


def everything_stored() -> str:
    """All rows of all that belongs to people or speaks of them, as text."""
    tables = (Registration, Answer, OfferCode, Message, BouncedAddress, Unsubscription, LogEntry)
    rows = [list(table.objects.values()) for table in tables]
    return json.dumps(rows, cls=DjangoJSONEncoder).lower()


def erase(registration: Registration, *, now: datetime = LATER) -> Registration:
    erasure.erase(registration, now=now)
    return Registration.objects.get(pk=registration.pk)


def claimed(message: Message, *, at: datetime = LATER) -> Message:
    mine = outbox.claim(message.pk, now=at)
    assert mine is not None
    return mine


def end_last_mail() -> None:
    message = claimed(Message.objects.get(kind="erased"))
    outbox.mark_sent(message, message_id="<x@y>", answer="250 OK for anna@example.net", now=LATER)


# ---------- what is left ----------


def test_once_the_last_mail_is_out_nothing_of_the_person_is_left(session):
    anna = register_anna(session)
    deliver_everything()
    assert all(word in everything_stored() for word in PERSONAL)

    erase(anna)
    end_last_mail()

    assert [word for word in PERSONAL if word in everything_stored()] == []


def test_what_organizers_did_stays_in_the_history_and_not_to_whom(session):
    organizer, anna = make_organizer(session.webinar.host), register_anna(session)
    user = User.objects.create_user("anna@example.net")
    for subject in (anna, user):
        LogEntry.objects.log_actions(organizer.pk, [subject], CHANGE, "Accepted.")
    assert "karimova" in everything_stored()

    erasure.erase_person(user, [user.email], now=LATER)
    end_last_mail()

    assert [word for word in PERSONAL if word in everything_stored()] == []
    assert LogEntry.objects.filter(change_message="Accepted.").count() == 2


@pytest.mark.parametrize(
    "end",
    [
        lambda message: outbox.mark_failed(message, answer="550 No such user anna@example.net", now=LATER),
        lambda message: outbox.mark_cancelled(message, reason="No use: anna@example.net"),
    ],
    ids=["failed", "cancelled"],
)
def test_whatever_the_end_of_the_last_mail_it_is_forgotten(session, end: Callable[[Message], bool]):
    erase(register_anna(session))

    end(claimed(Message.objects.get(kind="erased")))

    assert [word for word in PERSONAL if word in everything_stored()] == []


def test_a_last_mail_that_kills_its_workers_is_forgotten_too(session, monkeypatch):
    erase(register_anna(session))
    claimed(Message.objects.get(kind="erased"))
    monkeypatch.setattr(outbox, "MAX_ABANDONED", 1)

    outbox.claim_abandoned(now=LATER + outbox.CLAIM_FOR)

    assert Message.objects.get(kind="erased").state == Message.State.FAILED
    assert [word for word in PERSONAL if word in everything_stored()] == []


def test_what_stays_are_counts(session):
    anna = register_anna(session)
    earned = anna.offer_codes.exclude(unlocked_at=None).get()

    erased = erase(anna)

    assert erased.is_erased
    assert (erased.status, erased.cancelled_because) == ("cancelled", "erased")
    assert list(erased.offer_codes.all()) == [earned]
    assert erased.messages.count() == 2


def test_who_has_been_there_stays_counted_there(session):
    anna = register_anna(session)

    erased = erase(anna, now=AFTER_THE_SESSION)

    session.refresh_from_db()
    assert (erased.status, session.places_taken) == ("confirmed", 1)
    mail = emails.compose(Message.objects.get(kind="erased"), now=AFTER_THE_SESSION)
    assert b"text/calendar" not in mail.as_bytes()


# ---------- the place, the entry, the mails ----------


def test_the_place_goes_to_the_first_who_waits_and_each_hears_once(session):
    anna, bob = register_anna(session), make_registration(session)
    deliver_everything()

    erase(anna)

    bob.refresh_from_db()
    session.refresh_from_db()
    assert (bob.status, session.places_taken) == ("confirmed", 1)
    assert set(Message.objects.open().values_list("registration", "kind")) == {
        (anna.pk, "erased"),
        (bob.pk, "promoted"),
    }


def test_whoever_waited_leaves_the_queue(session):
    make_registration(session)
    anna = register_anna(session)

    erased = erase(anna)

    assert erased.is_cancelled
    assert not Registration.objects.waiting().exists()


@pytest.mark.parametrize("state", [{"awaits": "payment", "has_place": True}, {"awaits": "approval"}])
def test_whoever_was_still_pending_when_the_session_ended_does_not_go_on_anywhere(session, state):
    anna = register_anna(session)
    Registration.objects.filter(pk=anna.pk).update(status="pending", **{"has_place": False, **state})
    Session.objects.update(places_taken=1 if state.get("has_place") else 0)

    erased = erase(anna, now=AFTER_THE_SESSION)

    session.refresh_from_db()
    assert (erased.status, session.places_taken) == ("cancelled", 0)


def test_the_last_mail_takes_the_entry_out_of_the_calendar_though_nobody_knows_them_any_more(session):
    anna = register_anna(session)
    deliver_everything()
    uid = anna.uid

    erase(anna)

    first, second = (emails.compose(Message.objects.get(kind="erased"), now=LATER) for _ in range(2))
    assert first.to_email == "anna@example.net"
    assert first.message_id == second.message_id
    ics = calendar_of(first.as_bytes())
    assert b"METHOD:CANCEL\r\n" in ics
    assert f"UID:{uid}".encode() in ics.replace(b"\r\n ", b"")
    assert b"SEQUENCE:1\r\n" in ics


def test_an_entry_that_was_withdrawn_and_told_is_not_withdrawn_again(session):
    anna = register_anna(session)
    deliver_everything()
    signup.cancel(anna, now=NOW)
    deliver_everything()

    erase(anna)

    mail = emails.compose(Message.objects.get(kind="erased"), now=LATER)
    assert b"text/calendar" not in mail.as_bytes()


def test_an_address_that_nobody_proved_is_sent_nothing_more():
    session = make_session(make_webinar(needs_proof=True))
    anna = register_anna(session)
    deliver_everything()

    erase(anna)

    assert not Message.objects.exclude(kind="proof").exists()
    assert [word for word in PERSONAL if word in everything_stored()] == []


def test_nobody_who_was_erased_is_owed_anything(session):
    erased = erase(register_anna(session))
    end_last_mail()

    outbox.enqueue(erased, Message.Kind.RESCHEDULED, now=LATER)
    outbox.enqueue_link_again(erased, asked_for=session, now=LATER)

    assert not Message.objects.open().exists()


def test_a_mail_that_is_sent_at_this_moment_ends_before_the_last_one_and_leaves_no_trace(session):
    anna = register_anna(session)
    sending = claimed(anna.messages.get())
    outbox.mark_begun(sending, message_id="<x@y>", now=LATER)

    erase(anna)

    last = Message.objects.get(kind="erased")
    assert outbox.claim(last.pk, now=LATER) is None
    outbox.mark_postponed(sending, answer="451 anna@example.net is busy", now=LATER)
    again = claimed(sending, at=LATER + timedelta(minutes=5))
    with pytest.raises(PointlessError, match="erased"):
        emails.compose(again, now=LATER)
    outbox.mark_cancelled(again, reason="Erased: anna@example.net")
    claimed(last, at=LATER + timedelta(minutes=5))
    assert Message.objects.get(pk=sending.pk).answer == ""


def test_a_mail_that_a_worker_has_just_taken_does_not_go_out(session, settings, smtp_sink: SmtpSink):
    settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_sink.url, "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    anna = register_anna(session)
    taken = claimed(anna.messages.get())
    mail = emails.compose(taken, now=LATER)

    erase(anna)

    with transport.open_transport() as way_out, pytest.raises(transport.ClaimLostError):
        way_out.send(mail, before_data=lambda: outbox.mark_begun(taken, message_id="<x@y>", now=LATER))
    assert delivery.drain() == 1
    [sent] = smtp_sink.mails
    assert sent.recipients == ["anna@example.net"]
    assert b"METHOD:CANCEL\r\n" in calendar_of(sent.content)
    assert [word for word in PERSONAL if word in everything_stored()] == []


def test_a_forgotten_mail_is_not_tried_again(session):
    anna = register_anna(session)
    outbox.mark_failed(claimed(anna.messages.get()), answer="550 No", now=LATER)

    erase(anna)

    assert not outbox.retry(Message.objects.get(kind="confirmed"), now=LATER)


# ---------- who comes after ----------


def test_its_links_open_nothing_any_more(session, client):
    anna = register_anna(session)
    manage, join = tokens.manage_token(anna), tokens.join_token(anna)

    erase(anna)

    for read, token in ((tokens.read_manage_token, manage), (tokens.read_join_token, join)):
        with pytest.raises(tokens.BadTokenError):
            read(token)
    assert client.get(reverse("registration", args=[manage])).status_code == 404


def test_the_same_address_starts_anew(session):
    anna = register_anna(session)
    erase(anna)

    again = make_registration(session, email="anna@example.net", now=LATER)

    assert again.pk != anna.pk
    assert again.uid != anna.uid
    assert again.is_confirmed


def test_erasing_twice_does_nothing_the_second_time(session):
    anna = register_anna(session)

    first = erase(anna)
    second = erase(anna, now=LATER + timedelta(days=1))

    assert second.erased_at == first.erased_at == LATER
    assert Message.objects.filter(kind="erased").count() == 1


def test_all_that_one_address_registered_is_erased_and_nothing_else(session):
    mine = [register_anna(session), make_registration(email="ANNA@example.net")]
    other = make_registration()

    erased = erasure.erase_all([address_key("anna@example.net")], now=LATER)

    assert erased == 2
    assert set(Registration.objects.exclude(erased_at=None)) == set(mine)
    other.refresh_from_db()
    assert other.is_confirmed


def test_organizers_see_that_somebody_was_erased_and_no_page_breaks(client):
    host = make_host()
    session = make_session(make_webinar(host=host))
    anna = register_anna(session)
    erase(anna)
    client.force_login(make_organizer(host))

    assert str(Registration.objects.get()) == f"Erased ({anna.reference})"
    for page, row in (("registration", anna), ("message", Message.objects.get(kind="confirmed"))):
        lists = client.get(reverse(f"admin:registrations_{page}_changelist"))
        one = client.get(reverse(f"admin:registrations_{page}_change", args=[row.pk]))
        assert (lists.status_code, one.status_code) == (200, 200)
        assert "karimova" not in (lists.content + one.content).decode().lower()


# ---------- races, where they can happen ----------


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestRaces:
    """On PostgreSQL, with scripts/test."""

    @pytest.fixture(autouse=True)
    def _on_postgresql(self) -> None:
        assert connection.vendor == "postgresql"

    @pytest.mark.parametrize("now", [LATER, AFTER_THE_SESSION], ids=["before", "after"])
    def test_many_who_erase_at_once_erase_once(self, session, now):
        anna = register_anna(session)
        make_registration(session)

        results = all_at_once([lambda: erasure.erase(anna, now=now) for _ in range(THREADS)])

        assert results == [None] * THREADS
        session.refresh_from_db()
        assert session.places_taken == Registration.objects.filter(has_place=True).count() == 1
        assert Message.objects.filter(kind="erased").count() == 1

    def test_people_who_erase_while_others_register_cancel_and_mails_go_out_lose_no_place(self, session):
        Session.objects.update(capacity=10)
        people = [make_registration(session) for _ in range(20)]
        acts: list[Callable[[], Any]] = []
        for number, person in enumerate(people):
            acts.append(partial(erasure.erase, person, now=LATER))
            if number % 2:
                acts.append(partial(signup.cancel, person, now=LATER))
            acts.append(partial(make_registration, session, now=LATER))
            acts.append(partial(outbox.claim_batch, now=LATER, limit=3))

        results = all_at_once(acts)

        assert [result for result in results if isinstance(result, Exception)] == []
        session.refresh_from_db()
        confirmed = Registration.objects.confirmed().count()
        assert (session.places_taken, confirmed) == (10, 10)
        assert Registration.objects.exclude(erased_at=None).count() == 20

    def test_a_worker_that_sends_at_the_same_moment_brings_nobody_back(self, session):
        people = [make_registration(Session.objects.get(), name="Anna Karimova") for _ in range(12)]
        waiting = {person.pk: person.messages.get() for person in people}

        def send(message: Message) -> None:
            mine = outbox.claim(message.pk, now=LATER)
            if mine is not None and outbox.mark_begun(mine, message_id="<x@y>", now=LATER):
                outbox.mark_failed(mine, answer=f"550 No such user {mine.to_email}", now=LATER)

        acts: list[Callable[[], Any]] = []
        for person in people:
            acts.append(partial(send, waiting[person.pk]))
            acts.append(partial(erasure.erase, person, now=LATER))
        results = all_at_once(acts)

        assert [result for result in results if isinstance(result, Exception)] == []
        left = Message.objects.exclude(kind="erased")
        assert set(left.values_list("to_email", "answer")) == {("", "")}
