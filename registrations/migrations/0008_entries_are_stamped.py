"""From here on each entry says what it shows. What the programs of before wrote meanwhile is caught up with first."""

from django.db import migrations, models


def catch_up(apps, schema_editor):
    """The same as 0007 for the few that have come since, while nobody can add to them."""
    registrations = apps.get_model("registrations", "Registration").objects
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("LOCK TABLE registrations_registration IN SHARE ROW EXCLUSIVE MODE")
    late = registrations.filter(dtstamp__isnull=False, entry="")
    held = late.filter(status="confirmed", session__state="scheduled").values_list("pk", flat=True)
    registrations.filter(pk__in=list(held)).update(entry="confirmed")
    late.update(entry="cancelled")


class Migration(migrations.Migration):

    dependencies = [
        ("registrations", "0007_entries_say_what_they_are"),
    ]

    operations = [
        migrations.RunPython(catch_up, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('dtstamp__isnull', True), ('entry', '')), models.Q(('dtstamp__isnull', False), ('entry__in', ['tentative', 'confirmed', 'cancelled'])), _connector='OR'), name='registration_entry_is_stamped'),
        ),
    ]
