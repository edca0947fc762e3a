"""How the oracle compares, sorts and shows single values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from graphql import get_named_type

from api.planner.arguments import SortDirection
from api.planner.stored import StoredType


def order_terms(
    entry: StoredType, order: Sequence[str], given: Sequence[Mapping[str, Any]] | None
) -> list[tuple[str, bool]]:
    """Return the fields a list is sorted by, each with whether it descends."""
    if not given:
        names = tuple(order) or entry.order
        return [(name.removeprefix("-"), name.startswith("-")) for name in names]
    of = entry.order_class.__order_of__
    terms: dict[str, bool] = {}
    for term in given:
        terms.setdefault(of.fields[term["field"].value], term["direction"] is SortDirection.DESC)
    return list(terms.items())


def meets(mine: Any, how: str, its: Any, target: StoredType | None) -> bool:
    """Tell whether a value meets one comparison; no value meets nothing but being none."""
    if how == "isNull":
        return its is None or (mine is None) == its
    if its is None:
        return how == "eq" and mine is None
    if mine is None:
        return False
    if target is not None:
        return _as_id(mine, target) in (its if how == "in" else [its])
    its = [_plain(each) for each in its] if how == "in" else _plain(its)
    match how:
        case "eq":
            return bool(mine == its)
        case "in":
            return mine in its
        case "gt":
            return bool(mine > its)
        case "lt":
            return bool(mine < its)
    return its in mine


def _as_id(mine: Any, target: StoredType) -> str:
    return f"{target.key}_{mine.hex}"


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def ascending(value: Any) -> tuple[bool, Any]:
    """Return a sorting key in which no value is the greatest."""
    return (value is None, value if value is not None else 0)


def typed(value: Any, kind: Any) -> Any:
    """Return a column's value as the scalar wants it: microseconds become durations."""
    if isinstance(value, int) and get_named_type(kind).name == "Duration":
        return timedelta(microseconds=1) * value
    return value
