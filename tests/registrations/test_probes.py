"""Invites that whoever runs the site sends to themselves, through a real SMTP server."""

import pytest
from icalendar import Calendar

from registrations import delivery, probes, reply_addresses
from registrations.models import Message, Probe, Registration
from tests.builders import NOW

pytestmark = pytest.mark.django_db

SENDER = "webinars@example.org"
ME = "me@example.net"
Partstat = Registration.Partstat


@pytest.fixture(autouse=True)
def _sender(settings) -> None:
    settings.DEFAULT_FROM_EMAIL = f"Webinars <{SENDER}>"
    settings.SUBADDRESS_DOMAINS = ["example.org"]


def test_an_invite_to_oneself_is_a_whole_invite_with_an_entry_of_its_own(outgoing):
    probe = probes.send(ME, sender_email=SENDER, now=NOW)

    assert delivery.drain() == 1

    [mail] = outgoing.mails
    message = mail.message
    assert (mail.sender, mail.recipients) == (probe.organizer, [ME])
    assert message["Subject"] == "Test of invites: please accept"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    texts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    for kind in ("text/plain", "text/html"):
        assert "Accept it in your calendar" in " ".join(texts[kind].split())
        assert probe.organizer in texts[kind]
    calendar = Calendar.from_ical(texts["application/ics"])
    [event] = calendar.events
    assert (calendar.method, event.uid, event.sequence) == ("REQUEST", probe.uid, 0)
    assert probe.uid.startswith("doctor-")
    assert event["ORGANIZER"] == f"mailto:{probe.organizer}"
    assert [attendee.email for attendee in event.attendees] == [ME]
    assert event.attendees[0].params["RSVP"] == "TRUE"
    assert (event.start.isoformat(), event.end.isoformat()) == (
        "2026-09-17T09:00:00+00:00",
        "2026-09-17T09:15:00+00:00",
    )


def test_it_is_answered_at_a_signed_address_where_the_domain_takes_tags(outgoing, settings):
    tagged = probes.send(ME, sender_email=SENDER, now=NOW)
    settings.SUBADDRESS_DOMAINS = []
    plain = probes.send(ME, sender_email=SENDER, now=NOW)

    assert reply_addresses.read_reference(tagged.organizer) == tagged.reference
    assert plain.organizer == SENDER


def test_one_that_was_refused_for_good_can_be_tried_again(outgoing):
    probe = probes.send(ME, sender_email=SENDER, now=NOW)
    outgoing.refuse("RCPT", "550 No such user", times=1)
    delivery.drain()
    assert Message.objects.get().state == Message.State.FAILED

    Message.objects.update(state=Message.State.QUEUED, attempts=0, due_at=NOW)
    delivery.drain()

    assert outgoing.mails[0].recipients == [ME]
    assert (
        Calendar.from_ical(
            next(part.get_content() for part in outgoing.mails[0].message.walk() if part.get_filename() == "invite.ics")
        )
        .events[0]
        .uid
        == probe.uid
    )


def test_an_answer_is_noted_and_the_last_one_stands():
    probe = probes.send(ME, sender_email=SENDER, now=NOW)

    assert probes.note_answer(probe.uid, partstat=Partstat.DECLINED, sender=ME, now=NOW)
    assert probes.note_answer(probe.uid, partstat=Partstat.ACCEPTED, sender="alias@example.net", now=NOW)

    probe.refresh_from_db()
    assert (probe.partstat, probe.answered_at, probe.answered_by) == ("accepted", NOW, "alias@example.net")


@pytest.mark.parametrize("uid", ["doctor-unknown@localhost", "reg-1@localhost", ""])
def test_an_answer_to_another_entry_is_not_noted(uid, django_assert_max_num_queries):
    probes.send(ME, sender_email=SENDER, now=NOW)

    with django_assert_max_num_queries(1):
        assert not probes.note_answer(uid, partstat=Partstat.ACCEPTED, sender=ME, now=NOW)

    assert Probe.objects.get().answered_at is None


def test_a_mail_that_came_back_is_noted_once_and_that_of_another_kind_not_at_all(outgoing):
    probes.send(ME, sender_email=SENDER, now=NOW)
    delivery.drain()
    message_id = Message.objects.get().message_id

    assert probes.note_bounce(message_id, reason="5.1.1 No such user", now=NOW)
    assert probes.note_bounce(message_id, reason="another", now=NOW)
    assert not probes.note_bounce("<other@example.org>", reason="5.1.1", now=NOW)
    assert not probes.note_bounce("", reason="5.1.1", now=NOW)

    message = Message.objects.get()
    assert (message.bounced_at, message.bounce) == (NOW, "5.1.1 No such user")


def test_only_the_newest_are_kept():
    sent = [probes.send(ME, sender_email=SENDER, now=NOW) for _ in range(probes.MOST_KEPT + 2)]

    assert Probe.objects.count() == Message.objects.count() == probes.MOST_KEPT
    assert probes.latest() == sent[-1]
