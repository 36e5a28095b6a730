"""Whole addresses, for everything that leaves the site: mails, calendars, feeds."""

from urllib.parse import urlsplit

from django.conf import settings


def absolute(path: str) -> str:
    """The address of a path of this site, as somebody outside it needs it."""
    return f"{settings.SITE_URL}{path}"


def site_host() -> str:
    """The site's host name, for identifiers that must be unique in the world."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"
