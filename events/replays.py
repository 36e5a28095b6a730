"""Whether the recording of a webinar can be watched, and by whom; and the page on which it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.http import HttpResponse

from events import formats
from events.content_policy import allow
from events.models import Host, Webinar
from events.players import Kind, Recording, recording_at

# What a click adds to the page's address: only then does another site hear of the reader.
PLAY = "play"


class ReplayState(StrEnum):
    """Whether there is anything to watch."""

    NONE = "none"
    SOON = "soon"
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True)
class Replay:
    """The replay of a webinar at a moment: from when and until when it can be watched, where that is limited."""

    state: ReplayState
    is_for_everyone: bool
    opens_at: datetime | None
    ends_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state == ReplayState.OPEN

    @property
    def can_be_watched_by_all(self) -> bool:
        return self.is_open and self.is_for_everyone


def replay_of(webinar: Webinar, *, now: datetime) -> Replay:
    """What becomes of the recording. It opens once a session is over that took place, unless a later day is set."""
    return Replay(
        state=_state(webinar, now),
        is_for_everyone=webinar.replay_access == Webinar.ReplayAccess.EVERYONE,
        opens_at=webinar.replay_from,
        ends_at=webinar.replay_until,
    )


@dataclass(frozen=True)
class ReplayPage:
    """The page of a recording. `recording` is None for whoever may not watch it, or not now.

    `is_playing`: its reader has asked for it, so that the player is in the page.
    """

    webinar: Webinar
    replay: Replay
    recording: Recording | None
    is_playing: bool
    zone: str | None
    shown_zone: str
    held_at: datetime | None
    content_language: str

    @property
    def host(self) -> Host:
        return self.webinar.host

    @property
    def accent(self) -> str:
        return self.webinar.host.accent


def replay_page(
    webinar: Webinar, *, now: datetime, zone: str | None, is_asked_for: bool, is_registered: bool = False
) -> ReplayPage:
    """The page of the recording for somebody in that zone who had registered, or of whom nobody knows."""
    replay = replay_of(webinar, now=now)
    may_watch = replay.is_open and (replay.is_for_everyone or is_registered)
    held = [session.starts_at for session in webinar.sessions.all() if session.took_place(now)]
    return ReplayPage(
        webinar=webinar,
        replay=replay,
        recording=recording_at(webinar.replay_url) if may_watch else None,
        is_playing=is_asked_for and may_watch,
        zone=zone,
        shown_zone=webinar.host.shown_zone(zone),
        held_at=max(held, default=None),
        content_language=formats.foreign_language(webinar.language),
    )


def let_play(response: HttpResponse, page: ReplayPage) -> None:
    """Let the answer load what it plays, and nothing else."""
    if page.recording is None or not page.is_playing:
        return
    if page.recording.kind == Kind.EMBEDDED:
        allow(response, "frame-src", page.recording.origin)
    elif page.recording.kind == Kind.OWN:
        allow(response, "media-src", "'self'")


def _state(webinar: Webinar, now: datetime) -> ReplayState:
    took_place = any(session.took_place(now) for session in webinar.sessions.all())
    if not webinar.replay_url or webinar.is_cancelled or not took_place:
        return ReplayState.NONE
    if webinar.replay_until and now >= webinar.replay_until:
        return ReplayState.ENDED
    if webinar.replay_from and now < webinar.replay_from:
        return ReplayState.SOON
    return ReplayState.OPEN
