"""What one schema says of the fields of stored types."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphql import GraphQLField, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.planner.kinds import Kind, kind_of
from api.planner.stored import StoredType


class SchemaTypes:
    """Finds a schema's stored types, and the schema's type of a stored field by its Python name."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.stored: dict[str, StoredType] = {}
        self._fields: dict[str, dict[str, GraphQLField]] = {}
        for kind in schema.type_map.values():
            definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            origin = getattr(definition, "origin", None)
            if isinstance(origin, type) and "__stored__" in origin.__dict__:
                self._add(origin.__dict__["__stored__"], kind)

    def _add(self, entry: StoredType, kind: Any) -> None:
        if entry.key in self.stored:
            other = self.stored[entry.key].name
            raise TypeError(f"{entry.name} and {other} share the id prefix {entry.key}")
        self.stored[entry.key] = entry
        self._fields[entry.name] = {
            each.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name: each
            for each in kind.fields.values()
        }

    def field_type(self, entry: StoredType, name: str) -> Any:
        """Return the GraphQL type of a stored type's field."""
        return self._fields[entry.name][name].type

    def kind_of(self, entry: StoredType, name: str) -> Kind:
        """Return how the values of a leaf field are compared and handed over."""
        return kind_of(self.field_type(entry, name))

    def by_prefix(self, public: str) -> StoredType | None:
        """Return the type a public id claims to be of, well-formed or not."""
        return self.stored.get(public.partition("_")[0])


@lru_cache(16)
def types_of(schema: GraphQLSchema) -> SchemaTypes:
    """Return what is known of a schema."""
    return SchemaTypes(schema)
