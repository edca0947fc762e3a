"""Whether somebody may do what an operation asks, before its input is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from itr.actors.actor import Actor
from itr.errors import Forbidden


def ensure_permitted(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, actor: Actor
) -> None:
    """Refuse the first field at the root that the actor has no permission for (R-ROLE-02)."""
    root: Any = schema.get_root_type(operation.operation)
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    for selection in _at_the_root(operation.selection_set, fragments, set()):
        field = root.fields.get(selection.name.value) if root else None
        extensions = field.extensions if field else {}
        definition = extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        for each in getattr(definition, "permission_classes", ()):
            needed = getattr(each, "needed", None)
            if needed is not None and not actor.may(needed):
                key = (selection.alias or selection.name).value
                raise GraphQLError("FORBIDDEN", path=[key], original_error=Forbidden())


def _at_the_root(
    within: SelectionSetNode, fragments: Mapping[str, SelectionSetNode], entered: set[str]
) -> Iterator[FieldNode]:
    """The fields, also those in fragments; each of these is entered once, whoever spreads it."""
    for selection in within.selections:
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name in fragments and name not in entered:
                entered.add(name)
                yield from _at_the_root(fragments[name], fragments, entered)
        else:
            yield from _at_the_root(selection.selection_set, fragments, entered)  # type: ignore[attr-defined]
