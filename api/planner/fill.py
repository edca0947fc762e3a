"""Putting computed values in their places in the JSON the statement returned.

On the way it is seen which fields were withheld: those of rows that are not the asker's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from api.planner.compiled import Withheld
from api.planner.compiler import MARK
from api.planner.plain import print_plain
from api.planner.selection import Fill, OwnOnly


class FillTree:
    """The response keys that lead to computed values; lists are passed through."""

    def __init__(self, fills: Sequence[Fill | OwnOnly]) -> None:
        self.fills = fills
        self.root: dict[str, Any] = {}
        for fill in fills:
            place = self.root
            for key in fill.path:
                place = place.setdefault(key, {})

    def filled(self, json: bytes, context: Any) -> tuple[bytes, list[Withheld]]:
        """Return the JSON with every computed value worked out, and what was withheld."""
        filling = _Filling(self.fills, context)
        data = filling.walk(orjson.loads(json), self.root)
        return orjson.dumps(data), list(filling.withheld)


class _Filling:
    """One answer being filled."""

    def __init__(self, fills: Sequence[Fill | OwnOnly], context: Any) -> None:
        self.fills = fills
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
        fill = self.fills[values.pop(MARK)]
        if isinstance(fill, Fill):
            found = fill.declaration.fill(values, self.context)
            return print_plain(found, fill.kind, fill.wanted)
        if not values["own"]:
            self.withheld[fill.withheld] = None
        return self.walk(values["value"], {})
