"""Mails of ours that came back: from a report of a mail server to what it says (RFC 3462, 3464)."""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from events import validators
from events.email_addresses import wire_key
from registrations import stops
from registrations.inbound.reading import IgnoredError, Mail, contained, first_value, is_address

# Each of our mails goes to one person.
MAX_FAILED = 5
# RFC 3463 2, in a field that may go on with words.
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,198}>")
_SENT_BACK = ("message/rfc822", "text/rfc822-headers")


@dataclass(frozen=True)
class Failure:
    """One recipient that was given up, by each name that the report has for them, and why."""

    recipients: tuple[str, ...]
    status: str
    reason: str


@dataclass(frozen=True)
class Bounce:
    """One of our mails that a server on the way has given up, for whom, and why."""

    message_id: str
    # At least one. Where a mail was passed on, the others are of people whom we do not know.
    failures: tuple[Failure, ...]

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(address for failure in self.failures for address in failure.recipients)

    def failure_of(self, address: str) -> Failure | None:
        """What the report says of that address; None where it says nothing."""
        key = wire_key(address)
        named = (failure for failure in self.failures if key in map(wire_key, failure.recipients))
        return next(named, None)


def is_report(mail: Mail) -> bool:
    """Whether it tells what became of another mail."""
    return mail.mime.get_content_type() == "multipart/report"


def read(mail: Mail) -> Bounce:
    """What the report says. Raises IgnoredError where it gives nothing up, or names no mail.

    A mail that is only delayed comes through later, or is given up in another report. `Action: failed` means that
    nobody tries any more, also where the status is one of those that may pass (RFC 3464 2.3.3).
    """
    parts = list(mail.parts())
    statuses = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    # The first group of fields is about the report, each other about one recipient.
    groups = [group for part in statuses for group in contained(part)[1:]]
    failed = [group for group in groups if _has_failed(group)][:MAX_FAILED]
    if not failed:
        raise IgnoredError("it is a report of nothing that has failed")
    return Bounce(
        message_id=_message_id(parts),
        failures=tuple(Failure(_recipients(group), _status(group), _reason(group)) for group in failed),
    )


def _has_failed(group: Message) -> bool:
    is_given_up = first_value(group, "Action").partition(" ")[0].lower() == "failed"
    return is_given_up and not first_value(group, "Status").startswith("2")


def _recipients(group: Message) -> tuple[str, ...]:
    """The address that was given up, and the one that we wrote to, where it was passed on from there."""
    values = [first_value(group, name) for name in ("Original-Recipient", "Final-Recipient")]
    addresses = [value.partition(";")[2].strip().strip("<>") for value in values]
    return tuple(address for address in addresses if is_address(address))


def _status(group: Message) -> str:
    """What the field says, or else the server's own words: Exim writes 5.0.0 there, whatever happened."""
    status = _STATUS.match(first_value(group, "Status"))
    if status is None or status[0].endswith(".0.0"):
        return stops.status_in(first_value(group, "Diagnostic-Code")) or (status[0] if status else "")
    return status[0]


def _reason(group: Message) -> str:
    said = first_value(group, "Diagnostic-Code")
    return validators.foreign_text(f"{_status(group)} {said}")


def _message_id(parts: list[Message]) -> str:
    for part in parts:
        if part.get_content_type() in _SENT_BACK:
            found = _MESSAGE_ID.fullmatch(first_value(_sent_back(part), "Message-ID"))
            if found:
                return found[0]
    raise IgnoredError("it is a report that does not say of which mail")


def _sent_back(part: Message) -> Message:
    """The headers of the mail that a part gives back, whole or its headers alone."""
    inner = contained(part)
    if inner:
        return inner[0]
    content = part.get_payload(decode=True)
    return HeaderParser().parsestr(content.decode("ascii", errors="replace") if isinstance(content, bytes) else "")
