"""The SQL of a filter: its shape is the text, its values are parameters."""

from __future__ import annotations

from api.planner.filters import Shape
from api.planner.statement import Statement
from api.planner.stored import StoredType


class FilterWriter:
    """Writes a filter's shape as a condition; its values come in the order they were read."""

    def __init__(self, statement: Statement, entry: StoredType, alias: str, site: int) -> None:
        self.statement = statement
        self.entry = entry
        self.alias = alias
        self.site = site
        self.count = 0

    def write(self, shape: Shape) -> str:
        """Return the condition; inside `not`, an unknown comparison counts as not met."""
        operator, *rest = shape
        if operator in {"and", "or"}:
            parts = [self.write(each) for each in rest]
            empty = "true" if operator == "and" else "false"
            return f"({f' {operator} '.join(parts)})" if parts else empty
        if operator == "not":
            return f"({self.write(rest[0])} is not true)"
        value = self.statement.field(self.entry, rest[0], self.alias)
        if operator in {"null", "some"}:
            return f"({value} is {'null' if operator == 'null' else 'not null'})"
        return self._compare(operator, value, rest[1])

    def _compare(self, operator: str, value: str, cast: str) -> str:
        slot = ("page", self.site, "filter", self.count)
        self.count += 1
        if operator == "in":
            return f"({value} = any({self.statement.slot(slot, f'{cast}[]')}))"
        parameter = self.statement.slot(slot, cast)
        if operator == "contains":
            return f"({value} like {parameter})"
        return f"({value} {_SIGNS[operator]} {parameter})"


_SIGNS = {"eq": "=", "gt": ">", "lt": "<"}
