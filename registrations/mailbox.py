"""The mails of the trial setting, to be read in the browser: as rendered, as text, as source, with their calendar part.

The site wires these pages only where no mail server is set (webinar_site/urls.py). What a mail holds was written by
strangers, so its HTML is shown in a frame without scripts, forms or an origin.
"""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from icalendar import Calendar, Component

from events import formats

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.eml", re.ASCII)
MAX_LISTED = 200

# Links may open a new window, which is an ordinary page again; the mail itself stays locked up.
HTML_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
_LINKS_IN_NEW_WINDOWS = '<base target="_blank">'
_SHOWN_TYPES = {"text/plain", "text/html"}


@dataclass(frozen=True)
class Letter:
    """A line in the list of mails."""

    name: str
    to: str
    subject: str
    sent_at: datetime | None


@dataclass(frozen=True)
class CalendarRow:
    """One property of a calendar part, and what it says in plain words where that helps."""

    component: str
    name: str
    value: str
    words: str


@dataclass(frozen=True)
class Attachment:
    """A part that can be saved."""

    number: int
    filename: str
    content_type: str
    size: int


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """All mails, newest first."""
    letters = [_letter(path) for path in _paths()[:MAX_LISTED]]
    return _unlisted(render(request, "mailbox/mailbox.html", {"letters": letters}))


@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One mail in all its forms."""
    mail = _parse(_read(name))
    context = {
        "letter": _letter_of(name, mail),
        "sender": str(mail.get("From", "")),
        "text": _text(mail, "plain"),
        "has_html": bool(_text(mail, "html")),
        "calendar": _calendar_rows(mail),
        "attachments": _attachments(mail),
    }
    return _unlisted(render(request, "mailbox/message.html", context))


@require_safe
@xframe_options_sameorigin
def html_part(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part on its own, for the frame."""
    html = _text(_parse(_read(name)), "html")
    if not html:
        raise Http404
    response = HttpResponse(_with_base(html))
    response["Content-Security-Policy"] = HTML_POLICY
    return _unlisted(response)


@require_safe
def source(request: HttpRequest, name: str) -> HttpResponse:
    """The mail as it would travel."""
    return _unlisted(HttpResponse(_read(name), content_type="text/plain; charset=utf-8"))


@require_safe
def attachment(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One part as a file."""
    parts = _leaves(_parse(_read(name)))
    if number >= len(parts):
        raise Http404
    part = parts[number]
    response = HttpResponse(_payload(part), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{_safe_filename(part, number)}"'
    return _unlisted(response)


# ---------- files ----------


def _paths() -> list[Path]:
    """The names begin with the moment of sending, so their order is that of time."""
    folder = Path(settings.MAILBOX_DIR)
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _is_mail(path)), reverse=True)


def _is_mail(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and path.is_file() and not path.is_symlink()


def _read(name: str) -> bytes:
    """The bytes of one mail. Raises Http404 for a name that leads anywhere else."""
    path = Path(settings.MAILBOX_DIR) / name
    if not _NAME.fullmatch(name) or not _is_mail(path):
        raise Http404
    return path.read_bytes()


# ---------- parts ----------


def _parse(content: bytes) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)  # noqa: S101 - the default policy makes no other
    return mail


def _letter(path: Path) -> Letter:
    with path.open("rb") as file:
        return _letter_of(path.name, BytesHeaderParser(policy=email.policy.default).parse(file))


def _letter_of(name: str, mail: Any) -> Letter:
    date = mail.get("Date")
    return Letter(
        name=name,
        to=str(mail.get("To", "")),
        subject=str(mail.get("Subject", "")),
        sent_at=getattr(date, "datetime", None),
    )


def _text(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a character set that nobody knows
        return _payload(part).decode(errors="replace")


def _with_base(html: str) -> str:
    """The mail's links in new windows: in the frame they would be refused."""
    return re.sub(r"(<head[^>]*>)", rf"\1{_LINKS_IN_NEW_WINDOWS}", html, count=1, flags=re.IGNORECASE)


def _leaves(mail: EmailMessage) -> list[EmailMessage]:
    return [part for part in mail.walk() if not part.is_multipart() and isinstance(part, EmailMessage)]


def _attachments(mail: EmailMessage) -> list[Attachment]:
    return [
        Attachment(number, _safe_filename(part, number), part.get_content_type(), len(_payload(part)))
        for number, part in enumerate(_leaves(mail))
        if part.get_content_type() not in _SHOWN_TYPES
    ]


def _payload(part: Any) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _safe_filename(part: EmailMessage, number: int) -> str:
    given = re.sub(r"[^A-Za-z0-9._-]", "_", part.get_filename() or "").strip("._")
    if given:
        return given
    extension = "ics" if part.get_content_type() == "text/calendar" else "bin"
    return f"part-{number}.{extension}"


# ---------- the calendar part ----------


def _calendar_rows(mail: EmailMessage) -> list[CalendarRow]:
    part = next((part for part in _leaves(mail) if part.get_content_type() == "text/calendar"), None)
    if part is None:
        return []
    try:
        calendar = Calendar.from_ical(_payload(part))
    except ValueError as error:
        return [CalendarRow("VCALENDAR", _("Cannot be read"), str(error), "")]
    return [
        CalendarRow(component.name or "", name, value.to_ical().decode(errors="replace"), _in_words(value))
        for component in calendar.walk()
        for name, value in _properties(component)
    ]


def _properties(component: Component) -> list[tuple[str, Any]]:
    """Each property with its value, one line for each of several."""
    pairs = []
    for name, value in component.items():
        pairs += [(name, single) for single in (value if isinstance(value, list) else [value])]
    return pairs


def _in_words(value: Any) -> str:
    """A moment as a person reads it, and the parameters of what has any."""
    moment = getattr(value, "dt", None)
    if isinstance(moment, datetime) and timezone.is_aware(moment):
        return _("%(date)s, %(time)s UTC") % {
            "date": formats.long_date(moment, "UTC"),
            "time": formats.clock_time(moment, "UTC"),
        }
    parameters = getattr(value, "params", None) or {}
    return "; ".join(f"{name}={strip_tags(str(given))}" for name, given in parameters.items())


def _unlisted(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    return response
