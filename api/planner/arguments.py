"""The inputs of pages: comparators, and filter and order inputs made from stored types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType
from strawberry.utils.str_converters import to_camel_case

from api.planner.connections import PageOf
from api.planner.declare import Declaration, Many, One, PublicId, declaration_of
from api.planner.scalars import Long
from api.planner.stored import StoredType, plain_annotation, stored_type, target_class

T = TypeVar("T", bound=type)

_EQ = "Equal to this; null asks for no value."
_IN = "One of these."
_GT = "Greater (later) than this."
_GTE = "This, or greater (later)."
_LT = "Less (earlier) than this."
_LTE = "This, or less (earlier)."
_HAS = "Contains this text."
_BEGINS = "Starts with this text."
_NULL = "Whether there is no value."


def _comparator(name: str, of: Any, description: str, *, ordered: bool, text: bool = False) -> type:
    """Make a comparator input over one kind of value."""
    fields: dict[str, tuple[Any, str]] = {"eq": (of, _EQ), "in": (list[of], _IN)}
    if ordered:
        fields |= {"gt": (of, _GT), "gte": (of, _GTE), "lt": (of, _LT), "lte": (of, _LTE)}
    if text:
        fields |= {"contains": (of, _HAS), "starts_with": (of, _BEGINS)}
    fields["is_null"] = (bool, _NULL)
    return input_class(name, __name__, fields, description)


def input_class(
    name: str, module: str, fields: dict[str, tuple[Any, str]], description: str, cls: Any = None
) -> type:
    """Make an input type whose fields may all be left out."""
    made = cls or type(name, (), {"__module__": module})
    made.__annotations__ = {_python(field): kind | None for field, (kind, _) in fields.items()}
    for field, (_, text) in fields.items():
        option = strawberry.field(
            name=field.rstrip("_") if field in _RESERVED else None,
            description=text,
            default=strawberry.UNSET,
        )
        setattr(made, _python(field), option)
    return strawberry.input(made, description=description)


_RESERVED = {"in", "and", "or", "not"}


def _python(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


_FOLDS = (
    "Compares a text whatever its case and width (NFKC); a telephone number by its digits,"
    " with or without the country's code. 比较文本，不分大小写与全半角；电话按号码比较。"
)

COMPARATORS: dict[Any, type] = {
    strawberry.ID: _comparator("IdComparator", strawberry.ID, "Compares an id.", ordered=False),
    str: _comparator("StringComparator", str, _FOLDS, ordered=False, text=True),
    int: _comparator("IntComparator", int, "Compares a number.", ordered=True),
    float: _comparator("FloatComparator", float, "Compares a number.", ordered=True),
    bool: _comparator("BooleanComparator", bool, "Compares yes or no.", ordered=False),
    Long: _comparator("LongComparator", Long, "Compares a 64-bit number.", ordered=True),
    Decimal: _comparator("DecimalComparator", Decimal, "Compares a decimal.", ordered=True),
    datetime: _comparator("DateTimeComparator", datetime, "Compares an instant.", ordered=True),
    date: _comparator("DateComparator", date, "Compares a date.", ordered=True),
    timedelta: _comparator("DurationComparator", timedelta, "Compares a duration.", ordered=True),
}


def _comparator_of(owner: str, kind: Any) -> type:
    """Return the comparator for an annotation; enums get one of their own."""
    if isinstance(kind, StrawberryEnumDefinition):
        enum = kind.wrapped_cls
        if enum not in COMPARATORS:
            COMPARATORS[enum] = _comparator(
                f"{kind.name}Comparator", enum, f"Compares a {kind.name}.", ordered=False
            )
        return COMPARATORS[enum]
    if kind not in COMPARATORS:
        raise TypeError(f"{owner} cannot be filtered: no comparator for {kind}")
    return COMPARATORS[kind]


def _any_of(owner: str, target: StoredType) -> type:
    """Return the input that asks for rows of a list; one for each type."""
    if target.filter_class is None:
        raise TypeError(f"{owner} cannot be filtered: {target.name} has no filter yet")
    if target.origin not in COMPARATORS:
        fields = {"some": (target.filter_class, "At least one that you may see is like this.")}
        COMPARATORS[target.origin] = input_class(
            f"{target.name}ListFilter", __name__, fields, f"Asks of a list of {target.name}."
        )
    return COMPARATORS[target.origin]


@dataclass(frozen=True)
class FilterOf:
    """Which stored field each field of a filter input stands for, by GraphQL name."""

    entry: StoredType
    fields: dict[str, str]


@dataclass(frozen=True)
class OrderOf:
    """Which stored field each value of an order input stands for."""

    entry: StoredType
    fields: dict[str, str]


@strawberry.enum(description="A direction of sorting.")
class SortDirection(Enum):
    """A direction of sorting; rows without a value come last either way."""

    ASC = strawberry.enum_value("ASC", description="Smallest, earliest first; no value last.")
    DESC = strawberry.enum_value("DESC", description="Greatest, latest first; no value last.")


def filter_for(target: type) -> Callable[[T], T]:
    """Make a class the filter input of a stored type, from its fields with `filter=True`.

    All given fields must hold; `and`, `or`, `not` combine. Its docstring is the description.
    """

    def make(cls: T) -> T:
        entry = stored_type(target)
        fields: dict[str, tuple[Any, str]] = {}
        meaning: dict[str, str] = {}
        for name, each in entry.fields.items():
            declaration = declaration_of(each)
            if not declaration.filter or _is_compound(entry, declaration):
                continue
            relation = isinstance(declaration.source, One)
            python = f"{name}_id" if relation else name
            owner = f"{entry.name}.{name}"
            if isinstance(declaration.source, Many):
                comparator = _any_of(owner, stored_type(target_class(each)))
            else:
                kind = strawberry.ID if relation else plain_annotation(each)
                comparator = _comparator_of(owner, kind)
            fields[python] = (comparator, each.description or f"By {name}.")
            meaning[each.graphql_name or to_camel_case(python)] = name
        again: Any = LazyType(cls.__name__, cls.__module__)
        fields["and"] = (list[again], "All of these hold; an empty list holds.")
        fields["or"] = (list[again], "At least one of these holds; an empty list does not.")
        fields["not"] = (again, "This does not hold.")
        made: Any = input_class(cls.__name__, cls.__module__, fields, cls.__doc__ or "", cls)
        _read_as_written(made)
        made.__filter_of__ = FilterOf(entry, meaning)
        entry.filter_class = made
        return made  # type: ignore[no-any-return]

    return make


def _read_as_written(made: Any) -> None:
    """Have nobody make objects of an input that the planner reads as the client wrote it: that
    takes a hundred times as long as reading it."""
    made.__strawberry_definition__.from_input = lambda _, given, __: given


def _is_compound(entry: StoredType, declaration: Declaration) -> bool:
    """Tell whether this is an id that no single column holds, so that nothing compares it."""
    return isinstance(declaration.source, PublicId) and entry.id_column is None


def order_for(target: type) -> Callable[[T], T]:
    """Make a class the order input of a stored type, from its fields with `order=True`.

    `class RequestOrder` becomes `{field: RequestOrderField!, direction: SortDirection! = ASC}`.
    """

    def make(cls: T) -> T:
        entry = stored_type(target)
        meaning = {
            name.upper(): name for name, each in entry.fields.items() if declaration_of(each).order
        }
        values = {
            value: strawberry.enum_value(
                value, description=entry.fields[name].description or f"By {name}."
            )
            for value, name in meaning.items()
        }
        enum = strawberry.enum(
            cast("type[Enum]", Enum(f"{cls.__name__}Field", values, module=cls.__module__)),
            description=f"What a list of {entry.name} can be sorted by.",
        )
        cls.__annotations__ = {"field": enum, "direction": SortDirection}
        cls.field = strawberry.field(description="What to sort by.")  # type: ignore[attr-defined]
        cls.direction = strawberry.field(  # type: ignore[attr-defined]
            description="Which way.", default=SortDirection.ASC
        )
        made: Any = strawberry.input(cls, description=cls.__doc__)
        _read_as_written(made)
        made.__order_of__ = OrderOf(entry, meaning)
        entry.order_class = made
        return made  # type: ignore[no-any-return]

    return make


def page_arguments(annotation: Any) -> list[StrawberryArgument]:
    """Return the arguments of a field that answers a connection."""
    page: PageOf = connection_class(annotation).__page_of__
    entry = stored_type(page.target)
    kinds: dict[str, tuple[Any, str]] = {}
    if entry.filter_class is not None:
        kinds["filter"] = (entry.filter_class, "Only items for which this holds.")
    if entry.order_class is not None:
        kinds["order_by"] = (list[entry.order_class], "How to sort; the id always comes last.")  # type: ignore[name-defined]
    kinds |= {
        "first": (int, "How many items from the start, at most 100."),
        "after": (str, "Only items after this cursor."),
        "last": (int, "How many items from the end, at most 100."),
        "before": (str, "Only items before this cursor."),
    }
    return optional_arguments(kinds)


def optional_arguments(kinds: Mapping[str, tuple[Any, str]]) -> list[StrawberryArgument]:
    """Return arguments that may be left out, by name: their annotation and description."""
    return [
        StrawberryArgument(
            name,
            None,
            StrawberryAnnotation(kind | None),
            description=text,
            default=strawberry.UNSET,
        )
        for name, (kind, text) in kinds.items()
    ]


def connection_class(annotation: Any) -> Any:
    """Return the connection class an annotation means."""
    while hasattr(annotation, "of_type") and not isinstance(annotation, StrawberryList):
        annotation = annotation.of_type
    if isinstance(annotation, LazyType):
        annotation = annotation.resolve_type()
    if not hasattr(annotation, "__page_of__"):
        raise TypeError(f"{annotation} is not made by connection_of")
    return annotation
