"""Links into calendars: those that fill in a form, a copy that nothing updates later, and those that subscribe."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

# Outlook and Yahoo drop longer addresses.
MAX_LINK_LENGTH = 2000


def add_to_calendar_links(
    title: str, starts_at: datetime, ends_at: datetime, details: str = "", location: str = ""
) -> list[tuple[str, str]]:
    """A label and an address for Google, Outlook.com, Microsoft 365 and Yahoo.

    Others see these addresses (browsers, logs): never put a personal joining link in `details` or `location`.
    """
    basic = f"{_basic(starts_at)}/{_basic(ends_at)}"
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": title,
        "startdt": _extended(starts_at),
        "enddt": _extended(ends_at),
        "location": location,
        "body": details,
    }
    google = {"action": "TEMPLATE", "text": title, "dates": basic, "location": location, "details": details}
    yahoo = {
        "v": "60",
        "title": title,
        "st": _basic(starts_at),
        "et": _basic(ends_at),
        "in_loc": location,
        "desc": details,
    }
    return [
        (_("Google Calendar"), _address("https://calendar.google.com/calendar/render", google, "details")),
        (_("Outlook.com"), _address("https://outlook.live.com/calendar/deeplink/compose", outlook, "body")),
        (_("Microsoft 365"), _address("https://outlook.office.com/calendar/deeplink/compose", outlook, "body")),
        (_("Yahoo"), _address("https://calendar.yahoo.com/", yahoo, "desc")),
    ]


def subscription_links(feed_url: str) -> dict[str, str]:
    """The feed's address in the forms that make a calendar program subscribe instead of taking a copy."""
    webcal_url = f"webcal://{feed_url.split('://', 1)[1]}"
    return {
        "webcal_url": webcal_url,
        "google_url": f"https://calendar.google.com/calendar/r?cid={quote(webcal_url, safe='')}",
    }


def _address(page: str, values: dict[str, str], longest: str) -> str:
    """The whole address; the longest value is cut at a word where it would be too long."""
    # A plus for a space is shown as a plus by Outlook.
    address = f"{page}?{urlencode(values, quote_via=quote, safe='')}"
    while len(address) > MAX_LINK_LENGTH and values[longest]:
        shorter = values[longest][: len(values[longest]) * 3 // 4].rpartition(" ")[0]
        values = {**values, longest: shorter}
        address = f"{page}?{urlencode(values, quote_via=quote, safe='')}"
    return address


def _basic(instant: datetime) -> str:
    """20261028T123000Z"""
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _extended(instant: datetime) -> str:
    """2026-10-28T12:30:00Z"""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
