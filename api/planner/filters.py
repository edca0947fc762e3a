"""Filters: from a client's input to a shape, which decides the SQL, and values, which do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.planner.arguments import FilterOf
from api.planner.comparing import TELEPHONE
from api.planner.declare import Many, One, PublicId, declaration_of
from api.planner.errors import Refused
from api.planner.kinds import UUIDS, Kind
from api.planner.stored import StoredType, stored_type, target_class

DEEPEST = 8
MOST_CONDITIONS = 100
MOST_GROUPS = 200
"""Of conditions, an empty one too: each is written into the statement."""
LONGEST_LIST = 200

Shape = tuple[Any, ...]


@dataclass
class FilterReader:
    """Reads one filter input: `shape` holds names and operators, `values` what they compare."""

    permissions: Any
    path: tuple[str, ...]
    kind_of: Callable[[StoredType, str], Kind]
    values: list[Any] = field(default_factory=list)
    conditions: int = 0
    groups: int = 0

    def read(self, entry: StoredType, given: dict[str, Any] | None) -> Shape | None:
        """Return the shape of a filter; None when there is none."""
        if given is None or entry.filter_class is None:
            return None
        of: FilterOf = entry.filter_class.__filter_of__  # type: ignore[attr-defined]
        return self._all(of, given, 1)

    def _all(self, of: FilterOf, given: dict[str, Any], depth: int) -> Shape:
        self.groups += 1
        if depth > DEEPEST or self.groups > MOST_GROUPS:
            raise Refused("BAD_INPUT", self.path)
        parts: list[Shape] = []
        for name, value in given.items():
            if value is None:
                continue
            if name in {"and", "or"}:
                parts.append((name, *(self._all(of, each, depth + 1) for each in value)))
            elif name == "not":
                parts.append(("not", self._all(of, value, depth + 1)))
            else:
                parts.extend(self._comparisons(of.entry, of.fields[name], value, depth))
        return ("and", *parts)

    def _comparisons(
        self, entry: StoredType, name: str, given: dict[str, Any], depth: int
    ) -> list[Shape]:
        ensure_readable(entry, name, self.permissions, self.path)
        each = entry.fields[name]
        among = isinstance(declaration_of(each).source, Many)
        found = []
        for operator, value in given.items():
            self.conditions += 1
            if self.conditions > MOST_CONDITIONS:
                raise Refused("BAD_INPUT", self.path)
            if not among:
                found.append(self._comparison(entry, name, operator, value))
            elif value is not None:
                found.append(("among", name, self._all(_filter_of(each), value, depth + 1)))
        return found

    def _comparison(self, entry: StoredType, name: str, operator: str, value: Any) -> Shape:
        if operator == "isNull":
            return ("and",) if value is None else ("null" if value else "some", name)
        if value is None:
            return ("null", name) if operator == "eq" else ("or",)
        kind, hand_over = self._handling(entry, name)
        if operator == "in":
            if len(value) > LONGEST_LIST:
                raise Refused("BAD_INPUT", self.path)
            handed = [hand_over(each) for each in value]
            self.values.append([each for each in handed if each is not None])
        else:
            self.values.append(hand_over(value))
        phone = declaration_of(entry.fields[name]).telephone
        return (operator, name, kind.cast, TELEPHONE if phone else kind.comparing)

    def _handling(self, entry: StoredType, name: str) -> tuple[Kind, Callable[[Any], Any]]:
        """Return the kind of a field and how its values are handed over; ids become uuids."""
        of = id_target(entry, name)
        if of is not None:
            return UUIDS, lambda text: uuid_of(of, text)
        kind = self.kind_of(entry, name)
        return kind, kind.hand_over


def _filter_of(each: Any) -> FilterOf:
    """Return what filters the rows of a list."""
    filter_class: Any = stored_type(target_class(each)).filter_class
    of: FilterOf = filter_class.__filter_of__
    return of


def id_target(entry: StoredType, name: str) -> StoredType | None:
    """Return the type whose ids a field compares; None for other values."""
    each = entry.fields[name]
    source = declaration_of(each).source
    if isinstance(source, PublicId):
        return entry
    if isinstance(source, One):
        return stored_type(target_class(each))
    return None


def uuid_of(entry: StoredType, text: str) -> UUID | None:
    """Return the row id in a public id; None, which equals nothing, for any other text."""
    parts = entry.read_id(text)
    return UUID(parts[0]) if parts and len(parts) == 1 and len(parts[0]) == 32 else None


def ensure_readable(entry: StoredType, name: str, permissions: Any, path: tuple[str, ...]) -> None:
    """Refuse to filter or sort by what the actor may not read (S4)."""
    each = entry.fields[name]
    declaration = declaration_of(each)
    needed = [declaration.permission]
    if isinstance(declaration.source, One | Many):
        needed.append(stored_type(target_class(each)).permission)
    if any(one is not None and one not in permissions for one in needed):
        raise Refused("FORBIDDEN", path)
