"""What is answered instead of a page: where it is now, that it is gone, or that there never was one."""

from http import HTTPStatus
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import requires_csrf_token

from events import content_policy
from events.addresses import Whereabouts, whereabouts
from events.reader import reader_zone
from events.related import coming_webinars
from events.views.entrance import before_moving


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """301, 308, 410 or 404, and 403 where a page moved that is not for everybody.

    Former addresses are the same in every language.
    """
    found = whereabouts(request.path_info.removeprefix(_prefix(request)))
    try:
        stopped = before_moving(request, found)
    except Http404:
        stopped = found = None
    if stopped is not None:
        return stopped
    if found is not None and not found.is_gone:
        response = _moved(request, found)
    elif _is_for_frames(request):
        response = render(request, "events/embed_gone.html", {"is_gone": found is not None}, status=_status(found))
    else:
        response = _dead_end(request, found)
    if _is_for_frames(request):
        # A partner's readers would see their browser's picture of something broken instead.
        content_policy.allow(response, "frame-ancestors", "*")
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Browsers keep these for as long as they like (RFC 9110 15.1), and an address may come back: where one changed and
    # was changed back, both would lead to the other for ever.
    patch_cache_control(response, no_cache=True)
    return response


def _moved(request: HttpRequest, found: Whereabouts) -> HttpResponse:
    """Where it is now, with everything that was asked; what was sent is sent again there (RFC 9110 15.4.9)."""
    query = request.META["QUERY_STRING"]
    return HttpResponsePermanentRedirect(
        f"{_prefix(request)}{quote(found.path)}{f'?{query}' if query else ''}",
        preserve_request=request.method not in {"GET", "HEAD"},
    )


def _dead_end(request: HttpRequest, found: Whereabouts | None) -> HttpResponse:
    """That there is nothing, or nothing any more, with a search and what is coming up."""
    template = "404.html" if found is None else "410.html"
    coming = coming_webinars(now=timezone.now(), zone=reader_zone(request))
    return render(request, template, {"coming": coming}, status=_status(found))


def _status(found: Whereabouts | None) -> HTTPStatus:
    return HTTPStatus.NOT_FOUND if found is None else HTTPStatus.GONE


def _is_for_frames(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.url_name == "webinar_embed"


def _prefix(request: HttpRequest) -> str:
    """The language in front of the path: "/ar", or nothing for the site's own."""
    code = request.path_info.split("/")[1]
    return f"/{code}" if code in dict(settings.LANGUAGES) and code != settings.LANGUAGE_CODE else ""
