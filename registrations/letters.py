"""What a mail tells: a letter to one person, in their language and their zone, ready for the templates.

Read only: nothing is rendered and nothing is sent here.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.translation import get_language, get_language_bidi, gettext, pgettext

from events import formats, palette, timezones, validators
from events.conditions import condition_text
from events.links import absolute
from events.models import Session
from events.models.hosts import DEFAULT_ACCENT
from events.replays import ReplayState, replay_of
from events.scheduling import PlannedTime
from registrations import doors, tokens
from registrations.models import Message, OfferCode, Registration

# Longer titles are set smaller, so that date and time stay on the first screen.
LONG_TITLE = 60
# A session is soon when it begins within so long a time.
SOON = timedelta(days=2)
# A session's times in a zone are the same words for all who read them there.
KEPT_WORDS = 1024

Told = ParamSpec("Told")
Words = TypeVar("Words")


def _written_once(write: Callable[Told, Words]) -> Callable[Told, Words]:
    """Keeps what was written of the same times, in each language."""

    @functools.lru_cache(maxsize=KEPT_WORDS)
    def written(_language: str | None, *args: Any, **kwargs: Any) -> Words:
        return write(*args, **kwargs)

    @functools.wraps(write)
    def look_up(*args: Told.args, **kwargs: Told.kwargs) -> Words:
        hashable: Any = kwargs
        return written(get_language(), *args, **hashable)

    return look_up


@dataclass(frozen=True)
class Moment:
    """A time in one zone, in words."""

    date: str
    hours: str
    city: str
    offset: str
    is_own: bool = False

    @property
    def is_utc(self) -> bool:
        """Whether it is in UTC itself, which is no city and has no distance from UTC to tell."""
        return self.city == "UTC"

    @property
    def whole(self) -> str:
        """Wednesday 28 October 2020, 17:30 to 19:00 in Tashkent (UTC+5)"""
        if self.is_utc:
            return gettext("%(date)s, %(hours)s UTC") % {"date": self.date, "hours": self.hours}
        return gettext("%(date)s, %(hours)s in %(city)s (%(offset)s)") % {
            "date": self.date,
            "hours": self.hours,
            "city": self.city,
            "offset": self.offset,
        }


@dataclass(frozen=True)
class Before(Moment):
    """Where a session was; and in which city the rules for clocks have changed, where that is why it moved."""

    new_rules_in: str = ""
    # The reader's clock is the one that it was planned by, and on it nothing moves.
    is_same_clock: bool = False


@dataclass(frozen=True)
class CityTime:
    """The start in another city. The date only where it differs from the reader's."""

    city: str
    time: str
    offset: str
    date: str
    padded: str


@dataclass(frozen=True)
class Join:
    """The way in: the personal link, and when it opens."""

    url: str
    is_open: bool
    opens_at: str
    opens_on: str


@dataclass(frozen=True)
class OfferShown:
    """An offer as its owner sees it: with the code once it is theirs, else with what earns it."""

    headline: str
    code: str
    is_used_up: bool
    redeem_url: str
    conditions: list[str]
    valid_from: str
    valid_until: str
    terms: str


@dataclass(frozen=True)
class ReplayShown:
    """The recording: its owner's own link, where it can be watched now, and from when or until when."""

    url: str
    is_open: bool
    opens_at: str
    ends_at: str


@dataclass(frozen=True)
class Paragraph:
    """A piece of a mail that was written elsewhere."""

    words: str

    @property
    def is_code(self) -> bool:
        """Whether it is nothing but a code to be typed, which then stands out."""
        return re.fullmatch(r"[A-Z0-9]{3,8}(-[A-Z0-9]{3,8})*", self.words) is not None


@dataclass(frozen=True)
class Letter:
    """What the templates of a message get, all of it safe on one line save an offer's terms."""

    language: str
    direction: str
    start: str
    end: str
    palette: palette.MailPalette
    title: str
    title_size: int
    title_line: int
    host_name: str
    email: str
    name: str = ""
    moment: str = ""
    when: Moment | None = None
    planned: Moment | None = None
    previous: Before | None = None
    cities: list[CityTime] = field(default_factory=list)
    join: Join | None = None
    manage_url: str = ""
    # In mails that nobody needs for a place alone: where they are stopped.
    unsubscribe_url: str = ""
    webinar_url: str = ""
    calendar: str = ""
    offers: list[OfferShown] = field(default_factory=list)
    has_other_sessions: bool = False
    frees_place: bool = False
    position: int | None = None
    standing: str = ""
    # When the session was in which they had been offered a place, until it was called off.
    called_off: str = ""
    # For how long a place is kept for whoever waits; None where they have it at once.
    offer_hours: int | None = None
    # Sessions, in words, for whoever waits for any of them.
    waits_for: list[str] = field(default_factory=list)
    has_place: bool = False
    is_accepted: bool = False
    needs_approval: bool = False
    kept_until: str = ""
    # Whether the news is what the webinar is called.
    is_renamed: bool = False
    # From when on others may have a place that was declined.
    frees_at: str = ""
    # What they could change to, in words; for the mail that answers a proposal of another time.
    other_sessions: list[str] = field(default_factory=list)
    price: str = ""
    how_to_pay: str = ""
    because: str = ""
    # The address that a calendar answers to, for who tests just that.
    answers_to: str = ""
    home_url: str = ""
    subject: str = ""
    text: str = ""
    paragraphs: list[Paragraph] = field(default_factory=list)
    # For a mail about what is to come, has begun or is over.
    is_soon: bool = False
    has_begun: bool = False
    is_over: bool = False
    replay: ReplayShown | None = None
    survey_url: str = ""
    # They were not there, so that nobody asks them how it was.
    has_missed: bool = False
    # By what the codes of this mail were unlocked, as a sentence.
    earned_by: str = ""


def read_ahead(registrations: Iterable[Registration]) -> None:
    """Fetch at once what letters about these people will read, in as many queries as for one of them."""
    prefetch_related_objects(
        list(registrations),
        "session__webinar__display_zones",
        "session__webinar__sessions",
        "offer_codes__offer__conditions",
    )


def write(registration: Registration, now: datetime, **fields: Any) -> Letter:
    """The letter about a registration as things stand; `fields` are what one kind of message tells otherwise."""
    session = registration.session
    webinar = session.webinar
    zone = registration.own_time_zone
    when = _moment(session.starts_at, session.ends_at, zone, is_own=bool(registration.time_zone))
    planned = None
    if timezones.canonical_name(session.time_zone) != zone:
        planned = _moment(session.starts_at, session.ends_at, session.time_zone)
    return replace(
        blank(
            webinar.host.accent,
            title=validators.single_line(webinar.title),
            host_name=validators.single_line(webinar.host.name),
            email=registration.email,
        ),
        **{
            "name": validators.single_line(registration.name),
            "moment": _short_moment(session.starts_at, zone),
            "is_soon": session.starts_at - now <= SOON,
            "when": when,
            "planned": planned,
            "cities": _cities(registration, zone),
            "join": _join(registration, zone, now),
            "manage_url": tokens.manage_url(registration),
            "webinar_url": absolute(webinar.get_absolute_url()),
            "has_other_sessions": bool(_others(registration, now)),
            "frees_place": session.capacity is not None,
            "standing": standing(registration, now),
            "position": Registration.objects.position_of(registration, now=now),
            "waits_for": _waits_for(registration, zone, now),
            "offer_hours": webinar.offer_hours,
            "has_place": registration.has_place,
            "is_accepted": registration.approved_at is not None,
            "needs_approval": webinar.needs_approval and registration.approved_at is None,
            "kept_until": _date_and_place_time(registration.lapses_at, zone),
            "frees_at": _date_and_place_time(registration.frees_at, zone),
            "how_to_pay": validators.plain_text(webinar.how_to_pay),
            "price": "" if webinar.is_free else formats.price(webinar.price_amount, webinar.price_currency),
            "because": registration.cancelled_because,
            "home_url": absolute(reverse("home")),
            **({} if "offers" in fields else {"offers": _offers(registration, zone, now)}),
            **fields,
        },
    )


def write_afterwards(registration: Registration, now: datetime, *, has_survey: bool, **fields: Any) -> Letter:
    """The letter about a session that is over: the replay, a survey that they have not answered, and their offers."""
    asks = has_survey and registration.surveyed_at is None
    return write(
        registration,
        now,
        is_over=True,
        replay=_replay(registration, now),
        survey_url=tokens.survey_url(registration) if asks else "",
        **fields,
    )


def _replay(registration: Registration, now: datetime) -> ReplayShown | None:
    """The replay as somebody finds it who may watch it, if only later; None where there is none for them."""
    replay, zone = replay_of(registration.session.webinar, now=now), registration.own_time_zone
    is_soon = replay.state == ReplayState.SOON
    if not (replay.is_open or is_soon) or not (replay.is_for_everyone or doors.may_watch(registration)):
        return None
    return ReplayShown(
        url=tokens.replay_url(registration),
        is_open=replay.is_open,
        opens_at=_date_and_place_time(replay.opens_at, zone) if is_soon else "",
        ends_at=_date_and_place_time(replay.ends_at, zone),
    )


def earned_offers(registration: Registration, kind: str, now: datetime) -> list[OfferShown]:
    """The offers whose codes were unlocked in that way, a kind of OfferCondition."""
    codes = [code for code in registration.offer_codes.all() if code.is_unlocked and code.unlocked_by == kind]
    shown = sorted(codes, key=attrgetter("pk"))
    return [_offer(code, registration.own_time_zone, now) for code in shown if not code.offer.has_ended(now)]


def standing(registration: Registration, now: datetime) -> str:
    """How things stand for its owner, in a word that templates choose by."""
    if registration.is_cancelled:
        return "cancelled"
    if _sessions_waited_for(registration, now):
        return "waiting"
    if registration.session.is_cancelled:
        return "called_off"
    if registration.session.has_ended(now):
        return "over"
    if registration.is_pending:
        return registration.awaits
    if registration.is_offered:
        return "offered"
    return "waiting" if registration.is_waitlisted else "place"


def _sessions_waited_for(registration: Registration, now: datetime) -> list[Session]:
    """What is left for whoever waits for any session, also when the one they asked for is not."""
    if not (registration.is_waitlisted and registration.any_session) or registration.has_place:
        return []
    return _coming(registration, now)


def blank(accent: str, *, title: str, host_name: str, email: str) -> Letter:
    """A letter that tells nothing yet, in the active language and the colours of that accent."""
    is_rtl = get_language_bidi()
    try:
        colours = palette.mail_palette(accent)
    except ValueError:
        colours = palette.mail_palette(DEFAULT_ACCENT)
    is_long = len(title) > LONG_TITLE
    return Letter(
        language=get_language() or settings.LANGUAGE_CODE,
        direction="rtl" if is_rtl else "ltr",
        start="right" if is_rtl else "left",
        end="left" if is_rtl else "right",
        palette=colours,
        title=title,
        title_size=27 if is_long else 34,
        title_line=33 if is_long else 39,
        host_name=host_name,
        email=email,
    )


@_written_once
def _moment(starts_at: datetime, ends_at: datetime, zone: str, *, is_own: bool = False) -> Moment:
    return Moment(
        date=formats.long_date(starts_at, zone),
        hours=formats.time_range(starts_at, ends_at, zone),
        city=timezones.city_name(zone),
        offset=timezones.utc_offset_label(starts_at, zone),
        is_own=is_own,
    )


@_written_once
def _short_moment(instant: datetime, zone: str) -> str:
    """Wed 28 Oct, 17:30 Tashkent"""
    return gettext("%(day)s, %(time)s %(city)s") % {
        "day": formats.short_day(instant, zone),
        "time": formats.clock_time(instant, zone),
        "city": timezones.city_name(zone),
    }


def previous(message: Message, registration: Registration) -> Before | None:
    """When the session was before, or None where its time is the same: other things may have changed.

    Whoever reads times in the zone that it was planned in reads the time they were told, also where that zone's rules
    have changed since: today's would give another.
    """
    planned = PlannedTime.from_payload(message.payload)
    session = registration.session
    if planned is None or (planned.starts_at, planned.duration) == (session.starts_at, session.duration):
        return None
    zone = registration.own_time_zone if registration.time_zone else planned.time_zone
    is_planned_zone = timezones.canonical_name(planned.time_zone) == timezones.canonical_name(zone)
    ends_at = planned.starts_at + planned.duration
    if is_planned_zone and planned.is_of_other_rules:
        then = _moment_at_offset(planned, zone)
    else:
        then = _moment(planned.starts_at, ends_at, zone)
    is_by_rules = message.kind == Message.Kind.RESCHEDULED and _keeps_its_wall_clock(planned, session)
    return Before(
        **asdict(then),
        new_rules_in=timezones.city_name(session.time_zone) if is_by_rules else "",
        is_same_clock=is_by_rules and is_planned_zone,
    )


def _keeps_its_wall_clock(planned: PlannedTime, session: Session) -> bool:
    """Whether new rules for the clocks of its zone, and nothing else, moved the session."""
    told = (planned.time_zone, planned.local_start, planned.duration)
    local = datetime.combine(session.local_date, session.local_time)
    return planned.is_of_other_rules and told == (session.time_zone, local, session.duration)


def _moment_at_offset(planned: PlannedTime, zone: str) -> Moment:
    """When something was planned in words, by the distance from UTC that its zone had by the rules of that day."""
    offset = planned.utc_offset or timedelta()
    # Written as if it were UTC, whose clock no rules change.
    starts_at = planned.starts_at + offset
    return Moment(
        date=formats.long_date(starts_at, "UTC"),
        hours=formats.time_range(starts_at, starts_at + planned.duration, "UTC"),
        city=timezones.city_name(zone),
        offset=timezones.offset_label(offset),
    )


def is_undone(message: Message, registration: Registration) -> bool:
    """Whether all is again as it was before the changes that the message would tell of."""
    planned, session = PlannedTime.from_payload(message.payload), registration.session
    title = message.payload.get("previous_title", session.webinar.title)
    if planned is None or title != session.webinar.title:
        return False
    was = (planned.starts_at, planned.duration, planned.time_zone)
    return was == (session.starts_at, session.duration, session.time_zone)


def called_off(message: Message, registration: Registration) -> str:
    """When the session was in which a place was offered until it was called off; empty where that is not the news."""
    planned = PlannedTime.from_payload(message.payload.get("called_off", {}))
    if planned is None:
        return ""
    zone = registration.own_time_zone if registration.time_zone else planned.time_zone
    return _moment(planned.starts_at, planned.starts_at + planned.duration, zone).whole


def _cities(registration: Registration, own_zone: str) -> list[CityTime]:
    """The webinar's other zones, in the organizer's order."""
    session = registration.session
    zones = [timezones.canonical_name(shown.time_zone) for shown in session.webinar.display_zones.all()]
    return list(_city_times(session.starts_at, own_zone, tuple(dict.fromkeys(zones))))


@_written_once
def _city_times(starts_at: datetime, own_zone: str, zones: tuple[str, ...]) -> tuple[CityTime, ...]:
    own_date = formats.long_date(starts_at, own_zone)
    rows = []
    for zone in zones:
        if zone != own_zone:
            date = formats.long_date(starts_at, zone)
            rows.append(
                (
                    timezones.city_name(zone),
                    formats.clock_time(starts_at, zone),
                    timezones.utc_offset_label(starts_at, zone),
                    "" if date == own_date else formats.short_day(starts_at, zone),
                )
            )
    widths = [max((_columns(row[column]) for row in rows), default=0) for column in range(3)]
    return tuple(CityTime(*row, padded="   ".join([*map(_pad, row[:3], widths), row[3]]).rstrip()) for row in rows)


def _join(registration: Registration, zone: str, now: datetime) -> Join:
    session = registration.session
    opens_at, opens_on = _opening(session.join_opens_at, session.starts_at, zone)
    return Join(tokens.join_url(registration), now >= session.join_opens_at, opens_at, opens_on)


@_written_once
def _opening(opens_at: datetime, starts_at: datetime, zone: str) -> tuple[str, str]:
    """When the way in opens; and on which date, where that is another than the session's."""
    date = formats.long_date(opens_at, zone)
    return formats.place_time(opens_at, zone), "" if date == formats.long_date(starts_at, zone) else date


def _coming(registration: Registration, now: datetime) -> list[Session]:
    """The sessions of its webinar that are still to end, soonest first."""
    sessions = registration.session.webinar.sessions.all()
    return [session for session in sessions if not session.is_cancelled and not session.has_ended(now)]


def _waits_for(registration: Registration, zone: str, now: datetime) -> list[str]:
    """Those that somebody would come to who has no place yet and wants any, in words."""
    if not registration.any_session or registration.has_place or registration.is_cancelled:
        return []
    sessions = _coming(registration, now)
    return [_moment(session.starts_at, session.ends_at, zone).whole for session in sessions]


def other_sessions(registration: Registration, now: datetime) -> list[str]:
    """The sessions that its owner could change to, in words."""
    return [
        _moment(session.starts_at, session.ends_at, registration.own_time_zone).whole
        for session in _others(registration, now)
    ]


def _others(registration: Registration, now: datetime) -> list[Session]:
    """The sessions that its owner could change to, soonest first."""
    session = registration.session
    # Whoever has a place would lose it by queueing elsewhere, unless it is of no use any more.
    may_queue = not registration.has_place or session.is_cancelled or session.has_ended(now)
    others = [other for other in _coming(registration, now) if other.pk != session.pk]
    return [other for other in others if other.takes_registrations(now) and (may_queue or not other.is_full)]


def _offers(registration: Registration, zone: str, now: datetime) -> list[OfferShown]:
    codes = sorted(registration.offer_codes.all(), key=attrgetter("pk"))
    return [_offer(code, zone, now) for code in codes if not code.offer.has_ended(now)]


def _offer(code: OfferCode, zone: str, now: datetime) -> OfferShown:
    offer = code.offer
    begins = offer.valid_from if offer.valid_from and now < offer.valid_from else None
    return OfferShown(
        headline=validators.single_line(offer.headline),
        code=code.code if code.is_unlocked else "",
        is_used_up=code.redemptions >= offer.redemptions_per_code,
        redeem_url=iri_to_uri(offer.redeem_url),
        conditions=[
            condition_text(condition.kind, minutes=condition.minutes, until=condition.until)
            for condition in offer.conditions.all()
        ],
        valid_from=_date_and_place_time(begins, zone),
        valid_until=_date_and_place_time(offer.valid_until, zone),
        terms=validators.plain_text(offer.terms),
    )


@_written_once
def _date_and_place_time(instant: datetime | None, zone: str) -> str:
    """28 October 2020, 17:30 Tashkent, UTC+5"""
    if instant is None:
        return ""
    return pgettext("a date, and the time and place on it", "%(date)s, %(time)s") % {
        "date": formats.day_and_month(instant, zone),
        "time": formats.place_time(instant, zone),
    }


def _columns(text: str) -> int:
    """How many columns the text takes where letters are of one width: two for each East Asian one."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))
