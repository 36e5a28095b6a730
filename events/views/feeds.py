"""What to subscribe to: calendars of sessions, and news of webinars in Atom (RFC 4287)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html
from django.utils.http import http_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from events import formats, freshness, ical, visibility
from events.choices import main_session
from events.links import absolute, site_host
from events.models import Host, Series, Session, Webinar
from events.querysets import SessionQuerySet, WebinarQuerySet

CACHE_SECONDS = 300
# What was published lately stays in the news, though it may be over.
NEW_FOR = timedelta(days=30)
MOST_ENTRIES = 50


@require_safe
@conditional_page
def webinar_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """All sessions of one webinar, as a file. It is a copy: only an invite or the host's calendar follows changes."""
    webinar = get_object_or_404(Webinar.objects.published().select_related("host"), slug=slug)
    if not visibility.may_see(webinar, request):
        raise Http404
    sessions = Session.objects.filter(webinar=webinar).select_related("webinar")
    events = _events(sessions, now=timezone.now())
    if not events:
        raise Http404
    calendar = ical.publish(events, name=webinar.title, organizer=_organizer(webinar.host))
    response = _calendar(calendar)
    response["Content-Disposition"] = f'attachment; filename="{webinar.slug}.ics"'
    return freshness.keep_private(response) if webinar.is_restricted else response


@require_safe
@conditional_page
def host_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The sessions of a host's listed webinars, to subscribe to: those to come and those of the last month."""
    host = get_object_or_404(Host, slug=slug)
    return _subscribed(Webinar.objects.filter(host=host), name=host.name, host=host)


@require_safe
@conditional_page
def series_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The same of a series. There is none before its first webinar is published."""
    series = _series(slug)
    return _subscribed(Webinar.objects.filter(series=series), name=series.title, host=series.host)


@require_safe
@conditional_page
def feed(request: HttpRequest) -> HttpResponse:
    """News of the site's webinars: those that are coming, and those that were published lately."""
    return _news(
        Webinar.objects.all(),
        title=_("Webinars"),
        page=reverse("home"),
        address=reverse("feed"),
        subtitle=_("Webinars that are coming, and those that were published lately."),
    )


@require_safe
@conditional_page
def host_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """News of one host's webinars."""
    host = get_object_or_404(Host, slug=slug)
    return _news(
        Webinar.objects.filter(host=host),
        title=host.name,
        page=host.get_absolute_url(),
        address=reverse("host_feed", args=[host.slug]),
        subtitle=host.about,
    )


class NewsFeed(Atom1Feed):
    """Atom whose entries say in which language they are, and which says the same until something changes."""

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        return {"xml:lang": item["language"]}

    def latest_post_date(self) -> datetime:
        """When anything in it changed last. Django says now of an empty feed, which were news to every reader."""
        dates: list[datetime] = [item["updateddate"] for item in self.items]
        return max(dates, default=timezone.now().replace(hour=0, minute=0, second=0, microsecond=0))


def _news(webinars: WebinarQuerySet, *, title: str, page: str, address: str, subtitle: str) -> HttpResponse:
    """Two queries, however many webinars."""
    now = timezone.now()
    news = NewsFeed(
        title=title,
        link=absolute(page),
        description=subtitle,
        subtitle=subtitle,
        language=get_language(),
        feed_url=absolute(address),
        feed_guid=absolute(address),
    )
    fresh = webinars.listed().in_the_news(now, new_for=NEW_FOR).select_related("host", "series")
    for webinar in fresh.prefetch_related("sessions")[:MOST_ENTRIES]:
        _add_entry(news, webinar, now)
    response = HttpResponse(news.writeString("utf-8"), content_type=NewsFeed.content_type)
    response["Last-Modified"] = http_date(news.latest_post_date().timestamp())
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response


def _add_entry(news: NewsFeed, webinar: Webinar, now: datetime) -> None:
    session = main_session(list(webinar.sessions.all()), now)
    news.add_item(
        title=webinar.title,
        link=absolute(webinar.get_absolute_url()),
        # Made of what never changes, so that readers know it again under a new title or address (RFC 4151).
        unique_id=f"tag:{site_host()},{webinar.created_at:%Y-%m-%d}:webinar/{webinar.pk}",
        description=format_html("<p>{}</p><p>{}</p>", _when(webinar, session), webinar.summary),
        author_name=webinar.host.name,
        author_link=absolute(webinar.host.get_absolute_url()),
        categories=[webinar.series.title] if webinar.series else [],
        pubdate=webinar.created_at,
        updateddate=webinar.changed_at,  # type: ignore[attr-defined]
        language=webinar.language,
    )


def _when(webinar: Webinar, session: Session | None) -> str:
    if session is None:
        return _("There is no date yet.")
    zone = webinar.host.time_zone
    date = formats.long_date(session.starts_at, zone)
    time = formats.place_time(session.starts_at, zone)
    if session.is_called_off:
        return _("Cancelled: %(date)s, %(time)s") % {"date": date, "time": time}
    return _("%(date)s, %(time)s") % {"date": date, "time": time}


def _series(slug: str) -> Series:
    return get_object_or_404(Series.objects.reachable().select_related("host"), slug=slug)


def _subscribed(webinars: WebinarQuerySet, *, name: str, host: Host) -> HttpResponse:
    now = timezone.now()
    sessions: SessionQuerySet = Session.objects.filter(
        webinar__in=webinars.listed(), ends_at__gt=now - ical.CANCELLED_KEPT
    ).select_related("webinar")
    return _calendar(ical.publish(_events(sessions, now=now), name=name, organizer=_organizer(host)))


def _events(sessions: Iterable[Session], *, now: datetime) -> list[ical.PublishedEvent]:
    return [
        _event(session, dtstamp=session.revised_at)
        for session in sessions
        if ical.is_published(is_cancelled=session.is_cancelled, revised_at=session.revised_at, now=now)
    ]


def _event(session: Session, *, dtstamp: datetime) -> ical.PublishedEvent:
    webinar = session.webinar
    url = absolute(webinar.get_absolute_url())
    return ical.PublishedEvent(
        uid=session.uid,
        sequence=session.sequence,
        dtstamp=dtstamp,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        summary=webinar.title,
        description=_description(session, url),
        location=_("Online"),
        url=url,
        is_cancelled=session.is_cancelled,
    )


def _description(session: Session, url: str) -> str:
    """What it is about and, unless it was called off, where to register."""
    summary = session.webinar.summary
    if session.is_cancelled:
        return summary
    return _("%(summary)s\n\nRegister: %(url)s") % {"summary": summary, "url": url}


def _organizer(host: Host) -> ical.Organizer:
    return ical.Organizer(name=host.name, email=host.organizer_email)


def _calendar(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response
