"""What a field costs beside what it answers, declared where the field is (S5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import GraphQLField, GraphQLNamedInputType
from strawberry.schema.schema_converter import GraphQLCoreConverter

T = TypeVar("T", bound=type)
_PRICE = "price"


@dataclass(frozen=True, slots=True)
class Price:
    """The cost of working a field out, in the unit of a field that is read: about a microsecond."""

    once: int = 0
    """Whatever is asked."""
    of_input: int = 0
    """For each value of its input, beside the one that every value costs."""
    characters: int = 0
    """One for so many characters of its texts; 0: texts cost nothing."""
    page: int | None = None
    """How many items its list counts as when `first` is left out."""
    alone: bool = False
    """Whether an operation may ask for it once only."""


FREE = Price()
OF_THE_SCHEMA = {"__schema": Price(once=5_000), "__type": Price(once=200)}
"""What reading the schema costs: its lists are longer than they are counted."""


def priced(price: Price) -> Mapping[str, Any]:
    """The metadata of a field with a price."""
    return {_PRICE: price}


def price_of(field: GraphQLField | None) -> Price:
    """What is declared of a field; nothing for most."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    found: Price = getattr(definition, "metadata", {}).get(_PRICE, FREE)
    return found


def holding(nodes: int) -> Callable[[T], T]:
    """State how many values an input type may hold, where that is more than others may."""

    def state(cls: T) -> T:
        cls.__holds__ = nodes  # type: ignore[attr-defined]
        return cls

    return state


def held_by(kind: GraphQLNamedInputType | None) -> int | None:
    """How many values an input type states that it may hold."""
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if kind else None
    found: int | None = getattr(getattr(definition, "origin", None), "__holds__", None)
    return found
