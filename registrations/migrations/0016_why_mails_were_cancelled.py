from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0015_mails_of_new_kinds_go_back'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='cancelled_because',
            field=models.CharField(blank=True, choices=[('address_fails', 'The address does not take mail'), ('unwanted', 'Its reader has unsubscribed'), ('stopped', 'An organizer stopped it')], db_default='', default='', editable=False, max_length=13),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('cancelled_because', 'address_fails')), fields=['registration'], name='message_would_come_back'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('cancelled_because', ''), models.Q(('cancelled_because__in', ['address_fails', 'unwanted', 'stopped']), ('state', 'cancelled')), _connector='OR'), name='message_cancelled_because'),
        ),
    ]
