"""What to subscribe to: calendars of sessions, and news of webinars in Atom (RFC 4287)."""

from collections.abc import Callable
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

from events import calendars, formats, freshness, ical, visibility
from events.choices import main_session
from events.links import absolute, site_host
from events.models import Host, Series, Session, Webinar
from events.querysets import WebinarQuerySet

CACHE_SECONDS = 300
# What was published lately stays in the news, though it may be over.
NEW_FOR = timedelta(days=30)
MOST_ENTRIES = 50


@require_safe
@conditional_page
def webinar_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """All sessions of one webinar, as a file. It is a copy, and says so: invites and subscriptions follow changes."""
    webinar = get_object_or_404(Webinar.objects.published().select_related("host"), slug=slug)
    if not visibility.may_see(webinar, request):
        raise Http404
    sessions = Session.objects.to_copy(timezone.now()).filter(webinar=webinar).select_related("webinar")
    events = [_event(session, describe=_description_of_a_copy) for session in sessions]
    if not events:
        raise Http404
    response = _calendar()
    response.content = ical.copy(events, organizer=_organizer(webinar.host))
    response["Content-Disposition"] = f'attachment; filename="{webinar.slug}.ics"'
    return freshness.keep_private(response) if webinar.is_restricted else response


@require_safe
def webinar_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """The sessions of a listed webinar, to subscribe to: those to come and those of the last month."""
    now = timezone.now()
    webinar = get_object_or_404(calendars.webinars(now), slug=slug)
    return _subscribed(request, webinar, name=webinar.title, host=webinar.host, now=now)


@require_safe
def host_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The same of all listed webinars of a host."""
    now = timezone.now()
    host = get_object_or_404(calendars.hosts(now), slug=slug)
    return _subscribed(request, host, name=host.name, host=host, now=now)


@require_safe
def series_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The same of a series. There is none before its first webinar is published."""
    now = timezone.now()
    series = get_object_or_404(calendars.series(now), slug=slug)
    return _subscribed(request, series, name=series.title, host=series.host, now=now)


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


def _subscribed(
    request: HttpRequest, subject: Host | Series | Webinar, *, name: str, host: Host, now: datetime
) -> HttpResponse:
    """One statement, of which the subject comes, where the reader has it already; else one more."""
    organizer, source = _organizer(host), absolute(request.path)

    def make() -> bytes:
        events = [_event(session, describe=_description) for session in calendars.sessions_of(subject, now=now)]
        return ical.feed(events, name=name, organizer=organizer, source=source)

    etag = freshness.etag_of(ical.FORMAT, get_language(), source, name, organizer, *calendars.made_of(subject))
    return freshness.unless_known(request, _calendar(), etag=etag, make=make)


def _event(session: Session, *, describe: Callable[[Session, str], str]) -> ical.PublishedEvent:
    webinar = session.webinar
    url = absolute(webinar.get_absolute_url())
    return ical.PublishedEvent(
        uid=session.uid,
        sequence=session.sequence,
        dtstamp=session.revised_at,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        summary=webinar.title,
        description=describe(session, url),
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


def _description_of_a_copy(session: Session, url: str) -> str:
    """The same, and that nothing will move it: an entry outlives the page that said so."""
    said = _description(session, url)
    if session.is_cancelled:
        return said
    return _("%(description)s\n\nThis entry is a copy: it does not move by itself when the session moves.") % {
        "description": said
    }


def _organizer(host: Host) -> ical.Organizer:
    return ical.Organizer(name=host.name, email=host.organizer_email)


def _calendar() -> HttpResponse:
    """An answer that is to have a calendar in it."""
    response = HttpResponse(content_type="text/calendar; charset=utf-8")
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response
