"""Forward nothing. Back: mails of kinds that the code before does not know are deleted, whatever became of them.

None of them is needed for a place: reminders, what follows a session, announcements, and invites to oneself. A worker of
that code would stop at each that still waits, and its pages could not name the others. Those that were not sent are not
sent any more, and what was written in announcements goes with their own table. Here and not in the migrations that
brought them, since a table cannot be changed in the transaction that has deleted from it.
"""

from django.db import migrations

from registrations.migrations._ranges import in_ranges

UNKNOWN_BEFORE = [
    *('reminder', 'starting', 'came', 'missed', 'survey', 'replay', 'offer_earned', 'announcement'),
    'probe',
]


def delete_unknown(apps, schema_editor):
    Message, Probe, BouncedAddress = (
        apps.get_model('registrations', name) for name in ('Message', 'Probe', 'BouncedAddress')
    )
    Probe.objects.all().delete()
    for messages in in_ranges(Message.objects.order_by()):
        unknown = messages.filter(kind__in=UNKNOWN_BEFORE)
        BouncedAddress.objects.filter(message__in=unknown.values('pk')).update(message=None)
        # Nothing else points to a mail. Django's own way to find that out mixes up models of several moments here.
        unknown._raw_delete(schema_editor.connection.alias)


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0014_mailings'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, delete_unknown),
    ]
