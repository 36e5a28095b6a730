"""Letters rendered once for many people: a draft has marks where it names the person, and each mail fills them in.

Whoever registers for the same session, in the same language and zone, gets the same words but for a name, an address
and a few links. Rendering them anew was a quarter of what a mail took.
"""

import functools
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from registrations.letters import Letter

# Nobody can write it into a title or a name, since nobody can guess it.
_MARK = f"x{secrets.token_hex(8)}x"
_MARKS = re.compile(rf"{_MARK}(\d+)x")
# Of some kilobytes each.
KEPT = 256


@dataclass(frozen=True)
class Draft:
    """The words of a letter, with marks in them."""

    subject: str
    text: str
    html: str


def drafted(render: Callable[[str, Letter], Draft], kind: str, letter: Letter) -> tuple[Draft, list[str]]:
    """The draft of a letter, rendered where that was not done before, and the words that its marks stand for."""
    marked, words = _without_person(letter)
    return _rendered(render, kind, _Told.of(marked)), words


def fill(text: str, words: Sequence[str], *, write: Callable[[str], str] = str) -> str:
    """A draft's text with the person's words in place of the marks, as `write` writes them there."""
    return _MARKS.sub(lambda mark: write(words[int(mark[1])]), text)


def _without_person(letter: Letter) -> tuple[Letter, list[str]]:
    """The letter with a mark for each of the person's own words, and those. What is empty stays so: templates ask."""
    words: list[str] = []

    def mark(word: str) -> str:
        if not word:
            return ""
        words.append(word)
        return f"{_MARK}{len(words) - 1}x"

    marked = replace(
        letter,
        name=mark(letter.name),
        email=mark(letter.email),
        manage_url=mark(letter.manage_url),
        unsubscribe_url=mark(letter.unsubscribe_url),
        join=letter.join and replace(letter.join, url=mark(letter.join.url)),
        replay=letter.replay and replace(letter.replay, url=mark(letter.replay.url)),
        survey_url=mark(letter.survey_url),
        offers=[replace(offer, code=mark(offer.code)) for offer in letter.offers],
    )
    return marked, words


@dataclass(frozen=True)
class _Told:
    """A letter that is the same as another when it tells the same."""

    letter: Letter = field(compare=False)
    words: str

    @classmethod
    def of(cls, letter: Letter) -> Self:
        return cls(letter, repr(letter))


@functools.lru_cache(maxsize=KEPT)
def _rendered(render: Callable[[str, Letter], Draft], kind: str, told: _Told) -> Draft:
    return render(kind, told.letter)
