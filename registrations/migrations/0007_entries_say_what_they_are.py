from django.db import migrations
from django.db.models import Case, Q, Value, When


def say(apps, schema_editor):
    """Whoever was promised an invite has it for as long as they are confirmed and the session takes place."""
    registrations = apps.get_model("registrations", "Registration").objects
    is_held = Q(status="confirmed", session__state="scheduled")
    held = registrations.filter(is_held, dtstamp__isnull=False).values_list("pk", flat=True)
    promised = registrations.filter(dtstamp__isnull=False)
    promised.update(entry=Case(When(pk__in=held, then=Value("confirmed")), default=Value("cancelled")))


class Migration(migrations.Migration):

    dependencies = [
        ("registrations", "0006_replies_and_own_calendars"),
    ]

    operations = [
        # Backwards there is nothing to do: the column goes.
        migrations.RunPython(say, migrations.RunPython.noop),
    ]
