"""What the schedule does at its start, with the real beat, broker and worker."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from events.models import Session
from registrations.models import Message
from tests.builders import NOW, make_registration, make_session
from tests.servers import SmtpSink, Worker, wait_until


@pytest.mark.services
def test_each_start_of_the_schedule_rechecks_the_zones_though_it_did_so_lately(
    celery_worker_process: Worker,
    start_beat: Callable[[], subprocess.Popen[bytes]],
    smtp_sink: SmtpSink,
) -> None:
    session = make_session(local_date=(datetime.now(UTC) + timedelta(days=30)).date())
    make_registration(session)
    Message.objects.update(state=Message.State.SENT, sent_at=NOW)
    planned = {"starts_at": session.starts_at, "ends_at": session.ends_at}
    other = {name: instant - timedelta(hours=1) for name, instant in planned.items()}

    for sequence in (1, 2):
        Session.objects.update(**other)
        beat = start_beat()
        wait_until(lambda number=sequence: Session.objects.get().sequence == number, seconds=30)  # type: ignore[misc]
        assert Session.objects.get().starts_at == planned["starts_at"]
        smtp_sink.wait_for(sequence)
        beat.terminate()
        beat.wait(timeout=10)

    subject = smtp_sink.mails[-1].message["Subject"]
    assert subject.startswith("New clock rules in London: ")
