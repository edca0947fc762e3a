"""Plans: a selection read once, its SQL written once per shape of arguments, both remembered.

Remembering has two steps. The *outline* of a field (what is wanted and withheld, argument sites)
depends on the document, the field's path, the permissions and the variables of `@skip` and
`@include`. A *plan* (SQL and its parameters) further depends on the shape of the arguments and on
the text of the visibility rules, never on values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    VariableNode,
    Visitor,
    visit,
)

from api.planner.compiled import Withheld
from api.planner.declare import Shared
from api.planner.errors import Refused
from api.planner.fill import FillTree
from api.planner.plain import variables_of
from api.planner.schema import types_of
from api.planner.selection import Site
from api.planner.statement import Slot
from itr.sight.row_filter import RowFilter

V = TypeVar("V")

LONGEST_DOCUMENT = 20_000


class Remembered(Generic[V]):
    """A mapping that forgets what was used least recently."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[Any, V] = OrderedDict()
        self.made = 0
        """How often nothing was remembered."""

    def get(self, key: Any, make: Callable[[], V]) -> V:
        """Return what is remembered under a key, made now if it is new."""
        found = self._items.get(key)
        if found is None:
            found = self._items[key] = make()
            self.made += 1
            if len(self._items) > self._most:
                self._items.popitem(last=False)
        else:
            self._items.move_to_end(key)
        return found

    def __len__(self) -> int:
        return len(self._items)


@dataclass(frozen=True)
class Plan:
    """A statement and the values its parameters want, in order."""

    sql: str
    slots: tuple[Slot, ...]
    memories: tuple[Shared, ...] = ()


@dataclass
class Outline:
    """What is wanted of one field; `wanted` is as the kind of reading needs it."""

    wanted: Any
    sites: list[Site]
    withheld: tuple[Withheld, ...]
    tree: FillTree | None
    refused: Refused | None = None
    variables: tuple[str, ...] = ()
    """Variables that the arguments of its pages name."""
    pages: Remembered[Any] = field(default_factory=lambda: Remembered(200))
    plans: Remembered[Plan] = field(default_factory=lambda: Remembered(32))


OUTLINES: Remembered[Outline] = Remembered(500)
_VARIABLES: Remembered[tuple[str, ...]] = Remembered(500)


@lru_cache(4096)
def visibility_of(schema: GraphQLSchema, actor: Any) -> tuple[Mapping[str, RowFilter], int]:
    """Return every type's visible rows for an actor, and a number for their texts together."""
    stored = types_of(schema).stored.values()
    found = {entry.key: entry.visible(actor) for entry in stored}
    texts = tuple(sorted((key, visible.sql) for key, visible in found.items()))
    return found, _number(texts)


_NUMBERS: dict[tuple[tuple[str, str], ...], int] = {}


def _number(texts: tuple[tuple[str, str], ...]) -> int:
    return _NUMBERS.setdefault(texts, len(_NUMBERS))


def outline_key(info: GraphQLResolveInfo[Any], permissions: Any, reading: tuple[Any, ...]) -> Any:
    """Return what an outline depends on; None for a document too long to be remembered."""
    location = info.operation.loc
    if location is None or len(location.source.body) > LONGEST_DOCUMENT:
        return None
    document = (info.schema, location.source.body, location.start)
    names = _VARIABLES.get(document, lambda: _directive_variables(info))
    values = variables_of(info).coerced
    choices = tuple(values.get(name) for name in names)
    return (document, _place(info), frozenset(permissions), choices, reading)


def _place(info: GraphQLResolveInfo[Any]) -> tuple[Any, ...]:
    """Return the field's path without list indexes."""
    place = []
    step: Any = info.path
    while step is not None:
        if not isinstance(step.key, int):
            place.append((step.key, step.typename))
        step = step.prev
    return tuple(place)


class _Finder(Visitor):
    """Collects the variables that `@skip` and `@include` look at."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Note the variables of one directive."""
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names[argument.value.name.value] = None


def _directive_variables(info: GraphQLResolveInfo[Any]) -> tuple[str, ...]:
    finder = _Finder()
    for node in (info.operation, *info.fragments.values()):
        visit(node, finder)
    return tuple(finder.names)


class _Variables(Visitor):
    """Collects the variables that are named anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Note one."""
        self.names[node.name.value] = None


def variables_in(fields: Iterable[FieldNode]) -> tuple[str, ...]:
    """Return the variables that the arguments of fields name."""
    finder = _Variables()
    for node in fields:
        for argument in node.arguments or ():
            visit(argument, finder)
    return tuple(finder.names)
