"""The webinar: the subject and its landing page."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.email_addresses import address_key
from events.fields import (
    PictureField,
    PlainTextField,
    RichTextField,
    SingleLineField,
    TimeZoneField,
    WebAddressField,
)
from events.links import absolute
from events.models.hosts import Host
from events.models.series import Partner, Series
from events.querysets import OPEN_TO_ALL, WebinarQuerySet


class Webinar(models.Model):
    """What is offered. When it is given stands in its sessions."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft: only organizers see it")
        PUBLISHED = "published", _("Published")
        CANCELLED = "cancelled", _("Cancelled")

    class Access(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        UNLISTED = "unlisted", _("Whoever has the link")
        MEMBERS = "members", _("Members: signed in with an address of the host's domains")
        INVITED = "invited", _("Whoever was invited: signed in with an address of the list")
        PASSWORD = "password", _("Whoever has the password")

    class ReplayAccess(models.TextChoices):
        EVERYONE = "everyone", _("Everyone who sees the page")
        REGISTERED = "registered", _("Whoever had registered")

    host = models.ForeignKey(Host, models.PROTECT, related_name="webinars", verbose_name=_("host"))
    series = models.ForeignKey(
        Series, models.SET_NULL, null=True, blank=True, related_name="webinars", verbose_name=_("series")
    )
    title = SingleLineField(_("title"), max_length=160, help_text=_("Short: it stands in lists, mails and calendars."))
    official_title = SingleLineField(
        _("official title"), max_length=300, blank=True, help_text=_("The long one, where there is one.")
    )
    slug = models.SlugField(_("address"), unique=True, help_text=_("The last part of its page, /webinars/…/."))
    summary = PlainTextField(_("summary"), max_length=400, help_text=_("Two sentences for lists and mails."))
    about = RichTextField(_("about"), blank=True)
    language = models.CharField(
        _("language"), max_length=12, default="en", help_text=_("In which it is held, such as en, ru or pt-br.")
    )
    interpretation = SingleLineField(
        _("interpretation"), max_length=120, blank=True, help_text=_("For example: interpreted into Russian.")
    )
    picture = PictureField(_("picture"), upload_to="webinars", blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    access = models.CharField(_("who can view"), max_length=10, choices=Access.choices, default=Access.EVERYONE)
    # As organizers wrote it: they hand it out, and look it up to do so.
    access_password = SingleLineField(
        _("password of the page"), max_length=100, blank=True, help_text=_("For those whom you tell it.")
    )
    needs_proof = models.BooleanField(
        _("addresses are proved first"),
        default=False,
        help_text=_("A link in a mail must be followed; the place is kept for 24 hours meanwhile."),
    )
    needs_approval = models.BooleanField(
        _("you accept each registration"), default=False, help_text=_("Nobody has a place before you do.")
    )
    offer_hours = models.PositiveSmallIntegerField(
        _("hours to accept a place"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(14 * 24)],
        help_text=_("For those who wait, once a place comes free. Empty: they have it at once."),
    )
    price_amount = models.DecimalField(
        _("price"),
        max_digits=9,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("0 is free."),
    )
    price_currency = models.CharField(_("currency"), max_length=3, blank=True, help_text=_("Such as EUR."))
    how_to_pay = PlainTextField(
        _("how to pay"), blank=True, help_text=_("Only those who have to pay read it, in a mail and on their page.")
    )
    payment_days = models.PositiveSmallIntegerField(
        _("days to pay"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("So long an unpaid place is kept. Empty: until you cancel it."),
    )
    registration_opens_at = models.DateTimeField(_("registration opens"), null=True, blank=True)
    registration_closes_at = models.DateTimeField(
        _("registration closes"), null=True, blank=True, help_text=_("Empty: when the session ends.")
    )
    replay_url = WebAddressField(_("replay"), blank=True, help_text=_("Where the recording is, once there is one."))
    replay_access = models.CharField(
        _("who can watch it"), max_length=10, choices=ReplayAccess.choices, default=ReplayAccess.EVERYONE
    )
    replay_from = models.DateTimeField(
        _("to be watched from"), null=True, blank=True, help_text=_("Empty: as soon as the first session is over.")
    )
    replay_until = models.DateTimeField(_("to be watched until"), null=True, blank=True)
    # When there was first a recording; null where that was before anybody noted it.
    replay_added_at = models.DateTimeField(null=True, editable=False)
    has_own_mail_rules = models.BooleanField(
        _("a plan of its own"),
        default=False,
        help_text=_("Then the mails of the host's plan do not go out for this webinar, only those listed below."),
    )
    # Since when the present plan, the host's or its own, holds for it: what it had due before is not made up for.
    mail_rules_since = models.DateTimeField(null=True, editable=False)
    attended_count = models.PositiveIntegerField(
        _("attended"), null=True, blank=True, help_text=_("As the platform counted, once it is over.")
    )
    recommended = models.ManyToManyField("self", symmetrical=False, blank=True, verbose_name=_("recommended"))
    partners = models.ManyToManyField(Partner, through="WebinarPartnership", related_name="webinars")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = WebinarQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        verbose_name = _("webinar")
        verbose_name_plural = _("webinars")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "published", "cancelled"]), name="webinar_status"
            ),
            models.CheckConstraint(
                condition=models.Q(access__in=["everyone", "unlisted", "members", "invited", "password"]),
                name="webinar_access",
            ),
            models.CheckConstraint(
                condition=~models.Q(access="password") | ~models.Q(access_password=""),
                name="webinar_password_is_set",
                violation_error_message=_("Choose the password that people will be told."),
            ),
            models.CheckConstraint(
                condition=models.Q(replay_access__in=["everyone", "registered"]), name="webinar_replay_access"
            ),
            models.CheckConstraint(
                condition=models.Q(replay_from__isnull=True)
                | models.Q(replay_until__isnull=True)
                | models.Q(replay_until__gt=models.F("replay_from")),
                name="webinar_replay_ends_after_it_begins",
                violation_error_message=_("The replay must end after it begins."),
            ),
            models.CheckConstraint(
                condition=models.Q(price_amount=0) | (models.Q(price_amount__gt=0) & ~models.Q(price_currency="")),
                name="webinar_price_has_currency",
                violation_error_message=_("A price needs its currency."),
            ),
            models.CheckConstraint(
                condition=models.Q(registration_opens_at__isnull=True)
                | models.Q(registration_closes_at__isnull=True)
                | models.Q(registration_closes_at__gt=models.F("registration_opens_at")),
                name="webinar_registration_closes_after_it_opens",
                violation_error_message=_("Registration must close after it opens."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("webinar", args=[self.slug])

    def clean(self) -> None:
        """Refuse a series of another host."""
        if self.series_id and self.host_id and self.series is not None and self.series.host_id != self.host_id:
            raise ValidationError({"series": _("This series belongs to another host.")})

    @property
    def is_free(self) -> bool:
        return not self.price_amount

    @property
    def is_published(self) -> bool:
        return self.status == self.Status.PUBLISHED

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def is_listed(self) -> bool:
        """Whether lists, feeds and search engines may name it."""
        return self.status != self.Status.DRAFT and self.access == self.Access.EVERYONE

    @property
    def is_restricted(self) -> bool:
        """Whether it takes more than the address to see its page, once there is one (events/visibility.py)."""
        return self.access not in OPEN_TO_ALL

    def registration_is_open(self, now: datetime) -> bool:
        """Whether the organizer's own opening times let anybody register; sessions have the last word."""
        if not self.is_published:
            return False
        if self.registration_opens_at and now < self.registration_opens_at:
            return False
        return not (self.registration_closes_at and now >= self.registration_closes_at)

    def next_moment(self, now: datetime) -> datetime | None:
        """When what is said of it, or of its sessions, will next be something else by itself; None where never.

        Reads its sessions, without a query where they were fetched with it.
        """
        moments = [self.registration_opens_at, self.registration_closes_at, self.replay_from, self.replay_until]
        for session in self.sessions.all():
            moments += [session.starts_at, session.ends_at]
        return min((moment for moment in moments if moment and moment > now), default=None)

    @property
    def in_short(self) -> str:
        """What somebody passes on who tells others of it: the summary, and below it the address of its page."""
        return f"{self.summary}\n\n{absolute(self.get_absolute_url())}"


class Invitee(models.Model):
    """An address on the list of a webinar that is for invited people."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="invitees", verbose_name=_("webinar"))
    email = models.EmailField(_("email"), max_length=254)
    # Longer than an address: some letters become two in lower case.
    email_key = models.CharField(max_length=512, editable=False)

    class Meta:
        ordering = ["email_key"]
        verbose_name = _("invited address")
        verbose_name_plural = _("invited addresses")
        constraints = [models.UniqueConstraint(fields=["webinar", "email_key"], name="invitee_once_per_webinar")]
        indexes = [models.Index(fields=["email_key"], name="invitee_by_address")]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep what tells the address from others beside it."""
        self.email_key = address_key(self.email)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class DisplayZone(models.Model):
    """A zone in which a webinar's times are shown, in the organizer's order."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="display_zones", verbose_name=_("webinar"))
    time_zone = TimeZoneField(_("time zone"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("time zone shown")
        verbose_name_plural = _("time zones shown")
        constraints = [models.UniqueConstraint(fields=["webinar", "time_zone"], name="display_zone_once")]

    def __str__(self) -> str:
        return self.time_zone
