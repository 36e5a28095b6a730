"""Rules for the mails that a plan sends: which, to whom, and how long before the start or after the end."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.models.hosts import Host
from events.models.webinars import Webinar

MOST_MINUTES = 28 * 24 * 60
# What only somebody who was there, or was not, can be told.
_FOR_EVERYBODY = _("A reminder is for everybody with a place.")
_FOR_SOME = _("Those who came and those who did not get different mails: choose whom this one is for.")


class MailRule(models.Model):
    """One mail that everybody concerned gets for each session of a host, or of one webinar.

    `minutes` count before the start for a reminder, and after the end for all else; those of a replay from when it can
    be watched. A rule holds for what falls due from `holds_from` on, so that a new one sends nothing late.
    """

    class Purpose(models.TextChoices):
        REMINDER = "reminder", _("Reminder, before the start")
        FOLLOW_UP = "follow_up", _("Follow-up, after the end")
        SURVEY = "survey", _("Survey, after the end")
        REPLAY = "replay", _("Replay, once it can be watched")

    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody with a place")
        CAME = "came", _("Those who came")
        STAYED_AWAY = "stayed_away", _("Those who did not come")

    host = models.ForeignKey(
        Host, models.CASCADE, null=True, blank=True, related_name="mail_rules", verbose_name=_("host")
    )
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, null=True, blank=True, related_name="mail_rules", verbose_name=_("webinar")
    )
    purpose = models.CharField(_("what"), max_length=9, choices=Purpose.choices, default=Purpose.REMINDER)
    minutes = models.PositiveIntegerField(_("when"), default=0, validators=[MaxValueValidator(MOST_MINUTES)])
    audience = models.CharField(_("to whom"), max_length=11, choices=Audience.choices, default=Audience.EVERYBODY)
    holds_from = models.DateTimeField(_("holds from"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["purpose", "minutes", "audience", "pk"]
        verbose_name = _("mail of the plan")
        verbose_name_plural = _("mails of the plan")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(host__isnull=False, webinar__isnull=True)
                | models.Q(host__isnull=True, webinar__isnull=False),
                name="mail_rule_of_host_or_webinar",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="reminder", audience="everybody")
                | models.Q(purpose="follow_up", audience__in=["came", "stayed_away"])
                | models.Q(purpose__in=["survey", "replay"], audience__in=["everybody", "came", "stayed_away"]),
                name="mail_rule_audience",
            ),
            models.CheckConstraint(condition=models.Q(minutes__lte=MOST_MINUTES), name="mail_rule_minutes"),
            models.UniqueConstraint(
                fields=["host", "purpose", "audience", "minutes"],
                condition=models.Q(webinar__isnull=True),
                name="mail_rule_once_per_host",
                violation_error_message=_("This mail is in the plan already."),
            ),
            models.UniqueConstraint(
                fields=["webinar", "purpose", "audience", "minutes"],
                condition=models.Q(host__isnull=True),
                name="mail_rule_once_per_webinar",
                violation_error_message=_("This mail is in the plan already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_purpose_display())

    def clean(self) -> None:
        is_for_everybody = self.audience == self.Audience.EVERYBODY
        if self.is_reminder and not is_for_everybody:
            raise ValidationError({"audience": _FOR_EVERYBODY})
        if self.purpose == self.Purpose.FOLLOW_UP and is_for_everybody:
            raise ValidationError({"audience": _FOR_SOME})

    @property
    def is_reminder(self) -> bool:
        return self.purpose == self.Purpose.REMINDER

    @property
    def lead(self) -> timedelta:
        """How long before the start, or after the end."""
        return timedelta(minutes=self.minutes)
