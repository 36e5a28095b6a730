from django.db import migrations
from django.db.models import F, Max

# So many rows at once: on half a million, one statement for all ran into the time that a statement may take.
ROWS = 10_000


def say(apps, schema_editor):
    """Whoever was promised an invite has it for as long as they are confirmed and the session takes place.

    May be run again: a row that says what it shows already is left as it is.
    """
    registrations = apps.get_model("registrations", "Registration").objects
    last = registrations.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, ROWS):
        some = registrations.filter(pk__range=(first, first + ROWS - 1), dtstamp__isnull=False, entry="")
        is_off = apps.get_model("events", "Session").objects.exclude(state="scheduled").values("pk")
        some.filter(status="confirmed").exclude(session__in=is_off).update(entry="confirmed")
        some.update(entry="cancelled")
    # Answers count from the revision that people have been told.
    for first in range(0, last + 1, ROWS):
        some = registrations.filter(pk__range=(first, first + ROWS - 1), sequence__gt=0, asked_sequence=0)
        some.update(asked_sequence=F("sequence"))


class Migration(migrations.Migration):

    # Each range by itself, so that nobody waits for all of them.
    atomic = False

    dependencies = [
        ("registrations", "0006_replies_and_own_calendars"),
    ]

    operations = [
        # Backwards there is nothing to do: the column goes.
        migrations.RunPython(say, migrations.RunPython.noop),
    ]
