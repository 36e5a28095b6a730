"""Django's own command, without the time that a statement of a page may take."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Settings end each statement after half a minute, for the pages' sake; a large table takes what it takes."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        super().handle(*args, **options)
        # Whoever called it from a program goes on with this connection, as the settings want it.
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
