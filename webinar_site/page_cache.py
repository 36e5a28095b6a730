"""Keeps whole pages that are the same for every anonymous reader, and answers with them (docs/decisions/0012).

A view says with `events.freshness.share` that its page depends on nothing but address, language and zone. What is kept
is in this process's memory, at most a minute old, and shown only while no organizer has changed anything and no
session has begun, ended, filled up or got a place back since.
"""

import functools
import gzip
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import get_conditional_response, has_vary_header

from events import freshness
from events.reader import reader_zone

KEPT_FOR = timedelta(seconds=60)
MOST_PAGES = 256
# Somebody whom the site may know, and words for one reader alone.
PERSONAL_COOKIES = (settings.SESSION_COOKIE_NAME, "messages")
# What senders of links add for their own counting. It changes nothing here.
_TRACKING = re.compile(r"(?:utm_[a-z]+|fbclid|gclid|msclkid|mc_[ce]id)=[^&]*(?:&|$)")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ORGANIZERS_PATH = "/admin/"
# What is said of a body, and not of the page; a 304 has none.
_BODY_HEADERS = ("Content-Type", "Content-Length", "Content-Encoding")

# The path, and the reader's zone, or that the page is the same in all of them.
Key = tuple[str, str | None]
EVERY_ZONE = "*"


@dataclass(frozen=True)
class KeptPage:
    """A page as it is answered, plain and compressed, and until when that may be."""

    generation: str
    until: datetime
    kept_at: datetime
    plain: bytes
    compressed: bytes
    headers: dict[str, str]
    # Held by whoever makes the page anew; the others wait for theirs instead of making the same.
    making: threading.Lock = field(default_factory=threading.Lock)

    def is_fresh(self, generation: str, now: datetime) -> bool:
        return self.generation == generation and now < self.until

    def answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """The page, or 304 where the reader has it already (RFC 9110 13.1.2)."""
        headers = {**self.headers, "Age": str(max(int((now - self.kept_at).total_seconds()), 0))}
        if "HTTP_IF_NONE_MATCH" in request.META and self._is_known(request):
            # With every other header, or what is added to answers without them would be said of the reader's copy.
            return HttpResponseNotModified(
                headers={name: value for name, value in headers.items() if name not in _BODY_HEADERS}
            )
        if _accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response = HttpResponse(self.compressed, headers={**headers, "Content-Encoding": "gzip"})
        else:
            response = HttpResponse(self.plain, headers=headers)
        response["Content-Length"] = str(len(response.content))
        return response

    def _is_known(self, request: HttpRequest) -> bool:
        answer = get_conditional_response(request, etag=self.headers["ETag"], response=HttpResponse())
        return answer is not None and answer.status_code == 304


class PageCacheMiddleware:
    """Answers with a kept page where there is one, keeps what views share, and forgets all when an organizer saves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.pages: OrderedDict[Key, KeptPage] = OrderedDict()
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in SAFE_METHODS:
            return self._changing(request)
        if request.method == "OPTIONS" or not _is_anonymous(request):
            return self.get_response(request)
        generation = freshness.generation()
        if generation is None:
            return self.get_response(request)
        request.get_host()  # refuses a name that is not ours, as every other page does
        zone = reader_zone(request)
        kept = self._find(request.path, zone)
        if kept is None:
            return self._made(request, generation, zone)
        now = datetime.now(UTC)
        if kept.is_fresh(generation, now):
            return kept.answer(request, now)
        if not _asks_plainly(request):
            return self.get_response(request)  # nothing that others could wait for
        with kept.making:
            again, now = self._find(request.path, zone), datetime.now(UTC)
            if again is not None and again.is_fresh(generation, now):
                return again.answer(request, now)
            return self._made(request, generation, zone)

    def _made(self, request: HttpRequest, generation: str, zone: str | None) -> HttpResponse:
        """The page as the view makes it, kept where it may be."""
        now = datetime.now(UTC)
        response = self.get_response(request)
        if not _asks_plainly(request):
            return response
        if not _may_be_kept(response):
            self._forget(request.path, zone)
            return response
        key = (request.path, zone if has_vary_header(response, "Cookie") else EVERY_ZONE)
        kept = _kept_page(response, generation, now)
        self._keep(key, kept)
        return kept.answer(request, now)

    def _changing(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Whatever an organizer sends may have changed any page; it happens seldom beside reading.
        if request.path.startswith(ORGANIZERS_PATH) and response.status_code < 400 and _is_organizer(request):
            freshness.throw_away()
        return response

    def _find(self, path: str, zone: str | None) -> KeptPage | None:
        with self.lock:
            for key in ((path, zone), (path, EVERY_ZONE)):
                kept = self.pages.get(key)
                if kept is not None:
                    self.pages.move_to_end(key)
                    return kept
        return None

    def _forget(self, path: str, zone: str | None) -> None:
        """Nobody waits any longer for a page that is none any more."""
        with self.lock:
            for key in ((path, zone), (path, EVERY_ZONE)):
                self.pages.pop(key, None)

    def _keep(self, key: Key, kept: KeptPage) -> None:
        with self.lock:
            self.pages[key] = kept
            self.pages.move_to_end(key)
            while len(self.pages) > MOST_PAGES:
                self.pages.popitem(last=False)


def _is_anonymous(request: HttpRequest) -> bool:
    """Whether the request asks for a page as everybody sees it."""
    if any(name in request.COOKIES for name in PERSONAL_COOKIES):
        return False
    query = request.META["QUERY_STRING"]
    return not query or not _TRACKING.sub("", query)


def _asks_plainly(request: HttpRequest) -> bool:
    """Whether the answer may be kept for others: the whole page, without what a sender added to the address."""
    return request.method == "GET" and not request.META["QUERY_STRING"]


def _is_organizer(request: HttpRequest) -> bool:
    # A request that was refused early has no user at all.
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.is_staff


@functools.lru_cache(maxsize=64)
def _accepts_gzip(accepted: str) -> bool:
    """Whether that value of Accept-Encoding takes gzip (RFC 9110 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in coding.split(";"))
        if name == "gzip":
            return not any(parameter.replace(" ", "").rstrip("0.") in {"q=", "q"} for parameter in parameters)
    return False


def _may_be_kept(response: HttpResponse) -> bool:
    return getattr(response, "is_shared", False) and response.status_code == 200 and not response.cookies


def _kept_page(response: HttpResponse, generation: str, now: datetime) -> KeptPage:
    until: datetime | None = response.shared_until  # type: ignore[attr-defined]
    plain = response.content
    # Weak, since the compressed page is the same page in other bytes (RFC 9110 8.8.1).
    response["ETag"] = f'W/"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"'
    # May be stored by browsers and proxies, and is asked about each time: only we know when it is over.
    response["Cache-Control"] = "public, no-cache"
    # The address says the language (docs/decisions/0013), whatever Django's middleware believes.
    varies = [name for name in response.get("Vary", "").split(", ") if name and name != "Accept-Language"]
    response["Vary"] = ", ".join([*varies, "Accept-Encoding"])
    return KeptPage(
        generation=generation,
        until=min(now + KEPT_FOR, until) if until else now + KEPT_FOR,
        kept_at=now,
        plain=plain,
        # Nothing in it is a secret, so that its compressed length tells nothing (BREACH).
        compressed=gzip.compress(plain, compresslevel=6, mtime=0),
        headers=dict(response.items()),
    )
