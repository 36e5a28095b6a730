"""Beside the landing page: watching the replay, and the programme to print."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.landing import landing_page, published_or_404
from events.reader import reader_zone, remember_zone
from events.replays import PLAY, ReplayState, let_play, replay_page


@require_safe
def replay(request: HttpRequest, slug: str) -> HttpResponse:
    """The recording for everybody; else who can watch it, from when and until when.

    Nothing of another site is in the page before somebody asked for it with a click.
    """
    webinar = published_or_404(slug)
    page = replay_page(webinar, now=timezone.now(), zone=reader_zone(request), is_asked_for=PLAY in request.GET)
    if page.replay.state == ReplayState.NONE:
        return redirect(webinar)
    response = render(request, "events/webinar/replay.html", {"page": page})
    let_play(response, page)
    remember_zone(request, response)
    return response


@require_safe
def programme(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything about the webinar on paper: the sessions in every zone, the biographies unfolded, no forms."""
    page = landing_page(published_or_404(slug), now=timezone.now(), zone=reader_zone(request))
    response = render(request, "events/webinar/programme.html", {"page": page})
    remember_zone(request, response)
    return response
