"""From what is wanted to SQL: every object a `row_to_json`, every list a `json_agg`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from api.planner.declare import Many, PublicId
from api.planner.kinds import show
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
from api.planner.statement import Statement, json_list, json_object, json_values, quoted
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

    def row(self, wanted: ObjectSelection, alias: str) -> str:
        """Return the JSON of the row under this alias."""
        plain = json_object(f"select {self._listed(wanted, alias, {})}")
        if not wanted.kinds:
            return plain
        cases = "".join(
            f" when {_is_of_type(wanted, each, alias)}"
            f" then {json_object(f'select {self._listed(theirs, alias, {})}')}"
            for each, theirs in wanted.kinds.items()
        )
        return f"case{cases} else {plain} end"

    def _listed(self, wanted: ObjectSelection, alias: str, columns: dict[str, str]) -> str:
        return ", ".join(
            f"{self._value(what, wanted, alias, columns)} as {quoted(key)}"
            for key, what in wanted.items
        )

    def one(self, wanted: ObjectSelection, condition: str, alias: str) -> str:
        """Return the JSON of the one visible row for which a condition on `alias` holds."""
        entry = _entry(wanted)
        seen = self.statement.visible(entry, alias)
        rows = f"from {entry.table} {alias} where {condition} and {seen}"
        if wanted.kinds:
            return f"(select {self.row(wanted, alias)} {rows} limit 1)"
        return json_object(f"select {self._listed(wanted, alias, {})} {rows} limit 1")

    def all(
        self,
        wanted: ObjectSelection,
        condition: str,
        order: str | None,
        alias: str,
        *,
        unequal: bool = False,
    ) -> str:
        """Return the JSON list of all visible rows for which a condition on `alias` holds."""
        entry = _entry(wanted)
        last = [] if unequal else _unique(entry, alias)
        sort = ", ".join([*([self._order(order, alias)] if order else []), *last])
        rows = (
            f"from {entry.table} {alias}"
            f" where {condition} and {self.statement.visible(entry, alias)} order by {sort}"
        )
        if wanted.kinds:
            return json_values(f"select {self.row(wanted, alias)} as j {rows}", "j")
        return json_list(f"select {self._listed(wanted, alias, {})} {rows}")

    def found_by_id(self, entry: StoredType, alias: str) -> str:
        """Return the condition that a row has the public id whose parts are parameters."""
        names = {f"id{number + 1}": "" for number in range(entry.id_pattern.groups)}
        return self.statement.condition(RowFilter(entry.identity.found, names), alias, "id")

    def found_by_columns(self, entry: StoredType, alias: str, parts: str) -> str:
        """Return the condition that a row has the public id whose parts are columns."""
        sql = entry.identity.found.replace("{t}", alias)
        return re.sub(r"(?<!:):(id\d+)", rf"{parts}.\1", sql)

    def page(self, page: Page, condition: str | None, alias: str) -> str:
        """Return the JSON of a connection over the visible rows for which a condition holds."""
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
    ) -> str:
        match what:
            case Typename():
                value = _typename(around, alias)
            case Nothing():
                value = "null::text"
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

    def _embedded(self, what: Embedded, alias: str, columns: dict[str, str]) -> str:
        listed = self._listed(what.wanted, alias, columns | dict(what.source.columns))
        value = json_object(f"select {listed}")
        if what.source.present is None:
            return value
        return f"case when {self.statement.text(what.source.present, alias)} then {value} end"

    def _nested_page(self, what: Page, alias: str) -> str:
        inner = self.statement.alias()
        on = self.statement.text(what.source.on, inner, alias) if what.source else None
        return self.page(what, on, inner)

    def _leaf(
        self, what: Leaf, around: ObjectSelection, alias: str, columns: dict[str, str]
    ) -> str:
        if isinstance(what.source, PublicId) and around.entry is not None:
            return self.statement.shown_id(around.entry, alias)
        if what.name in columns:
            return show(what.kind, f"{alias}.{quoted(columns[what.name])}")
        return show(what.kind, self.statement.source(what.source, what.name, alias))

    def _inputs(self, what: Filled, alias: str) -> str:
        """Return the inputs of a computed value, marked with the number of its fill."""
        listed = [f"{what.number} as {quoted(MARK)}"] + [
            f"({self.statement.text(sql, alias)}) as {quoted(name)}"
            for name, sql in what.source.inputs.items()
        ]
        return json_object(f"select {', '.join(listed)}")

    def _own(self, what: Own, around: ObjectSelection, alias: str, columns: dict[str, str]) -> str:
        """Return the value of the asker's own row, marked with who is told of the others."""
        own = f"coalesce({self.statement.text(what.condition, alias)}, false)"
        value = self._value(what.what, around, alias, columns)
        return json_object(
            f"select {what.number} as {quoted(MARK)}, {own} as own,"
            f" case when {own} then {value} end as value"
        )

    def _related(self, what: Related, alias: str) -> str:
        inner = self.statement.alias()
        on = self.statement.text(what.source.on, inner, alias)
        if isinstance(what.source, Many):
            source = what.source
            return self.all(what.wanted, on, source.order, inner, unequal=source.unequal)
        return self.one(what.wanted, on, inner)

    def _variant(self, what: Variant, alias: str) -> str:
        cases = []
        for value, wanted in what.wanted.items():
            inner = self.statement.alias()
            on = f"{inner}.id = {alias}.{quoted(what.source.key)}"
            literal = value.replace("'", "''")
            cases.append(f"when '{literal}' then {self.one(wanted, on, inner)}")
        if not cases:
            return "null::json"
        return f"case {alias}.{quoted(what.source.kind)}::text {' '.join(cases)} end"


def _entry(wanted: ObjectSelection) -> StoredType:
    if wanted.entry is None:
        raise TypeError(f"{wanted.type_name} is not stored")
    return wanted.entry


def _typename(around: ObjectSelection, alias: str) -> str:
    """Return the name of the type a row is of."""
    kinds = around.entry.kinds if around.entry is not None else None
    if kinds is None or around.type_name != _entry(around).name:
        return f"'{around.type_name}'::text"
    cases = "".join(f" when '{text}' then '{it.__name__}'" for text, it in kinds.types.items())
    other = kinds.other.__name__ if kinds.other is not None else around.type_name
    return f"case {alias}.{quoted(kinds.column)}{cases} else '{other}' end"


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
