"""A mail as mail servers take it: its parts, its headers, and an invite that keeps its bytes.

The layout of a mail with an invite is that of RFC 6047 2.4, as mail programs take it: the calendar part is the last
alternative and no attachment, the attached copy is the same bytes.
"""

import base64
import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import charset
from email.header import Header
from email.policy import compat32
from email.utils import format_datetime, parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import forbid_multi_line_headers
from django.utils.encoding import punycode

from events import validators

# Longer ones do not fit on a header's first line as they are.
LONG_WORD = 60
# RFC 5322 2.1.1
LONGEST_LINE = 998

# Seven bits only: servers that convert eight-bit parts on the way break the signature (DKIM) that invites hang on.
_QUOTED_PRINTABLE = charset.Charset("utf-8")
_QUOTED_PRINTABLE.body_encoding = charset.QP
# Of a few hundred bytes each. Most lines of a mail stand in many others, and are encoded once for all of them.
_KEPT_LINES = 4096
_KEPT_HEADERS = 256
# Python and Django fold these so that some programs misread them.
_FOLDED_ANEW = frozenset({"Subject", "From", "To", "List-Unsubscribe"})


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
        values = {**self.extra_headers, "Subject": str(self.subject), "From": self.from_email, "To": self.to[0]}
        for header in _FOLDED_ANEW & values.keys():
            if (folded := _folded_well(header, values[header])) is not None:
                message.replace_header(header, folded)


@dataclass(frozen=True)
class ComposedMail:
    """A mail ready for the mail server, with its envelope: `from_email` and `to_email` are bare addresses."""

    from_email: str
    to_email: str
    message_id: str
    headers: dict[str, str]
    text: str
    html: str
    invite: Invite | None = None

    @property
    def message(self) -> InvitationMail:
        """The mail as Django has it: what `as_bytes` writes, and a test compares it with."""
        others = {name: value for name, value in self.headers.items() if name not in {"Subject", "From", "To"}}
        return InvitationMail(
            subject=self.headers["Subject"],
            body=self.text,
            from_email=self.headers["From"],
            to=[self.headers["To"]],
            alternatives=[(self.html, "text/html")],
            headers=others,
            invite=self.invite,
        )

    def as_bytes(self) -> bytes:
        """The mail as DATA takes it, its lines ended by CRLF: byte for byte `message`, at a tenth of its cost."""
        return self._content

    @functools.cached_property
    def _content(self) -> bytes:
        # No boundary can stand in a part: all of them are encoded, and have no equals sign followed by another.
        headers = b"".join(_header(name, value) for name, value in self.headers.items())
        parts = [_text_part("plain", self.text), _text_part("html", self.html)]
        if self.invite is None:
            return _multipart("alternative", self._boundary("alternative"), parts, headers)
        content = base64.encodebytes(self.invite.content).replace(b"\n", b"\r\n")
        parts.append(_CALENDAR_HEADERS % self.invite.method.encode() + content)
        body = _multipart("alternative", self._boundary("alternative"), parts)
        attached = _ATTACHMENT_HEADERS + content
        return _multipart("mixed", self._boundary("mixed"), [body, attached], headers)

    def _boundary(self, kind: str) -> bytes:
        """As Python draws them, but the same whenever the same mail is written."""
        digest = hashlib.sha256(f"{kind} {self.message_id}".encode()).digest()
        return b"===============%019d==" % (int.from_bytes(digest[:8], "big") % 10**19)


_CALENDAR_HEADERS = (
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: text/calendar; method="%b"; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)
_ATTACHMENT_HEADERS = (
    b"MIME-Version: 1.0\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="invite.ics"\r\n'
    b'Content-Type: application/ics; name="invite.ics"\r\n\r\n'
)


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
    return ComposedMail(
        from_email=sender.email,
        to_email=recipient.email,
        message_id=message_id,
        headers={
            "Subject": subject,
            "From": _mailbox(sender),
            "To": _mailbox(recipient),
            "Message-ID": message_id,
            "Date": format_datetime(now.astimezone(UTC)),
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
            **_unsubscribing(unsubscribe_url),
        },
        text=text,
        html=html,
        invite=invite,
    )


# ---------- bytes ----------


def _multipart(kind: str, boundary: bytes, parts: list[bytes], headers: bytes = b"") -> bytes:
    """Parts between boundaries (RFC 2046 5.1.1). Where the boundary's parameter stands is Python's choice."""
    space = b" " if kind == "mixed" else b"\r\n "
    return b"".join(
        [
            b'Content-Type: multipart/%b;%bboundary="%b"\r\nMIME-Version: 1.0\r\n' % (kind.encode(), space, boundary),
            headers,
            *(b"\r\n--%b\r\n%b" % (boundary, part) for part in parts),
            b"\r\n--%b--\r\n" % boundary,
        ]
    )


def _text_part(kind: str, text: str) -> bytes:
    head = (
        b'Content-Type: text/%b; charset="utf-8"\r\n'
        b"MIME-Version: 1.0\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    # A carriage return ends a line too, and then they cannot be taken one by one.
    lines = [text] if "\r" in text else text.split("\n")
    return head % kind.encode() + b"\r\n".join(map(_quoted_printable, lines))


@functools.lru_cache(maxsize=_KEPT_LINES)
def _quoted_printable(line: str) -> bytes:
    """RFC 2045 6.7"""
    return _QUOTED_PRINTABLE.body_encode(line).encode("ascii").replace(b"\n", b"\r\n")


@functools.lru_cache(maxsize=_KEPT_HEADERS)
def _header(name: str, value: str) -> bytes:
    """A header, encoded and folded as Django and Python do it. Raises BadHeaderError where the value has two lines."""
    encoding: Any = _QUOTED_PRINTABLE
    _name, safe = forbid_multi_line_headers(name, value, encoding)
    folded: Any = _folded_well(name, value) if name in _FOLDED_ANEW else None
    return compat32.fold(name, safe if folded is None else folded).encode("ascii").replace(b"\n", b"\r\n")


def _folded_well(header: str, value: str) -> str | Header | None:
    """A header that has letters beyond ASCII or is long, encoded anew; None where it is fine as it is.

    Django forgets how long the header's own name is. Its first line would then be empty, which some programs read as an
    empty subject.
    """
    if header == "List-Unsubscribe":
        # An address is never broken (RFC 8058 4), nor begun on a line of its own.
        return Header(value, maxlinelen=LONGEST_LINE)
    if header == "Subject":
        return None if value.isascii() else _encoded(header, value)
    name, address = parseaddr(value)
    if name.isascii() and max(map(len, name.split(" "))) <= LONG_WORD:
        return None
    return f"{_encoded(header, name)} <{address}>"


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
