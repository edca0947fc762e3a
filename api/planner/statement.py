"""A statement under construction: its parameters, its shared queries, its aliases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.planner.declare import Column, Expression, Lookup, One, PublicId, Shared, declaration_of
from api.planner.stored import StoredType, stored_type, target_class
from itr.sight.row_filter import RowFilter

Slot = tuple[Any, ...]

_MARK = "\ue000"  # a private character: no declaration contains it
_MARKED = re.compile(f"{_MARK}(\\d+){_MARK}")
_ROW = '"@"'  # no response key is called that; a row named as one of its columns would be hidden
_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")


class Statement:
    """Hands out parameters and aliases while SQL is written.

    A slot names the value a parameter carries; whoever runs the statement has the values by the
    same names. Texts written by declarations keep their braces: only the placeholders they
    may use are replaced.
    """

    def __init__(self, visibility: Mapping[str, RowFilter], *, by_heart: bool = True) -> None:
        """`by_heart`: whoever runs it hands over what is known of shared queries without asking."""
        self.visibility = visibility
        self.by_heart = by_heart
        self._marks: dict[Slot, int] = {}
        self.shared: dict[str, str] = {}
        self.memories: dict[str, Shared] = {}
        self._aliases = 0

    def alias(self) -> str:
        """Return an alias no other part of the statement has."""
        self._aliases += 1
        return f"t{self._aliases}"

    def slot(self, slot: Slot, cast: str | None = None) -> str:
        """Return a mark for the parameter that carries this value; `finish` numbers them."""
        number = self._marks.setdefault(slot, len(self._marks))
        mark = f"{_MARK}{number}{_MARK}"
        return f"{mark}::{cast}" if cast else mark

    def text(self, sql: str, alias: str, parent: str | None = None) -> str:
        """Write the row, its parent and the ambient values into a declaration's SQL."""
        return self._ambient(_rows(sql, alias, parent))

    def visible(self, entry: StoredType, alias: str) -> str:
        """Return the condition under which a row of this type may be seen."""
        visible = self.visibility[entry.key]
        return self.condition(visible, alias, "visible", entry.key)

    def where(self, condition: RowFilter, alias: str) -> str:
        """Return a condition a resolver put on the rows it asks for."""
        return self.condition(condition, alias, "where")

    def condition(self, condition: RowFilter, alias: str, *prefix: str) -> str:
        """Return a condition whose own values are parameters under this prefix."""
        return f"({self._own(condition, alias, prefix)})"

    def sees_all(self, entry: StoredType) -> bool:
        """Tell whether every row of this type may be seen."""
        return self.visibility[entry.key].sql == "true"

    def source(self, source: PublicId | Column | Expression, name: str, alias: str) -> str:
        """Return the SQL value of a leaf, not yet formatted; ids are left to `public_id`."""
        if isinstance(source, Expression):
            found = self.text(source.sql, alias)
            for placeholder, lookup in source.lookups.items():
                found = found.replace(f"{{{placeholder}}}", self._lookup(lookup, alias))
            return f"({found})"
        column = source.name or name if isinstance(source, Column) else "id"
        return f"{alias}.{quoted(column)}"

    def field(self, entry: StoredType, name: str, alias: str) -> str:
        """Return the SQL value of a field to filter or sort by; a relation's is its key."""
        each = entry.fields[name]
        source = declaration_of(each).source
        if isinstance(source, PublicId):
            return f"{alias}.{quoted(entry.id_column or 'id')}"
        if not isinstance(source, One):
            return self.source(source, name, alias)  # type: ignore[arg-type]
        target = stored_type(target_class(each))
        if source.key is not None and self.sees_all(target):
            return f"{alias}.{quoted(source.key)}"
        inner = self.alias()
        on = self.text(source.on, inner, alias)
        seen = self.visible(target, inner)
        return f"(select {inner}.id from {target.table} {inner} where {on} and {seen})"

    def shown_id(self, entry: StoredType, alias: str) -> str:
        """Return the SQL of a row's public id."""
        return f"'{entry.key}_' || {self.text(entry.identity.shown, alias)}"

    def _lookup(self, lookup: Lookup, alias: str) -> str:
        shared = lookup.shared
        if shared.name not in self.shared:
            self.shared[shared.name] = ""
            self.shared[shared.name] = self._ambient(shared.sql)
        inner = self.alias()
        found = " and ".join(
            f"{inner}.{quoted(theirs)} = {alias}.{quoted(ours)}" for theirs, ours in lookup.keys
        )
        wanted = f"{inner}.{quoted(lookup.wanted)}"
        asked = f"(select {wanted} from {shared.name} {inner} where {found})"
        known = (
            self._by_heart(lookup, alias) if shared.memory is not None and self.by_heart else None
        )
        return f"coalesce({known}, {asked})" if known else asked

    def _by_heart(self, lookup: Lookup, alias: str) -> str:
        """Return the SQL of a value among those that are given; null where it is not."""
        shared, ((theirs, ours),) = lookup.shared, lookup.keys
        self.memories[shared.name] = shared

        def column(name: str) -> str:
            return self.slot(("shared", shared.name, name), f"{shared.types[name]}[]")

        place = f"array_position({column(theirs)}, {alias}.{quoted(ours)})"
        return f"({column(lookup.wanted)})[{place}]"

    def _ambient(self, sql: str) -> str:
        def replace(found: re.Match[str]) -> str:
            name = found.group(1)
            if name == "now":
                return self.slot(("now",), "timestamptz")
            if name == "actor":
                return self.slot(("actor",), "uuid")
            raise KeyError(f"a declaration asks for :{name}, which the planner does not know")

        return _NAMED.sub(replace, sql)

    def _own(self, condition: RowFilter, alias: str, prefix: Slot) -> str:
        def replace(found: re.Match[str]) -> str:
            name = found.group(1)
            if name in condition.arguments:
                return self.slot((*prefix, name), _cast_of(condition.arguments[name]))
            return self._ambient(f":{name}")

        return _NAMED.sub(replace, condition.at(alias).replace("{t}", alias))

    def finish(self, value: str) -> tuple[str, tuple[Slot, ...]]:
        """Return the whole statement answering one value, and what its parameters carry.

        Only what stayed in the text becomes a parameter: parts written but not selected are gone.
        """
        listed = ", ".join(f"{name} as materialized ({sql})" for name, sql in self.shared.items())
        text = f"with {listed} select {value}" if listed else f"select {value}"
        slots = list(self._marks)
        numbers: dict[int, int] = {}

        def number(found: re.Match[str]) -> str:
            return f"${numbers.setdefault(int(found.group(1)), len(numbers) + 1)}"

        return _MARKED.sub(number, text), tuple(slots[mark] for mark in numbers)


def json_object(select: str) -> str:
    """Return the JSON of the only row of a select, null without one."""
    return f"(select row_to_json({_ROW}) from ({select}) {_ROW})"


def columns_named(alias: str, sql: str) -> list[str]:
    """Return the columns of a row that SQL names: some may not be read by everybody."""
    found = re.findall(rf'\b{alias}\.(?:"([^"#]+)"|([a-z]\w*))', sql)
    return list(dict.fromkeys(one or other for one, other in found))


def quoted(name: str) -> str:
    """Return a name quoted for SQL; response keys and columns never need more than this."""
    return '"' + name.replace('"', '""') + '"'


def _rows(sql: str, alias: str, parent: str | None) -> str:
    written = sql.replace("{t}", alias)
    return written if parent is None else written.replace("{parent}", parent)


def _cast_of(value: object) -> str | None:
    """Return the SQL type of a scalar argument; collections follow from where they stand."""
    return _CASTS.get(type(value).__name__)


_CASTS = {
    "UUID": "uuid",
    "str": "text",
    "bool": "boolean",
    "int": "bigint",
    "datetime": "timestamptz",
    "date": "date",
    "Decimal": "numeric",
}
