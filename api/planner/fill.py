"""Putting computed values in their places in the JSON the statement returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from api.planner.compiler import MARK
from api.planner.plain import print_plain
from api.planner.selection import Fill


class FillTree:
    """The response keys that lead to computed values; lists are passed through."""

    def __init__(self, fills: Sequence[Fill]) -> None:
        self.fills = fills
        self.root: dict[str, Any] = {}
        for fill in fills:
            place = self.root
            for key in fill.path:
                place = place.setdefault(key, {})

    def filled(self, json: bytes, context: Any) -> bytes:
        """Return the JSON with every computed value worked out."""
        data = orjson.loads(json)
        return orjson.dumps(self._walk(data, self.root, context))

    def _walk(self, value: Any, place: dict[str, Any], context: Any) -> Any:
        if isinstance(value, list):
            return [self._walk(each, place, context) for each in value]
        if not isinstance(value, dict):
            return value
        if MARK in value:
            return self._fill(value, context)
        for key, below in place.items():
            if key in value:
                value[key] = self._walk(value[key], below, context)
        return value

    def _fill(self, values: dict[str, Any], context: Any) -> Any:
        fill = self.fills[values.pop(MARK)]
        return print_plain(fill.declaration.fill(values, context), fill.kind, fill.wanted)
