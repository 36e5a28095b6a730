"""Which webinar is at an address, with all that its pages read of it."""

from django.http import Http404

from events.models import DisplayZone, Host, Series, Session, Webinar
from events.statements import Given, Statement, columns, instance, instances, prefetched


def get_webinar(slug: str) -> Webinar:
    """The webinar at that address with its host, series, sessions and zones. Raises Webinar.DoesNotExist for drafts."""
    rows = _WEBINAR.rows(slug=slug)
    if not rows:
        raise Webinar.DoesNotExist
    webinar, host, series = instances(rows[0], Webinar, Host, Series)
    webinar.host, webinar.series = host, series
    sessions = [instance(Session, row) for row in _SESSIONS.rows(webinar=webinar.pk)]
    for session in sessions:
        session.webinar = webinar
    prefetched(webinar, "sessions", sessions)
    zones = [instance(DisplayZone, row) for row in _ZONES.rows(webinar=webinar.pk)]
    prefetched(webinar, "display_zones", zones)
    return webinar


_WEBINAR = Statement(
    lambda: (
        Webinar.objects.published()
        .filter(slug=Given("slug"))
        .values_list(*columns(Webinar), *columns(Host, under="host__"), *columns(Series, under="series__"))
    )
)
_SESSIONS = Statement(lambda: Session.objects.filter(webinar=Given("webinar")).values_list(*columns(Session)))
_ZONES = Statement(lambda: DisplayZone.objects.filter(webinar=Given("webinar")).values_list(*columns(DisplayZone)))


def published_or_404(slug: str) -> Webinar:
    """The same for a page. Raises Http404 for drafts."""
    try:
        return get_webinar(slug)
    except Webinar.DoesNotExist:
        raise Http404 from None


def get_draft(slug: str) -> Webinar:
    """The draft at that address, with all that `get_webinar` fetches. Raises Webinar.DoesNotExist for any other.

    Who may see it is for the caller to ask. Organizers alone do, so that no statement is kept for them.
    """
    drafts = Webinar.objects.select_related("host", "series").prefetch_related("sessions", "display_zones")
    return drafts.get(slug=slug, status=Webinar.Status.DRAFT)


def any_webinar_or_404(slug: str) -> Webinar:
    """The webinar at that address, a draft too: who may see it is for the caller to ask (events/visibility.py)."""
    try:
        return get_webinar(slug)
    except Webinar.DoesNotExist:
        pass
    try:
        return get_draft(slug)
    except Webinar.DoesNotExist:
        raise Http404 from None


def shown_around_or_404(slug: str) -> Webinar:
    """The webinar for what others show on pages of theirs. Raises Http404 for drafts, and for those for some alone."""
    webinar = published_or_404(slug)
    if webinar.is_restricted:
        raise Http404
    return webinar
