"""Mails that come in, in the shapes in which calendars and mail servers write them.

The shapes lie in tests/registrations/inbound/mails: an .eml whose line `@base64 google.ics` stands for that calendar,
so encoded. What differs from mail to mail is a name with a dollar sign.
"""

import base64
import quopri
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

from registrations.models import Message, Registration
from tests.builders import NOW

MAILS = Path(__file__).resolve().parent / "registrations" / "inbound" / "mails"
CALENDARS = ["google", "outlook", "apple", "thunderbird"]
MAIL_SERVERS = ["postfix", "exchange", "gmail"]
# When the calendars of tests answer.
ANSWERED = NOW + timedelta(minutes=15)

_INSERTED = re.compile(r"(?m)^@(base64|quoted-printable) (\S+)\n")


def calendar_mail(registration: Registration, shape: str = "google", **said: Any) -> bytes:
    """What that calendar mails when the registration's owner accepts; every keyword says something else."""
    uid = said.get("uid", registration.uid)
    return mail(
        shape,
        **{
            "method": "REPLY",
            "partstat": "ACCEPTED",
            "uid": uid,
            "uid_start": uid[:11],
            "uid_end": uid[11:],
            "sequence": registration.sequence,
            "organizer": registration.organizer,
            "sender": registration.email,
            "attendee": registration.email,
            **said,
            "dtstamp": _ical(said.get("dtstamp", ANSWERED)),
        },
    )


def bounced_mail(message: Message, shape: str = "postfix", **said: Any) -> bytes:
    """What that mail server writes when it cannot deliver one of ours; every keyword says something else."""
    registration = message.registration
    assert registration is not None
    return mail(
        shape,
        **{
            "organizer": registration.organizer,
            "failed": message.to_email,
            "message_id": message.message_id,
            "action": "failed",
            "status": "5.1.1",
            **said,
        },
    )


def mail(shape: str, **said: Any) -> bytes:
    """A mail of that shape as it comes over the wire, its lines ended by CRLF."""

    def inserted(match: re.Match[str]) -> str:
        calendar = _crlf(Template((MAILS / match[2]).read_text(encoding="utf-8")).substitute(said))
        encode = base64.encodebytes if match[1] == "base64" else quopri.encodestring
        return encode(calendar).decode().replace("\r\n", "\n") + "\n"

    text = _INSERTED.sub(inserted, (MAILS / f"{shape}.eml").read_text(encoding="utf-8"))
    return _crlf(Template(text).safe_substitute(said))


def with_calendar(content: bytes, *, sender: str, to: str, parameters: str = 'method=REPLY; charset="utf-8"') -> bytes:
    """A mail that is nothing but a calendar part."""
    head = (
        f"From: {sender}\r\nTo: {to}\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; {parameters}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(content)


def calendar_of(registration: Registration, **said: Any) -> bytes:
    """The calendar in Google's mail, by itself."""
    raw = calendar_mail(registration, **said)
    encoded = re.findall(rb"(?s)base64\r\n\r\n(.*?)\r\n--", raw)[1]
    return base64.b64decode(encoded)


def _crlf(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def _ical(instant: datetime | str) -> str:
    return instant if isinstance(instant, str) else f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
