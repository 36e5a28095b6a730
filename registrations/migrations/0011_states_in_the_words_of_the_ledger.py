"""The states of mails get the names that they are known by, and what waits after a refusal one of its own.

Back: each gets its earlier name. Whose outcome is unknown has failed then, and what waits to be tried again is queued.
"""

from django.db import migrations
from django.db.models import F

from registrations.migrations._ranges import in_ranges


def rename(apps, schema_editor):
    for messages in in_ranges(apps.get_model('registrations', 'Message').objects.order_by()):
        messages.filter(state='dead').update(state='failed')
        messages.filter(state='dropped').update(state='cancelled')
        messages.filter(state='queued', attempts__gt=0).update(state='retrying')
        messages.filter(state='sending').update(begun_at=F('claimed_until'))
        messages.filter(state='claimed').update(state='sending')
        messages.filter(kind__in=['rescheduled', 'session_cancelled']).update(occasion_at=F('created_at'))


def name_as_before(apps, schema_editor):
    for messages in in_ranges(apps.get_model('registrations', 'Message').objects.order_by()):
        messages.filter(state='sending', begun_at=None).update(state='claimed')
        messages.filter(state='retrying').update(state='queued')
        messages.filter(state='cancelled').update(state='dropped')
        messages.filter(state__in=['failed', 'unknown']).update(state='dead')


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0010_ledger_columns'),
    ]

    operations = [
        migrations.RunPython(rename, name_as_before),
    ]
