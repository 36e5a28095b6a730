"""What is answered instead of a page: where it is now, that it is gone, that there never was one, or not so fast."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language_from_path
from django.views.decorators.csrf import requires_csrf_token

from events.addresses import Whereabouts, whereabouts
from events.landing import coming_webinars
from events.reader import reader_zone

# Seconds. What is limited for longer (a code that was typed wrong too often) says so in its form.
TRIES_COUNT_FOR = 60


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """301, 410 or 404, with a search and what is coming up. Former addresses are the same in every language."""
    found = _whereabouts(request)
    if found is not None and not found.is_gone:
        query = request.META["QUERY_STRING"]
        return HttpResponsePermanentRedirect(f"{_prefix(request)}{found.path}{f'?{query}' if query else ''}")
    template, status = ("404.html", HTTPStatus.NOT_FOUND) if found is None else ("410.html", HTTPStatus.GONE)
    coming = coming_webinars(now=timezone.now(), zone=reader_zone(request))
    return render(request, template, {"coming": coming}, status=status)


@requires_csrf_token
def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429 for the sign-in pages: every limit that ends here counts the tries of one minute."""
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(TRIES_COUNT_FOR)
    return response


def _whereabouts(request: HttpRequest) -> Whereabouts | None:
    """Only for reading: whoever sends something is better told that it did not arrive."""
    if request.method not in {"GET", "HEAD"}:
        return None
    return whereabouts(request.path_info.removeprefix(_prefix(request)))


def _prefix(request: HttpRequest) -> str:
    """The language in front of the path: "/ar", or nothing for the site's own."""
    return f"/{request.path_info.split('/')[1]}" if get_language_from_path(request.path_info) else ""
