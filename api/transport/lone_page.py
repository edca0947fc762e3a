"""A query of one page is read at once: there is nothing to collect, sort or await beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.planner.fields import PageField

_REMEMBERED = 500


@dataclass(frozen=True)
class LonePage:
    """The only field of a query, which is a page of a stored type."""

    operation: OperationDefinitionNode
    root: GraphQLObjectType
    node: FieldNode
    field: GraphQLField
    resolve: Callable[..., Any]

    async def read_by(self, executor: Executor[Any]) -> Any:
        """Answer the operation: data and errors are as the executor's own walk gives them."""
        key = (self.node.alias or self.node.name).value
        path = Path(None, key, self.root.name)
        info = executor.build_resolve_info(self.field, [self.node], self.root, path)
        details = [FieldDetails(self.node, None)]
        resolving = self._resolved(executor, info)
        try:
            value = await executor.complete_awaitable_value(
                self.field.type, details, info, path, resolving, None
            )
        except GraphQLError as error:
            executor.collected_errors.add(error, None)
            return executor.build_response(None)
        return executor.build_response({key: value})

    async def _resolved(self, executor: Executor[Any], info: GraphQLResolveInfo[Any]) -> Any:
        """Resolve without arguments: the planner reads them itself."""
        found = self.resolve(executor.root_value, info)
        return await found if executor.is_awaitable(found) else found


_found: OrderedDict[tuple[int, int], tuple[GraphQLSchema, Any, LonePage | None]] = OrderedDict()


def lone_page_of(executor: Executor[Any]) -> LonePage | None:
    """Return the page an operation is about; None when it is about anything else, or more."""
    operation, schema = executor.operation, executor.schema
    known = _found.get((id(operation), id(schema)))
    if known is None:
        known = schema, operation, _lone_page(schema, operation)  # kept: an id is not used again
        _found[id(operation), id(schema)] = known
        if len(_found) > _REMEMBERED:
            _found.popitem(last=False)
    return known[2]


def _lone_page(schema: GraphQLSchema, operation: OperationDefinitionNode) -> LonePage | None:
    selections = operation.selection_set.selections
    root = schema.query_type
    if operation.operation is not OperationType.QUERY or operation.directives or root is None:
        return None
    node = selections[0]
    if len(selections) > 1 or not isinstance(node, FieldNode) or node.directives:
        return None
    field = root.fields.get(node.name.value)
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    if field is None or field.resolve is None or not isinstance(definition, PageField):
        return None
    return LonePage(operation, root, node, field, field.resolve)
