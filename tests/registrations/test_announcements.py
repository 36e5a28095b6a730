"""An announcement that is on its way is stopped: what nobody has begun is not sent, and nothing more is written."""

import uuid
from datetime import timedelta

import pytest

from registrations import announcements, correspondence, mailings, outbox
from registrations.announcements import Progress
from registrations.models import Mailing, Message
from registrations.pointless import PointlessError, require_point
from tests.builders import NOW, make_registration, make_rule, make_session

pytestmark = pytest.mark.django_db

State = Message.State
STOPPED = (State.CANCELLED, Message.CancelledBecause.STOPPED, "An organizer stopped it.")


@pytest.fixture
def session():
    return make_session()


@pytest.fixture
def people(session):
    found = [make_registration(session) for _each in range(5)]
    Message.objects.update(state=State.SENT, sent_at=NOW)
    return found


@pytest.fixture
def announcement(session, people):
    return mailings.announce(
        session.webinar,
        session=session,
        audience=Mailing.Audience.PLACE,
        subject="Slides",
        text="Read them.",
        by=None,
        now=NOW,
        draft=uuid.uuid4(),
    )


def claim(message: Message) -> Message:
    claimed = outbox.claim(message.pk, now=NOW)
    assert claimed is not None
    return claimed


def ends(mailing):
    rows = mailing.messages.order_by("registration")
    return list(rows.values_list("state", "cancelled_because", "answer"))


def test_what_nobody_has_begun_is_not_sent_and_the_reason_is_kept(people, announcement):
    mailings.sweep(now=NOW)
    sent, begun, held, refused, _queued = announcement.messages.order_by("registration")
    Message.objects.filter(pk=sent.pk).update(state=State.SENT, sent_at=NOW)
    begun, held = claim(begun), claim(held)
    assert outbox.mark_begun(begun, message_id="<1@example.org>", now=NOW)
    Message.objects.filter(pk=refused.pk).update(state=State.RETRYING, attempts=1, answer="450 Later")

    assert announcements.stop(announcement, now=NOW) == 3

    assert ends(announcement) == [(State.SENT, "", ""), (State.SENDING, "", ""), STOPPED, STOPPED, STOPPED]
    assert not outbox.mark_begun(held, message_id="<2@example.org>", now=NOW)
    assert outbox.mark_sent(begun, message_id="<1@example.org>", answer="250 Ok", now=NOW)


def test_what_is_not_written_yet_is_never_written(people, announcement, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    mailings._write_chunk(announcement.pk, now=NOW)

    assert announcements.stop(announcement, now=NOW + timedelta(minutes=1)) == 2

    assert mailings.sweep(now=NOW + timedelta(minutes=2)) == 0
    assert ends(announcement) == [STOPPED, STOPPED]
    announcement.refresh_from_db()
    assert announcement.stopped_at == announcement.written_at == NOW + timedelta(minutes=1)


def test_what_failed_or_is_asked_for_once_more_is_not_sent_any_more_either(people, announcement):
    mailings.sweep(now=NOW)
    first, second, *_rest = announcement.messages.order_by("registration")
    Message.objects.filter(pk=first.pk).update(state=State.FAILED)
    Message.objects.filter(pk=second.pk).update(state=State.SENT, sent_at=NOW)

    announcements.stop(announcement, now=NOW)

    assert correspondence.send_failed_again(announcement.messages.all(), now=NOW).count == 1
    with pytest.raises(PointlessError, match=r"An organizer stopped it\."):
        require_point(claim(first), now=NOW)


def test_stopping_twice_or_what_is_over_does_nothing(people, announcement):
    assert announcements.stop(announcement, now=NOW) == 0
    assert announcements.stop(announcement, now=NOW + timedelta(minutes=1)) is None

    announcement.refresh_from_db()
    assert announcement.stopped_at == NOW


def test_what_has_gone_out_is_over(people, announcement):
    mailings.sweep(now=NOW)
    assert announcements.progress_of(Mailing.objects.get()) == Progress(sent=0, waiting=5, is_written=True)
    announcement.messages.update(state=State.SENT, sent_at=NOW)

    assert announcements.stop(announcement, now=NOW) is None

    assert set(ends(announcement)) == {(State.SENT, "", "")}


def test_what_the_plan_sends_is_stopped_by_its_rules(session, people):
    make_rule(session.webinar.host)
    mailings.sweep(now=session.starts_at - timedelta(hours=1))
    [reminder] = Mailing.objects.all()

    assert announcements.stop(reminder, now=NOW) is None

    assert set(reminder.messages.values_list("state", flat=True)) == {State.QUEUED}


def test_mails_of_others_stay(session, people, announcement):
    other = mailings.announce(
        session.webinar,
        session=session,
        audience=Mailing.Audience.PLACE,
        subject="Another",
        text="Read it.",
        by=None,
        now=NOW,
        draft=uuid.uuid4(),
    )
    mailings.sweep(now=NOW)

    announcements.stop(announcement, now=NOW)

    assert set(other.messages.values_list("state", flat=True)) == {State.QUEUED}
