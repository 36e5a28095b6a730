"""Sessions: a webinar given once, planned as a wall-clock time in a named zone."""

import uuid
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from events import timezones
from events.fields import SingleLineField, TimeZoneField, WebAddressField
from events.links import site_host
from events.models.webinars import Webinar
from events.querysets import SessionQuerySet

JOIN_OPENS_BEFORE = timedelta(minutes=15)

# What is said of the time, from which the instants follow.
TIME_FIELDS = ("local_date", "local_time", "time_zone", "occurrence")


def new_uid() -> str:
    """Unique in the world and whole, so that no later change of the site's address can lose an entry (RFC 7986 5.3)."""
    return f"session-{uuid.uuid4()}@{site_host()}"


class Session(models.Model):
    """One occurrence of a webinar.

    `local_date`, `local_time` and `time_zone` are what the organizer means; `starts_at` and `ends_at` are the instants
    (UTC) that follow, derived whenever a session is saved through `plan`. Plan and cancel through
    `events.scheduling`, so that everybody who holds a place hears of it.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        CANCELLED = "cancelled", _("Cancelled")

    class Occurrence(models.TextChoices):
        FIRST = "first", _("The first, before clocks go back")
        SECOND = "second", _("The second, after clocks went back")

    class Anchor(models.TextChoices):
        """What stays when a government changes the clock of the session's zone."""

        WALL_CLOCK = "wall_clock", _("The time on the clock there")
        INSTANT = "instant", _("The moment, as others count it")

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="sessions", verbose_name=_("webinar"))
    label = SingleLineField(
        _("label"), max_length=120, blank=True, help_text=_("For whom it suits, such as: Suits the Americas.")
    )
    local_date = models.DateField(_("date"))
    local_time = models.TimeField(_("time"))
    time_zone = TimeZoneField(_("time zone"))
    occurrence = models.CharField(
        _("which one"),
        max_length=6,
        choices=Occurrence.choices,
        blank=True,
        help_text=_("Only where clocks go back and the time comes twice."),
    )
    anchor = models.CharField(
        _("what stays"),
        max_length=10,
        choices=Anchor.choices,
        default=Anchor.WALL_CLOCK,
        help_text=_("Should the rules of this time zone change before the session."),
    )
    duration_minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=60, validators=[MinValueValidator(5), MaxValueValidator(24 * 60)]
    )
    starts_at = models.DateTimeField(_("starts"), editable=False)
    ends_at = models.DateTimeField(_("ends"), editable=False)
    # Where it was announced before its last move, for pages and search engines to say so.
    previous_starts_at = models.DateTimeField(_("moved from"), null=True, editable=False)
    capacity = models.PositiveIntegerField(
        _("places"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_("Empty: no limit.")
    )
    places_taken = models.PositiveIntegerField(_("places taken"), default=0, editable=False)
    has_waiting_list = models.BooleanField(_("waiting list when full"), default=True)
    join_url = WebAddressField(
        _("joining address"), blank=True, max_length=500, help_text=_("Of the platform. Only registered people see it.")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.SCHEDULED, editable=False)
    uid = models.CharField(max_length=300, unique=True, default=new_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    revised_at = models.DateTimeField(_("last revised"), editable=False)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="session_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(capacity__isnull=True) | models.Q(places_taken__lte=models.F("capacity")),
                name="session_not_oversold",
                violation_error_message=_("More people hold a place than that."),
            ),
            models.CheckConstraint(condition=models.Q(state__in=["scheduled", "cancelled"]), name="session_state"),
            models.CheckConstraint(condition=models.Q(anchor__in=["wall_clock", "instant"]), name="session_anchor"),
        ]
        indexes = [
            models.Index(fields=["webinar", "starts_at"], name="session_by_webinar"),
            # For the plan of mails, which looks twice a minute for what begins or has ended.
            models.Index(fields=["starts_at"], name="session_by_start"),
            models.Index(fields=["ends_at"], name="session_by_end"),
        ]

    def __str__(self) -> str:
        if self.local_date is None or self.local_time is None:
            return str(_("New session"))
        return f"{self.local_date:%Y-%m-%d} {self.local_time:%H:%M} {timezones.city_name(self.time_zone)}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Fill in the derived instants of a session that nobody planned yet."""
        if self.starts_at is None:
            self.plan()
        if self.revised_at is None:
            self.revised_at = timezones.whole_second(datetime.now(UTC))
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Refuse local times that do not exist, ask about those that come twice, and derive the instants.

        A time that nobody changed keeps its instant, whatever the zone's rules say by now: what they move is moved by
        `events.scheduling.follow_zone_rules` alone, with its reason. Refuse fewer places than are taken, too, and say
        how many that are.
        """
        if self._has_its_stored_time():
            self.ends_at = self.starts_at + self.duration
        elif self.local_date and self.local_time and self.time_zone and timezones.is_known(self.time_zone):
            self.plan()
        if self.capacity is not None and self.capacity < self.places_taken:
            message = ngettext(
                "%(count)d person holds a place already, so there must be at least that many.",
                "%(count)d people hold a place already, so there must be at least that many.",
                self.places_taken,
            )
            raise ValidationError({"capacity": message % {"count": self.places_taken}})

    def plan(self) -> None:
        """Derive `starts_at` and `ends_at` from the wall-clock time. Raises ValidationError beside the right field."""
        try:
            self._forget_answer_nobody_asked_for()
            starts_at = timezones.resolve(
                self.local_date,
                self.local_time,
                self.time_zone,
                second_occurrence=self.occurrence == self.Occurrence.SECOND if self.occurrence else None,
            )
            ends_at = starts_at + self.duration
        except timezones.UnknownTimeZoneError as error:
            raise ValidationError({"time_zone": self._unknown_zone_message()}) from error
        except timezones.NonexistentTimeError as error:
            raise ValidationError({"local_time": self._nonexistent_message(error)}) from error
        except timezones.AmbiguousTimeError as error:
            raise ValidationError({"occurrence": self._ambiguous_message(error)}) from error
        except OverflowError as error:
            raise ValidationError({"local_date": _("This date is too far away.")}) from error
        self.starts_at, self.ends_at = starts_at, ends_at

    def follow_rules(self, *, now: datetime) -> None:
        """Bring wall clock and instants together by today's rules of the zone; `anchor` says which of them stays.

        Raises ValidationError where a person has to decide: the local time does not exist any more, or comes twice and
        nobody was asked, or the zone's name is gone, or the session would have begun already.
        """
        if self.anchor == self.Anchor.INSTANT:
            self._read_clock()
            return
        if not self.occurrence:
            self._recognise_occurrence()
        self.plan()
        if self.starts_at <= now:
            raise ValidationError({"local_date": _("By the rules of today it would have begun already.")})

    def _read_clock(self) -> None:
        """Take over what the clock there shows at the stored instant."""
        try:
            clock = timezones.wall_clock(self.starts_at, self.time_zone)
        except timezones.UnknownTimeZoneError as error:
            raise ValidationError({"time_zone": self._unknown_zone_message()}) from error
        self.local_date, self.local_time = clock.on, clock.at
        self.occurrence = self._occurrence_of(clock)

    def _recognise_occurrence(self) -> None:
        """Where the time has come to be one that occurs twice, the stored instant tells which was meant all along."""
        if timezones.is_known(self.time_zone):
            clock = timezones.wall_clock(self.starts_at, self.time_zone)
            if (clock.on, clock.at) == (self.local_date, self.local_time):
                self.occurrence = self._occurrence_of(clock)

    def _occurrence_of(self, clock: timezones.WallClock) -> str:
        if clock.second_occurrence is None:
            return ""
        return self.Occurrence.SECOND if clock.second_occurrence else self.Occurrence.FIRST

    def _has_its_stored_time(self) -> bool:
        if self.pk is None:
            return False
        time = {name: getattr(self, name) for name in (*TIME_FIELDS, "starts_at")}
        return Session.objects.filter(pk=self.pk, **time).exists()

    def _forget_answer_nobody_asked_for(self) -> None:
        """Which one was meant is said of one night: moved elsewhere, the question is open again."""
        if self.occurrence and not timezones.is_ambiguous(self.local_date, self.local_time, self.time_zone):
            self.occurrence = ""

    def _unknown_zone_message(self) -> str:
        return _("%(zone)s is not a known time zone.") % {"zone": self.time_zone}

    def _nonexistent_message(self, error: timezones.NonexistentTimeError) -> str:
        # Where clocks change at midnight, the one before is on another day.
        is_one_day = error.before.date() == error.after.date()
        pattern = "%H:%M" if is_one_day else "%Y-%m-%d %H:%M"
        return _(
            "Clocks in %(city)s go forward over this time, so it does not exist. "
            "The nearest that do are %(before)s and %(after)s."
        ) % {
            "city": timezones.city_name(self.time_zone),
            "before": format(error.before, pattern),
            "after": format(error.after, pattern),
        }

    def _ambiguous_message(self, error: timezones.AmbiguousTimeError) -> str:
        return _(
            "Clocks in %(city)s go back that night, so this time comes twice: choose the first (%(first)s) "
            "or the second (%(second)s)."
        ) % {
            "city": timezones.city_name(self.time_zone),
            "first": timezones.utc_offset_label(error.first, self.time_zone),
            "second": timezones.utc_offset_label(error.second, self.time_zone),
        }

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    @property
    def is_cancelled(self) -> bool:
        return self.state == self.State.CANCELLED

    @property
    def is_called_off(self) -> bool:
        """Whether it, or all of its webinar, was cancelled. Reads `webinar`."""
        return self.is_cancelled or self.webinar.is_cancelled

    @property
    def places_left(self) -> int | None:
        """How many places are free, None where there is no limit."""
        return None if self.capacity is None else max(self.capacity - self.places_taken, 0)

    @property
    def is_full(self) -> bool:
        return self.places_left == 0

    @property
    def is_nearly_full(self) -> bool:
        """A tenth left, or five places, whichever is more."""
        return not self.is_full and self._is_at_most(self._few)

    @property
    def runs_out(self) -> bool:
        """Whether the next place taken or given back changes what people are told, though others were quicker."""
        return self._is_at_most(self._few + 5)

    @property
    def _few(self) -> int:
        return max((self.capacity or 0) // 10, 5)

    def _is_at_most(self, count: int) -> bool:
        return self.places_left is not None and self.places_left <= count

    @property
    def join_opens_at(self) -> datetime:
        return self.starts_at - JOIN_OPENS_BEFORE

    @property
    def join_lead_minutes(self) -> int:
        """How many minutes before the start it opens."""
        return JOIN_OPENS_BEFORE // timedelta(minutes=1)

    def has_ended(self, now: datetime) -> bool:
        return now >= self.ends_at

    def is_running(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at and not self.is_called_off

    def took_place(self, now: datetime) -> bool:
        """Whether it was given and is over. That its webinar was called off afterwards does not undo it."""
        return self.has_ended(now) and not self.is_cancelled

    def moved_from(self, now: datetime) -> datetime | None:
        """Where it stood when it was announced, for as long as that helps anybody: until it starts.

        None where it never moved, is back where it was, or does not take place. Pages, lists and programs all say so
        for the same time: whoever looks in once it runs wants to come in, and is no more too early or too late.
        """
        before = self.previous_starts_at
        if before == self.starts_at or now >= self.starts_at or self.is_called_off:
            return None
        return before

    def takes_registrations(self, now: datetime) -> bool:
        """Whether somebody may still register for it, if only to wait."""
        if self.is_cancelled or self.has_ended(now) or not self.webinar.registration_is_open(now):
            return False
        return not self.is_full or self.has_waiting_list
