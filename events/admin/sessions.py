"""Sessions: planned, moved and cancelled through `events.scheduling`, so that whoever holds a place hears of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
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

# The words of `scheduling.save_session`, which would refuse it too.
CHANGED_MEANWHILE = _(
    "Somebody else has changed this session since you opened it. Look at it again before you change it."
)

FIELDS = [
    "label",
    ("local_date", "local_time"),
    ("time_zone", "duration_minutes"),
    "occurrence",
    ("capacity", "has_waiting_list"),
    "join_url",
]


class SeenField(forms.IntegerField):
    """The sequence that a page was made with, which comes back unseen. It is no change of its own."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class SessionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A session as it is planned: the clock on the wall of a named zone.

    What counts as changed is what differs from the page as it was made, not from what is stored by now: another
    organizer may have moved the session meanwhile. What this one did not touch stays as it stands, and a change of a
    session that is not the one they saw is refused. The page holds the sessions' locks (`HoldsSessions`), so what is
    found here still holds when it is saved.
    """

    seen = SeenField(required=False, label="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self._remember_how_it_was()
        occurrence = self.fields.get("occurrence")
        if isinstance(occurrence, forms.ChoiceField):
            occurrence.choices = [("", _("The time comes once")), *Session.Occurrence.choices]
        if self.instance.is_cancelled and not self._is_stale():
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

    def _remember_how_it_was(self) -> None:
        for name, field in self.fields.items():
            field.show_hidden_initial = name != "seen"
        self.initial["seen"] = self.instance.sequence

    def _is_stale(self) -> bool:
        return self.is_bound and self["seen"].data != str(self.instance.sequence)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk:
            self._keep_the_rest()
            self._refuse_what_is_stale()
            self._refuse_too_few_places()
        return cleaned

    def _keep_the_rest(self) -> None:
        for name in self.cleaned_data:
            if self.fields[name].show_hidden_initial and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)

    def _refuse_what_is_stale(self) -> None:
        """Beside the first thing that was changed: nothing shows what is wrong with a whole row."""
        if self.changed_data and self._is_stale():
            self.add_error(self.changed_data[0], ValidationError(CHANGED_MEANWHILE, code="stale"))

    def _refuse_too_few_places(self) -> None:
        capacity, taken = self.cleaned_data.get("capacity"), self.instance.places_taken
        if "capacity" in self.changed_data and capacity is not None and capacity < taken:
            message = ngettext(
                "%(count)d person holds a place already, so there must be at least that many.",
                "%(count)d people hold a place already, so there must be at least that many.",
                taken,
            )
            self.add_error("capacity", message % {"count": taken})


class WhenFilter(DropdownFilter):
    """Sessions to come or past, and what belongs to them."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("coming", _("Coming")), ("past", _("Past"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "coming":
            return queryset.filter(**{f"{self.ends_at_path}__gt": timezone.now()})
        if self.value() == "past":
            return queryset.filter(**{f"{self.ends_at_path}__lte": timezone.now()})
        return queryset

    ends_at_path = "ends_at"

    @classmethod
    def along(cls, session_path: str) -> type["WhenFilter"]:
        """The same filter for what belongs to a session."""
        return type("WhenFilter", (cls,), {"ends_at_path": f"{session_path}__ends_at"})


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


class CarriesSeen:
    """For pages with session forms: whoever may change something sends back what they saw."""

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if not self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return fieldsets
        (name, first), *rest = fieldsets
        return [(name, {**first, "fields": [*first["fields"], "seen"]}), *rest]


class SessionInline(CarriesSeen, HostScopedStackedInline):
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

    def plan(self, request: HttpRequest, sessions: Iterable[Session]) -> list[Session]:
        """Save sessions from a form, lowest id first, and return those whose people are told of it."""
        moved = []
        for session in sorted(sessions, key=lambda session: (session.pk is None, session.pk or 0)):
            sequence = session.sequence
            scheduling.save_session(session, by=actor(request), now=timezone.now())
            if session.sequence != sequence and not session.is_cancelled:
                moved.append(session)
        return moved

    def say_who_is_told(self, request: HttpRequest, sessions: Iterable[Session]) -> None:
        """Say how many people are being told that these sessions look different now."""
        told = self.people_reached(sessions)
        if told:
            message = ngettext(
                "%(count)d person is being told of the change.", "%(count)d people are being told of the change.", told
            )
            messages.info(request, message % {"count": told})


class HoldsSessions:
    """For pages that save or delete sessions: they hold their locks from before anything is read until all is done.

    Lowest id first, as every act does (see `scheduling`), so that nobody waits for anybody in a ring.
    """

    # How a session leads to the page's object.
    session_path: ClassVar[str] = "pk"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with transaction.atomic():
            if request.method == "POST" and object_id is not None:
                found = self.get_object(request, object_id)  # type: ignore[attr-defined]
                self._hold([found] if found is not None else [])
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            self._hold([obj])
            super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            self._hold(queryset)
            super().delete_queryset(request, queryset)  # type: ignore[misc]

    def _hold(self, things: Iterable[models.Model]) -> None:
        ids = [thing.pk for thing in things]
        sessions = Session.objects.filter(**{f"{self.session_path}__in": ids}).order_by("pk")
        list(sessions.select_for_update(no_key=True).values_list("pk"))


@admin.register(Session)
class SessionAdmin(CarriesSeen, HoldsSessions, TellsPeople, HostScopedAdmin):
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
        self.say_who_is_told(request, self.plan(request, [obj]))

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
