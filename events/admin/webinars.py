"""The webinar and everything that stands on its page."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import construct_change_message
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from events import scheduling
from events.admin.addresses import LeavesAddresses
from events.admin.confirmation import Question, ask, is_confirmed, people_hear
from events.admin.forms import WebinarForm
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedStackedInline, HostScopedTabularInline
from events.admin.sessions import CANCEL_INSTEAD, SessionInline, cancelled_message, why_it_stays
from events.admin.telling import Change, HoldsSessions, TellsPeople, actor
from events.admin.wording import changes, moment, session_moment
from events.models import Appearance, DisplayZone, Session, Webinar, WebinarPartnership
from events.models import Question as AskedQuestion
from events.players import Kind, provider_of, recording_at


class AppearanceInline(HostScopedTabularInline):
    model = Appearance
    verbose_name = _("presenter")
    verbose_name_plural = _("presenters")
    fields = ["presenter", "role", "order"]
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Appearance]:
        return super().get_queryset(request).select_related("presenter").prefetch_related("presenter__affiliations")


class PartnershipInline(HostScopedTabularInline):
    model = WebinarPartnership
    verbose_name = _("partner")
    verbose_name_plural = _("partners")
    fields = ["partner", "kind", "order"]
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[WebinarPartnership]:
        return super().get_queryset(request).select_related("partner")


class DisplayZoneInline(HostScopedTabularInline):
    model = DisplayZone
    fields = ["time_zone", "order"]
    tab = True


class QuestionInline(HostScopedStackedInline):
    model = AskedQuestion
    fields = [("wording", "asked"), ("kind", "is_required"), "options", "help_text", "order"]
    protected_message = _("Somebody has answered this question already, so it stays.")
    tab = True


def _session_forms(formsets: Any) -> list[Any]:
    return [
        row
        for formset in formsets
        if formset.model is Session
        for row in formset.forms
        if row.has_changed() and row.is_valid()
    ]


def _refuse_a_replay_before_the_end(form: Any, formsets: Any) -> None:
    """Raise ValidationError where the replay ends before it can begin; the sessions are those that are saved along."""
    until = form.cleaned_data.get("replay_until")
    if until is None or not ("replay_until" in form.changed_data or _session_forms(formsets)):
        return
    rows = [row for formset in formsets if formset.model is Session for row in formset.forms]
    sessions = [row.instance for row in rows if row.instance.pk or row.has_changed()]
    last = max((one for one in sessions if not one.is_cancelled), key=lambda one: one.ends_at, default=None)
    if last is not None and until <= last.ends_at:
        words = _("The replay must end after the last session, which ends on %(moment)s.")
        zone = form.instance.host.time_zone
        raise ValidationError({"replay_until": [words % {"moment": moment(last.ends_at, zone)}]})


@admin.register(Webinar)
class WebinarAdmin(HoldsSessions, TellsPeople, LeavesAddresses, HostScopedAdmin):
    """What is offered; publishing and cancelling."""

    session_path = "webinar"
    protected_message = CANCEL_INSTEAD
    form = WebinarForm
    fieldsets = [
        (
            _("What"),
            {
                "fields": [
                    "host",
                    "series",
                    "title",
                    "official_title",
                    "slug",
                    ("language", "interpretation"),
                ]
            },
        ),
        (_("Page"), {"fields": ["summary", "about", "picture", "recommended"]}),
        (_("Who may come"), {"fields": ["status", "access", ("price_amount", "price_currency")]}),
        (_("Registration"), {"fields": [("registration_opens_at", "registration_closes_at")]}),
        (
            _("Afterwards"),
            {"fields": ["replay_url", "replay_access", ("replay_from", "replay_until"), "attended_count"]},
        ),
    ]
    inlines = [SessionInline, AppearanceInline, PartnershipInline, DisplayZoneInline, QuestionInline]
    prepopulated_fields = {"slug": ["title"]}
    list_display = ["title", "host", "status_shown", "next_session", "people"]
    list_filter = [("status", ChoicesDropdownFilter), HostFilter]
    list_select_related = ["host"]
    search_fields = ["title", "official_title", "summary"]
    search_help_text = _("Words of the title or the summary")
    actions = ["publish_webinars", "cancel_webinars", "delete_selected"]
    actions_detail = ["publish_one", "cancel_one"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Webinar]:
        return super().get_queryset(request).prefetch_related("sessions")

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        if not isinstance(obj, Webinar):
            return fields
        return [
            *fields,
            *(["status"] if obj.is_cancelled else []),
            *(["slug"] if self.is_address_out(obj) else []),
        ]

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        if isinstance(obj, Webinar) and self.is_address_out(obj):
            kwargs["help_texts"] = {
                "slug": _("It stays as it is: it stands in the calendars and mails of people who registered.")
            }
        return super().get_form(request, obj, **kwargs)

    def with_page(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return rows.exclude(status=Webinar.Status.DRAFT)

    def is_address_out(self, webinar: Webinar) -> bool:
        """Whether the address of its page is where nobody can change it: in calendars, mails and links."""
        has_been_seen = webinar.status != Webinar.Status.DRAFT
        now = timezone.now()
        sessions = webinar.sessions.all()
        return any(session.places_taken or (has_been_seen and session.has_ended(now)) for session in sessions)

    def is_in_use(self, obj: models.Model) -> bool:
        return isinstance(obj, Webinar) and any(session.places_taken for session in obj.sessions.all())

    def why_protected(self, rows: Sequence[models.Model]) -> str:
        return why_it_stays(rows)

    def view_on_site(self, webinar: Webinar) -> str | None:
        """Where the page is, once there is one."""
        return None if webinar.status == Webinar.Status.DRAFT else webinar.get_absolute_url()

    def save_model(self, request: HttpRequest, obj: Webinar, form: Any, change: bool) -> None:  # noqa: FBT001
        """Nothing yet: it is stored with what hangs on it, once nobody needs to be asked (see `save_related`)."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Sessions are planned, never just saved; the rest is."""
        if formset.model is not Session:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        changed = [session for session, _fields in formset.changed_objects]
        formset.moved = self.plan(request, [*formset.new_objects, *changed])
        formset.save_m2m()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Tell of everything at once: whoever hears of a new time hears of a new title in the same mail."""
        webinar = form.instance
        has_new_title = change and webinar.is_published and webinar.title != form.initial.get("title")
        _refuse_a_replay_before_the_end(form, formsets)
        self._ask(request, form, formsets, has_new_title=has_new_title)
        former = self.public_paths([webinar])
        webinar.save()
        self.leave(former, webinar)
        super().save_related(request, form, formsets, change)
        moved = {session for formset in formsets for session in getattr(formset, "moved", ())}
        if has_new_title:
            scheduling.announce_new_title(webinar, by=actor(request), now=timezone.now())
            moved.update(self._sessions_to_come([webinar]))
        self.say_who_is_told(request, moved)
        if "replay_url" in form.changed_data:
            self._say_where_it_plays(request, webinar)

    def _say_where_it_plays(self, request: HttpRequest, webinar: Webinar) -> None:
        recording = recording_at(webinar.replay_url)
        if not webinar.replay_url or recording.kind != Kind.ELSEWHERE:
            return
        player = provider_of(webinar.replay_url)
        if player:
            words = _(
                "No recording was recognised in this address of %(player)s: the page of the replay leads there with a "
                "link. Copy the address of the recording itself."
            ) % {"player": player}
        else:
            words = _(
                "%(host)s is no player that is embedded here: the page of the replay leads there with a link."
            ) % {"host": recording.provider}
        self.message_user(request, words, messages.WARNING)

    def _ask(self, request: HttpRequest, form: Any, formsets: Any, *, has_new_title: bool) -> None:
        told = [found for row in _session_forms(formsets) if (found := row.change_of_time())]
        sessions = {change.subject for change in told if isinstance(change.subject, Session)}
        if has_new_title:
            words = _("The title changes from “%(before)s” to “%(after)s”.")
            titles = {"before": form.initial.get("title"), "after": form.instance.title}
            told.insert(0, Change(form.instance, words % titles))
            sessions.update(self._sessions_to_come([form.instance]))
        self.ask_before_telling(request, told, sessions, has_file=bool(request.FILES))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001 - Django's
        """What changed in words, for each session also in its own history."""
        if add:
            return super().construct_change_message(request, form, formsets, add)
        said = changes(form)
        for row in _session_forms(formsets):
            sentences = " ".join(changes(row, stored=row.stored))
            if row.stored is not None and sentences:
                said.append(f"{_('Session')} {row.stored}: {sentences}")
                self.log_change(request, row.instance, sentences)
        return " ".join([*said, *self._said_of_the_rest(formsets)]) or []

    def _said_of_the_rest(self, formsets: Any) -> list[str]:
        """Django's own words about rows, without the sessions that ours tell of."""
        rest = [formset for formset in formsets if formset.model is not Session]
        plain = [formset for formset in formsets if formset.model is Session]
        for formset in plain:
            formset.changed_objects = []
        told = construct_change_message(forms.Form(), [*rest, *plain], add=False)
        return [LogEntry(change_message=json.dumps(told)).get_change_message()] if told else []

    # ---------- the list ----------

    @display(
        description=_("Status"),
        ordering="status",
        label={
            Webinar.Status.DRAFT: "warning",
            Webinar.Status.PUBLISHED: "success",
            Webinar.Status.CANCELLED: "danger",
        },
    )
    def status_shown(self, webinar: Webinar) -> tuple[str, Any]:
        return webinar.status, _("Draft") if webinar.status == Webinar.Status.DRAFT else webinar.get_status_display()

    @display(description=_("Next session"))
    def next_session(self, webinar: Webinar) -> str:
        now = timezone.now()
        coming = [session for session in webinar.sessions.all() if not (session.is_cancelled or session.has_ended(now))]
        if not coming:
            return str(_("None")) if not webinar.sessions.all() else str(_("None to come"))
        first = min(coming, key=lambda session: session.starts_at)
        return session_moment(first)

    @display(description=_("Places taken"))
    def people(self, webinar: Webinar) -> int:
        return sum(session.places_taken for session in webinar.sessions.all())

    # ---------- publishing ----------

    @admin.action(description=_("Publish the selected webinars"), permissions=["change"])
    def publish_webinars(self, request: HttpRequest, queryset: models.QuerySet[Webinar]) -> HttpResponse | None:
        webinars = list(self.editable(request, queryset).filter(status=Webinar.Status.DRAFT))
        if not webinars:
            self.message_user(request, _("None of these is a draft."), messages.WARNING)
            return None
        if not is_confirmed(request):
            rows = [(webinar, webinar.title) for webinar in webinars]
            question = self._publish_question(webinars)
            return ask(request, self, question, rows, action="publish_webinars", back=request.get_full_path())
        self._publish(request, webinars)
        return None

    @action(description=_("Publish"), url_path="publish", icon="publish", permissions=["publish_one"])
    def publish_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webinar = self._get(request, object_id)
        page = reverse("admin:events_webinar_change", args=[webinar.pk])
        if not is_confirmed(request):
            return ask(request, self, self._publish_question([webinar]), [(webinar, webinar.title)], back=page)
        if webinar.status == Webinar.Status.DRAFT:
            self._publish(request, [webinar])
        return HttpResponseRedirect(page)

    def has_publish_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._has_deed(request, object_id, {Webinar.Status.DRAFT})

    def _publish_question(self, webinars: list[Webinar]) -> Question:
        sentences = [
            ngettext(
                "Its page opens for everybody, and people can register.",
                "Their pages open for everybody, and people can register.",
                len(webinars),
            )
        ]
        if any(self._has_nothing_to_come(webinar) for webinar in webinars):
            sentences.append(
                str(_("Without a session to come nobody can register yet: add one on the page of the webinar."))
            )
        return Question(
            title=ngettext("Publish this webinar?", "Publish these webinars?", len(webinars)),
            sentences=sentences,
            button=str(_("Publish")),
            is_grave=False,
        )

    def _has_nothing_to_come(self, webinar: Webinar) -> bool:
        now = timezone.now()
        return all(session.is_cancelled or session.has_ended(now) for session in webinar.sessions.all())

    def _publish(self, request: HttpRequest, webinars: list[Webinar]) -> None:
        for webinar in webinars:
            webinar.status = Webinar.Status.PUBLISHED
            webinar.save(update_fields=["status", "updated_at"])
            self.log_change(request, webinar, str(_("Published.")))
        self.message_user(request, _("Published."), messages.SUCCESS)

    # ---------- cancelling ----------

    @admin.action(description=_("Cancel the selected webinars"), permissions=["change"])
    def cancel_webinars(self, request: HttpRequest, queryset: models.QuerySet[Webinar]) -> HttpResponse | None:
        webinars = list(self.editable(request, queryset).exclude(status=Webinar.Status.CANCELLED))
        if not webinars:
            self.message_user(request, _("None of these can be cancelled: they are cancelled."), messages.WARNING)
            return None
        if not is_confirmed(request):
            rows = [(webinar, webinar.title) for webinar in webinars]
            question = self._cancel_question(webinars)
            return ask(request, self, question, rows, action="cancel_webinars", back=request.get_full_path())
        self._cancel(request, webinars)
        return None

    @action(
        description=_("Cancel this webinar"),
        url_path="cancel",
        icon="event_busy",
        variant=ActionVariant.DANGER,
        permissions=["cancel_one"],
    )
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webinar = self._get(request, object_id)
        page = reverse("admin:events_webinar_change", args=[webinar.pk])
        if not is_confirmed(request):
            return ask(request, self, self._cancel_question([webinar]), [(webinar, webinar.title)], back=page)
        if not webinar.is_cancelled:
            self._cancel(request, [webinar])
        return HttpResponseRedirect(page)

    def has_cancel_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._has_deed(request, object_id, {Webinar.Status.DRAFT, Webinar.Status.PUBLISHED})

    def _cancel_question(self, webinars: list[Webinar]) -> Question:
        return Question(
            title=ngettext("Cancel this webinar?", "Cancel these webinars?", len(webinars)),
            sentences=[
                people_hear(self.people_reached(self._sessions_to_come(webinars))),
                str(_("Every session that is not over yet is cancelled with it, and stays cancelled.")),
            ],
            button=ngettext("Cancel the webinar", "Cancel the webinars", len(webinars)),
        )

    def _sessions_to_come(self, webinars: list[Webinar]) -> list[Session]:
        return list(Session.objects.filter(webinar__in=webinars).scheduled().upcoming(timezone.now()))

    def _cancel(self, request: HttpRequest, webinars: list[Webinar]) -> None:
        told = self.people_reached(self._sessions_to_come(webinars))
        for webinar in webinars:
            sessions = self._sessions_to_come([webinar])
            scheduling.cancel_webinar(webinar, by=actor(request), now=timezone.now())
            self.log_change(request, webinar, str(_("Cancelled.")))
            for session in sessions:
                self.log_change(request, session, str(_("Cancelled with its webinar.")))
        self.message_user(request, cancelled_message(told), messages.SUCCESS)

    # ---------- both ----------

    def _get(self, request: HttpRequest, object_id: str) -> Webinar:
        webinar = self.get_object(request, object_id)
        if not isinstance(webinar, Webinar):
            raise Http404
        return webinar

    def _has_deed(self, request: HttpRequest, object_id: str | None, statuses: set[Webinar.Status]) -> bool:
        webinar = self.get_object(request, object_id) if object_id else None
        if not isinstance(webinar, Webinar) or not self.has_change_permission(request, webinar):
            return False
        # Whoever clicks twice gets the page again, not a refusal.
        return is_confirmed(request) or webinar.status in statuses
