"""The SQL of a connection: the page's rows by keyset, then its parts.

Rows without a value come last either way, and a page from the end is the exact mirror of a page
from the start. Enums are sorted as the schema lists their values: by the course of things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, get_named_type, is_non_null_type

from api.planner.conditions import FilterWriter
from api.planner.cursors import cursor_sql
from api.planner.declare import Column, PublicId, declaration_of
from api.planner.json_text import Json, constant, list_of, object_of, string, text
from api.planner.pages import PageShape
from api.planner.selection import Page
from api.planner.statement import columns_named, quoted
from api.planner.stored import StoredType

if TYPE_CHECKING:
    from api.planner.compiler import Compiler


@dataclass(frozen=True)
class Key:
    """One term of an order: its SQL, its type, which way, and whether it may have no value."""

    sql: str
    cast: str
    descending: bool
    nullable: bool

    def sorting(self, *, forward: bool) -> str:
        """Return the term of `order by`; no value last forward is no value first backward."""
        way = "desc" if self.descending == forward else "asc"
        nulls = f" nulls {'last' if forward else 'first'}" if self.nullable else ""
        return f"{self.sql} {way}{nulls}"


def page_sql(
    compiler: Compiler, page: Page, shape: PageShape, condition: str | None, alias: str
) -> str:
    """Return the JSON of a connection."""
    return _PageWriter(compiler, page, shape, condition, alias).write()


class _PageWriter:
    """Writes one connection: list → page rows → their JSON → parts."""

    def __init__(
        self, compiler: Compiler, page: Page, shape: PageShape, condition: str | None, alias: str
    ) -> None:
        self.compiler = compiler
        self.statement = compiler.statement
        self.page = page
        self.shape = shape
        self.alias = alias
        self.keys = self._keys()
        conditions = [condition] if condition else []
        conditions.append(self.statement.visible(page.entry, alias))
        if shape.filter is not None:
            conditions.append(
                FilterWriter(self.statement, page.entry, alias, page.site).write(shape.filter)
            )
        self.listed = f"from {page.entry.table} {alias} where {' and '.join(conditions)}"
        limit = self.statement.slot(("page", page.site, "limit"), "bigint")
        self.limit = str(shape.most) if shape.full else limit
        self.lists: dict[str, str] = {}  # what is listed of each row of the page
        self.rows: dict[str, str] = {}  # what else is worked out for each
        self.sums: dict[str, str] = {}  # what is worked out for the page

    def write(self) -> str:
        page = object_of((key, self._part(name, wanted)) for key, name, wanted in self.page.items)
        if not self.sums and not self.lists:
            return page.sql
        listed = self._all_rows() if self._is_simple() else self._numbered_rows()
        return f"(select {page.sql} from (select {listed}) s)"

    def _is_simple(self) -> bool:
        """Whether the page is what its rows give, one after the other, and nothing else."""
        return self.shape.full and self.shape.forward and not self.sums

    def _all_rows(self) -> str:
        lists = ", ".join(f"{list_of(row)} as {name}" for name, row in self.lists.items())
        rows = self._page_rows("".join(self.lists.values()), self.shape.most)
        return f"{lists} from ({rows} offset 0) {self.alias}"

    def _numbered_rows(self) -> str:
        """Number the rows of the page, to tell those that are asked for from one more."""
        alias, mine = self.alias, f'{self.alias}."#" <= {self.limit}'
        order = "" if self.shape.forward else ' order by r."#" desc'
        kept = f' filter (where r."#" <= {self.limit})'
        sums = {name: list_of(f"r.{name}", order=order, kept=kept) for name in self.lists}
        listed = {name: f"case when {mine} then {row} end" for name, row in self.lists.items()}
        rows = "".join(f", {sql} as {name}" for name, sql in (listed | self.rows).items())
        counted = ', count(*) over () as "##"' if self.rows else ""
        return (
            ", ".join(f"{sql} as {name}" for name, sql in (sums | self.sums).items())
            + f' from (select {alias}."#"{rows} from (select {alias}.*, row_number() over () as "#"'
            f"{counted} from ({self._page_rows(rows, self.shape.most + 1)}) {alias} offset 0)"
            f" {alias}) r"
        )

    def _page_rows(self, needing: str, most: int) -> str:
        """Return at most so many rows of the list, in the direction of paging.

        Only columns that are asked for are named: some may not be read by everybody.
        """
        order = ", ".join(key.sorting(forward=self.shape.forward) for key in self.keys)
        bounds = "".join(
            f" and {self._beyond(side, forward=side == 'after')}"
            for side in ("after", "before")
            if getattr(self.shape, side) is not None
        )
        columns = dict.fromkeys([*self.page.entry.unique, *columns_named(self.alias, needing)])
        listed = ", ".join(f"{self.alias}.{quoted(column)}" for column in columns)
        return f"select {listed} {self.listed}{bounds} order by {order} limit {most}"

    def _part(self, name: str, wanted: Any) -> Json:
        """Return one part of the connection, in terms of the page's sums."""
        if name == "__typename":
            return constant(f'"{wanted}"')
        if name == "totalCount":
            return text(f"(select count(*) {self.listed})::text")
        if name == "nodes":
            return self._list("n", self.compiler.row(wanted, self.alias))
        if name == "edges":
            return self._list("e", self._edge(wanted))
        kind, parts = wanted
        return object_of((key, self._info(part, kind)) for key, part, _ in parts)

    def _list(self, kind: str, row: Json) -> Json:
        """List a JSON value of each row of the page, in the list's order."""
        name = f"{kind}{len(self.lists)}"
        self.lists[name] = row.sql
        return text(f"s.{name}")

    def _end(self, *, start: bool) -> Json:
        """Return the cursor at one end of the page; only the two ends are worked out."""
        row = f'{self.alias}."#"'
        ends = f'{row} = 1 or {row} = least({self.limit}, {self.alias}."##")'
        self.rows["c"] = f"case when {self.limit} > 0 and ({ends}) then {self._cursor()} end"
        order = "" if self.shape.forward else ' order by r."#" desc'
        self.sums["c"] = f"json_agg(r.c{order}) filter (where r.c is not null)"
        return string(f"(s.c ->> {0 if start else -1})", nullable=True)

    def _edge(self, wanted: tuple[str, list[tuple[str, str, Any]]]) -> Json:
        kind, parts = wanted
        listed = []
        for key, name, inner in parts:
            if name == "__typename":
                value = constant(f'"{kind}"')
            elif name == "cursor":
                value = string(self._cursor())
            else:
                value = self.compiler.row(inner, self.alias)
            listed.append((key, value))
        return object_of(listed)

    def _cursor(self) -> str:
        slot = self.statement.slot
        site = self.page.site
        inner = slot(("page", site, "inner"), "bytea")
        outer = slot(("page", site, "outer"), "bytea")
        return cursor_sql([key.sql for key in self.keys], inner, outer)

    def _info(self, name: str, kind: str) -> Json:
        if name == "__typename":
            return constant(f'"{kind}"')
        if name in {"startCursor", "endCursor"}:
            return self._end(start=name == "startCursor")
        onward = (name == "hasNextPage") == self.shape.forward
        side = "before" if name == "hasNextPage" else "after"
        found = []
        if onward:
            self.sums["more"] = f"count(*) > {self.limit}"
            found.append("s.more")
        if getattr(self.shape, side) is not None:
            beyond = self._beyond(side, forward=side == "after")
            found.append(f"exists (select {self.listed} and not {beyond})")
        return text(f"({' or '.join(found)})::text") if found else constant("false")

    def _beyond(self, side: str, *, forward: bool) -> str:
        """Return whether a row stands after (or before) a cursor; never null."""
        present: tuple[bool, ...] = getattr(self.shape, side)
        keys = list(zip(self.keys, present, range(len(self.keys)), strict=True))
        if all(key.descending == self.keys[0].descending and not key.nullable for key in self.keys):
            ours = ", ".join(key.sql for key in self.keys)
            theirs = ", ".join(self._at(side, number, key) for key, _, number in keys)
            greater = forward != self.keys[0].descending
            return f"(({ours}) {'>' if greater else '<'} ({theirs}))"
        condition = "false"
        for key, has_value, number in reversed(keys):
            value = self._at(side, number, key)
            condition = _step(key, value, has_value, condition, forward=forward)
        return condition

    def _at(self, side: str, number: int, key: Key) -> str:
        parameter = self.statement.slot(("page", self.page.site, side, number), "text")
        return f"{parameter}::{key.cast}"

    def _keys(self) -> list[Key]:
        entry = self.page.entry
        keys = [self._key(entry, name, down) for name, down in self.shape.order]
        down = keys[-1].descending if keys else False
        for column, cast in entry.unique.items():
            keys.append(Key(f"{self.alias}.{quoted(column)}", cast, down, nullable=False))
        return keys

    def _key(self, entry: StoredType, name: str, down: bool) -> Key:
        declaration = declaration_of(entry.fields[name])
        kind = self.compiler.types.kind_of(entry, name)
        cast = "uuid" if isinstance(declaration.source, PublicId) else kind.cast
        kind_of_field = self.compiler.types.field_type(entry, name)
        nullable = not is_non_null_type(kind_of_field)
        if not isinstance(declaration.source, Column | PublicId):
            nullable = True
        value = self.statement.field(entry, name, self.alias)
        course = course_of(kind_of_field)
        if course is not None:
            listed = ", ".join(f"'{each}'" for each in course)
            value, cast = f"array_position(array[{listed}]::text[], {value}::text)", "int"
        return Key(value, cast, down, nullable)


def course_of(graphql_type: Any) -> list[str] | None:
    """Return the values of an enum in their course; None where that is the order of their text."""
    named = get_named_type(graphql_type)
    if not isinstance(named, GraphQLEnumType):
        return None
    names = list(named.values)
    return None if names == sorted(names) else names


def _step(key: Key, value: str, has_value: bool, deeper: str, *, forward: bool) -> str:
    """Return: this key is beyond, or it is the same and the deeper keys are beyond."""
    if not has_value:
        beyond = "false" if forward else f"{key.sql} is not null"
        return f"({beyond} or ({key.sql} is null and {deeper}))"
    sign = ">" if key.descending != forward else "<"
    if not key.nullable:
        return f"({key.sql} {sign}= {value} and ({key.sql} {sign} {value} or {deeper}))"
    beyond = f"{key.sql} {sign} {value}" + (f" or {key.sql} is null" if forward else "")
    same = f"{key.sql} = {value} and {deeper}"
    return f"coalesce({beyond} or ({same}), false)"
