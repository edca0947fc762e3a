"""From what is wanted to SQL that writes its JSON as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from graphql import is_non_null_type

from api.planner.declare import Column, Many, One, PublicId
from api.planner.json_text import Json, constant, list_of, object_of, string, text
from api.planner.kinds import printed, printed_of_column
from api.planner.pages import PageShape
from api.planner.paging import page_sql
from api.planner.schema import SchemaTypes
from api.planner.selection import (
    Embedded,
    Filled,
    Leaf,
    Nothing,
    ObjectSelection,
    Own,
    Page,
    Related,
    Typename,
    Variant,
    What,
)
from api.planner.statement import Statement, columns_named, json_object, quoted
from api.planner.stored import StoredType
from itr.sight.row_filter import RowFilter

MARK = "#"  # key of the fill's number; no GraphQL name contains it


class Compiler:
    """Writes the SQL of a selection into a statement."""

    def __init__(
        self, statement: Statement, types: SchemaTypes, shapes: Sequence[PageShape]
    ) -> None:
        self.statement = statement
        self.types = types
        self.shapes = shapes
        self._once: dict[str, dict[str, str]] = {}  # by alias: what is worked out once per row

    def row(self, wanted: ObjectSelection, alias: str) -> Json:
        """Return the JSON of the row under this alias."""
        plain = object_of(self._listed(wanted, alias, {}))
        if not wanted.kinds:
            return plain
        cases = "".join(
            f" when {_is_of_type(wanted, each, alias)}"
            f" then {object_of(self._listed(theirs, alias, {})).sql}"
            for each, theirs in wanted.kinds.items()
        )
        return text(f"case{cases} else {plain.sql} end")

    def _listed(
        self, wanted: ObjectSelection, alias: str, columns: dict[str, str]
    ) -> list[tuple[str, Json]]:
        return [(key, self._value(what, wanted, alias, columns)) for key, what in wanted.items]

    def one(
        self, wanted: ObjectSelection, condition: str, alias: str, *, alone: bool = False
    ) -> str:
        """Return the SQL text of the one visible row for which a condition on `alias` holds.

        Null where there is none; `alone`: the condition never holds for two.
        """
        entry = _entry(wanted)
        seen = self.statement.visible(entry, alias)
        row = self.row(wanted, alias).sql
        most = "" if alone else " limit 1"
        return f"(select {row} from {entry.table} {alias} where {condition} and {seen}{most})"

    def all(
        self,
        wanted: ObjectSelection,
        condition: str,
        order: str | None,
        alias: str,
        *,
        unequal: bool = False,
    ) -> str:
        """Return the SQL text of the list of all visible rows for which a condition holds.

        The condition is on `alias`; what is printed more than once of a row is worked out once.
        """
        entry = _entry(wanted)
        last = [] if unequal else _unique(entry, alias)
        sort = ", ".join([*([self._order(order, alias)] if order else []), *last])
        once = self._once[alias] = {}
        row = self.row(wanted, alias).sql
        del self._once[alias]
        worked_out = [f"{sql} as {quoted(name)}" for sql, name in once.items()]
        needed = [f"{alias}.{quoted(each)}" for each in columns_named(alias, row)]
        fence = " offset 0" if once else ""
        return (
            f"(select {list_of(row)} from (select {', '.join([*needed, *worked_out])}"
            f" from {entry.table} {alias} where {condition}"
            f" and {self.statement.visible(entry, alias)} order by {sort}{fence}) {alias})"
        )

    def found_by_id(self, entry: StoredType, alias: str) -> str:
        """Return the condition that a row has the public id whose parts are parameters."""
        names = {f"id{number + 1}": "" for number in range(entry.id_pattern.groups)}
        return self.statement.condition(RowFilter(entry.identity.found, names), alias, "id")

    def found_by_columns(self, entry: StoredType, alias: str, parts: str) -> str:
        """Return the condition that a row has the public id whose parts are columns."""
        sql = entry.identity.found.replace("{t}", alias)
        return re.sub(r"(?<!:):(id\d+)", rf"{parts}.\1", sql)

    def page(self, page: Page, condition: str | None, alias: str) -> str:
        """Return the SQL text of a connection over the visible rows for which a condition holds."""
        return page_sql(self, page, self.shapes[page.site], condition, alias)

    def _order(self, order: str, alias: str) -> str:
        if "{t}" in order:
            return self.statement.text(order, alias)
        terms = [term.strip() for term in order.split(",")]
        return ", ".join(
            f"{alias}.{quoted(term.removeprefix('-'))}"
            f"{' desc nulls last' if term.startswith('-') else ''}"
            for term in terms
        )

    def _value(
        self, what: What, around: ObjectSelection, alias: str, columns: dict[str, str]
    ) -> Json:
        match what:
            case Typename():
                value = _typename(around, alias)
            case Nothing():
                value = constant("null")
            case Leaf():
                value = self._leaf(what, around, alias, columns)
            case Filled():
                value = self._inputs(what, alias)
            case Own():
                value = self._own(what, around, alias, columns)
            case Embedded():
                value = self._embedded(what, alias, columns)
            case Variant():
                value = self._variant(what, alias)
            case Page():
                value = self._nested_page(what, alias)
            case Related():
                value = self._related(what, alias)
        return value

    def _embedded(self, what: Embedded, alias: str, columns: dict[str, str]) -> Json:
        value = object_of(self._listed(what.wanted, alias, columns | dict(what.source.columns)))
        if what.source.present is None:
            return value
        present = self.statement.text(what.source.present, alias)
        return text(f"case when {present} then {value.sql} end", nullable=True)

    def _nested_page(self, what: Page, alias: str) -> Json:
        inner = self.statement.alias()
        on = self.statement.text(what.source.on, inner, alias) if what.source else None
        return text(self.page(what, on, inner))

    def _leaf(
        self, what: Leaf, around: ObjectSelection, alias: str, columns: dict[str, str]
    ) -> Json:
        if isinstance(what.source, PublicId) and around.entry is not None:
            shown = self.statement.shown_id(around.entry, alias)
            return string(shown) if around.entry.id_column else printed(what.kind, shown)
        if what.name in columns:
            return printed_of_column(what.kind, f"{alias}.{quoted(columns[what.name])}")
        if isinstance(what.source, Column):
            never_null = around.entry is not None and is_non_null_type(what.kind)
            column = self.statement.source(what.source, what.name, alias)
            return printed_of_column(what.kind, column, nullable=not never_null)
        value = self.statement.source(what.source, what.name, alias)
        return printed(what.kind, value, once=self._once_per_row(alias))

    def _once_per_row(self, alias: str) -> Callable[[str], str] | None:
        """Return what gives a column for an expression over a row of a list."""
        once = self._once.get(alias)
        if once is None:
            return None
        return lambda sql: f"{alias}.{quoted(once.setdefault(sql, f'#{len(once) + 1}'))}"

    def _inputs(self, what: Filled, alias: str) -> Json:
        """Return the inputs of a computed value, marked with the number of its fill."""
        listed = [f"{what.number} as {quoted(MARK)}"] + [
            f"({self.statement.text(sql, alias)}) as {quoted(name)}"
            for name, sql in what.source.inputs.items()
        ]
        inputs = json_object(f"select {', '.join(listed)}")
        return text(f"{inputs}::text")

    def _own(self, what: Own, around: ObjectSelection, alias: str, columns: dict[str, str]) -> Json:
        """Return the value of the asker's own row, marked with who is told of the others."""
        own = f"coalesce({self.statement.text(what.condition, alias)}, false)"
        value = self._value(what.what, around, alias, columns).sql
        return object_of(
            [
                (MARK, constant(str(what.number))),
                ("own", text(f"{own}::text")),
                ("value", text(f"case when {own} then {value} end", nullable=True)),
            ]
        )

    def _related(self, what: Related, alias: str) -> Json:
        inner = self.statement.alias()
        source = what.source
        on = self.statement.text(source.on, inner, alias)
        if isinstance(source, Many):
            return text(self.all(what.wanted, on, source.order, inner, unequal=source.unequal))
        alone = _finds_one(source, _entry(what.wanted))
        return text(self.one(what.wanted, on, inner, alone=alone), nullable=True)

    def _variant(self, what: Variant, alias: str) -> Json:
        cases = []
        for value, wanted in what.wanted.items():
            inner = self.statement.alias()
            on = f"{inner}.id = {alias}.{quoted(what.source.key)}"
            literal = value.replace("'", "''")
            cases.append(f"when '{literal}' then {self.one(wanted, on, inner)}")
        if not cases:
            return constant("null")
        kind = f"{alias}.{quoted(what.source.kind)}::text"
        return text(f"case {kind} {' '.join(cases)} end", nullable=True)


def _finds_one(source: One, entry: StoredType) -> bool:
    by_key = source.key is not None and source.on == f"{{t}}.id = {{parent}}.{source.key}"
    return by_key and list(entry.unique) == ["id"]


def _entry(wanted: ObjectSelection) -> StoredType:
    if wanted.entry is None:
        raise TypeError(f"{wanted.type_name} is not stored")
    return wanted.entry


def _typename(around: ObjectSelection, alias: str) -> Json:
    """Return the name of the type a row is of."""
    kinds = around.entry.kinds if around.entry is not None else None
    if kinds is None or around.type_name != _entry(around).name:
        return constant(f'"{around.type_name}"')
    cases = "".join(f" when '{text}' then '{it.__name__}'" for text, it in kinds.types.items())
    other = kinds.other.__name__ if kinds.other is not None else around.type_name
    return string(f"case {alias}.{quoted(kinds.column)}{cases} else '{other}' end")


def _is_of_type(wanted: ObjectSelection, name: str, alias: str) -> str:
    """Return the condition that a row is of one of the types of its interface."""
    kinds = _entry(wanted).kinds
    assert kinds is not None
    other = kinds.other is not None and kinds.other.__name__ == name
    texts = [text for text, it in kinds.types.items() if other or it.__name__ == name]
    listed = ", ".join(f"'{text}'" for text in texts)
    return f"{alias}.{quoted(kinds.column)} {'not in' if other else 'in'} ({listed})"


def _unique(entry: StoredType, alias: str) -> list[str]:
    return [f"{alias}.{quoted(column)}" for column in entry.unique]
