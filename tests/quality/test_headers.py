"""What production says beside every page: the list by which Mozilla's Observatory gives its best mark, and our own."""

from html.parser import HTMLParser

import pytest

from tests.gallery import ENTRIES, Entry, Shown

Gallery = dict[tuple[str, str], Shown]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The pages that may do more, and what. A new one is a decision: it gets a line here.
WIDER = {
    "embed": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "embed-of-what-is-over": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "embed-unplanned": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "embed-gone": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "embed-of-nothing": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    # Once somebody has asked for the recording, and there alone: its player's one origin, or our own file.
    "replay-playing": f"{POLICY}; frame-src https://www.youtube-nocookie.com",
    "own-replay-playing": f"{POLICY}; frame-src https://player.vimeo.com",
    "replay-of-our-own-playing": f"{POLICY}; media-src 'self'",
    "own-replay-of-our-own-playing": f"{POLICY}; media-src 'self'",
    # What a passkey is to sign is fetched from our own site.
    "sign-in": f"{POLICY}; connect-src 'self'",
    "sign-in-with-errors": f"{POLICY}; connect-src 'self'",
    "too-many-requests": f"{POLICY}; connect-src 'self'",
}
# What other sites may frame.
FRAMED = {"embed", "embed-of-what-is-over", "embed-unplanned", "embed-gone", "embed-of-nothing"}
# What other sites may load into pages of theirs: the picture of a webinar, its card, and what describes the two.
FOR_OTHER_SITES = {"card", "oembed", *FRAMED}
# Cookies that scripts may read: the zone, which the browser knows better than we do, and no secret.
READ_BY_SCRIPTS = {"tz"}

every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
every_page = pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.is_page], ids=lambda entry: entry.name
)


@every_entry
def test_content_policy_lets_in_the_site_alone(shown: Gallery, entry: Entry) -> None:
    page = shown[entry.name, "en"]

    assert page.headers["Content-Security-Policy"] == WIDER.get(entry.name, POLICY)


@every_entry
def test_nobody_frames_a_page_but_the_card(shown: Gallery, entry: Entry) -> None:
    page = shown[entry.name, "en"]

    assert page.headers.get("X-Frame-Options") == (None if entry.name in FRAMED else "DENY")


@every_entry
def test_headers_of_the_observatory(shown: Gallery, entry: Entry) -> None:
    headers = shown[entry.name, "en"].headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    whose = "cross-origin" if entry.name in FOR_OTHER_SITES else "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == whose
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(headers["Permissions-Policy"].split(", "))
    assert "Access-Control-Allow-Origin" not in headers or entry.name in FOR_OTHER_SITES


@every_entry
def test_cookies_travel_encrypted_and_not_to_scripts(shown: Gallery, entry: Entry) -> None:
    for name, cookie in shown[entry.name, "en"].cookies.items():
        assert cookie["secure"], name
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert cookie["httponly"] or name in READ_BY_SCRIPTS, name


def test_cookies_were_among_what_was_looked_at(shown: Gallery) -> None:
    seen = {name for page in shown.values() for name in page.cookies}

    assert {"csrftoken", "sessionid", "registered-en", "tz"} <= seen


@every_page
def test_pages_have_no_script_and_no_style_written_into_them(shown: Gallery, entry: Entry) -> None:
    for language in ("en", "ar"):
        written = _Written()
        written.feed(shown[entry.name, language].html)

        assert written.inside == []


@every_entry
def test_what_may_hold_a_secret_is_not_compressed_by_the_site(shown: Gallery, entry: Entry) -> None:
    # A token or an address in a compressed page could be guessed by its length (BREACH). What is the same for all is
    # compressed by the page cache, and files by WhiteNoise: tests/webinar_site/test_page_cache.py, test_weight.py.
    assert "Content-Encoding" not in shown[entry.name, "en"].headers


def test_what_is_written_into_a_page_would_be_found() -> None:
    written = _Written()

    written.feed('<p style="color:red" onclick="go()">x</p><style>p{}</style><script>go()</script>')
    written.feed('<a href="javascript:go()">x</a><script type="application/ld+json">{}</script>')

    assert written.inside == ["p style", "p onclick", "style", "script", "a href"]


class _Written(HTMLParser):
    """Collects scripts and styles that stand in the page itself; data in a script element is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_data = (given.get("type") or "").endswith("json")
        if tag == "style" or (tag == "script" and "src" not in given and not is_data):
            self.inside.append(tag)
        for name, value in attrs:
            leads_to_script = name in {"href", "src", "action"} and (value or "").startswith("javascript:")
            if name == "style" or name.startswith("on") or leads_to_script:
                self.inside.append(f"{tag} {name}")
