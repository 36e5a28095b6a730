"""No page breaks a rule of axe-core, in light or dark, from left or right, folded or unfolded; none scrolls sideways.

Pages come from the gallery, through the browser's own door for answers, so that no server runs and no time passes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from playwright.sync_api import Browser, Page, Route

from events.views.stylesheets import theme
from registrations import emails, outbox
from registrations.models import Mailing, Message
from tests.builders import NOW, make_registration
from tests.gallery import ENTRIES, SITE, Entry, Shown

Gallery = dict[tuple[str, str], Shown]

# WCAG 2.2 A and AA, and what axe holds to be good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OPTIONS = {
    "runOnly": {"type": "tag", "values": RULES},
    "resultTypes": ["violations"],
    # Off by default in axe, and in WCAG 2.2 AA (2.5.8).
    "rules": {"target-size": {"enabled": True}},
    # A player's own page is its maker's.
    "iframes": False,
}
NARROW, HEIGHT = 320, 900
# Says how many were closed.
OPEN_ALL = """() => {
    const closed = document.querySelectorAll('details:not([open])');
    closed.forEach((details) => { details.open = true });
    return closed.length;
}"""
AXE = Axe().axe_script


@dataclass(frozen=True)
class Look:
    """How a page is seen."""

    language: str
    scheme: str
    width: int

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.width}"


# Each page twice, with everything that can differ differing; the landing page, with the most on it, in all ways.
LOOKS = (Look("en", "light", 390), Look("ar", "dark", 1440))
MORE_LOOKS = (Look("en", "dark", 1440), Look("ar", "light", 390), Look("en", "light", 820))
PAGES = [entry for entry in ENTRIES if entry.is_page]
IN_ALL_LOOKS = {"home", "webinar-open", "webinar-with-several-sessions", "manage-confirmed", "register-with-errors"}
SEEN = [
    pytest.param(entry, look, id=f"{entry.name}-{look}")
    for entry in PAGES
    for look in (LOOKS + MORE_LOOKS if entry.name in IN_ALL_LOOKS else LOOKS)
]
# Whose player a page frames: what is asked for there comes from us, so that nothing leaves this machine.
PLAYERS = {"replay-playing": {"www.youtube-nocookie.com"}, "own-replay-playing": {"player.vimeo.com"}}
EMPTY_PAGE = '<!doctype html><html lang="en"><title>Player</title>'
every_look = pytest.mark.parametrize(("entry", "look"), SEEN)


class Visitor:
    """Opens pages of the gallery in a browser, and notes whatever is asked for that is not the site's own."""

    def __init__(self, browser: Browser, shown: Gallery) -> None:
        self.shown = {page.url: page for page in shown.values()}
        self.browser = browser
        self.pages: dict[tuple[str, int], Page] = {}
        self.answer: Shown | None = None
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []

    def open(self, page: Shown, *, scheme: str = "light", width: int = 390) -> Page:
        self.answer, self.elsewhere, self.complaints = page, [], []
        tab = self._tab(scheme, width)
        tab.set_viewport_size({"width": width, "height": HEIGHT})
        tab.goto(page.url)
        return tab

    def _tab(self, scheme: str, width: int) -> Page:
        if (scheme, width) not in self.pages:
            context = self.browser.new_context(
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
                locale="en-GB",
                timezone_id="Asia/Tashkent",
            )
            context.route("**/*", self._answer)
            tab = context.new_page()
            tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
            tab.on("pageerror", lambda thrown: self.complaints.append(str(thrown)))
            self.pages[scheme, width] = tab
        return self.pages[scheme, width]

    def _answer(self, route: Route) -> None:
        url = route.request.url
        if not url.startswith((f"{SITE}/", "data:")):
            self.elsewhere.append(url)
            route.fulfill(status=200, content_type="text/html", body=EMPTY_PAGE)
        elif self.answer is not None and url.split("#")[0] == self.answer.url:
            headers = {name: value for name, value in self.answer.headers.items() if name != "Content-Length"}
            # A page of errors is looked at as any other: as an answer, its status would be a complaint in the console.
            route.fulfill(status=200, headers=headers, body=self.answer.content)
        else:
            self._answer_file(route, url.removeprefix(SITE).split("?")[0])

    def _answer_file(self, route: Route, path: str) -> None:
        if path.startswith("/theme/"):
            sheet = theme(RequestFactory().get(path), path[7:13])
            route.fulfill(status=200, content_type="text/css", body=sheet.content)
            return
        found = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
        if isinstance(found, str):
            route.fulfill(status=200, path=found)
        elif path.startswith("/media/"):
            route.fulfill(status=200, content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")
        else:
            route.fulfill(status=404)

    def close(self) -> None:
        for tab in self.pages.values():
            tab.context.close()


@pytest.fixture(scope="session")
def visitor(browser: Browser, shown: Gallery) -> Iterator[Visitor]:
    visitor = Visitor(browser, shown)
    yield visitor
    visitor.close()


def violations(tab: Page) -> list[str]:
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(AXE)
    found: list[dict[str, Any]] = tab.evaluate(
        "options => axe.run(options).then(({ violations }) => violations)", OPTIONS
    )
    return [
        f"{rule['id']}: {rule['help']}\n    {node['html'][:300]}\n    {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


@every_look
def test_page_breaks_no_rule(visitor: Visitor, shown: Gallery, entry: Entry, look: Look) -> None:
    tab = visitor.open(shown[entry.name, look.language], scheme=look.scheme, width=look.width)

    folded = violations(tab)
    unfolded = violations(tab) if tab.evaluate(OPEN_ALL) else []

    assert folded == [], "\n".join(folded)
    assert unfolded == [], "\n".join(unfolded)
    assert {urlsplit(url).netloc for url in visitor.elsewhere} <= PLAYERS.get(entry.name, set()), visitor.elsewhere
    assert visitor.complaints == []


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_page_does_not_scroll_sideways(visitor: Visitor, shown: Gallery, entry: Entry) -> None:
    for language in ("en", "ar"):
        # A width of 320 pixels is a window of 1280 at 400 % (WCAG 1.4.10).
        tab = visitor.open(shown[entry.name, language], width=NARROW)
        tab.evaluate(OPEN_ALL)
        beyond = too_wide(tab)
        assert beyond == [], f"{language}, at 320 pixels:\n" + "\n".join(beyond)

        # Text alone at twice its size, on a phone (WCAG 1.4.4).
        tab.set_viewport_size({"width": 390, "height": HEIGHT})
        tab.evaluate("document.documentElement.style.fontSize = '200%'")
        beyond = too_wide(tab)
        assert beyond == [], f"{language}, with text at 200 %:\n" + "\n".join(beyond)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [NARROW, 390])
@pytest.mark.parametrize("words", ["https://example.org/" + "a" * 110, "o" * 680], ids=["link", "word"])
def test_mail_does_not_scroll_sideways(browser: Browser, words: str, width: int, language: str) -> None:
    own = make_registration(language=language)
    mailing = Mailing.objects.create(
        key="announcement",
        kind=Message.Kind.ANNOUNCEMENT,
        webinar=own.webinar,
        subject=words[:120],
        text=f"Look here: {words}",
        due_at=NOW,
        begun_at=NOW,
    )
    outbox.enqueue_mailing([own], mailing, now=NOW)
    mail = emails.compose(own.messages.get(mailing=mailing), now=NOW)

    tab = browser.new_page(viewport={"width": width, "height": HEIGHT})
    tab.set_content(mail.html)
    beyond = too_wide(tab)
    tab.close()

    assert beyond == []


def too_wide(tab: Page) -> list[str]:
    """What reaches beyond the window, if the page can be scrolled sideways."""
    found: list[str] = tab.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.scrollingElement.scrollWidth <= width) return [];
            const beyond = [...document.body.querySelectorAll('*')].filter((element) => {
                const box = element.getBoundingClientRect();
                return box.width && (box.right > width + 1 || box.left < -1);
            });
            return [`${document.scrollingElement.scrollWidth} in ${width}`,
                ...beyond.slice(0, 5).map((element) => element.outerHTML.slice(0, 160))];
        }"""
    )
    return found


def test_what_breaks_a_rule_would_be_found(visitor: Visitor, shown: Gallery) -> None:
    tab = visitor.open(shown["webinar-open", "en"])

    tab.evaluate("document.querySelector('h1').style.color = '#999'")
    tab.evaluate("document.querySelector('#id_name').labels.forEach(label => label.remove())")
    tab.evaluate("document.querySelector('h1').style.inlineSize = '2000px'")

    assert {said.split(":")[0] for said in violations(tab)} >= {"color-contrast", "label"}
    assert too_wide(tab) != []
