"""A slow, obvious reading of stored types, to compare the planner with.

The oracle takes whole tables as lists of dicts and answers a query by graphql-core's own executor
with plain Python in place of every resolver. What a declaration says in SQL of its own (visibility,
`sql` fields, conditions other than a key) the test repeats in Python in `Rules`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError, execute, get_named_type, parse
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.utils.str_converters import to_camel_case

from api.planner.arguments import connection_class
from api.planner.comparing import EXACT, TELEPHONE, Comparing
from api.planner.declare import (
    STORED,
    Column,
    Computed,
    Connection,
    Declaration,
    Expression,
    Many,
    One,
    OneOf,
    PublicId,
    SameRow,
)
from api.planner.fields import PageField
from api.planner.pages import DEFAULT_PAGE
from api.planner.schema import types_of
from api.planner.stored import StoredType, stored_type, target_class
from tests.support.oracle_values import in_order, meets, order_terms, sort_by, typed

Row = dict[str, Any]

_BY_KEY = re.compile(r"\{t\}\.id = \{parent\}\.(\w+)")
_BY_ID = re.compile(r"\{t\}\.(\w+) = \{parent\}\.id")


@dataclass(frozen=True)
class Rules:
    """What declarations say in SQL, said again in Python; names are `Type.field`.

    `visible` is by id prefix; `values` gives `sql` fields and `present` conditions; `related`
    tells for conditions of one's own whether a row (second) belongs to a parent (first);
    `sorted` gives the key of lists sorted by SQL; `inputs` a computed field's inputs; `ids` the
    public ids (by prefix) that are not plain uuids; `roots` answers fields that have a resolver;
    `own` tells for fields that may be read of one's own rows whether a row is.
    """

    visible: Mapping[str, Callable[[Oracle, Row], bool]]
    values: Mapping[str, Callable[[Oracle, Row], Any]] = field(default_factory=dict)
    related: Mapping[str, Callable[[Oracle, Row, Row], bool]] = field(default_factory=dict)
    sorted: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)
    inputs: Mapping[str, Callable[[Oracle, Row], dict[str, Any]]] = field(default_factory=dict)
    ids: Mapping[str, Callable[[Row], str]] = field(default_factory=dict)
    roots: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    own: Mapping[str, Callable[[Oracle, Row], bool]] = field(default_factory=dict)


class _Withheld(Exception):
    """What is selected needs a permission the actor lacks."""


class Oracle:
    """Answers queries for one actor at one instant from whole tables."""

    def __init__(
        self,
        schema: strawberry.Schema,
        tables: Mapping[str, Sequence[Row]],
        rules: Rules,
        *,
        context: Any,
    ) -> None:
        self.schema = schema._schema
        self.types = types_of(self.schema)
        self.tables = tables
        self.rules = rules
        self.context = context
        self.actor = context.actor
        self.now: datetime = context.now
        self.withheld: set[tuple[tuple[str, ...], str]] = set()
        """Fields that were null for lack of a permission: response keys, and the permission."""

    def answer(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Return graphql-core's result for a query that whoever is compared has validated."""
        document = parse(query)

        def resolve(next_: Any, source: Any, info: Any, **args: Any) -> Any:
            return self._resolve(next_, source, info, **args)

        return execute(
            self.schema,
            document,
            context_value=self.context,
            variable_values=dict(variables or {}),
            middleware=[resolve],
        )

    def rows(self, entry: StoredType) -> list[Row]:
        """Return the rows of a type that the actor sees, in the order of their unique columns."""
        seen = [row for row in self.tables[entry.table] if self.sees(entry, row)]
        return sorted(seen, key=lambda row: [row[name] for name in entry.unique])

    def sees(self, entry: StoredType, row: Row) -> bool:
        """Tell whether the actor sees a row."""
        return self.rules.visible[entry.key](self, row)

    def thing(self, entry: StoredType, row: Row | None) -> Any:
        """Return what stands for a row while graphql-core executes."""
        if row is None:
            return None
        kinds = entry.kinds
        return _made(kinds.type_of(row[kinds.column]) if kinds else entry.origin, row, {})

    def list_of(self, target: type, keep: Callable[[Row], bool], key: Any = None) -> list[Any]:
        """Return the seen rows of a type that are kept, for roots that answer lists."""
        entry = stored_type(target)
        self._ensure(entry.permission)
        rows = [row for row in self.rows(entry) if keep(row)]
        return [self.thing(entry, row) for row in (sorted(rows, key=key) if key else rows)]

    def node(self, public: str) -> Any:
        """Return the row of a public id of any type; None when there is none to be seen."""
        entry = self.types.by_prefix(public)
        if entry is None or not self._may(entry.permission):
            return None
        return self.by_id(entry.origin, public)

    def by_id(self, target: type, public: str) -> Any:
        """Return the row of a public id of one type."""
        entry = stored_type(target)
        self._ensure(entry.permission)
        found = [row for row in self.rows(entry) if self.public_id(entry, row) == public]
        return self.thing(entry, found[0] if found else None)

    def public_id(self, entry: StoredType, row: Row) -> str:
        """Return a row's public id."""
        own = self.rules.ids.get(entry.key)
        return own(row) if own else f"{entry.key}_{row['id'].hex}"

    def _resolve(self, next_: Any, source: Any, info: Any, **args: Any) -> Any:
        if info.field_name.startswith("__"):
            return next_(source, info, **args)
        name = f"{info.parent_type.name}.{info.field_name}"
        if name in self.rules.roots:
            return self.rules.roots[name](self, **args)
        each = _definition(info.parent_type.fields[info.field_name])
        if isinstance(each, PageField):
            for needed in each.permission_classes:
                if not needed().has_permission(source, info):
                    raise GraphQLError("forbidden", extensions={"code": "FORBIDDEN"})
            target = connection_class(each.resolve_type()).__page_of__.target
            keep = self.rules.related.get(name, lambda *_: True)
            order = each.metadata.get("order", ())
            return self.page(stored_type(target), order, lambda row: keep(self, {}, row), args)
        if STORED not in each.metadata:
            if isinstance(source, dict):
                return source[info.field_name]
            return getattr(source, each.python_name)
        declaration: Declaration = each.metadata[STORED]
        try:
            if not self._is_own(name, declaration, source):
                self._ensure_read(declaration.permission)
            return self._stored(name, each, declaration, source, info, args)
        except _Withheld as withheld:
            keys = tuple(key for key in info.path.as_list() if isinstance(key, str))
            self.withheld.add((keys, str(withheld.args[0])))
            return None

    def _is_own(self, name: str, declaration: Declaration, source: Any) -> bool:
        return declaration.own is not None and self.rules.own[name](self, source.oracle_row)

    def _stored(
        self, name: str, each: Any, declaration: Declaration, source: Any, info: Any, args: Any
    ) -> Any:
        row: Row = source.oracle_row
        how = declaration.source
        if isinstance(how, PublicId | Column | Expression):
            column = source.oracle_columns.get(each.python_name)
            value = row[column] if column else self._leaf(name, each, how, source, row)
            return typed(value, info.return_type)
        if isinstance(how, SameRow):
            if how.present and not self.rules.values[name](self, row):
                return None
            kind = _definition(get_named_type(info.return_type)).origin
            return _made(kind, row, source.oracle_columns | dict(how.columns))
        if isinstance(how, Computed):
            return how.fill(self.rules.inputs[name](self, row), self.context)
        if isinstance(how, OneOf):
            return self._variant(how, row)
        return self._related(name, how, row, info, args)

    def _leaf(self, name: str, each: Any, how: Any, source: Any, row: Row) -> Any:
        if isinstance(how, PublicId):
            return self.public_id(stored_type(type(source)), row)
        if isinstance(how, Expression):
            return self.rules.values[name](self, row)
        return row[how.name or each.python_name]

    def _variant(self, how: OneOf, row: Row) -> Any:
        kind = how.types.get(row[how.kind])
        if kind is None:
            return None
        entry = stored_type(_definition(self.schema.get_type(kind)).origin)
        if not self._may(entry.permission):
            return None
        found = [it for it in self.rows(entry) if it["id"] == row[how.key]]
        return self.thing(entry, found[0] if found else None)

    def _related(self, name: str, how: Any, row: Row, info: Any, args: Any) -> Any:
        origin = _definition(get_named_type(info.return_type)).origin
        if isinstance(how, Connection):
            entry = stored_type(origin.__page_of__.target)
            self._ensure_read(entry.permission)
            return self.page(entry, how.order, lambda it: self._belongs(name, how, row, it), args)
        entry = stored_type(origin)
        self._ensure_read(entry.permission)
        found = [it for it in self.rows(entry) if self._belongs(name, how, row, it)]
        if isinstance(how, One):
            return self.thing(entry, found[0] if found else None)
        assert isinstance(how, Many)
        if how.order is not None:
            self._sort(name, how.order, found)
        return [self.thing(entry, it) for it in found]

    def _sort(self, name: str, order: str, rows: list[Row]) -> None:
        own = self.rules.sorted.get(name)
        if own is not None:
            rows.sort(key=own)
            return
        for term in reversed([each.strip() for each in order.split(",")]):
            column = term.removeprefix("-")
            sort_by(rows, lambda it, column=column: it[column], down=term.startswith("-"))  # type: ignore[misc]

    def _belongs(self, name: str, how: Any, parent: Row, child: Row) -> bool:
        if found := _BY_KEY.fullmatch(how.on):
            return bool(child["id"] == parent[found[1]])
        if found := _BY_ID.fullmatch(how.on):
            return bool(child[found[1]] == parent["id"])
        return self.rules.related[name](self, parent, child)

    def page(
        self,
        entry: StoredType,
        order: Sequence[str],
        keep: Callable[[Row], bool],
        args: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return a connection as a dict by the schema's names."""
        self._ensure(entry.permission)
        listed = [row for row in self.rows(entry) if keep(row)]
        given = args.get("filter")
        if given is not None:
            listed = [row for row in listed if self._holds(entry, given, row)]
        terms = order_terms(entry, order, args.get("orderBy"))
        down = terms[-1][1] if terms else False
        listed.sort(key=lambda row: [row[name] for name in entry.unique], reverse=down)
        for name, descending in reversed(terms):
            sort_by(
                listed, lambda row, name=name: self.order_value(entry, name, row), down=descending
            )
        total = len(listed)
        start, end = 0, total
        if args.get("after") is not None:
            start = self._position(entry, terms, listed, args["after"], after=True)
        if args.get("before") is not None:
            end = self._position(entry, terms, listed, args["before"], after=False)
        first, last = args.get("first"), args.get("last")
        window = range(start, max(start, end))
        if last is not None:
            window = window[max(0, len(window) - last) :]
        else:
            window = window[: DEFAULT_PAGE if first is None else first]
        edges = [self._edge(entry, listed[index]) for index in window]
        forward = last is None
        more = len(range(start, end)) > len(window)
        return {
            "nodes": [edge["node"] for edge in edges],
            "edges": edges,
            "totalCount": total,
            "pageInfo": {
                "hasNextPage": (forward and more) or ("before" in args and end < total),
                "hasPreviousPage": (not forward and more) or ("after" in args and start > 0),
                "startCursor": edges[0]["cursor"] if edges else None,
                "endCursor": edges[-1]["cursor"] if edges else None,
            },
        }

    def _edge(self, entry: StoredType, row: Row) -> dict[str, Any]:
        unique = [str(row[name]) for name in entry.unique]
        return {"cursor": f"cursor:{'|'.join(unique)}", "node": self.thing(entry, row)}

    def _position(
        self, entry: StoredType, terms: Any, listed: list[Row], cursor: str, *, after: bool
    ) -> int:
        """Return where a page starts after, or ends before, the row of a cursor."""
        wanted = cursor_row(cursor, entry)
        row = next(it for it in self.tables[entry.table] if _unique(entry, it) == wanted)
        count = 0
        for it in listed:
            order = self._compare(entry, terms, it, row)
            count += order < 0 or (after and order == 0)
        return count

    def _compare(self, entry: StoredType, terms: Any, one: Row, other: Row) -> int:
        down = terms[-1][1] if terms else False
        for name, descending in [*terms, *((name, down) for name in entry.unique)]:
            known = name in entry.fields and (name, descending) in terms
            mine = self.order_value(entry, name, one) if known else one[name]
            theirs = self.order_value(entry, name, other) if known else other[name]
            if mine != theirs:
                if mine is None or theirs is None:
                    return 1 if mine is None else -1
                return 1 if (mine > theirs) != descending else -1
        return 0

    def order_value(self, entry: StoredType, name: str, row: Row) -> Any:
        """Return what a field's value is sorted by."""
        value = self.value(entry, name, row)
        if isinstance(entry.fields[name].metadata[STORED].source, PublicId):
            return value
        return in_order(value, self.types.field_type(entry, name))

    def value(self, entry: StoredType, name: str, row: Row) -> Any:
        """Return the value of a field to filter or sort by, as the type compares it."""
        each = entry.fields[name]
        how = each.metadata[STORED].source
        if isinstance(how, PublicId):
            return row[entry.id_column]
        if isinstance(how, One):
            target = stored_type(target_class(each))
            full = f"{entry.name}.{to_camel_case(name)}"
            found = [it for it in self.rows(target) if self._belongs(full, how, row, it)]
            return found[0]["id"] if found else None
        kind = self.types.field_type(entry, name)
        if isinstance(how, Expression):
            graphql_name = next(
                key
                for key, it in self.schema.get_type(entry.name).fields.items()
                if _definition(it) is each or _definition(it).python_name == name
            )
            return typed(self.rules.values[f"{entry.name}.{graphql_name}"](self, row), kind)
        return typed(row[how.name or name], kind)

    def _holds(self, entry: StoredType, given: Mapping[str, Any], row: Row) -> bool:
        fields = entry.filter_class.__filter_of__.fields
        for name, value in given.items():
            if value is None:
                continue
            if name == "and":
                good = all(self._holds(entry, each, row) for each in value)
            elif name == "or":
                good = any(self._holds(entry, each, row) for each in value)
            elif name == "not":
                good = not self._holds(entry, value, row)
            else:
                good = self._meets(entry, fields[name], value, row)
            if not good:
                return False
        return True

    def _meets(self, entry: StoredType, name: str, given: Mapping[str, Any], row: Row) -> bool:
        self._ensure_readable(entry, name)
        how = entry.fields[name].metadata[STORED].source
        if not isinstance(how, Many):
            mine, target = self.value(entry, name, row), self._compared_type(entry, name)
            comparing = self._comparing(entry, name, target)
            return all(meets(mine, term, its, target, comparing) for term, its in given.items())
        if given.get("some") is None:
            return True
        full = f"{entry.name}.{to_camel_case(name)}"
        target = stored_type(target_class(entry.fields[name]))
        return any(
            self._belongs(full, how, row, it) and self._holds(target, given["some"], it)
            for it in self.rows(target)
        )

    def _comparing(self, entry: StoredType, name: str, target: StoredType | None) -> Comparing:
        if target is not None:
            return EXACT
        if entry.fields[name].metadata[STORED].telephone:
            return TELEPHONE
        return self.types.kind_of(entry, name).comparing

    def _compared_type(self, entry: StoredType, name: str) -> StoredType | None:
        how = entry.fields[name].metadata[STORED].source
        if isinstance(how, PublicId):
            return entry
        return stored_type(target_class(entry.fields[name])) if isinstance(how, One) else None

    def _ensure_readable(self, entry: StoredType, name: str) -> None:
        self._ensure(entry.fields[name].metadata[STORED].permission)

    def _may(self, permission: Any) -> bool:
        return permission is None or permission in self.actor.permissions

    def _ensure_read(self, permission: Any) -> None:
        if not self._may(permission):
            raise _Withheld(permission)

    def _ensure(self, permission: Any) -> None:
        if not self._may(permission):
            raise GraphQLError("forbidden", extensions={"code": "FORBIDDEN"})


def cursor_row(cursor: str, entry: StoredType) -> list[str]:
    """Return the unique columns a cursor holds, whatever its seal."""
    data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    keys: list[str] = orjson.loads(data[16:])
    return keys[-len(entry.unique) :]


def _unique(entry: StoredType, row: Row) -> list[str]:
    return [str(row[name]) for name in entry.unique]


def _definition(element: Any) -> Any:
    return element.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


def _made(origin: type, row: Row, columns: Mapping[str, str]) -> Any:
    made = object.__new__(origin)
    made.__dict__.update(oracle_row=row, oracle_columns=dict(columns))
    return made
