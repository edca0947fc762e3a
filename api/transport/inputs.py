"""What a client's values may hold, counted before anybody takes them for anything (S5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    FloatValueNode,
    GraphQLSchema,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeNode,
    ValueNode,
    VariableNode,
)

from api.prices import held_by
from api.transport.limits import Limits
from itr.errors import DomainError, PathItem

OBJECT = 10
"""What an object of an input costs: reading one tries every field its type has."""
_SHORT = 1_000
"""Texts up to this length are alike to whoever measures."""
Path = tuple[PathItem, ...]


class TooMuchInput(DomainError):
    """More values than anybody takes at once."""

    code = "BAD_INPUT"
    zh = "输入过大：最多 {most} 个值。"
    en = "The input is too large: it may hold {most} values."


class TooLongAList(DomainError):
    """A list nobody takes."""

    code = "BAD_INPUT"
    zh = "列表过长：最多 {most} 项。"
    en = "The list is too long: it may have {most} items."


class TooDeepAnInput(DomainError):
    """Values nested deeper than any input is."""

    code = "BAD_INPUT"
    zh = "输入嵌套过深：最多 {most} 层。"
    en = "The input is nested too deeply: {most} levels are read."


class TooManyDigits(DomainError):
    """A number no field holds."""

    code = "BAD_INPUT"
    zh = "数字过长：最多 {most} 位。"
    en = "The number is too long: it may have {most} digits."


class Size(NamedTuple):
    """How large a value is: what it costs, its items if it is a list, its number if it is one.

    Texts up to a length that nobody pays for have no characters.
    """

    weight: int = 0
    nodes: int = 1
    length: int = 0
    characters: int = 0
    number: int | None = None


NULL = Size()


class Counting:
    """Counts values given as JSON or written in a document; refuses what nobody takes."""

    def __init__(self, limits: Limits, *, nodes: int, items: int | None = None) -> None:
        self._limits = limits
        self._most = nodes
        self._items = items or limits.list_items
        self._nodes = 0

    def given(self, value: object, path: Path) -> Size:
        """Count a JSON value; raises a DomainError with the path of what is too large."""
        self._count(path)
        if isinstance(value, dict):
            parts = (self.given(each, (*path, str(name))) for name, each in value.items())
            return self._sum(OBJECT, parts)
        if isinstance(value, list):
            self._ensure_items(len(value), path)
            parts = (self.given(each, (*path, at)) for at, each in enumerate(value))
            return self._sum(1, parts)._replace(length=len(value))
        return self._leaf(value, path)

    def written(self, node: ValueNode, path: Path, sized: Callable[[str], Size]) -> Size:
        """Count a value of a document, with what its variables stand for."""
        self._count(path)
        if isinstance(node, VariableNode):
            return sized(node.name.value)
        if isinstance(node, ObjectValueNode):
            named = ((field.name.value, field.value) for field in node.fields)
            parts = (self.written(each, (*path, name), sized) for name, each in named)
            return self._sum(OBJECT, parts)
        if isinstance(node, ListValueNode):
            self._ensure_items(len(node.values), path)
            parts = (self.written(each, (*path, at), sized) for at, each in enumerate(node.values))
            return self._sum(1, parts)._replace(length=len(node.values))
        if isinstance(node, StringValueNode):
            return self._leaf(node.value, path)
        if isinstance(node, IntValueNode | FloatValueNode):
            self._ensure_digits(len(node.value), path)
            whole = isinstance(node, IntValueNode)
            return Size(1, number=int(node.value) if whole else None)
        return Size(1)

    def _sum(self, own: int, parts: Iterable[Size]) -> Size:
        weight, nodes, characters = own, 1, 0
        for part in parts:
            weight += part.weight
            nodes += part.nodes
            characters += part.characters
        return Size(weight, nodes, characters=characters)

    def _leaf(self, value: object, path: Path) -> Size:
        if isinstance(value, str):
            return Size(1, characters=len(value) if len(value) > _SHORT else 0)
        if isinstance(value, float) and not math.isfinite(value):
            self._ensure_digits(self._limits.digits + 1, path)
        if isinstance(value, int | float):
            return Size(1, number=int(value))
        return Size(1)

    def _count(self, path: Path) -> None:
        self._nodes += 1
        if self._nodes > self._most:
            raise TooMuchInput(path=path[:1], most=self._most)
        if len(path) > self._limits.input_depth:
            raise TooDeepAnInput(path=path, most=self._limits.input_depth)

    def _ensure_items(self, length: int, path: Path) -> None:
        if length > self._items:
            raise TooLongAList(path=path, most=self._items)

    def _ensure_digits(self, digits: int, path: Path) -> None:
        if digits > self._limits.digits:
            raise TooManyDigits(path=path, most=self._limits.digits)


class Given:
    """The sizes of the variables an operation came with."""

    def __init__(self, sizes: Mapping[str, Size], nodes: int) -> None:
        self.sizes = sizes
        self.nodes = nodes

    @classmethod
    def of(cls, values: Mapping[str, Any], limits: Limits, *, most: int | None = None) -> Given:
        """Count the variables, `most` values in all; raises a DomainError over a limit."""
        counting = Counting(limits, nodes=most or limits.input_nodes, items=most)
        sizes = {
            name: NULL if value is None else counting.given(value, (name,))
            for name, value in values.items()
        }
        return cls(sizes, sum(size.nodes for size in sizes.values()))


def most_held(schema: GraphQLSchema, operation: OperationDefinitionNode, limits: Limits) -> int:
    """How many values the variables of an operation may hold: what their types state, if more."""
    stated = [limits.input_nodes]
    for definition in operation.variable_definitions or ():
        kind: Any = schema.get_type(_named(definition.type))
        stated.append(held_by(kind) or 0)
    return max(stated)


def _named(node: TypeNode) -> str:
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    name: str = node.name.value  # type: ignore[attr-defined]
    return name
