"""A mail as mail servers take it: its parts, its headers, and an invite that keeps its bytes.

The layout of a mail with an invite is that of RFC 6047 2.4, as mail programs take it: the calendar part is the last
alternative and no attachment, the attached copy is the same bytes.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from email import charset
from email.header import Header
from email.utils import format_datetime, parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from events import validators

# Longer ones do not fit on a header's first line as they are.
LONG_WORD = 60
# RFC 5322 2.1.1
LONGEST_LINE = 998

# Seven bits only: servers that convert eight-bit parts on the way break the signature (DKIM) that invites hang on.
_QUOTED_PRINTABLE = charset.Charset("utf-8")
_QUOTED_PRINTABLE.body_encoding = charset.QP


@dataclass(frozen=True)
class Person:
    """Whom a mail is from or to: a name, which may be empty, and a bare address."""

    name: str
    email: str


@dataclass(frozen=True)
class Invite:
    """A calendar entry to travel with a mail, and what it asks of the calendar: REQUEST or CANCEL."""

    content: bytes
    method: str


class InvitationMail(EmailMultiAlternatives):
    """A mail whose calendar part, where it has one, keeps the invite's bytes.

    Django and Python take text parts apart into lines and end them with a bare line feed; calendars want CRLF.
    """

    encoding = _QUOTED_PRINTABLE

    def __init__(self, *args: Any, invite: Invite | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._invite = invite
        if invite is not None:
            # The charset parameter is added by Django 5.2 itself.
            self.attach_alternative(invite.content.decode(), f"text/calendar; method={invite.method}")
            self.attach("invite.ics", invite.content, "application/ics")

    def message(self, **options: Any) -> Any:
        """The MIME tree, with the invite in base64 as it is."""
        message: Any = super().message(**options)
        self._fold_well(message)
        if self._invite is not None:
            part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
            part.set_payload(base64.encodebytes(self._invite.content).decode())
            part.replace_header("Content-Transfer-Encoding", "base64")
            for copy in message.walk():
                if copy.get_content_type() == "application/ics":
                    copy.set_param("name", "invite.ics")
        return message

    def _fold_well(self, message: Any) -> None:
        """Encode anew what has letters beyond ASCII or is long: Django forgets how long the header's own name is.

        Its first line would then be empty, which some programs read as an empty subject.
        """
        if "List-Unsubscribe" in message:
            # An address is never broken (RFC 8058 4), nor begun on a line of its own.
            message.replace_header("List-Unsubscribe", Header(message["List-Unsubscribe"], maxlinelen=LONGEST_LINE))
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


def mail(
    *,
    subject: str,
    text: str,
    html: str,
    sender: Person,
    recipient: Person,
    message_id: str,
    language: str,
    now: datetime,
    invite: Invite | None = None,
    unsubscribe_url: str = "",
) -> ComposedMail:
    """The mail of these words, from one person to one person, who may unsubscribe at that address if there is one."""
    message = InvitationMail(
        subject=subject,
        body=text,
        from_email=_mailbox(sender),
        to=[_mailbox(recipient)],
        alternatives=[(html, "text/html")],
        headers={
            "Message-ID": message_id,
            "Date": format_datetime(now.astimezone(UTC)),
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
            **_unsubscribing(unsubscribe_url),
        },
        invite=invite,
    )
    return ComposedMail(message, from_email=sender.email, to_email=recipient.email, message_id=message_id)


def _unsubscribing(url: str) -> dict[str, str]:
    """RFC 2369 3.2 and RFC 8058 3.1: a post to that address does it, without a cookie and without a question."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def _mailbox(person: Person) -> str:
    """A From or To header for one person: the name quoted, so that no mark in it can begin another address."""
    user, _, domain = person.email.rpartition("@")
    bare = f"{user}@{punycode(domain)}"
    quoted = validators.single_line(person.name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{bare}>' if quoted else bare


def _encoded(header: str, text: str) -> str:
    """The text in encoded words (RFC 2047), short enough that the first one fits beside the header's name."""
    return Header(text, "utf-8", header_name=header).encode(linesep="")
