"""One's own calendar: making its address, and the calendar that programs read there."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from events import freshness
from events.models import User
from registrations import own_calendar, tokens
from registrations.views.responses import private, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def my_calendar(request: HttpRequest) -> HttpResponse:
    """Make the address of one's own calendar, make it anew, or take it away; the link alone does nothing."""
    user = cast("User", request.user)
    match request.POST.get("act"):
        case "make":
            own_calendar.make(user, now=timezone.now())
            messages.success(request, _("Your calendar has an address now. Subscribe to it below."))
        case "renew":
            own_calendar.make_anew(user, now=timezone.now())
            messages.success(
                request, _("Your calendar has a new address, and the old one has ended. Subscribe again below.")
            )
        case "stop":
            own_calendar.take_away(user)
            messages.success(request, _("The address of your calendar has ended. Nobody can read it any more."))
    return private(see_other(reverse("my_webinars")))


@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """One's own registrations as a calendar to subscribe to. Two statements, whether or not anything has changed.

    Programs go on asking at an address that has ended: they meet a page without what is coming up, which costs nothing.
    """
    try:
        addresses = own_calendar.addresses_behind(token)
    except tokens.BadTokenError:
        return private(render(request, "404.html", status=404))
    name = _("My webinars")
    mine = own_calendar.entries(addresses, now=timezone.now())
    response = freshness.keep_for_owner(HttpResponse(content_type="text/calendar; charset=utf-8"))
    return freshness.unless_known(
        request,
        response,
        etag=own_calendar.etag(mine, name=name),
        make=lambda: own_calendar.written(mine, name=name),
    )
