"""Rows to be written by one statement: added and changed in memory, then written at once.

Each table's rows are one part of the statement. What is changed is named by what was known of it
(its version or revision): unless every row is still as it was known, nothing is written at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError
from tortoise.models import Model

Values = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it is written to: the types of its columns, and the one that guards its rows."""

    name: str
    types: Mapping[str, str]
    guard: str | None = None
    """The number that grows with each change of a row; None: whoever writes holds its lock."""
    made: Mapping[str, str] = field(default_factory=dict)
    """What columns are made from, where it is not what was given for them (`x`)."""
    unwritten: frozenset[str] = frozenset()
    """What is given beside the columns, for others to be made from."""


@cache
def table_of(model: type[Model], guard: str | None = None) -> Table:
    """The table of a model."""
    types = {
        name: model._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE")
        for name in sorted(model._meta.db_fields)
    }
    return Table(model._meta.db_table, types, guard)


@dataclass(frozen=True, slots=True)
class _Changed:
    """A row as it is to be, which of its columns differ, and what was known of it."""

    values: Values
    columns: frozenset[str]
    known: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """What makes the text of one part of a statement; equal ones have the same text."""

    of: Callable[..., str]
    about: tuple[Any, ...]
    """What the text is made from, beside the places of its values."""
    values: tuple[Any, ...]
    rows: int | None = None
    """How many rows it has to write, if that is known."""
    name: str = ""


@dataclass
class Writing:
    """What one transaction is going to write, row by row."""

    _added: dict[tuple[Table, str, str], list[Values]] = field(default_factory=dict)
    _removed: dict[tuple[Table, tuple[str, ...]], list[Values]] = field(default_factory=dict)
    _changed: dict[Table, dict[UUID, _Changed]] = field(default_factory=dict)
    _parts: list[_Part] = field(default_factory=list)

    def add(self, table: Table, *rows: Values, unless: str = "", name: str = "") -> None:
        """Add rows; `unless` says what happens where one is in the way (`on conflict …`).

        Others may read what `unless` returns by the `name` of the part.
        """
        if rows:
            self._added.setdefault((table, unless, name), []).extend(rows)

    def remove(self, table: Table, *rows: Values) -> None:
        """Remove the rows that have these values, if they are there."""
        for row in rows:
            self._removed.setdefault((table, tuple(row)), []).append(row)

    def change(
        self, table: Table, key: UUID, values: Values, columns: Collection[str], known: int | None
    ) -> None:
        """Write these columns of a row, once in a transaction; `known`: its guard as it was read.

        Of several rows of a table the same columns are written: `values` has them all.
        """
        rows = self._changed.setdefault(table, {})
        if key in rows:
            raise ValueError(f"one row of {table.name} is written twice in one statement")
        rows[key] = _Changed(values, frozenset(columns), known)

    def also(self, text: str, *values: Any, name: str = "", rows: int | None = None) -> None:
        """Add a part in words of its own, its values `$1`, `$2` and on.

        Others may read what it returns by its `name`; `rows` is how many it has to return.
        """
        self._parts.append(_Part(_own_words, (text,), values, rows, name))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._added or self._changed or self._removed or self._parts)

    async def run(self, connection: BaseDBAsyncClient) -> None:
        """Write everything. Raises SerializationError when a row is not as it was known."""
        parts = [*self._parts, *self._additions(), *self._changes(), *self._removals()]
        self._added, self._changed, self._removed, self._parts = {}, {}, {}, []
        if not parts:
            return
        counted = [part.rows for part in parts if part.rows is not None]
        shape = tuple(
            (part.of, part.about, len(part.values), part.rows is not None, part.name)
            for part in parts
        )
        values = [value for part in parts for value in part.values]
        try:
            await connection.execute_query_dict(_statement(shape), [*values, counted])
        except OperationalError as error:
            if isinstance(error.__cause__, asyncpg.DivisionByZeroError):
                raise asyncpg.SerializationError("a row has changed beside this work") from error
            raise

    def _additions(self) -> list[_Part]:
        return [
            _Part(
                _adding, (table, tuple(rows[0]), unless, len(rows) > 1), (_rows(rows),), name=name
            )
            for (table, unless, name), rows in self._added.items()
        ]

    def _removals(self) -> list[_Part]:
        return [
            _Part(_removing, (table, columns, len(rows) > 1), (_rows(rows),))
            for (table, columns), rows in self._removed.items()
        ]

    def _changes(self) -> list[_Part]:
        return [_change(table, rows) for table, rows in self._changed.items()]


def _change(table: Table, rows: Mapping[UUID, _Changed]) -> _Part:
    columns = tuple(sorted({name for row in rows.values() for name in row.columns} - {"id"}))
    told = [
        {"id": key, "known": row.known, **{name: row.values[name] for name in columns}}
        for key, row in rows.items()
    ]
    return _Part(_changing, (table, columns, len(rows) > 1), (_rows(told),), len(rows))


def _rows(rows: Sequence[Values]) -> str:
    told: Any = rows if len(rows) > 1 else rows[0]
    return orjson.dumps(told, default=_in_words).decode()


def _in_words(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal | UUID):  # a driver's own kind of UUID
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of a column")


@lru_cache(1024)
def _statement(
    shape: tuple[tuple[Callable[..., str], tuple[Any, ...], int, bool, str], ...],
) -> str:
    """The statement of this shape: its parts, then an error unless each has written its rows."""
    words: list[str] = []
    checks: list[str] = []
    place = 1
    for number, (of, about, values, counts, name) in enumerate(shape):
        name = name or f"part{number}"  # noqa: PLW2901
        words.append(f"{name} as ({of(*about, range(place, place + values))})")
        place += values
        if counts:
            checks.append(f"(select count(*) from {name}) = (${{}}::int[])[{len(checks) + 1}]")
    all_there = " and ".join(check.format(place) for check in checks) or f"${place}::int[] = '{{}}'"
    return f"with {', '.join(words)} select 1 / (case when {all_there} then 1 else 0 end)"


def _own_words(text: str, places: range) -> str:
    for number in range(len(places), 0, -1):
        text = text.replace(f"${number}", f"$\0{places[number - 1]}")
    return text.replace("\0", "")


def _adding(table: Table, given: tuple[str, ...], unless: str, many: bool, places: range) -> str:
    names = [name for name in given if name not in table.unwritten]
    values = ", ".join(table.made.get(name, f"x.{name}") for name in names)
    told = _told(table, given, places, many=many)
    return f"insert into {table.name} ({', '.join(names)}) select {values} from {told} {unless}"


def _removing(table: Table, columns: tuple[str, ...], many: bool, places: range) -> str:
    same = " and ".join(f"t.{name} = x.{name}" for name in columns)
    told = _told(table, columns, places, many=many)
    return f"delete from {table.name} t using {told} where {same}"


def _changing(table: Table, columns: tuple[str, ...], many: bool, places: range) -> str:
    sets = ", ".join(f"{name} = x.{name}" for name in columns)
    guard = f" and t.{table.guard} = x.known" if table.guard else ""
    told = _told(table, columns, places, more="id uuid, known int, ", many=many)
    return f"update {table.name} t set {sets} from {told} where t.id = x.id{guard} returning 1"


def _told(
    table: Table, columns: Sequence[str], places: range, *, many: bool, more: str = ""
) -> str:
    types = ", ".join(f"{name} {table.types[name]}" for name in columns)
    return f"json_to_record{'set' if many else ''}(${places[0]}::json) as x({more}{types})"
