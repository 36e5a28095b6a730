"""What people's own pages show: how they stand, sessions to move to, what was asked and written, and calendars.

Read only: everything is fetched in a fixed number of queries, and templates only choose among what is here.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from events import formats
from events.availability import Availability, Kind
from events.choices import ANY, Chosen, SessionOption, session_options
from events.landing import calendar_copies
from events.models import Host, OfferCondition, Question, Session, Webinar
from events.replays import Replay, replay_of
from registrations import signup, surveys, tokens
from registrations.answers import shown_answers
from registrations.codes import CodeState, OwnOffer, own_offers
from registrations.doors import CANCELLABLE, ENDS, STEPS, Door, door
from registrations.models import Registration

Because = Registration.CancelledBecause

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
    def is_declined(self) -> bool:
        """Whether they are asked to keep a place that they declined in their calendar."""
        return self.registration.frees_at is not None and self.session.starts_at - self.now >= signup.TOO_LATE

    @property
    def moved_from(self) -> datetime | None:
        """Where their session stood before, while that is said."""
        return self.session.moved_from(self.now)

    @property
    def is_running(self) -> bool:
        """Whether they have a place in what takes place right now."""
        return self.registration.is_confirmed and self.session.is_running(self.now)

    @property
    def ended_because(self) -> str:
        """Why the registration is cancelled, also in the minute before the schedule notes that it has run out."""
        own = self.registration
        if own.is_offered:
            return Because.UNANSWERED
        if own.is_pending:
            return Because.UNPROVED if own.awaits == Registration.Awaits.PROOF else Because.UNPAID
        # Of the oldest it was not written down, and they were their owner's.
        return own.cancelled_because or Because.OWNER

    @property
    def ended_at(self) -> datetime | None:
        """When it was cancelled, or ran out."""
        return self.registration.cancelled_at or self.registration.lapses_at

    @property
    def price(self) -> str:
        """In the active language; empty where it is free."""
        webinar = self.webinar
        return "" if webinar.is_free else formats.price(webinar.price_amount, webinar.price_currency)

    @property
    def can_change_details(self) -> bool:
        return self.door != Door.CANCELLED

    @property
    def wants_any(self) -> bool:
        """Whether they would come to any session, so that none of them is theirs yet."""
        return self.registration.any_session and not self.registration.has_place and self.door in {*STEPS, Door.WAITING}

    @property
    def can_wait_for_any(self) -> bool:
        """Whether they wait for one session and could as well wait for others."""
        if self.door != Door.WAITING or self.registration.any_session:
            return False
        return any(option.is_selectable and option.id != self.session.pk for option in self.options)

    @property
    def can_cancel(self) -> bool:
        return self.door in CANCELLABLE

    @property
    def has_code(self) -> bool:
        """Whether one of the offers can be used now."""
        return any(own.state == CodeState.UNLOCKED for own in self.offers)

    @property
    def is_over(self) -> bool:
        """Whether they registered for a session that took place and has ended."""
        return self.door in ENDS

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
        if self.door in {Door.CANCELLED, Door.PROOF, Door.OFFERED, Door.UNFINISHED}:
            return False
        return any(option.is_selectable and option.id != self.session.pk for option in self.options)

    @property
    def only_waits(self) -> bool:
        """Whether whoever comes to the webinar now could but wait."""
        return all(option.is_waiting for option in self.options if option.is_selectable)

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
        join_url=tokens.join_url(registration) if registration.is_confirmed else "",
        replay=replay_of(webinar, now=now),
        position=Registration.objects.position_of(registration, now=now) if door_now == Door.WAITING else None,
        survey=survey_state,
        survey_questions=survey_questions,
        # A code of an earlier time is shown again only to whoever has proved to be the same person.
        offers=[]
        if door_now == Door.PROOF
        else own_offers(registration, paths=_ways_open(registration, door=door_now, survey=survey_state), now=now),
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
    session = registration.session
    present: Chosen = ANY if registration.any_session else session.pk
    options = session_options(session.webinar, now=now, zone=zone, chosen=chosen or present)
    has_place = registration.has_place and not (session.is_cancelled or session.has_ended(now))
    return [_moving_option(option, registration, has_place=has_place) for option in options]


def _moving_option(option: SessionOption, registration: Registration, *, has_place: bool) -> SessionOption:
    is_own = option.id == registration.session_id and not registration.any_session
    if is_own and option.is_selectable and not registration.is_cancelled:
        return replace(option, availability=Availability(Kind.OPEN, _("Your session")))
    if option.is_waiting and has_place:
        # They would lose it by queueing elsewhere.
        return replace(option, availability=Availability(Kind.FULL, _("Full")))
    return option
