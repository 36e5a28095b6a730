"""Keeps whole pages that are the same for every anonymous reader, and answers with them (docs/decisions/0012).

A view says with `events.freshness.share` that its page depends on nothing but address, language and zone. What is kept
is in this process's memory, at most a minute old, and shown only while no organizer has changed anything and no
session has begun, ended, filled up or got a place back since.
"""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.regex_helper import _lazy_re_compile

from events import freshness
from events.reader import reader_zone

KEPT_FOR = timedelta(seconds=60)
MOST_PAGES = 256
# Somebody whom the site may know, and words for one reader alone.
PERSONAL_COOKIES = (settings.SESSION_COOKIE_NAME, "messages")
# What senders of links add for their own counting. It changes nothing here.
_TRACKING = _lazy_re_compile(r"(?:utm_[a-z]+|fbclid|gclid|msclkid|mc_[ce]id)=[^&]*(?:&|$)")
_ACCEPTS_GZIP = _lazy_re_compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
SAFE_METHODS = ("GET", "HEAD")
ORGANIZERS_PATH = "/admin/"

Key = tuple[str, str | None]


@dataclass(frozen=True)
class KeptPage:
    """A page as it is answered, plain and compressed, and until when that may be."""

    generation: str
    until: datetime
    kept_at: datetime
    plain: bytes
    compressed: bytes
    headers: dict[str, str]

    def is_fresh(self, generation: str, now: datetime) -> bool:
        return self.generation == generation and now < self.until

    def answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """The page, or 304 where the reader has it already (RFC 9110 13.1.2)."""
        headers = {**self.headers, "Age": str(max(int((now - self.kept_at).total_seconds()), 0))}
        if _ACCEPTS_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response = HttpResponse(self.compressed, headers={**headers, "Content-Encoding": "gzip"})
        else:
            response = HttpResponse(self.plain, headers=headers)
        response["Content-Length"] = str(len(response.content))
        if "HTTP_IF_NONE_MATCH" not in request.META:
            return response
        return get_conditional_response(request, etag=self.headers["ETag"], response=response) or response


class PageCacheMiddleware:
    """Answers with a kept page where there is one, keeps what views share, and forgets all when an organizer saves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.pages: OrderedDict[Key, KeptPage] = OrderedDict()
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in SAFE_METHODS:
            return self._changing(request)
        if not _is_anonymous(request):
            return self.get_response(request)
        generation = freshness.generation()
        if generation is None:
            return self.get_response(request)
        now = datetime.now(UTC)
        key = (request.path, reader_zone(request))
        kept = self._find(key)
        if kept is not None and kept.is_fresh(generation, now):
            return kept.answer(request, now)
        response = self.get_response(request)
        if request.method != "GET" or request.META["QUERY_STRING"] or not _may_be_kept(response):
            return response
        kept = _kept_page(response, generation, now)
        self._keep(key, kept)
        return kept.answer(request, now)

    def _changing(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Whatever an organizer sends may have changed any page; it happens seldom beside reading.
        if request.path.startswith(ORGANIZERS_PATH) and request.user.is_authenticated:
            freshness.throw_away()
        return response

    def _find(self, key: Key) -> KeptPage | None:
        with self.lock:
            kept = self.pages.get(key)
            if kept is not None:
                self.pages.move_to_end(key)
        return kept

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


def _may_be_kept(response: HttpResponse) -> bool:
    return getattr(response, "is_shared", False) and response.status_code == 200 and not response.cookies


def _kept_page(response: HttpResponse, generation: str, now: datetime) -> KeptPage:
    until: datetime | None = response.shared_until  # type: ignore[attr-defined]
    plain = response.content
    # Weak, since the compressed page is the same page in other bytes (RFC 9110 8.8.1).
    response["ETag"] = f'W/"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"'
    # May be stored by browsers and proxies, and is asked about each time: only we know when it is over.
    response["Cache-Control"] = "public, no-cache"
    patch_vary_headers(response, ["Accept-Encoding", "Cookie"])
    return KeptPage(
        generation=generation,
        until=min(now + KEPT_FOR, until) if until else now + KEPT_FOR,
        kept_at=now,
        plain=plain,
        # Nothing in it is a secret, so that its compressed length tells nothing (BREACH).
        compressed=gzip.compress(plain, compresslevel=6, mtime=0),
        headers=dict(response.items()),
    )
