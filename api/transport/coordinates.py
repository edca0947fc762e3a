"""Which fields and arguments of the schema an operation names."""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from graphql.utilities import separate_operations


def coordinates_of(
    schema: GraphQLSchema, document: DocumentNode, operation: str
) -> tuple[str, ...]:
    """The schema coordinates of one operation of a valid document, each once, sorted."""
    info = TypeInfo(schema)
    naming = _Naming(info)
    visit(separate_operations(document)[operation], TypeInfoVisitor(info, naming))
    return tuple(sorted(naming.found))


class _Naming(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._info.get_parent_type()
        name = node.name.value
        if parent is not None and not name.startswith("__") and not parent.name.startswith("__"):
            self.found.add(f"{parent.name}.{name}")
            for argument in node.arguments or ():
                self.found.add(f"{parent.name}.{name}({argument.name.value}:)")
