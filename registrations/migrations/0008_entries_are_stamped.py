from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("registrations", "0007_entries_say_what_they_are"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('dtstamp__isnull', True), ('entry', '')), models.Q(('dtstamp__isnull', False), ('entry__in', ['tentative', 'confirmed', 'cancelled'])), _connector='OR'), name='registration_entry_is_stamped'),
        ),
    ]
