"""What the site knows about the reader: the zone in which they want to see times."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from events import timezones

PARAMETER = "tz"
COOKIE = "tz"
COOKIE_SECONDS = 365 * 24 * 60 * 60


def reader_zone(request: HttpRequest) -> str | None:
    """The IANA name that the reader chose, on this page or before, under its present name; None when nobody knows."""
    return chosen_zone(request.GET) or _known(request.COOKIES.get(COOKIE))


def chosen_zone(asked: Mapping[str, str]) -> str | None:
    """The zone that an address or a form asks for; None where it asks for none, or for none that is known."""
    return _known(asked.get(PARAMETER))


def remember_zone(request: HttpRequest, response: HttpResponse, *, chosen: str | None = None) -> None:
    """Keep the zone chosen on this page, or `chosen`, for the next one, and forget a remembered one that is none."""
    patch_vary_headers(response, ["Cookie"])
    chosen, remembered = chosen or chosen_zone(request.GET), request.COOKIES.get(COOKIE)
    if chosen and chosen != remembered:
        # A script writes it too (enhance.js), so scripts may read it.
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(COOKIE, chosen, max_age=COOKIE_SECONDS, secure=secure, samesite="Lax")
    elif remembered and not chosen and _known(remembered) is None:
        response.delete_cookie(COOKIE, samesite="Lax")


def _known(name: str | None) -> str | None:
    # A script writes the cookie as it is; some browsers escape the stroke.
    name = (name or "").replace("%2F", "/")
    return timezones.canonical_name(name) if timezones.is_known(name) else None
