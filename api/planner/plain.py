"""Plain objects under a computed field: what is wanted of them, and their JSON.

Only plain attributes: a computed value's object has no resolvers and no arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLOutputType,
    GraphQLResolveInfo,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.schema.schema_converter import GraphQLCoreConverter


def variables_of(info: GraphQLResolveInfo[Any]) -> VariableValues:
    """Return the operation's variables; Strawberry hands resolvers only the plain values."""
    values: Any = info.variable_values
    return values if isinstance(values, VariableValues) else VariableValues({}, values)


@dataclass(eq=False)
class PlainSelection:
    """What is wanted of a plain object: response key, attribute, type, and what of that."""

    type_name: str
    items: list[tuple[str, str, GraphQLOutputType | None, PlainSelection | None]] = field(
        default_factory=list
    )


def read_plain(
    info: GraphQLResolveInfo[Any],
    fragments: dict[str, FragmentDetails],
    kind: Any,
    details: list[FieldDetails],
) -> PlainSelection | None:
    """Read the selection on a plain object type; None for a leaf."""
    if is_leaf_type(kind):
        return None
    if not is_object_type(kind):
        raise TypeError(f"a computed field answers leaves and plain objects, not {kind}")
    wanted = PlainSelection(kind.name)
    grouped = collect_subfields(
        info.schema, fragments, variables_of(info), info.operation, kind, details
    ).grouped_field_set
    for key, fields in grouped.items():
        name = fields[0].node.name.value
        if name == "__typename":
            wanted.items.append((key, "", None, None))
            continue
        definition = kind.fields[name]
        python = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name
        inner: Any = definition.type
        while hasattr(inner, "of_type"):
            inner = inner.of_type
        below = read_plain(info, fragments, inner, fields)
        wanted.items.append((key, python, definition.type, below))
    return wanted


def print_plain(value: Any, kind: GraphQLOutputType, wanted: PlainSelection | None) -> Any:
    """Return the JSON of a value of this type; TypeError where null breaks a promise."""
    if is_non_null_type(kind):
        if value is None:
            raise TypeError(f"a computed value of type {kind} is null")
        return print_plain(value, kind.of_type, wanted)
    if value is None:
        return None
    if is_list_type(kind):
        return [print_plain(each, kind.of_type, wanted) for each in value]
    if wanted is None:
        return kind.coerce_output_value(value)  # type: ignore[union-attr]
    return _print_object(value, wanted)


def _print_object(value: Any, wanted: PlainSelection) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, attribute, kind, below in wanted.items:
        if kind is None:
            shown[key] = wanted.type_name
        else:
            shown[key] = print_plain(getattr(value, attribute), kind, below)
    return shown
