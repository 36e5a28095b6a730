"""Mails that are long over go; what still keeps a mail from being written twice stays."""

from datetime import UTC, datetime, time, timedelta

import pytest

from events import scheduling
from events.models import Host, Session
from registrations import emails, outbox, probes, signup, stops, thinning
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_registration, make_session, make_webinar

pytestmark = pytest.mark.django_db

# The sessions that builders plan end on 14 October 2026.
ENDED = datetime(2026, 10, 14, 14, 0, tzinfo=UTC)
A_YEAR_LATER = ENDED + timedelta(days=365, minutes=1)


@pytest.fixture
def session() -> Session:
    return make_session(make_webinar(host=make_host(keep_mails_days=365)))


def told(session: Session, **fields) -> Registration:
    """Somebody who was told that they have a place, and then that the session has moved."""
    registration = make_registration(session, **fields)
    session.refresh_from_db()
    Message.objects.filter(registration=registration).update(state="sent", sent_at=NOW)
    session.local_time = time(13, 0) if session.local_time != time(13, 0) else time(13, 30)
    scheduling.save_session(session, by=None, now=NOW + timedelta(minutes=1))
    Message.objects.filter(registration=registration).update(state="sent", sent_at=NOW)
    return Registration.objects.get(pk=registration.pk)


def kinds(registration: Registration) -> list[str]:
    return list(registration.messages.order_by("pk").values_list("kind", flat=True))


def test_what_is_over_for_as_long_as_the_host_chose_is_deleted(session):
    registration = told(session)

    assert thinning.thin_out(now=ENDED + timedelta(days=364)) == 0
    assert thinning.thin_out(now=A_YEAR_LATER) == 1
    assert thinning.thin_out(now=A_YEAR_LATER) == 0

    assert kinds(registration) == ["rescheduled"]


def test_a_host_that_keeps_them_for_good_keeps_them(session):
    registration = told(session)
    Host.objects.update(keep_mails_days=None)

    thinning.thin_out(now=A_YEAR_LATER + timedelta(days=3650))

    assert kinds(registration) == ["confirmed", "rescheduled"]


def test_what_is_about_a_session_to_come_stays_however_old_it_is(session):
    registration = told(session, now=NOW)
    Message.objects.update(created_at=NOW - timedelta(days=2000))

    thinning.thin_out(now=NOW + timedelta(days=1))

    assert kinds(registration) == ["confirmed", "rescheduled"]


def test_what_is_still_owed_stays(session):
    registration = told(session)
    Message.objects.filter(kind="confirmed").update(state="retrying")

    thinning.thin_out(now=A_YEAR_LATER)

    assert kinds(registration) == ["confirmed", "rescheduled"]


def test_nobody_loses_an_entry_because_the_mail_that_told_it_is_gone(session):
    """Whoever waits without an entry is sent no withdrawal of one whose withdrawal was told already."""
    registration = told(session)
    signup.cancel(registration, now=NOW + timedelta(minutes=2))
    Message.objects.update(state="sent", sent_at=NOW)

    thinning.thin_out(now=A_YEAR_LATER)

    registration.refresh_from_db()
    assert kinds(registration) == ["cancelled"]
    assert not emails._has_untold_withdrawal(registration)


def test_mails_about_signing_in_are_kept_for_a_month():
    mail = outbox.enqueue_account_mail(to_email="a@example.org", subject="Code", text="ABCD", html="", now=NOW)
    Message.objects.filter(pk=mail.pk).update(state="sent", sent_at=NOW)

    assert thinning.thin_out(now=NOW + timedelta(days=30)) == 0
    assert thinning.thin_out(now=NOW + timedelta(days=30, seconds=1)) == 1


def test_an_invite_to_oneself_stays_with_what_it_proved():
    probe = probes.send("me@example.org", sender_email="site@example.org", now=NOW)
    Message.objects.update(state="sent", sent_at=NOW)

    assert thinning.thin_out(now=NOW + timedelta(days=180)) == 0

    assert probes.latest() == probe


def test_an_address_that_takes_no_mail_is_known_without_the_mail_that_showed_it(session):
    registration = told(session)
    first = registration.messages.select_related("registration").get(kind="confirmed")
    stops.came_back([first], reason="5.1.1", is_hard=True, now=ENDED)

    thinning.thin_out(now=A_YEAR_LATER)

    known = stops.failing_address(registration)
    assert known is not None
    assert (known.message, known.reason) == (None, "5.1.1")


def test_many_go_batch_by_batch(session, monkeypatch):
    monkeypatch.setattr(thinning, "BATCH", 2)
    people = [told(session) for _ in range(3)]

    thinning.thin_out(now=A_YEAR_LATER)

    # Each later change told those who were there already as well.
    assert {tuple(kinds(person)) for person in people} == {("rescheduled",)}
