"""Hosts, and the people who work for them."""

from email.utils import parseaddr

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events import timezones, validators
from events.fields import PictureField, PlainTextField, SingleLineField, TimeZoneField, WebAddressField

DEFAULT_ACCENT = "#0b6b74"


class Host(models.Model):
    """The channel or organization that hosts webinars."""

    name = SingleLineField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), unique=True, help_text=_("The last part of the host's page, /hosts/…/."))
    about = PlainTextField(_("about"), blank=True)
    website = WebAddressField(_("website"), blank=True)
    logo = PictureField(_("logo"), upload_to="hosts", blank=True)
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        default=DEFAULT_ACCENT,
        validators=[validators.validate_accent],
        help_text=_("Any colour. Every shade on the pages is derived from it so that text stays readable."),
    )
    sender_email = models.EmailField(
        _("sender address"),
        blank=True,
        help_text=_(
            "Mails and invites come from here. It must be a mailbox that your mail server may send for; "
            "leave empty to use the site's own."
        ),
    )
    time_zone = TimeZoneField(_("home time zone"), default="UTC")
    has_tentative_entries = models.BooleanField(
        _("tentative entries"),
        default=False,
        help_text=_(
            "Whoever waits for a place, or is kept one, gets a calendar entry that says it is not certain yet. "
            "Without it they get none until they have the place."
        ),
    )
    keep_hours = models.PositiveSmallIntegerField(
        _("hours to keep a declined place"),
        null=True,
        blank=True,
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(14 * 24)],
        help_text=_(
            "Whoever declines in their calendar is asked whether to keep the place; after so long it goes to whoever "
            "waits for it. Empty: it is never taken."
        ),
    )
    keep_mails_days = models.PositiveSmallIntegerField(
        _("days to keep mails"),
        null=True,
        blank=True,
        default=365,
        validators=[MinValueValidator(30)],
        help_text=_(
            "So long after a session the list keeps who was sent what about it, and what became of it. Empty: for good."
        ),
    )
    member_domains = PlainTextField(
        _("domains of members"),
        blank=True,
        help_text=_("Whose addresses end in one of these may see webinars for members. One a line: example.org"),
    )
    requires_second_factor = models.BooleanField(
        _("second step for organizers"),
        default=False,
        help_text=_(
            "Whoever works for this host in the admin must sign in with a passkey or a code of an app as well."
        ),
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="hosts")

    class Meta:
        ordering = ["name"]
        verbose_name = _("host")
        verbose_name_plural = _("hosts")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("host", args=[self.slug])

    @property
    def domains(self) -> list[str]:
        """Its members' domains, in one letter case."""
        return [line.strip().lower() for line in self.member_domains.splitlines() if line.strip()]

    def shown_zone(self, zone: str | None) -> str:
        """In which zone its times are told to a reader in that one: its own, by today's name, where nobody knows."""
        return zone or timezones.canonical_name(self.time_zone)

    @property
    def organizer_email(self) -> str:
        """The bare address that its mails come from and its calendars name: its own, else the site's."""
        return self.sender_email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


class Membership(models.Model):
    """An organizer's place at a host."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner: everything, and who else may help")
        EDITOR = "editor", _("Editor: pages, sessions, registrations")
        VIEWER = "viewer", _("Viewer: may look, changes nothing")

    host = models.ForeignKey(Host, models.CASCADE, related_name="memberships", verbose_name=_("host"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("organizer")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.EDITOR)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["host", "user"], name="membership_once_per_host"),
            models.CheckConstraint(condition=models.Q(role__in=["owner", "editor", "viewer"]), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.host})"
