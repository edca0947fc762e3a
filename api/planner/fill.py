"""Putting computed values in their places in the JSON the statement returned.

On the way it is seen which fields were withheld: those of rows that are not the asker's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql.execution.values import VariableValues, get_argument_values

from api.planner.compiled import Withheld
from api.planner.compiler import MARK
from api.planner.plain import print_plain
from api.planner.selection import Fill, OwnOnly


class FillTree:
    """The response keys that lead to computed values; lists are passed through."""

    def __init__(self, fills: Sequence[Fill | OwnOnly]) -> None:
        self.fills = fills
        self.slow = any(isinstance(fill, Fill) and fill.declaration.slow for fill in fills)
        self.root: dict[str, Any] = {}
        for fill in fills:
            place = self.root
            for key in fill.path:
                place = place.setdefault(key, {})

    def given(self, variables: VariableValues) -> list[dict[str, Any]]:
        """Return the arguments of each computed value, None where they are left out."""
        return [_arguments(fill, variables) for fill in self.fills]

    def filled(
        self, json: bytes, context: Any, given: Sequence[Mapping[str, Any]]
    ) -> tuple[bytes, list[Withheld]]:
        """Return the JSON with every computed value worked out, and what was withheld."""
        filling = _Filling(self.fills, given, context)
        data = filling.walk(orjson.loads(json), self.root)
        return orjson.dumps(data), list(filling.withheld)


class _Filling:
    """One answer being filled."""

    def __init__(
        self,
        fills: Sequence[Fill | OwnOnly],
        given: Sequence[Mapping[str, Any]],
        context: Any,
    ) -> None:
        self.fills = fills
        self.given = given
        self.context = context
        self.withheld: dict[Withheld, None] = {}

    def walk(self, value: Any, place: dict[str, Any]) -> Any:
        """Return a value with all that is computed below it."""
        if isinstance(value, list):
            return [self.walk(each, place) for each in value]
        if not isinstance(value, dict):
            return value
        if MARK in value:
            return self._fill(value)
        for key, below in place.items():
            if key in value:
                value[key] = self.walk(value[key], below)
        return value

    def _fill(self, values: dict[str, Any]) -> Any:
        number = values.pop(MARK)
        fill = self.fills[number]
        if isinstance(fill, Fill):
            found = fill.declaration.fill(values | self.given[number], self.context)
            return print_plain(found, fill.definition.type, fill.wanted)
        if not values["own"]:
            self.withheld[fill.withheld] = None
        return self.walk(values["value"], {})


def _arguments(fill: Fill | OwnOnly, variables: VariableValues) -> dict[str, Any]:
    if not isinstance(fill, Fill) or not fill.declaration.arguments:
        return {}
    given = get_argument_values(fill.definition, fill.node, variables)
    return {name: given.get(name) for name in fill.declaration.arguments}
