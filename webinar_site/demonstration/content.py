"""The shapes in which the demonstration's content is written down. What they mean, the models of `events` say."""

from dataclasses import dataclass
from datetime import date, time

from events.mail_rules import DAY, HOUR, USUAL
from events.models import Appearance, MailRule, OfferCondition, Question
from events.models.series import Partnership
from webinar_site.demonstration.portraits import Portrait
from webinar_site.demonstration.registrants import Registrant


@dataclass(frozen=True)
class Work:
    job_title: str
    organization: str = ""
    abbreviation: str = ""


@dataclass(frozen=True)
class PresenterContent:
    slug: str
    works: tuple[Work, ...]
    name: str = ""
    honorific: str = ""
    biography: str = ""
    portrait: Portrait | None = None
    role: str = Appearance.Role.PRESENTER


@dataclass(frozen=True)
class PartnerContent:
    name: str
    parent: str = ""
    website: str = ""
    kind: str = Partnership.Kind.PARTNER


@dataclass(frozen=True)
class SeriesContent:
    slug: str
    title: str
    about: str
    partners: tuple[PartnerContent, ...] = ()


@dataclass(frozen=True)
class SessionContent:
    on: date
    at: time
    time_zone: str
    minutes: int = 90
    label: str = ""
    join_url: str = ""
    capacity: int | None = None
    registrants: tuple[Registrant, ...] = ()


@dataclass(frozen=True)
class QuestionContent:
    wording: str
    kind: str = Question.Kind.SHORT_TEXT
    help_text: str = ""
    options: tuple[str, ...] = ()
    asked: str = Question.Asked.REGISTERING
    # What the demonstration's registrants answer, in turn; an empty one is no answer.
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfferContent:
    headline: str
    percent_off: int
    periods: str
    terms: str
    redeem_url: str
    code_prefix: str
    conditions: tuple[OfferCondition.Kind, ...]
    attended_minutes: int
    valid_until: date


@dataclass(frozen=True)
class WebinarContent:
    slug: str
    title: str
    summary: str
    about: str
    sessions: tuple[SessionContent, ...]
    presenters: tuple[PresenterContent, ...]
    display_zones: tuple[str, ...]
    official_title: str = ""
    language: str = "en"
    interpretation: str = ""
    is_in_series: bool = False
    attended_count: int | None = None
    replay_url: str = ""
    questions: tuple[QuestionContent, ...] = ()
    offer: OfferContent | None = None
    recommended: tuple[str, ...] = ()  # slugs


@dataclass(frozen=True)
class HostContent:
    slug: str
    name: str
    about: str
    website: str
    accent: str
    time_zone: str
    organizer_email: str
    webinars: tuple[WebinarContent, ...]
    series: SeriesContent | None = None
    # Of the whole host; those of one webinar stand with it.
    offer: OfferContent | None = None
    # Of each mail of its plan what, to whom, and how many minutes before the start or after the end.
    mails: tuple[tuple[str, str, int], ...] = USUAL


# A plan with everything in it, which its owner may thin out.
ALL_MAILS = (
    *USUAL,
    (MailRule.Purpose.REMINDER, MailRule.Audience.EVERYBODY, 0),
    (MailRule.Purpose.FOLLOW_UP, MailRule.Audience.CAME, 2 * HOUR),
    (MailRule.Purpose.FOLLOW_UP, MailRule.Audience.STAYED_AWAY, 2 * HOUR),
    (MailRule.Purpose.SURVEY, MailRule.Audience.CAME, DAY),
    (MailRule.Purpose.REPLAY, MailRule.Audience.EVERYBODY, 0),
)
