"""Stylesheets that are written, not kept."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from events.freshness import keep_for_good


@require_safe
def theme(request: HttpRequest, accent: str) -> HttpResponse:
    """The stylesheet of one accent colour. Its address names the colour, so it never changes."""
    response = HttpResponse(f":root{{--accent:#{accent}}}\n", content_type="text/css; charset=utf-8")
    keep_for_good(response)
    return response
