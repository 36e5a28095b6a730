"""How pages about one's own registration are answered."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from events import timezones
from events.reader import PARAMETER, reader_zone
from registrations import tokens
from registrations.models import Registration


def private(response: HttpResponse) -> HttpResponse:
    """Nothing keeps or finds the page: neither caches nor search engines."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def see_other(path: str) -> HttpResponse:
    """Answer a post with the address to look at (RFC 9110 15.4.4)."""
    response = HttpResponseRedirect(path)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def own_zone(request: HttpRequest, own: Registration) -> str:
    """The zone chosen on this page for this once, else the registration's own, else what else is known."""
    chosen = reader_zone(request) if PARAMETER in request.GET else None
    return chosen or own.time_zone or reader_zone(request) or timezones.canonical_name(own.session.time_zone)


def manage_path(own: Registration) -> str:
    return reverse("registration", args=[tokens.manage_token(own)])
