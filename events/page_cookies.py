"""Cookies for the pages of one webinar alone, in every language.

Each language has its own path, and an answer sets one cookie of a name: so each has a name of its own, too.
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override

from events.models import Webinar


def set_cookie(response: HttpResponse, webinar: Webinar, name: str, value: str, *, kept_for: timedelta) -> None:
    """Have the browser send it along when it asks for the webinar's page or those below it. No script may read it."""
    for code, _language in settings.LANGUAGES:
        with override(code):
            path = webinar.get_absolute_url()
        response.set_cookie(
            _name_in(code, name),
            value,
            max_age=kept_for,
            path=path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def values_of_cookie(request: HttpRequest, name: str) -> list[str]:
    """What the browser sent along under that name, in whichever languages."""
    names = [_name_in(code, name) for code, _language in settings.LANGUAGES]
    return [request.COOKIES[each] for each in names if each in request.COOKIES]


def _name_in(language: str, name: str) -> str:
    return f"{name}-{language}"
