"""What programs find in the head of a webinar's page: its picture, its data, and how to embed it."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from events.landing import LandingPage
from events.models import Webinar
from events.syndication import embeds, structured_data
from events.syndication.cards import Card, card_of


@dataclass(frozen=True)
class MachineHead:
    """For the template events/webinar/_machine_head.html. Without a card for pages that not everybody can open."""

    card: Card | None
    structured_data: SafeString
    oembed_url: str
    embed_code: SafeString


def machine_head(page: LandingPage) -> MachineHead:
    """Pure: from the page, without a further query."""
    webinar = page.webinar
    card = card_of(webinar, now=page.now)
    is_for_some = webinar.is_restricted or webinar.status == Webinar.Status.DRAFT
    return MachineHead(
        card=None if is_for_some else card,
        structured_data=structured_data.as_script(structured_data.webinar_event(page, card)),
        oembed_url="" if is_for_some else embeds.discovery_url(page.canonical_url),
        embed_code=SafeString("") if is_for_some else embeds.embed_code(webinar),
    )
