"""Which zone rules are installed, and whether the sessions to come still agree with them.

A government may change its clock between the planning of a session and its day. The rules come with a release (the
pinned tzdata package); what they move is found here, and moved through `events.scheduling`.
"""

import logging
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

import tzdata
from billiard.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.db import models

from events import scheduling, timezones
from events.models import Session
from events.models.sessions import TIME_FIELDS
from events.scheduling import PlannedTime

logger = logging.getLogger(__name__)

# IANA's name of the release, such as 2026f.
VERSION: str = tzdata.IANA_VERSION

CHUNK = 500


class Outcome(Enum):
    """What today's rules mean for a session that was planned by others."""

    MOVES = "moves"
    KEEPS_INSTANT = "keeps its instant"
    # Nothing moves; only which of two is written down, since the time has come to be one that occurs twice.
    AGREES = "agrees"
    NEEDS_PERSON = "needs a person"


@dataclass(frozen=True)
class Finding:
    """A session as it is stored, and as today's rules have it."""

    session: Session
    outcome: Outcome
    # None where a person has to decide, and then `reason` says what about.
    followed: Session | None = None
    reason: str = ""

    @property
    def differs(self) -> bool:
        return self.outcome is not Outcome.AGREES

    @property
    def needs_person(self) -> bool:
        return self.outcome is Outcome.NEEDS_PERSON


@dataclass(frozen=True)
class Survey:
    """How many sessions were looked at, and what was found of those that are not as today's rules have them."""

    looked_at: int
    findings: list[Finding]

    @property
    def differing(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.differs]

    @property
    def for_a_person(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.needs_person]


def survey(*, now: datetime, among: models.Q | None = None) -> Survey:
    """Compare every session that has not begun, in one query; `among` narrows them. Changes nothing."""
    sessions = Session.objects.scheduled().filter(among or models.Q(), starts_at__gt=now)
    sessions = sessions.exclude(webinar__status="cancelled").select_related("webinar").order_by("starts_at", "pk")
    looked_at, findings = 0, []
    for session in sessions.iterator(chunk_size=CHUNK):
        looked_at += 1
        finding = compare(session, now=now)
        if finding is not None:
            findings.append(finding)
    return Survey(looked_at, findings)


def compare(session: Session, *, now: datetime) -> Finding | None:
    """What today's rules mean for a session, None where all of it agrees with them. Changes nothing."""
    followed = copy(session)
    try:
        followed.follow_rules(now=now)
    except ValidationError as refusal:
        return Finding(session, Outcome.NEEDS_PERSON, reason=" ".join(refusal.messages))
    if followed.starts_at != session.starts_at:
        return Finding(session, Outcome.MOVES, followed)
    changed = {field for field in TIME_FIELDS if getattr(followed, field) != getattr(session, field)}
    if not changed:
        return None
    return Finding(session, Outcome.AGREES if changed == {"occurrence"} else Outcome.KEEPS_INSTANT, followed)


def recheck(*, now: datetime) -> Survey:
    """Bring every session that has not begun in line with today's rules, and say what was found.

    Each in a transaction of its own, so that one that fails holds up no other. Safe to run twice, and by two processes
    at once: whoever comes second finds nothing.
    """
    found = survey(now=now)
    return Survey(found.looked_at, list(_follow(found.findings, now=now)))


def _follow(findings: Iterable[Finding], *, now: datetime) -> Iterable[Finding]:
    for finding in findings:
        followed = finding if finding.needs_person else _act_on(finding, now=now)
        if followed is None:
            continue
        if followed.needs_person:
            logger.warning("Session %s does not agree with zone rules %s. %s", *_facts(followed))
        elif followed.differs:
            logger.info("Session %s was brought in line with zone rules %s. %s", *_facts(followed))
        yield followed


def _act_on(finding: Finding, *, now: datetime) -> Finding | None:
    """Do it. None where somebody else was quicker; for a person where it cannot be done."""
    try:
        followed = scheduling.follow_zone_rules(finding.session, now=now)
    except ValidationError as refusal:
        return Finding(finding.session, Outcome.NEEDS_PERSON, reason=" ".join(refusal.messages))
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        logger.exception("Session %s could not be brought in line with the zone rules.", finding.session.pk)
        return Finding(finding.session, Outcome.NEEDS_PERSON, reason=f"It failed: {type(error).__name__}.")
    return None if followed is None else Finding(finding.session, finding.outcome, followed)


def _facts(finding: Finding) -> tuple[int, str, str]:
    return finding.session.pk, VERSION, in_words(finding)


def in_words(finding: Finding) -> str:
    """One line for whoever runs the site: 2026-12-10 17:30 Almaty, 11:30 UTC (UTC+6): moves to 12:30 UTC (UTC+5)."""
    session, followed = finding.session, finding.followed
    before = f"{session}, {_instant(session)}"
    if followed is None:
        return f"{before}: stays as it is until a person decides. {finding.reason}"
    if finding.outcome is Outcome.KEEPS_INSTANT:
        return f"{before}: keeps its instant and is now {followed} ({_offset(followed)})."
    return f"{before}: moves to {_instant(followed)}."


def _instant(session: Session) -> str:
    return f"{session.starts_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({_offset(session)})"


def _offset(session: Session) -> str:
    """How far its wall clock is from UTC, by whichever rules it was planned."""
    return timezones.offset_label(PlannedTime.of(session).utc_offset or timedelta())
