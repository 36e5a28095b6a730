"""Beside the landing page: watching the replay, and the programme to print."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.landing import landing_page
from events.models import Webinar
from events.reader import reader_zone, remember_zone
from events.replays import PLAY, ReplayState, let_play, replay_page
from events.views.entrance import webinar_page


@require_safe
@webinar_page
def replay(request: HttpRequest, webinar: Webinar) -> HttpResponse:
    """The recording for everybody who sees the page; else who can watch it, from when and until when.

    Nothing of another site is in the page before somebody asked for it with a click.
    """
    page = replay_page(webinar, now=timezone.now(), zone=reader_zone(request), is_asked_for=PLAY in request.GET)
    if page.replay.state == ReplayState.NONE:
        return redirect(webinar)
    response = render(request, "events/webinar/replay.html", {"page": page})
    let_play(response, page)
    remember_zone(request, response)
    return response


@require_safe
@webinar_page
def programme(request: HttpRequest, webinar: Webinar) -> HttpResponse:
    """Everything about the webinar on paper: the sessions in every zone, the biographies unfolded, no forms."""
    page = landing_page(webinar, now=timezone.now(), zone=reader_zone(request))
    response = render(request, "events/webinar/programme.html", {"page": page})
    remember_zone(request, response)
    return response
