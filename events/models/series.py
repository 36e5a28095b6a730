"""Series, and the organizations that stand behind them."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.fields import PictureField, PlainTextField, SingleLineField, WebAddressField
from events.models.hosts import Host
from events.querysets import SeriesQuerySet


class Partner(models.Model):
    """An organization in partnership with a series or a webinar."""

    host = models.ForeignKey(Host, models.CASCADE, related_name="partners", verbose_name=_("host"))
    name = SingleLineField(_("name"), max_length=160)
    parent = SingleLineField(_("part of"), max_length=160, blank=True)
    logo = PictureField(_("logo"), upload_to="partners", blank=True)
    website = WebAddressField(_("website"), blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="partner_once_per_host")]

    def __str__(self) -> str:
        return self.name


class Series(models.Model):
    """Webinars that belong together."""

    host = models.ForeignKey(Host, models.CASCADE, related_name="series", verbose_name=_("host"))
    title = SingleLineField(_("title"), max_length=160)
    slug = models.SlugField(_("address"), unique=True, help_text=_("The last part of its page, /series/…/."))
    about = PlainTextField(_("about"), blank=True)
    partners = models.ManyToManyField(Partner, through="SeriesPartnership", related_name="series")

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        verbose_name = _("series")
        verbose_name_plural = _("series")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("series", args=[self.slug])


class Partnership(models.Model):
    """In what way an organization takes part, and its place among the others."""

    class Kind(models.TextChoices):
        PARTNER = "partner", _("In partnership with")
        ORGANIZER = "organizer", _("Organized with")
        SPONSOR = "sponsor", _("Sponsored by")
        SUPPORTER = "supporter", _("Supported by")
        MEDIA = "media", _("Media partner")

    partner = models.ForeignKey(Partner, models.CASCADE, verbose_name=_("partner"))
    kind = models.CharField(_("kind of partnership"), max_length=12, choices=Kind.choices, default=Kind.PARTNER)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        abstract = True
        ordering = ["order", "pk"]
        verbose_name = _("partnership")
        verbose_name_plural = _("partnerships")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.partner}"


class SeriesPartnership(Partnership):
    """An organization behind a series."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="partnerships", verbose_name=_("series"))

    class Meta(Partnership.Meta):
        constraints = [models.UniqueConstraint(fields=["series", "partner"], name="series_partner_once")]


class WebinarPartnership(Partnership):
    """An organization behind one webinar."""

    webinar = models.ForeignKey(
        "events.Webinar", models.CASCADE, related_name="partnerships", verbose_name=_("webinar")
    )

    class Meta(Partnership.Meta):
        constraints = [models.UniqueConstraint(fields=["webinar", "partner"], name="webinar_partner_once")]
