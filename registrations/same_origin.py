"""Refuses forms that other sites send through a visitor's browser, without a token (docs/decisions/0012)."""

import functools
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

# What a browser says of a form that its own user sent from this site, or by hand (Fetch Metadata, W3C).
OWN_FETCH_SITES = {"same-origin", "none"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

View = Callable[..., HttpResponse]


def same_origin_only(view: View) -> View:
    """For a form in a page that is the same for everybody: no token, but no other site may send it.

    Only for views that give nothing to whoever is signed in unless `is_surely_from_here`, so that a forged request
    could do no more than the forger's own. Browsers say where a form comes from (Sec-Fetch-Site, else Origin); a
    program that says neither is let in, since there is nobody behind it whose rights it could borrow. Where a page is
    for some people alone (events/visibility.py) their session's cookie is SameSite=Lax, which no other site's form
    brings along.
    """

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in SAFE_METHODS and not comes_from_here(request):
            return render(request, "403_csrf.html", status=HTTPStatus.FORBIDDEN)
        return view(request, *args, **kwargs)

    return csrf_exempt(checked)


def comes_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that this site's own page sent the request, or says nothing."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in OWN_FETCH_SITES
    origin = request.headers.get("Origin")
    return origin is None or _is_own(origin, request)


def is_surely_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that this site's own page sent the request. A program that says nothing is not sure."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and _is_own(origin, request)


def _is_own(origin: str, request: HttpRequest) -> bool:
    # "null" is no origin: a frame without one, or a page that hides where it comes from. Browsers write an origin in
    # one way alone (RFC 6454 6.2), so that there is nothing to take apart.
    return origin in settings.CSRF_TRUSTED_ORIGINS or origin == f"{request.scheme}://{request.get_host()}"
