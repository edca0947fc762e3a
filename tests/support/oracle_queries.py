"""Random queries over a schema of stored types: everything the planner must get right, mixed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from api.planner.cursors import CursorKey
from api.planner.declare import STORED, Column, Computed, Connection, Many, One
from api.planner.pages import DEFAULT_PAGE
from api.planner.reading import reader_text
from api.planner.scalars import print_decimal, print_instant
from api.planner.schema import types_of
from api.planner.stored import StoredType, stored_type
from itr.durations import microseconds_of
from tests.support.cursors import write_cursor
from tests.support.oracle import Oracle, Row, _definition
from tests.support.oracle_values import in_order

_ODD = ["x", "c", "r", "s", "p", "d", "e", "l", "u", "q", "i", "k", "v", "t1", "t2", "n0", "more"]
PAGE = {"first", "after", "last", "before", "filter", "orderBy"}


class Values:
    """Literals of each scalar, taken from the rows so that comparisons hit."""

    def __init__(self, schema: Any, tables: Mapping[str, Sequence[Row]]) -> None:
        self.pool: dict[str, list[Any]] = {
            "Int": [0, 1, 2, 3, -1],
            "Float": [0.1, -2.5, 1e30],
            "Boolean": [True, False],
            "String": ["", "%", "_", "\\", "'", "\0", "no such", "a"],
            "ID": ["", "nonsense", "tic_", "frm_00000000000000000000000000000000"],
            "DateTime": ["2026-02-01T00:00:00Z"],
            "Date": ["2026-03-02"],
            "Decimal": ["0", "-12.5"],
            "Long": ["0", "9223372036854775807"],
            "Duration": ["PT0S", "PT25H1M1.000001S", "-PT1H"],
        }
        for entry in types_of(schema).stored.values():
            for row in tables[entry.table]:
                if isinstance(row.get("id"), UUID):
                    self.pool["ID"].append(f"{entry.key}_{row['id'].hex}")
                for value in row.values():
                    self._take(value)

    def _take(self, value: Any) -> None:
        match value:
            case str():
                self.pool["String"].append(value)
            case datetime():
                self.pool["DateTime"].append(print_instant(value))
            case date():
                self.pool["Date"].append(value.isoformat())
            case Decimal():
                self.pool["Decimal"].append(print_decimal(value))

    def one(self, dice: random.Random, name: str) -> Any:
        """Return one literal of a scalar, as a variable would give it."""
        return dice.choice(self.pool[name])


class QueryMaker:
    """Makes one random operation and its variables for an actor."""

    def __init__(
        self,
        schema: Any,
        tables: Mapping[str, Sequence[Row]],
        values: Values,
        context: Any,
        dice: random.Random,
        *,
        roots: Sequence[str] | None = None,
        oracle: Oracle | None = None,
    ) -> None:
        self.schema = schema
        self.tables = tables
        self.values = values
        self.context = context
        self.dice = dice
        self.roots = roots
        self.oracle = oracle
        self.variables: dict[str, Any] = {}
        self.declared: list[str] = []
        self.fragments: list[str] = []
        self.names = 0
        self.odd = dice.sample(_ODD, len(_ODD))
        self.asked = 0  # root fields in the query
        self.rows = 1  # how many rows the place being written may have, for its cost
        self.size = 1  # of the page written last

    def make(self) -> tuple[str, dict[str, Any]]:
        """Return the text of an operation and its variables."""
        query = self.schema.query_type
        names = [name for name in query.fields if self.roots is None or name in self.roots]
        picked = [self.dice.choice(names) for _ in range(self.dice.choice([1, 1, 1, 2]))]
        self.asked = len(picked)
        body = " ".join(self._field(query, name, 4, alias=True) for name in picked)
        head = f"query Random({', '.join(self.declared)})" if self.declared else "query Random"
        return " ".join([f"{head} {{ {body} }}", *self.fragments]), self.variables

    def _new(self, stem: str) -> str:
        self.names += 1
        if stem == "a" and self.odd and self.dice.random() < 0.3:
            return self.odd.pop()
        return f"{stem}{self.names}"

    def _selection(self, kind: Any, depth: int) -> str:
        """Return the inside of a selection set on any composite type."""
        if not is_object_type(kind):
            return self._abstract(kind, depth)
        parts = [
            self._part(kind, self.dice.choice(list(kind.fields)), depth)
            for _ in range(self.dice.randrange(1, 6))
        ]
        parts = [part for part in parts if part]
        if self.dice.random() < 0.25 or not parts:
            parts.append(self.dice.choice(["__typename", f"{self._new('type')}: __typename"]))
        if self.dice.random() < 0.1:
            parts.append(self.dice.choice(parts))
        return " ".join(parts)

    def _abstract(self, kind: Any, depth: int) -> str:
        parts = ["__typename"]
        if not hasattr(kind, "types") and self.dice.random() < 0.5:
            parts.append("id")
        members = self.schema.get_possible_types(kind)
        for member in self.dice.sample(members, min(len(members), 40)):
            if self.dice.random() < 0.6:
                inner = " ".join(
                    self._field(
                        member, self.dice.choice(list(member.fields)), depth - 1, alias=True
                    )
                    or "__typename"
                    for _ in range(self.dice.randrange(1, 4))
                )
                parts.append(f"... on {member.name}{self._directive()} {{ {inner} }}")
        return " ".join(parts)

    def _part(self, kind: Any, name: str, depth: int) -> str:
        """Return a field, perhaps inside a fragment."""
        chance = self.dice.random()
        condition = self.dice.choice([kind.name, *(each.name for each in kind.interfaces)])
        own = chance > 0.25 or condition == kind.name
        inside = self._field(kind, name, depth) if own else "id"
        if not inside or chance > 0.25:
            return inside
        if chance > 0.1:
            on = self.dice.choice([f" on {condition}", f" on {condition}", ""])
            return f"...{on}{self._directive()} {{ {inside} }}"
        fragment = self._new("F")
        self.fragments.append(f"fragment {fragment} on {condition} {{ {inside} }}")
        return f"...{fragment}{self._directive()}"

    def _field(self, kind: Any, name: str, depth: int, *, alias: bool = False) -> str:
        definition = kind.fields[name]
        named = get_named_type(definition.type)
        composite = is_composite_type(named)
        if (composite and depth <= 0) or self._nulls_its_parent(kind, definition, named):
            return ""
        around, self.size = self.rows, 1
        arguments = self._arguments(kind, name, definition)
        self.rows = around * self.size
        inner = f" {{ {self._selection(named, depth - 1)} }}" if composite else ""
        self.rows = around
        aliased = alias or arguments or self.dice.random() < 0.3
        start = f"{self._new('a')}: {name}" if aliased else name
        return f"{start}{arguments}{self._directive() if kind.name != 'Query' else ''}{inner}"

    def _nulls_its_parent(self, kind: Any, definition: Any, named: Any) -> bool:
        """Tell whether the planner nulls the object around a field, as it does before any row."""
        if kind.name == "Query" or not is_non_null_type(definition.type):
            return False
        origin = getattr(named.extensions.get("strawberry-definition"), "origin", None)
        of = getattr(origin, "__page_of__", None)
        entry = getattr(of.target if of else origin, "__stored__", None)
        return entry is not None and entry.permission not in (None, *self._permissions())

    def _directive(self) -> str:
        if self.dice.random() > 0.15:
            return ""
        which = self.dice.choice(["skip", "include"])
        if self.dice.random() < 0.3:
            return f" @{which}(if: {self.dice.choice(['true', 'false'])})"
        return f" @{which}(if: {self._variable('Boolean!', self.dice.random() < 0.5)})"

    def _variable(self, kind: str, value: Any) -> str:
        """Declare a variable, given or with a default, and return its use."""
        name = self._new("v")
        if self.dice.random() < 0.2 and isinstance(value, bool | int | str) and value != "\0":
            self.declared.append(f"${name}: {kind.rstrip('!')} = {orjson.dumps(value).decode()}")
            return f"${name}"
        self.declared.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"

    def _arguments(self, kind: Any, name: str, definition: Any) -> str:
        declaration = _definition(definition).metadata.get(STORED)
        if declaration is not None and isinstance(declaration.source, Computed):
            return ""
        if PAGE & set(definition.args) >= {"first", "after"}:
            given = self._page(kind, name, definition)
        else:
            given = {
                key: self._literal(argument.type, self._value(argument.type, 2))
                for key, argument in definition.args.items()
                if is_non_null_type(argument.type) or self.dice.random() < 0.5
            }
        return f"({', '.join(f'{key}: {value}' for key, value in given.items())})" if given else ""

    def _page(self, kind: Any, name: str, definition: Any) -> dict[str, str]:
        """Return page arguments; a cursor is of a row of the list's type, seen or not."""
        dice = self.dice
        named = get_named_type(definition.type)
        entry = stored_type(_definition(named).origin.__page_of__.target)
        given: dict[str, str] = {}
        if "filter" in definition.args and dice.random() < 0.5:
            given["filter"] = self._given(definition.args["filter"].type, 3)
        order = self._default_order(definition, entry)
        if "orderBy" in definition.args and dice.random() < 0.5:
            value = self._order(entry)
            if value:
                order = value
            listed = [
                {"field": name.upper(), "direction": "DESC" if down else "ASC"}
                for name, down in value
            ]
            given["orderBy"] = self._literal(definition.args["orderBy"].type, listed)
        self.size = DEFAULT_PAGE
        crowded = self.rows > DEFAULT_PAGE
        if crowded or dice.random() < 0.7:
            self.size = dice.choice([0, 1, 1, 2, 3] if crowded else [0, 1, 1, 2, 3, 5, 100])
            limit = self._literal_or_variable("Int", self.size)
            given[dice.choice(["first", "last"])] = limit
        for side in ("after", "before"):
            if dice.random() < 0.35:
                cursor = self._cursor(f"{kind.name}.{name}", entry, order)
                if cursor is not None:
                    given[side] = self._literal_or_variable("String", cursor)
        return given

    def _default_order(self, definition: Any, entry: StoredType) -> list[tuple[str, bool]]:
        declaration = _definition(definition).metadata.get(STORED)
        own: Sequence[str] = ()
        if declaration is not None and isinstance(declaration.source, Connection):
            own = declaration.source.order
        elif declaration is None:
            own = _definition(definition).metadata.get("order", ())
        return [(name.removeprefix("-"), name.startswith("-")) for name in own or entry.order]

    def _order(self, entry: StoredType) -> list[tuple[str, bool]]:
        fields = entry.order_class.__order_of__.fields
        allowed = [
            name
            for name in fields.values()
            if entry.fields[name].metadata[STORED].permission in (None, *self._permissions())
        ]
        count = min(len(allowed), self.dice.randrange(4))
        return [(name, self.dice.random() < 0.5) for name in self.dice.sample(allowed, count)]

    def _permissions(self) -> list[Any]:
        return list(self.context.actor.permissions)

    def _cursor(self, name: str, entry: StoredType, order: list[tuple[str, bool]]) -> str | None:
        rows = self.tables[entry.table]
        if not rows:
            return None
        row = self.dice.choice(rows)
        keys: list[str | None] = []
        for field, _ in order:
            source = entry.fields[field].metadata[STORED].source
            if self.oracle is not None:
                keys.append(_text(self.oracle.order_value(entry, field, row)))
            elif isinstance(source, Column):
                kind = types_of(self.schema).field_type(entry, field)
                keys.append(_text(in_order(row[source.name or field], kind)))
            else:
                return None
        keys += [_text(row[column]) for column in entry.unique]
        spelled = ",".join(f"{'-' if down else ''}{field}" for field, down in order)
        secret = self.context.secret_for("cursor")
        key = CursorKey.derive(secret, reader_text(self.context.actor), name, spelled)
        return write_cursor(keys, key)

    def _given(self, kind: Any, depth: int) -> str:
        value = self._value(kind, depth)
        if self.dice.random() < 0.5:
            return self._variable(str(kind), value)
        return self._literal(kind, value)

    def _literal_or_variable(self, kind: str, value: Any) -> str:
        if self.dice.random() < 0.5:
            return self._variable(kind, value)
        return orjson.dumps(value).decode()

    def _value(self, kind: Any, depth: int) -> Any:
        """Return a random value of an input type, as JSON."""
        dice = self.dice
        if is_non_null_type(kind):
            return self._value(kind.of_type, depth)
        if is_list_type(kind):
            count = dice.randrange(0 if depth < 2 else 1, 4)
            return [self._value(kind.of_type, depth - 1) for _ in range(count)]
        if is_input_object_type(kind):
            return self._object(kind, depth)
        if isinstance(kind, GraphQLEnumType):
            return dice.choice(list(kind.values))
        return self.values.one(dice, kind.name)

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        filter_of = getattr(_definition(kind).origin, "__filter_of__", None)
        names = list(kind.fields)
        if filter_of is not None:
            names = [
                name
                for name in names
                if (depth > 0 or name not in {"and", "or", "not"})
                and self._filterable(filter_of, name)
            ]
        combining = [name for name in names if name in {"and", "or", "not"}]
        if combining and self.dice.random() < 0.3:
            names = combining
        picked = self.dice.sample(names, min(len(names), self.dice.choice([0, 1, 1, 1, 2])))
        made = {name: self._value(kind.fields[name].type, depth - 1) for name in picked}
        for name in made:
            if self.dice.random() < 0.05 and not is_non_null_type(kind.fields[name].type):
                made[name] = None
        return made

    def _filterable(self, filter_of: Any, name: str) -> bool:
        """Tell whether this actor may filter by a field; refusals are tested by hand."""
        if name not in filter_of.fields:
            return True
        each = filter_of.entry.fields[filter_of.fields[name]]
        needed = [each.metadata[STORED].permission]
        if isinstance(each.metadata[STORED].source, One | Many):
            from api.planner.filters import target_class

            needed.append(stored_type(target_class(each)).permission)
        return all(one is None or one in self.context.actor.permissions for one in needed)

    def _literal(self, kind: Any, value: Any) -> str:
        """Print a JSON value as a GraphQL literal of an input type."""
        kind = get_nullable_type(kind)
        if value is None:
            return "null"
        if is_list_type(kind):
            return f"[{', '.join(self._literal(kind.of_type, each) for each in value)}]"
        if is_input_object_type(kind):
            listed = (
                f"{name}: {self._literal(kind.fields[name].type, each)}"
                for name, each in value.items()
            )
            return f"{{{', '.join(listed)}}}"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        return orjson.dumps(value).decode()


def _text(value: Any) -> str | None:
    """Return a key as the database would read it back."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, timedelta):
        return str(microseconds_of(value))
    return str(value.value if isinstance(value, Enum) else value)
