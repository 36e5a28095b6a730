"""The site's addresses and a bare view beside them, which passes the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from webinar_site.urls import urlpatterns as site_urlpatterns


def bare(_request: HttpRequest) -> HttpResponse:
    """A constant: no query, no template."""
    return HttpResponse("Hello")


# Not included: addresses with a language in front must stand in the root.
urlpatterns = [path("bare/", bare), *site_urlpatterns]
