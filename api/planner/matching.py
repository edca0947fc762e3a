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
from itr.visibility import Visible


class Rows(NamedTuple):
    """A select and the values of its parameters."""

    sql: str
    arguments: list[Any]


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
    rows.
    Raises GraphQLError when the filter asks for what the actor may not read (S4).
    """
    entry = stored_type(target)
    visibility, _ = visibility_of(schema, context.actor)
    reader = FilterReader(context.actor.permissions, (), types_of(schema).kind_of)
    statement = Statement(visibility)
    alias = statement.alias()
    conditions = [statement.visible(entry, alias), f"({where.replace('{t}', alias)})"]
    try:
        shape = reader.read(entry, given)
    except Refused as refused:
        raise refusal(refused.code, context.language) from None
    if shape is not None:
        conditions.append(FilterWriter(statement, entry, alias, 0).write(shape))
    if keys is not None:
        listed = Visible("{alias}.id = any(:keys::uuid[])", {"keys": list(keys)})
        conditions.append(statement.where(listed, alias))
    chosen = select.replace("{t}", alias)
    sql, slots = statement.finish(
        f"{chosen} from {entry.table} {alias} where {' and '.join(conditions)}"
        f" {tail.replace('{t}', alias)}"
    )
    values = _Values(context, visibility, reader.values, list(keys or ()))
    return Rows(sql, [values.of(slot) for slot in slots])


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
