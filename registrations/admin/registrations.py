"""Who registered for what, and whether their mail arrived."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import functions
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from events import formats, timezones
from events.access import access_of
from events.admin.scoped import HostFilter, is_key
from events.admin.sessions import WhenFilter
from events.admin.wording import moment_cell
from events.email_addresses import address_key
from events.models import Session, Webinar
from registrations import stops
from registrations.admin import own_plan
from registrations.admin.deeds import ACCEPT, ADDRESS_WORKS, CANCEL, ERASE, MARK_CAME, MARK_PAID, TURN_DOWN, DoesDeeds
from registrations.admin.readonly import CompletesRows, ReadOnlyAdmin, ReadOnlyInline, instant_column, session_time
from registrations.admin.standing import (
    ANSWER_COLOURS,
    COLOURS,
    AnswerFilter,
    SessionFilter,
    WaitsFilter,
    mail_standing,
    standing,
    wants_any,
)
from registrations.models import Answer, Message, OfferCode, Registration
from registrations.questions import shown_answer


class MailFilter(DropdownFilter):
    """Those whose mail failed, came back or has not gone out."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed")), ("came_back", _("Came back")), ("waiting", _("Waiting"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "failed":
            return queryset.filter(pk__in=Message.objects.failed().values("registration"))
        if self.value() == "came_back":
            # With those whose address is known to take no mail by what came back to somebody else.
            is_failing = models.Q(pk__in=stops.failing(Registration.objects.all()).values("pk"))
            return queryset.filter(is_failing | models.Q(pk__in=Message.objects.came_back().values("registration")))
        if self.value() == "waiting":
            return queryset.filter(pk__in=Message.objects.open().values("registration"))
        return queryset


class CameFilter(DropdownFilter):
    """Who came of those whose session has begun, and who was not seen there."""

    title = _("came")
    parameter_name = "came"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Came")), ("no", _("Did not come"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(joined_at__isnull=False)
        if self.value() == "no":
            held = models.Q(session__starts_at__lte=timezone.now(), session__state=Session.State.SCHEDULED)
            return queryset.filter(held, status=Registration.Status.CONFIRMED, joined_at__isnull=True)
        return queryset


class WebinarFilter(DropdownFilter):
    """One of one's own webinars."""

    title = _("webinar")
    parameter_name = "webinar"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        webinars = Webinar.objects.filter(access_of(request).among("host"))
        return [(str(pk), title) for pk, title in webinars.values_list("pk", "title")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return queryset.filter(webinar=value) if value and is_key(value) else queryset


class AnswerInline(ReadOnlyInline):
    model = Answer
    fields = ["wording", "answer", "asked"]
    readonly_fields = ["answer", "asked"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Answer]:
        return super().get_queryset(request).select_related("question")

    @display(description=_("Answer"))
    def answer(self, answer: Answer) -> str:
        return shown_answer(answer.question, answer.value)

    @display(description=_("Asked"))
    def asked(self, answer: Answer) -> str:
        return answer.question.get_asked_display()


class OfferCodeInline(ReadOnlyInline):
    model = OfferCode
    fields = ["offer", "code", "unlocked", "redemptions", "redeemed"]
    readonly_fields = ["unlocked", "redeemed"]
    unlocked = instant_column("unlocked_at", _("Earned"), "registration__webinar__host")
    redeemed = instant_column("redeemed_at", _("Last used"), "registration__webinar__host")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[OfferCode]:
        return super().get_queryset(request).select_related("offer", "registration__webinar__host")


class MessageInline(ReadOnlyInline):
    model = Message
    fields = ["kind_link", "state_shown", "due", "attempts", "sent", "answer_shown"]
    readonly_fields = ["kind_link", "state_shown", "due", "sent", "answer_shown"]
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Message]:
        return super().get_queryset(request).select_related("registration__webinar__host", "mailing")

    @display(description=_("Mail"))
    def kind_link(self, message: Message) -> SafeString:
        page = reverse("admin:registrations_message_change", args=[message.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', page, message.title)

    @display(description=_("State"))
    def state_shown(self, message: Message) -> str:
        return str(mail_standing(message)[1])

    @display(description=_("Answer"))
    def answer_shown(self, message: Message) -> str:
        return message.bounce or message.answer


# Fields of its page that most registrations do without, and what they are of.
_ONLY_WHERE_SET = {
    "kept_until": "lapses_at",
    "any_session": "any_session",
    "proved": "proved_at",
    "approved": "approved_at",
    "paid": "paid_at",
    "confirmed": "confirmed_at",
    "waits_since": "waiting_since",
    "cancelled": "cancelled_at",
    "cancelled_because": "cancelled_because",
    "erased": "erased_at",
    "came": "joined_at",
    "surveyed": "surveyed_at",
    "answer_alone": "partstat",
    "replied": "partstat",
    "frees": "frees_at",
}


_DEEDS = (
    ("accept_one", _("Accept"), ACCEPT),
    ("turn_down_one", _("Turn down"), TURN_DOWN),
    ("mark_one_paid", _("Mark as paid"), MARK_PAID),
    ("mark_one_came", _("Mark as came"), MARK_CAME),
    ("cancel_one", _("Cancel this registration"), CANCEL),
    ("erase_one", _("Erase this registration"), ERASE),
    ("address_works_one", _("The address works"), ADDRESS_WORKS),
)


@admin.register(Registration)
class RegistrationAdmin(DoesDeeds, CompletesRows, ReadOnlyAdmin):
    """Who registered for what, and whether their mail arrived."""

    host_path = "webinar__host"
    fieldsets = [
        (
            _("Who"),
            {"fields": ["name", "email", "address_fails", "unwanted", "zone_shown", "language_shown", "consented"]},
        ),
        (
            _("For what"),
            {
                "fields": [
                    "webinar",
                    "session_shown",
                    "status_line",
                    "kept_until",
                    "position",
                    "any_session",
                    "reference",
                ]
            },
        ),
        (_("In their calendar"), {"fields": ["answer_alone", "replied", "frees"]}),
        (
            _("When"),
            {
                "fields": [
                    "registered",
                    "proved",
                    "approved",
                    "paid",
                    "confirmed",
                    "waits_since",
                    "cancelled",
                    "cancelled_because",
                    "erased",
                    "came",
                    "surveyed",
                ]
            },
        ),
        (_("Plan of mails"), {"fields": ["plan"]}),
    ]
    readonly_fields = [
        "address_fails",
        "unwanted",
        "zone_shown",
        "language_shown",
        "session_shown",
        "status_line",
        "status_alone",
        "kept_until",
        "position",
        "consented",
        "registered",
        "proved",
        "approved",
        "paid",
        "confirmed",
        "waits_since",
        "cancelled",
        "erased",
        "came",
        "surveyed",
        "answer_alone",
        "replied",
        "frees",
        "plan",
    ]
    inlines = [AnswerInline, OfferCodeInline, MessageInline]
    list_display = ["who", "email", "webinar", "session_shown", "status_shown", "answer", "mail", "registered"]
    list_filter = [
        WaitsFilter,
        ("status", ChoicesDropdownFilter),
        AnswerFilter,
        CameFilter,
        WhenFilter.along("session"),
        MailFilter,
        WebinarFilter,
        SessionFilter,
        HostFilter.along("webinar__host"),
    ]
    list_select_related = ["webinar__host", "session"]
    search_fields = ["name", "email_key", "reference"]
    search_help_text = _("Name, address or reference")
    actions = [
        "accept_registrations",
        "turn_down_registrations",
        "mark_registrations_paid",
        "mark_registrations_came",
        "cancel_registrations",
        "erase_registrations",
    ]
    actions_detail = [
        "accept_one",
        "turn_down_one",
        "mark_one_paid",
        "mark_one_came",
        "address_works_one",
        "cancel_one",
        "erase_one",
    ]
    consented = instant_column("consented_at", _("Agreed to later mails"), "webinar__host")
    registered = instant_column("registered_at", _("Registered"), "webinar__host")
    kept_until = instant_column("lapses_at", _("Kept until"), "webinar__host")
    proved = instant_column("proved_at", _("Address proved"), "webinar__host")
    approved = instant_column("approved_at", _("Accepted"), "webinar__host")
    paid = instant_column("paid_at", _("Paid"), "webinar__host")
    confirmed = instant_column("confirmed_at", _("Confirmed"), "webinar__host")
    waits_since = instant_column("waiting_since", _("Waiting since"), "webinar__host")
    cancelled = instant_column("cancelled_at", _("Cancelled"), "webinar__host")
    erased = instant_column("erased_at", _("Erased"), "webinar__host")
    came = instant_column("joined_at", _("Came"), "webinar__host")
    surveyed = instant_column("surveyed_at", _("Answered the survey"), "webinar__host")
    replied = instant_column("replied_at", _("Answered"), "webinar__host")
    frees = instant_column("frees_at", _("Place free for others from"), "webinar__host")

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """What does not matter to this one is left out, and what is erased is not there; deeds are for whoever may."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        idle = {name for name, column in _ONLY_WHERE_SET.items() if not getattr(obj, column)}
        if not obj.is_waitlisted or obj.has_place:
            idle.add("position")
        if not obj.is_confirmed:
            idle.add("plan")
        if stops.failing_address(obj) is None:
            idle.add("address_fails")
        if stops.unsubscription_of(obj) is None:
            idle.add("unwanted")
        if obj.is_erased:
            idle |= {"name", "email", "zone_shown", "language_shown", "consented", "cancelled_because"}
        status = "status_line" if self.may_act(request, obj) else "status_alone"
        shown = [
            (name, [status if field == "status_line" else field for field in kept["fields"] if field not in idle])
            for name, kept in fieldsets
        ]
        return [(name, {"fields": fields}) for name, fields in shown if fields]

    def get_inlines(self, request: HttpRequest, obj: Any | None) -> Any:
        """A webinar without questions has no answers to show, and one without an offer no codes."""
        if obj is None:
            return self.inlines
        return [
            *([AnswerInline] if obj.answers.exists() else []),
            *([OfferCodeInline] if obj.offer_codes.exists() else []),
            MessageInline,
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Registration], search_term: str
    ) -> tuple[models.QuerySet[Registration], bool]:
        """A whole address or reference is looked up; only what is neither is looked for in every row."""
        found = queryset.filter(
            models.Q(email_key=address_key(search_term)) | models.Q(reference=search_term.strip().upper())
        )
        return (found, False) if found.exists() else super().get_search_results(request, queryset, search_term)

    def complete(self, rows: Sequence[Any]) -> None:
        states: dict[int, set[str]] = {row.pk: set() for row in rows}
        mails = Message.objects.filter(registration__in=list(states)).order_by()
        came_back = models.Case(models.When(bounced_at__isnull=False, then=models.Value("came_back")))
        state_or_return = functions.Coalesce(came_back, "state", output_field=models.CharField())
        for registration_id, state in mails.values_list("registration", state_or_return).distinct():
            states[registration_id].add(state)
        for failing_id in stops.failing(Registration.objects.filter(pk__in=list(states))).values_list("pk", flat=True):
            states[failing_id].add("came_back")
        for row in rows:
            row.mail_states = states[row.pk]

    @display(description=_("Session"), ordering="session__starts_at")
    def session_shown(self, registration: Registration) -> SafeString | str:
        if wants_any(registration):
            return str(_("Any session"))
        return session_time(registration.session)

    @display(description=_("Address does not take mail"))
    def address_fails(self, registration: Registration) -> SafeString | str:
        """Since when, and what the mail server said: until it is corrected nothing more is sent there."""
        found = stops.failing_address(registration)
        if found is None:
            return ""
        since = moment_cell(found.noted_at, registration.webinar.host.time_zone)
        to_do = _(
            "Nothing more is sent there. Is it mistyped? Nobody else can change whose registration this is: let them "
            "register again with the right address, and cancel this one. Does it take mail again? Press “The address "
            "works”."
        )
        return format_html("<p>{}: <bdi>{}</bdi></p><p>{}</p>", since, found.reason, to_do)

    @display(description=_("Unsubscribed"))
    def unwanted(self, registration: Registration) -> SafeString | str:
        """From what nobody needs for a place; mails about the place still go out."""
        found = stops.unsubscription_of(registration)
        if found is None:
            return ""
        since = moment_cell(found.asked_at, registration.webinar.host.time_zone)
        return format_html("{}: {}", since, found.get_how_display())

    @display(description=_("Time zone"))
    def zone_shown(self, registration: Registration) -> str:
        zone = registration.time_zone
        if not timezones.is_known(zone):
            return str(_("Not known: that of the session is used."))
        return f"{timezones.city_name(zone)} ({zone})"

    @display(description=_("Language"))
    def language_shown(self, registration: Registration) -> str:
        return formats.language_name(registration.own_language)

    @display(description=_("Name"), ordering="name")
    def who(self, registration: Registration) -> str:
        return str(_("Erased")) if registration.is_erased else registration.name

    @display(description=_("Status"))
    def status_alone(self, registration: Registration) -> str:
        return str(standing(registration)[1])

    @display(description=_("Status"))
    def status_line(self, registration: Registration) -> SafeString:
        """With the ways to act where the buttons above are folded away."""
        rows = [
            (reverse(f"admin:registrations_registration_{page}", args=[registration.pk]), words)
            for page, words, deed in _DEEDS
            if deed.is_for(registration)
        ]
        links = format_html_join(" · ", '<a href="{}" class="text-link whitespace-nowrap">{}</a>', rows)
        return format_html('{} <span class="lg:hidden">{}</span>', standing(registration)[1], links)

    @display(description=_("Its mails"))
    def plan(self, registration: Registration) -> SafeString | str:
        """What of the plan went out to them, what is to come, and why the rest does not."""
        lines = own_plan.plan_of(registration, now=timezone.now())
        return own_plan.shown(lines, registration.session.time_zone)

    @display(description=_("Place in the queue"))
    def position(self, registration: Registration) -> str:
        found = Registration.objects.position_of(registration, now=timezone.now())
        return "" if found is None else str(found)

    @display(description=_("Status"), ordering="status", label=COLOURS)
    def status_shown(self, registration: Registration) -> tuple[str, Any]:
        return standing(registration)

    @display(description=_("Answer"), ordering="partstat", label=ANSWER_COLOURS)
    def answer(self, registration: Registration) -> tuple[str, Any]:
        return registration.partstat, registration.get_partstat_display() if registration.partstat else ""

    @display(description=_("Answer"))
    def answer_alone(self, registration: Registration) -> str:
        return registration.get_partstat_display()

    @display(
        description=_("Mail"),
        label={"failed": "danger", "came_back": "danger", "waiting": "warning", "sent": "success", "none": ""},
    )
    def mail(self, registration: Any) -> tuple[str, Any]:
        if not registration.mail_states.isdisjoint(Message.FAILED_STATES):
            return "failed", _("Failed")
        if "came_back" in registration.mail_states:
            return "came_back", _("Came back")
        if not registration.mail_states.isdisjoint(Message.OPEN_STATES):
            return "waiting", _("Waiting")
        return ("sent", _("Sent")) if Message.State.SENT in registration.mail_states else ("none", _("None"))

    # ---------- deeds (see `deeds`) ----------

    @admin.action(description=_("Accept these registrations"), permissions=["act"])
    def accept_registrations(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        return self.do_to_many(request, queryset, ACCEPT, "accept_registrations")

    @admin.action(description=_("Turn these registrations down"), permissions=["act"])
    def turn_down_registrations(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        return self.do_to_many(request, queryset, TURN_DOWN, "turn_down_registrations")

    @admin.action(description=_("Mark these registrations as paid"), permissions=["act"])
    def mark_registrations_paid(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        return self.do_to_many(request, queryset, MARK_PAID, "mark_registrations_paid")

    @admin.action(description=_("Mark these people as came"), permissions=["act"])
    def mark_registrations_came(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        return self.do_to_many(request, queryset, MARK_CAME, "mark_registrations_came")

    @admin.action(description=_("Cancel these registrations"), permissions=["act"])
    def cancel_registrations(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        return self.do_to_many(request, queryset, CANCEL, "cancel_registrations")

    @admin.action(description=_("Erase these registrations"), permissions=["act"])
    def erase_registrations(self, request: HttpRequest, queryset: models.QuerySet[Registration]) -> HttpResponse | None:
        return self.do_to_many(request, queryset, ERASE, "erase_registrations")

    @action(description=_("Accept"), url_path="accept", icon="check", permissions=["accept_one"])
    def accept_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, ACCEPT)

    def has_accept_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, ACCEPT)

    @action(description=_("Turn down"), url_path="turn-down", icon="block", permissions=["turn_down_one"])
    def turn_down_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, TURN_DOWN)

    def has_turn_down_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, TURN_DOWN)

    @action(description=_("Mark as paid"), url_path="paid", icon="payments", permissions=["mark_one_paid"])
    def mark_one_paid(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, MARK_PAID)

    def has_mark_one_paid_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, MARK_PAID)

    @action(description=_("Mark as came"), url_path="came", icon="how_to_reg", permissions=["mark_one_came"])
    def mark_one_came(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, MARK_CAME)

    def has_mark_one_came_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, MARK_CAME)

    @action(
        description=_("The address works"),
        url_path="address-works",
        icon="mark_email_read",
        permissions=["address_works_one"],
    )
    def address_works_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, ADDRESS_WORKS)

    def has_address_works_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, ADDRESS_WORKS)

    @action(
        description=_("Cancel this registration"),
        url_path="cancel",
        icon="event_busy",
        variant=ActionVariant.DANGER,
        permissions=["cancel_one"],
    )
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, CANCEL)

    def has_cancel_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, CANCEL)

    @action(
        description=_("Erase this registration"),
        url_path="erase",
        icon="delete_forever",
        permissions=["erase_one"],  # not in red as well: beside cancelling it would be taken for that
    )
    def erase_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(request, object_id, ERASE)

    def has_erase_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_do(request, object_id, ERASE)
