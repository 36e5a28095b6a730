"""One's account: how one signs in, what a host asks for, and what is said to whoever tries too often."""

from http import HTTPStatus
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from events.access import access_of, has_second_step
from events.models import Host, User
from registrations import sign_in_limits
from registrations.views.responses import private

# Where somebody was going whom a host sent to set up a second step.
WAY_BACK = "second_step_for"


@require_safe
@login_required
def my_account(request: HttpRequest) -> HttpResponse:
    """Every way in that the reader has, and what they may add."""
    user = cast("User", request.user)
    addresses = EmailAddress.objects.filter(user=user).order_by("-primary", "email")
    context = {
        "addresses": addresses,
        "are_proved": all(address.verified for address in addresses),
        "passkeys": Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk"),
        "has_second_step": has_second_step(user),
        "demanding": Host.objects.filter(members=user, requires_second_factor=True),
        "has_providers": apps.is_installed("allauth.socialaccount"),
    }
    return private(render(request, "account/account.html", context))


@require_safe
@login_required
def second_step(request: HttpRequest) -> HttpResponse:
    """Which hosts wait for a second step, and how to take it. Leads on to where the reader was going if none waits."""
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        request.session[WAY_BACK] = target
    access = access_of(request)
    if not access.waiting:
        return HttpResponseRedirect(request.session.pop(WAY_BACK, None) or _start(request))
    user = cast("User", request.user)
    ways = get_adapter().get_reauthentication_methods(user)
    context = {
        "demanding": Host.objects.filter(pk__in=access.waiting),
        "has_second_step": has_second_step(user),
        "ways": [way for way in ways if way["id"] != "reauthenticate"],
        "has_other_hosts": bool(access.roles),
    }
    return private(render(request, "account/second_step.html", context))


@requires_csrf_token
def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429, with the time at which allauth takes another try."""
    refusal = sign_in_limits.refuse(request)
    kept = _("Nothing that you typed was used.")
    response = render(request, "429.html", {"words": f"{refusal} {kept}"}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = refusal.header
    return response


def _start(request: HttpRequest) -> str:
    return reverse("admin:index" if request.user.is_staff else "my_account")
