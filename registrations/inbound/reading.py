"""One mail that came in, as far as it is read here: bounded in size and shape, whatever it is.

Nothing is taken at its word. The size is looked at before anything else. Python's parser takes time that grows with the
square of a long MIME header, and goes as deep and makes as many parts as a mail asks for, so these are bounded as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses

from events.email_addresses import MAX_LENGTH

# A calendar's answer has some ten thousand octets, a bounce carries our mail back. A door reads one octet more at most,
# so that what is too large is known to be.
MAX_BYTES = 1_000_000
MAX_HEADER_CHARS = 65_536
# Those that say what a part is.
MAX_MIME_HEADER_CHARS = 2_000
MAX_BOUNDARIES = 50
MAX_DELIMITERS = 1_000
MAX_PARTS = 100
MAX_ADDRESSES = 50
MAX_ADDRESS_HEADER_CHARS = 4_000
# Of a report, whose groups are separated by them: Python makes a message of each.
MAX_BLANK_LINES = 1_000
# Where mail servers write to whom a mail came, the ones on the way and the last one.
_RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_SENT_TO_MANY = {"bulk", "junk", "list"}


class IgnoredError(Exception):
    """Why a mail changes nothing, in words that name nobody and repeat nothing of it."""


class _BoundedPolicy(Compat32):
    """Reads headers as they are, and refuses those that take long."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        is_mime = sourcelines[0][:8].lower() == "content-"
        if sum(map(len, sourcelines)) > (MAX_MIME_HEADER_CHARS if is_mime else MAX_HEADER_CHARS):
            raise IgnoredError("one of its headers is too long")
        return super().header_source_parse(sourcelines)


_POLICY = _BoundedPolicy()


@dataclass(frozen=True)
class Mail:
    """A mail and, where the door knows it, the address in its envelope that it came to."""

    mime: Message
    envelope_recipient: str

    def header(self, name: str) -> list[str]:
        """Every value of a header, the topmost first."""
        return _values(self.mime, name)

    @property
    def sender(self) -> str:
        """The one address that it says it is from; empty where there is none, or could be another."""
        headers = self.header("From")
        if len(headers) != 1:
            return ""
        text = headers[0].strip()
        found = _addresses(headers)
        # Python's older parsers and others differ in what they make of odd ones, so only the plain form is taken.
        is_plain = len(found) == 1 and (text == found[0] or text.endswith(f"<{found[0]}>"))
        return found[0] if is_plain else ""

    @property
    def recipients(self) -> list[str]:
        """To whom it came: as its envelope says, and as the servers on the way and its writer have written."""
        written = [value for name in _RECIPIENT_HEADERS for value in self.header(name)]
        return [address for address in (self.envelope_recipient, *_addresses(written)) if address]

    @property
    def was_written_by_a_program(self) -> bool:
        """Whether answering could go round in circles (RFC 3834 2): what is sent by itself must never be answered.

        Calendars say auto-generated of what their owner has clicked.
        """
        kinds = {value.partition(";")[0].strip().lower() for value in self.header("Auto-Submitted")}
        to_many = {value.strip().lower() for value in self.header("Precedence")} & _SENT_TO_MANY
        has_no_return = any(value.strip() == "<>" for value in self.header("Return-Path"))
        return bool(kinds - {"no", "auto-generated"}) or bool(to_many) or has_no_return

    def parts(self) -> Iterator[Message]:
        """Its parts, from outside to inside, without those of mails that it carries: they are not its writer's."""
        waiting, seen = [self.mime], 0
        while waiting:
            part = waiting.pop(0)
            seen += 1
            if seen > MAX_PARTS:
                raise IgnoredError("it has too many parts")
            yield part
            if part.get_content_maintype() == "multipart" and part.is_multipart():
                waiting[:0] = contained(part)


def read(raw: bytes, *, recipient: str = "") -> Mail:
    """The mail of these bytes. Raises IgnoredError for what is too large or too deep to be one that we wait for."""
    require_bounds(raw)
    return Mail(message_from_bytes(raw, policy=_POLICY), envelope_recipient=recipient.strip()[:MAX_LENGTH])


def require_bounds(raw: bytes) -> None:
    """Raises IgnoredError for what would take a parser long, having looked at its octets alone."""
    if len(raw) > MAX_BYTES:
        raise IgnoredError("it is too large")
    lowered = raw.lower()
    # The parser takes a lone CR for the end of a line, too.
    delimiters = raw.count(b"\n--") + raw.count(b"\r--")
    if lowered.count(b"boundary") > MAX_BOUNDARIES or delimiters > MAX_DELIMITERS:
        raise IgnoredError("it has too many parts")
    if b"delivery-status" in lowered and sum(not line for line in raw.splitlines()) > MAX_BLANK_LINES:
        raise IgnoredError("it is a report of too much")


def contained(part: Message) -> list[Message]:
    """The parts of a part; none where it holds text."""
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def is_address(text: str) -> bool:
    """Whether it can be one at all."""
    return len(text) <= MAX_LENGTH and "@" in text and text.isprintable()


def first_value(headers: Message, name: str) -> str:
    """The topmost value of a header, on one line; empty where there is none."""
    return " ".join(next(iter(_values(headers, name)), "").split())


def _values(headers: Message, name: str) -> list[str]:
    # Octets beyond ASCII come as an object whose text has a mark in place of each.
    return [str(value) for value in headers.get_all(name, [])]


def _addresses(headers: list[str]) -> list[str]:
    bounded = [header[:MAX_ADDRESS_HEADER_CHARS] for header in headers[:MAX_ADDRESSES]]
    try:
        found = [address for _name, address in getaddresses(bounded)]
    except Exception:  # noqa: BLE001 - names within comments within names take it as deep as somebody likes
        raise IgnoredError("its addresses cannot be read") from None
    return [address for address in found[:MAX_ADDRESSES] if "@" in address and len(address) <= MAX_LENGTH]
