"""The organizers' pages of what people do: who registered, what they were sent, which codes they hold.

Nothing here is added or edited by hand. The catalogue's pages of sessions and webinars are taken up again at the end,
with what only this floor knows: who waits, whose mail failed, and how many people hear of a change.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from events.access import access_of
from events.admin.confirmation import Question, ask, is_confirmed
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedTabularInline
from events.admin.sessions import SessionAdmin, moment, places_label
from events.admin.webinars import WebinarAdmin
from events.models import Session, Webinar
from registrations import offers, outbox, signup
from registrations.models import Answer, Message, OfferCode, Registration

OPEN_STATES = [state.value for state in Message.OPEN_STATES]
DEAD = Message.State.DEAD


def session_time(session: Session) -> str:
    """When it is, in its own zone."""
    return moment(session.starts_at, session.time_zone)


def instant_column(name: str, description: Any, host_path: str) -> Any:
    """A column for an instant, which is shown in the home zone of the host that `host_path` leads to."""

    @display(description=description, ordering=name)
    def column(_page: Any, row: Any) -> str:
        host = reduce(lambda found, step: found and getattr(found, step), host_path.split("__"), row)
        return moment(getattr(row, name), host.time_zone if host else "UTC")

    return column


class ReadOnly:
    """Rows that acts write and nobody edits. Actions ask for the permission `act` instead of `change`."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, HostScopedAdmin):
    """A page to look at."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return access_of(request).may_somewhere(at_least=self.edit_role)


class ReadOnlyInline(ReadOnly, HostScopedTabularInline):
    """Rows to look at on their registration's page."""

    host_path: ClassVar[str] = "webinar__host"


# ---------- registrations ----------


class SessionWhenFilter(DropdownFilter):
    """Registrations for sessions that are still to come, or over."""

    title = _("session")
    parameter_name = "session_when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("coming", _("Coming")), ("past", _("Past"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "coming":
            return queryset.filter(session__ends_at__gt=timezone.now())
        if self.value() == "past":
            return queryset.filter(session__ends_at__lte=timezone.now())
        return queryset


class MailFilter(DropdownFilter):
    """Those whose mail failed or has not gone out."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed")), ("waiting", _("Waiting"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "failed":
            return queryset.filter(has_failed_mail=True)
        if self.value() == "waiting":
            return queryset.filter(has_waiting_mail=True)
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
    fields = ["wording", "value"]


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
    fields = ["kind", "state", "due", "attempts", "sent", "answer"]
    readonly_fields = ["due", "sent"]
    hide_title = False
    show_change_link = True
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Message]:
        return super().get_queryset(request).select_related("registration__webinar__host")


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Who registered for what, and whether their mail arrived."""

    host_path = "webinar__host"
    fieldsets = [
        (_("Who"), {"fields": ["name", "email", "time_zone", "language", "consented"]}),
        (_("For what"), {"fields": ["webinar", "session_shown", "status", "reference"]}),
        (_("When"), {"fields": ["registered", "confirmed", "waits_since", "cancelled"]}),
    ]
    readonly_fields = ["session_shown", "consented", "registered", "confirmed", "waits_since", "cancelled"]
    inlines = [AnswerInline, OfferCodeInline, MessageInline]
    list_display = ["name", "email", "webinar", "session_shown", "status_shown", "registered", "mail"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        SessionWhenFilter,
        MailFilter,
        WebinarFilter,
        HostFilter.along("webinar__host"),
    ]
    list_select_related = ["webinar__host", "session"]
    search_fields = ["name", "email", "reference"]
    search_help_text = _("Name, address or reference")
    actions = ["cancel_registrations"]
    consented = instant_column("consented_at", _("Agreed to later mails"), "webinar__host")
    registered = instant_column("registered_at", _("Registered"), "webinar__host")
    confirmed = instant_column("confirmed_at", _("Confirmed"), "webinar__host")
    waits_since = instant_column("waiting_since", _("Waiting since"), "webinar__host")
    cancelled = instant_column("cancelled_at", _("Cancelled"), "webinar__host")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Registration]:
        mails = Message.objects.filter(registration=OuterRef("pk")).order_by()
        return (
            super()
            .get_queryset(request)
            .annotate(
                has_failed_mail=Exists(mails.filter(state=DEAD)),
                has_waiting_mail=Exists(mails.filter(state__in=OPEN_STATES)),
                has_sent_mail=Exists(mails.filter(state=Message.State.SENT)),
            )
        )

    @display(description=_("Session"), ordering="session__starts_at")
    def session_shown(self, registration: Registration) -> str:
        return session_time(registration.session)

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
        if registration.has_failed_mail:
            return "failed", _("Failed")
        if registration.has_waiting_mail:
            return "waiting", _("Waiting")
        return ("sent", _("Sent")) if registration.has_sent_mail else ("none", _("None"))

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
            rows = [(person, f"{person.name}, {person.webinar}, {session_time(person.session)}") for person in people]
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


# ---------- mails ----------


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Every mail and what became of it. What stands in it is its reader's, sign-in codes above all."""

    host_path = "registration__webinar__host"
    fields = [
        "kind",
        "to_email",
        "registration",
        "state",
        "written",
        "due",
        "attempts",
        "sent",
        "answer",
    ]
    readonly_fields = ["written", "due", "sent"]
    list_display = ["kind", "to_email", "webinar", "state_shown", "due", "attempts", "sent", "answer_start"]
    written = instant_column("created_at", _("Written"), "registration__webinar__host")
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        HostFilter.along("registration__webinar__host"),
    ]
    list_select_related = ["registration__webinar__host"]
    search_fields = ["to_email", "registration__name", "registration__webinar__title"]
    search_help_text = _("Address, name or title of the webinar")
    actions = ["try_again"]

    @display(description=_("Webinar"), ordering="registration__webinar__title")
    def webinar(self, message: Message) -> str:
        return message.registration.webinar.title if message.registration else ""

    @display(
        description=_("State"),
        ordering="state",
        label={
            Message.State.QUEUED: "warning",
            Message.State.CLAIMED: "info",
            Message.State.SENDING: "info",
            Message.State.SENT: "success",
            Message.State.DEAD: "danger",
            Message.State.DROPPED: "",
        },
    )
    def state_shown(self, message: Message) -> tuple[str, Any]:
        return message.state, message.get_state_display()

    @display(description=_("The server's answer"))
    def answer_start(self, message: Message) -> str:
        return message.answer[:80]

    @admin.action(description=_("Try again now"), permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet[Message]) -> None:
        dead = self.editable(request, queryset).filter(state=DEAD)
        queued = sum(outbox.retry(message, now=timezone.now()) for message in dead)
        if not queued:
            self.message_user(request, _("None of these has failed."), messages.WARNING)
            return
        done = ngettext("%(count)d mail is tried again.", "%(count)d mails are tried again.", queued)
        self.message_user(request, done % {"count": queued}, messages.SUCCESS)


# ---------- offer codes ----------


@admin.register(OfferCode)
class OfferCodeAdmin(ReadOnlyAdmin):
    """Who holds which code, and marking one as used when it is read out on the telephone."""

    host_path = "registration__webinar__host"
    fields = [
        "code",
        "offer",
        "registration",
        "session_shown",
        "issued",
        "unlocked",
        "unlocked_by",
        "redemptions",
        "redeemed",
    ]
    readonly_fields = ["session_shown", "issued", "unlocked", "redeemed"]
    list_display = ["code", "offer", "person", "webinar", "earned", "redemptions", "redeemed"]
    issued = instant_column("issued_at", _("Issued"), "registration__webinar__host")
    unlocked = instant_column("unlocked_at", _("Earned"), "registration__webinar__host")
    redeemed = instant_column("redeemed_at", _("Last used"), "registration__webinar__host")
    list_filter = [HostFilter.along("registration__webinar__host")]
    list_select_related = ["offer", "registration__webinar__host", "session"]
    search_fields = ["code", "registration__name", "registration__email"]
    search_help_text = _("Code, name or address")
    actions = ["mark_as_used"]

    @display(description=_("Session"))
    def session_shown(self, code: OfferCode) -> str:
        return session_time(code.session)

    @display(description=_("Whose"), ordering="registration__name")
    def person(self, code: OfferCode) -> str:
        return code.registration.name

    @display(description=_("Webinar"), ordering="registration__webinar__title")
    def webinar(self, code: OfferCode) -> str:
        return code.registration.webinar.title

    @display(description=_("Earned"), boolean=True)
    def earned(self, code: OfferCode) -> bool:
        return code.is_unlocked

    @admin.action(description=_("Mark as used"), permissions=["act"])
    def mark_as_used(self, request: HttpRequest, queryset: models.QuerySet[OfferCode]) -> None:
        used = 0
        for code in self.editable(request, queryset):
            try:
                offers.redeem(code.code, now=timezone.now())
            except offers.CodeRefusedError as error:
                reason = str(error) or str(_("It is not earned yet, out of time, or used up."))
                self.message_user(request, f"{code.code}: {reason}", messages.ERROR)
                continue
            self.log_change(request, code, str(_("Marked as used.")))
            used += 1
        if used:
            done = ngettext("%(count)d code is marked as used.", "%(count)d codes are marked as used.", used)
            self.message_user(request, done % {"count": used}, messages.SUCCESS)


# ---------- the catalogue's pages, with people ----------


class CountsPeople:
    """Everybody who holds a place, may get one or waits for one hears of a change."""

    def people_reached(self, sessions: Iterable[Session]) -> int:
        return Registration.objects.filter(session__in=list(sessions)).active().count()


def count_of(rows: models.QuerySet[Any], key: str) -> Coalesce:
    """How many of the rows belong to each, without joining: two joins would multiply one another."""
    counted = rows.filter(**{key: OuterRef("pk")}).order_by().values(key).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


class SessionMailFilter(DropdownFilter):
    """Sessions of which somebody could not be told."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(mails_failed__gt=0) if self.value() == "failed" else queryset


admin.site.unregister(Session)
admin.site.unregister(Webinar)


@admin.register(Session)
class PeopledSessionAdmin(CountsPeople, SessionAdmin):
    """Sessions, with who waits and whose mail did not go out."""

    list_display = [*SessionAdmin.list_display, "mails"]
    list_filter = [*SessionAdmin.list_filter, SessionMailFilter]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Session]:
        mails = Message.objects.all()
        return (
            super()
            .get_queryset(request)
            .annotate(
                waiting=count_of(Registration.objects.filter(status=Registration.Status.WAITLISTED), "session"),
                mails_waiting=count_of(mails.filter(state__in=OPEN_STATES), "registration__session"),
                mails_failed=count_of(mails.filter(state=DEAD), "registration__session"),
            )
        )

    @display(description=_("Places"), ordering="places_taken")
    def places(self, session: Any) -> str:
        if not session.waiting:
            return places_label(session)
        return ngettext("%(places)s, %(count)d waiting", "%(places)s, %(count)d waiting", session.waiting) % {
            "places": places_label(session),
            "count": session.waiting,
        }

    @display(description=_("Mails"), label={"failed": "danger", "waiting": "warning", "fine": "success", "none": ""})
    def mails(self, session: Any) -> tuple[str, Any]:
        if session.mails_failed:
            failed = ngettext("%(count)d failed", "%(count)d failed", session.mails_failed)
            return "failed", failed % {"count": session.mails_failed}
        if session.mails_waiting:
            waiting = ngettext("%(count)d waiting", "%(count)d waiting", session.mails_waiting)
            return "waiting", waiting % {"count": session.mails_waiting}
        return ("fine", _("All sent")) if session.places_taken or session.waiting else ("none", _("None yet"))


@admin.register(Webinar)
class PeopledWebinarAdmin(CountsPeople, WebinarAdmin):
    """Webinars, whose deeds reach those who wait as well."""
