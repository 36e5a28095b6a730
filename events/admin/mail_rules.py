"""The plan of mails, as a host's owners keep it and as a webinar may have its own: rows in words."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from events import mail_rules
from events.access import Role
from events.admin.scoped import HostScopedTabularInline, SameHostFormSet
from events.mail_rules import DAY, HOUR
from events.models import Host, MailRule, Session, Webinar

# What can be chosen; a rule that came otherwise by another length keeps it.
LENGTHS = (0, 5, 10, 15, 30, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY)


class MailRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One mail: what, how long before or after, to whom. A new row has nothing chosen, so that none is sent unmeant."""

    minutes = forms.TypedChoiceField(label=_("when"), coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = MailRule
        fields = ["purpose", "minutes", "audience"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lengths = sorted({*LENGTHS, self.instance.minutes})
        blank = ("", _("Select value"))
        for name, choices in (
            ("minutes", [(minutes, _length_before_or_after(minutes)) for minutes in lengths]),
            ("purpose", MailRule.Purpose.choices),
        ):
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = choices if self.instance.pk else [blank, *choices]
            if not self.instance.pk:
                self.initial[name] = ""

    def save(self, commit: bool = True) -> MailRule:  # noqa: FBT001 - Django's signature
        """What was changed holds from now on: it makes up for nothing."""
        if self.has_changed():
            self.instance.holds_from = timezone.now()
        rule: MailRule = super().save(commit)
        return rule


def _length_before_or_after(minutes: int) -> str:
    return mail_rules.length(minutes) if minutes else str(_("At that moment"))


class MailRuleFormSet(SameHostFormSet):
    """Each mail once."""

    changed_meanwhile = _("Somebody has changed this plan meanwhile: load the page again.")

    def clean(self) -> None:
        super().clean()
        seen: set[tuple[Any, ...]] = set()
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            if not cleaned or cleaned.get("DELETE") or form.errors:
                continue
            what = tuple(cleaned.get(name) for name in ("purpose", "minutes", "audience"))
            if what in seen:
                form.add_error("minutes", _("This mail is in the plan already."))
            seen.add(what)


class _MailRuleInline(HostScopedTabularInline):
    model = MailRule
    form = MailRuleForm
    formset = MailRuleFormSet
    fields = ["purpose", "minutes", "audience"]
    verbose_name = _("mail")
    verbose_name_plural = _("plan of mails")

    template_before = "admin/events/_plan.html"
    # Of whose page: a webinar's says whether its rows go out at all.
    is_of_webinar: ClassVar[bool] = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[MailRule]:
        return mail_rules.in_order(super().get_queryset(request))

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        """Also where the plan can be tried out, for the line above it; an inline is made for each page."""
        session = session_to_try(obj)
        self.simulator = mails_page(session) if session is not None else ""
        return super().get_formset(request, obj, **kwargs)


class HostMailRuleInline(_MailRuleInline):
    """The plan that all webinars of the host have, but for those with a plan of their own."""

    fk_name = "host"
    host_path: ClassVar[str] = "pk"
    edit_role: ClassVar[Role] = Role.OWNER


class WebinarMailRuleInline(_MailRuleInline):
    """A webinar's own plan, which stands in the place of its host's."""

    fk_name = "webinar"
    tab = True
    is_of_webinar = True


def session_to_try(subject: models.Model | None) -> Session | None:
    """A session that has the plan of that host or webinar: the next to come, or else the last."""
    if subject is None or subject.pk is None:
        return None
    sessions = Session.objects.scheduled().select_related("webinar")
    if isinstance(subject, Host):
        sessions = sessions.filter(webinar__host=subject, webinar__has_own_mail_rules=False)
    else:
        sessions = sessions.filter(webinar=subject.pk)
    coming = sessions.filter(starts_at__gt=timezone.now()).order_by("starts_at").first()
    return coming or sessions.order_by("-starts_at").first()


def mails_page(session: Session) -> str:
    """Where the plan of its mails is tried out."""
    return reverse("admin:events_session_plan_of_mails", args=[session.pk])


def warn_of_merged(request: HttpRequest, subject: Host | Webinar, rules: Iterable[MailRule]) -> None:
    """Name the mails of a plan that never go out by themselves, and lead to where it can be tried out."""
    pairs = mail_rules.merged(rules)
    if not pairs:
        return
    words = _("“%(second)s” does not go out by itself: it is within 15 minutes of “%(first)s”, which tells both.")
    said = " ".join(str(words % {"first": _full(first), "second": _full(second)}) for first, second in pairs)
    session = session_to_try(subject)
    if session is not None:
        link = '{} <a href="{}" class="text-link">{}</a>'
        said = format_html(link, said, mails_page(session), _("Try out its mails"))
    messages.warning(request, said)


def _full(rule: MailRule) -> str:
    """Reminder: 1 hour before the start."""
    return f"{mail_rules.title(rule)}: {mail_rules.words(rule)}"
