"""What may be withheld: the schema lets it be null, and says for lack of which permission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_non_null_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.planner.declare import STORED, Computed, OneOf, declaration_of
from api.planner.stored import StoredType, target_class


def tell_permissions(schema: GraphQLSchema) -> None:
    """Name in every description the permissions a field needs beside those of its own type.

    Raises TypeError for a field that may be withheld and is promised not to be null.
    """
    for kind in schema.type_map.values():
        origin = getattr(_definition(kind), "origin", None)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            _tell_fields(kind, getattr(origin, "__stored__", None))
        elif isinstance(kind, GraphQLInputObjectType) and hasattr(origin, "__filter_of__"):
            of = origin.__filter_of__  # type: ignore[union-attr]
            _tell_choices(kind.fields, of.entry, of.fields)
        elif isinstance(kind, GraphQLInputObjectType) and hasattr(origin, "__order_of__"):
            of = origin.__order_of__  # type: ignore[union-attr]
            enum = get_named_type(kind.fields["field"].type)
            assert isinstance(enum, GraphQLEnumType)
            _tell_choices(enum.values, of.entry, of.fields)


def permissions_needed(each: Any, entry: StoredType | None) -> Iterator[Any]:
    """The permissions a stored field needs, without the one its own type needs anyway."""
    declaration = declaration_of(each)
    own = entry.permission if entry is not None else None
    needed = dict.fromkeys([declaration.permission, _permission_of_target(each, declaration)])
    return (one for one in needed if one is not None and one != own)


def _tell_fields(kind: GraphQLObjectType | GraphQLInterfaceType, entry: StoredType | None) -> None:
    for name, field in kind.fields.items():
        each = _definition(field)
        if STORED not in getattr(each, "metadata", {}):
            continue
        needed = [str(one) for one in permissions_needed(each, entry)]
        if not needed:
            continue
        if is_non_null_type(field.type):
            raise TypeError(f"{kind.name}.{name} may be withheld and must be nullable")
        listed = " + ".join(needed)
        own = declaration_of(each).own is not None
        besides, beside = (", except one's own", "，本人的除外") if own else ("", "")
        field.description = (
            f"{field.description or ''} Null without {listed}{besides}."
            f" 无 {listed} 权限时为空{beside}。"
        ).lstrip()


def _tell_choices(choices: Any, entry: StoredType, meaning: dict[str, str]) -> None:
    """Say of each way to filter or sort which permission it takes."""
    for name, choice in choices.items():
        if name in meaning:
            needed = permissions_needed(entry.fields[meaning[name]], entry)
            listed = " + ".join(str(one) for one in needed)
            if listed:
                choice.description = (
                    f"{choice.description or ''} Takes {listed}. 须有 {listed} 权限。".lstrip()
                )


def _permission_of_target(each: Any, declaration: Any) -> Any:
    """What the rows a relation leads to need; a union shows those that may be read."""
    if isinstance(declaration.source, OneOf | Computed):
        return None
    target = target_class(each)
    page = getattr(target, "__page_of__", None)
    return getattr(getattr(page.target if page else target, "__stored__", None), "permission", None)


def _definition(element: GraphQLNamedType | Any) -> Any:
    return element.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
