"""What each message says. Here mails are composed from the current state of a registration; nothing is sent.

One function for each folder of templates/emails, named alike. Text and HTML are rendered from the same letter
(`registrations.letters`), in the message's language and in its reader's zone, and put together in `registrations.mime`.
"""

import hashlib
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from events import formats, validators
from events.models.hosts import DEFAULT_ACCENT
from registrations import invites, letters, mime
from registrations.letters import Letter
from registrations.mime import ComposedMail
from registrations.models import Message, Registration

TEXT_COLUMNS = 72

_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
_KEPT_STYLE_MARK = ' data-css-inline="keep"'


class PointlessError(Exception):
    """The message has lost its point since it was written. The text says how, for organizers."""


def compose(message: Message, *, now: datetime) -> ComposedMail:
    """The mail of one outbox row, as things stand now. Raises PointlessError when it need not be sent any more.

    Composing twice gives the same Message-ID and the same invite, so that a receiver can tell a repetition.
    """
    with translation.override(formats.supported_language(message.language)):
        return _COMPOSERS[Message.Kind(message.kind)](message, now)


# ---------- the messages ----------


def confirmed(message: Message, now: datetime) -> ComposedMail:
    """You have a place."""
    registration = _with_place(message, now)
    return _request(message, letters.write(registration, now, calendar="entry"), now)


def promoted(message: Message, now: datetime) -> ComposedMail:
    """A place came free for you."""
    registration = _with_place(message, now)
    return _request(message, letters.write(registration, now, calendar="entry"), now)


def waitlisted(message: Message, now: datetime) -> ComposedMail:
    """You are on the waiting list: honest about having no place. An entry from before is withdrawn."""
    registration = _registration(message)
    _require_coming(registration, now)
    if not registration.is_waitlisted:
        raise PointlessError("No longer on the waiting list.")
    letter = letters.write(registration, now, calendar="none", offers=[])
    if registration.dtstamp is None:
        return _about(message, letter, now)
    return _about(message, letter, now, invite=mime.Invite(invites.cancel(registration), "CANCEL"))


def session_changed(message: Message, now: datetime) -> ComposedMail:
    """You changed session, and your entry moves with you."""
    registration = _with_place(message, now)
    letter = letters.write(registration, now, calendar="update", previous=letters.previous(message, registration))
    return _request(message, letter, now)


def rescheduled(message: Message, now: datetime) -> ComposedMail:
    """The session has moved, for those who hold a place and, without an invite, for those who wait."""
    registration = _registration(message)
    _require_coming(registration, now)
    if registration.is_waitlisted:
        letter = letters.write(
            registration, now, calendar="none", offers=[], previous=letters.previous(message, registration)
        )
        return _about(message, letter, now)
    _with_place(message, now)
    letter = letters.write(registration, now, calendar="update", previous=letters.previous(message, registration))
    return _request(message, letter, now)


def session_cancelled(message: Message, now: datetime) -> ComposedMail:
    """The session will not take place: whoever has an entry gets it withdrawn."""
    registration = _registration(message)
    if not registration.session.is_cancelled:
        raise PointlessError("Moved to a session that takes place.")
    return _withdrawal(message, registration, now)


def cancelled(message: Message, now: datetime) -> ComposedMail:
    """The registration is cancelled, by its owner or an organizer: whoever has an entry gets it withdrawn."""
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
    letter = letters.write(registration, now, calendar=calendar)
    if standing != "place":
        letter = replace(letter, offers=[offer for offer in letter.offers if offer.code])
    return _about(message, replace(letter, standing=standing), now)


def account(message: Message, now: datetime) -> ComposedMail:
    """Signing in: subject and text were written by whoever asked for it."""
    if "text" not in message.payload:
        raise PointlessError("Its text is gone.")
    if now - message.created_at > timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT):
        raise PointlessError("The code in it is no longer valid.")
    sender_name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    subject = validators.single_line(message.payload.get("subject", ""))
    text = validators.plain_text(message.payload["text"])
    letter = replace(
        letters.blank(DEFAULT_ACCENT, title=subject, host_name=sender_name or sender, email=message.to_email),
        subject=subject,
        text=text,
        paragraphs=[letters.Paragraph(words.strip()) for words in re.split(r"\n\s*\n", text)],
    )
    return _mail(message, letter, now, sender=sender, html=message.payload.get("html", ""))


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
    return _about(message, letter, now, invite=mime.Invite(invites.request(registration), "REQUEST"))


def _withdrawal(message: Message, registration: Registration, now: datetime) -> ComposedMail:
    has_entry = registration.dtstamp is not None
    letter = letters.write(registration, now, calendar="withdrawal" if has_entry else "")
    # What was earned stays; what was not can no longer be.
    letter = replace(letter, offers=[offer for offer in letter.offers if offer.code])
    if not has_entry:
        return _about(message, letter, now)
    return _about(message, letter, now, invite=mime.Invite(invites.cancel(registration), "CANCEL"))


def _about(message: Message, letter: Letter, now: datetime, *, invite: mime.Invite | None = None) -> ComposedMail:
    return _mail(message, letter, now, sender=invites.organizer_address(_registration(message)), invite=invite)


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
    folder = f"emails/{message.kind}"
    subject = validators.single_line(render_to_string(f"{folder}/subject.txt", {"letter": letter}))
    letter = replace(letter, subject=subject)
    return mime.mail(
        subject=subject,
        text=tidied(render_to_string(f"{folder}/body.txt", {"letter": letter})),
        html=html or _inlined(render_to_string(f"{folder}/body.html", {"letter": letter})),
        sender=mime.Person(letter.host_name, sender),
        recipient=mime.Person(letter.name, letter.email),
        message_id=_message_id(message),
        language=letter.language,
        now=now,
        invite=invite,
    )


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
    """The same for every attempt, another for another revision: receivers may fold mails that have the same one."""
    purpose = f"{message.key}-{message.sequence}"
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(purpose.encode()).hexdigest()[:40]}@{host.strip('[]').replace(':', '-')}>"
