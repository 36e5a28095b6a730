"""Sessions: planned, moved and cancelled through `events.scheduling`, so that whoever holds a place hears of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, When
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from events import formats, scheduling
from events.admin.confirmation import Question, ask, is_confirmed, people_hear
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedStackedInline
from events.models import Session, User

CANCEL_INSTEAD = _(
    "People have registered for it, so it cannot be deleted. Cancel it instead: everybody is told, "
    "and the entry in their calendar is withdrawn."
)

FIELDS = [
    "label",
    ("local_date", "local_time"),
    ("time_zone", "duration_minutes"),
    "occurrence",
    ("capacity", "has_waiting_list"),
    "join_url",
]


class SessionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A session as it is planned: the clock on the wall of a named zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        occurrence = self.fields.get("occurrence")
        if isinstance(occurrence, forms.ChoiceField):
            occurrence.choices = [("", _("The time comes once")), *Session.Occurrence.choices]
        if self.instance.is_cancelled:
            self._close()
        taken = self.instance.places_taken
        if "local_time" in self.fields and taken and not self.instance.is_cancelled:
            self.fields["local_time"].help_text = ngettext(
                "%(count)d person holds a place and is told when you save another time.",
                "%(count)d people hold a place; they are told when you save another time.",
                taken,
            ) % {"count": taken}

    def _close(self) -> None:
        """A cancelled session is out of every calendar: nobody would hear of a change."""
        for field in self.fields.values():
            field.disabled = True
        if "label" in self.fields:
            self.fields["label"].help_text = _("This session is cancelled and stays as it was.")

    def clean_capacity(self) -> int | None:
        """Not below the places taken, which are counted under the row's lock: nobody can take one until this is saved.

        The admin saves inside one transaction, so that what holds here still holds there.
        """
        capacity: int | None = self.cleaned_data["capacity"]
        if self.instance.pk is None:
            return capacity
        stored = Session.objects.select_for_update(of=("self",)).get(pk=self.instance.pk)
        self.instance.places_taken = stored.places_taken
        if capacity is not None and capacity < stored.places_taken:
            raise ValidationError(
                ngettext(
                    "%(count)d person holds a place already, so there must be at least that many.",
                    "%(count)d people hold a place already, so there must be at least that many.",
                    stored.places_taken,
                )
                % {"count": stored.places_taken}
            )
        return capacity


class WhenFilter(DropdownFilter):
    """Coming or past."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("coming", _("Coming")), ("past", _("Past"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        if self.value() == "coming":
            return queryset.filter(ends_at__gt=timezone.now())
        if self.value() == "past":
            return queryset.filter(ends_at__lte=timezone.now())
        return queryset


class FillingFilter(DropdownFilter):
    """Where places run out."""

    title = _("places")
    parameter_name = "places"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("nearly", _("Nearly full")), ("full", _("Full"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        if self.value() == "full":
            return queryset.filter(capacity__isnull=False, places_taken__gte=F("capacity"))
        if self.value() == "nearly":
            # `Session.is_nearly_full`, for the database: a tenth left, or five places, whichever is more.
            left = F("capacity") - F("places_taken")
            return queryset.filter(capacity__isnull=False, places_taken__lt=F("capacity")).filter(
                models.Q(capacity__gte=left * 10) | models.Q(capacity__lte=F("places_taken") + 5)
            )
        return queryset


class SessionInline(HostScopedStackedInline):
    """A webinar's sessions, on its page. One that is not wanted any more is cancelled or deleted on its own page."""

    model = Session
    form = SessionForm
    fields = FIELDS
    can_delete = False
    show_change_link = True
    tab = True

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        zone = obj.host.time_zone if obj is not None else None  # type: ignore[attr-defined]
        if zone and "time_zone" in formset.form.base_fields:
            formset.form.base_fields["time_zone"].initial = zone
        return formset


def actor(request: HttpRequest) -> User:
    """Who does it; the admin lets in nobody else."""
    assert isinstance(request.user, User)  # noqa: S101 - tells the type checker what admin_view has seen to
    return request.user


class TellsPeople:
    """For pages whose deeds reach people: how many, and saying so."""

    def people_reached(self, sessions: Iterable[Session]) -> int:
        """How many people hear of a change of these sessions."""
        return sum(session.places_taken for session in sessions)

    def plan(self, request: HttpRequest, sessions: Iterable[Session]) -> None:
        """Save sessions from a form, and say how many people are being told of it."""
        moved = []
        for session in sessions:
            sequence = session.sequence
            scheduling.save_session(session, by=actor(request), now=timezone.now())
            if session.sequence != sequence and not session.is_cancelled:
                moved.append(session)
        told = self.people_reached(moved)
        if told:
            messages.info(
                request,
                ngettext(
                    "%(count)d person is being told of the change.",
                    "%(count)d people are being told of the change.",
                    told,
                )
                % {"count": told},
            )


@admin.register(Session)
class SessionAdmin(TellsPeople, HostScopedAdmin):
    """When each session is in its own zone, and how full it is."""

    host_path = "webinar__host"
    protected_message = CANCEL_INSTEAD
    form = SessionForm
    fieldsets = [(None, {"fields": ["webinar", *FIELDS]})]
    list_display = ["when", "webinar", "places", "state_shown"]
    list_display_links = ["when"]
    list_filter = [WhenFilter, FillingFilter, HostFilter.along("webinar__host")]
    list_select_related = ["webinar__host"]
    search_fields = ["webinar__title", "label"]
    search_help_text = _("Title of the webinar, or label")
    # The next one first; those that are over after them, latest first.
    ordering = [Case(When(ends_at__gt=Now(), then=F("starts_at"))).asc(nulls_last=True), "-starts_at"]
    actions = ["cancel_sessions", "delete_selected"]
    actions_detail = ["cancel_one"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "webinar"] if obj is not None else fields

    def save_model(self, request: HttpRequest, obj: Session, form: Any, change: bool) -> None:  # noqa: FBT001
        self.plan(request, [obj])

    @display(description=_("When"), ordering="starts_at")
    def when(self, session: Session) -> str:
        return moment(session.starts_at, session.time_zone)

    @display(description=_("Places"), ordering="places_taken")
    def places(self, session: Session) -> str:
        return places_label(session)

    @display(description=_("State"), label={"coming": "success", "running": "info", "over": "", "cancelled": "danger"})
    def state_shown(self, session: Session) -> tuple[str, Any]:
        now = timezone.now()
        if session.is_cancelled:
            return "cancelled", _("Cancelled")
        if session.has_ended(now):
            return "over", _("Over")
        return ("running", _("Live now")) if session.is_running(now) else ("coming", _("Coming"))

    @admin.action(description=_("Cancel the selected sessions"), permissions=["change"])
    def cancel_sessions(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> HttpResponse | None:
        sessions = list(self._cancellable(self.editable(request, queryset)))
        if not sessions:
            self.message_user(
                request, _("None of these can be cancelled: they are over or cancelled."), messages.WARNING
            )
            return None
        if not is_confirmed(request):
            question = self._question(sessions)
            rows = [(session, self._full_name(session)) for session in sessions]
            return ask(request, self, question, rows, action="cancel_sessions", back=request.get_full_path())
        self._cancel(request, sessions)
        return None

    @action(
        description=_("Cancel this session"),
        url_path="cancel",
        icon="event_busy",
        variant=ActionVariant.DANGER,
        permissions=["cancel_one"],
    )
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.get_object(request, object_id)
        if session is None:
            raise Http404
        page = reverse("admin:events_session_change", args=[session.pk])
        if is_confirmed(request):
            if is_cancellable(session):
                self._cancel(request, [session])
            return HttpResponseRedirect(page)
        return ask(request, self, self._question([session]), [(session, self._full_name(session))], back=page)

    def has_cancel_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        session = self.get_object(request, object_id) if object_id else None
        if session is None or not self.has_change_permission(request, session):
            return False
        # Whoever clicks twice gets the page again, not a refusal.
        return is_confirmed(request) or is_cancellable(session)

    def _full_name(self, session: Session) -> str:
        return f"{session.webinar}, {self.when(session)}"

    def _cancellable(self, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        return queryset.filter(state=Session.State.SCHEDULED, ends_at__gt=timezone.now()).select_related("webinar")

    def _question(self, sessions: list[Session]) -> Question:
        return Question(
            title=ngettext("Cancel this session?", "Cancel these sessions?", len(sessions)),
            sentences=[
                people_hear(self.people_reached(sessions)),
                str(_("A cancelled session stays cancelled. To move it, change its time instead.")),
            ],
            button=ngettext("Cancel the session", "Cancel the sessions", len(sessions)),
        )

    def _cancel(self, request: HttpRequest, sessions: list[Session]) -> None:
        told = self.people_reached(sessions)
        for session in sessions:
            scheduling.cancel_session(session, by=actor(request), now=timezone.now())
            self.log_change(request, session, str(_("Cancelled.")))
        self.message_user(request, cancelled_message(told), messages.SUCCESS)


def moment(instant: datetime | None, zone: str) -> str:
    """Wed, 14 Oct 2026, 13:30 London, UTC+1; nothing where there is none."""
    return f"{formats.short_date(instant, zone)}, {formats.place_time(instant, zone)}" if instant else ""


def is_cancellable(session: Session) -> bool:
    return not session.is_cancelled and not session.has_ended(timezone.now())


def cancelled_message(told: int) -> str:
    """What was done, once it is done."""
    if not told:
        return str(_("Cancelled. Nobody had registered, so nobody is told."))
    return ngettext(
        "Cancelled. %(count)d person is being told.", "Cancelled. %(count)d people are being told.", told
    ) % {"count": told}


def places_label(session: Session) -> str:
    """12 of 40, or 12 where there is no limit."""
    if session.capacity is None:
        return str(_("%(taken)d, no limit") % {"taken": session.places_taken})
    return str(_("%(taken)d of %(capacity)d") % {"taken": session.places_taken, "capacity": session.capacity})
