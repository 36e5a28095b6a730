"""The catalogue's pages of sessions and webinars, taken up again with what only this floor knows.

Who waits, whose mail failed, how many people hear of a change, and what they have answered already.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from events.admin.confirmation import ask, is_confirmed
from events.admin.questions import QuestionInline
from events.admin.sessions import SessionAdmin, places_label
from events.admin.telling import Effect
from events.admin.webinars import WebinarAdmin
from events.admin.wording import session_moment
from events.models import Question, Session, Webinar
from registrations import correspondence, notifications, signup, tallies
from registrations.admin import mails, questions, replays
from registrations.admin.downloads import DownloadsPeople
from registrations.admin.mailings import Announces
from registrations.admin.messages import say_sent_again
from registrations.admin.plan_of_mails import SimulatesMails
from registrations.admin.readonly import CompletesRows
from registrations.admin.standing import linked, open_cases
from registrations.answers import summaries
from registrations.models import Message, Registration
from registrations.places import is_off

Awaits = Registration.Awaits
Partstat = Registration.Partstat


class CountsPeople:
    """Whoever holds a place, may get one or waits for that session hears of a change (see `notifications`)."""

    def people_reached(self, sessions: Iterable[Session]) -> int:
        return notifications.audience(*sessions).count()

    def people_turned_away(self, sessions: Iterable[Session]) -> int:
        """With those who wait for any session, where none is left to wait for."""
        off = list(sessions)
        others = Session.objects.scheduled().upcoming(timezone.now()).exclude(pk__in=[session.pk for session in off])
        anywhere = Registration.objects.undecided().filter(session__in=off).exclude(awaits=Awaits.PROOF)
        return self.people_reached(off) + anywhere.exclude(webinar__in=others.values("webinar")).count()

    def people_registered(self, sessions: Iterable[Session]) -> int:
        return Registration.objects.filter(session__in=list(sessions)).active().count()

    def effects_of(self, sessions: Iterable[tuple[Session, Session]]) -> list[Effect]:
        """Who moves up where there are more places from now on."""
        moving, waiting, hours = 0, 0, None
        for stored, planned in sessions:
            if stored.capacity is None or planned.capacity == stored.capacity or is_off(planned, timezone.now()):
                continue
            hours = planned.webinar.offer_hours
            waiting = Registration.objects.waiting().filter(webinar=planned.webinar_id).count()
            here = Registration.objects.waiting_for(stored).count()
            free = here if planned.capacity is None else planned.capacity - stored.places_taken
            moving += max(min(here, free), 0)
        # Who waits for any session moves up once, however many of them have more places.
        count = min(moving, waiting)
        return [_effect_of_places(count, hours)] if count else []

    def plan(self, request: HttpRequest, sessions: Iterable[Session]) -> list[Session]:
        """Say afterwards how many moved up."""
        planned = list(sessions)
        queue = Registration.objects.waiting().filter(webinar__in={session.webinar_id for session in planned})
        waited = queue.count()
        moved: list[Session] = super().plan(request, planned)  # type: ignore[misc]
        up = waited - queue.count()
        if up > 0:
            words = ngettext(
                "%(count)d person who waited has a place now, or is offered one, and is being told.",
                "%(count)d people who waited have a place now, or are offered one, and are being told.",
                up,
            )
            messages.info(request, words % {"count": up})
        return moved

    def is_in_use(self, obj: models.Model) -> bool:
        """Also by those who cancelled: their registrations stay, and keep it."""
        path = "webinar" if isinstance(obj, Webinar) else "session"
        return Registration.objects.filter(**{path: obj}).exists()


class SessionMailFilter(DropdownFilter):
    """Sessions of which somebody could not be told."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed")), ("came_back", _("Came back"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "came_back":
            return queryset.filter(pk__in=Message.objects.came_back().values("registration__session"))
        if self.value() != "failed":
            return queryset
        return queryset.filter(pk__in=Message.objects.failed().values("registration__session"))


admin.site.unregister(Session)
admin.site.unregister(Webinar)


class PeopleFirst:
    """For pages of sessions and webinars: who registered, and what waits for the organizers, stands first.

    These are links in the page, not buttons above it, which phones fold away.
    """

    # How a registration leads to the object of the page.
    people_path: ClassVar[str]
    # What the page links to, of those actions that have an address of their own.
    linked_actions: ClassVar[Sequence[tuple[str, Any]]]

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """The buttons, without what the page links to."""
        actions: list[UnfoldAction] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        linked_names = tuple(f"_{name}" for name, _words in self.linked_actions)
        return [found for found in actions if not found.action_name.endswith(linked_names)]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        fields: list[str] = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [*fields, "to_do", "people_line"]

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None or obj.pk is None or not self.registrations_of(obj).exists():  # type: ignore[attr-defined]
            return fieldsets
        return [(None, {"fields": [*(["to_do"] if self._open(obj) else []), "people_line"]}), *fieldsets]

    @display(description=_("To do"))
    def to_do(self, row: Any) -> SafeString | str:
        found = row.open_cases if hasattr(row, "open_cases") else self._open(row)
        return linked(found, **{self.people_path: row.pk})

    @display(description=_("People"))
    def people_line(self, row: Any) -> SafeString:
        people = self._people(row)
        pages = [
            (reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk]), words)
            for name, words in self.linked_pages(row)
        ]
        link = '<a href="{}" class="text-link whitespace-nowrap">{}</a>'
        return format_html_join(" · ", link, [*people, *pages])

    def _people(self, row: Any) -> list[tuple[str, str]]:
        """How many registered and what they answered in their calendars, each with the list of those; one query."""
        found = self.registrations_of(row).active().order_by().values_list("partstat")  # type: ignore[attr-defined]
        counts = dict(found.annotate(count=models.Count("pk")))
        accepted, tentative, declined = (counts.get(answer, 0) for answer in Partstat.values if answer)
        total = sum(counts.values())
        said = [
            ({}, total, ngettext("%(count)d registered", "%(count)d registered", total)),
            ({"answer": "accepted"}, accepted, ngettext("%(count)d accepted", "%(count)d accepted", accepted)),
            ({"answer": "tentative"}, tentative, ngettext("%(count)d may come", "%(count)d may come", tentative)),
            ({"answer": "declined"}, declined, ngettext("%(count)d declined", "%(count)d declined", declined)),
        ]
        return [
            (
                reverse("admin:registrations_registration_changelist", query={self.people_path: row.pk, **answer}),
                words % {"count": count},
            )
            for answer, count, words in said
            if count or not answer
        ]

    def linked_pages(self, row: Any) -> Sequence[tuple[str, Any]]:
        """Those of the linked actions that have something to show."""
        return self.linked_actions

    def _open(self, row: models.Model) -> dict[str, int]:
        return open_cases(self.people_path, [row.pk]).get(row.pk, {})


@admin.register(Session)
class PeopledSessionAdmin(
    PeopleFirst, DownloadsPeople, SimulatesMails, Announces, CompletesRows, CountsPeople, SessionAdmin
):
    """Sessions, with who waits and whose mail did not go out."""

    people_path = "session"
    linked_actions = [("mails_of_one", _("See the mails")), ("download", _("Download as CSV"))]
    list_display = [*SessionAdmin.list_display, "to_do", "mails"]
    list_filter = [*SessionAdmin.list_filter, SessionMailFilter]
    actions_detail = ["mails_of_one", "download", "announce", "plan_of_mails", *SessionAdmin.actions_detail]

    def registrations_of(self, subject: Any) -> models.QuerySet[Registration]:
        return Registration.objects.filter(session=subject)

    def ways(self, session: Any) -> list[tuple[str, Any]]:
        """Writing to its people first, where there are any."""
        if session.is_called_off or not self.registrations_of(session).exists():
            return super().ways(session)
        page = reverse("admin:events_session_announce", args=[session.pk])
        return [(page, _("Write to people")), *super().ways(session)]

    def complete(self, rows: Sequence[Any]) -> None:
        ids = [row.pk for row in rows]
        to_do = open_cases("session", ids)
        queue = Registration.objects.waiting().filter(session__in=ids).order_by()
        waiting = dict(queue.values_list("session").annotate(count=models.Count("pk")))
        reach = tallies.reach(ids)
        for row in rows:
            row.waiting = waiting.get(row.pk, 0)
            row.open_cases = to_do.get(row.pk, {})
            row.reach = reach[row.pk]

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
        """“143 of 152 told, 9 came back”: told is who was sent one and has none that failed, came back or waits."""
        reach = session.reach
        if not reach.people:
            return "none", _("None yet")
        told = _("%(told)d of %(people)d told") % {"told": reach.told, "people": reach.people}
        troubles = [
            (reach.came_back, ngettext("%(count)d came back", "%(count)d came back", reach.came_back)),
            (reach.failed, ngettext("%(count)d failed", "%(count)d failed", reach.failed)),
            (reach.waiting, ngettext("%(count)d waiting", "%(count)d waiting", reach.waiting)),
            (reach.not_needed, ngettext("%(count)d not needed", "%(count)d not needed", reach.not_needed)),
        ]
        state = "failed" if reach.came_back or reach.failed else "waiting" if reach.waiting else "fine"
        if state == "fine" and not reach.told:
            state = "none"
        return state, ", ".join([told, *(words % {"count": count} for count, words in troubles if count)])

    @action(description=_("See the mails"), url_path="mails", icon="mail", permissions=["mails_of_one"])
    def mails_of_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What its people were told, and how many of them; and what failed once more, where that is asked for."""
        session = self.get_object(request, object_id)
        if session is None:
            raise Http404
        if "again" in request.GET:
            return self._send_again(request, session)
        may_send = self.has_change_permission(request, session)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Mails"),
            "object": session,
            "session": session,
            "moment": session_moment(session),
            "rows": [mails.row_of(session, tally, may_send=may_send) for tally in tallies.of_session(session)],
            "back": reverse("admin:events_session_change", args=[session.pk]),
        }
        return TemplateResponse(request, "admin/registrations/session_mails.html", context)

    def has_mails_of_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        session = self.get_object(request, object_id) if object_id else None
        may_look = session is not None and self.has_view_permission(request, session)
        return may_look and self.registrations_of(session).exists()

    def _send_again(self, request: HttpRequest, session: Session) -> HttpResponse:
        if not self.has_change_permission(request, session):
            raise PermissionDenied
        kind, occasion_at = mails.asked_for(request)
        page = reverse("admin:events_session_mails_of_one", args=[session.pk])
        found = next(
            (each for each in tallies.of_session(session) if (each.kind, each.occasion_at) == (kind, occasion_at)), None
        )
        if found is None or not found.can_be_sent_again:  # clicked twice, or somebody else was quicker
            return HttpResponseRedirect(page)
        theirs = Message.objects.filter(registration__session=session, kind=kind, occasion_at=occasion_at)
        if not is_confirmed(request):
            failed = tallies.with_outcome(theirs, tallies.Outcome.FAILED)
            unknown = failed.filter(state=Message.State.UNKNOWN).count()
            return ask(request, self, mails.question(found, unknown=unknown), [], back=page)
        say_sent_again(request, correspondence.send_failed_again(theirs, now=timezone.now()))
        self.log_change(request, session, str(_("Sent mails again: %(kind)s.") % {"kind": found.title}))
        return HttpResponseRedirect(page)


# Which field of a webinar asks for each step.
_RULES = {
    Awaits.PROOF: "needs_proof",
    Awaits.APPROVAL: "needs_approval",
    Awaits.PAYMENT: "price_amount",
}


def _turned(form: Any, *, on: bool) -> list[Registration.Awaits]:
    """The steps that are asked for from now on, or no more."""
    changed = ((step, form.initial.get(field), getattr(form.instance, field)) for step, field in _RULES.items())
    return [step for step, before, after in changed if bool(before) != on and bool(after) == on]


def _effect_of_rule(step: Registration.Awaits, count: int) -> Effect:
    words = {
        Awaits.PROOF: ngettext(
            "%(count)d person has not proved the address yet, and goes on without that. They are told by mail.",
            "%(count)d people have not proved their addresses yet, and go on without that. They are told by mail.",
            count,
        ),
        Awaits.APPROVAL: ngettext(
            "%(count)d person waits for your decision, and goes on without it as far as there are places. "
            "They are told by mail.",
            "%(count)d people wait for your decision, and go on without it as far as there are places. "
            "They are told by mail.",
            count,
        ),
        Awaits.PAYMENT: ngettext(
            "%(count)d person has not paid yet, and has the place for good. They are told by mail.",
            "%(count)d people have not paid yet, and have their places for good. They are told by mail.",
            count,
        ),
    }
    return Effect(words[step] % {"count": count}, told=count)


def _effect_of_price(count: int) -> Effect:
    words = ngettext(
        "%(count)d person has been asked to pay the earlier price, and reads the new one on their page. "
        "They are not told by mail.",
        "%(count)d people have been asked to pay the earlier price, and read the new one on their pages. "
        "They are not told by mail.",
        count,
    )
    return Effect(words % {"count": count})


def _effect_of_places(count: int, hours: int | None) -> Effect:
    if hours:
        words = ngettext(
            "%(count)d person who waits is offered a place by mail, and has %(hours)s to take it.",
            "%(count)d people who wait are offered a place by mail, and have %(hours)s to take it.",
            count,
        )
    else:
        words = ngettext(
            "%(count)d person who waits gets a place, and is told by mail.",
            "%(count)d people who wait get a place, and are told by mail.",
            count,
        )
    time = ngettext("%(hours)d hour", "%(hours)d hours", hours or 0) % {"hours": hours or 0}
    return Effect(words % {"count": count, "hours": time}, told=count)


@admin.register(Webinar)
class PeopledWebinarAdmin(PeopleFirst, DownloadsPeople, Announces, CompletesRows, CountsPeople, WebinarAdmin):
    """Webinars, whose deeds reach those who wait as well, with what people answered."""

    people_path = "webinar"
    linked_actions = [("answers_of_one", _("See the answers")), ("download", _("Download as CSV"))]
    inlines = [
        questions.AnsweredQuestionInline if inline is QuestionInline else inline for inline in WebinarAdmin.inlines
    ]
    list_display = [*WebinarAdmin.list_display, "to_do"]
    actions_detail = ["answers_of_one", "download", "announce", *WebinarAdmin.actions_detail]

    def registrations_of(self, subject: Any) -> models.QuerySet[Registration]:
        return Registration.objects.filter(webinar=subject)

    def complete(self, rows: Sequence[Any]) -> None:
        to_do = open_cases("webinar", [row.pk for row in rows])
        for row in rows:
            row.open_cases = to_do.get(row.pk, {})

    def linked_pages(self, row: Any) -> Sequence[tuple[str, Any]]:
        return self.linked_actions if row.questions.exists() else self.linked_actions[1:]

    def effects_of_rules(self, form: Any) -> list[Effect]:
        """Who waits for a step that is asked for no more goes on without it."""
        webinar = form.instance
        if webinar.pk is None:
            return []
        found = [(step, self._waiting_for(webinar, step)) for step in _turned(form, on=False)]
        effects = [_effect_of_rule(step, count) for step, count in found if count]
        paying = 0 if webinar.is_free else self._waiting_for(webinar, Awaits.PAYMENT)
        if paying and {"price_amount", "price_currency"} & set(form.changed_data):
            effects.append(_effect_of_price(paying))
        return effects

    def let_go_on(self, request: HttpRequest, form: Any) -> None:
        webinar = form.instance
        if _turned(form, on=False):
            moved = signup.advance_pending(webinar, now=timezone.now())
            if moved:
                words = ngettext(
                    "%(count)d registration goes on without that, and the person is being told.",
                    "%(count)d registrations go on without that, and the people are being told.",
                    moved,
                )
                messages.info(request, words % {"count": moved})
        settled = self.registrations_of(webinar).filter(has_place=True).count() if _turned(form, on=True) else 0
        if settled:
            words = ngettext(
                "The new step is for later registrations. %(count)d person has a place already and keeps it.",
                "The new step is for later registrations. %(count)d people have places already, and keep them.",
                settled,
            )
            messages.info(request, words % {"count": settled})

    def _waiting_for(self, webinar: Webinar, step: Registration.Awaits) -> int:
        coming = {"session__state": Session.State.SCHEDULED, "session__ends_at__gt": timezone.now()}
        return self.registrations_of(webinar).filter(awaits=step, **coming).count()

    def effects_of_replay(self, form: Any) -> list[Effect]:
        return replays.effects(form)

    def effects_of_rows(self, formsets: Any) -> list[Effect]:
        return questions.effects(formsets)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        is_of_questions = formset.model is Question
        if is_of_questions:
            questions.delete_what_hangs_on(formset)
        super().save_formset(request, form, formset, change)
        if is_of_questions:
            questions.say_who_had_answered(request, formset)

    @action(description=_("See the answers"), url_path="answers", icon="bar_chart", permissions=["answers_of_one"])
    def answers_of_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How many answered each question, and how many gave which answer."""
        webinar = self.webinar_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Answers"),
            "object": webinar,
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
