"""The doctor's page in the admin, for superusers.

To open it makes the quick checks, and shows what the others last saw with its age. These are made when somebody presses
the button.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from events.access import access_of
from events.admin.wording import ago
from events.email_addresses import MAX_LENGTH, address_key, check_email
from registrations import probes
from webinar_site.doctor import examining
from webinar_site.doctor.examining import Look
from webinar_site.doctor.seen import Light, Line, Seen, worst

# What the two buttons send.
LOOK_AGAIN, SEND_INVITE = "look_again", "send_invite"


class InviteForm(forms.Form):
    """To whom the invite goes, and from which of the site's addresses."""

    to_email = forms.CharField(
        label=_("Your address"),
        max_length=MAX_LENGTH,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "dir": "ltr"}),
        help_text=_("One whose calendar you can answer in."),
    )

    def __init__(self, *args: Any, senders: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.senders = senders
        self.fields["sender_email"] = forms.ChoiceField(
            label=_("Sent from"),
            choices=[(sender, sender) for sender in senders],
            widget=UnfoldAdminSelectWidget,
        )

    def clean_to_email(self) -> str:
        to_email: str = self.cleaned_data["to_email"]
        check_email(to_email)
        if address_key(to_email) in self.senders:
            raise ValidationError(_("The invite would be from this address to itself. Take another of yours."))
        return to_email


@dataclass(frozen=True)
class Shown:
    """A check as the page has it: what was seen, in lines, and how long ago where it was not just now."""

    topic: str
    name: str
    light: Light
    what: list[str]
    to_do: list[str]
    age: str


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    if not access_of(request).is_superuser:
        raise PermissionDenied
    now = timezone.now()
    look = Look(now=now)
    if request.method == "POST" and LOOK_AGAIN in request.POST:
        examining.keep(examining.examine(look))
        messages.success(request, _("The doctor has looked at everything again."))
        return HttpResponseRedirect(reverse("doctor"))
    form = InviteForm(
        request.POST if SEND_INVITE in request.POST else None,
        senders=look.senders.present,
        initial={"to_email": getattr(request.user, "email", "")},
    )
    if form.is_bound and form.is_valid():
        probes.send(form.cleaned_data["to_email"], sender_email=form.cleaned_data["sender_email"], now=now)
        messages.success(request, _("An invite is on its way to you. Accept it in your calendar."))
        return HttpResponseRedirect(reverse("doctor"))
    return _shown(request, look, form)


def _shown(request: HttpRequest, look: Look, form: InviteForm) -> HttpResponse:
    seen = {**examining.kept(), **{line.topic: line for line in examining.examine_quickly(look)}}
    lines = [_line(check.topic, str(check.name), seen.get(check.topic), look.now) for check in examining.CHECKS]
    # What does not work comes first; the others in the order in which mail goes its way.
    lines.sort(key=lambda line: _URGENCY.index(line.light))
    light = worst([line.light for line in lines])
    context = {
        **admin.site.each_context(request),
        "title": _("Doctor"),
        "lines": lines,
        "red": [line for line in lines if line.light == Light.RED],
        "light": light,
        "verdict": _VERDICTS[light],
        "form": form,
        "look_again": LOOK_AGAIN,
        "send_invite": SEND_INVITE,
    }
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, "admin/doctor.html", context, status=status)


_VERDICTS = {
    Light.GREEN: _("All is as it must be."),
    Light.AMBER: _("It runs, and somebody should look at what is amber."),
    Light.RED: _("Something does not work:"),
}
_URGENCY = (Light.RED, Light.AMBER, Light.GREEN)


def _line(topic: str, name: str, line: Line | None, now: datetime) -> Shown:
    """The check; one that was never made is amber."""
    if line is None:
        seen = Seen(Light.AMBER, str(_("Nobody has looked at this yet.")), str(_("Press “Look at everything again”.")))
        line = Line(topic, name, seen, now)
    return Shown(
        topic=topic,
        name=name,
        light=line.seen.light,
        what=line.seen.what.splitlines(),
        to_do=line.seen.to_do.splitlines(),
        age=ago(now - line.looked_at) if line.looked_at < now else "",
    )
