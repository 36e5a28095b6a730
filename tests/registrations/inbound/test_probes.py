"""Answers to an invite that somebody who runs the site sent to themselves, as calendars write them."""

import pytest

from registrations import inbound, probes
from registrations.inbound import Result
from registrations.models import Message
from tests.builders import NOW
from tests.incoming import CALENDARS, MAIL_SERVERS, mail

pytestmark = pytest.mark.django_db

ME = "me@example.net"


@pytest.mark.parametrize("shape", CALENDARS)
@pytest.mark.parametrize("domains", [["example.org"], []])
def test_an_answer_from_every_calendar_is_noted(settings, shape, domains):
    settings.SUBADDRESS_DOMAINS = domains
    probe = probes.send(ME, sender_email="webinars@example.org", now=NOW)
    raw = mail(
        shape,
        method="REPLY",
        partstat="ACCEPTED",
        uid=probe.uid,
        uid_start=probe.uid[:11],
        uid_end=probe.uid[11:],
        sequence=0,
        organizer=probe.organizer,
        sender=ME,
        attendee=ME,
        dtstamp="20260916T091500Z",
    )

    outcome = inbound.receive(raw, now=NOW)

    assert outcome.result == Result.NOTED
    probe.refresh_from_db()
    assert (probe.partstat, probe.answered_by, probe.answered_at) == ("accepted", ME, NOW)


@pytest.mark.parametrize("shape", MAIL_SERVERS)
def test_one_that_came_back_is_marked(settings, shape):
    settings.SUBADDRESS_DOMAINS = ["example.org"]
    probe = probes.send(ME, sender_email="webinars@example.org", now=NOW)
    Message.objects.update(state="sent", sent_at=NOW, message_id="<abc@example.org>")
    raw = mail(
        shape, organizer=probe.organizer, failed=ME, message_id="<abc@example.org>", action="failed", status="5.1.1"
    )

    assert inbound.receive(raw, now=NOW).result == Result.BOUNCED
    assert Message.objects.get().bounce.startswith("5.1.1")
