"""Says whether everything is as it must be."""

import sys
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from webinar_site import doctor
from webinar_site.doctor import Light, Line


class Command(BaseCommand):
    help = "Look at everything that the site needs, and change nothing. Ends with status 1 when anything is red."

    # It looks at the database itself, and says so in its own words.
    requires_migrations_checks = False

    def handle(self, *_args: Any, **_options: Any) -> None:
        lights = [self.tell(line) for line in doctor.examine(now=timezone.now())]
        if Light.RED in lights:
            sys.exit(1)

    def tell(self, line: Line) -> Light:
        seen = line.seen
        styles = {Light.GREEN: self.style.SUCCESS, Light.AMBER: self.style.WARNING, Light.RED: self.style.ERROR}
        self.stdout.write(f"{styles[seen.light](f'{seen.light.value:<6}')} {line.name}: {seen.what}")
        if seen.to_do:
            self.stdout.write(f"       {seen.to_do}")
        return seen.light
