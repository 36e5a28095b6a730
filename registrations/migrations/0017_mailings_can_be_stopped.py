from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0016_why_mails_were_cancelled'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailing',
            name='stopped_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='stopped'),
        ),
        migrations.AddIndex(
            model_name='mailing',
            index=models.Index(fields=['-begun_at', '-id'], name='mailing_newest'),
        ),
    ]
