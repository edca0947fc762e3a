"""The SQL of a filter: its shape is the text, its values are parameters."""

from __future__ import annotations

from api.planner.comparing import Comparing
from api.planner.declare import Many, One, declaration_of
from api.planner.filters import Shape
from api.planner.statement import Statement, quoted
from api.planner.stored import StoredType, stored_type, target_class


class FilterWriter:
    """Writes a filter's shape as a condition; its values come in the order they were read."""

    def __init__(
        self, statement: Statement, entry: StoredType, alias: str, site: int, count: int = 0
    ) -> None:
        self.statement = statement
        self.entry = entry
        self.alias = alias
        self.site = site
        self.count = count

    def write(self, shape: Shape) -> str:
        """Return the condition; inside `not`, an unknown comparison counts as not met."""
        operator, *rest = shape
        if operator in {"and", "or"}:
            parts = [self.write(each) for each in rest]
            empty = "true" if operator == "and" else "false"
            return f"({f' {operator} '.join(parts)})" if parts else empty
        if operator == "not":
            return f"({self.write(rest[0])} is not true)"
        if operator == "among":
            return self._among(*rest)
        if operator in {"null", "some"}:
            value = self.statement.field(self.entry, rest[0], self.alias)
            return f"({value} is {'null' if operator == 'null' else 'not null'})"
        return self._compare(operator, *rest)

    def _among(self, name: str, shape: Shape) -> str:
        """Return whether a row of a list that may be seen is like this."""
        each = self.entry.fields[name]
        target, inner = stored_type(target_class(each)), self.statement.alias()
        source = declaration_of(each).source
        assert isinstance(source, Many)
        on = self.statement.text(source.on, inner, self.alias)
        seen = self.statement.visible(target, inner)
        within = FilterWriter(self.statement, target, inner, self.site, self.count)
        wanted = within.write(shape)
        self.count = within.count
        return (
            f"(exists (select 1 from {target.table} {inner} where ({on}) and {seen} and {wanted}))"
        )

    def _compare(self, operator: str, name: str, cast: str, comparing: Comparing) -> str:
        parameter = self.statement.slot(("page", self.site, "filter", self.count))
        self.count += 1
        declaration = declaration_of(self.entry.fields[name])
        folded, source = declaration.folded, declaration.source
        if isinstance(source, One) and source.key is not None:
            return self._compare_relation(operator, name, source.key, parameter, cast, comparing)
        if folded is not None:
            value = f"{self.alias}.{quoted(folded)}"
        else:
            value = comparing.make(self.statement.field(self.entry, name, self.alias))
        return comparing.compare(operator, value, parameter, cast)

    def _compare_relation(
        self, operator: str, name: str, key: str, parameter: str, cast: str, comparing: Comparing
    ) -> str:
        """Return the comparison of whom a row names, if that may be seen.

        Whether it may is asked only where it is the one that is looked for: it is not asked of
        every row, which takes seconds where sight hangs on other rows (S8).
        """
        named = f"{self.alias}.{quoted(key)}"
        seen = self.statement.field(self.entry, name, self.alias)
        found = comparing.compare(operator, named, parameter, cast)
        if seen == named:
            return found
        wanted = comparing.compare(operator, seen, parameter, cast)
        return f"({found} and {wanted})"
