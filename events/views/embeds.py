"""What others show of a webinar on pages of theirs: its picture, its card in a frame, and the answer of oEmbed."""

from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import conditional_page, require_safe

from events import content_policy, freshness
from events.addresses import whereabouts
from events.links import absolute
from events.lookup import shown_around_or_404
from events.models import Webinar
from events.syndication import cards, embeds

FORMATS = ("json", "xml")


@require_safe
def webinar_card(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """The picture of a webinar. Its address says what is on it: what has been overtaken leads to what is true now."""
    card = cards.card_of(shown_around_or_404(slug), now=timezone.now())
    if digest != card.digest:
        return redirect(card.path)
    response = HttpResponse(cards.picture(card), content_type="image/png")
    freshness.keep_for_good(response)
    return _for_everybody(response)


@require_safe
def webinar_embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The card that partners frame on their own pages: no script, nothing but one link. No other page may be framed."""
    card = embeds.embed_card(shown_around_or_404(slug), now=timezone.now())
    response = render(request, "events/embed.html", {"card": card})
    content_policy.allow(response, "frame-ancestors", "*")
    freshness.share(response, until=card.changes_at)
    return _for_everybody(response)


@require_safe
@conditional_page
def oembed(request: HttpRequest) -> HttpResponse:
    """How to embed the page of a webinar (https://oembed.com, 2.3): as JSON or XML, with its sizes kept to."""
    kind = request.GET.get("format", FORMATS[0])
    if kind not in FORMATS:
        return _refusal(_("This format is not known here: ask for json or xml."), HTTPStatus.NOT_IMPLEMENTED)
    try:
        max_width, max_height = (_size(request, name) for name in ("maxwidth", "maxheight"))
    except ValueError:
        return _refusal(_("A size is a number of pixels."), HTTPStatus.BAD_REQUEST)
    if not request.GET.get("url"):
        return _refusal(_("Say with url which page is meant."), HTTPStatus.BAD_REQUEST)
    found = embeds.slug_and_language(request.GET["url"])
    if found is None:
        raise Http404
    slug, language = found
    with override(language):
        webinar = _webinar_at(slug)
        card = cards.card_of(webinar, now=timezone.now())
        answer = embeds.oembed_answer(webinar, card, max_width=max_width, max_height=max_height)
    response = JsonResponse(answer) if kind == FORMATS[0] else _as_xml(answer)
    patch_cache_control(response, public=True, max_age=embeds.CACHE_SECONDS)
    # For scripts on other people's pages: everybody may read it anyway.
    response["Access-Control-Allow-Origin"] = "*"
    return _for_everybody(response)


def _webinar_at(slug: str) -> Webinar:
    """The webinar of that address, wherever its page is now. Raises Http404 where there is none, or none any more.

    Also where it is for some people alone. 401, which oEmbed knows for that (2.3.5), would tell strangers of it.
    """
    try:
        return shown_around_or_404(slug)
    except Http404:
        with override(settings.LANGUAGE_CODE):
            found = whereabouts(reverse("webinar", args=[slug]))
        moved = embeds.slug_and_language(absolute(found.path)) if found and not found.is_gone else None
        if moved is None:
            raise
        return shown_around_or_404(moved[0])


def _size(request: HttpRequest, name: str) -> int | None:
    """A positive number, None where none is asked for. Raises ValueError for anything else."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text)):
        raise ValueError(name)
    return int(text)


def _as_xml(answer: dict[str, Any]) -> HttpResponse:
    root = ET.Element("oembed")
    for name, value in answer.items():
        ET.SubElement(root, name).text = str(value)
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(text, content_type="text/xml; charset=utf-8")


def _refusal(words: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(f"{words}\n", content_type="text/plain; charset=utf-8", status=status)


def _for_everybody(response: HttpResponse) -> HttpResponse:
    """Other sites may load it into their pages, also those that ask for a word of permission (Fetch, CORP)."""
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
