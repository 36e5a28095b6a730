"""The doors through which a mail leaves: a mail server, or a folder in the trial setting.

A transport keeps one connection for many mails. It raises `RefusedForNowError` or `RefusedForGoodError` with what the
server said, `UnansweredError` where it has the mail and said nothing, and calls `before_data` at the last moment at
which nothing has been sent yet.
"""

import logging
import os
import re
import smtplib
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from events.validators import foreign_text

logger = logging.getLogger(__name__)

# RFC 5321 4.5.3.2.6 gives a server ten minutes to answer DATA. A short wait makes duplicates: 24 in 2,000, measured.
DATA_ANSWER_SECONDS = 120
# A server of whose last answers none came sooner leaves time for something else. Any other is waited for: nothing may
# stand between its yes and our mark, and composing a mail takes some milliseconds.
SLOW_ANSWER_SECONDS = 0.015
ANSWERS_REMEMBERED = 5
# Answers with a 5 in front that mean "your settings", not "this mail": out of sequence, no login, wrong login.
OUR_FAULT = frozenset({503, 530, 534, 535, 538})


class Mail(Protocol):
    """What a transport needs of a mail."""

    @property
    def from_email(self) -> str: ...
    @property
    def to_email(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    def as_bytes(self) -> bytes: ...


class RefusedForNowError(Exception):
    """The mail may go later: the server is away, busy, or does not take our login."""


class UnansweredError(Exception):
    """The server has the whole mail and has not said what it does with it: it may come or not."""


class RefusedForGoodError(Exception):
    """The server will never take this mail."""


class ClaimLostError(Exception):
    """`before_data` said no: somebody else sends this mail."""


class Transport(Protocol):
    """One way out, open for as many mails as there are."""

    def send(self, mail: Mail, *, before_data: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> str:
        """Hand over one mail and return the server's answer. `meanwhile` is called while a slow one thinks."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_transport() -> "Transport":
    """The way out that the settings name. Connecting waits for the first mail."""
    if settings.EMAIL_URL:
        return SmtpTransport()
    return FolderTransport(settings.MAILBOX_DIR)


class SmtpTransport:
    """One connection to the mail server of EMAIL_URL, opened anew when it broke."""

    def __init__(self) -> None:
        self._backend: EmailBackend | None = None
        self._answers_took: deque[float] = deque(maxlen=ANSWERS_REMEMBERED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, mail: Mail, *, before_data: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> str:
        """Send one mail. A connection that fails is closed, so that the next mail gets a new one."""
        try:
            return self._send(mail, before_data, meanwhile)
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise RefusedForNowError(_words(error)) from error

    def _send(self, mail: Mail, before_data: Callable[[], bool], meanwhile: Callable[[], None]) -> str:
        smtp = self._connected()
        options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
        self._expect(smtp.mail(_ascii(mail.from_email), options), may_be_final=False)
        self._expect(smtp.rcpt(_ascii(mail.to_email)), may_be_final=True)
        if not before_data():
            smtp.rset()
            raise ClaimLostError
        self._expect(smtp.docmd("DATA"), wanted=3, may_be_final=True)
        smtp.send(_dot_stuffed(mail.as_bytes()))
        answer = self._expect(self._reply_to_text(smtp, meanwhile), may_be_final=True)
        _set_patience(smtp, settings.EMAIL_TIMEOUT)
        return answer

    def _reply_to_text(self, smtp: smtplib.SMTP, meanwhile: Callable[[], None]) -> tuple[int, bytes]:
        _set_patience(smtp, DATA_ANSWER_SECONDS)
        began = time.monotonic()
        if self._is_slow():
            meanwhile()
        try:
            reply = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise UnansweredError(_words(error)) from error
        self._answers_took.append(time.monotonic() - began)
        return reply

    def _is_slow(self) -> bool:
        known = self._answers_took
        return len(known) == ANSWERS_REMEMBERED and min(known) > SLOW_ANSWER_SECONDS

    def _connected(self) -> smtplib.SMTP:
        if self._backend is None or self._backend.connection is None:
            backend = EmailBackend()
            backend.open()
            self._backend = backend
        smtp = self._backend.connection
        if smtp is None:
            raise smtplib.SMTPServerDisconnected("There is no connection.")
        smtp.ehlo_or_helo_if_needed()
        return smtp

    def _expect(self, reply: tuple[int, bytes], *, may_be_final: bool, wanted: int = 2) -> str:
        """The reply in words, if its first digit is the wanted one (RFC 5321 4.2.1)."""
        code, text = reply
        answer = foreign_text(f"{code} ".encode() + text)
        if code // 100 == wanted:
            return answer
        if 500 <= code < 600 and may_be_final and code not in OUR_FAULT:
            self._reset()
            raise RefusedForGoodError(answer)
        self._close()
        raise RefusedForNowError(answer)

    def _reset(self) -> None:
        """Keep the connection for the next mail, where the server lets us."""
        try:
            self._connected().rset()
        except (smtplib.SMTPException, OSError):
            self._close()

    def _close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.fail_silently = True
            backend.close()


class FolderTransport:
    """A folder of .eml files, read at /mailbox/. Nothing leaves the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def send(self, mail: Mail, *, before_data: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> str:
        """Write one mail; it appears whole or not at all. Nobody takes their time."""
        if not before_data():
            raise ClaimLostError
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", mail.message_id.strip("<>").split("@")[0])[:80]
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{stem}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f".{name}"
            draft.write_bytes(mail.as_bytes())
            os.replace(draft, self._folder / name)
        except OSError as error:
            raise RefusedForNowError(_words(error)) from error
        return f"Written to {name}"


def _dot_stuffed(content: bytes) -> bytes:
    """The text as it goes after DATA: a dot before a line that begins with one, a line with a dot at the end.

    RFC 5321 4.5.2. Lines end in CRLF already.
    """
    text = content if content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", text) + b".\r\n"


def _set_patience(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _ascii(address: str) -> str:
    """The address as SMTP takes it: a domain beyond ASCII in its Punycode form (RFC 5891)."""
    user, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{user}@{domain.encode('idna').decode()}"


def _words(error: Exception) -> str:
    """What to write beside the message: the server's answer, else the kind of error and its text."""
    if isinstance(error, smtplib.SMTPResponseException):
        return foreign_text(f"{error.smtp_code} {foreign_text(error.smtp_error)}")
    return foreign_text(f"{type(error).__name__}: {error}")
