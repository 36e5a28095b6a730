"""The organizers' pages of the catalogue, a file for each thing that an organizer would name."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from events.admin import addresses, hosts, offers, presenters, series, sessions, users, webinars

__all__ = ["addresses", "hosts", "offers", "presenters", "series", "sessions", "users", "webinars"]


def _nowhere(request: HttpRequest, **_rest: Any) -> HttpResponse:
    raise Http404


def _closed_doors() -> list[URLPattern]:
    """Django's way to any object's page by its id, which tells the addresses of others' drafts; nothing needs it."""
    return [path("r/<path:rest>", _nowhere)]


admin.site.extra_urls = _closed_doors  # type: ignore[attr-defined] # Unfold's own hook, declared nowhere
