"""One mail on standard input, as a mail server's pipe or a fetchmail job gives it."""

import logging
import os
import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.db import Error
from django.utils import timezone

from registrations import inbound, signup

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Take in one mail from standard input: a calendar's answer, or one of ours that came back."
    # Run for each mail, perhaps while the database is away.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--recipient", default="", help="the address that it came to, as its envelope says")

    def handle(self, *_args: Any, recipient: str, **_options: Any) -> None:
        """Ends with 0 whatever the mail is, and with 75 (sysexits.h) when it is to be given to us again later."""
        raw = sys.stdin.buffer.read(inbound.MAX_BYTES + 1)
        try:
            inbound.receive(raw, recipient=recipient, now=timezone.now())
        except (Error, signup.SignupError) as error:
            logger.warning("A mail could not be taken in now, and is to come again: %s.", type(error).__name__)
            sys.exit(os.EX_TEMPFAIL)
