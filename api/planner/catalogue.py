"""Which columns the stored types of a schema rely on, for a test against the database.

A non-null leaf over a nullable column, or over one of another type, would answer what the schema
does not promise; nothing checks values while they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema, get_named_type, get_nullable_type, is_list_type, is_non_null_type

from api.planner.declare import STORED, Column, Expression, One, OneOf, PublicId, SameRow
from api.planner.kinds import kind_of
from api.planner.schema import types_of
from api.planner.selection import definition_of


@dataclass(frozen=True)
class ReliedOn:
    """A column a field reads: it must exist, be of a type like this, and never be null if said."""

    field: str
    table: str
    column: str
    kind: str
    required: bool


def relied_on(schema: GraphQLSchema) -> list[ReliedOn]:
    """Return every column the stored types of a schema read by name."""
    found: list[ReliedOn] = []
    for entry in types_of(schema).stored.values():
        found += (
            ReliedOn(entry.name, entry.table, column, cast, True)
            for column, cast in entry.unique.items()
        )
        found += _columns(schema.get_type(entry.name), entry.table, {}, required=True)
    return found


def _columns(
    kind: Any, table: str, renamed: Mapping[str, str], *, required: bool
) -> Iterator[ReliedOn]:
    for name, each in kind.fields.items():
        definition = definition_of(each)
        source = definition.metadata[STORED].source
        field = f"{kind.name}.{name}"
        python = definition.python_name
        if isinstance(source, SameRow):
            inner = get_named_type(each.type)
            always = required and source.present is None
            yield from _columns(inner, table, {**renamed, **source.columns}, required=always)
        elif isinstance(source, Column) or (python in renamed and isinstance(source, Expression)):
            column = renamed.get(python) or getattr(source, "name", None) or python
            listed = is_list_type(get_nullable_type(each.type))
            sql = kind_of(each.type).cast + ("[]" if listed else "")
            must = required and is_non_null_type(each.type)
            yield ReliedOn(field, table, column, sql, must)
        elif isinstance(source, One) and source.key is not None:
            yield ReliedOn(field, table, source.key, "uuid", False)
        elif isinstance(source, OneOf):
            yield ReliedOn(field, table, source.kind, "text", False)
            yield ReliedOn(field, table, source.key, "uuid", False)
        elif isinstance(source, PublicId):
            continue
