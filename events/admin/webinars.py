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
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from events import mail_rules, scheduling
from events.admin import ailments
from events.admin.addresses import LeavesAddresses
from events.admin.forms import WebinarForm
from events.admin.invitees import InvitesPeople
from events.admin.mail_rules import WebinarMailRuleInline, warn_of_merged
from events.admin.publishing import PublishesWebinars
from events.admin.questions import QuestionInline
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedTabularInline
from events.admin.sessions import CANCEL_INSTEAD, SessionInline, why_it_stays
from events.admin.telling import Change, Effect, HoldsSessions, actor
from events.admin.wording import changes, moment, session_moment
from events.models import Appearance, DisplayZone, MailRule, Session, Webinar, WebinarPartnership
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


def _who_sees_it(webinar: Webinar) -> str:
    """Whom the page is for from now on."""
    access = Webinar.Access(webinar.access)
    words = {
        Webinar.Access.EVERYONE: _("Everyone can see the page from now on, and find it in lists and search engines."),
        Webinar.Access.UNLISTED: _(
            "Whoever has its address can see the page from now on. Lists and feeds do not name it, and search engines "
            "are asked not to."
        ),
        Webinar.Access.MEMBERS: _(
            "Strangers no longer see the page: only members do, signed in with an address of the host's domains."
        ),
        Webinar.Access.INVITED: _(
            "Strangers no longer see the page: only invited people do, signed in with an address of the list."
        ),
        Webinar.Access.PASSWORD: _("Strangers no longer see the page: only whoever knows the password does."),
    }
    return str(words[access])


@admin.register(Webinar)
class WebinarAdmin(InvitesPeople, HoldsSessions, PublishesWebinars, LeavesAddresses, HostScopedAdmin):
    """What is offered."""

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
        (
            _("Who may see it"),
            {"fields": ["status", "access", "access_password", "member_domains", "invited"]},
        ),
        (
            _("Getting a place"),
            {
                "fields": [
                    "needs_proof",
                    "needs_approval",
                    ("price_amount", "price_currency"),
                    "how_to_pay",
                    "payment_days",
                    "offer_hours",
                    ("registration_opens_at", "registration_closes_at"),
                ]
            },
        ),
        (_("Mails"), {"fields": ["plan_line", "has_own_mail_rules"]}),
        (
            _("Afterwards"),
            {"fields": ["replay_url", "replay_access", ("replay_from", "replay_until"), "attended_count"]},
        ),
    ]
    # Whoever may only look has no such field to ask, and sees the line.
    conditional_fields = {
        "access_password": "typeof access === 'undefined' || access == 'password'",
        "member_domains": "typeof access === 'undefined' || access == 'members'",
        "invited": "typeof access === 'undefined' || access == 'invited'",
        "how_to_pay": "typeof price_amount === 'undefined' || price_amount != 0",
        "payment_days": "typeof price_amount === 'undefined' || price_amount != 0",
    }
    readonly_fields = ["member_domains", "invited", "plan_line"]
    inlines = [
        SessionInline,
        AppearanceInline,
        PartnershipInline,
        DisplayZoneInline,
        QuestionInline,
        WebinarMailRuleInline,
    ]
    prepopulated_fields = {"slug": ["title"]}
    list_display = ["title", "host", "status_shown", "next_session", "people"]
    list_filter = [("status", ChoicesDropdownFilter), HostFilter]
    list_select_related = ["host"]
    search_fields = ["title", "official_title", "summary"]
    search_help_text = _("Words of the title or the summary")
    actions = ["publish_webinars", "cancel_webinars", "delete_selected"]
    actions_detail = ["publish_one", "invited_people", "cancel_one"]

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

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Whoever may only look is spared the lines that do not matter."""
        fieldsets = super().get_fieldsets(request, obj)
        if not isinstance(obj, Webinar) or self.has_change_permission(request, obj):
            return fieldsets
        lines = {Webinar.Access.MEMBERS: "member_domains", Webinar.Access.INVITED: "invited"}
        lines[Webinar.Access.PASSWORD] = "access_password"
        idle = {name for access, name in lines.items() if access != obj.access}
        return [
            (name, {**kept, "fields": [field for field in kept["fields"] if field not in idle]})
            for name, kept in fieldsets
        ]

    @display(description=_("Domains of members"))
    def member_domains(self, webinar: Webinar) -> SafeString | str:
        if webinar.pk is None:
            return str(_("Those of the host: its owners keep them on its page."))
        page = reverse("admin:events_host_change", args=[webinar.host_id])
        said = ", ".join(webinar.host.domains) or _(
            "None yet, so nobody but its organizers would see a page for members."
        )
        return format_html('{} <a href="{}" class="text-link">{}</a>', said, page, _("See the host"))

    @display(description=_("Invited addresses"))
    def invited(self, webinar: Webinar) -> SafeString | str:
        if webinar.pk is None:
            return str(_("Save the webinar first: then its list has a page of its own."))
        count = webinar.invitees.count()
        said = ngettext("%(count)d on the list.", "%(count)d on the list.", count) % {"count": count}
        page = reverse("admin:events_webinar_invited_people", args=[webinar.pk])
        return format_html('{} <a href="{}" class="text-link">{}</a>', said, page, _("See or change the list"))

    @display(description=_("Plan of mails"))
    def plan_line(self, webinar: Webinar) -> SafeString | str:
        """The mails that go out for it, in words, and where they are kept."""
        if webinar.pk is None:
            return str(_("That of the host. Save the webinar first: then it can have one of its own."))
        rules = mail_rules.rules_of(webinar)
        lines = [(mail_rules.title(rule), mail_rules.words(rule)) for rule in rules]
        said = format_html_join("", "<li>{}: {}</li>", lines) if lines else format_html("<li>{}</li>", _("No mails."))
        plan = format_html('<ul class="plan-lines">{}</ul>', said)
        if webinar.has_own_mail_rules:
            return plan
        page = reverse("admin:events_host_change", args=[webinar.host_id]) + "#mail_rules-group"
        return format_html('{}<a href="{}" class="text-link">{}</a>', plan, page, _("It is the plan of the host."))

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
        self._note_moments(form)
        webinar.save()
        self.leave(former, webinar)
        super().save_related(request, form, formsets, change)
        self.let_go_on(request, form)
        moved = {session for formset in formsets for session in getattr(formset, "moved", ())}
        if has_new_title:
            before = str(form.initial["title"])
            scheduling.announce_new_title(webinar, before=before, by=actor(request), now=timezone.now())
            moved.update(self.sessions_to_come([webinar]))
        self.say_who_is_told(request, moved)
        if "status" in form.changed_data and webinar.is_published:
            self._say_what_ails(request)
        self._say_which_plan_holds(request, form)
        has_new_rules = any(formset.model is MailRule and formset.has_changed() for formset in formsets)
        if webinar.has_own_mail_rules and (has_new_rules or "has_own_mail_rules" in form.changed_data):
            warn_of_merged(request, webinar, webinar.mail_rules.all())
        if "replay_url" in form.changed_data:
            self._say_where_it_plays(request, webinar)
        if {"access", "access_password"} & set(form.changed_data):
            self._say_who_sees_it(request, webinar)

    def _say_what_ails(self, request: HttpRequest) -> None:
        """What the button asks about first, the form tells at the end."""
        said = ailments.warnings(now=timezone.now(), reader=actor(request))
        if said:
            self.message_user(request, " ".join(said), messages.WARNING)

    def _note_moments(self, form: Any) -> None:
        """When there was first a recording, and since when which plan of mails holds: neither makes up for the past."""
        webinar = form.instance
        if webinar.replay_url and not form.initial.get("replay_url"):
            webinar.replay_added_at = timezone.now()
        if webinar.pk and "has_own_mail_rules" in form.changed_data:
            webinar.mail_rules_since = timezone.now()

    def _say_which_plan_holds(self, request: HttpRequest, form: Any) -> None:
        """A plan of its own begins as a copy of the host's; rows that are kept beside the host's plan send nothing."""
        webinar = form.instance
        if webinar.has_own_mail_rules and "has_own_mail_rules" in form.changed_data:
            if mail_rules.begin_own_plan(webinar, now=timezone.now()):
                words = _(
                    "The webinar has a plan of its own now. It begins as a copy of the host's: change it under "
                    "“Plan of mails”."
                )
                self.message_user(request, words)
        elif not webinar.has_own_mail_rules and webinar.mail_rules.exists():
            words = _("The mails that are listed for this webinar alone do not go out: it has the plan of its host.")
            self.message_user(request, words, messages.WARNING)

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

    def _say_who_sees_it(self, request: HttpRequest, webinar: Webinar) -> None:
        """Where nobody but the organizers does, though somebody was meant to."""
        if webinar.access == Webinar.Access.MEMBERS and not webinar.host.domains:
            words = _("%(host)s has no domains of members yet, so nobody but its organizers can see this webinar.")
            self.message_user(request, words % {"host": webinar.host}, messages.WARNING)
        elif webinar.access == Webinar.Access.INVITED and not webinar.invitees.exists():
            words = _("Nobody is on the list yet, so nobody but the organizers can see this webinar.")
            page = reverse("admin:events_webinar_invited_people", args=[webinar.pk])
            link = format_html('{} <a href="{}" class="text-link">{}</a>', words, page, _("Add addresses"))
            self.message_user(request, link, messages.WARNING)

    def _effect_on_readers(self, form: Any) -> list[Effect]:
        """What becomes of a published page's readers when others may see it from now on."""
        webinar = form.instance
        if not (webinar.is_published and webinar.pk) or webinar.access == form.initial.get("access"):
            return []
        effects = [Effect(_who_sees_it(webinar))]
        count = self.people_registered(self.sessions_to_come([webinar]))
        if count and webinar.access != Webinar.Access.EVERYONE:
            kept = ngettext(
                "%(count)d person has registered, and keeps what they have, and their own page.",
                "%(count)d people have registered, and keep what they have, and their own pages.",
                count,
            )
            effects.append(Effect(kept % {"count": count}))
        return effects

    def effects_of_rules(self, form: Any) -> list[Effect]:
        """What follows for those who have registered when a place is got in another way from now on."""
        return []

    def effects_of_replay(self, form: Any) -> list[Effect]:
        """Who is told that there is a replay once this is saved."""
        return []

    def effects_of_rows(self, formsets: Any) -> list[Effect]:
        """What follows for what people have said when these rows are changed or deleted."""
        return []

    def let_go_on(self, request: HttpRequest, form: Any) -> None:
        """Let those go on who waited for a step that is asked for no more."""

    def _ask(self, request: HttpRequest, form: Any, formsets: Any, *, has_new_title: bool) -> None:
        told = [found for row in _session_forms(formsets) if (found := row.change_of_time())]
        sessions = {change.subject for change in told if isinstance(change.subject, Session)}
        if has_new_title:
            words = _("The title changes from “%(before)s” to “%(after)s”.")
            titles = {"before": form.initial.get("title"), "after": form.instance.title}
            told.insert(0, Change(form.instance, words % titles))
            sessions.update(self.sessions_to_come([form.instance]))
        rows = [(row.stored, row.instance) for row in _session_forms(formsets) if row.stored is not None]
        effects = [
            *self._effect_on_readers(form),
            *self.effects_of_rules(form),
            *self.effects_of_replay(form),
            *self.effects_of_rows(formsets),
            *self.effects_of(rows),
        ]
        self.ask_before_telling(request, told, sessions, effects=effects, has_file=bool(request.FILES))

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
