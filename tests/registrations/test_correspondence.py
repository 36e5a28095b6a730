"""Mails we sent you: what a person sees of them, and which they can have again."""

import re
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from events import scheduling
from events.models import MailRule, Session
from registrations import correspondence, emails, outbox, signup
from registrations.correspondence import MailState, SendAgainError
from registrations.models import Mailing, Message, Registration
from tests.builders import NOW, make_registration, make_session, make_webinar
from tests.registrations.test_concurrency import THREADS, all_at_once

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def deliver_everything() -> None:
    Message.objects.filter(state=Message.State.QUEUED).update(state=Message.State.SENT, sent_at=NOW)


def shown(registration: Registration, *, now=LATER) -> list[tuple[str, MailState, bool]]:
    mails = correspondence.mails_of(registration, now=now)
    return [(mail.words, mail.state, mail.can_be_sent_again) for mail in mails]


def write_to(registration: Registration, *, kind: str, minutes: int | None = None, **fields: Any) -> None:
    """Owe somebody a mail of the plan, so long before the start, or an announcement."""
    session = registration.session
    due_at = NOW if minutes is None else session.starts_at - timedelta(minutes=minutes)
    starts_at = None if minutes is None else session.starts_at
    mailing = Mailing.objects.create(
        key=f"{kind}-{minutes}",
        kind=kind,
        webinar=registration.webinar,
        session=session,
        starts_at=starts_at,
        due_at=due_at,
        begun_at=NOW,
        **fields,
    )
    outbox.enqueue_mailing([registration], mailing, now=NOW)


def send_newest_again(registration: Registration, *, now) -> None:
    newest = correspondence.mails_of(registration, now=now)[0]
    correspondence.send_again(registration, message_id=newest.id, now=now)


def test_a_mail_that_waits_cannot_be_had_twice():
    registration = make_registration()

    assert shown(registration) == [("You have a place", MailState.WAITING, False)]


def test_mails_are_listed_newest_first_with_what_became_of_them():
    session = make_session(capacity=1)
    holder, registration = make_registration(session), make_registration(session)
    deliver_everything()
    signup.cancel(holder, now=LATER)
    registration.refresh_from_db()
    Message.objects.filter(registration=registration, kind="promoted").update(
        state=Message.State.FAILED, answer="550 No such user"
    )

    assert shown(registration) == [
        ("A place came free for you", MailState.FAILED, True),
        ("You are on the waiting list", MailState.SENT, False),
    ]
    assert [mail.at for mail in correspondence.mails_of(registration, now=LATER)] == [LATER, NOW]


def test_what_was_overtaken_was_not_needed():
    registration = make_registration()
    signup.cancel(registration, now=LATER)
    registration.refresh_from_db()

    assert shown(registration) == [
        ("Registration cancelled", MailState.WAITING, False),
        ("You have a place", MailState.NOT_NEEDED, False),
    ]


def test_an_announcement_is_listed_by_its_subject_and_a_reminder_by_its_moment():
    registration = make_registration()
    for minutes in (7 * 24 * 60, 24 * 60, 60):
        write_to(registration, kind="reminder", minutes=minutes)
    write_to(registration, kind="starting", minutes=0)
    write_to(registration, kind="announcement", subject="Slides for the morning", text="Read them.")

    assert [words for words, _state, _again in shown(registration)] == [
        "Slides for the morning",
        "It starts now",
        "Reminder, 1 hour before the start",
        "Reminder, 24 hours before the start",
        "Reminder, 7 days before the start",
        "You have a place",
    ]


def test_what_a_mail_was_called_is_known_though_its_rule_is_gone():
    registration = make_registration()
    write_to(registration, kind="reminder", minutes=60)
    MailRule.objects.all().delete()

    assert shown(registration)[0][0] == "Reminder, 1 hour before the start"


def test_a_mail_sent_again_is_owed_anew_with_what_holds_now():
    session = make_session()
    registration = make_registration(session)
    deliver_everything()
    session.local_time = time(16, 0)
    scheduling.save_session(session, by=None, now=NOW)
    deliver_everything()
    registration.refresh_from_db()
    first = registration.messages.get(kind="confirmed")

    correspondence.send_again(registration, message_id=first.pk, now=LATER)

    again = registration.messages.filter(kind="confirmed").latest("pk")
    assert again.pk != first.pk
    assert (again.state, again.due_at, again.sequence) == (Message.State.QUEUED, LATER, 1)
    first_mail, again_mail = (emails.compose(message, now=LATER) for message in (first, again))
    assert again_mail.message_id != first_mail.message_id
    assert "16:00 to 17:30" in again_mail.message.body


def test_the_next_comes_no_sooner_than_in_ten_minutes_and_the_refusal_says_when():
    registration = make_registration(time_zone="Asia/Tashkent")
    deliver_everything()
    send_newest_again(registration, now=LATER)
    deliver_everything()

    with pytest.raises(SendAgainError, match=re.escape("from 15:11 Tashkent, UTC+5 on")):
        send_newest_again(registration, now=LATER + timedelta(minutes=9, seconds=59))
    assert registration.messages.count() == 2

    send_newest_again(registration, now=LATER + timedelta(minutes=10))
    assert registration.messages.count() == 3


def test_a_mail_that_was_asked_for_again_can_be_had_again():
    registration = make_registration()
    deliver_everything()
    send_newest_again(registration, now=LATER)
    deliver_everything()

    assert shown(registration) == [
        ("You have a place", MailState.SENT, True),
        ("You have a place", MailState.SENT, False),
    ]


def test_what_has_lost_its_point_is_refused_in_words():
    registration = make_registration()
    deliver_everything()
    confirmation = registration.messages.get()
    Session.objects.update(state=Session.State.CANCELLED)

    with pytest.raises(SendAgainError, match="nothing in this mail that still holds"):
        correspondence.send_again(registration, message_id=confirmation.pk, now=LATER)

    assert registration.messages.count() == 1


def test_nobody_is_sent_the_mail_of_somebody_else():
    session = make_session()
    mine, theirs = make_registration(session), make_registration(session)
    deliver_everything()

    with pytest.raises(SendAgainError):
        correspondence.send_again(mine, message_id=theirs.messages.get().pk, now=LATER)

    assert Message.objects.count() == 2


def test_whoever_has_not_proved_the_address_is_sent_nothing_but_the_request_to():
    session = make_session(make_webinar())
    registration = make_registration(session)
    deliver_everything()
    signup.cancel(registration, now=NOW)
    deliver_everything()
    type(session.webinar).objects.update(needs_proof=True)
    session.refresh_from_db()
    make_registration(Session.objects.get(), email=registration.email, now=LATER)
    deliver_everything()
    registration.refresh_from_db()

    assert shown(registration, now=LATER) == [
        ("Confirm your address", MailState.SENT, True),
        ("Registration cancelled", MailState.SENT, False),
        ("You have a place", MailState.SENT, False),
    ]


def test_the_language_of_what_is_sent_again_is_the_one_they_read_now():
    registration = make_registration()
    deliver_everything()
    signup.change_details(registration, name="Анна", time_zone="Asia/Tokyo", language="ar", now=NOW)

    send_newest_again(registration, now=LATER)

    assert registration.messages.latest("pk").language == "ar"


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_double_click_owes_one():
    assert connection.vendor == "postgresql"
    registration = make_registration()
    deliver_everything()

    message = registration.messages.get()
    moments = [LATER + timedelta(milliseconds=number) for number in range(THREADS)]

    def send_again_at(now: datetime) -> None:
        correspondence.send_again(registration, message_id=message.pk, now=now)

    results = all_at_once([partial(send_again_at, now) for now in moments])

    assert results.count(None) == 1
    assert {type(result) for result in results} == {type(None), SendAgainError}
    assert registration.messages.count() == 2


def test_registering_again_unproved_asks_for_proof_again_at_most_once_in_ten_minutes():
    registration = make_registration(make_session(make_webinar(needs_proof=True)))
    session = registration.session

    outbox.enqueue_link_again(registration, asked_for=session, now=NOW + timedelta(minutes=9))
    assert registration.messages.count() == 1

    outbox.enqueue_link_again(registration, asked_for=session, now=NOW + timedelta(minutes=10))
    assert set(registration.messages.values_list("kind", flat=True)) == {"proof"}
    assert registration.messages.count() == 2
