"""Publishing and cancelling webinars, one or many at once. Each asks first, and says who will see and hear of it."""

from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action
from unfold.enums import ActionVariant

from events import scheduling
from events.admin import ailments
from events.admin.confirmation import Question, ask, is_confirmed, people_hear
from events.admin.scoped import HostScopedAdmin
from events.admin.sessions import cancelled_message
from events.admin.telling import TellsPeople, actor
from events.models import Session, Webinar


class PublishesWebinars(TellsPeople, HostScopedAdmin):
    """For the admin of webinars."""

    # ---------- publishing ----------

    @admin.action(description=_("Publish the selected webinars"), permissions=["change"])
    def publish_webinars(self, request: HttpRequest, queryset: models.QuerySet[Webinar]) -> HttpResponse | None:
        webinars = list(self.editable(request, queryset).filter(status=Webinar.Status.DRAFT))
        if not webinars:
            self.message_user(request, _("None of these is a draft."), messages.WARNING)
            return None
        if not is_confirmed(request):
            rows = [(webinar, webinar.title) for webinar in webinars]
            question = self._publish_question(request, webinars)
            return ask(request, self, question, rows, action="publish_webinars", back=request.get_full_path())
        self._publish(request, webinars)
        return None

    @action(description=_("Publish"), url_path="publish", icon="publish", permissions=["publish_one"])
    def publish_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webinar = self.webinar_or_404(request, object_id)
        page = reverse("admin:events_webinar_change", args=[webinar.pk])
        if not is_confirmed(request):
            return ask(request, self, self._publish_question(request, [webinar]), [(webinar, webinar.title)], back=page)
        if webinar.status == Webinar.Status.DRAFT:
            self._publish(request, [webinar])
        return HttpResponseRedirect(page)

    def has_publish_one_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._has_deed(request, object_id, {Webinar.Status.DRAFT})

    def _publish_question(self, request: HttpRequest, webinars: list[Webinar]) -> Question:
        if all(webinar.access == Webinar.Access.EVERYONE for webinar in webinars):
            opens = ngettext(
                "Its page opens for everybody, and people can register.",
                "Their pages open for everybody, and people can register.",
                len(webinars),
            )
        else:
            opens = ngettext(
                "Its page opens for whoever can view it, and these people can register.",
                "Their pages open for whoever can view them, and these people can register.",
                len(webinars),
            )
        sentences = [opens, *(_may_view(webinar) for webinar in webinars if webinar.access != Webinar.Access.EVERYONE)]
        if any(self._has_nothing_to_come(webinar) for webinar in webinars):
            sentences.append(
                str(_("Without a session to come nobody can register yet: add one on the page of the webinar."))
            )
        return Question(
            title=ngettext("Publish this webinar?", "Publish these webinars?", len(webinars)),
            sentences=sentences,
            button=str(_("Publish")),
            is_grave=False,
            warnings=ailments.warnings(now=timezone.now(), reader=actor(request)),
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
        webinar = self.webinar_or_404(request, object_id)
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
                people_hear(self.people_turned_away(self.sessions_to_come(webinars))),
                str(_("Every session that is not over yet is cancelled with it, and stays cancelled.")),
            ],
            button=ngettext("Cancel the webinar", "Cancel the webinars", len(webinars)),
        )

    def sessions_to_come(self, webinars: list[Webinar]) -> list[Session]:
        return list(Session.objects.filter(webinar__in=webinars).scheduled().upcoming(timezone.now()))

    def _cancel(self, request: HttpRequest, webinars: list[Webinar]) -> None:
        told = self.people_turned_away(self.sessions_to_come(webinars))
        for webinar in webinars:
            sessions = self.sessions_to_come([webinar])
            scheduling.cancel_webinar(webinar, by=actor(request), now=timezone.now())
            self.log_change(request, webinar, str(_("Cancelled.")))
            for session in sessions:
                self.log_change(request, session, str(_("Cancelled with its webinar.")))
        self.message_user(request, cancelled_message(told), messages.SUCCESS)

    # ---------- both ----------

    def webinar_or_404(self, request: HttpRequest, object_id: str) -> Webinar:
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


def _may_view(webinar: Webinar) -> str:
    """Roads. Who can view: Whoever has the password."""
    return str(_("%(webinar)s. Who can view: %(access)s.")) % {
        "webinar": webinar,
        "access": webinar.get_access_display(),
    }
