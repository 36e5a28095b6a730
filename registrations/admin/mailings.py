"""Mails to many: what the plan has sent and what was announced; and writing an announcement, seen before it is sent."""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from events import mail_rules
from events.access import access_of
from events.admin.confirmation import CONFIRMED, Question, ask, is_confirmed
from events.admin.scoped import HostFilter
from events.admin.telling import actor
from events.admin.wording import session_moment
from events.models import Session, Webinar
from events.validators import plain_text, single_line
from registrations import announcements, mailings, simulator, tallies
from registrations.admin.readonly import CompletesRows, ReadOnlyAdmin, instant_column, is_own_address
from registrations.admin.standing import OUTCOME_WORDS
from registrations.models import Mailing, Message, Registration
from registrations.tallies import Outcome

# Letters and signs by their category that are drawn as nothing: fillers of Hangul, and the blank of Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Of a field that nobody sees.
_NOT_WHOLE = _("Something of this page was lost on the way. Keep your text, load the page again, and put it in there.")


class AnnouncementForm(forms.Form):
    """To whom, the subject and the text. `draft` comes back unseen, so that whoever clicks twice sends these once."""

    draft = forms.UUIDField(widget=forms.HiddenInput, error_messages={"required": _NOT_WHOLE, "invalid": _NOT_WHOLE})
    audience = forms.ChoiceField(label=_("To whom"), choices=Mailing.Audience.choices, widget=UnfoldAdminSelectWidget)
    subject = forms.CharField(label=_("Subject"), max_length=120, widget=UnfoldAdminTextInputWidget)
    text = forms.CharField(
        label=_("Text"),
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
        help_text=_(
            "Plain text. An empty line begins a new paragraph, and an address such as https://example.org becomes a "
            "link. Name, date and the way to their registration are put around it, in each reader's language."
        ),
    )

    @property
    def digest(self) -> str:
        """What tells these words and readers from others, so that what is sent is what was seen."""
        seen = [self.cleaned_data[name] for name in ("audience", "subject", "text")]
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    def clean_subject(self) -> str:
        return _said(single_line(self.cleaned_data["subject"]))

    def clean_text(self) -> str:
        return _said(plain_text(self.cleaned_data["text"]))


def _said(words: str) -> str:
    """What is left once control characters are gone. Raises ValidationError where nothing of it can be seen."""
    if not _can_be_seen(words):
        raise ValidationError(_("Write something that can be read."))
    return words.strip()


def _can_be_seen(words: str) -> bool:
    """Whether there is more than spaces, marks of direction and joiners without a width."""
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in _BLANK for sign in words)


class Announces:
    """For the admin of sessions and webinars: whoever may change one may write to its people."""

    def registrations_of(self, subject: Any) -> models.QuerySet[Registration]:
        """Who registered for it."""
        raise NotImplementedError

    @action(description=_("Write to people"), url_path="announce", icon="campaign", permissions=["announce"])
    def announce(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form; then the same with how many get it and how it looks; and then it is sent."""
        subject: Session | Webinar | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if subject is None:
            raise Http404
        if not self.has_change_permission(request, subject):  # type: ignore[attr-defined]
            raise PermissionDenied
        if _is_off(subject) or not self.registrations_of(subject).exists():
            off = _("It was called off, and everybody was told: nobody to write to.")
            messages.info(request, off if _is_off(subject) else _("Nobody to write to."))
            return HttpResponseRedirect(reverse(f"admin:events_{subject._meta.model_name}_change", args=[subject.pk]))
        if request.method != "POST":
            return self._page(request, subject, AnnouncementForm(initial={"draft": uuid.uuid4()}))
        form = AnnouncementForm(request.POST)
        if not form.is_valid():
            return self._page(request, subject, form, status=422)
        if request.POST.get(CONFIRMED) != form.digest:  # nobody has seen it yet, or not as it is now
            return self._page(request, subject, form, is_changed=CONFIRMED in request.POST)
        return self._send(request, subject, form)

    def has_announce_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        subject = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        may_write = subject is not None and self.has_change_permission(request, subject)  # type: ignore[attr-defined]
        if subject is None or not may_write or is_own_address(request, "announce"):
            return may_write
        return not _is_off(subject) and self.registrations_of(subject).exists()

    def _send(self, request: HttpRequest, subject: Session | Webinar, form: AnnouncementForm) -> HttpResponse:
        webinar, session = _parts(subject)
        chosen = form.cleaned_data
        count = self._audience(subject, form).count()
        mailings.announce(
            webinar,
            session=session,
            audience=Mailing.Audience(chosen["audience"]),
            subject=chosen["subject"],
            text=chosen["text"],
            by=actor(request),
            now=timezone.now(),
            draft=chosen["draft"],
        )
        said = ngettext(
            "It goes out to %(count)d person within a minute.",
            "It goes out to %(count)d people within a minute.",
            count,
        )
        messages.success(request, said % {"count": count})
        self.log_change(request, subject, _("Wrote to people: %(subject)s") % {"subject": chosen["subject"]})  # type: ignore[attr-defined]
        query = {"webinar": webinar.pk}
        return HttpResponseRedirect(reverse("admin:registrations_mailing_changelist", query=query))

    def _page(
        self,
        request: HttpRequest,
        subject: Session | Webinar,
        form: AnnouncementForm,
        *,
        is_changed: bool = False,
        status: int = 200,
    ) -> HttpResponse:
        """`is_changed`: it was to be sent, and is no more what was seen."""
        webinar, session = _parts(subject)
        is_preview = form.is_bound and form.is_valid()
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Write to people"),
            "object": subject,
            "webinar": webinar,
            "session_moment": session_moment(session) if session else "",
            "form": form,
            "is_preview": is_preview,
            "is_changed": is_changed,
            "count": self._audience(subject, form).count() if is_preview else 0,
            "preview": self._preview(request, subject, form) if is_preview else None,
            "earlier": reverse("admin:registrations_mailing_changelist", query={"webinar": webinar.pk}),
            "back": reverse(f"admin:events_{subject._meta.model_name}_change", args=[subject.pk]),
        }
        return TemplateResponse(request, "admin/registrations/announce.html", context, status=status)

    def _audience(self, subject: Session | Webinar, form: AnnouncementForm) -> models.QuerySet[Registration]:
        webinar, session = _parts(subject)
        audience = Mailing.Audience(form.cleaned_data["audience"])
        return mailings.audience(webinar, session=session, audience=audience, kind=Message.Kind.ANNOUNCEMENT)

    def _preview(
        self, request: HttpRequest, subject: Session | Webinar, form: AnnouncementForm
    ) -> simulator.Preview | None:
        """The mail to the reader, as if they were one of those; None where there is no session to be in."""
        webinar, session = _parts(subject)
        session = session or webinar.sessions.scheduled().order_by("-starts_at").first()
        if session is None:
            return None
        return simulator.preview_announcement(
            session,
            subject=form.cleaned_data["subject"],
            text=form.cleaned_data["text"],
            reader=actor(request).email,
            now=timezone.now(),
        )


def _is_off(subject: Any) -> bool:
    """Whether it was called off: everybody was told, and there is nothing to add."""
    return subject.is_called_off if isinstance(subject, Session) else subject.is_cancelled


def _parts(subject: Session | Webinar) -> tuple[Webinar, Session | None]:
    return (subject.webinar, subject) if isinstance(subject, Session) else (subject, None)


def _stop_question(mailing: Mailing) -> Question:
    sent = announcements.progress_of(mailing).sent
    told = ngettext("%(count)d person has been sent it.", "%(count)d people have been sent it.", sent)
    return Question(
        title=str(_("Stop this message?")),
        sentences=[
            told % {"count": sent},
            str(_("Nobody else gets it, also not later. What is being sent at this moment still goes out.")),
        ],
        button=str(_("Stop")),
    )


def _messages_page(mailing: Mailing, **narrowed: str) -> str:
    return reverse("admin:registrations_message_changelist", query={"mailing": mailing.pk, **narrowed})


def _counted(rows: Iterable[Mailing], outcome: Outcome) -> dict[int, int]:
    """How many mails of each of these had that outcome; what was sent again counts as what became of it then."""
    mails = Message.objects.filter(mailing__in=[row.pk for row in rows])
    found = tallies.with_outcome(mails, outcome).order_by().values_list("mailing")
    return dict(found.annotate(count=models.Count("pk")))


@admin.register(Mailing)
class MailingAdmin(CompletesRows, ReadOnlyAdmin):
    """What went to many: by the plan, or written by an organizer."""

    host_path = "webinar__host"
    fields = [
        "what",
        "rule_shown",
        "webinar",
        "session_shown",
        "audience",
        "due",
        "written",
        "stopped",
        "mails",
        "outcomes",
        "subject",
        "text",
        "writer",
    ]
    readonly_fields = [
        "what",
        "rule_shown",
        "session_shown",
        "due",
        "written",
        "stopped",
        "mails",
        "outcomes",
        "writer",
    ]
    list_display = ["what", "rule_shown", "webinar", "session_shown", "begun", "mails", "troubles", "writer"]
    list_display_links = ["what"]
    list_filter = [HostFilter.along("webinar__host")]
    list_select_related = ["webinar__host", "session", "rule", "written_by"]
    search_fields = ["subject", "webinar__title"]
    search_help_text = _("Subject, or title of the webinar")
    actions = []
    actions_detail = ["stop"]
    due = instant_column("due_at", _("Due"), "webinar__host")
    begun = instant_column("begun_at", _("When"), "webinar__host")
    written = instant_column("written_at", _("All mails written"), "webinar__host")
    stopped = instant_column("stopped_at", _("Stopped"), "webinar__host")

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """What only an announcement has is not shown empty."""
        fields = super().get_fields(request, obj)
        without = set()
        if isinstance(obj, Mailing):
            without |= set() if obj.subject else {"subject", "text", "writer"}
            without.add("written" if obj.stopped_at else "stopped")
        return [name for name in fields if name not in without]

    @action(description=_("Stop"), url_path="stop", icon="stop_circle", permissions=["stop"])
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End an announcement that is on its way, after a question."""
        mailing = get_object_or_404(self.get_queryset(request), pk=object_id)
        page = reverse("admin:registrations_mailing_change", args=[mailing.pk])
        if not announcements.can_be_stopped(mailing):  # clicked twice, or all of it has gone out
            messages.warning(request, _("It is over: nothing of it is on its way."))
            return HttpResponseRedirect(page)
        if not is_confirmed(request):
            return ask(request, self, _stop_question(mailing), [(mailing, str(mailing))], back=page)
        cancelled = announcements.stop(mailing, now=timezone.now())
        if cancelled is not None:
            said = ngettext(
                "It is stopped. %(count)d mail that was written is not sent.",
                "It is stopped. %(count)d mails that were written are not sent.",
                cancelled,
            )
            messages.success(request, said % {"count": cancelled})
            self.log_change(request, mailing, str(_("Stopped.")))
        return HttpResponseRedirect(page)

    def has_stop_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        mailing = self.get_object(request, object_id) if object_id else None
        if not isinstance(mailing, Mailing):
            return False
        may_change: bool = access_of(request).may(mailing.webinar.host_id, at_least=self.edit_role)
        # Whoever clicks twice gets the page again, not a refusal.
        return may_change and (is_confirmed(request) or announcements.can_be_stopped(mailing))

    @display(description=_("Mail"), ordering="kind")
    def what(self, mailing: Mailing) -> str:
        return str(_("%(mail)s (stopped)") % {"mail": mailing} if mailing.stopped_at else mailing)

    def complete(self, rows: Sequence[Any]) -> None:
        """What did not come through of each. What did is far more, and has a page of its own."""
        counts = {outcome: _counted(rows, outcome) for outcome in (Outcome.FAILED, Outcome.CAME_BACK)}
        for row in rows:
            row.failed = {outcome: found.get(row.pk, 0) for outcome, found in counts.items()}

    @display(description=_("Rule"))
    def rule_shown(self, mailing: Mailing) -> str:
        """When the plan sends it and to whom, in words; of an announcement, to whom it was written."""
        if mailing.kind == Message.Kind.ANNOUNCEMENT:
            return mailing.get_audience_display()
        return mail_rules.words(mailing.rule) if mailing.rule else str(_("It is in the plan no more."))

    @display(description=_("Session"), ordering="session__starts_at")
    def session_shown(self, mailing: Mailing) -> SafeString | str:
        if mailing.session is None:
            return str(_("All sessions"))
        page = reverse("admin:events_session_change", args=[mailing.session.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', page, session_moment(mailing.session))

    @display(description=_("Mails"), ordering="told")
    def mails(self, mailing: Mailing) -> SafeString | str:
        """How many were written, with the list of those."""
        if mailing.told:
            return format_html('<a href="{}" class="text-link">{}</a>', _messages_page(mailing), mailing.told)
        if mailing.written_at is None:
            return str(_("None yet"))
        if mailing.kind == Message.Kind.ANNOUNCEMENT:
            return str(_("Nobody"))
        return str(_("Nobody: merged or skipped"))

    @display(description=_("Failed"), label={"failed": "danger", "": ""})
    def troubles(self, mailing: Any) -> tuple[str, Any]:
        """“3 failed, 1 came back”; nothing where all came through, or waits."""
        said = [
            (mailing.failed[Outcome.FAILED], ngettext("%(count)d failed", "%(count)d failed", 1)),
            (mailing.failed[Outcome.CAME_BACK], ngettext("%(count)d came back", "%(count)d came back", 1)),
        ]
        words = [each % {"count": count} for count, each in said if count]
        return ("failed", ", ".join(words)) if words else ("", "")

    @display(description=_("What became of them"))
    def outcomes(self, mailing: Mailing) -> SafeString:
        """How many had each outcome, each with the list of those."""
        found = [(outcome, _counted([mailing], outcome).get(mailing.pk, 0)) for outcome in Outcome]
        rows = [
            (_messages_page(mailing, outcome=outcome.value), OUTCOME_WORDS[outcome], count)
            for outcome, count in found
            if count
        ]
        return format_html_join(" · ", '<a href="{}" class="text-link whitespace-nowrap">{}: {}</a>', rows)

    @display(description=_("Written by"))
    def writer(self, mailing: Mailing) -> str:
        if not mailing.subject:
            return str(_("The plan"))
        return str(mailing.written_by or _("Somebody who is no organizer any more"))
