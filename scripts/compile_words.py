"""Compiles every LC_MESSAGES/django.po below locale/ that has changed into what Django reads. Needs Babel, not gettext.

A catalogue with a fault compiles to nothing: a placeholder that is missing or misspelt would else be a broken page in
one language, which nobody here reads.

    .venv/bin/python scripts/compile_words.py [folder]
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

ROOT = Path(__file__).resolve().parent.parent
# %(name)s as Python and Django's templates have it, {name} as scripts have it, and tags.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+")
# Arabic has words for none, one and two of a thing, without a digit: there these may be missing.
COUNTED_IN_WORDS = 3
_NAMES = ("count", "counter", "days", "hours", "minutes", "number", "people", "times")
NUMBERS = frozenset(f"%({name}){kind}" for name in _NAMES for kind in "ds")
# Isolate what may be in another script, and take nothing out.
ADDED_FREELY = frozenset({"<bdi", "</bdi"})
ISOLATES, END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"


def main(folder: Path) -> None:
    faults = []
    for source in sorted(folder.rglob("LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            with source.open("rb") as file:
                catalog = read_po(file, locale=source.parts[-3], abort_invalid=True)
        except (PoFileError, ValueError) as error:
            faults.append(f"{source}: {error}")
            continue
        found = [f"{source}:{message.lineno}: {fault}" for message in catalog for fault in faults_of(message, catalog)]
        faults += found
        if not found:
            # In one step: a server that starts meanwhile reads the old file or the new one.
            draft = target.with_suffix(f".{os.getpid()}")
            with draft.open("wb") as file:
                write_mo(file, catalog)
            draft.replace(target)
    if faults:
        sys.exit("\n".join(faults))


def faults_of(message: Message, catalog: Catalog) -> Iterator[str]:
    """What is wrong with the words for that text; nothing where there are none yet."""
    forms = (
        [message.string or ""] if isinstance(message.string, str | None) else [form or "" for form in message.string]
    )
    if not message.id or not any(forms):
        return
    texts = [message.id] if isinstance(message.id, str) else list(message.id)
    if not all(forms):
        yield "a plural form has no words"
    wanted = set(PLACEHOLDER.findall(texts[-1]))
    for index, form in enumerate(forms):
        given = set(PLACEHOLDER.findall(form))
        optional = NUMBERS if len(forms) > 1 and index < COUNTED_IN_WORDS else frozenset()
        if given - wanted - ADDED_FREELY:
            yield f"not in the text: {', '.join(sorted(given - wanted - ADDED_FREELY))}"
        if wanted - given - optional:
            yield f"left out: {', '.join(sorted(wanted - given - optional))}"
        if sum(form.count(mark) for mark in ISOLATES) != form.count(END_OF_ISOLATE):
            yield "an invisible mark of isolation is not closed"
    yield from map(str, message.check(catalog))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "locale")
