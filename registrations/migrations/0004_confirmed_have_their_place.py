"""Whoever is confirmed holds one of the places that are counted. Going back there is nothing to undo."""

from django.db import migrations


def say_that_the_confirmed_have_a_place(apps, schema_editor):
    apps.get_model("registrations", "Registration").objects.filter(status="confirmed").update(has_place=True)


class Migration(migrations.Migration):

    dependencies = [
        ("registrations", "0003_steps_and_kept_places"),
    ]

    operations = [
        migrations.RunPython(say_that_the_confirmed_have_a_place, migrations.RunPython.noop),
    ]
