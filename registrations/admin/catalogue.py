"""The catalogue's pages of sessions and webinars, taken up again with what only this floor knows.

Who waits, whose mail failed, how many people hear of a change, and what they have answered already.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display

from events.admin.sessions import SessionAdmin, places_label
from events.admin.webinars import QuestionInline, WebinarAdmin
from events.models import Question, Session, Webinar
from registrations.admin.readonly import CompletesRows
from registrations.answers import summaries
from registrations.forms import can_hold
from registrations.models import Answer, Message, Registration

# What people had before them when they answered.
ASKED_FIELDS = {"wording", "kind", "options"}


class CountsPeople:
    """Everybody who holds a place, may get one or waits for one hears of a change."""

    def people_reached(self, sessions: Iterable[Session]) -> int:
        return Registration.objects.filter(session__in=list(sessions)).active().count()

    def is_in_use(self, obj: models.Model) -> bool:
        """Also by those who cancelled: their registrations stay, and keep it."""
        path = "webinar" if isinstance(obj, Webinar) else "session"
        return Registration.objects.filter(**{path: obj}).exists()


class SessionMailFilter(DropdownFilter):
    """Sessions of which somebody could not be told."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() != "failed":
            return queryset
        return queryset.filter(pk__in=Message.objects.filter(state=Message.State.DEAD).values("registration__session"))


admin.site.unregister(Session)
admin.site.unregister(Webinar)


@admin.register(Session)
class PeopledSessionAdmin(CompletesRows, CountsPeople, SessionAdmin):
    """Sessions, with who waits and whose mail did not go out."""

    list_display = [*SessionAdmin.list_display, "mails"]
    list_filter = [*SessionAdmin.list_filter, SessionMailFilter]

    def complete(self, rows: Sequence[Any]) -> None:
        ids = [row.pk for row in rows]
        queue = Registration.objects.waiting().filter(session__in=ids).order_by()
        waiting = dict(queue.values_list("session").annotate(count=models.Count("pk")))
        # Only those that went out are many, and they are left alone: each kind of the others has an index of its own.
        is_dead, is_open = models.Q(state=Message.State.DEAD), models.Q(state__in=Message.OPEN_STATES)
        mails = Message.objects.filter(is_dead | is_open, registration__session__in=ids).order_by()
        counts = mails.values_list("registration__session").annotate(
            failed=models.Count("pk", filter=is_dead), waiting=models.Count("pk", filter=is_open)
        )
        unsent = {session_id: (failed, open_) for session_id, failed, open_ in counts}
        for row in rows:
            row.waiting = waiting.get(row.pk, 0)
            row.mails_failed, row.mails_waiting = unsent.get(row.pk, (0, 0))

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


class AnsweredQuestionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A question keeps what people answered, and so the kinds that can hold it."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and "kind" in self.changed_data and "kind" in self.cleaned_data:
            self._refuse_a_kind_that_loses_answers()
        return cleaned

    def _refuse_a_kind_that_loses_answers(self) -> None:
        answers = Answer.objects.filter(question=self.instance).order_by()
        options = self.cleaned_data.get("options", self.instance.options)
        changed = Question(kind=self.cleaned_data["kind"], options=options)
        values = answers.values_list("value", flat=True).distinct()
        if not can_hold(changed, values, was_choice=self.instance.has_options):
            count = answers.count()
            message = ngettext(
                "%(count)d person has answered, which this kind cannot hold. Add a new question instead.",
                "%(count)d people have answered, and this kind cannot hold all they said. Add a new question instead.",
                count,
            )
            self.add_error("kind", message % {"count": count})


class AnsweredQuestionInline(QuestionInline):
    form = AnsweredQuestionForm


@admin.register(Webinar)
class PeopledWebinarAdmin(CountsPeople, WebinarAdmin):
    """Webinars, whose deeds reach those who wait as well, with what people answered."""

    inlines = [AnsweredQuestionInline if inline is QuestionInline else inline for inline in WebinarAdmin.inlines]
    actions_detail = [*WebinarAdmin.actions_detail, "answers_of_one"]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        super().save_formset(request, form, formset, change)
        if formset.model is Question:
            self._say_who_had_answered(request, formset.changed_objects)

    def _say_who_had_answered(self, request: HttpRequest, changed: Iterable[tuple[Question, list[str]]]) -> None:
        for question, fields in changed:
            answered = 0 if ASKED_FIELDS.isdisjoint(fields) else Answer.objects.filter(question=question).count()
            if answered:
                message = ngettext(
                    "%(count)d person had answered “%(question)s” before you changed it. "
                    "The answer stays as it was given, with the wording that was asked.",
                    "%(count)d people had answered “%(question)s” before you changed it. "
                    "The answers stay as they were given, with the wording that was asked.",
                    answered,
                )
                self.message_user(request, message % {"count": answered, "question": question}, messages.WARNING)

    @action(description=_("See the answers"), url_path="answers", icon="bar_chart", permissions=["answers_of_one"])
    def answers_of_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How many answered each question, and how many gave which answer."""
        webinar = self._get(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Answers"),
            "webinar": webinar,
            "summaries": summaries(webinar),
            "people": reverse("admin:registrations_registration_changelist", query={"webinar": webinar.pk}),
            "back": reverse("admin:events_webinar_change", args=[webinar.pk]),
        }
        return TemplateResponse(request, "admin/registrations/answers.html", context)

    def has_answers_of_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        webinar = self.get_object(request, object_id) if object_id else None
        return webinar is not None and webinar.questions.exists()

    def is_address_out(self, webinar: Webinar) -> bool:
        return super().is_address_out(webinar) or self.is_in_use(webinar)
