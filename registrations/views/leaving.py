"""Taking away all that is held of oneself, and having it erased: for one registration, by its link."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from registrations import erasure, exports, pages, signup, tokens
from registrations.models import Registration
from registrations.views.responses import manage_path, opened_by, own_zone, private, see_other


@require_GET
@opened_by(tokens.read_manage_token)
def registration_data(request: HttpRequest, own: Registration) -> HttpResponse:
    """Everything that is held of one registration, as a file."""
    return data_file(exports.registration_data(own, now=timezone.now()), filename=f"registration-{own.reference}.json")


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_erase(request: HttpRequest, own: Registration) -> HttpResponse:
    """Ask, and erase once the answer comes. Afterwards the link opens nothing any more."""
    now = timezone.now()
    if request.method != "POST":
        page = pages.registration_page(own, zone=own_zone(request, own), now=now)
        return render(request, "registrations/erase.html", {"page": page})
    try:
        erasure.erase(own, now=now)
    except signup.SignupError as error:
        messages.error(request, str(error))
        return see_other(manage_path(own))
    return see_other(reverse("registration_erased"))


@require_safe
def registration_erased(request: HttpRequest) -> HttpResponse:
    """What comes after erasing: the same for everybody, since nobody is known here any more."""
    return private(render(request, "registrations/erased.html"))


def data_file(data: dict[str, Any], *, filename: str) -> HttpResponse:
    """Data to keep: for people to read, too."""
    return JsonResponse(
        data,
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
