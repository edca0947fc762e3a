"""Page arguments: how many, which way, from where, in which order, under which filter."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from api.planner.arguments import OrderOf, SortDirection
from api.planner.cursors import CursorKey, open_cursor
from api.planner.errors import Refused
from api.planner.filters import FilterReader, Shape, ensure_readable
from api.planner.kinds import Kind
from api.planner.stored import StoredType

DEFAULT_PAGE = 20
LARGEST_PAGE = 100

MOST_ORDERS = 5

_PLANNED = (DEFAULT_PAGE, 50, LARGEST_PAGE)
"""Statements are planned for these sizes: a limit that is a parameter would be planned for a tenth
of the table, anew each time."""

Order = tuple[tuple[str, bool], ...]  # python name of the field, whether descending


@dataclass(frozen=True)
class PageShape:
    """Everything about page arguments that changes the SQL, and nothing that does not."""

    forward: bool
    most: int  # the size of page the statement is planned for
    full: bool  # whether so many are asked for
    order: Order
    filter: Shape | None
    after: tuple[bool, ...] | None  # for each key of the cursor, whether it has a value
    before: tuple[bool, ...] | None


@dataclass(frozen=True)
class PageValues:
    """The values of page arguments."""

    limit: int
    filter: tuple[Any, ...]
    after: tuple[str | None, ...]
    before: tuple[str | None, ...]
    cursor: CursorKey

    def value(self, part: str, number: int = 0) -> Any:
        """Return the value of one parameter of the page's SQL."""
        if part == "limit":
            return self.limit
        if part in {"inner", "outer"}:
            return getattr(self.cursor, part)
        return getattr(self, part)[number]


@dataclass(frozen=True)
class PageContext:
    """What reading page arguments needs to know besides them."""

    entry: StoredType
    order: tuple[str, ...]
    name: str
    path: tuple[str, ...]
    permissions: Collection[Any]
    reader: str
    secret: bytes
    kind_of: Callable[[StoredType, str], Kind]


def read_page(given: dict[str, Any], context: PageContext) -> tuple[PageShape, PageValues]:
    """Read page arguments; Refused with BAD_PAGE, BAD_CURSOR, BAD_INPUT or FORBIDDEN."""
    forward, limit = _window(given, context.path)
    order = _order(given.get("orderBy"), context)
    reader = FilterReader(context.permissions, context.path, context.kind_of)
    filter_shape = reader.read(context.entry, given.get("filter"))
    spelled = ",".join(f"{'-' if down else ''}{name}" for name, down in order)
    key = CursorKey.derive(context.secret, context.reader, context.name, spelled)
    widths = len(order), len(context.entry.unique)
    after = _cursor(given.get("after"), key, widths, context.path)
    before = _cursor(given.get("before"), key, widths, context.path)
    most = next(size for size in _PLANNED if size >= limit)
    bounds = _presence(after), _presence(before)
    shape = PageShape(forward, most, limit == most, order, filter_shape, *bounds)
    return shape, PageValues(limit, tuple(reader.values), after or (), before or (), key)


def _window(given: dict[str, Any], path: tuple[str, ...]) -> tuple[bool, int]:
    first, last = given.get("first"), given.get("last")
    if first is not None and last is not None:
        raise Refused("BAD_PAGE", path)
    limit = first if first is not None else last
    if limit is not None and not 0 <= limit <= LARGEST_PAGE:
        raise Refused("BAD_PAGE", path)
    return last is None, DEFAULT_PAGE if limit is None else limit


def _order(given: list[dict[str, Any]] | None, context: PageContext) -> Order:
    """Return the order by field names; a field named again adds nothing."""
    if not given:
        return tuple((name.removeprefix("-"), name.startswith("-")) for name in context.order)
    if len(given) > MOST_ORDERS:
        raise Refused("BAD_INPUT", context.path)
    of: OrderOf = context.entry.order_class.__order_of__  # type: ignore[union-attr]
    order: dict[str, bool] = {}
    for term in given:
        name = of.fields[term["field"].value]
        ensure_readable(context.entry, name, context.permissions, context.path)
        order.setdefault(name, term["direction"] is SortDirection.DESC)
    return tuple(order.items())


def _cursor(
    text: str | None, key: CursorKey, widths: tuple[int, int], path: tuple[str, ...]
) -> tuple[str | None, ...] | None:
    if text is None:
        return None
    opened = open_cursor(text, key)
    if opened is None or len(opened) != sum(widths) or None in opened[widths[0] :]:
        raise Refused("BAD_CURSOR", path)
    return opened


def _presence(keys: tuple[str | None, ...] | None) -> tuple[bool, ...] | None:
    return None if keys is None else tuple(key is not None for key in keys)
