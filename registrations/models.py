"""What people do: registrations, their answers, their offer codes, and the mails that they are owed."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from events import formats, mail_rules, timezones
from events.fields import PlainTextField, SingleLineField
from events.links import site_host
from events.models import Host, MailRule, Offer, Question, Session, Webinar
from registrations.querysets import MessageQuerySet, RegistrationQuerySet

# Without 0, 1, I, L, O and U: read out on the telephone, nobody takes one for another.
UNAMBIGUOUS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# Of each attempt. Servers may go on for many lines.
MAX_ANSWER_CHARS = 500


def new_reference() -> str:
    """Twelve characters, 58 bits: it names a registration in links, always beside a signature."""
    return "".join(secrets.choice(UNAMBIGUOUS) for _ in range(12))


def new_uid() -> str:
    """Unique in the world and whole, so that no later change of the site's address can lose an entry (RFC 7986 5.3)."""
    return f"reg-{uuid.uuid4()}@{site_host()}"


class Registration(models.Model):
    """One person's place in one session of a webinar. Change it through `registrations.signup`.

    `uid`, `sequence` and `dtstamp` are those of the entry in its owner's calendar (RFC 5545 3.8.4.7, 3.8.7.4,
    3.8.7.2), and `entry` is what it says; `dtstamp` is null and `entry` empty until a first invite was promised.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        CONFIRMED = "confirmed", _("Confirmed")
        WAITLISTED = "waitlisted", _("On the waiting list")
        CANCELLED = "cancelled", _("Cancelled")

    class Awaits(models.TextChoices):
        """What somebody whose registration is pending has still to do, or others for them."""

        PROOF = "proof", _("The address is to be proved")
        APPROVAL = "approval", _("The organizer decides")
        PAYMENT = "payment", _("Payment")

    class CancelledBecause(models.TextChoices):
        OWNER = "owner", _("Its owner cancelled it")
        ORGANIZER = "organizer", _("An organizer cancelled it")
        TURNED_DOWN = "turned_down", _("An organizer turned it down")
        UNPROVED = "unproved", _("The address was not proved in time")
        UNPAID = "unpaid", _("It was not paid in time")
        PASSED = "passed", _("Its owner passed on the place that was offered")
        UNANSWERED = "unanswered", _("Nobody answered when a place was offered")
        DECLINED = "declined", _("Its owner declined in the calendar, and others waited")
        ERASED = "erased", _("Its owner erased it")

    class Entry(models.TextChoices):
        """What the newest revision of the entry in the owner's calendar says (RFC 5545 3.8.1.11)."""

        NONE = "", _("None")
        TENTATIVE = "tentative", _("Tentative")
        CONFIRMED = "confirmed", _("Confirmed")
        CANCELLED = "cancelled", _("Withdrawn")

    class Partstat(models.TextChoices):
        """What the owner answered in their calendar (RFC 5545 3.2.12)."""

        NEEDS_ACTION = "", _("No answer")
        ACCEPTED = "accepted", _("Accepted")
        TENTATIVE = "tentative", _("Perhaps")
        DECLINED = "declined", _("Declined")

    reference = models.CharField(max_length=12, unique=True, default=new_reference, editable=False)
    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="registrations", verbose_name=_("webinar"))
    session = models.ForeignKey(Session, models.PROTECT, related_name="registrations", verbose_name=_("session"))
    name = SingleLineField(_("name"), max_length=200)
    email = models.EmailField(_("email"), max_length=254)
    # Longer than an address: some letters become two in lower case.
    email_key = models.CharField(max_length=512, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    # What a pending one waits for; empty for all others.
    awaits = models.CharField(_("waits for"), max_length=8, choices=Awaits.choices, blank=True)
    # Whether it is one of the session's `places_taken`: every confirmed one, a pending one whose place is kept, and a
    # waiting one that is offered a place.
    has_place = models.BooleanField(default=False, editable=False)
    # When it is given up unless somebody acts: prove, pay, or take the place that is offered.
    lapses_at = models.DateTimeField(_("kept until"), null=True, blank=True)
    # Waits for any session of the webinar; `session` is the one that was asked for, or the next.
    any_session = models.BooleanField(_("waits for any session"), default=False)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=12, default="en")
    consented_at = models.DateTimeField(_("agreed to later mails"), null=True, blank=True)
    registered_at = models.DateTimeField(_("registered"))
    proved_at = models.DateTimeField(_("address proved"), null=True, blank=True)
    approved_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancelled_because = models.CharField(
        _("why it was cancelled"), max_length=11, choices=CancelledBecause.choices, blank=True
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)
    # When they first went through the joining link while it was open.
    joined_at = models.DateTimeField(_("came"), null=True, blank=True)
    surveyed_at = models.DateTimeField(_("answered the survey"), null=True, blank=True)
    uid = models.CharField(max_length=300, unique=True, default=new_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    dtstamp = models.DateTimeField(null=True, editable=False)
    organizer = models.EmailField(blank=True, editable=False)
    entry = models.CharField(max_length=9, choices=Entry.choices, blank=True, default="", db_default="", editable=False)
    partstat = models.CharField(
        _("answer in the calendar"), max_length=9, choices=Partstat.choices, blank=True, default="", db_default=""
    )
    # Answers to earlier revisions than this are to a time, or a session, that is no more.
    asked_sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # To which revision they answered, and when: the reply's own DTSTAMP, and when it arrived here.
    partstat_sequence = models.PositiveIntegerField(null=True, editable=False)
    partstat_dtstamp = models.DateTimeField(null=True, editable=False)
    replied_at = models.DateTimeField(_("answered"), null=True, blank=True)
    # They declined: from then on the place goes to whoever waits for it, unless they keep it.
    frees_at = models.DateTimeField(_("free for others from"), null=True, blank=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["-registered_at", "-pk"]
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint(fields=["webinar", "email_key"], name="registration_once_per_webinar"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "confirmed", "waitlisted", "cancelled"]),
                name="registration_status",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="waitlisted") | models.Q(waiting_since__isnull=False),
                name="registration_waits_since",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", awaits__in=["proof", "approval", "payment"])
                | (~models.Q(status="pending") & models.Q(awaits="")),
                name="registration_pending_awaits",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="confirmed") | models.Q(has_place=True),
                name="registration_confirmed_has_place",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="cancelled") | models.Q(has_place=False, lapses_at__isnull=True),
                name="registration_cancelled_has_none",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="waitlisted", has_place=True) | models.Q(lapses_at__isnull=False),
                name="registration_offer_lapses",
            ),
            models.CheckConstraint(
                condition=models.Q(entry="", dtstamp__isnull=True)
                | models.Q(entry__in=["tentative", "confirmed", "cancelled"], dtstamp__isnull=False),
                name="registration_entry_is_stamped",
            ),
            models.CheckConstraint(
                condition=models.Q(frees_at__isnull=True) | models.Q(status="confirmed", partstat="declined"),
                name="registration_frees_declined",
            ),
        ]
        indexes = [
            models.Index(
                fields=["session", "waiting_since", "id"],
                condition=models.Q(status="waitlisted", has_place=False),
                name="registration_queue",
            ),
            models.Index(
                fields=["webinar", "waiting_since", "id"],
                condition=models.Q(status="waitlisted", has_place=False, any_session=True),
                name="registration_any_queue",
            ),
            models.Index(fields=["lapses_at"], condition=models.Q(lapses_at__isnull=False), name="registration_lapses"),
            models.Index(fields=["frees_at"], condition=models.Q(frees_at__isnull=False), name="registration_frees"),
            models.Index(fields=["session", "status"], name="registration_by_session"),
            # Who came, and whether anybody was seen there.
            models.Index(
                fields=["session"], condition=models.Q(joined_at__isnull=False), name="registration_by_session_came"
            ),
            models.Index(fields=["email_key"], name="registration_by_address"),
            models.Index(fields=["-registered_at", "-id"], name="registration_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name or _('Erased')} ({self.reference})"

    @property
    def is_confirmed(self) -> bool:
        return self.status == self.Status.CONFIRMED

    @property
    def is_waitlisted(self) -> bool:
        return self.status == self.Status.WAITLISTED

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING

    @property
    def is_offered(self) -> bool:
        """Whether a place is kept for somebody who waited, until they take it, pass or stay silent."""
        return self.is_waitlisted and self.has_place

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the time to act has run out, though nobody may have noted it yet."""
        return self.lapses_at is not None and self.lapses_at <= now

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def has_entry(self) -> bool:
        """Whether its owner's calendar is to show it, by the newest revision."""
        return self.entry in {self.Entry.TENTATIVE, self.Entry.CONFIRMED}

    @property
    def own_time_zone(self) -> str:
        """The zone its owner reads times in: their own where it is known, else the session's."""
        zone = self.time_zone if timezones.is_known(self.time_zone) else self.session.time_zone
        return timezones.canonical_name(zone)

    @property
    def own_language(self) -> str:
        """The language its owner reads, or the site's own where the site has since unlearned it."""
        return formats.supported_language(self.language)


class Answer(models.Model):
    """What somebody answered, with the wording that was asked."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, models.PROTECT, related_name="answers", verbose_name=_("question"))
    wording = SingleLineField(_("question"), max_length=200)
    value = PlainTextField(_("answer"), max_length=4000)

    class Meta:
        ordering = ["question__order", "pk"]
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [models.UniqueConstraint(fields=["registration", "question"], name="answer_once")]

    def __str__(self) -> str:
        return f"{self.wording}: {self.value}"


class OfferCode(models.Model):
    """The personal code of one registration for one offer in one session."""

    registration = models.ForeignKey(
        Registration, models.CASCADE, related_name="offer_codes", verbose_name=_("registration")
    )
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="codes", verbose_name=_("offer"))
    session = models.ForeignKey(Session, models.PROTECT, related_name="offer_codes", verbose_name=_("session"))
    code = models.CharField(_("code"), max_length=24, unique=True)
    issued_at = models.DateTimeField(_("issued"))
    unlocked_at = models.DateTimeField(_("unlocked"), null=True, blank=True)
    unlocked_by = models.CharField(_("unlocked by"), max_length=12, blank=True)
    redemptions = models.PositiveSmallIntegerField(_("times used"), default=0)
    redeemed_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["-issued_at", "-pk"]
        verbose_name = _("offer code")
        verbose_name_plural = _("offer codes")
        constraints = [
            models.UniqueConstraint(fields=["registration", "offer", "session"], name="offer_code_once"),
            models.CheckConstraint(
                condition=models.Q(redemptions=0) | models.Q(unlocked_at__isnull=False),
                name="offer_code_unlocked_before_use",
            ),
        ]
        indexes = [models.Index(fields=["-issued_at", "-id"], name="offer_code_newest")]

    def __str__(self) -> str:
        return f"{self.offer} ({self.registration_id})"

    @property
    def is_unlocked(self) -> bool:
        return self.unlocked_at is not None


class CalendarFeed(models.Model):
    """The address under which somebody's own registrations are a calendar to subscribe to.

    The address holds `reference` and a signature. Whoever has it reads the calendar, so its owner can have it made
    anew, which ends the old one, or taken away.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    reference = models.CharField(max_length=12, unique=True, default=new_reference, editable=False)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("own calendar")
        verbose_name_plural = _("own calendars")

    def __str__(self) -> str:
        return str(self.user)


class Mailing(models.Model):
    """Mails to many: what a rule of the plan has sent to a session's people, or an organizer to those of a webinar.

    Written down before the first of its mails, once for its `key`, so that any number of workers write each mail once.
    They go on after the registration `reached`, until `written_at` says that nobody is left.
    """

    class Audience(models.TextChoices):
        PLACE = "place", _("Everybody with a place")
        WAITING = "waiting", _("Those who wait for a place")
        CAME = "came", _("Those who came")
        STAYED_AWAY = "stayed_away", _("Those who did not come")

    key = models.CharField(max_length=120, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20)
    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="mailings", verbose_name=_("webinar"))
    session = models.ForeignKey(
        Session,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="mailings",
        verbose_name=_("session"),
        help_text=_("Empty: all sessions of the webinar."),
    )
    rule = models.ForeignKey(MailRule, models.SET_NULL, null=True, blank=True, related_name="mailings")
    audience = models.CharField(_("to whom"), max_length=11, choices=Audience.choices, default=Audience.PLACE)
    # The start that a reminder was planned by: of a session that has moved since, it says nothing any more.
    starts_at = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(_("due"))
    begun_at = models.DateTimeField(_("begun"))
    written_at = models.DateTimeField(_("written"), null=True, blank=True)
    reached = models.BigIntegerField(default=0, editable=False)
    told = models.PositiveIntegerField(_("mails"), default=0)
    # An organizer ended it before all of its mails had gone out.
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    subject = SingleLineField(_("subject"), max_length=120, blank=True)
    text = PlainTextField(_("text"), blank=True, max_length=10_000)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("written by"),
    )

    class Meta:
        ordering = ["-begun_at", "-pk"]
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(kind="announcement") & ~models.Q(subject="") & ~models.Q(text=""))
                | (~models.Q(kind="announcement") & models.Q(subject="", text="", session__isnull=False)),
                name="mailing_announces_in_words",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(written_at__isnull=True), name="mailing_unwritten"),
            models.Index(fields=["session", "begun_at"], name="mailing_by_session"),
            models.Index(fields=["-begun_at", "-id"], name="mailing_newest"),
        ]

    def __str__(self) -> str:
        """An announcement by its subject, a reminder by how long before the start it is."""
        if self.subject:
            return self.subject
        label = str(Message.Kind(self.kind).label)
        if self.kind != Message.Kind.REMINDER or self.starts_at is None:
            return label
        length = mail_rules.length((self.starts_at - self.due_at) // timedelta(minutes=1))
        return _("%(mail)s, %(length)s before the start") % {"mail": label, "length": length}


@dataclass(frozen=True)
class Attempt:
    """One attempt to send a mail: when it ended, and what the server answered, or what went wrong."""

    at: datetime
    answer: str

    def as_entry(self) -> dict[str, str]:
        """As it stands in `Message.attempt_log`."""
        return {"at": f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "answer": self.answer[:MAX_ANSWER_CHARS]}


class Message(models.Model):
    """One mail to one person: a row of the outbox, written in the transaction of what caused it.

    It is open while it is queued, held by a worker (sending, until `claimed_until`) or refused for now (retrying, from
    `due_at` on). Its ends: sent; failed, refused for good or tried too often; cancelled, it lost its point and `answer`
    says how; unknown, its worker was lost while the server took the text, and a mail of that kind is not risked twice.
    """

    class Kind(models.TextChoices):
        PROOF = "proof", _("Confirm your address")
        PENDING = "pending", _("Your registration is noted")
        APPROVED = "approved", _("Your registration is accepted")
        TURNED_DOWN = "turned_down", _("Your registration was not accepted")
        OFFERED = "offered", _("A place is kept for you")
        LAPSED = "lapsed", _("Your registration has ended")
        ERASED = "erased", _("Your registration is erased")
        CONFIRMED = "confirmed", _("You have a place")
        WAITLISTED = "waitlisted", _("You are on the waiting list")
        PROMOTED = "promoted", _("A place came free for you")
        SESSION_CHANGED = "session_changed", _("You changed session")
        RESCHEDULED = "rescheduled", _("The session has moved")
        SESSION_CANCELLED = "session_cancelled", _("The session is cancelled")
        CANCELLED = "cancelled", _("Registration cancelled")
        DECLINED = "declined", _("You declined in your calendar")
        COUNTERED = "countered", _("You proposed another time")
        LINK_AGAIN = "link_again", _("Your link again")
        REMINDER = "reminder", _("Reminder")
        STARTING = "starting", _("It starts now")
        CAME = "came", _("Thank you for coming")
        MISSED = "missed", _("What you missed")
        SURVEY = "survey", _("How was it?")
        REPLAY = "replay", _("The replay is there")
        OFFER_EARNED = "offer_earned", _("You earned an offer")
        ANNOUNCEMENT = "announcement", _("A message from the host")
        ACCOUNT = "account", _("Signing in")
        PROBE = "probe", _("Invite to yourself")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        RETRYING = "retrying", _("Waiting to be tried again")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Not needed any more")
        UNKNOWN = "unknown", _("Nobody knows whether it arrived")

    class CancelledBecause(models.TextChoices):
        """Why it was cancelled, where anybody asks for that; of all others `answer` tells it in words."""

        ADDRESS_FAILS = "address_fails", _("The address does not take mail")
        UNWANTED = "unwanted", _("Its reader has unsubscribed")
        STOPPED = "stopped", _("An organizer stopped it")

    WAITING_STATES = (State.QUEUED, State.RETRYING)
    OPEN_STATES = (*WAITING_STATES, State.SENDING)
    # Those with which an organizer has to deal.
    FAILED_STATES = (State.FAILED, State.UNKNOWN)
    # What the plan has for the time before the start, and at it.
    REMINDER_KINDS: frozenset[str] = frozenset((Kind.REMINDER, Kind.STARTING))
    # What nobody needs for a place that they hold. Each can be stopped by its reader (RFC 8058), and where nobody can
    # know whether one has gone out it is not sent again: it came twice is worse than that it did not come.
    OPTIONAL_KINDS: frozenset[str] = frozenset(
        (
            *REMINDER_KINDS,
            Kind.CAME,
            Kind.MISSED,
            Kind.SURVEY,
            Kind.REPLAY,
            Kind.OFFER_EARNED,
            Kind.ANNOUNCEMENT,
        )
    )
    # What many are told at one time, of one cause.
    TOLD_TO_MANY = frozenset({Kind.RESCHEDULED, Kind.SESSION_CANCELLED})
    # Those that carry the registration's calendar entry and so stand for its newest state.
    INVITE_KINDS = (
        Kind.CONFIRMED,
        Kind.APPROVED,
        Kind.PENDING,
        Kind.OFFERED,
        Kind.WAITLISTED,
        Kind.PROMOTED,
        Kind.SESSION_CHANGED,
        Kind.RESCHEDULED,
        Kind.SESSION_CANCELLED,
        Kind.CANCELLED,
    )

    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it is for; the same purpose is never written twice.")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    registration = models.ForeignKey(
        Registration, models.CASCADE, null=True, blank=True, related_name="messages", verbose_name=_("registration")
    )
    # What it was written with, where that was for many at once; what stands in those is not kept with each of them.
    mailing = models.ForeignKey(
        Mailing, models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("mailing")
    )
    to_email = models.EmailField(_("to"), max_length=254)
    language = models.CharField(max_length=12, default="en")
    sequence = models.PositiveIntegerField(null=True, help_text=_("The revision of the invite that it promises."))
    payload = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(_("written"))
    # What many are told at one time has the moment of its cause, also where it is sent again.
    occasion_at = models.DateTimeField(_("occasion"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"))
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    claim = models.UUIDField(null=True, editable=False)
    # From when on, in the attempt that is going on, the server may have the text.
    begun_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Every attempt that is over, the first first: see `Attempt`.
    attempt_log = models.JSONField(default=list, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # From when the server was first offered the text: what comes back may be here before its answer.
    message_id = models.CharField(max_length=200, blank=True)
    # The last one, or why it is not sent any more.
    answer = models.TextField(_("the server's answer"), blank=True)
    cancelled_because = models.CharField(
        max_length=13, choices=CancelledBecause.choices, blank=True, default="", db_default="", editable=False
    )
    # What came back later, when a server on the way could not deliver it (RFC 3464).
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    bounce = models.TextField(_("why it came back"), blank=True, default="", db_default="")

    # Whether anything stops it, as `stops.annotated` has read it with the row.
    address_fails = False
    is_unwanted = False

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["queued", "sending", "sent", "retrying", "failed", "cancelled", "unknown"]
                ),
                name="message_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False), name="message_sent_when"
            ),
            models.CheckConstraint(
                condition=models.Q(cancelled_because="")
                | models.Q(cancelled_because__in=["address_fails", "unwanted", "stopped"], state="cancelled"),
                name="message_cancelled_because",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=["queued", "sending", "retrying"]), name="message_open"
            ),
            models.Index(fields=["registration", "id"], name="message_by_registration"),
            models.Index(
                fields=["registration"], condition=models.Q(state__in=["failed", "unknown"]), name="message_failed"
            ),
            models.Index(
                fields=["registration"], condition=models.Q(bounced_at__isnull=False), name="message_came_back"
            ),
            models.Index(
                fields=["registration"],
                condition=models.Q(cancelled_because="address_fails"),
                name="message_would_come_back",
            ),
            models.Index(fields=["-created_at", "-id"], name="message_newest"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What it is called wherever mails are listed. Reads its mailing."""
        return str(self.mailing) if self.mailing else str(self.get_kind_display())

    @property
    def past_attempts(self) -> list[Attempt]:
        """Every attempt that is over, the first first; of a mail from before these were kept, none."""
        return [Attempt(datetime.fromisoformat(entry["at"]), entry["answer"]) for entry in self.attempt_log]


def new_probe_uid() -> str:
    """Never that of a registration."""
    return f"doctor-{uuid.uuid4()}@{site_host()}"


class Probe(models.Model):
    """An invite that somebody who runs the site sent to themselves, to see whether it arrives and is answered.

    `organizer` is the address that it is answered at, `sender_email` the mailbox behind it. Write it through
    `registrations.probes`.
    """

    message = models.OneToOneField(Message, models.CASCADE, related_name="probe")
    reference = models.CharField(max_length=12, unique=True, default=new_reference)
    uid = models.CharField(max_length=300, unique=True, default=new_probe_uid)
    dtstamp = models.DateTimeField()
    starts_at = models.DateTimeField()
    sender_email = models.EmailField()
    organizer = models.EmailField()
    partstat = models.CharField(max_length=9, choices=Registration.Partstat.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=254, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("invite to yourself")
        verbose_name_plural = _("invites to yourself")

    def __str__(self) -> str:
        return self.uid


class BouncedAddress(models.Model):
    """An address that does not take mail, as a mail server has said for good. There is none once it is corrected."""

    email_key = models.CharField(max_length=512, unique=True, editable=False)
    noted_at = models.DateTimeField(_("noted"))
    reason = models.TextField(_("why it came back"), blank=True)
    # The mail that showed it.
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("address that does not take mail")
        verbose_name_plural = _("addresses that do not take mail")

    def __str__(self) -> str:
        return self.email_key


class Unsubscription(models.Model):
    """Somebody's own word that they want nothing of a host that they do not need for a place."""

    class How(models.TextChoices):
        PAGE = "page", _("On the page that each such mail links to")
        ONE_CLICK = "one_click", _("With the button of their mail program")
        COMPLAINT = "complaint", _("They told their mail provider that a mail is spam")

    host = models.ForeignKey(Host, models.CASCADE, related_name="unsubscriptions", verbose_name=_("host"))
    email_key = models.CharField(max_length=512, editable=False)
    asked_at = models.DateTimeField(_("asked for"))
    how = models.CharField(_("how"), max_length=9, choices=How.choices)

    class Meta:
        verbose_name = _("unsubscription")
        verbose_name_plural = _("unsubscriptions")
        constraints = [
            models.UniqueConstraint(fields=["email_key", "host"], name="unsubscription_once_per_host"),
            models.CheckConstraint(
                condition=models.Q(how__in=["page", "one_click", "complaint"]), name="unsubscription_how"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email_key} ({self.host})"
