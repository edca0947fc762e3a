"""What is wrong with an input as it was filled in, before anybody looks anything up."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import strawberry
from strawberry.types.base import StrawberryList, has_object_definition
from strawberry.utils.str_converters import to_camel_case

from itr.errors import DomainError, PathItem, Required


def faults_of(input: Any, path: tuple[PathItem, ...] = ()) -> Iterator[DomainError]:
    """Every text that is asked for and blank, wherever it stands.

    An id that is none is told where one that is missing is, so that they answer alike (S2).
    """
    kind_of_input: Any = type(input)
    for name, (shown, kind) in _fields(kind_of_input).items():
        value = getattr(input, name)
        if value is not None and value is not strawberry.UNSET:
            yield from _faults(value, kind, (*path, shown))


def _faults(value: Any, kind: Any, path: tuple[PathItem, ...]) -> Iterator[DomainError]:
    if isinstance(kind, StrawberryList) and has_object_definition(kind.of_type):
        for place, each in enumerate(value):
            yield from faults_of(each, (*path, place))
    elif kind is str and not value.strip():
        yield Required(path=path)
    elif has_object_definition(type(value)):
        yield from faults_of(value, path)


@cache
def _fields(kind: Any) -> Mapping[str, tuple[str, Any]]:
    """The fields of an input: how each is called in the schema, and of what type it is."""
    definition: Any = kind.__strawberry_definition__
    return {
        each.python_name: (each.graphql_name or to_camel_case(each.python_name), each.type)
        for each in definition.fields
    }
