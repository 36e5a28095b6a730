"""How pages about one's own registration are answered."""

import functools
from collections.abc import Callable
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from events import freshness, timezones
from events.reader import PARAMETER, reader_zone
from registrations import tokens
from registrations.models import Registration

OwnView = Callable[[HttpRequest, Registration], HttpResponse]


def opened_by(read: Callable[[str], Registration]) -> Callable[[OwnView], Callable[..., HttpResponse]]:
    """Open a view with a token. One that was tampered with is a page that does not exist, which says nothing."""

    def decorate(view: OwnView) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            try:
                own = read(token)
            except tokens.BadTokenError as error:
                raise Http404 from error
            return private(view(request, own))

        return opened

    return decorate


def private(response: HttpResponse) -> HttpResponse:
    """Nothing keeps or finds the page: neither caches nor search engines."""
    return freshness.keep_private(response)


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
