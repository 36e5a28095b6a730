"""Brings the sessions to come in line with the installed zone rules, and says what that changed."""

import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from events import zone_rules
from events.zone_rules import Survey


class Command(BaseCommand):
    help = (
        "Compare every session to come with the installed zone rules. Those anchored to the wall clock move, and "
        "everybody who holds a place is told; those anchored to the instant get their new wall clock. "
        "Ends with status 1 when something needs a person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")

    def handle(self, *_args: Any, dry_run: bool = False, **_options: Any) -> None:
        now = timezone.now()
        found = zone_rules.survey(now=now) if dry_run else zone_rules.recheck(now=now)
        self.report(found)
        if dry_run:
            self.stdout.write("Nothing was changed (--dry-run).")
        if found.for_a_person:
            sys.exit(1)

    def report(self, found: Survey) -> None:
        self.stdout.write(f"Zone rules: {zone_rules.VERSION}. Sessions looked at: {found.looked_at}.")
        for finding in found.differing:
            self.stdout.write(f"{finding.session.webinar}: {zone_rules.in_words(finding)}")
        if not found.differing:
            self.stdout.write("All of them agree.")
