from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0011_states_in_the_words_of_the_ledger'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'sending', 'retrying'])), fields=['due_at'], name='message_open'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['failed', 'unknown'])), fields=['registration'], name='message_failed'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('bounced_at__isnull', False)), fields=['registration'], name='message_came_back'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'retrying', 'failed', 'cancelled', 'unknown'])), name='message_state'),
        ),
    ]
