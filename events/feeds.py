"""Calendars to download and to subscribe to: what anybody may know of a webinar's or a host's sessions."""

from collections.abc import Iterable
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from events import ical
from events.links import absolute
from events.models import Host, Session, Webinar

CACHE_SECONDS = 300


@require_safe
@conditional_page
def webinar_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """All sessions of one webinar, as a file. It is a copy: only an invite or the host's calendar follows changes."""
    webinar = get_object_or_404(Webinar.objects.reachable().select_related("host"), slug=slug)
    sessions = Session.objects.filter(webinar=webinar).select_related("webinar")
    events = _events(sessions, now=timezone.now())
    if not events:
        raise Http404
    calendar = ical.publish(events, name=webinar.title, organizer=_organizer(webinar.host))
    response = _calendar(calendar)
    response["Content-Disposition"] = f'attachment; filename="{webinar.slug}.ics"'
    return response


@require_safe
@conditional_page
def host_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The sessions of a host's listed webinars, to subscribe to: those to come and those of the last month."""
    host = get_object_or_404(Host, slug=slug)
    now = timezone.now()
    sessions = Session.objects.filter(
        webinar__in=Webinar.objects.listed().filter(host=host), ends_at__gt=now - ical.CANCELLED_KEPT
    ).select_related("webinar")
    return _calendar(ical.publish(_events(sessions, now=now), name=host.name, organizer=_organizer(host)))


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
        description=_("%(summary)s\n\nRegister: %(url)s") % {"summary": webinar.summary, "url": url},
        location=_("Online"),
        url=url,
        is_cancelled=session.is_cancelled,
    )


def _organizer(host: Host) -> ical.Organizer:
    return ical.Organizer(name=host.name, email=host.organizer_email)


def _calendar(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response
