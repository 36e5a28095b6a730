"""The admin's door: who enters by it, and where everybody else is led. It takes no password and no code itself."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from events.access import access_of, may_enter


def guard(site: AdminSite) -> None:
    """Hang the door in, once, before the site's addresses are read."""
    welcome = site.index

    def index(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        _say_what_waits(request)
        return welcome(request, extra_context)

    site.has_permission = may_enter  # type: ignore[method-assign]
    # Django's own page would take passwords of whoever is signed in, as many as they like, and ask for no second step.
    site.login = secure_admin_login(_lead_on)  # type: ignore[method-assign]
    site.password_change = _lead_to_password  # type: ignore[method-assign, assignment] # no page of its own
    site.index = index  # type: ignore[method-assign]


def _lead_on(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Where somebody of the staff is led who is signed in: in, or first to the second step that a host demands."""
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    target = target if is_ours else reverse("admin:index")
    if may_enter(request):
        return HttpResponseRedirect(target)
    return HttpResponseRedirect(f"{reverse('second_step')}?{urlencode({REDIRECT_FIELD_NAME: target})}")


def _lead_to_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """To the page that counts how often somebody tries the present one."""
    return HttpResponseRedirect(reverse("account_change_password"))


def _say_what_waits(request: HttpRequest) -> None:
    """Whoever works for several hosts may miss one of them here, and finds out why."""
    if access_of(request).waiting:
        text = _("A host that you work for waits until you have signed in with a second step.")
        link = _("See which, and set it up")
        messages.warning(request, format_html('{} <a href="{}">{}</a>', text, reverse("second_step"), link))
