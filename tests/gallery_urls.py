"""The site's addresses, and a few more that show what happens when something goes wrong."""

from typing import NoReturn

from django.conf.urls.i18n import i18n_patterns
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest
from django.urls import path

from webinar_site import urls as site
from webinar_site.urls import *  # noqa: F403 - its handlers of errors too


def breaks(request: HttpRequest) -> NoReturn:
    raise ZeroDivisionError


def forbids(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


def suspects(request: HttpRequest) -> NoReturn:
    raise SuspiciousOperation


urlpatterns = [
    *i18n_patterns(
        path("gallery/400/", suspects),
        path("gallery/403/", forbids),
        path("gallery/500/", breaks),
        prefix_default_language=False,
    ),
    *site.urlpatterns,
]
