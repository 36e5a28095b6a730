"""What a page says to programs, in the words of schema.org as JSON-LD. A test holds it against their vocabulary.

Pure: from what the page shows anyway, without a further query, and never more than it shows: no joining address, and
no number from which one could be worked out that the page keeps to itself.

Programs are told so that search engines and assistants list a webinar. So they are told of listed ones alone: not of
drafts, which nobody may know yet, nor of unlisted ones, which whoever has the link may show around, but nobody finds.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from events import timezones
from events.availability import Kind
from events.choices import SessionOption, main_session
from events.landing import LEAST_COUNT_SHOWN, LandingPage, PartnerEntry, PresenterEntry
from events.links import absolute
from events.models import Host, Series, Session, Webinar
from events.models.series import Partnership
from events.syndication.cards import Card

VOCABULARY = "https://schema.org"
# People come to learn something; the vocabulary has no type for webinars.
KIND = "EducationEvent"

# What an offer is worth to somebody who wants a place. Nothing is said of what cannot be had, or not yet.
AVAILABILITY = {
    Kind.OPEN: "InStock",
    Kind.FEW: "LimitedAvailability",
    Kind.WAITING: "SoldOut",
    Kind.FULL: "SoldOut",
}
_BEST_FIRST = [f"{VOCABULARY}/{word}" for word in ("InStock", "LimitedAvailability", "SoldOut")]
# Where the vocabulary puts each kind of partnership.
PARTNERSHIPS = {
    Partnership.Kind.ORGANIZER: "organizer",
    Partnership.Kind.SPONSOR: "sponsor",
    Partnership.Kind.SUPPORTER: "sponsor",
    Partnership.Kind.PARTNER: "contributor",
    Partnership.Kind.MEDIA: "contributor",
}
# Letters with which a text could end its script element, as Django's json_script writes them.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}

Node = dict[str, Any]


def as_script(node: Node | None) -> SafeString:
    """The element that carries it in a page's head, safe whatever the texts are; nothing for nothing."""
    if not node:
        return SafeString("")
    # Plain ASCII: U+2028, which ends a line in scripts, is escaped with everything else.
    text = json.dumps({"@context": VOCABULARY, **node}, separators=(",", ":")).translate(_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - escaped in the line above


def webinar_event(page: LandingPage, card: Card) -> Node | None:
    """The webinar as an Event, with a subEvent for each session where there are several.

    None for webinars that are not listed, and for those without a session: an event has a date.
    """
    webinar = page.webinar
    sessions = list(zip(webinar.sessions.all(), page.options, strict=True))
    if not webinar.is_listed or not sessions:
        return None
    event = {
        "@type": KIND,
        "name": webinar.title,
        "alternateName": webinar.official_title if webinar.official_title != webinar.title else "",
        "description": webinar.summary,
        "url": page.canonical_url,
        "image": [url for url in (card.url, page.picture_url) if url],
        "inLanguage": webinar.language,
        "isAccessibleForFree": webinar.is_free,
        **_organizations(page.host, [(group.code, entry) for group in page.partners for entry in group.partners]),
        "performer": [_performer(presenter) for presenter in page.presenters],
        "superEvent": _series(page.series) if page.series else None,
        "recordedIn": _recording(page, card),
    }
    if len(sessions) == 1:
        return _without_empty({**event, **_occurrence(page, *sessions[0])})
    occurrences = [_without_empty({**_occurrence(page, *pair), "name": webinar.title}) for pair in sessions]
    return _without_empty({**event, **_span(page, occurrences), "subEvent": occurrences})


def series_event(
    series: Series, partnerships: Iterable[Partnership], webinars: Iterable[Webinar], *, now: datetime
) -> Node:
    """The series as an EventSeries. Takes webinars with their sessions; those that are not listed are left out."""
    partners = [
        (partnership.kind, PartnerEntry(partner.name, partner.parent, partner.website, ""))
        for partnership in partnerships
        for partner in [partnership.partner]
    ]
    return _without_empty(
        {
            **_series(series),
            "description": series.about,
            **_organizations(series.host, partners),
            "subEvent": [_in_series(webinar, now) for webinar in webinars if webinar.is_listed],
        }
    )


def _occurrence(page: LandingPage, session: Session, option: SessionOption) -> Node:
    """A session: when and where, whether it stands, and what a place costs."""
    offer = _offer(page, option)
    return {
        "@type": KIND,
        "description": session.label or page.webinar.summary,
        **_when(session, page.now),
        "url": page.canonical_url,
        "location": _location(page.canonical_url),
        **_places(page, session, option),
        "offers": offer,
    }


def _when(session: Session, now: datetime) -> Node:
    """The times as the planner's clock shows them. `previousStartDate` says where it was announced before.

    For as long as the page says so: programs are told no more than people.
    """
    minutes = int(session.duration.total_seconds() // 60)
    before = session.moved_from(now)
    status = "EventRescheduled" if before else "EventScheduled"
    if session.is_called_off and not session.took_place(now):
        status = "EventCancelled"
    return {
        "startDate": _local(session.starts_at, session),
        "endDate": _local(session.ends_at, session),
        "previousStartDate": _local(before, session) if before else None,
        "duration": f"PT{minutes}M",
        "eventStatus": f"{VOCABULARY}/{status}",
        "eventAttendanceMode": f"{VOCABULARY}/OnlineEventAttendanceMode",
    }


def _span(page: LandingPage, occurrences: list[Node]) -> Node:
    """The sessions as one event: from the first to the last that is still to come, with the best that can be had.

    Once all are over it is from the first to the last that took place. Like the page, it leads with one of them:
    whether that one stands where it was announced is what is said of the whole.
    """
    standing = [one for one in occurrences if not one["eventStatus"].endswith("EventCancelled")] or occurrences
    span = [one for one in standing if datetime.fromisoformat(one["endDate"]) > page.now] or standing
    lead = _when(page.session, page.now) if page.session else {}
    offers = [one["offers"] for one in standing if "offers" in one]
    return {
        "startDate": min(span, key=lambda one: datetime.fromisoformat(one["startDate"]))["startDate"],
        "endDate": max(span, key=lambda one: datetime.fromisoformat(one["endDate"]))["endDate"],
        "previousStartDate": lead.get("previousStartDate"),
        "eventStatus": lead.get("eventStatus"),
        "eventAttendanceMode": f"{VOCABULARY}/OnlineEventAttendanceMode",
        "location": _location(page.canonical_url),
        "offers": min(offers, key=_rank, default=None),
    }


def _rank(offer: Node) -> int:
    word = offer.get("availability", "")
    return _BEST_FIRST.index(word) if word in _BEST_FIRST else len(_BEST_FIRST)


def _offer(page: LandingPage, option: SessionOption) -> Node | None:
    """What a place costs, while one can be had or will be."""
    webinar = page.webinar
    if option.kind not in {*AVAILABILITY, Kind.ANNOUNCED}:
        return None
    word = AVAILABILITY.get(option.availability.kind)
    opens_at = webinar.registration_opens_at
    return _without_empty(
        {
            "@type": "Offer",
            "url": f"{page.canonical_url}#register",
            "price": "0" if webinar.is_free else f"{webinar.price_amount:.2f}",
            "priceCurrency": webinar.price_currency,
            "availability": f"{VOCABULARY}/{word}" if word else None,
            "validFrom": opens_at.isoformat(timespec="seconds") if opens_at else None,
        }
    )


def _places(page: LandingPage, session: Session, option: SessionOption) -> Node:
    """How many places there are and are left, as far as the page says it.

    Both together tell how many have registered, which the page keeps to itself while they are few.
    """
    if session.capacity is None or option.kind not in AVAILABILITY or session.is_running(page.now):
        return {}
    tells_count = session.places_taken >= LEAST_COUNT_SHOWN
    return {
        "maximumVirtualAttendeeCapacity": session.capacity if tells_count else None,
        "remainingAttendeeCapacity": session.places_left,
    }


def _location(url: str) -> Node:
    """Where it takes place: whoever registers at this page is led in."""
    return {"@type": "VirtualLocation", "url": url}


def _organizations(host: Host, partners: list[tuple[str, PartnerEntry]]) -> Node:
    """Who stands behind it, under the properties that say how."""
    organizer = {
        "@type": "Organization",
        "name": host.name,
        "url": absolute(host.get_absolute_url()),
        "sameAs": host.website,
        "logo": absolute(host.logo.url) if host.logo else "",
    }
    found: dict[str, list[Node]] = {"organizer": [_without_empty(organizer)]}
    for kind, partner in partners:
        parent = {"@type": "Organization", "name": partner.parent} if partner.parent else None
        node = {
            "@type": "Organization",
            "name": partner.name,
            "url": partner.website,
            "logo": absolute(partner.logo_url) if partner.logo_url else "",
            "parentOrganization": parent,
        }
        found.setdefault(PARTNERSHIPS[Partnership.Kind(kind)], []).append(_without_empty(node))
    return dict(found)


def _performer(presenter: PresenterEntry) -> Node:
    """Somebody who speaks. Whose name is not public has none here either: only what they are, and where."""
    return _without_empty(
        {
            "@type": "Person",
            "name": presenter.heading if presenter.has_name else "",
            "jobTitle": presenter.job_title if presenter.has_name else presenter.heading,
            "worksFor": {"@type": "Organization", "name": presenter.organization} if presenter.organization else None,
            "image": absolute(presenter.portrait_url) if presenter.portrait_url else "",
            "url": absolute(presenter.url),
        }
    )


def _series(series: Series) -> Node:
    return {"@type": "EventSeries", "name": series.title, "url": absolute(series.get_absolute_url())}


def _recording(page: LandingPage, card: Card) -> Node | None:
    """The replay, while anybody may watch it."""
    if not page.replay.can_be_watched_by_all:
        return None
    webinar = page.webinar
    held = [one.ends_at for one in webinar.sessions.all() if one.took_place(page.now)]
    came_at = max(moment for moment in (*held, webinar.replay_from) if moment)
    return _without_empty(
        {
            "@type": "VideoObject",
            "name": webinar.title,
            "description": webinar.summary,
            "url": absolute(reverse("webinar_replay", args=[webinar.slug])),
            "thumbnailUrl": card.url,
            "uploadDate": came_at.isoformat(timespec="seconds"),
            "expires": webinar.replay_until.isoformat(timespec="seconds") if webinar.replay_until else None,
            "inLanguage": webinar.language,
            "isAccessibleForFree": True,
        }
    )


def _in_series(webinar: Webinar, now: datetime) -> Node:
    url = absolute(webinar.get_absolute_url())
    session = main_session(list(webinar.sessions.all()), now)
    when = _when(session, now) if session else {}
    return _without_empty(
        {"@type": KIND, "name": webinar.title, "url": url, **when, "location": _location(url)},
    )


def _local(instant: datetime, session: Session) -> str:
    return instant.astimezone(timezones.get_zone(session.time_zone)).isoformat(timespec="seconds")


def _without_empty(node: Node) -> Node:
    return {name: value for name, value in node.items() if value not in (None, "", [], {})}
