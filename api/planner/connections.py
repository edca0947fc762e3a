"""The shapes of pages: connection, edge, page info."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry

from api.planner.stored import stored_type

T = TypeVar("T", bound=type)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item.")


@dataclass(frozen=True)
class PageOf:
    """Says that a class is the connection of a stored type."""

    target: type
    edge: type


def connection_of(target: type) -> Callable[[T], T]:
    """Make a class the connection of a stored type.

    `class RequestConnection` becomes a page with `edges nodes pageInfo totalCount` and brings
    the type `RequestEdge`; its docstring is the description.
    """

    def make(cls: T) -> T:
        stored_type(target)
        stem = cls.__name__.removesuffix("Connection")
        edge = _fields(
            type(f"{stem}Edge", (), {"__module__": cls.__module__}),
            {
                "cursor": (str, "Where this item stands; give it to `after` or `before`."),
                "node": (target, "The item."),
            },
        )
        edge = strawberry.type(edge, description="An item of a page and its cursor.")
        page = _fields(
            cls,
            {
                "nodes": (list[target], "The items of this page."),  # type: ignore[valid-type]
                "edges": (list[edge], "The items of this page with their cursors."),  # type: ignore[valid-type]
                "page_info": (PageInfo, "Where this page stands in the list."),
                "total_count": (int, "How many items the whole list has; counted when asked for."),
            },
        )
        made: Any = strawberry.type(page, description=cls.__doc__)
        made.__page_of__ = PageOf(target, edge)
        return made  # type: ignore[no-any-return]

    return make


def _fields(cls: type, fields: dict[str, tuple[Any, str]]) -> type:
    cls.__annotations__ = {name: kind for name, (kind, _) in fields.items()}
    for name, (_, description) in fields.items():
        setattr(cls, name, strawberry.field(description=description))
    return cls
