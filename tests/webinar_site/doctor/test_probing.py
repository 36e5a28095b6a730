"""What the doctor says of the invite that somebody sent to themselves, in every state of it."""

from datetime import timedelta

import pytest

from registrations import probes
from registrations.models import Message, Registration
from tests.builders import NOW
from webinar_site.doctor import probing
from webinar_site.doctor.seen import Light, Seen

pytestmark = pytest.mark.django_db

ME = "me@example.net"
LATER = NOW + timedelta(hours=3)


@pytest.fixture(autouse=True)
def mail_is_sent(settings):
    settings.EMAIL_URL = "smtp://mail.example.org"


def sent(**fields):
    """A probe whose mail the server took, or became what the fields say."""
    probe = probes.send(ME, sender_email="webinars@example.org", now=NOW)
    Message.objects.update(**{"state": Message.State.SENT, "sent_at": NOW, **fields})
    return probe


def test_nobody_who_tried_is_amber_with_both_ways_to_do_it():
    seen = probing.check_probe(now=NOW)

    assert seen.light is Light.AMBER
    assert "manage.py doctor --send-invite" in seen.to_do


def test_where_nothing_is_sent_none_is_needed(settings):
    settings.EMAIL_URL = ""

    assert probing.check_probe(now=NOW) == Seen(Light.GREEN, "Not needed: without EMAIL_URL nothing is sent.")


def test_one_that_was_answered_is_green_with_when_what_and_by_whom():
    probe = sent()
    probes.note_answer(probe.uid, partstat=Registration.Partstat.ACCEPTED, sender=ME, now=NOW + timedelta(minutes=4))

    seen = probing.check_probe(now=LATER)

    assert seen == Seen(
        Light.GREEN,
        "An invite went to me@example.net on Wed, 16 Sept 2026, 09:00 UTC, from webinars@example.org. "
        "me@example.net answered on Wed, 16 Sept 2026, 09:04 UTC: Accepted.",
    )


def test_an_answer_of_long_ago_is_amber():
    probe = sent()
    probes.note_answer(probe.uid, partstat=Registration.Partstat.ACCEPTED, sender=ME, now=NOW)

    seen = probing.check_probe(now=NOW + timedelta(days=181))

    assert seen.light is Light.AMBER
    assert seen.to_do.startswith("That is long ago.")


def test_one_without_an_answer_is_amber():
    sent()

    seen = probing.check_probe(now=LATER)

    assert seen.light is Light.AMBER
    assert "(3 hours ago)" in seen.what
    assert "No answer has arrived" in seen.what
    assert "Accept it" in seen.to_do


def test_one_that_came_back_is_red_with_the_reason():
    sent(bounced_at=LATER, bounce="5.1.1 No such user")

    seen = probing.check_probe(now=LATER)

    assert seen.light is Light.RED
    assert seen.what.endswith("came back: 5.1.1 No such user")


def test_one_that_was_refused_is_red_with_the_servers_answer():
    sent(state=Message.State.FAILED, sent_at=None, answer="550 Not you")

    seen = probing.check_probe(now=LATER)

    assert (seen.light, seen.what) == (Light.RED, "The invite to me@example.net was refused: 550 Not you")


def test_one_that_waits_is_amber_and_after_a_while_points_at_what_sends():
    sent(state=Message.State.QUEUED, sent_at=None)

    soon = probing.check_probe(now=NOW + timedelta(seconds=20))
    late = probing.check_probe(now=LATER)
    Message.objects.update(answer="421 Busy")

    assert (soon.light, late.light) == (Light.AMBER, Light.AMBER)
    assert soon.to_do == "Wait a moment, and look again."
    assert late.to_do == "See the mail server, the workers and the schedule above."
    assert probing.check_probe(now=LATER).what.endswith("421 Busy")


def test_only_the_newest_counts():
    sent(bounced_at=NOW, bounce="5.1.1 No such user")
    probes.send(ME, sender_email="webinars@example.org", now=LATER)

    assert probing.check_probe(now=LATER).light is Light.AMBER
