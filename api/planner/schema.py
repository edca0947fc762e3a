"""What one schema says of the fields of stored types."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphql import GraphQLField, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.planner.kinds import Kind, kind_of
from api.planner.stored import StoredType


class SchemaTypes:
    """Finds the schema's type of a stored field by its Python name."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._fields: dict[str, dict[str, GraphQLField]] = {}

    def field_type(self, entry: StoredType, name: str) -> Any:
        """Return the GraphQL type of a stored type's field."""
        if entry.name not in self._fields:
            kind: Any = self.schema.get_type(entry.name)
            self._fields[entry.name] = {
                each.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name: each
                for each in kind.fields.values()
            }
        return self._fields[entry.name][name].type

    def kind_of(self, entry: StoredType, name: str) -> Kind:
        """Return how the values of a leaf field are compared and handed over."""
        return kind_of(self.field_type(entry, name))


@lru_cache(16)
def types_of(schema: GraphQLSchema) -> SchemaTypes:
    """Return what is known of a schema."""
    return SchemaTypes(schema)
