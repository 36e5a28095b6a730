"""What each message says. Here mails are composed from the current state of a registration; nothing is sent.

One function for each folder of templates/emails, named alike. Text and HTML are rendered from the same `Letter`, in the
message's language and in its reader's zone. The layout of a mail with an invite is that of RFC 6047 2.4, as
mail programs take it: the calendar part is the last alternative and no attachment, the attached copy is the same bytes.
"""

import base64
import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import charset
from email.header import Header
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import iri_to_uri, punycode
from django.utils.translation import get_language, get_language_bidi, gettext, pgettext

from events import formats, palette, timezones, validators
from events.conditions import condition_text
from events.links import absolute
from events.models.hosts import DEFAULT_ACCENT
from events.scheduling import PlannedTime
from registrations import invites, tokens
from registrations.models import Message, OfferCode, Registration

TEXT_COLUMNS = 72
# Longer titles are set smaller, so that date and time stay on the first screen.
LONG_TITLE = 60
# Longer ones do not fit on a header's first line as they are.
LONG_WORD = 60

# Seven bits only: servers that convert eight-bit parts on the way break the signature (DKIM) that invites hang on.
_QUOTED_PRINTABLE = charset.Charset("utf-8")
_QUOTED_PRINTABLE.body_encoding = charset.QP

_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
_KEPT_STYLE_MARK = ' data-css-inline="keep"'


class PointlessError(Exception):
    """The message has lost its point since it was written. The text says how, for organizers."""


class InvitationMail(EmailMultiAlternatives):
    """A mail whose calendar part, where it has one, keeps the invite's bytes.

    Django and Python take text parts apart into lines and end them with a bare line feed; calendars want CRLF.
    """

    encoding = _QUOTED_PRINTABLE

    def __init__(self, *args: Any, invite: bytes | None = None, method: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._invite = invite
        if invite is not None:
            # The charset parameter is added by Django 5.2 itself.
            self.attach_alternative(invite.decode(), f"text/calendar; method={method}")
            self.attach("invite.ics", invite, "application/ics")

    def message(self, **options: Any) -> Any:
        """The MIME tree, with the invite in base64 as it is."""
        message: Any = super().message(**options)
        self._fold_well(message)
        if self._invite is not None:
            part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
            part.set_payload(base64.encodebytes(self._invite).decode())
            part.replace_header("Content-Transfer-Encoding", "base64")
            for copy in message.walk():
                if copy.get_content_type() == "application/ics":
                    copy.set_param("name", "invite.ics")
        return message

    def _fold_well(self, message: Any) -> None:
        """Encode anew what has letters beyond ASCII or is long: Django forgets how long the header's own name is.

        Its first line would then be empty, which some programs read as an empty subject.
        """
        subject = str(self.subject)
        if not subject.isascii():
            message.replace_header("Subject", _encoded("Subject", subject))
        for header, value in (("From", self.from_email), ("To", self.to[0])):
            name, address = parseaddr(value)
            if not name.isascii() or max(map(len, name.split(" "))) > LONG_WORD:
                message.replace_header(header, f"{_encoded(header, name)} <{address}>")


@dataclass(frozen=True)
class ComposedMail:
    """A mail ready for the mail server, with its envelope: `from_email` and `to_email` are bare addresses."""

    message: EmailMultiAlternatives
    from_email: str
    to_email: str
    message_id: str

    def as_bytes(self) -> bytes:
        """The mail as DATA takes it, its lines ended by CRLF."""
        mime: Any = self.message.message()
        return bytes(mime.as_bytes(linesep="\r\n"))


@dataclass(frozen=True)
class Moment:
    """A time in one zone, in words."""

    date: str
    hours: str
    city: str
    offset: str
    is_own: bool = False

    @property
    def whole(self) -> str:
        """Wednesday 28 October 2020, 17:30 to 19:00 in Tashkent (UTC+5)"""
        return gettext("%(date)s, %(hours)s in %(city)s (%(offset)s)") % {
            "date": self.date,
            "hours": self.hours,
            "city": self.city,
            "offset": self.offset,
        }


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
    previous: Moment | None = None
    cities: list[CityTime] = field(default_factory=list)
    join: Join | None = None
    manage_url: str = ""
    webinar_url: str = ""
    calendar: str = ""
    offers: list[OfferShown] = field(default_factory=list)
    has_other_sessions: bool = False
    frees_place: bool = False
    position: int | None = None
    standing: str = ""
    subject: str = ""
    text: str = ""
    paragraphs: list[Paragraph] = field(default_factory=list)


def compose(message: Message, *, now: datetime) -> ComposedMail:
    """The mail of one outbox row, as things stand now. Raises PointlessError when it need not be sent any more.

    Composing twice gives the same Message-ID and the same invite, so that a receiver can tell a repetition.
    """
    with translation.override(_supported(message.language)):
        return _COMPOSERS[Message.Kind(message.kind)](message, now)


# ---------- the messages ----------


def confirmed(message: Message, now: datetime) -> ComposedMail:
    """You have a place."""
    registration = _with_place(message, now)
    return _request(message, _letter(registration, now, calendar="entry"), now)


def promoted(message: Message, now: datetime) -> ComposedMail:
    """A place came free for you."""
    registration = _with_place(message, now)
    return _request(message, _letter(registration, now, calendar="entry"), now)


def waitlisted(message: Message, now: datetime) -> ComposedMail:
    """You are on the waiting list: honest about having no place, and without an invite."""
    registration = _registration(message)
    _require_coming(registration, now)
    if not registration.is_waitlisted:
        raise PointlessError("No longer on the waiting list.")
    return _plain(message, _letter(registration, now, calendar="none", offers=[]), now)


def session_changed(message: Message, now: datetime) -> ComposedMail:
    """You changed session, and your entry moves with you."""
    registration = _with_place(message, now)
    letter = _letter(registration, now, calendar="update", previous=_previous(message, registration))
    return _request(message, letter, now)


def rescheduled(message: Message, now: datetime) -> ComposedMail:
    """The session has moved, for those who hold a place and, without an invite, for those who wait."""
    registration = _registration(message)
    _require_coming(registration, now)
    if registration.is_waitlisted:
        letter = _letter(registration, now, calendar="none", offers=[], previous=_previous(message, registration))
        return _plain(message, letter, now)
    _with_place(message, now)
    letter = _letter(registration, now, calendar="update", previous=_previous(message, registration))
    return _request(message, letter, now)


def session_cancelled(message: Message, now: datetime) -> ComposedMail:
    """The session will not take place: whoever has an entry gets it withdrawn."""
    registration = _registration(message)
    if not registration.session.is_cancelled:
        raise PointlessError("Moved to a session that takes place.")
    return _withdrawal(message, registration, now)


def cancelled(message: Message, now: datetime) -> ComposedMail:
    """You cancelled: whoever has an entry gets it withdrawn."""
    registration = _registration(message)
    # Who came back only to wait has no entry any more either.
    if registration.is_confirmed:
        raise PointlessError("Registered again since.")
    return _withdrawal(message, registration, now)


def link_again(message: Message, now: datetime) -> ComposedMail:
    """Your link, for whoever registered twice, and how things stand."""
    registration = _registration(message)
    standing = _standing(registration, now)
    calendar = {"place": "earlier", "waiting": "none"}.get(standing, "")
    letter = _letter(registration, now, calendar=calendar)
    if standing != "place":
        letter = replace(letter, offers=[offer for offer in letter.offers if offer.code])
    return _plain(message, replace(letter, standing=standing), now)


def account(message: Message, now: datetime) -> ComposedMail:
    """Signing in: subject and text were written by whoever asked for it."""
    if "text" not in message.payload:
        raise PointlessError("Its text is gone.")
    sender_name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    subject = validators.single_line(message.payload.get("subject", ""))
    text = validators.plain_text(message.payload["text"])
    letter = replace(
        _blank_letter(DEFAULT_ACCENT, title=subject, host_name=sender_name or sender, email=message.to_email),
        subject=subject,
        text=text,
        paragraphs=[Paragraph(words.strip()) for words in re.split(r"\n\s*\n", text)],
    )
    return _mail(message, letter, now, sender=sender, to_name="", html=message.payload.get("html", ""))


_COMPOSERS: dict[Message.Kind, Callable[[Message, datetime], ComposedMail]] = {
    Message.Kind.CONFIRMED: confirmed,
    Message.Kind.WAITLISTED: waitlisted,
    Message.Kind.PROMOTED: promoted,
    Message.Kind.SESSION_CHANGED: session_changed,
    Message.Kind.RESCHEDULED: rescheduled,
    Message.Kind.SESSION_CANCELLED: session_cancelled,
    Message.Kind.CANCELLED: cancelled,
    Message.Kind.LINK_AGAIN: link_again,
    Message.Kind.ACCOUNT: account,
}


# ---------- whether there is a point ----------


def _registration(message: Message) -> Registration:
    if message.registration is None:
        raise PointlessError("The registration is gone.")
    return message.registration


def _with_place(message: Message, now: datetime) -> Registration:
    registration = _registration(message)
    _require_coming(registration, now)
    if not registration.is_confirmed:
        raise PointlessError("No longer holds a place.")
    return registration


def _require_coming(registration: Registration, now: datetime) -> None:
    if registration.session.is_cancelled:
        raise PointlessError("The session has been cancelled.")
    if registration.session.has_ended(now):
        raise PointlessError("The session is over.")


def _standing(registration: Registration, now: datetime) -> str:
    if registration.is_cancelled:
        return "cancelled"
    if registration.session.is_cancelled:
        return "called_off"
    if registration.session.has_ended(now):
        return "over"
    return "waiting" if registration.is_waitlisted else "place"


# ---------- the three kinds of mail about a registration ----------


def _request(message: Message, letter: Letter, now: datetime) -> ComposedMail:
    registration = _registration(message)
    return _about(message, letter, now, invite=invites.request(registration), method="REQUEST")


def _withdrawal(message: Message, registration: Registration, now: datetime) -> ComposedMail:
    has_entry = registration.dtstamp is not None
    letter = _letter(registration, now, calendar="withdrawal" if has_entry else "")
    # What was earned stays; what was not can no longer be.
    letter = replace(letter, offers=[offer for offer in letter.offers if offer.code])
    if not has_entry:
        return _plain(message, letter, now)
    return _about(message, letter, now, invite=invites.cancel(registration), method="CANCEL")


def _plain(message: Message, letter: Letter, now: datetime) -> ComposedMail:
    return _about(message, letter, now)


def _about(
    message: Message, letter: Letter, now: datetime, *, invite: bytes | None = None, method: str = ""
) -> ComposedMail:
    registration = _registration(message)
    sender = invites.organizer_address(registration)
    return _mail(message, letter, now, sender=sender, to_name=letter.name, invite=invite, method=method)


# ---------- what a letter tells ----------


def _letter(registration: Registration, now: datetime, **fields: Any) -> Letter:
    session = registration.session
    webinar = session.webinar
    zone = registration.own_time_zone
    when = _moment(session.starts_at, session.ends_at, zone, is_own=bool(registration.time_zone))
    planned = None
    if timezones.canonical_name(session.time_zone) != zone:
        planned = _moment(session.starts_at, session.ends_at, session.time_zone)
    return replace(
        _blank_letter(
            webinar.host.accent,
            title=validators.single_line(webinar.title),
            host_name=validators.single_line(webinar.host.name),
            email=registration.email,
        ),
        **{
            "name": validators.single_line(registration.name),
            "moment": _short_moment(session.starts_at, zone),
            "when": when,
            "planned": planned,
            "cities": _cities(registration, zone),
            "join": _join(registration, zone, now),
            "manage_url": tokens.manage_url(registration),
            "webinar_url": absolute(webinar.get_absolute_url()),
            "has_other_sessions": _has_other_sessions(registration, now),
            "frees_place": session.capacity is not None,
            "position": _position(registration),
            **({} if "offers" in fields else {"offers": _offers(registration, zone, now)}),
            **fields,
        },
    )


def _blank_letter(accent: str, *, title: str, host_name: str, email: str) -> Letter:
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


def _moment(starts_at: datetime, ends_at: datetime, zone: str, *, is_own: bool = False) -> Moment:
    return Moment(
        date=formats.long_date(starts_at, zone),
        hours=formats.time_range(starts_at, ends_at, zone),
        city=timezones.city_name(zone),
        offset=timezones.utc_offset_label(starts_at, zone),
        is_own=is_own,
    )


def _short_moment(instant: datetime, zone: str) -> str:
    """Wed 28 Oct, 17:30"""
    return gettext("%(day)s, %(time)s") % {
        "day": formats.short_day(instant, zone),
        "time": formats.clock_time(instant, zone),
    }


def _previous(message: Message, registration: Registration) -> Moment | None:
    """When the session was before, or None where its time is the same: other things may have changed."""
    planned = PlannedTime.from_payload(message.payload)
    session = registration.session
    if planned is None or (planned.starts_at, planned.duration) == (session.starts_at, session.duration):
        return None
    zone = registration.own_time_zone if registration.time_zone else planned.time_zone
    return _moment(planned.starts_at, planned.starts_at + planned.duration, zone)


def _cities(registration: Registration, own_zone: str) -> list[CityTime]:
    """The webinar's other zones, in the organizer's order."""
    session = registration.session
    zones = [timezones.canonical_name(shown.time_zone) for shown in session.webinar.display_zones.all()]
    own_date = formats.long_date(session.starts_at, own_zone)
    rows = []
    for zone in dict.fromkeys(zones):
        if zone != own_zone:
            date = formats.long_date(session.starts_at, zone)
            rows.append(
                (
                    timezones.city_name(zone),
                    formats.clock_time(session.starts_at, zone),
                    timezones.utc_offset_label(session.starts_at, zone),
                    "" if date == own_date else formats.short_day(session.starts_at, zone),
                )
            )
    widths = [max((_columns(row[column]) for row in rows), default=0) for column in range(3)]
    return [CityTime(*row, padded="   ".join([*map(_pad, row[:3], widths), row[3]]).rstrip()) for row in rows]


def _join(registration: Registration, zone: str, now: datetime) -> Join:
    session = registration.session
    opens_at = session.join_opens_at
    date = formats.long_date(opens_at, zone)
    return Join(
        url=tokens.join_url(registration),
        is_open=now >= opens_at,
        opens_at=formats.place_time(opens_at, zone),
        opens_on="" if date == formats.long_date(session.starts_at, zone) else date,
    )


def _has_other_sessions(registration: Registration, now: datetime) -> bool:
    """Whether there is another session that its owner could change to."""
    session = registration.session
    others = session.webinar.sessions.scheduled().upcoming(now).exclude(pk=session.pk)
    return any(other.takes_registrations(now) and (registration.is_waitlisted or not other.is_full) for other in others)


def _position(registration: Registration) -> int | None:
    return Registration.objects.queued_up_to(registration).count() if registration.is_waitlisted else None


def _offers(registration: Registration, zone: str, now: datetime) -> list[OfferShown]:
    codes = registration.offer_codes.select_related("offer").prefetch_related("offer__conditions").order_by("pk")
    return [_offer(code, zone, now) for code in codes if _is_current(code, now)]


def _is_current(code: OfferCode, now: datetime) -> bool:
    offer = code.offer
    return offer.is_active and not (offer.valid_until and now >= offer.valid_until)


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


def _date_and_place_time(instant: datetime | None, zone: str) -> str:
    """28 October 2020, 17:30 Tashkent, UTC+5"""
    if instant is None:
        return ""
    return pgettext("a date, and the time and place on it", "%(date)s, %(time)s") % {
        "date": formats.day_and_month(instant, zone),
        "time": formats.place_time(instant, zone),
    }


# ---------- from letter to mail ----------


def _mail(
    message: Message,
    letter: Letter,
    now: datetime,
    *,
    sender: str,
    to_name: str,
    html: str = "",
    invite: bytes | None = None,
    method: str = "",
) -> ComposedMail:
    folder = f"emails/{message.kind}"
    subject = validators.single_line(render_to_string(f"{folder}/subject.txt", {"letter": letter}))
    letter = replace(letter, subject=subject)
    text = tidied(render_to_string(f"{folder}/body.txt", {"letter": letter}))
    html = html or _inlined(render_to_string(f"{folder}/body.html", {"letter": letter}))
    message_id = _message_id(message)
    mail = InvitationMail(
        subject=subject,
        body=text,
        from_email=_mailbox(letter.host_name, sender),
        to=[_mailbox(to_name, letter.email)],
        alternatives=[(html, "text/html")],
        headers={
            "Message-ID": message_id,
            "Date": format_datetime(now.astimezone(UTC)),
            "Auto-Submitted": "auto-generated",
            "Content-Language": letter.language,
        },
        invite=invite,
        method=method,
    )
    return ComposedMail(mail, from_email=sender, to_email=letter.email, message_id=message_id)


def tidied(text: str) -> str:
    """A rendered text as a person reads it: long lines broken at words, addresses whole, one blank line at a time."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.extend(_wrapped(line))
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> list[str]:
    if line == "-- ":  # with its space: mail programs know the small print by it
        return [line]
    line = line.rstrip()
    if len(line) <= TEXT_COLUMNS or "://" in line:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, TEXT_COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _inlined(html: str) -> str:
    compact = re.sub(r"\n\s*\n+", "\n", html)
    return _INLINER.inline(compact).replace(_KEPT_STYLE_MARK, "")


def _message_id(message: Message) -> str:
    """The same for every attempt: from the row's key, which says what the mail is for."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(message.key.encode()).hexdigest()[:40]}@{host.strip('[]').replace(':', '-')}>"


def _mailbox(name: str, address: str) -> str:
    """A From or To header for one person: the name quoted, so that no mark in it can begin another address."""
    user, _, domain = address.rpartition("@")
    bare = f"{user}@{punycode(domain)}"
    quoted = validators.single_line(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{bare}>' if quoted else bare


def _encoded(header: str, text: str) -> str:
    """The text in encoded words (RFC 2047), short enough that the first one fits beside the header's name."""
    return Header(text, "utf-8", header_name=header).encode(linesep="")


def _columns(text: str) -> int:
    """How many columns the text takes where letters are of one width: two for each East Asian one."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))


def _supported(language: str) -> str:
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE
