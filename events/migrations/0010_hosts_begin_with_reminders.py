from django.db import migrations
from django.utils import timezone

# As events.mail_rules has them for new hosts, at the time of this migration.
REMINDERS = (24 * 60, 60)


def give_reminders(apps, schema_editor):
    """Hosts that were there before mails had a plan get the one that new hosts begin with, from now on."""
    Host = apps.get_model("events", "Host")
    MailRule = apps.get_model("events", "MailRule")
    MailRule.objects.bulk_create(
        MailRule(host=host, purpose="reminder", audience="everybody", minutes=minutes, holds_from=timezone.now())
        for host in Host.objects.filter(mail_rules__isnull=True)
        for minutes in REMINDERS
    )


class Migration(migrations.Migration):

    dependencies = [
        ("events", "0009_mail_rules"),
    ]

    operations = [
        # Going back takes nothing away: the table itself goes with the migration before.
        migrations.RunPython(give_reminders, migrations.RunPython.noop),
    ]
