"""The site's addresses and a bare view beside them, which passes the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def bare(_request: HttpRequest) -> HttpResponse:
    """A constant: no query, no template."""
    return HttpResponse("Hello")


urlpatterns = [
    path("bare/", bare),
    path("", include("webinar_site.urls")),
]
