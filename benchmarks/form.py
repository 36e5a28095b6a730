"""The form of a landing page, filled in as a browser would send it."""

import time
import urllib.request
from html.parser import HTMLParser
from urllib.parse import urlencode

from events.models import Session
from webinar_site.demonstration.border_security import CASPIAN_SLUG

PATH = f"/webinars/{CASPIAN_SLUG}/register/"
# A form that comes back sooner was not filled in by a person.
READING_SECONDS = 5


def filled_in(site: str, session: Session) -> str:
    """What to post, but for the address: `&email=` and the address follow. Waits as long as a quick reader takes."""
    with urllib.request.urlopen(f"{site}/webinars/{CASPIAN_SLUG}/", timeout=10) as page:
        hidden = _HiddenFields(page.read().decode()).fields
    time.sleep(READING_SECONDS)
    typed = {"session": str(session.pk), "time_zone": "Asia/Tashkent", "name": "Anna Karimova"}
    return urlencode({**hidden, **typed})


class _HiddenFields(HTMLParser):
    """What the registration form sends without anybody typing it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = PATH in (given.get("action") or "")
        elif tag == "input" and self._is_inside and given.get("type") == "hidden" and given.get("name"):
            self.fields[given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
