"""Finding webinars by words, with the same promises on both databases.

A webinar is found when every word that was typed occurs in it: in a title, the name of its series, of its host, of a
partner or a presenter, in their job titles and organizations, in the summary, or in the text. Capitals and accents do
not matter, and words of three letters and more are found by their beginning: "bord" finds "Border".

PostgreSQL reads the words that it keeps (migration 0003). In the webinar's own language it also finds other forms of a
word: "guarding" finds "guards". SQLite reads every row, which is enough to try the site out.
"""

import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import connections
from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from events.models import (
    Affiliation,
    Appearance,
    Host,
    Partner,
    Presenter,
    Series,
    SeriesPartnership,
    Webinar,
    WebinarPartnership,
)
from events.querysets import WebinarQuerySet

RANK = "rank"
# Each costs as much as the first; a whole title is found by its beginning.
MOST_WORDS = 6
# "un" stands at the beginning of too many words.
SHORTEST_BEGINNING = 3

# Which of PostgreSQL's dictionaries knows the forms of a language's words; in others words are found as written.
DICTIONARIES = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

# Accents above and below letters, and the marks of Arabic that are seldom written. As in the migration.
_MARKS = "\u0300-\u036f\u0640\u064b-\u065f\u0670"
_MARK = re.compile(f"[{_MARKS}]")
_WORD = re.compile(r"[^\W_]+")
# Letters with a stroke, which no normal form takes apart.
_STROKES = str.maketrans("łøđħŧı", "lodhti")
_LAST_ACCENTED = 0x2000


@dataclass(frozen=True)
class Word:
    """A word as it was typed, in small letters, and without its accents."""

    typed: str
    folded: str

    @property
    def is_beginning(self) -> bool:
        return len(self.folded) >= SHORTEST_BEGINNING


def find(webinars: WebinarQuerySet, text: str) -> WebinarQuerySet:
    """Those of the webinars in which every word of the text occurs, annotated with `rank`.

    The rank says in how prominent a place all words are found: 0 in the title; 1 with the official title and the names
    of series, host, partners and presenters; 2 with the summary; 3 with the text. Text without a word finds nothing.
    """
    words = words_of(text)
    if not words:
        return webinars.none().annotate(**{RANK: Value(0)})
    database = _Database.of(webinars)
    ranks = []
    for word in words:
        places = database.places(word)
        webinars = webinars.filter(functools.reduce(Q.__or__, places))
        ranks.append(_rank(places))
    return webinars.annotate(**{RANK: ranks[0] if len(ranks) == 1 else Greatest(*ranks)})


def words_of(text: str) -> list[Word]:
    """The first words of the text, each once."""
    composed = _MARK.sub("", unicodedata.normalize("NFC", text.lower()))
    words: dict[str, Word] = {}
    for typed in _WORD.findall(composed):
        parts = _WORD.findall(fold(typed))
        for part in parts:
            words.setdefault(part, Word(typed if len(parts) == 1 else part, part))
    return list(words.values())[:MOST_WORDS]


def fold(text: str) -> str:
    """The text in small letters without accents, as the migration's function has it."""
    return _MARK.sub("", unicodedata.normalize("NFKD", text).lower()).translate(_STROKES)


def _rank(places: Sequence[Q]) -> Case:
    *prominent, last = range(len(places))
    return Case(
        *(When(places[rank], then=Value(rank)) for rank in prominent), default=last, output_field=IntegerField()
    )


class _Database:
    """How one kind of database looks for words; `rows` and `webinars` differ."""

    @staticmethod
    def of(webinars: WebinarQuerySet) -> "_Database":
        if connections[webinars.db].vendor != "postgresql":
            return _Plain()
        return _FullText(Webinar.objects.order_by().values_list("language", flat=True).distinct())

    def rows(self, model: type[Model], word: Word, *fields: str) -> Any:
        """The keys of the rows in one of whose fields the word occurs, as a subquery."""
        raise NotImplementedError

    def webinars(self, word: Word, field: str) -> Any:
        """The keys of the webinars in whose field the word occurs."""
        return self.rows(Webinar, word, field)

    def places(self, word: Word) -> list[Q]:
        """Webinars that have the word, by rank. Each subquery stands by itself, so that it is answered once."""
        partners = self.rows(Partner, word, "name", "parent")
        posts = Affiliation.objects.filter(pk__in=self.rows(Affiliation, word, "job_title", "organization"))
        people = Appearance.objects.filter(
            Q(presenter__in=self.rows(Presenter, word, "name")) | Q(presenter__in=posts.order_by().values("presenter"))
        )
        names = (
            Q(pk__in=self.webinars(word, "official_title"))
            | Q(series__in=self.rows(Series, word, "title"))
            | Q(host__in=self.rows(Host, word, "name"))
            | Q(pk__in=people.order_by().values("webinar"))
            | Q(pk__in=WebinarPartnership.objects.filter(partner__in=partners).order_by().values("webinar"))
            | Q(series__in=SeriesPartnership.objects.filter(partner__in=partners).order_by().values("series"))
        )
        return [
            Q(pk__in=self.webinars(word, "title")),
            names,
            Q(pk__in=self.webinars(word, "summary")),
            Q(pk__in=self.webinars(word, "about")),
        ]


class _FullText(_Database):
    """PostgreSQL: the columns of words, which the migration generates from the others."""

    # Where the migration keeps the words of a webinar, and how it weighs them.
    kept: ClassVar[dict[str, tuple[str, str]]] = {
        "title": ("words", "A"),
        "official_title": ("words", "B"),
        "summary": ("words", "C"),
        "about": ("text_words", ""),
    }

    def __init__(self, languages: Iterable[str]) -> None:
        self.codes: dict[str, list[str]] = defaultdict(list)
        for code in languages:
            if dictionary := DICTIONARIES.get(code.split("-")[0]):
                self.codes[dictionary].append(code)

    def rows(self, model: type[Model], word: Word, *_fields: str) -> RawSQL:
        return _select(model, ["words @@ to_tsquery('simple', %s)"], [_as_written(word)])

    def webinars(self, word: Word, field: str) -> RawSQL:
        column, weight = self.kept[field]
        conditions: list[str] = [f"{column} @@ to_tsquery('simple', %s)"]
        values: list[Any] = [_as_written(word, weight)]
        for dictionary, codes in self.codes.items():
            conditions.append(f"{column} @@ to_tsquery(%s, %s) AND language = ANY(%s)")
            values += [dictionary, f"{word.typed}:{weight}".rstrip(":"), codes]
        return _select(Webinar, conditions, values)


class _Plain(_Database):
    """SQLite: a pattern for every row, which Django lets Python look for."""

    def rows(self, model: type[Model], word: Word, *fields: str) -> QuerySet[Any, Any]:
        holds = functools.reduce(Q.__or__, (Q(**{f"{field}__iregex": _pattern(word)}) for field in fields))
        return model._default_manager.filter(holds).order_by().values("pk")


def _select(model: type[Model], conditions: Sequence[str], values: Sequence[Any]) -> RawSQL:
    # The table and the conditions are our own; what people type is among the values.
    return RawSQL(f"SELECT id FROM {model._meta.db_table} WHERE {' OR '.join(conditions)}", values)  # noqa: S608, S611


def _as_written(word: Word, weight: str = "") -> str:
    return f"{word.folded}:{'*' if word.is_beginning else ''}{weight}".rstrip(":")


def _pattern(word: Word) -> str:
    """The word with or without accents, not in the middle of another and not in a tag or an entity."""
    letters = "".join(f"[{re.escape(letter)}{_accented().get(letter, '')}][{_MARKS}]*" for letter in word.folded)
    end = "" if word.is_beginning else r"(?![^\W_])"
    return rf"(?<![^\W_])(?<![&{_MARKS}]){letters}{end}(?![^<>]*>)"


@functools.cache
def _accented() -> dict[str, str]:
    """For each plain letter those that become it."""
    letters: dict[str, str] = defaultdict(str)
    for code in range(0x80, _LAST_ACCENTED):
        letter = chr(code)
        plain = fold(letter)
        if letter.isalnum() and len(plain) == 1 and plain != letter:
            letters[plain] += letter
    return letters
