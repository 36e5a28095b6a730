from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0004_confirmed_have_their_place'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('awaits__in', ['proof', 'approval', 'payment']), ('status', 'pending')), models.Q(models.Q(('status', 'pending'), _negated=True), ('awaits', '')), _connector='OR'), name='registration_pending_awaits'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'confirmed'), _negated=True), ('has_place', True), _connector='OR'), name='registration_confirmed_has_place'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'cancelled'), _negated=True), models.Q(('has_place', False), ('lapses_at__isnull', True)), _connector='OR'), name='registration_cancelled_has_none'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('has_place', True), ('status', 'waitlisted'), _negated=True), ('lapses_at__isnull', False), _connector='OR'), name='registration_offer_lapses'),
        ),
    ]
