"""Queries that are put together once in a process and then only asked.

Django takes several times longer to write a query than PostgreSQL to answer it, and on a page of eight they are half of
its time. A statement is an ordinary queryset in which the values are named instead of given:

    SOON = Statement(lambda: Session.objects.filter(starts_at__gt=Given("now")).values_list("pk", "starts_at"))

    for pk, starts_at in SOON.rows(now=now): ...

The database still gets text and values apart. What cannot be one text for all values, such as a list after IN or a
comparison with NULL, is not for this.

What `make` returns is frozen for the life of the process, with every plain value in it. So nothing may stand in it that
changes with the time, the reader's language or the settings: no `timezone.now()`, no translated text, no choice by a
setting. Name such a value with `Given`, and give it each time.

For whoever raises Django: this leans on what Django does not promise, and `tests/events/test_statements.py` says what
of it must hold. `Query.get_compiler`, `SQLCompiler.as_sql`, `.select` and `.get_converters` (`_write`, `_converted`);
`_result_cache` and `_prefetch_done` of a queryset and `_prefetched_objects_cache` of an object (`prefetched`). Half
private, but documented: `Model._meta`, `Model.from_db` and `DatabaseOperations.adapt_datetimefield_value`.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)


class Given(Expression):
    """The place of a value that is given when the statement is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@dataclass(frozen=True)
class _Written:
    """A statement in the database's words, and what makes Python's values of the columns that need it."""

    sql: str
    params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Callable[..., Any]], Expression], ...]


class Statement:
    """A queryset of `values_list` with names for values, whose SQL is made when it is first asked."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._written: dict[str, _Written] = {}

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """One query: its rows for those values.

        Raises KeyError where one is missing, and TypeError for values that not every database here takes as they are:
        they may be moments, numbers, texts, truths and None.
        """
        written = self._written.get(connection.vendor)
        if written is None:
            written = self._written[connection.vendor] = _write(self._make())
        params = [_adapted(given[param.name]) if isinstance(param, Given) else param for param in written.params]
        with connection.cursor() as cursor:
            cursor.execute(written.sql, params)
            rows = cursor.fetchall()
        return list(_converted(rows, written)) if written.converters else rows


def columns(model: type[Model], *, under: str = "") -> list[str]:
    """The names of all columns of a model, `under` another's field: for `values_list`, and then for `instance`."""
    return [f"{under}{name}" for name in _attributes(model)]


@functools.cache
def _attributes(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[M], values: Sequence[Any]) -> M:
    """The object that has those values in its `columns`, as a queryset would have made it."""
    return model.from_db(DEFAULT_DB_ALIAS, _attributes(model), values)


def instances(row: Sequence[Any], *models: type[Model]) -> list[Any]:
    """The objects in a row that has the `columns` of those models side by side; None where a row joined none."""
    values = iter(row)
    parts = [list(itertools.islice(values, len(_attributes(model)))) for model in models]
    return [_instance_or_none(model, part) for model, part in zip(models, parts, strict=True)]


def _instance_or_none(model: type[M], values: Sequence[Any]) -> M | None:
    key = model._meta.pk
    is_there = key is not None and values[_attributes(model).index(key.attname)] is not None
    return instance(model, values) if is_there else None


def prefetched(owner: Model, name: str, objects: Sequence[Model]) -> None:
    """Let `owner`'s set of that name be these objects, as `prefetch_related` does; its `all` asks for nothing then."""
    known = getattr(owner, name).all()
    known._result_cache = list(objects)
    known._prefetch_done = True
    cache: dict[str, Any] = getattr(owner, "_prefetched_objects_cache", {})
    owner._prefetched_objects_cache = {**cache, name: known}  # type: ignore[attr-defined]


def _write(queryset: QuerySet[Any, Any]) -> _Written:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, _sql, _alias in compiler.select]
    converters = compiler.get_converters(columns)
    return _Written(
        sql, tuple(params), tuple((place, functions, column) for place, (functions, column) in converters.items())
    )


def _adapted(value: Any) -> Any:
    if isinstance(value, datetime):
        # SQLite keeps moments as text.
        return connection.ops.adapt_datetimefield_value(value)
    if value is not None and not isinstance(value, int | str):
        # PostgreSQL would take more of them, and SQLite fail, or find nothing without a word.
        message = f"A statement is not given values such as {value!r}."
        raise TypeError(message)
    return value


def _converted(rows: Iterable[tuple[Any, ...]], written: _Written) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        values = list(row)
        for place, functions, column in written.converters:
            for convert in functions:
                values[place] = convert(values[place], column, connection)
        yield tuple(values)
