"""A webinar on other people's pages: the card that they frame, and how oEmbed (https://oembed.com) hands it to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_from_path, ngettext, override
from django.utils.translation import gettext as _

from events import formats, timezones
from events.choices import SessionOption, main_session, session_options
from events.links import absolute
from events.models import Webinar
from events.replays import replay_of
from events.syndication.cards import Card

# In pixels. Narrower than that, the lower height is enough for the words in one column.
WIDTH, HEIGHT = 600, 300
NARROW, NARROW_HEIGHT = 480, 220
CACHE_SECONDS = 60 * 60


@dataclass(frozen=True)
class EmbedCard:
    """What the framed card shows. Times are those of the host's zone, which `place` names, and of UTC."""

    title: str
    language: str
    host: str
    accent: str
    url: str
    starts_at: datetime | None
    date: str
    time: str
    place: str
    utc: str
    others: str
    mark: str
    words: str
    action: str
    is_listed: bool
    changes_at: datetime | None


def embed_card(webinar: Webinar, *, now: datetime) -> EmbedCard:
    """The card of a webinar from `get_webinar`, without a further query."""
    zone = webinar.host.shown_zone(None)
    options = session_options(webinar, now=now, zone=zone)
    lead = _lead(webinar, options, now)
    return EmbedCard(
        title=webinar.title,
        language=formats.foreign_language(webinar.language),
        host=webinar.host.name,
        accent=webinar.host.accent,
        url=absolute(webinar.get_absolute_url()),
        starts_at=lead.starts_at if lead else None,
        date=formats.long_date(lead.starts_at, zone) if lead else "",
        time=formats.time_range(lead.starts_at, lead.ends_at, zone) if lead else "",
        place=lead.place if lead else "",
        utc=_in_utc(lead.starts_at, zone) if lead else "",
        others=_others(options),
        mark=lead.availability.mark if lead else "",
        words=lead.availability.words if lead else "",
        action=_action(webinar, lead, now),
        is_listed=webinar.access == Webinar.Access.EVERYONE,
        changes_at=webinar.next_moment(now),
    )


def embed_url(webinar: Webinar) -> str:
    return absolute(reverse("webinar_embed", args=[webinar.slug]))


def embed_code(webinar: Webinar, *, width: int = WIDTH, height: int = HEIGHT) -> SafeString:
    """What somebody puts into a page of theirs to show the card."""
    return format_html(
        # On their page, where our policy does not hold: a narrow window cuts nothing off.
        '<iframe src="{}" width="{}" height="{}" title="{}" loading="lazy" frameborder="0" style="max-width:100%">'
        "</iframe>",
        embed_url(webinar),
        width,
        height,
        webinar.title,
    )


def discovery_url(page_url: str, kind: str = "json") -> str:
    """The address at which programs ask how to embed a page."""
    return f"{absolute(reverse('oembed'))}?{urlencode({'url': page_url, 'format': kind})}"


def slug_and_language(url: str) -> tuple[str, str] | None:
    """Whose page the address is, and in which language it is read; None for all that is no webinar's page here."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or parts.netloc != urlsplit(settings.SITE_URL).netloc:
        return None
    language = get_language_from_path(parts.path) or str(settings.LANGUAGE_CODE)
    try:
        with override(language):
            match = resolve(parts.path)
    except Resolver404:
        return None
    return (match.kwargs["slug"], language) if match.url_name == "webinar" else None


def oembed_answer(webinar: Webinar, card: Card, *, max_width: int | None, max_height: int | None) -> dict[str, Any]:
    """What oEmbed says of a webinar (2.3.4, type rich), no larger than asked for."""
    width = min(WIDTH, max_width or WIDTH)
    height = min(HEIGHT if width >= NARROW else NARROW_HEIGHT, max_height or HEIGHT)
    answer = {
        "version": "1.0",
        "type": "rich",
        "title": webinar.title,
        "author_name": webinar.host.name,
        "author_url": absolute(webinar.host.get_absolute_url()),
        "provider_name": _("Webinars"),
        "provider_url": absolute(reverse("home")),
        "cache_age": CACHE_SECONDS,
        "html": str(embed_code(webinar, width=width, height=height)),
        "width": width,
        "height": height,
    }
    # A picture must keep to what was asked for as well, and there is only the one.
    if card.width <= (max_width or card.width) and card.height <= (max_height or card.height):
        answer |= {"thumbnail_url": card.url, "thumbnail_width": card.width, "thumbnail_height": card.height}
    return answer


def _lead(webinar: Webinar, options: list[SessionOption], now: datetime) -> SessionOption | None:
    """The session to show: the first that takes somebody, else the one that the page leads with."""
    leading = main_session(list(webinar.sessions.all()), now)
    return next(
        (option for option in options if option.is_checked),
        next((option for option in options if leading and option.id == leading.pk), None),
    )


def _in_utc(starts_at: datetime, zone: str) -> str:
    local = starts_at.astimezone(timezones.get_zone(zone))
    if not local.utcoffset():
        return ""
    same_day = local.date() == starts_at.astimezone(timezones.get_zone("UTC")).date()
    return formats.place_time(starts_at, "UTC") if same_day else formats.place_date(starts_at, "UTC")


def _others(options: list[SessionOption]) -> str:
    count = sum(option.is_selectable for option in options)
    if count < 2:
        return ""
    return ngettext("%(count)d session to choose from", "%(count)d sessions to choose from", count) % {"count": count}


def _action(webinar: Webinar, lead: SessionOption | None, now: datetime) -> str:
    if lead is not None and lead.is_selectable:
        return _("Join the waiting list") if lead.is_waiting else _("Register")
    return _("Watch the replay") if replay_of(webinar, now=now).can_be_watched_by_all else _("See the webinar")
