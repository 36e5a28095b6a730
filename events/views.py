"""Pages that only show: the programme, series, hosts, presenters; and what programs read: robots, colours."""

from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from events import listing, validators
from events.links import absolute
from events.models import Host, Presenter, Series, Webinar
from events.querysets import WebinarQuerySet
from events.reader import reader_zone, remember_zone

# A later page than this is a crawler's mistake, and a slow query.
MAX_PAGE = 10_000
MAX_QUERY_LENGTH = 200
A_YEAR = 365 * 24 * 60 * 60
PRIVATE_PATHS = ["/admin/", "/accounts/", "/registrations/", "/join/", "/my/", "/mailbox/"]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is coming up and what can be watched again, as asked for."""
    now, zone = timezone.now(), reader_zone(request)
    words, language, when = (_asked(request, name) for name in ("q", "lang", "when"))
    webinars = listing.search(Webinar.objects.all(), words=words, language=language)
    filters = {"q": words, "lang": language, "when": when}
    context = {
        "page_url": f"?{urlencode({**filters, 'page': ''})}".removesuffix("page="),
        "programme": listing.programme(webinars, now=now, zone=zone, when=when, page=_page_number(request)),
        "languages": listing.languages(Webinar.objects.all()),
        "zone": zone,
        "words": words,
        "language": language,
        "when": when,
        "is_filtered": bool(words or language or when in {listing.UPCOMING, listing.PAST}),
    }
    return _page(request, "events/home.html", context)


@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    """A series, with its partners and its webinars."""
    subject = get_object_or_404(
        Series.objects.select_related("host")
        .prefetch_related("partnerships__partner")
        .filter(webinars__in=Webinar.objects.reachable())
        .distinct(),
        slug=slug,
    )
    context = {
        "series": subject,
        "partnerships": subject.partnerships.all(),
        "host": subject.host,
        "accent": subject.host.accent,
        **_programme_of(request, Webinar.objects.filter(series=subject)),
    }
    return _page(request, "events/series.html", context)


@require_safe
def host(request: HttpRequest, slug: str) -> HttpResponse:
    """A host and its webinars, with the calendar to subscribe to."""
    subject = get_object_or_404(Host, slug=slug)
    context = {
        "host": subject,
        "accent": subject.accent,
        **_subscription(absolute(reverse("host_calendar", args=[subject.slug]))),
        **_programme_of(request, Webinar.objects.filter(host=subject)),
    }
    return _page(request, "events/host.html", context)


@require_safe
def presenter(request: HttpRequest, slug: str) -> HttpResponse:
    """A presenter, and where they appear. There is no page before the first webinar with them is published."""
    subject = get_object_or_404(
        Presenter.objects.select_related("host")
        .prefetch_related("affiliations")
        .filter(appearances__webinar__in=Webinar.objects.reachable())
        .distinct(),
        slug=slug,
    )
    context = {
        "presenter": subject,
        "host": subject.host,
        "accent": subject.host.accent,
        **_programme_of(request, Webinar.objects.filter(pk__in=subject.appearances.values("webinar"))),
    }
    return _page(request, "events/presenter.html", context)


@require_safe
def theme(request: HttpRequest, accent: str) -> HttpResponse:
    """The stylesheet of one accent colour. Its address names the colour, so it never changes."""
    response = HttpResponse(f":root{{--accent:#{accent}}}\n", content_type="text/css; charset=utf-8")
    patch_cache_control(response, public=True, max_age=A_YEAR, immutable=True)
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What programs that crawl should leave alone, and where the list of pages is."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE_PATHS),
        f"Sitemap: {absolute(reverse('sitemap'))}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _subscription(feed_url: str) -> dict[str, str]:
    """The feed's address in the form that makes a calendar program subscribe instead of taking a copy."""
    webcal_url = f"webcal://{feed_url.split('://', 1)[1]}"
    return {
        "webcal_url": webcal_url,
        "google_url": f"https://calendar.google.com/calendar/r?cid={quote(webcal_url, safe='')}",
    }


def _programme_of(request: HttpRequest, webinars: WebinarQuerySet) -> dict[str, Any]:
    zone = reader_zone(request)
    shown = listing.programme(webinars, now=timezone.now(), zone=zone, page=_page_number(request))
    return {"programme": shown, "zone": zone, "page_url": "?"}


def _asked(request: HttpRequest, name: str) -> str:
    """What the address asks for, in letters that a database takes: PostgreSQL knows no NUL."""
    return validators.single_line(request.GET.get(name, "")[:MAX_QUERY_LENGTH])


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    remember_zone(request, response)
    return response
