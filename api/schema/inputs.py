"""What every mutation takes, and the ids in it: each knows what it is the id of."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import strawberry
from strawberry.types.base import has_object_definition
from strawberry.utils.str_converters import to_camel_case

from api.planner.stored import stored_type
from itr.errors import NotFound, PathItem

_KEY = "Idempotency key: the same key within 24 h has the same outcome and does nothing twice."
_VERSION = "Refuse with STALE if it has moved on since this version."
TARGET = "id_of"
_NOBODY = UUID("1d0f5eed-0000-4000-8000-000000000000")

Path = tuple[PathItem, ...]


def id_of(target: type, **options: Any) -> Any:
    """Declare an id in an input: `queue_id: UUID = id_of(Queue, description="The queue.")`.

    The schema shows an `ID`, the operation gets the row's uuid. With a `default` it may be left
    out. What is no id of the target is like one that nobody has: NOT_FOUND where it stands (S2).
    """
    kind: Any = strawberry.ID | None if "default" in options else strawberry.ID
    return strawberry.field(graphql_type=kind, metadata={TARGET: target}, **options)


def ids_of(target: type, **options: Any) -> Any:
    """Declare a list of ids in an input, as `id_of` does one."""
    kind: Any = list[strawberry.ID]
    return strawberry.field(graphql_type=kind, metadata={TARGET: target}, **options)


@strawberry.input(description="What every mutation takes.")
class MutationInput:
    """What every mutation takes."""

    client_mutation_id: str | None = strawberry.field(default=None, description=_KEY)

    def __post_init__(self) -> None:
        """Read the ids; what was written stays known, to tell one input from another."""
        given = asdict(self)
        del given["client_mutation_id"]
        vars(self)["_written"] = given
        vars(self)["_unknown"] = tuple(_read_ids(self, ()))

    @property
    def written(self) -> Mapping[str, Any]:
        """The input as it was written, without its idempotency key."""
        written: Mapping[str, Any] = vars(self)["_written"]
        return written

    @property
    def unknown_ids(self) -> tuple[Path, ...]:
        """Where ids stand that are none of what they have to be."""
        unknown: tuple[Path, ...] = vars(self)["_unknown"]
        return unknown


@strawberry.input(description="A mutation on one ticket.")
class TicketInput(MutationInput):
    """A mutation on one ticket; each kind says whose `id` it is."""

    id: UUID = strawberry.field(graphql_type=strawberry.ID, description="Which ticket.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


def _read_ids(given: Any, path: Path) -> Iterator[Path]:
    """Put uuids in the places of ids, also within inputs in it; yields where there is none."""
    kind: Any = type(given)
    for name, shown, target in _places(kind):
        value = getattr(given, name)
        keys = []
        for at, each in _each(value):
            if target is None:
                yield from _read_ids(each, (*path, shown, *at))
                continue
            key = _key(target, each)
            if key is None:
                yield (*path, shown, *at)
            keys.append(key or uuid5(_NOBODY, each))
        if target is not None and keys:
            setattr(given, name, keys if isinstance(value, list) else keys[0])


def _each(value: Any) -> Iterator[tuple[Path, Any]]:
    """What a field was given, one by one, and where in it."""
    if isinstance(value, list):
        yield from (((place,), each) for place, each in enumerate(value))
    elif value is not None and value is not strawberry.UNSET:
        yield (), value


def key_in(target: type, public: str, *path: str) -> UUID:
    """The key in an argument that is an id of the target. Raises NotFound at `path`."""
    key = _key(target, public)
    if key is None:
        raise NotFound(path=path)
    return key


def _key(target: type, public: str) -> UUID | None:
    parts = stored_type(target).read_id(public)
    return None if parts is None else UUID(parts[0])


@cache
def _places(kind: Any) -> list[tuple[str, str, type | None]]:
    """The fields of an input that hold ids, with their targets, and those that hold inputs."""
    places: list[tuple[str, str, type | None]] = []
    for each in kind.__strawberry_definition__.fields:
        inner = each.type
        while hasattr(inner, "of_type"):
            inner = inner.of_type
        target = each.metadata.get(TARGET)
        if target is not None or has_object_definition(inner):
            shown = each.graphql_name or to_camel_case(each.python_name)
            places.append((each.python_name, shown, target))
    return places
