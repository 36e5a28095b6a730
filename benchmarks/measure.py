"""Measures, on servers that run already: python -m benchmarks.measure SECONDS MAILS small|large NAME..."""

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import django

django.setup()

from django.conf import settings  # noqa: E402 - models can be imported once Django is set up
from django.core.management import call_command  # noqa: E402

from benchmarks import arrivals, calendars, mailing, mails, pages, places, registrations, servers  # noqa: E402
from webinar_site.demonstration.loading import load_demonstration  # noqa: E402
from webinar_site.management.commands.run import web_server  # noqa: E402


def main(seconds: int, mails_a_round: int, names: list[str], *, is_large: bool) -> None:
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    load_demonstration(now=datetime.now(UTC))
    # Whoever else works on this machine takes from both sides, though not always alike.
    say(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before the run")
    folder = Path(os.environ["BENCHMARK_FOLDER"])
    insert = servers.bare_insert(folder)
    if "places" in names:
        say("Places")
        places.measure(folder=folder, insert=insert, seconds=seconds, is_large=is_large)
    port = urlsplit(settings.SITE_URL).port or 0
    command = web_server("127.0.0.1", port).command
    with servers.running(command, log=folder / "web.log", ready=lambda: servers.answers(port, "/bare/")) as web:
        if "pages" in names:
            say("Pages")
            pages.measure(settings.SITE_URL, seconds=seconds)
        if "registrations" in names:
            say("Registrations")
            registrations.measure(settings.SITE_URL, folder=folder, insert=insert, seconds=seconds)
        if "places" in names:
            say("Places, over HTTP, with the mails")
            arrivals.measure(settings.SITE_URL, folder=folder, seconds=seconds, web=web)
    if "mailing" in names:
        say("Mailing")
        mailing.measure(folder=folder, mails=mails_a_round, is_large=is_large)
    if "chaos" in names:
        say("Chaos")
        run_chaos(folder)
    if "calendars" in names:
        say("Calendars")
        calendars.measure(folder=folder, mails_a_round=mails_a_round)
    if "mails" in names:
        say("Mails")
        mails.measure(folder=folder, mails=mails_a_round)


def run_chaos(folder: Path) -> None:
    """In a process of its own, with shorter times. Stops the run where anything was lost."""
    command = [sys.executable, "-m", "benchmarks.chaos", str(folder)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.hurried"}
    done = subprocess.run(command, cwd=servers.ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:], is_large=sys.argv[3] == "large")
