"""Root and payload fields that need no resolver of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.planner.arguments import connection_class, page_arguments
from api.planner.read import page, payload_object
from api.planner.stored import target_class
from itr.sight.row_filter import RowFilter


class PageField(StrawberryField):
    """A field of a plain type (Query, a payload) that is a page of a stored type."""

    @property
    def is_basic_field(self) -> bool:
        """Say that this field needs its info."""
        return False

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """The page arguments, worked out when the schema is built."""
        if self._arguments is None:
            self._arguments = page_arguments(self.resolve_type())
        return self._arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:  # noqa: ARG002
        """Read the page."""
        target = connection_class(self.resolve_type()).__page_of__.target
        where = self.metadata.get("where")
        order = self.metadata.get("order", ())
        if where is None:
            return page(info, target, order=order)
        return page(info, target, where=where(info.context), order=order)


class PayloadField(StrawberryField):
    """A field of a plain object that shows the stored object whose key the object holds."""

    @property
    def is_basic_field(self) -> bool:
        """Say that this field needs its info."""
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:  # noqa: ARG002
        """Read the object anew."""
        return payload_object(info, target_class(self), getattr(source, self.metadata["key"]))


def page_field(
    *,
    where: Callable[[Any], RowFilter] | None = None,
    order: Sequence[str] = (),
    **options: Any,
) -> Any:
    """Declare a page as a field of Query: `requests: RequestConnection = page_field(…)`.

    `where(context)` narrows the list, `order` names the fields it is sorted by when the client
    gives no order.
    """
    metadata = {"where": where, "order": tuple(order)}
    return PageField(graphql_name=options.pop("name", None), metadata=metadata, **options)


def payload_field(key: str, **options: Any) -> Any:
    """Declare a stored object of a payload: `request: ServiceRequest | None = payload_field("id")`.

    `key` is the attribute of the payload that holds the row's uuid (or its public id), or None.
    """
    name = options.pop("name", None)
    made = PayloadField(graphql_name=name, metadata={"key": key}, **options)
    made.init = False
    return made
