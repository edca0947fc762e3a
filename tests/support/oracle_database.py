"""The oracle's tables and rules for any schema, taken from the database itself.

What declarations say in SQL of their own is asked of the database in the flattest way there is:
one expression over one whole table at a time. What is left to prove is everything the planner does
with it: nesting, names, fragments, pages, filters, orders, permissions, sight at every level.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLSchema, get_named_type

from api.planner.declare import (
    STORED,
    Computed,
    Connection,
    Expression,
    Lookup,
    Many,
    One,
    SameRow,
)
from api.planner.schema import types_of
from api.planner.stored import Identity, Kinds, StoredType, stored_type
from tests.support.oracle import _BY_ID, _BY_KEY, Oracle, Row, Rules, _definition

Key = tuple[Any, ...]

_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")


async def tables_of(schema: GraphQLSchema, link: Any) -> dict[str, list[Row]]:
    """Return every row of every stored type."""
    tables: dict[str, list[Row]] = {}
    for entry in types_of(schema).stored.values():
        found = await link.fetch(f"select * from {entry.table} t")
        tables[entry.table] = [dict(row) for row in found]
    return tables


async def rules_of(schema: GraphQLSchema, link: Any, context: Any) -> Rules:
    """Return what declarations say in SQL, worked out for every row, for one actor and instant."""
    asker = _Asker(schema, link, context)
    for entry in types_of(schema).stored.values():
        await asker.learn(entry)
    return asker.rules()


@dataclass
class _Asker:
    schema: GraphQLSchema
    link: Any
    context: Any
    seen: dict[str, set[Key]] = field(default_factory=dict)
    values: dict[str, dict[Key, Any]] = field(default_factory=dict)
    related: dict[str, set[tuple[Key, Key]]] = field(default_factory=dict)
    ranks: dict[str, dict[Key, Any]] = field(default_factory=dict)
    inputs: dict[str, dict[Key, Any]] = field(default_factory=dict)
    ids: dict[str, dict[Key, Any]] = field(default_factory=dict)
    own: dict[str, dict[Key, Any]] = field(default_factory=dict)
    only: str = ""
    """Which rows are asked about; all of them unless said."""

    async def learn(self, entry: StoredType) -> None:
        """Ask for everything the declarations of one type say."""
        visible = entry.visible(self.context.actor)
        sight = await self.ask(entry, visible.at("t"), visible.arguments)
        self.seen[entry.key] = {key for key, value in sight.items() if value}
        if entry.identity != Identity():
            shown = await self.ask(entry, entry.identity.shown)
            self.ids[entry.key] = {key: f"{entry.key}_{value}" for key, value in shown.items()}
        await self._fields(entry, self.schema.get_type(entry.name))
        if entry.kinds is not None:
            await self._types_of_rows(entry, entry.kinds)

    async def _types_of_rows(self, entry: StoredType, kinds: Kinds) -> None:
        """Ask what the types of an interface's rows say, each of its own rows."""
        rows = await self.link.fetch(f"select distinct {kinds.column} as text from {entry.table} t")
        for (text,) in rows:
            self.only = f"where t.{kinds.column} = {_literal(text)}"
            name = kinds.type_of(text).__strawberry_definition__.name  # type: ignore[attr-defined]
            await self._fields(entry, self.schema.get_type(name))
        self.only = ""

    async def _fields(self, entry: StoredType, kind: Any) -> None:
        for name, each in kind.fields.items():
            source = _definition(each).metadata[STORED].source
            full = f"{kind.name}.{name}"
            target = get_named_type(each.type)
            own = _definition(each).metadata[STORED].own
            if own is not None:
                self.own.setdefault(full, {}).update(await self.ask(entry, own))
            if isinstance(source, Expression):
                await self._value(entry, full, _looked_up(source.sql, source.lookups))
            elif isinstance(source, SameRow):
                if source.present is not None:
                    await self._value(entry, full, source.present)
                await self._fields(entry, target)
            elif isinstance(source, Computed):
                listed = ", ".join(f'({sql}) as "{key}"' for key, sql in source.inputs.items())
                sql = f"select row_to_json(x)::text from (select {listed}) x"
                self.inputs.setdefault(full, {}).update(await self.ask(entry, sql))
            elif isinstance(source, One | Many | Connection):
                page = getattr(_definition(target).origin, "__page_of__", None)
                other = stored_type(page.target if page else _definition(target).origin)
                await self._relation(entry, other, full, source)

    async def _value(self, entry: StoredType, name: str, sql: str) -> None:
        self.values.setdefault(name, {}).update(await self.ask(entry, sql))

    async def _relation(self, entry: StoredType, other: StoredType, name: str, how: Any) -> None:
        if not (_BY_KEY.fullmatch(how.on) or _BY_ID.fullmatch(how.on)):
            on = self._ambient(how.on.replace("{t}", "t").replace("{parent}", "p"))
            keys = ", ".join(
                [*(f"p.{name}" for name in entry.unique), *(f"t.{name}" for name in other.unique)]
            )
            rows = await self.link.fetch(
                f"select {keys} from (select * from {entry.table} t {self.only} offset 0) p,"
                f" {other.table} t where {on}"
            )
            width = len(entry.unique)
            pairs = {(tuple(row)[:width], tuple(row)[width:]) for row in rows}
            self.related.setdefault(name, set()).update(pairs)
        if isinstance(how, Many) and how.order is not None and "{t}" in how.order:
            unique = ", ".join(f"t.{name}" for name in other.unique)
            order = how.order.replace("{t}", "t")
            only, self.only = self.only, ""
            self.ranks[name] = await self.ask(
                other, f"row_number() over (order by {order}, {unique})"
            )
            self.only = only

    async def ask(
        self, entry: StoredType, sql: str, arguments: Mapping[str, Any] | None = None
    ) -> dict[Key, Any]:
        """Return an expression's value for each row of a type, by its unique columns."""
        unique = ", ".join(f"t.{name}" for name in entry.unique)
        text = self._ambient(sql.replace("{t}", "t"), arguments or {})
        rows = await self.link.fetch(f"select {unique}, ({text}) from {entry.table} t {self.only}")
        return {tuple(row)[:-1]: row[len(entry.unique)] for row in rows}

    def _ambient(self, sql: str, arguments: Mapping[str, Any] | None = None) -> str:
        known = {"now": self.context.now, "actor": self.context.actor.id, **(arguments or {})}
        return _NAMED.sub(lambda found: _literal(known[found[1]]), sql)

    def rules(self) -> Rules:
        """Return what was learnt as the oracle's rules."""
        types = types_of(self.schema)
        unique = {entry.table: list(entry.unique) for entry in types.stored.values()}
        widest = [tuple(names) for names in unique.values()]

        def any_key(found: Mapping[Key, Any], row: Row) -> Key:
            return next(
                key
                for names in widest
                if all(name in row for name in names)
                and (key := tuple(row[name] for name in names)) in found
            )

        def sees(entry: StoredType) -> Any:
            return lambda _, row: tuple(row[name] for name in entry.unique) in self.seen[entry.key]

        def value(found: Mapping[Key, Any]) -> Any:
            return lambda _, row: found[any_key(found, row)]

        def pair(found: set[tuple[Key, Key]]) -> Any:
            return lambda _, parent, child: any(
                (tuple(parent[name] for name in one), tuple(child[name] for name in other)) in found
                for one in widest
                for other in widest
                if all(name in parent for name in one) and all(name in child for name in other)
            )

        return Rules(
            visible={entry.key: sees(entry) for entry in types.stored.values()},
            values={name: value(found) for name, found in self.values.items()},
            related={name: pair(found) for name, found in self.related.items()},
            sorted={
                name: (lambda row, found=found: found[any_key(found, row)])
                for name, found in self.ranks.items()
            },
            inputs={
                name: (lambda _, row, found=found: orjson.loads(found[any_key(found, row)]))
                for name, found in self.inputs.items()
            },
            own={name: value(found) for name, found in self.own.items()},
            ids={
                key: (lambda row, found=found: found[any_key(found, row)])
                for key, found in self.ids.items()
            },
            roots={
                "Query.node": lambda oracle, **args: oracle.node(args["id"]),
                "Query.nodes": lambda oracle, ids: [oracle.node(each) for each in ids],
            },
        )


def _looked_up(sql: str, lookups: Mapping[str, Lookup]) -> str:
    for name, lookup in lookups.items():
        found = " and ".join(f"s.{theirs} = t.{ours}" for theirs, ours in lookup.keys)
        one = f"(select s.{lookup.wanted} from ({lookup.shared.sql}) s where {found})"
        sql = sql.replace(f"{{{name}}}", one)
    return sql


def _literal(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}::bigint"
        case UUID():
            return f"'{value}'::uuid"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case str():
            return "'" + value.replace("'", "''") + "'::text"
        case Sequence() | set() | frozenset():
            items = ", ".join(_literal(each) for each in value)
            kind = "text" if any(isinstance(each, str) for each in value) else "uuid"
            return f"array[{items}]::{kind}[]"
    raise TypeError(f"no literal for {value!r}")


__all__ = ["Oracle", "rules_of", "tables_of"]
