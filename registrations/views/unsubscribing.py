"""Stopping what nobody needs for a place, by the link in each such mail or the button of a mail program (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registrations import stops, tokens
from registrations.models import Registration
from registrations.views.responses import opened_by, see_other

# What a mail program posts (RFC 8058 3.2). It has no cookie, and nobody reads the answer.
ONE_CLICK = ("List-Unsubscribe", "One-Click")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_unsubscribe_token)
def unsubscribe(request: HttpRequest, own: Registration) -> HttpResponse:
    """Ask with one button, since scanners follow links, and do it once that is pressed. Pressed twice, it is done once.

    A mail program's post does it without a question. No cookie and no token of a form is asked for: whoever has the
    address may do this and nothing else, and its page takes it back.
    """
    if request.method != "POST":
        return render(request, "registrations/unsubscribe.html", _context(own))
    if request.POST.get("answer") == "undo":
        stops.resubscribe(own)
        return see_other(request.path)
    is_program = request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]
    stops.unsubscribe(own, how=stops.How.ONE_CLICK if is_program else stops.How.PAGE, now=timezone.now())
    if is_program:
        return render(request, "registrations/unsubscribe.html", _context(own))
    return see_other(request.path)


def _context(own: Registration) -> dict[str, object]:
    return {
        "own": own,
        "host": own.webinar.host,
        "accent": own.webinar.host.accent,
        "unsubscription": stops.unsubscription_of(own),
    }
