"""How the oracle compares, sorts and shows single values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from graphql import GraphQLEnumType, get_named_type

from api.planner.arguments import SortDirection
from api.planner.comparing import FOLDED, Comparing
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


def folded(text: str) -> str:
    """Return a text without its case and width."""
    return unicodedata.normalize("NFKC", text).lower()


def e164(text: str) -> str | None:
    """Return the digits of a telephone number with its country's code, of China without one."""
    said = re.sub(r"[^0-9+]", "", unicodedata.normalize("NFKC", text))
    if said.startswith("00"):
        said = "+" + said[2:]
    if said.startswith("+860"):
        said = "+86" + said[4:]
    if said.startswith("0"):
        said = "86" + said[1:]
    if re.fullmatch(r"1[3-9][0-9]{9}", said):
        said = "86" + said
    if re.fullmatch(r"860[0-9]{9,}", said):
        said = "86" + said[3:]
    return re.sub(r"[^0-9]", "", said) or None


def _telephone_meets(mine: str, how: str, its: Any) -> bool:
    own = e164(mine)
    if own is None:
        return False
    if how == "in":
        return own in [e164(each) for each in its]
    asked, digits = e164(its), re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", its))
    if asked is None:
        return False
    begins = own.startswith(asked) or own.removeprefix("86").startswith(asked)
    if how == "contains":
        return digits in own or begins
    return begins if how == "startsWith" else own == asked


def meets(mine: Any, how: str, its: Any, target: StoredType | None, comparing: Comparing) -> bool:
    """Tell whether a value meets one comparison; no value meets nothing but being none."""
    if how == "isNull":
        return its is None or (mine is None) == its
    if its is None:
        return how == "eq" and mine is None
    if mine is None:
        return False
    if target is not None:
        return _as_id(mine, target) in (its if how == "in" else [its])
    if comparing.telephone:
        return _telephone_meets(mine, how, its)
    its = [_plain(each) for each in its] if how == "in" else _plain(its)
    if comparing is FOLDED:
        mine, its = folded(mine), [folded(each) for each in its] if how == "in" else folded(its)
    match how:
        case "eq":
            return bool(mine == its)
        case "in":
            return mine in its
        case "gt":
            return bool(mine > its)
        case "gte":
            return bool(mine >= its)
        case "lt":
            return bool(mine < its)
        case "lte":
            return bool(mine <= its)
        case "startsWith":
            return bool(mine.startswith(its))
    return its in mine


def _as_id(mine: Any, target: StoredType) -> str:
    return f"{target.key}_{mine.hex}"


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def ascending(value: Any) -> tuple[bool, Any]:
    """Return a sorting key in which no value is the greatest."""
    return (value is None, value if value is not None else 0)


def in_order(value: Any, kind: Any) -> Any:
    """Return what a value is sorted by: an enum's by its place among the values."""
    named = get_named_type(kind)
    if value is None or not isinstance(named, GraphQLEnumType):
        return value
    names = list(named.values)
    text = str(_plain(value))
    return text if names == sorted(names) else names.index(text) + 1


def sort_by(rows: list[Any], value: Callable[[Any], Any], *, down: bool) -> None:
    """Sort by a value, those without one last either way; equals keep their order."""
    rows.sort(key=lambda row: ascending(value(row)), reverse=down)
    rows.sort(key=lambda row: value(row) is None)


def typed(value: Any, kind: Any) -> Any:
    """Return a column's value as the scalar wants it: microseconds become durations."""
    if isinstance(value, int) and get_named_type(kind).name == "Duration":
        return timedelta(microseconds=1) * value
    return value
