"""Presenters, where they work, and in which webinars they appear."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.fields import PictureField, RichTextField, SingleLineField
from events.models.hosts import Host
from events.models.webinars import Webinar
from events.pictures import SQUARE


class Presenter(models.Model):
    """A person. One who has no public name is shown by job title."""

    host = models.ForeignKey(Host, models.CASCADE, related_name="presenters", verbose_name=_("host"))
    honorific = SingleLineField(_("honorific"), max_length=30, blank=True, help_text=_("Such as Dr or Ms."))
    name = SingleLineField(
        _("name"),
        max_length=160,
        blank=True,
        help_text=_("Empty where it is not public: the job title stands instead."),
    )
    slug = models.SlugField(_("address"), unique=True, help_text=_("The last part of their page, /presenters/…/."))
    biography = RichTextField(_("biography"), blank=True)
    portrait = PictureField(_("portrait"), upload_to="presenters", blank=True, box=SQUARE)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("presenter")
        verbose_name_plural = _("presenters")

    def __str__(self) -> str:
        return self.name or self.heading

    def get_absolute_url(self) -> str:
        return reverse("presenter", args=[self.slug])

    @property
    def heading(self) -> str:
        """The name as it is read out, or the first job title where the name is not public."""
        if self.name:
            return f"{self.honorific} {self.name}".strip()
        first = next(iter(self.affiliations.all()), None)
        return first.job_title if first else self.slug

    @property
    def initials(self) -> str:
        """Two letters for the tile: of the first and the last name."""
        words = [word for word in self.name.split() if word[0].isalpha()]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


class Affiliation(models.Model):
    """What somebody is, and where."""

    presenter = models.ForeignKey(Presenter, models.CASCADE, related_name="affiliations", verbose_name=_("presenter"))
    job_title = SingleLineField(_("job title"), max_length=200)
    organization = SingleLineField(_("organization"), max_length=240, blank=True)
    abbreviation = SingleLineField(
        _("abbreviation"), max_length=10, blank=True, help_text=_("Of the organization, for the tile.")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("affiliation")
        verbose_name_plural = _("affiliations")

    def __str__(self) -> str:
        return f"{self.job_title}, {self.organization}" if self.organization else self.job_title


class Appearance(models.Model):
    """A presenter in one webinar: in which role, and where in the order."""

    class Role(models.TextChoices):
        HOST = "host", _("Hosting presenter")
        PRESENTER = "presenter", _("Presenter")
        MODERATOR = "moderator", _("Moderator")
        PANELLIST = "panellist", _("Panellist")

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="appearances", verbose_name=_("webinar"))
    presenter = models.ForeignKey(Presenter, models.CASCADE, related_name="appearances", verbose_name=_("presenter"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.PRESENTER)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("appearance")
        verbose_name_plural = _("appearances")
        constraints = [
            models.UniqueConstraint(fields=["webinar", "presenter"], name="appearance_once_per_webinar"),
            models.CheckConstraint(
                condition=models.Q(role__in=["host", "presenter", "moderator", "panellist"]), name="appearance_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.presenter} ({self.get_role_display()})"
