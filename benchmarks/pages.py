"""Landing pages per second, kept and not kept, beside a bare view in the same server process."""

import gzip
import sys
import time
import urllib.request
from dataclasses import dataclass
from email.message import Message
from statistics import median

from benchmarks import wrk
from webinar_site.demonstration.border_security import CASPIAN_SLUG, CENTRAL_ASIA_SLUG

ROUNDS = 3
# As every browser does. Only kept pages come compressed: in front of the others stands a web server that does it.
HEADERS = {"Accept-Encoding": "gzip"}
WEBINARS = {
    "upcoming, three sessions, with the form": CASPIAN_SLUG,
    "over, twelve presenters": CENTRAL_ASIA_SLUG,
}
# Of an address with a question that nobody knows no page is kept, nor is it asked whether one was; but for the question
# it is the same page. The bare view is asked for so, too: nothing stands between it and its reader.
QUESTION = "?uncached="
BARE = f"/bare/{QUESTION}"
# How it is asked for, and whether the answer must be one that was kept.
WAYS = {
    "cached": ("/webinars/{slug}/", True),
    "uncached": (f"/webinars/{{slug}}/{QUESTION}", False),
}


@dataclass(frozen=True)
class Page:
    """One page, asked for in one way."""

    name: str
    url: str
    is_kept: bool


def measure(site: str, *, seconds: int) -> None:
    """Interleave rounds of all, so that a neighbour's load falls on all."""
    pages = [
        Page(f"{name}, {way}", f"{site}{path.format(slug=slug)}", is_kept)
        for name, slug in WEBINARS.items()
        for way, (path, is_kept) in WAYS.items()
    ]
    for url in (f"{site}{BARE}", *(page.url for page in pages)):
        wrk.load(url, seconds=2, headers=HEADERS)  # warm: every process and thread has had it once
    bare: list[float] = []
    rates: dict[str, list[float]] = {page.name: [] for page in pages}
    for _round in range(ROUNDS):
        bare.append(wrk.load(f"{site}{BARE}", seconds=seconds, headers=HEADERS).per_second)
        for page in pages:
            _check(page)
            rates[page.name].append(wrk.load(page.url, seconds=seconds, headers=HEADERS).per_second)
            _check(page)
    _check_same(site)
    print(f"  bare view: {median(bare):,.0f} a second")
    for name, seen in rates.items():
        ratio = median(page / view for page, view in zip(seen, bare, strict=True))
        print(f"  landing page, {name}: {median(seen):,.0f} a second, {ratio:.1%} of the bare view")


def _check(page: Page) -> None:
    """Stop the run where a page is not what its name says: kept answers tell their age, those made just now do not."""
    ages = [_get(page.url)[0]["Age"] for _try in range(8)]
    if not page.is_kept and any(age is not None for age in ages):
        sys.exit(f"{page.url} was answered with a page that was kept.")
    if page.is_kept and not any(int(age or 0) for age in ages):
        # Each process keeps a page for a minute, and both may just have made theirs anew.
        time.sleep(2)
        if not int(_get(page.url)[0]["Age"] or 0):
            sys.exit(f"{page.url} was not kept.")


def _check_same(site: str) -> None:
    """Stop the run where the kept page is another than the one made just now."""
    for slug in WEBINARS.values():
        bodies = {
            # The links to other languages repeat the question.
            _get(f"{site}{path.format(slug=slug)}")[1].replace(QUESTION.encode(), b"")
            for path, _is_kept in WAYS.values()
        }
        if len(bodies) != 1:
            sys.exit(f"The kept page of {slug} is another than the one made just now.")


def _get(url: str) -> tuple[Message, bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS), timeout=10) as answer:
        body = answer.read()
        is_compressed = answer.headers.get("Content-Encoding") == "gzip"
        return answer.headers, gzip.decompress(body) if is_compressed else body
