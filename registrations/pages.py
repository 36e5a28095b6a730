"""What people's own pages show: how to join, codes, sessions to move to, and links into web calendars.

Read only: everything is fetched in a fixed number of queries, and templates only choose among what is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from events.availability import Availability, Kind
from events.choices import SessionOption, session_options
from events.conditions import condition_text
from events.landing import calendar_copies
from events.models import Host, Offer, OfferCondition, Question, Session, Webinar
from events.replays import Replay, ReplayState, replay_of
from registrations import surveys, tokens
from registrations.answers import shown_answers
from registrations.models import OfferCode, Registration

# ---------- joining ----------


class Door(StrEnum):
    """How far somebody is from being let in."""

    CANCELLED = "cancelled"
    SESSION_CANCELLED = "session_cancelled"
    WAITING = "waiting"
    EARLY = "early"
    OPEN = "open"
    NO_ADDRESS = "no_address"
    REPLAY = "replay"
    REPLAY_SOON = "replay_soon"
    REPLAY_ENDED = "replay_ended"
    OVER = "over"


_DOOR_OF_REPLAY = {
    ReplayState.NONE: Door.OVER,
    ReplayState.SOON: Door.REPLAY_SOON,
    ReplayState.OPEN: Door.REPLAY,
    ReplayState.ENDED: Door.REPLAY_ENDED,
}


def door(registration: Registration, *, now: datetime) -> Door:
    """What whoever holds the registration meets at the door at that moment."""
    session = registration.session
    if registration.is_cancelled:
        return Door.CANCELLED
    if session.is_cancelled:
        return Door.SESSION_CANCELLED
    if session.has_ended(now):
        # Whoever had registered may watch, also those who only waited for a place.
        return _DOOR_OF_REPLAY[replay_of(session.webinar, now=now).state]
    if not registration.is_confirmed:
        return Door.WAITING
    if now < session.join_opens_at:
        return Door.EARLY
    return Door.OPEN if session.join_url else Door.NO_ADDRESS


# ---------- the survey ----------


class Survey(StrEnum):
    """Whether somebody can answer what the webinar asks when it is over."""

    NONE = "none"
    EARLY = "early"
    OPEN = "open"
    ANSWERED = "answered"
    NOT_THEIRS = "not_theirs"


def survey(registration: Registration, *, questions: int, now: datetime) -> Survey:
    """How whoever holds the registration stands to a survey of so many questions at that moment."""
    session = registration.session
    if not questions:
        return Survey.NONE
    if not registration.is_confirmed or session.is_cancelled:
        return Survey.NOT_THEIRS
    if not surveys.may_answer(registration, now=now):
        return Survey.EARLY
    return Survey.ANSWERED if registration.surveyed_at else Survey.OPEN


# ---------- codes ----------


class CodeState(StrEnum):
    """What has become of a code."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    USED = "used"
    ENDED = "ended"


@dataclass(frozen=True)
class Way:
    """One way to earn an offer, whether it was this one, and the page on which it can be done now, if any."""

    words: str
    is_done: bool
    path: str = ""


@dataclass(frozen=True)
class OwnOffer:
    """An offer as its owner sees it. `code` is empty until it is unlocked, so that no page can show it before."""

    offer: Offer
    state: CodeState
    code: str
    cause: str
    ways: list[Way]
    used_at: datetime | None

    @property
    def has_done_way(self) -> bool:
        return any(way.is_done for way in self.ways)


def own_offers(registration: Registration, *, paths: Mapping[str, str] | None = None, now: datetime) -> list[OwnOffer]:
    """The codes that the registration holds, newest first; of what was cancelled only those unlocked before.

    `paths` has the page for each kind of condition that can be met now.
    """
    codes = registration.offer_codes.select_related("offer").prefetch_related("offer__conditions")
    is_over = registration.is_cancelled or registration.session.is_cancelled
    return [
        _own_offer(code, paths or {}, now)
        for code in codes
        if code.is_unlocked or (code.offer.is_active and not is_over)
    ]


def _own_offer(code: OfferCode, paths: Mapping[str, str], now: datetime) -> OwnOffer:
    return OwnOffer(
        offer=code.offer,
        state=_code_state(code, now),
        code=code.code if code.is_unlocked else "",
        cause=_cause(code.unlocked_by) if code.is_unlocked else "",
        ways=[
            Way(
                _way_words(condition),
                is_done=code.is_unlocked and condition.kind == code.unlocked_by,
                path="" if code.is_unlocked else paths.get(condition.kind, ""),
            )
            for condition in code.offer.conditions.all()
        ],
        used_at=code.redeemed_at,
    )


def _code_state(code: OfferCode, now: datetime) -> CodeState:
    if code.redemptions >= code.offer.redemptions_per_code:
        return CodeState.USED
    if code.offer.has_ended(now):
        return CodeState.ENDED
    return CodeState.UNLOCKED if code.is_unlocked else CodeState.LOCKED


def _way_words(condition: OfferCondition) -> str:
    return condition_text(condition.kind, minutes=condition.minutes, until=condition.until)


def _cause(kind: str) -> str:
    return {
        OfferCondition.Kind.REGISTERED.value: _("You registered, so this code is yours."),
        OfferCondition.Kind.ATTENDED.value: _("You attended live, so this code is yours."),
        OfferCondition.Kind.ASKED.value: _("You sent the presenters a question, so this code is yours."),
        OfferCondition.Kind.REPLAY.value: _("You watched the replay, so this code is yours."),
        OfferCondition.Kind.SURVEY.value: _("You answered the survey, so this code is yours."),
    }.get(kind, _("This code is yours."))


# ---------- the page of one registration ----------


@dataclass(frozen=True)
class RegistrationPage:
    """Everything that the page of one registration shows, in the zone that its reader chose."""

    registration: Registration
    webinar: Webinar
    session: Session
    token: str
    zone: str
    now: datetime
    called: str
    door: Door
    join_url: str
    replay: Replay
    position: int | None
    survey: Survey
    survey_questions: int
    offers: list[OwnOffer]
    options: list[SessionOption]
    calendar_links: list[tuple[str, str]]
    answers: list[tuple[str, str]]

    @property
    def accent(self) -> str:
        return self.webinar.host.accent

    @property
    def host(self) -> Host:
        return self.webinar.host

    @property
    def has_entry(self) -> bool:
        """Whether there is something to put into a calendar: a place in a session that is still to come."""
        is_coming = self.door in {Door.EARLY, Door.OPEN, Door.NO_ADDRESS} and not self.is_running
        return self.registration.is_confirmed and is_coming

    @property
    def moved_from(self) -> datetime | None:
        """Where their session stood before, while that is said."""
        return self.session.moved_from(self.now)

    @property
    def is_running(self) -> bool:
        """Whether they have a place in what takes place right now."""
        return self.registration.is_confirmed and self.session.is_running(self.now)

    @property
    def can_cancel(self) -> bool:
        return self.door in {Door.WAITING, Door.EARLY, Door.OPEN, Door.NO_ADDRESS}

    @property
    def has_code(self) -> bool:
        """Whether one of the offers can be used now."""
        return any(own.state == CodeState.UNLOCKED for own in self.offers)

    @property
    def is_over(self) -> bool:
        """Whether they registered for a session that took place and has ended."""
        return self.door in _DOOR_OF_REPLAY.values()

    @property
    def takes_survey(self) -> bool:
        return self.survey in {Survey.OPEN, Survey.ANSWERED}

    @property
    def takes_people(self) -> bool:
        """Whether the webinar's own page has a session for them."""
        return any(option.is_selectable for option in self.options)

    @property
    def can_move(self) -> bool:
        """Whether another session would take them, also instead of one that was cancelled or that they missed."""
        if self.registration.is_cancelled:
            return False
        return any(option.is_selectable and option.id != self.session.pk for option in self.options)

    @property
    def minutes_to_start(self) -> int:
        """Whole minutes until the start; negative once it runs."""
        return (self.session.starts_at - self.now) // timedelta(minutes=1)

    @property
    def minutes_running(self) -> int:
        return (self.now - self.session.starts_at) // timedelta(minutes=1)


def registration_page(
    registration: Registration, *, zone: str, chosen: int | None = None, now: datetime
) -> RegistrationPage:
    """The page of one registration, for its owner only."""
    session = registration.session
    webinar = session.webinar
    # Read once, for the replay and for the choice of another.
    prefetch_related_objects([webinar], "sessions")
    survey_questions = webinar.questions.filter(asked=Question.Asked.SURVEY).count()
    door_now = door(registration, now=now)
    survey_state = survey(registration, questions=survey_questions, now=now)
    return RegistrationPage(
        registration=registration,
        webinar=webinar,
        session=session,
        token=tokens.manage_token(registration),
        zone=zone,
        now=now,
        called=called(registration.name),
        door=door_now,
        join_url=tokens.join_url(registration),
        replay=replay_of(webinar, now=now),
        position=Registration.objects.position_of(registration),
        survey=survey_state,
        survey_questions=survey_questions,
        offers=own_offers(registration, paths=_ways_open(registration, door=door_now, survey=survey_state), now=now),
        options=_moving_options(registration, chosen=chosen, zone=zone, now=now),
        calendar_links=calendar_copies(webinar, session.starts_at, session.ends_at),
        answers=shown_answers(registration, asked=Question.Asked.REGISTERING),
    )


def _ways_open(registration: Registration, *, door: Door, survey: Survey) -> dict[str, str]:
    """The pages on which an offer can be earned now, by the kind of its condition."""
    token = tokens.manage_token(registration)
    paths = {}
    if survey == Survey.OPEN:
        paths[OfferCondition.Kind.SURVEY.value] = reverse("registration_survey", args=[token])
    if door == Door.REPLAY:
        paths[OfferCondition.Kind.REPLAY.value] = reverse("registration_replay", args=[token])
    return paths


def takes_people(registration: Registration, *, zone: str, now: datetime) -> bool:
    """Whether the webinar's own page has a session for whoever follows the link to it."""
    return any(option.is_selectable for option in session_options(registration.session.webinar, now=now, zone=zone))


def called(name: str) -> str:
    """How a heading calls somebody: by the first word of the name; by all of it where that is a title or initial."""
    first = name.split(" ")[0]
    return name if len(first) < 2 or first.endswith(".") else first


def _moving_options(registration: Registration, *, chosen: int | None, zone: str, now: datetime) -> list[SessionOption]:
    """The webinar's sessions, the present one said to be so."""
    options = session_options(
        registration.session.webinar, now=now, zone=zone, chosen=chosen or registration.session_id
    )
    session = registration.session
    has_place = registration.is_confirmed and not (session.is_cancelled or session.has_ended(now))
    return [_moving_option(option, registration, has_place=has_place) for option in options]


def _moving_option(option: SessionOption, registration: Registration, *, has_place: bool) -> SessionOption:
    if option.id == registration.session_id and option.is_selectable and not registration.is_cancelled:
        return replace(option, availability=Availability(Kind.OPEN, _("Your session")))
    if option.is_waiting and has_place:
        # They would lose it by queueing elsewhere.
        return replace(option, availability=Availability(Kind.FULL, _("Full")))
    return option
