"""People who register over HTTP while workers send their mails: how many a second come through to the last mail."""

import sys
import time
from pathlib import Path

from celery import current_app

from benchmarks import form, processors, registrations, servers
from registrations.models import Message
from webinar_site.management.commands.run import worker

# No mail of the site waits longer than a sweep's interval for a worker that runs.
DRAIN_SECONDS = 120
# One round is as long as so many of the others.
ROUNDS_LONG = 4


def measure(site: str, *, folder: Path, seconds: int, web: int) -> None:
    """One long round. Stops the run where an answer was an error, or a mail did not go out. `web`: its process."""
    body = form.filled_in(site, registrations.open_session())
    Message.objects.open().delete()
    current_app.control.purge()
    with servers.smtp_sink(folder, delay_seconds=0) as port:
        started = servers.running(
            worker().command,
            log=folder / "worker.log",
            ready=_answers,
            environment={"EMAIL_URL": f"smtp://127.0.0.1:{port}"},
        )
        with started as workers:
            registrations.post(site, body, run="mailed-warm", seconds=2)
            _wait_for_mails()
            programs = {"web server": web, "workers": workers, "database": servers.postgres_process(folder)}
            earlier, spent = _sent(), {name: processors.seconds_of(process) for name, process in programs.items()}
            began = time.monotonic()
            load = registrations.post(site, body, run="mailed", seconds=seconds * ROUNDS_LONG)
            posted, sent = time.monotonic() - began, _sent() - earlier
            _wait_for_mails()
            taken, all_sent = time.monotonic() - began, _sent() - earlier
            spent = {name: processors.seconds_of(process) - spent[name] for name, process in programs.items()}
    if all_sent < load.requests:
        sys.exit(f"{load.requests} people registered, {all_sent} mails went out.")
    print(f"  registrations while their mails went out: {all_sent / posted:,.0f} a second, all of them answered by 303")
    print(f"  mails handed over by then: {sent:,} of {all_sent:,}; the last {taken - posted:.1f} seconds later")
    print(f"  registrations to the last mail: {all_sent / taken:,.0f} a second")
    each = ", ".join(f"{name} {seconds / all_sent * 1000:.1f} ms" for name, seconds in spent.items())
    print(f"  processor time for each of them: {each}")


def _answers() -> bool:
    return bool(current_app.control.ping(timeout=0.5))


def _sent() -> int:
    return Message.objects.filter(state=Message.State.SENT).count()


def _wait_for_mails() -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while Message.objects.open().exists():
        if time.monotonic() > deadline:
            sys.exit(f"{Message.objects.open().count()} mails were not sent in {DRAIN_SECONDS} seconds.")
        time.sleep(0.1)
