"""Whether somebody may do what an operation asks, before its input is read."""

from __future__ import annotations

from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from strawberry.schema.schema_converter import GraphQLCoreConverter

from itr.actor import Actor
from itr.errors import Forbidden


def ensure_permitted(
    schema: GraphQLSchema, operation: OperationDefinitionNode, actor: Actor
) -> None:
    """Refuse the first field at the root that the actor has no permission for (R-ROLE-02)."""
    root: Any = schema.get_root_type(operation.operation)
    for selection in operation.selection_set.selections:
        if not isinstance(selection, FieldNode):
            continue
        field = root.fields.get(selection.name.value) if root else None
        extensions = field.extensions if field else {}
        definition = extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        for each in getattr(definition, "permission_classes", ()):
            needed = getattr(each, "needed", None)
            if needed is not None and not actor.may(needed):
                key = (selection.alias or selection.name).value
                raise GraphQLError("FORBIDDEN", path=[key], original_error=Forbidden())
