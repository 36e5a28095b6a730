"""The site's addresses, and a few more that show what happens when something goes wrong."""

from http import HTTPStatus
from typing import NoReturn

from django.conf.urls.i18n import i18n_patterns
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from events.landing import get_webinar
from registrations import views
from registrations.forms import RegistrationForm
from webinar_site import urls as site
from webinar_site.urls import *  # noqa: F403 - its handlers of errors too


def breaks(request: HttpRequest) -> NoReturn:
    raise ZeroDivisionError


def forbids(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


def suspects(request: HttpRequest) -> NoReturn:
    raise SuspiciousOperation


def refuses(request: HttpRequest, slug: str) -> HttpResponse:
    """What somebody meets whose place was taken between the form's own look and the act: a race, without racing."""
    form = RegistrationForm(get_webinar(slug), None, {"name": "Anna", "email": "anna@example.org"}, now=timezone.now())
    form.is_valid()
    form.refuse("The last place was taken a moment ago.")
    return views._register_again(request, form, status=HTTPStatus.CONFLICT)


urlpatterns = [
    *i18n_patterns(
        path("gallery/400/", suspects),
        path("gallery/403/", forbids),
        path("gallery/409/<slug:slug>/", refuses),
        path("gallery/500/", breaks),
        prefix_default_language=False,
    ),
    *site.urlpatterns,
]
