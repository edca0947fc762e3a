"""The rows a filter keeps, for readers that follow things rather than show them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from graphql import GraphQLSchema

from api.planner.conditions import FilterWriter
from api.planner.context import ReadContext
from api.planner.errors import Refused, refusal
from api.planner.filters import FilterReader
from api.planner.plans import visibility_of
from api.planner.schema import types_of
from api.planner.statement import Slot, Statement
from api.planner.stored import stored_type
from itr.sight.row_filter import RowFilter


class Rows(NamedTuple):
    """A select and the values of its parameters."""

    sql: str
    arguments: list[Any]


class Matching(NamedTuple):
    """A select of rows, written once for one kind of actor; what differs each time is left open."""

    schema: GraphQLSchema
    sql: str
    slots: tuple[Slot, ...]
    filter: list[Any]

    def rows(self, context: ReadContext, keys: Collection[UUID] | None = None) -> Rows:
        """The select with its values, for an actor and an instant."""
        visibility, _ = visibility_of(self.schema, context.actor)
        values = _Values(context, visibility, self.filter, list(keys or ()))
        return Rows(self.sql, [values.of(slot) for slot in self.slots])


def kind_of_reader(schema: GraphQLSchema, context: ReadContext) -> object:
    """What a `Matching` written for one actor is good for: the same texts and permissions."""
    _, number = visibility_of(schema, context.actor)
    return number, frozenset(context.actor.permissions)


def matching(
    schema: GraphQLSchema,
    target: type,
    given: dict[str, Any] | None,
    context: ReadContext,
    *,
    select: str,
    keys: Collection[UUID] | None = None,
    where: str = "true",
    tail: str = "",
) -> Rows:
    """The visible rows of a stored type that a client's filter keeps.

    `select`, `where` and `tail` (order and limit) are texts over `{t}`; `keys` narrows to these
    rows. Raises GraphQLError when the filter asks for what the actor may not read (S4).
    """
    written = write_matching(
        schema, target, given, context, select=select, keyed=keys is not None, where=where,
        tail=tail,
    )  # fmt: skip
    return written.rows(context, keys)


def write_matching(
    schema: GraphQLSchema,
    target: type,
    given: dict[str, Any] | None,
    context: ReadContext,
    *,
    select: str,
    keyed: bool,
    where: str = "true",
    tail: str = "",
) -> Matching:
    """The same to be kept, for readers that ask again and again; `keyed`: for certain rows."""
    entry = stored_type(target)
    visibility, _ = visibility_of(schema, context.actor)
    reader = FilterReader(context.actor.permissions, (), types_of(schema).kind_of)
    statement = Statement(visibility, by_heart=False)
    alias = statement.alias()
    conditions = [statement.visible(entry, alias), f"({statement.text(where, alias)})"]
    try:
        shape = reader.read(entry, given)
    except Refused as refused:
        raise refusal(refused.code, context.language, given=("filter",)) from None
    if shape is not None:
        conditions.append(FilterWriter(statement, entry, alias, 0).write(shape))
    if keyed:
        listed = RowFilter("{alias}.id = any(:keys::uuid[])", {"keys": []})
        conditions.append(statement.where(listed, alias))
    sql, slots = statement.finish(
        f"{statement.text(select, alias)} from {entry.table} {alias}"
        f" where {' and '.join(conditions)} {statement.text(tail, alias)}"
    )
    return Matching(schema, sql, slots, reader.values)


class _Values(NamedTuple):
    context: ReadContext
    visibility: Any
    filter: list[Any]
    keys: list[UUID]

    def of(self, slot: Slot) -> Any:
        match slot:
            case ("now",):
                return self.context.now
            case ("actor",):
                return self.context.actor.id
            case ("visible", key, name):
                return self.visibility[key].arguments[name]
            case ("where", "keys"):
                return self.keys
            case ("page", _, "filter", number):
                return self.filter[number]
        raise KeyError(slot)
