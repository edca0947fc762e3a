"""Giving the domain's enums their place in the schema, with a description for every value."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import strawberry

E = TypeVar("E", bound=type[Enum])

CURSOR = "Give it to `after` to go on from here with nothing missed and nothing twice."
"""How every live feed describes its cursors."""


def described(
    enum: E, description: str, values: Mapping[Any, str], *, name: str | None = None
) -> E:
    """Register a domain enum as a GraphQL enum; every value must be described."""
    missing = [member.name for member in enum if member not in values]
    if missing:
        raise TypeError(f"{enum.__name__} has values without a description: {missing}")
    strawberry.enum(enum, name=name, description=description)
    definition: Any = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[enum[value.name]]
    return enum
