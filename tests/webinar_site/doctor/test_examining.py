"""Whether the doctor looks at everything, goes on where a check fails, keeps what it saw, and ends in time."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from events.models import Finding
from registrations.models import Message, Probe
from tests.builders import make_host
from tests.dns_server import NameServer
from tests.servers import SmtpSink
from webinar_site import doctor, heartbeats
from webinar_site.doctor import examining
from webinar_site.doctor.examining import Check, Pace
from webinar_site.doctor.seen import Light, Line, Seen
from webinar_site.heartbeats import Heard

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)
WELL = Seen(Light.GREEN, "It is well.")


@pytest.fixture
def programs_live(monkeypatch):
    moment = timedelta(seconds=3)
    heard = Heard({"worker@test": moment}, schedule=moment, task_done=moment, broker_is_ahead=timedelta())
    monkeypatch.setattr(heartbeats, "listen", lambda: heard)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def doctor_says(*arguments: str) -> tuple[str, int]:
    """What the command prints, and its status."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_trial_that_is_well_is_green_throughout_and_ends_with_0(programs_live):
    said, status = doctor_says()

    assert [line[:6].strip() for line in said.splitlines() if not line.startswith(" ")] == ["green"] * 18
    assert said.startswith("green  Database: The database answers")
    assert "green  Mail server: Mails are files, to be read at /mailbox/" in said
    assert status == 0


def test_a_broker_that_is_away_is_red_with_what_to_do_and_the_rest_is_told(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    said, status = doctor_says()

    assert "red    Broker: The broker does not answer: mail waits.\n       Look at REDIS_URL and at Redis.\n" in said
    assert "green  Zone rules" in said
    assert status == 1


def test_amber_alone_is_no_failure(programs_live, settings, monkeypatch):
    monkeypatch.setattr(examining, "CHECKS", [Check("one", "One", lambda look: Seen(Light.AMBER, "Hm.", "Look."))])

    assert doctor_says() == ("amber  One: Hm.\n       Look.\n", 0)


def test_the_command_tells_programs_in_json(programs_live):
    said, _status = doctor_says("--json")

    told = json.loads(said)
    assert [line["topic"] for line in told] == [check.topic for check in doctor.CHECKS]
    assert told[0].keys() == {"topic", "light", "what", "to_do"}


@pytest.mark.parametrize("pace", list(Pace))
def test_a_check_that_fails_is_red_and_the_next_one_is_made(monkeypatch, pace):
    def fails(_look):
        raise OperationalError("The database is gone.")

    checks = [Check("first", "First", fails, pace), Check("second", "Second", lambda _look: WELL, pace)]
    monkeypatch.setattr(examining, "CHECKS", checks)

    first, second = doctor.examine(doctor.Look(now=NOW))

    assert (first.name, first.seen.light) == ("First", Light.RED)
    assert "OperationalError" in first.seen.what
    assert second == Line("second", "Second", WELL, NOW)


def test_a_check_that_hangs_holds_up_nothing_beyond_the_deadline(monkeypatch):
    monkeypatch.setattr(examining, "GRACE_SECONDS", 0.1)

    def hang(_look):
        time.sleep(5)
        return WELL

    checks = [
        Check("hangs", "Hangs", hang, Pace.FAR),
        Check("goes", "Goes", lambda _look: WELL, Pace.FAR),
    ]
    monkeypatch.setattr(examining, "CHECKS", checks)
    began = time.monotonic()

    hangs, goes = doctor.examine(doctor.Look(now=NOW, seconds=0.2))

    assert time.monotonic() - began < 2
    assert (hangs.seen.light, hangs.seen.what) == (Light.AMBER, "It did not answer in time.")
    assert goes.seen == WELL


def test_mail_server_and_dns_are_asked_for_every_address(settings, smtp_sink: SmtpSink, name_server: NameServer):
    settings.EMAIL_URL = smtp_sink.url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "webinars@example.org"
    make_host(sender_email="roads@example.net")
    for domain in ("example.org", "example.net"):
        name_server.knows(domain, "MX", f"10 mail.{domain}.")
        name_server.knows(domain, "TXT", "v=spf1 mx -all")
        name_server.knows(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none")

    lines = doctor.examine_slowly(doctor.Look(now=NOW, resolver=name_server.resolver))

    assert {line.topic: line.seen.light for line in lines} == {
        "sessions": Light.GREEN,
        "addresses": Light.AMBER,
        "mail-server": Light.GREEN,
        "mx": Light.GREEN,
        "spf": Light.GREEN,
        "dkim": Light.AMBER,
        "dmarc": Light.GREEN,
    }
    assert smtp_sink.visits == {"MAIL": 2, "RCPT": 2}
    assert {"example.org MX", "example.net MX", "_dmarc.example.net TXT"} <= set(name_server.asked)


# ---------- keeping ----------


def test_what_was_seen_is_kept_until_it_is_looked_at_again(django_assert_num_queries):
    ill = Seen(Light.RED, "It is ill.", "Mend it.")
    later = NOW + timedelta(minutes=1)
    doctor.keep([Line("broker", "Broker", ill, NOW), Line("spf", "SPF", WELL, NOW)])

    doctor.keep([Line("broker", "Broker", WELL, later)])

    with django_assert_num_queries(1):
        kept = doctor.kept()
    assert kept == {"broker": Line("broker", "Broker", WELL, later), "spf": Line("spf", "SPF", WELL, NOW)}


def test_what_an_earlier_release_looked_at_is_forgotten():
    Finding.objects.create(topic="of-long-ago", light=Light.RED, what="Ill.", to_do="Mend.", looked_at=NOW)

    doctor.keep([Line("broker", "Broker", WELL, NOW)])

    assert [finding.topic for finding in Finding.objects.all()] == ["broker"]


def test_the_command_keeps_what_it_saw(programs_live):
    doctor_says()

    assert set(Finding.objects.values_list("topic", flat=True)) == {check.topic for check in doctor.CHECKS}


# ---------- an invite to oneself ----------


def test_the_command_sends_an_invite_through_the_outbox(settings):
    settings.DEFAULT_FROM_EMAIL = "Webinars <webinars@example.org>"
    make_host(sender_email="Roads@example.org")

    said, status = doctor_says("--send-invite", "me@example.net")
    doctor_says("--send-invite", "me@example.net", "--from", "roads@example.org")

    assert status == 0
    assert "An invite from webinars@example.org is on its way to me@example.net" in said
    assert [message.to_email for message in Message.objects.all()] == ["me@example.net"] * 2
    assert [probe.sender_email for probe in Probe.objects.all()] == ["roads@example.org", "webinars@example.org"]
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "has no @ sign"),
        (["me@example.net", "--from", "other@example.net"], "Nothing is sent from other@example.net."),
        (["Webinars@webinars.example"], "to itself"),
    ],
)
def test_the_command_refuses_what_cannot_be_sent(arguments, words):
    with pytest.raises(CommandError, match=re.escape(words)):
        doctor_says("--send-invite", *arguments)

    assert not Message.objects.exists()
