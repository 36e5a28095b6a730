"""Sessions: planned, moved and cancelled through `events.scheduling`, so that whoever holds a place hears of it."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, When
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from events import scheduling
from events.admin.confirmation import Question, ask, is_confirmed, people_hear
from events.admin.mail_rules import mails_page
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedStackedInline
from events.admin.telling import Change, HeldForm, HoldsSessions, TellsPeople, actor
from events.admin.wording import changes, session_moment
from events.models import Session

CANCEL_INSTEAD = _(
    "People have registered for it, so it cannot be deleted. Cancel it instead: everybody is told, "
    "and the entry in their calendar is withdrawn."
)

ALREADY_CANCELLED = _("It is cancelled already, and stays so that those who had registered still find it.")

FIELDS = [
    "label",
    ("local_date", "local_time"),
    ("time_zone", "duration_minutes"),
    ("occurrence", "anchor"),
    ("capacity", "has_waiting_list"),
    "join_url",
]


class SeenField(forms.IntegerField):
    """The sequence that a page was made with, which comes back unseen. It is no change of its own."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class SessionForm(HeldForm):
    """A session as it is planned: the clock on the wall of a named zone.

    What counts as changed is what differs from the page as it was made, not from what is stored by now: another
    organizer may have moved the session meanwhile. What this one did not touch stays as it stands, and a change of a
    session that is not the one they saw is refused. The page holds the sessions' locks (`HoldsSessions`), so what is
    found here still holds when it is saved.
    """

    seen = SeenField(required=False, label="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored: Session | None = copy(self.instance) if self.instance.pk else None
        if self.instance.pk:
            self._remember_how_it_was()
        if "capacity" in self.fields:
            self._ask_for_one_place_at_least(self.fields["capacity"])
        occurrence = self.fields.get("occurrence")
        if isinstance(occurrence, forms.ChoiceField):
            occurrence.choices = [("", _("The time comes once")), *Session.Occurrence.choices]
        if self.instance.is_cancelled and not self._is_stale():
            self._close()
        taken = self.instance.places_taken
        if "local_time" in self.fields and taken and not self.instance.is_cancelled:
            self.fields["local_time"].help_text = ngettext(
                "%(count)d person holds a place and is told when you save another time. You are asked first.",
                "%(count)d people hold a place; they are told when you save another time. You are asked first.",
                taken,
            ) % {"count": taken}

    def _ask_for_one_place_at_least(self, field: forms.Field) -> None:
        """The database's own limit is 0, which is not what is meant."""
        least = MinValueValidator(1, _("Enter at least 1, or nothing where there is no limit."))
        field.validators = [v for v in field.validators if not isinstance(v, MinValueValidator)] + [least]
        field.widget.attrs["min"] = 1

    def _close(self) -> None:
        """A cancelled session is out of every calendar: nobody would hear of a change.

        What the page was made with still comes back: browsers send nothing of what is disabled.
        """
        for name, field in self.fields.items():
            field.disabled = name != "seen"
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

    def _post_clean(self) -> None:
        """Once the new time is known: refuse one that is over, beside its field."""
        super()._post_clean()  # type: ignore[misc]
        if self.stored is None or self.errors:
            return
        try:
            scheduling.refuse_past(self.instance, stored=self.stored, now=timezone.now())
        except ValidationError as refusal:
            self._show(refusal)

    def change_of_time(self) -> Change | None:
        """What people are told of this session once it is saved, None where that is nothing."""
        if self.stored is None or self.stored.is_cancelled or self._was_and_is_over(self.stored):
            return None
        if all(getattr(self.stored, field) == getattr(self.instance, field) for field in scheduling.SHOWN_FIELDS):
            return None
        before, after = session_moment(self.stored), session_moment(self.instance)
        if self.stored.duration_minutes != self.instance.duration_minutes:
            before, after = (f"{when} ({_minutes(of)})" for when, of in ((before, self.stored), (after, self.instance)))
        words = _("%(webinar)s moves from %(before)s to %(after)s.")
        return Change(self.instance, words % {"webinar": self.instance.webinar, "before": before, "after": after})

    def _was_and_is_over(self, stored: Session) -> bool:
        now = timezone.now()
        return stored.has_ended(now) and self.instance.has_ended(now)

    def _keep_the_rest(self) -> None:
        for name in self.cleaned_data:
            if self.fields[name].show_hidden_initial and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)

    def _refuse_what_is_stale(self) -> None:
        """Beside the first thing that was changed: nothing shows what is wrong with a whole row."""
        if self.changed_data and self._is_stale():
            self.add_error(self.changed_data[0], ValidationError(scheduling.CHANGED_MEANWHILE, code="stale"))

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
    readonly_fields = ["state_line", "state_alone"]
    can_delete = False
    tab = True

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        return ["state_line" if self.has_change_permission(request, obj) else "state_alone", *FIELDS]

    @display(description=_("State"))
    def state_alone(self, session: Session) -> SafeString:
        return state_badge(session)

    @display(description=_("State"))
    def state_line(self, session: Session) -> SafeString | str:
        if session.pk is None:
            return str(_("New, not saved yet."))
        page = reverse("admin:events_session_change", args=[session.pk])
        words = _("Cancel or open this session") if is_cancellable(session) else _("Open this session")
        links = [(page, words), (mails_page(session), _("Try out its mails"))]
        said = format_html_join(" · ", '<a href="{}" class="text-link whitespace-nowrap">{}</a>', links)
        return format_html("{} {}", state_badge(session), said)

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        zone = obj.host.time_zone if obj is not None else None  # type: ignore[attr-defined]
        if zone and "time_zone" in formset.form.base_fields:
            formset.form.base_fields["time_zone"].initial = zone
        return formset


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
        return [*fields, "webinar", "state_line", "state_alone"] if obj is not None else fields

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        (name, first), *rest = fieldsets
        webinar, *others = first["fields"]
        state = "state_line" if self.has_change_permission(request, obj) else "state_alone"
        return [(name, {**first, "fields": [webinar, state, *others]}), *rest]

    @display(description=_("State"))
    def state_alone(self, session: Session) -> SafeString:
        return state_badge(session)

    def save_model(self, request: HttpRequest, obj: Session, form: Any, change: bool) -> None:  # noqa: FBT001
        told = form.change_of_time()
        effects = self.effects_of([(form.stored, obj)] if form.stored is not None else [])
        self.ask_before_telling(request, [told] if told else [], [obj], effects=effects)
        self.say_who_is_told(request, self.plan(request, [obj]))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001 - Django's
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return " ".join(changes(form, stored=form.stored)) or []

    def is_in_use(self, obj: models.Model) -> bool:
        return isinstance(obj, Session) and bool(obj.places_taken)

    def why_protected(self, rows: Sequence[models.Model]) -> str:
        return why_it_stays(rows)

    @display(description=_("State"))
    def state_line(self, session: Session) -> SafeString:
        """With the ways to try out its mails, and to cancel it, where the buttons above are folded away."""
        link = '<a href="{}" class="text-link whitespace-nowrap">{}</a>'
        links = format_html_join(" · ", link, self.ways(session))
        return format_html('{} <span class="lg:hidden">{}</span>', state_badge(session), links)

    def ways(self, session: Session) -> list[tuple[str, Any]]:
        """Where else to go from it, each with its words."""
        links: list[tuple[str, Any]] = [(mails_page(session), _("Try out its mails"))]
        if is_cancellable(session):
            cancel = reverse("admin:events_session_cancel_one", args=[session.pk])
            links.append((cancel, _("Cancel this session")))
        return links

    @display(description=_("When"), ordering="starts_at")
    def when(self, session: Session) -> str:
        return session_moment(session)

    @display(description=_("Places"), ordering="places_taken")
    def places(self, session: Session) -> str:
        return places_label(session)

    @display(description=_("State"), label={"coming": "success", "running": "info", "over": "", "cancelled": "danger"})
    def state_shown(self, session: Session) -> tuple[str, Any]:
        return state_of(session)

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
                people_hear(self.people_turned_away(sessions)),
                str(_("A cancelled session stays cancelled. To move it, change its time instead.")),
            ],
            button=ngettext("Cancel the session", "Cancel the sessions", len(sessions)),
        )

    def _cancel(self, request: HttpRequest, sessions: list[Session]) -> None:
        told = self.people_turned_away(sessions)
        for session in sessions:
            scheduling.cancel_session(session, by=actor(request), now=timezone.now())
            self.log_change(request, session, str(_("Cancelled.")))
        self.message_user(request, cancelled_message(told), messages.SUCCESS)


def _minutes(session: Session) -> str:
    said = ngettext("%(count)d minute", "%(count)d minutes", session.duration_minutes)
    return said % {"count": session.duration_minutes}


def state_of(session: Session) -> tuple[str, Any]:
    """A session's state, as a key and in words."""
    now = timezone.now()
    if session.is_cancelled:
        return "cancelled", _("Cancelled")
    if session.has_ended(now):
        return "over", _("Over")
    return ("running", _("Live now")) if session.is_running(now) else ("coming", _("Coming"))


def state_badge(session: Session) -> SafeString:
    """The same as a badge; static/admin/organizers.css knows its colours."""
    return format_html('<span class="state-badge" data-state="{}">{}</span>', *state_of(session))


def why_it_stays(rows: Sequence[Any]) -> str:
    """Why these sessions or webinars are not deleted: what is cancelled need not be cancelled instead."""
    return str(ALREADY_CANCELLED if all(row.is_cancelled for row in rows) else CANCEL_INSTEAD)


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
