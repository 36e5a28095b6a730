"""Offers: what attendees can earn, and by what."""

import re
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.fields import PlainTextField, SingleLineField, WebAddressField
from events.models.hosts import Host
from events.models.series import Series
from events.models.webinars import Webinar
from events.querysets import OfferQuerySet

# 50% and 50 percent, not the 5% of 12.5%.
_PERCENTAGE = re.compile(r"(?<![\d.,])(\d{1,3})\s*(?:[%٪]|per ?cent\b)", re.I)


class Offer(models.Model):
    """A benefit in the giver's terms, with the conditions any one of which unlocks it.

    Its scope is as wide as it says: the whole site, one host, one series or one webinar.
    """

    class Scope(models.TextChoices):
        SITE = "site", _("Every webinar on the site")
        HOST = "host", _("Every webinar of the host")
        SERIES = "series", _("Every webinar of a series")
        WEBINAR = "webinar", _("One webinar")

    host = models.ForeignKey(Host, models.CASCADE, related_name="offers", verbose_name=_("host"))
    scope = models.CharField(_("holds for"), max_length=8, choices=Scope.choices, default=Scope.WEBINAR)
    series = models.ForeignKey(
        Series, models.CASCADE, null=True, blank=True, related_name="offers", verbose_name=_("series")
    )
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, null=True, blank=True, related_name="offers", verbose_name=_("webinar")
    )
    headline = SingleLineField(_("headline"), max_length=120, help_text=_("Such as: 50% off your first two months."))
    percent_off = models.PositiveSmallIntegerField(
        _("percent off"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("The number of the headline, for the list of offers. People read the headline and the terms."),
    )
    periods = SingleLineField(
        _("of what"),
        max_length=80,
        blank=True,
        help_text=_("For the list of offers as well. Such as: the first two months."),
    )
    terms = PlainTextField(_("terms"), blank=True)
    redeem_url = WebAddressField(_("where to use it"), blank=True)
    redemptions_per_code = models.PositiveSmallIntegerField(
        _("uses per code"), default=1, validators=[MinValueValidator(1)]
    )
    code_prefix = models.CharField(_("codes begin with"), max_length=6, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ["headline"]
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["site", "host"], series__isnull=True, webinar__isnull=True)
                | models.Q(scope="series", series__isnull=False, webinar__isnull=True)
                | models.Q(scope="webinar", series__isnull=True, webinar__isnull=False),
                name="offer_scope_names_its_subject",
                violation_error_message=_("Name the series or the webinar that the offer holds for, and only that."),
            ),
            models.CheckConstraint(
                condition=models.Q(valid_from__isnull=True)
                | models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="offer_ends_after_it_begins",
                violation_error_message=_("The offer must end after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return self.headline

    def clean(self) -> None:
        for field in ("series", "webinar"):
            subject = getattr(self, field) if getattr(self, f"{field}_id") else None
            if subject is not None and self.host_id and subject.host_id != self.host_id:
                raise ValidationError({field: _("This belongs to another host.")})
        named = [int(number) for number in _PERCENTAGE.findall(self.headline)]
        if self.percent_off is not None and named and self.percent_off not in named:
            message = _("The headline says %(percent)d%%. Write the same number here, or mend the headline.")
            raise ValidationError({"percent_off": ValidationError(message, params={"percent": named[0]})})

    def has_ended(self, now: datetime) -> bool:
        """Whether its codes are of no use any more: its time is over, or it was withdrawn."""
        return not self.is_active or (self.valid_until is not None and now >= self.valid_until)

    def is_valid(self, now: datetime) -> bool:
        """Whether it can be earned, as `OfferQuerySet.active` finds it."""
        return not self.has_ended(now) and not (self.valid_from and now < self.valid_from)


class OfferCondition(models.Model):
    """One way to earn an offer."""

    class Kind(models.TextChoices):
        REGISTERED = "registered", _("Register for a session")
        ATTENDED = "attended", _("Attend live")
        ASKED = "asked", _("Send the presenters a question before the day")
        REPLAY = "replay", _("Watch the replay")
        SURVEY = "survey", _("Answer the survey")

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="conditions", verbose_name=_("offer"))
    kind = models.CharField(_("what to do"), max_length=12, choices=Kind.choices)
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), null=True, blank=True, help_text=_("At least so long, for attending live.")
    )
    until = models.DateField(_("by"), null=True, blank=True, help_text=_("For watching the replay."))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        constraints = [models.UniqueConstraint(fields=["offer", "kind"], name="offer_condition_once")]

    def __str__(self) -> str:
        return str(self.get_kind_display())
