"""What root resolvers, payload fields and subscription events call.

Each function answers one field with one statement and returns a `Compiled`, which the execution
context (`api.execution`) passes on as it is. They are typed `Any` because a resolver's annotation
names the GraphQL type.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetails

from api.planner.compiled import Compiled
from api.planner.compiler import Compiler
from api.planner.errors import refusal
from api.planner.json_text import list_of
from api.planner.pages import LARGEST_PAGE
from api.planner.reading import ReadSpec, check, raw_info, read
from api.planner.schema import types_of
from api.planner.selection import ObjectSelection, SelectionReader, Site
from api.planner.stored import StoredType, stored_type
from itr.sight.row_filter import RowFilter

_ALL = RowFilter("true")


async def page(
    info: Any,
    target: type,
    *,
    where: RowFilter = _ALL,
    order: Sequence[str] = (),
    cursor: str | None = None,
) -> Any:
    """Answer a field that is a connection of a stored type; page arguments come from the query.

    `where` narrows the list, `order` replaces the type's own default. `cursor` is an SQL
    expression whose text is read in the same statement and returned as `Compiled.cursor`.
    """
    raw = raw_info(info)
    entry = stored_type(target)
    named: Any = get_named_type(raw.return_type)
    ordered = tuple(order) or entry.order

    def select(reader: SelectionReader, details: list[FieldDetails]) -> Any:
        definition = raw.parent_type.fields[raw.field_name]
        name = f"{raw.parent_type.name}.{raw.field_name}"
        site = Site(definition, raw.field_nodes[0], entry, ordered, name, ())
        return reader.page(named, details, (), site)

    def write(compiler: Compiler, wanted: Any) -> str:
        alias = compiler.statement.alias()
        return compiler.page(wanted, compiler.statement.where(where, alias), alias)

    spec = ReadSpec(("page", entry.key, ordered), select, write, where, cursor)
    return await read(info, spec)


async def many(
    info: Any,
    target: type,
    *,
    where: RowFilter = _ALL,
    order: str | None = None,
    cursor: str | None = None,
) -> Any:
    """Answer a field that is a short list of a stored type, in the order of an SQL order list."""
    entry = stored_type(target)

    def write(compiler: Compiler, wanted: Any) -> str:
        alias = compiler.statement.alias()
        condition = compiler.statement.where(where, alias)
        return compiler.all(wanted, condition, order, alias)

    spec = ReadSpec(("many", entry.key, order), _selecting(info, entry), write, where, cursor)
    return await read(info, spec)


async def one(info: Any, target: type, *, where: RowFilter, cursor: str | None = None) -> Any:
    """Answer a field with the one visible row for which a condition holds, or null."""
    entry = stored_type(target)

    def write(compiler: Compiler, wanted: Any) -> str:
        alias = compiler.statement.alias()
        return compiler.one(wanted, compiler.statement.where(where, alias), alias)

    spec = ReadSpec(("one", entry.key), _selecting(info, entry), write, where, cursor)
    return await read(info, spec)


async def one_by_id(info: Any, target: type, id: str, *, cursor: str | None = None) -> Any:
    """Answer a field with the row of this public id; null when missing, unseen or malformed."""
    entry = stored_type(target)
    return await read(info, _by_id(info, entry, entry.read_id(id), cursor))


async def payload_object(
    info: Any, target: type, key: UUID | str | None, *, cursor: str | None = None
) -> Any:
    """Answer a payload's or an event's field with the row of this key (or public id), read anew."""
    if key is None:
        return Compiled(None)
    entry = stored_type(target)
    parts = entry.read_id(key) if isinstance(key, str) else (key.hex,)
    return await read(info, _by_id(info, entry, parts, cursor))


async def node(info: Any, id: str) -> Any:
    """Answer `node(id)`: the row of any stored type; null when missing, unseen or malformed."""
    entry, parts = _located(raw_info(info), id)
    key = entry.key if entry is not None else None
    width = entry.id_pattern.groups if entry is not None else 0

    def write(compiler: Compiler, wanted: dict[str, ObjectSelection]) -> str:
        if entry is None or entry.key not in wanted:
            return "null::text"
        alias = compiler.statement.alias()
        return compiler.one(wanted[entry.key], compiler.found_by_id(entry, alias), alias)

    ids = dict(zip(_names(width), parts, strict=True))
    spec = ReadSpec(("nodes",), _select_nodes(info), write, variant=(key,), ids=ids)
    if entry is None:
        check(info, spec)
        return Compiled(None)
    return _withheld_from(await read(info, spec), {entry.name})


async def nodes(info: Any, ids: Sequence[str]) -> Any:
    """Answer `nodes(ids)`: for each id what `node` answers, in their order, by one statement."""
    raw = raw_info(info)
    if len(ids) > LARGEST_PAGE:
        raise refusal("BAD_PAGE", raw.context.language)
    found = [_located(raw, each) for each in ids]
    kinds = tuple(sorted({entry.key for entry, _ in found if entry is not None}))
    names = _names(max((len(parts) for _, parts in found), default=0) or 1)

    def write(compiler: Compiler, wanted: dict[str, ObjectSelection]) -> str:
        cases = "".join(_case(compiler, wanted[key]) for key in kinds if key in wanted)
        value = f"case q.k{cases} end" if cases else "null::text"
        lists = ", ".join(f"{compiler.statement.slot(('id', name), 'text[]')}" for name in columns)
        found = list_of("coalesce(r.v, 'null')", order=" order by r.i")
        return (
            f"(select {found} from (select q.i,"
            f" {value} as v from unnest({lists}) with ordinality as q({', '.join(columns)}, i)) r)"
        )

    columns = ("k", *names)
    values: dict[str, Any] = {"k": [entry.key if entry else None for entry, _ in found]}
    for number, name in enumerate(names):
        values[name] = [parts[number] if number < len(parts) else None for _, parts in found]
    variant = (kinds, len(names))
    spec = ReadSpec(("nodes",), _select_nodes(info), write, variant=variant, ids=values)
    compiled = await read(info, spec)
    if not compiled.withheld:
        return compiled
    shown = zip(found, orjson.loads(compiled.json or b"[]"), strict=True)
    there = {entry.name for (entry, _), value in shown if entry is not None and value is not None}
    return _withheld_from(compiled, there)


def _withheld_from(compiled: Compiled, types: set[str]) -> Compiled:
    """Keep what is withheld of objects that are there: an absent one must not tell its type."""
    told = tuple(each for each in compiled.withheld if each.steps[0][1] in types)
    return dataclasses.replace(compiled, withheld=told if compiled.json is not None else ())


def _by_id(
    info: Any, entry: StoredType, parts: tuple[str, ...] | None, cursor: str | None
) -> ReadSpec:
    names = _names(entry.id_pattern.groups)
    values = dict(zip(names, parts or (None,) * len(names), strict=True))

    def write(compiler: Compiler, wanted: Any) -> str:
        alias = compiler.statement.alias()
        return compiler.one(wanted, compiler.found_by_id(entry, alias), alias)

    return ReadSpec(("id", entry.key), _selecting(info, entry), write, cursor=cursor, ids=values)


def _selecting(info: Any, entry: StoredType) -> Any:
    """Read the selection on a stored type, whether the field answers it or an interface of it."""
    kind = raw_info(info).schema.get_type(entry.name)

    def select(reader: SelectionReader, details: list[FieldDetails]) -> Any:
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        return reader.objects(kind, details, ())

    return select


def _select_nodes(info: Any) -> Any:
    """Read the selection on every stored type the actor may read."""
    schema = raw_info(info).schema

    def select(reader: SelectionReader, details: list[FieldDetails]) -> Any:
        wanted = {}
        for entry in types_of(schema).stored.values():
            kind: Any = schema.get_type(entry.name)
            if _may_find(entry, reader.permissions):
                selection = reader.objects_if_allowed(kind, details)
                if selection is not None:
                    wanted[entry.key] = selection
        return wanted

    return select


def _may_find(entry: StoredType, permissions: Any) -> bool:
    """Whether it may be found by nothing but its id."""
    needed = entry.permission or entry.found_with
    return needed is None or needed in permissions


def _located(raw: GraphQLResolveInfo[Any], id: str) -> tuple[StoredType | None, tuple[str, ...]]:
    entry = types_of(raw.schema).by_prefix(id)
    if entry is None or not _may_find(entry, raw.context.actor.permissions):
        return None, ()
    parts = entry.read_id(id)
    return (entry, parts) if parts is not None else (None, ())


def _names(width: int) -> tuple[str, ...]:
    return tuple(f"id{number + 1}" for number in range(width))


def _case(compiler: Compiler, wanted: ObjectSelection) -> str:
    assert wanted.entry is not None
    alias = compiler.statement.alias()
    condition = compiler.found_by_columns(wanted.entry, alias, "q")
    return f" when '{wanted.entry.key}' then {compiler.one(wanted, condition, alias)}"
