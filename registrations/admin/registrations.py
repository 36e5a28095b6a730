"""Who registered for what, and whether their mail arrived."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from events import formats, timezones
from events.access import access_of
from events.admin.confirmation import Question, ask, is_confirmed
from events.admin.scoped import HostFilter
from events.admin.sessions import WhenFilter
from events.admin.wording import session_moment
from events.email_addresses import address_key
from events.models import Webinar
from registrations import signup
from registrations.admin.readonly import CompletesRows, ReadOnlyAdmin, ReadOnlyInline, instant_column, session_time
from registrations.forms import shown_answer
from registrations.models import Answer, Message, OfferCode, Registration


class MailFilter(DropdownFilter):
    """Those whose mail failed or has not gone out."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed")), ("waiting", _("Waiting"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "failed":
            return queryset.filter(pk__in=Message.objects.filter(state=Message.State.DEAD).values("registration"))
        if self.value() == "waiting":
            return queryset.filter(pk__in=Message.objects.open().values("registration"))
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
        return queryset.filter(webinar=value) if value and value.isdecimal() else queryset


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
    fields = ["kind_link", "state", "due", "attempts", "sent", "answer"]
    readonly_fields = ["kind_link", "due", "sent"]
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Message]:
        return super().get_queryset(request).select_related("registration__webinar__host")

    @display(description=_("Mail"))
    def kind_link(self, message: Message) -> SafeString:
        page = reverse("admin:registrations_message_change", args=[message.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', page, message.get_kind_display())


@admin.register(Registration)
class RegistrationAdmin(CompletesRows, ReadOnlyAdmin):
    """Who registered for what, and whether their mail arrived."""

    host_path = "webinar__host"
    fieldsets = [
        (_("Who"), {"fields": ["name", "email", "zone_shown", "language_shown", "consented"]}),
        (_("For what"), {"fields": ["webinar", "session_shown", "status_line", "reference"]}),
        (_("When"), {"fields": ["registered", "confirmed", "waits_since", "cancelled", "surveyed"]}),
    ]
    readonly_fields = [
        "zone_shown",
        "language_shown",
        "session_shown",
        "status_line",
        "consented",
        "registered",
        "confirmed",
        "waits_since",
        "cancelled",
        "surveyed",
    ]
    inlines = [AnswerInline, OfferCodeInline, MessageInline]
    list_display = ["name", "email", "webinar", "session_shown", "status_shown", "registered", "mail"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        WhenFilter.along("session"),
        MailFilter,
        WebinarFilter,
        HostFilter.along("webinar__host"),
    ]
    list_select_related = ["webinar__host", "session"]
    search_fields = ["name", "email_key", "reference"]
    search_help_text = _("Name, address or reference")
    actions = ["cancel_registrations"]
    actions_detail = ["cancel_one"]
    consented = instant_column("consented_at", _("Agreed to later mails"), "webinar__host")
    registered = instant_column("registered_at", _("Registered"), "webinar__host")
    confirmed = instant_column("confirmed_at", _("Confirmed"), "webinar__host")
    waits_since = instant_column("waiting_since", _("Waiting since"), "webinar__host")
    cancelled = instant_column("cancelled_at", _("Cancelled"), "webinar__host")
    surveyed = instant_column("surveyed_at", _("Answered the survey"), "webinar__host")

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """The way to cancel it is for whoever may."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and access_of(request).may(obj.webinar.host_id, at_least=self.edit_role):
            return fieldsets
        return [
            (name, {**kept, "fields": ["status" if field == "status_line" else field for field in kept["fields"]]})
            for name, kept in fieldsets
        ]

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
        for registration_id, state in mails.values_list("registration", "state").distinct():
            states[registration_id].add(state)
        for row in rows:
            row.mail_states = states[row.pk]

    @display(description=_("Session"), ordering="session__starts_at")
    def session_shown(self, registration: Registration) -> SafeString | str:
        return session_time(registration.session)

    @display(description=_("Time zone"))
    def zone_shown(self, registration: Registration) -> str:
        zone = registration.time_zone
        if not timezones.is_known(zone):
            return str(_("Not known: that of the session is used."))
        return f"{timezones.city_name(zone)} ({zone})"

    @display(description=_("Language"))
    def language_shown(self, registration: Registration) -> str:
        return formats.language_name(registration.own_language)

    @display(description=_("Status"))
    def status_line(self, registration: Registration) -> SafeString | str:
        """With the way to cancel it where the buttons above are folded away."""
        if registration.is_cancelled:
            return registration.get_status_display()
        page = reverse("admin:registrations_registration_cancel_one", args=[registration.pk])
        link = '{} <a href="{}" class="text-link lg:hidden">{}</a>'
        return format_html(link, registration.get_status_display(), page, _("Cancel this registration"))

    @display(
        description=_("Status"),
        ordering="status",
        label={
            Registration.Status.PENDING: "info",
            Registration.Status.CONFIRMED: "success",
            Registration.Status.WAITLISTED: "warning",
            Registration.Status.CANCELLED: "danger",
        },
    )
    def status_shown(self, registration: Registration) -> tuple[str, Any]:
        return registration.status, registration.get_status_display()

    @display(description=_("Mail"), label={"failed": "danger", "waiting": "warning", "sent": "success", "none": ""})
    def mail(self, registration: Any) -> tuple[str, Any]:
        if Message.State.DEAD in registration.mail_states:
            return "failed", _("Failed")
        if not registration.mail_states.isdisjoint(Message.OPEN_STATES):
            return "waiting", _("Waiting")
        return ("sent", _("Sent")) if Message.State.SENT in registration.mail_states else ("none", _("None"))

    @admin.action(description=_("Cancel these registrations"), permissions=["act"])
    def cancel_registrations(
        self, request: HttpRequest, queryset: models.QuerySet[Registration]
    ) -> HttpResponse | None:
        active = self.editable(request, queryset).exclude(status=Registration.Status.CANCELLED)
        people = list(active.select_related("session", "webinar"))
        if not people:
            self.message_user(request, _("None of these can be cancelled: they are cancelled."), messages.WARNING)
            return None
        if not is_confirmed(request):
            rows = [(person, self._full_name(person)) for person in people]
            return ask(
                request,
                self,
                self._question(len(people)),
                rows,
                action="cancel_registrations",
                back=request.get_full_path(),
            )
        self._cancel(request, people)
        return None

    @action(
        description=_("Cancel this registration"),
        url_path="cancel",
        icon="event_busy",
        variant=ActionVariant.DANGER,
        permissions=["cancel_one"],
    )
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._get(request, object_id)
        if person is None:
            raise Http404
        page = reverse("admin:registrations_registration_change", args=[person.pk])
        if is_confirmed(request):
            if not person.is_cancelled:
                self._cancel(request, [person])
            return HttpResponseRedirect(page)
        return ask(request, self, self._question(1), [(person, self._full_name(person))], back=page)

    def has_cancel_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        person = self._get(request, object_id) if object_id else None
        if person is None or not access_of(request).may(person.webinar.host_id, at_least=self.edit_role):
            return False
        # Whoever clicks twice gets the page again, not a refusal.
        return is_confirmed(request) or not person.is_cancelled

    def _get(self, request: HttpRequest, object_id: str) -> Registration | None:
        found = self.get_object(request, object_id)
        return found if isinstance(found, Registration) else None

    def _full_name(self, person: Registration) -> str:
        return f"{person.name}, {person.webinar}, {session_moment(person.session)}"

    def _question(self, count: int) -> Question:
        return Question(
            title=ngettext("Cancel this registration?", "Cancel these registrations?", count),
            sentences=[
                ngettext(
                    "%(count)d person loses the place and is told by mail.",
                    "%(count)d people lose their places and are told by mail.",
                    count,
                )
                % {"count": count},
                str(_("Each place that comes free goes to the first who waits for it, who is told too.")),
            ],
            button=ngettext("Cancel the registration", "Cancel the registrations", count),
        )

    def _cancel(self, request: HttpRequest, people: list[Registration]) -> None:
        cancelled = 0
        for person in people:
            try:
                signup.cancel(person, now=timezone.now())
            except signup.SignupError as error:
                self.message_user(request, f"{person.name}: {error}", messages.ERROR)
                continue
            self.log_change(request, person, str(_("Cancelled.")))
            cancelled += 1
        if cancelled:
            done = ngettext("%(count)d registration is cancelled.", "%(count)d registrations are cancelled.", cancelled)
            self.message_user(request, done % {"count": cancelled}, messages.SUCCESS)
