"""Addresses as people have them: pasted from a mail or out of a spreadsheet, or in a file. Nothing is stored here."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from events.email_addresses import address_key, check_email
from events.validators import single_line

# A name, which may hold commas, and the address in angle brackets.
_NAMED = re.compile(r"[^@<>]*<[^<>]*>\s*")
_BRACKETED = re.compile(r".*<([^<>]*)>\s*", re.S)
# What stands at the head of a column of addresses. Any other heading is told of as a mistake: no line gets lost unseen.
_HEADING = re.compile(r"(?:address(?:es)?|[^@.]*(?:mail|correo|courriel|почт|بريد)[^@.]*)", re.I)
_DELIMITERS = (";", "\t", ",")


@dataclass(frozen=True)
class Mistake:
    """What cannot be an address: in which line, what stands there, and what is wrong with it."""

    line: int
    text: str
    fault: str


@dataclass
class AddressList:
    """What was read: each address once, in its order, as it was written first; and the mistakes."""

    addresses: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    repeated: int = 0


def read(text: str) -> AddressList:
    """The addresses in a text: one a line, or with commas, semicolons or tabs between them, each alone or named."""
    found, seen = AddressList(), set()
    for number, line in enumerate(text.splitlines(), start=1):
        for piece in _pieces(line):
            address = _bare(piece)
            fault = _fault(address)
            key = address_key(address)
            if fault:
                found.mistakes.append(Mistake(number, piece, fault))
            elif key in seen:
                found.repeated += 1
            else:
                seen.add(key)
                found.addresses.append(address)
    return found


def without_mistakes(text: str) -> str:
    """The addresses of the text, in its lines, without the names and without what cannot be an address."""
    kept = ([address for piece in _pieces(line) if not _fault(address := _bare(piece))] for line in text.splitlines())
    return "\n".join(", ".join(line) for line in kept if line)


def as_text(content: bytes) -> str:
    """What a file holds, as it would be pasted: of a table its column of addresses, without the heading.

    A row without an address stays as it is, so that it is told of. Raises ValidationError for what is no text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(_no_text()) from error
    if "\0" in text:
        raise ValidationError(_no_text())
    lines = text.splitlines()
    delimiter = max(_DELIMITERS, key=lambda sign: sum(sign in line for line in lines))
    try:
        rows = [[single_line(cell) for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise ValidationError(_("This file cannot be read as a table. Paste the addresses instead.")) from error
    return "\n".join(_column([row for row in rows if any(row)], delimiter))


def _no_text() -> str:
    return _("This is no text in UTF-8. In the spreadsheet, save it as “CSV UTF-8”, or paste the addresses instead.")


def _column(rows: list[list[str]], delimiter: str) -> Iterator[str]:
    headed = next((at for at, cell in enumerate(rows[0] if rows else ()) if _HEADING.fullmatch(cell)), None)
    is_list = headed is None and any(sum("@" in cell for cell in row) > 1 for row in rows)
    for row in rows if headed is None else rows[1:]:
        if is_list:
            yield f"{delimiter} ".join(row)
        elif headed is not None and headed < len(row) and row[headed]:
            yield row[headed]
        else:
            yield next((cell for cell in row if "@" in cell), " ".join(cell for cell in row if cell))


def _pieces(line: str) -> Iterator[str]:
    """What is to be one address each. Of the cells of a table those that have an @, where any has."""
    text = line.strip()
    if "\t" in text:
        cells = [single_line(cell) for cell in text.split("\t")]
        yield from [cell for cell in cells if "@" in cell] or [single_line(text)]
        return
    parts = _split(text, ";")
    for part in parts:
        if len(parts) > 1 and _NAMED.fullmatch(part):  # Karimova, Anna <anna@example.org>; as mail programs copy them
            yield single_line(part)
        else:
            yield from (piece for found in _split(part, ",") if (piece := single_line(found)))


def _split(text: str, sign: str) -> list[str]:
    """The text at those signs that stand neither in quotation marks nor in angle brackets."""
    parts = re.findall(rf'(?:"[^"]*"|<[^<>]*>|[^{sign}])+', text)
    return [part for part in parts if part.strip()]


def _bare(piece: str) -> str:
    """The address without the name before it, and without what programs put around it."""
    named = _BRACKETED.fullmatch(piece)
    address = (named[1] if named else piece).strip().strip("\"'").strip()
    return address[len("mailto:") :] if address.lower().startswith("mailto:") else address


def _fault(address: str) -> str:
    try:
        check_email(address)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
