"""Says whether everything is as it must be."""

import contextlib
import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils import timezone

from events.email_addresses import address_key, check_email
from registrations import probes
from webinar_site import doctor
from webinar_site.doctor import Light, Line, addresses

_MARGIN = " " * 7


class Command(BaseCommand):
    help = (
        "Look at everything that the site needs. Sends nothing, unless --send-invite says so. "
        "Ends with status 1 when anything is red."
    )

    # It looks at the database itself, and says so in its own words.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--send-invite", metavar="ADDRESS", help="send yourself an invite, and look at nothing")
        parser.add_argument(
            "--from", dest="sender", metavar="ADDRESS", help="with --send-invite: from a host's address, not the site's"
        )
        parser.add_argument("--json", dest="as_json", action="store_true", help="tell it to programs")

    def handle(self, *_args: Any, send_invite: str | None, sender: str | None, as_json: bool, **_options: Any) -> None:
        look = doctor.Look(now=timezone.now())
        if send_invite:
            self.send_invite(send_invite, sender, look)
            return
        lines = doctor.examine(look)
        with contextlib.suppress(Error):  # a database that is away was told of already
            doctor.keep(lines)
        if as_json:
            self.tell_programs(lines)
        else:
            for line in lines:
                self.tell(line)
        if any(line.seen.light == Light.RED for line in lines):
            sys.exit(1)

    def send_invite(self, to_email: str, sender: str | None, look: doctor.Look) -> None:
        try:
            check_email(to_email)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        sender = sender.lower() if sender else addresses.site_address()
        if sender not in look.senders.present:
            raise CommandError(f"Nothing is sent from {sender}. There are: {', '.join(look.senders.present)}.")
        if address_key(to_email) == sender:
            raise CommandError("The invite would be from this address to itself. Take another of yours.")
        probe = probes.send(to_email, sender_email=sender, now=look.now)
        self.stdout.write(
            f"An invite from {sender} is on its way to {to_email}, and is answered at {probe.organizer}. "
            "Accept it in your calendar; then manage.py doctor says whether the answer has arrived."
        )

    def tell(self, line: Line) -> None:
        seen = line.seen
        styles = {Light.GREEN: self.style.SUCCESS, Light.AMBER: self.style.WARNING, Light.RED: self.style.ERROR}
        first, *others = seen.what.splitlines()
        self.stdout.write(f"{styles[seen.light](f'{seen.light.value:<6}')} {line.name}: {first}")
        for sentence in (*others, *seen.to_do.splitlines()):
            self.stdout.write(f"{_MARGIN}{sentence}")

    def tell_programs(self, lines: list[Line]) -> None:
        told = [
            {"topic": line.topic, "light": line.seen.light.value, "what": line.seen.what, "to_do": line.seen.to_do}
            for line in lines
        ]
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
