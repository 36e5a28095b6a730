"""Recordings: from the address that an organizer pasted to what a page may show of it.

Pure. Only the players listed here are ever put into a page, in the form in which they keep least about who watches;
everything else is a link that says where it leads.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from django.conf import settings

from events.links import absolute

# What the player is let do: its own scripts and storage, full screen, and a window for a link that somebody follows.
# It cannot lead the page itself elsewhere.
SANDBOX = "allow-scripts allow-same-origin allow-presentation allow-popups allow-popups-to-escape-sandbox"
ALLOWED = "fullscreen; picture-in-picture; encrypted-media"

OWN_VIDEOS = {".mp4", ".m4v", ".webm"}

_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE_TIME = re.compile(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6})s?)?")
_VIMEO_PATH = re.compile(r"/(?:(?:channels/[A-Za-z0-9_-]+|video)/)?([0-9]{5,12})(?:/([0-9a-f]{6,20}))?/?")
_VIMEO_HASH = re.compile(r"[0-9a-f]{6,20}")
_DAILYMOTION_ID = re.compile(r"[A-Za-z0-9]{5,12}")
_WISTIA_PATH = re.compile(r"/(?:medias|embed/iframe)/([a-z0-9]{8,12})/?")


# Where people find the addresses that they paste, without the www or m in front.
_HOSTS = {
    "YouTube": re.compile(r"youtu\.be|youtube(?:-nocookie)?\.com"),
    "Vimeo": re.compile(r"(?:player\.)?vimeo\.com"),
    "Dailymotion": re.compile(r"dai\.ly|(?:geo\.)?dailymotion\.com"),
    "Wistia": re.compile(r"(?:[\w-]+\.)*wistia\.(?:com|net)"),
}


class Kind(StrEnum):
    """How a recording is watched."""

    EMBEDDED = "embedded"
    OWN = "own"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Recording:
    """A recording as a page shows it.

    `address` is that of the player, of the site's own file, or of the page elsewhere; empty for what is no web address.
    `provider` is who learns that somebody watches: a player's name, or the host of the page elsewhere; nobody for the
    site's own files. `origin` is the one that the page may frame.
    """

    kind: Kind
    address: str
    provider: str = ""
    origin: str = ""

    sandbox = SANDBOX
    allowed = ALLOWED

    @property
    def contacted(self) -> str:
        """The host that the browser asks."""
        return urlsplit(self.address).netloc


def recording_at(url: str) -> Recording:
    """What becomes of a recording's address. One that can be read in two ways is a link at most."""
    try:
        # Browsers take a backslash for a stroke: what stands before the first of either is the host.
        parts = urlsplit(url.replace("\\", "/"))
        hostname = parts.hostname
    except ValueError:
        return Recording(Kind.ELSEWHERE, "", url)
    if parts.scheme not in {"http", "https"}:
        return Recording(Kind.ELSEWHERE, "", url)
    if "\\" in url or "@" in parts.netloc:
        return Recording(Kind.ELSEWHERE, url, hostname or url)
    own = _own_file(url)
    if own:
        return Recording(Kind.OWN, own)
    for provider, origin, embedded in _PLAYERS:
        address = embedded(parts)
        if address:
            return Recording(Kind.EMBEDDED, f"{origin}{address}", provider, origin)
    return Recording(Kind.ELSEWHERE, url, hostname or url)


def provider_of(url: str) -> str:
    """The name of the player whose address this is, with a recording in it or without; empty for anybody else's."""
    host = _host(urlsplit(url))
    return next((provider for provider, theirs in _HOSTS.items() if theirs.fullmatch(host)), "")


def providers() -> list[str]:
    """The names of the players that pages embed."""
    return [provider for provider, _origin, _embedded in _PLAYERS]


def _own_file(url: str) -> str:
    """The path of a video among the site's own media, empty for anything else."""
    start = absolute(settings.MEDIA_URL)
    path = urlsplit(url).path
    is_own = url.startswith(start) and ".." not in unquote(path)
    return path if is_own and PurePosixPath(path).suffix.lower() in OWN_VIDEOS else ""


def _youtube(parts: SplitResult) -> str:
    host, query = _host(parts), parse_qs(parts.query)
    if host == "youtu.be":
        video = parts.path.strip("/")
    elif host in {"youtube.com", "youtube-nocookie.com"}:
        steps = parts.path.strip("/").split("/")
        if steps == ["watch"]:
            video = query.get("v", [""])[0]
        else:
            video = steps[1] if len(steps) == 2 and steps[0] in {"embed", "live", "shorts"} else ""
    else:
        return ""
    if not _YOUTUBE_ID.fullmatch(video):
        return ""
    start = _seconds(query.get("t", query.get("start", [""]))[0])
    # Without rel=0 it ends with whatever else YouTube would like to be watched.
    return f"/embed/{video}?{urlencode({'rel': 0, **({'start': start} if start else {})})}"


def _seconds(text: str) -> int:
    """90, 90s, 1m30s or 1h2m3s in seconds; 0 for what is none of these."""
    found = _YOUTUBE_TIME.fullmatch(text)
    hours, minutes, seconds = (int(group or 0) for group in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds


def _vimeo(parts: SplitResult) -> str:
    found = _VIMEO_PATH.fullmatch(parts.path)
    if _host(parts) not in {"vimeo.com", "player.vimeo.com"} or not found:
        return ""
    video, key = found.groups()
    key = key or parse_qs(parts.query).get("h", [""])[0]
    is_unlisted = bool(_VIMEO_HASH.fullmatch(key))
    return f"/video/{video}?{urlencode({**({'h': key} if is_unlisted else {}), 'dnt': 1})}"


def _dailymotion(parts: SplitResult) -> str:
    host, steps = _host(parts), parts.path.strip("/").split("/")
    if host == "dai.ly":
        video = steps[0]
    elif host == "dailymotion.com" and steps[-2:-1] == ["video"]:
        video = steps[-1]
    elif host == "geo.dailymotion.com":
        video = parse_qs(parts.query).get("video", [""])[0]
    else:
        return ""
    return f"/player.html?video={video}" if _DAILYMOTION_ID.fullmatch(video) else ""


def _wistia(parts: SplitResult) -> str:
    found = _WISTIA_PATH.fullmatch(parts.path)
    is_theirs = _host(parts).endswith((".wistia.com", ".wistia.net"))
    return f"/embed/iframe/{found[1]}?doNotTrack=true" if found and is_theirs else ""


def _host(parts: SplitResult) -> str:
    """The host in small letters, without the www or m in front. Addresses with a user or a port are nobody's."""
    if parts.netloc.lower() != (parts.hostname or ""):
        return ""
    return (parts.hostname or "").removeprefix("www.").removeprefix("m.")


# Who, from where, and how: the path and query of the player for an address, empty for one that is not theirs.
_PLAYERS: tuple[tuple[str, str, Callable[[SplitResult], str]], ...] = (
    ("YouTube", "https://www.youtube-nocookie.com", _youtube),
    ("Vimeo", "https://player.vimeo.com", _vimeo),
    ("Dailymotion", "https://geo.dailymotion.com", _dailymotion),
    ("Wistia", "https://fast.wistia.net", _wistia),
)
