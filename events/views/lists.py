"""Lists of webinars: all of them, as asked for, and those of a series, a host or a presenter."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from events import listing, search, validators, visibility
from events.calendar_links import subscription_links
from events.forms import FilterForm
from events.freshness import share
from events.links import absolute
from events.models import Host, Series, Webinar
from events.querysets import WebinarQuerySet
from events.reader import PARAMETER, reader_zone, remember_zone
from events.syndication import structured_data

# A later page than this is a crawler's mistake, and a slow query.
MAX_PAGE = 10_000
MAX_QUERY_LENGTH = 200


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is coming up and what can be watched again, as asked for."""
    now, zone = timezone.now(), reader_zone(request)
    offered = listing.offered(Webinar.objects.all())
    form = FilterForm(
        {name: _asked(request, name) for name in FilterForm.base_fields},
        series=offered.series,
        hosts=offered.hosts,
        languages=offered.languages,
    )
    asked = form.asked
    webinars = _wanted(form.cleaned_data, offered, zone)
    shown = listing.programme(
        webinars,
        now=now,
        zone=zone,
        when=form.cleaned_data["when"],
        day=form.cleaned_data.get("day"),
        page=_page_number(request),
    )
    kept = {name: str(form.cleaned_data[name]) for name in asked}
    context = {
        "form": form,
        "programme": shown,
        "zone": zone,
        "page_url": _page_url(request, **kept),
        "asked": [
            (words, f"?{urlencode({key: value for key, value in kept.items() if key != name})}")
            for name, words in asked.items()
        ],
        "words": kept.get("q", ""),
    }
    return _list_page(request, "events/home.html", context)


@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    """A series, with its partners and its webinars."""
    subject = get_object_or_404(
        Series.objects.reachable().select_related("host").prefetch_related("partnerships__partner"), slug=slug
    )
    context = {
        "series": subject,
        "partnerships": subject.partnerships.all(),
        "host": subject.host,
        "accent": subject.host.accent,
        **subscription_links(absolute(reverse("series_calendar", args=[subject.slug]))),
        **_programme_of(request, Webinar.objects.filter(series=subject)),
    }
    shown = context["programme"]
    event = structured_data.series_event(
        subject,
        context["partnerships"],
        [row.webinar for row in (*shown.upcoming, *shown.past)],
        now=timezone.now(),
    )
    context["structured_data"] = structured_data.as_script(event)
    return _list_page(request, "events/series.html", context)


@require_safe
def host(request: HttpRequest, slug: str) -> HttpResponse:
    """A host and its webinars, with the calendar to subscribe to."""
    subject = get_object_or_404(Host, slug=slug)
    context = {
        "host": subject,
        "accent": subject.accent,
        **subscription_links(absolute(reverse("host_calendar", args=[subject.slug]))),
        **_programme_of(request, Webinar.objects.filter(host=subject)),
    }
    return _list_page(request, "events/host.html", context)


@require_safe
def presenter(request: HttpRequest, slug: str) -> HttpResponse:
    """A presenter, and where they appear: no page before a webinar with them is published that everybody may see."""
    subject = get_object_or_404(
        visibility.presenters_with_page().select_related("host").prefetch_related("affiliations"), slug=slug
    )
    context = {
        "presenter": subject,
        "host": subject.host,
        "accent": subject.host.accent,
        **_programme_of(request, Webinar.objects.filter(pk__in=subject.appearances.values("webinar"))),
    }
    return _list_page(request, "events/presenter.html", context)


def _wanted(cleaned: dict[str, Any], offered: listing.Offered, zone: str | None) -> WebinarQuerySet:
    """The webinars that the filter asks for. A part of it that is wrong asks for nothing."""
    webinars = Webinar.objects.all()
    if cleaned.get("q"):
        webinars = search.find(webinars, cleaned["q"])
    for name, lookup in (("series", "series__slug"), ("host", "host__slug"), ("lang", "language")):
        if cleaned.get(name):
            webinars = webinars.filter(**{lookup: cleaned[name]})
    if cleaned.get("day"):
        webinars = listing.on_day(webinars, cleaned["day"], zone=zone, host_zones=offered.zones)
    return webinars


def _programme_of(request: HttpRequest, webinars: WebinarQuerySet) -> dict[str, Any]:
    zone = reader_zone(request)
    shown = listing.programme(webinars, now=timezone.now(), zone=zone, page=_page_number(request))
    return {"programme": shown, "zone": zone, "page_url": _page_url(request)}


def _page_url(request: HttpRequest, **kept: str) -> str:
    """What the address of a page of the same list begins with; its number follows."""
    # Whoever takes no cookies has the zone in the address alone.
    chosen = {PARAMETER: zone} if PARAMETER in request.GET and (zone := reader_zone(request)) else {}
    return f"?{urlencode({**kept, **chosen, 'page': ''})}"


def _asked(request: HttpRequest, name: str) -> str:
    """What the address asks for, in letters that a database takes: PostgreSQL knows no NUL."""
    return validators.single_line(request.GET.get(name, "")[:MAX_QUERY_LENGTH])


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _list_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    remember_zone(request, response)
    share(response, until=context["programme"].changes_at)
    return response
