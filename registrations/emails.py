"""What each message says. Here mails are composed from the current state of a registration; nothing is sent.

One function for each folder of templates/emails, named alike. Text and HTML are rendered from the same letter
(`registrations.letters`), in the message's language and in its reader's zone, and put together in `registrations.mime`.
"""

import functools
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.db.models import prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.html import escape
from django.utils.translation import gettext

from events import formats, mail_rules, validators
from events.models import MailRule, Question
from events.models.hosts import DEFAULT_ACCENT
from registrations import drafts, invites, letters, mime, tokens
from registrations.codes import cause_text
from registrations.drafts import Draft
from registrations.letters import Letter
from registrations.mime import ComposedMail
from registrations.models import Message, Registration
from registrations.pointless import MAY_COME, PointlessError, registration_of, require_point

TEXT_COLUMNS = 72
# Most stand in many mails.
KEPT_LINES = 1024
# So long after the start a mail may say that it starts now.
STARTS_NOW = timedelta(minutes=5)

# What comes once a session is over.
_AFTERWARDS = {Message.Kind.CAME, Message.Kind.MISSED, Message.Kind.SURVEY, Message.Kind.REPLAY}

_MESSAGE_ID_SALT = "registrations.message_id"
_MESSAGE_ID_DIGITS = 40
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
_KEPT_STYLE_MARK = ' data-css-inline="keep"'


def compose(message: Message, *, now: datetime) -> ComposedMail:
    """The mail of one outbox row, as things stand now. Raises PointlessError when it need not be sent any more.

    Composing twice gives the same Message-ID and the same invite, so that a receiver can tell a repetition.
    """
    require_point(message, now=now)
    with translation.override(formats.supported_language(message.language)):
        return _COMPOSERS[Message.Kind(message.kind)](message, now)


def read_ahead(messages: Iterable[Message]) -> None:
    """Fetch at once what composing these messages will read: a query for one is a query for all."""
    told = [message for message in messages if message.registration is not None]
    letters.read_ahead(message.registration for message in told if message.registration is not None)
    after = [message for message in told if message.kind in _AFTERWARDS]
    prefetch_related_objects(after, "registration__session__webinar__questions")
    absent = [message for message in told if message.kind == Message.Kind.MISSED]
    for plan in ("mail_rules", "host__mail_rules"):
        prefetch_related_objects(absent, f"registration__session__webinar__{plan}")


# ---------- the messages ----------


def proof(message: Message, now: datetime) -> ComposedMail:
    """Confirm your address. It bears no word of whoever typed it in, who may be anybody."""
    registration = registration_of(message)
    letter = letters.write(registration, now, name="", offers=[])
    return _without_place(message, letter, now)


def pending(message: Message, now: datetime) -> ComposedMail:
    """Your registration waits for the organizer, or for your payment."""
    return _not_yet(message, now)


def approved(message: Message, now: datetime) -> ComposedMail:
    """The organizer has accepted your registration, and you have a place."""
    return _request(message, letters.write(registration_of(message), now, calendar="entry"), now)


def turned_down(message: Message, now: datetime) -> ComposedMail:
    """The organizer has turned your registration down."""
    return _without_place(message, _ended(registration_of(message), now), now)


def confirmed(message: Message, now: datetime) -> ComposedMail:
    """You have a place."""
    return _request(message, letters.write(registration_of(message), now, calendar="entry"), now)


def offered(message: Message, now: datetime) -> ComposedMail:
    """A place is kept for you: take it, or pass."""
    return _not_yet(message, now)


def lapsed(message: Message, now: datetime) -> ComposedMail:
    """You passed on the place that was kept for you, said nothing, or did not pay."""
    return _without_place(message, _ended(registration_of(message), now), now)


def promoted(message: Message, now: datetime) -> ComposedMail:
    """A place came free for you."""
    return _request(message, letters.write(registration_of(message), now, calendar="entry"), now)


def waitlisted(message: Message, now: datetime) -> ComposedMail:
    """You are on the waiting list: honest about having no place. An entry from before is withdrawn."""
    registration = registration_of(message)
    called_off = letters.called_off(message, registration)
    if registration.has_entry or registration.dtstamp is None:
        return _not_yet(message, now, called_off=called_off)
    letter = letters.write(registration, now, calendar="none", offers=[], called_off=called_off)
    return _about(message, letter, now, invite=_cancellation(registration))


def session_changed(message: Message, now: datetime) -> ComposedMail:
    """You changed session, and your entry moves with you."""
    registration = registration_of(message)
    letter = letters.write(registration, now, calendar="update", previous=letters.previous(message, registration))
    return _request(message, letter, now)


def rescheduled(message: Message, now: datetime) -> ComposedMail:
    """The session has moved, for those who hold a place and, without an invite, for those who may get one."""
    registration = registration_of(message)
    news = {"previous": letters.previous(message, registration), "is_renamed": "previous_title" in message.payload}
    if registration.is_confirmed:
        return _request(message, letters.write(registration, now, calendar="update", **news), now)
    return _not_yet(message, now, **news)


def session_cancelled(message: Message, now: datetime) -> ComposedMail:
    """The session will not take place: whoever has an entry gets it withdrawn."""
    return _withdrawal(message, registration_of(message), now)


def cancelled(message: Message, now: datetime) -> ComposedMail:
    """The registration is cancelled, by its owner or an organizer: whoever has an entry gets it withdrawn."""
    return _withdrawal(message, registration_of(message), now)


def declined(message: Message, now: datetime) -> ComposedMail:
    """You declined in your calendar: keep the place, or it goes to whoever waits. The entry stays as they left it."""
    return _about(message, letters.write(registration_of(message), now, offers=[]), now)


def countered(message: Message, now: datetime) -> ComposedMail:
    """You proposed another time: it stays as it is, and these are the other sessions."""
    registration = registration_of(message)
    others = letters.other_sessions(registration, now)
    return _about(message, letters.write(registration, now, offers=[], other_sessions=others), now)


def link_again(message: Message, now: datetime) -> ComposedMail:
    """Your link, for whoever registered twice, and how things stand."""
    registration = registration_of(message)
    standing = letters.standing(registration, now)
    has_none = standing in MAY_COME and not registration.has_entry
    calendar = "earlier" if standing == "place" else "none" if has_none else ""
    letter = letters.write(registration, now, calendar=calendar)
    if standing != "place":
        letter = replace(letter, offers=[offer for offer in letter.offers if offer.code])
    return _about(message, letter, now)


def reminder(message: Message, now: datetime) -> ComposedMail:
    """Your session is soon. The entry is in their calendar already, so none comes with it."""
    return _about(message, letters.write(registration_of(message), now, offers=[]), now)


def starting(message: Message, now: datetime) -> ComposedMail:
    """It starts now, or has begun where this mail is late."""
    registration = registration_of(message)
    has_begun = now >= registration.session.starts_at + STARTS_NOW
    return _about(message, letters.write(registration, now, offers=[], has_begun=has_begun), now)


def came(message: Message, now: datetime) -> ComposedMail:
    """Thank you for coming, with what comes after."""
    return _afterwards(message, now)


def missed(message: Message, now: datetime) -> ComposedMail:
    """You were not there: what can still be had, and what the plan asks them too, in words for those who were away."""
    registration = registration_of(message)
    asks = _has_survey(registration) and _asks_those_who_stayed_away(registration)
    letter = letters.write_afterwards(registration, now, has_survey=asks, has_missed=True)
    return _about(message, letter, now)


def survey(message: Message, now: datetime) -> ComposedMail:
    """How was it?"""
    registration = registration_of(message)
    if not _has_survey(registration):
        raise PointlessError("The webinar asks nothing afterwards.")
    return _about(message, letters.write_afterwards(registration, now, has_survey=True), now)


def replay(message: Message, now: datetime) -> ComposedMail:
    """The replay can be watched."""
    return _afterwards(message, now)


def offer_earned(message: Message, now: datetime) -> ComposedMail:
    """A code has been unlocked by what you did."""
    registration = registration_of(message)
    kind = message.payload.get("earned_by", "")
    earned = letters.earned_offers(registration, kind, now)
    if not earned:
        raise PointlessError("The offer is over.")
    is_over = registration.session.has_ended(now)
    letter = letters.write(registration, now, offers=earned, earned_by=cause_text(kind), is_over=is_over)
    return _about(message, letter, now)


def announcement(message: Message, now: datetime) -> ComposedMail:
    """What an organizer has written."""
    registration, mailing = registration_of(message), message.mailing
    if mailing is None:
        raise PointlessError("Its text is gone.")
    letter = letters.write(
        registration,
        now,
        offers=[],
        subject=validators.single_line(mailing.subject),
        paragraphs=_paragraphs(mailing.text),
        is_over=registration.session.has_ended(now),
    )
    return _about(message, letter, now)


def erased(message: Message, now: datetime) -> ComposedMail:
    """Your registration is erased: written by `write_erased` while it was still there."""
    written = message.payload
    return mime.mail(
        subject=written["subject"],
        text=written["text"],
        html=written["html"],
        sender=mime.Person(*written["sender"]),
        recipient=mime.Person(*written["recipient"]),
        message_id=_message_id(message),
        language=written["language"],
        now=now,
        invite=mime.Invite(written["invite"].encode(), "CANCEL") if written["invite"] else None,
    )


def write_erased(registration: Registration, *, now: datetime) -> dict[str, Any]:
    """What the mail about an erasing says, to be kept with its row until it is sent: soon nobody knows it any more.

    The entry of a session that is over stays where it is.
    """
    with translation.override(registration.own_language):
        is_withdrawn = not registration.session.has_ended(now) and _has_untold_withdrawal(registration)
        letter = _ended(registration, now, calendar="withdrawal" if is_withdrawn else "")
        words = _render(Message.Kind.ERASED, letter)
        return {
            "subject": words.subject,
            "text": words.text,
            "html": words.html,
            "language": letter.language,
            "sender": [letter.host_name, invites.organizer_address(registration)],
            "recipient": [letter.name, letter.email],
            "invite": invites.cancel(registration).decode() if is_withdrawn else "",
        }


def account(message: Message, now: datetime) -> ComposedMail:
    """Signing in: subject and text were written by whoever asked for it."""
    if now - message.created_at > timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT):
        raise PointlessError("The code in it is no longer valid.")
    sender_name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    subject = validators.single_line(message.payload.get("subject", ""))
    text = validators.plain_text(message.payload["text"])
    letter = replace(
        letters.blank(DEFAULT_ACCENT, title=subject, host_name=sender_name or sender, email=message.to_email),
        subject=subject,
        text=text,
        paragraphs=_paragraphs(text),
    )
    return _mail(message, letter, now, sender=sender, html=message.payload.get("html", ""))


def probe(message: Message, now: datetime) -> ComposedMail:
    """An invite to yourself: whoever runs the site accepts it, and sees whether the answer arrives."""
    asked = message.probe
    name = parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or asked.sender_email
    title = gettext("Test of invites: please accept")
    letter = replace(
        letters.blank(DEFAULT_ACCENT, title=title, host_name=name, email=message.to_email),
        answers_to=asked.organizer,
    )
    why = gettext("You sent this to yourself, to see whether invites arrive and whether answers come back.")
    calendar = invites.probe(asked, title=title, description=why, name=name)
    return _mail(message, letter, now, sender=asked.organizer, invite=mime.Invite(calendar, "REQUEST"))


_COMPOSERS: dict[Message.Kind, Callable[[Message, datetime], ComposedMail]] = {
    Message.Kind.PROOF: proof,
    Message.Kind.PENDING: pending,
    Message.Kind.APPROVED: approved,
    Message.Kind.TURNED_DOWN: turned_down,
    Message.Kind.CONFIRMED: confirmed,
    Message.Kind.WAITLISTED: waitlisted,
    Message.Kind.OFFERED: offered,
    Message.Kind.LAPSED: lapsed,
    Message.Kind.PROMOTED: promoted,
    Message.Kind.SESSION_CHANGED: session_changed,
    Message.Kind.RESCHEDULED: rescheduled,
    Message.Kind.SESSION_CANCELLED: session_cancelled,
    Message.Kind.CANCELLED: cancelled,
    Message.Kind.DECLINED: declined,
    Message.Kind.COUNTERED: countered,
    Message.Kind.LINK_AGAIN: link_again,
    Message.Kind.REMINDER: reminder,
    Message.Kind.STARTING: starting,
    Message.Kind.CAME: came,
    Message.Kind.MISSED: missed,
    Message.Kind.SURVEY: survey,
    Message.Kind.REPLAY: replay,
    Message.Kind.OFFER_EARNED: offer_earned,
    Message.Kind.ANNOUNCEMENT: announcement,
    Message.Kind.ERASED: erased,
    Message.Kind.ACCOUNT: account,
    Message.Kind.PROBE: probe,
}


# ---------- the kinds of mail about a registration ----------


def _request(message: Message, letter: Letter, now: datetime) -> ComposedMail:
    registration = registration_of(message)
    return _about(message, letter, now, invite=mime.Invite(invites.request(registration), "REQUEST"))


def _not_yet(message: Message, now: datetime, **fields: Any) -> ComposedMail:
    """A mail to somebody who may get a place: with a tentative entry where their host wants them to have one."""
    registration = registration_of(message)
    calendar = "tentative" if registration.has_entry else "none"
    letter = letters.write(registration, now, calendar=calendar, offers=[], **fields)
    return _request(message, letter, now) if registration.has_entry else _without_place(message, letter, now)


def _without_place(message: Message, letter: Letter, now: datetime) -> ComposedMail:
    """A mail to somebody who has no entry; one from before goes, should the mail that withdraws it be lost to this."""
    registration = registration_of(message)
    invite = _cancellation(registration) if _has_untold_withdrawal(registration) else None
    return _about(message, letter, now, invite=invite)


def _withdrawal(message: Message, registration: Registration, now: datetime) -> ComposedMail:
    has_entry = registration.dtstamp is not None
    letter = _ended(registration, now, calendar="withdrawal" if has_entry else "")
    return _about(message, letter, now, invite=_cancellation(registration) if has_entry else None)


def _ended(registration: Registration, now: datetime, *, calendar: str = "") -> Letter:
    """The letter about what is no more: what was earned stays; what was not can no longer be."""
    letter = letters.write(registration, now, calendar=calendar)
    return replace(letter, offers=[offer for offer in letter.offers if offer.code])


def _afterwards(message: Message, now: datetime) -> ComposedMail:
    """A mail about a session that is over, with all that its owner can still do or have."""
    registration = registration_of(message)
    letter = letters.write_afterwards(registration, now, has_survey=_has_survey(registration))
    return _about(message, letter, now)


def _has_survey(registration: Registration) -> bool:
    return any(question.asked == Question.Asked.SURVEY for question in registration.session.webinar.questions.all())


def _asks_those_who_stayed_away(registration: Registration) -> bool:
    """Whether the plan has a survey for them, or for everybody."""
    surveys = (
        rule for rule in mail_rules.rules_of(registration.session.webinar) if rule.purpose == MailRule.Purpose.SURVEY
    )
    return any(rule.audience != MailRule.Audience.CAME for rule in surveys)


def _paragraphs(text: str) -> list[letters.Paragraph]:
    """What stands between empty lines."""
    words = validators.plain_text(text)
    return [letters.Paragraph(each.strip()) for each in re.split(r"\n\s*\n", words) if each.strip()]


def _cancellation(registration: Registration) -> mime.Invite:
    return mime.Invite(invites.cancel(registration), "CANCEL")


def _has_untold_withdrawal(registration: Registration) -> bool:
    """Whether there was an entry once, and no mail that was sent has told its newest revision."""
    if registration.dtstamp is None:
        return False
    told = registration.messages.filter(state=Message.State.SENT, sequence__gte=registration.sequence)
    return not told.exists()


def _about(message: Message, letter: Letter, now: datetime, *, invite: mime.Invite | None = None) -> ComposedMail:
    registration = registration_of(message)
    if message.kind in Message.OPTIONAL_KINDS:
        letter = replace(letter, unsubscribe_url=tokens.unsubscribe_url(registration))
    return _mail(message, letter, now, sender=invites.organizer_address(registration), invite=invite)


# ---------- from letter to mail ----------


def _mail(
    message: Message,
    letter: Letter,
    now: datetime,
    *,
    sender: str,
    html: str = "",
    invite: mime.Invite | None = None,
) -> ComposedMail:
    words = _render(Message.Kind(message.kind), letter)
    return mime.mail(
        subject=words.subject,
        text=words.text,
        html=html or words.html,
        sender=mime.Person(letter.host_name, sender),
        recipient=mime.Person(letter.name, letter.email),
        message_id=_message_id(message),
        language=letter.language,
        now=now,
        invite=invite,
        unsubscribe_url=letter.unsubscribe_url,
    )


def _render(kind: Message.Kind, letter: Letter) -> Draft:
    """A letter, rendered. What was written elsewhere, such as a code to sign in with, is never kept for others."""
    draft, words = (_draft(kind, letter), []) if letter.text else drafts.drafted(_draft, kind, letter)
    return Draft(
        subject=validators.single_line(drafts.fill(draft.subject, words)),
        text=tidied(drafts.fill(draft.text, words)),
        html=drafts.fill(draft.html, words, write=escape),
    )


def _draft(kind: str, letter: Letter) -> Draft:
    folder = f"emails/{kind}"
    subject = validators.single_line(render_to_string(f"{folder}/subject.txt", {"letter": letter}))
    letter = replace(letter, subject=subject)
    return Draft(
        subject=subject,
        text=render_to_string(f"{folder}/body.txt", {"letter": letter}),
        html=_inlined(render_to_string(f"{folder}/body.html", {"letter": letter})),
    )


def tidied(text: str) -> str:
    """A rendered text as a person reads it: long lines broken at words, addresses whole, one blank line at a time."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.extend(_wrapped(line))
    return "\n".join(lines) + "\n"


@functools.lru_cache(maxsize=KEPT_LINES)
def _wrapped(line: str) -> tuple[str, ...]:
    if line == "-- ":  # with its space: mail programs know the small print by it
        return (line,)
    line = line.rstrip()
    if len(line) <= TEXT_COLUMNS or "://" in line:
        return (line,)
    indent = line[: len(line) - len(line.lstrip())]
    wrapper = textwrap.TextWrapper(
        TEXT_COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return tuple(wrapper.wrap(line))


def _inlined(html: str) -> str:
    compact = re.sub(r"\n\s*\n+", "\n", html)
    return _INLINER.inline(compact).replace(_KEPT_STYLE_MARK, "")


def _message_id(message: Message) -> str:
    """The same for every attempt, another for another revision: receivers may fold mails that have the same one.

    Nobody else can work it out, not even from a link that was passed on: whoever knows it can say that the mail came
    back. One that may have gone out already is kept, should `SECRET_KEY` be another by now.
    """
    revision = "" if message.sequence is None else f".{message.sequence}"
    written = message.message_id.strip("<>").partition("@")[0]
    if written and written[_MESSAGE_ID_DIGITS:] == revision:
        return message.message_id
    purpose = f"{message.key}-{message.sequence}"
    digest = salted_hmac(_MESSAGE_ID_SALT, purpose, algorithm="sha256").hexdigest()[:_MESSAGE_ID_DIGITS]
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{digest}{revision}@{host.strip('[]').replace(':', '-')}>"
