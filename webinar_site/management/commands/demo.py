"""Loads the demonstration, once."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from webinar_site.demonstration.loading import load_demonstration


class Command(BaseCommand):
    help = "Load the demonstration: two hosts, their webinars, registrations. Changes nothing when any of it is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="in production too")

    def handle(self, *_args: Any, force: bool = False, **_options: Any) -> None:
        if settings.PRODUCTION and not force:
            raise CommandError(
                "This is a production site, and the demonstration would stand among its webinars. "
                "If you want that, say --force."
            )
        if load_demonstration(now=timezone.now()):
            self.stdout.write("The demonstration is loaded.")
        else:
            self.stdout.write("The demonstration was loaded before; nothing has changed.")
