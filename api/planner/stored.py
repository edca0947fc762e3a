"""The register of stored types: table, id prefix, visibility, default order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.types.base import StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import UNRESOLVED, StrawberryField

from api.planner.declare import (
    STORED,
    Column,
    Declaration,
    Expression,
    One,
    OneOf,
    PublicId,
    SameRow,
    declaration_of,
    public_id,
)
from itr.sight.row_filter import RowFilter

T = TypeVar("T", bound=type)


@dataclass(frozen=True)
class Identity:
    """How a row's public id is written and how the row is found again.

    `shown` is the SQL of what follows the prefix and underscore; `pattern` reads it back, and its
    groups become the values `:id1`, `:id2`, … of the condition `found` (cast them there).
    """

    shown: str = "encode(uuid_send({t}.id), 'hex')"
    pattern: str = r"([0-9a-f]{32})"
    found: str = "{t}.id = :id1::uuid"


@strawberry.interface(description="Anything stored that has an id of its own.")
class Node:
    """The interface of everything that `node(id)` finds."""

    id: strawberry.ID = public_id()


@dataclass
class Kinds:
    """The types that rows of one table are of, by the text of a column; all share an interface."""

    column: str
    types: dict[str, type] = field(default_factory=dict)
    other: type | None = None

    def type_of(self, text: str) -> type:
        """Return the type of a row whose column holds this."""
        found = self.types.get(text, self.other)
        assert found is not None
        return found


@dataclass(eq=False)
class StoredType:
    """What the planner knows of a stored type."""

    origin: type
    table: str
    key: str
    visible: Callable[[Any], RowFilter]
    permission: Any
    order: tuple[str, ...]
    unique: Mapping[str, str]
    identity: Identity
    id_pattern: re.Pattern[str]
    found_with: Any = None
    kinds: Kinds | None = None
    filter_class: type | None = None
    order_class: type | None = None
    fields: dict[str, StrawberryField] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The type's name in the schema."""
        definition: Any = self.origin.__strawberry_definition__  # type: ignore[attr-defined]
        return str(definition.name)

    @property
    def id_column(self) -> str | None:
        """The uuid column behind the public id; None when it takes more than that."""
        if self.identity == Identity():
            return "id"
        (column, cast), *more = self.unique.items()
        return column if cast == "uuid" and not more else None

    def read_id(self, text: str) -> tuple[str, ...] | None:
        """Return the parts of a public id; None when it is not one of this type."""
        found = self.id_pattern.fullmatch(text)
        return found.groups() if found else None

    def write_id(self, key: UUID) -> str:
        """Return the public id of a row whose id is a uuid."""
        return f"{self.key}_{key.hex}"


def stored(
    *,
    table: str,
    key: str,
    visible: Callable[[Any], RowFilter],
    permission: Any = None,
    found_with: Any = None,
    order: str | Sequence[str] = (),
    unique: Mapping[str, str] | None = None,
    identity: Identity | None = None,
    kinds: str | None = None,
) -> Callable[[T], T]:
    """Register a Strawberry type as stored; write it above `@strawberry.type`.

    `table` is the table (or any text that may follow `from`), `key` the prefix of its public ids,
    `visible(actor)` the rows an actor may see, `permission` what it needs to see any, and
    `found_with` what it needs to find one by nothing but its id, where others lead to it freely.
    `order` names the fields a page is sorted by when the client does not say (`-` descends);
    `unique` are the columns (with their SQL types), never null and unique together, that end every
    order; the column `id` unless others are named. `kinds` names the column that tells which type
    a row is of, where `cls` is an interface: see `kind_of_row`.
    """

    def register(cls: T) -> T:
        definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
        who = identity or Identity()
        entry = StoredType(
            origin=cls,
            table=table,
            key=key,
            visible=visible,
            permission=permission,
            found_with=found_with,
            kinds=Kinds(kinds) if kinds is not None else None,
            order=(order,) if isinstance(order, str) else tuple(order),
            unique=unique or {"id": "uuid"},
            identity=who,
            id_pattern=re.compile(f"{key}_{who.pattern}"),
            fields={each.python_name: each for each in definition.fields},
        )
        if not any(interface.origin is Node for interface in definition.interfaces):
            raise TypeError(f"{entry.name} is stored and must implement Node")
        _check_fields(entry.name, definition.fields)
        _check_order(entry)
        cls.__stored__ = entry  # type: ignore[attr-defined]
        return cls

    return register


def kind_of_row(interface: type, *texts: str) -> Callable[[T], T]:
    """Register a type as what rows of a stored interface are whose column holds one of `texts`.

    Without a text it is what all others are. Write it above `@strawberry.type`.
    """
    entry = stored_type(interface)
    assert entry.kinds is not None
    kinds = entry.kinds

    def register(cls: T) -> T:
        definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
        _check_fields(definition.name, definition.fields)
        for text in texts:
            if text in kinds.types:
                raise TypeError(f"{text} is {kinds.types[text].__name__} already")
            kinds.types[text] = cls
        if not texts:
            kinds.other = cls
        return cls

    return register


def embedded(cls: T) -> T:
    """Register a Strawberry type whose columns stand in the row of the type that embeds it."""
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    _check_fields(definition.name, definition.fields)
    cls.__embedded__ = True  # type: ignore[attr-defined]
    return cls


def stored_type(cls: type) -> StoredType:
    """Return the entry of a stored Strawberry class."""
    entry: StoredType = cls.__stored__  # type: ignore[attr-defined]
    return entry


def target_class(each: Any) -> Any:
    """Return the class a relation answers."""
    annotation = each.resolve_type()
    while hasattr(annotation, "of_type"):
        annotation = annotation.of_type
    return annotation.resolve_type() if hasattr(annotation, "resolve_type") else annotation


def _check_fields(owner: str, fields: Sequence[StrawberryField]) -> None:
    """Refuse declarations that could answer null where the schema promises a value."""
    for each in fields:
        if STORED not in each.metadata:
            raise TypeError(f"{owner}.{each.python_name} is not declared as stored")
        declaration = declaration_of(each)
        nullable = _is_optional(each)
        if declaration.permission is not None and not nullable:
            raise TypeError(f"{owner}.{each.python_name} has a permission and must be nullable")
        if isinstance(declaration.source, One | OneOf) and not nullable:
            raise TypeError(f"{owner}.{each.python_name} may be out of sight and must be nullable")
        if isinstance(declaration.source, SameRow) and declaration.source.present and not nullable:
            raise TypeError(f"{owner}.{each.python_name} may be absent and must be nullable")
        _check_enum(owner, each, declaration)


def _check_enum(owner: str, each: StrawberryField, declaration: Declaration) -> None:
    """Refuse enums whose stored text is not the name the schema shows."""
    if not isinstance(declaration.source, Column | Expression):
        return
    kind = plain_annotation(each)
    if isinstance(kind, StrawberryEnumDefinition):
        wrong = [value.name for value in kind.values if stored_text(value.value) != value.name]
        if wrong:
            raise TypeError(f"{owner}.{each.python_name}: {wrong} are stored by another text")


def stored_text(value: object) -> str:
    """Return the text a column holds for an enum's value."""
    return str(value.value if isinstance(value, Enum) else value)


def _check_order(entry: StoredType) -> None:
    for name in entry.order:
        each = entry.fields.get(name.removeprefix("-"))
        if each is None or not isinstance(
            declaration_of(each).source, Column | Expression | PublicId
        ):
            raise TypeError(f"{entry.name} cannot be ordered by {name}")
        if declaration_of(each).permission is not None:
            raise TypeError(f"{entry.name} would show the order of {name} to everybody")


def _is_optional(each: StrawberryField) -> bool:
    """Tell whether a field is nullable, also while its annotation cannot be resolved yet."""
    kind = _resolved(each)
    if kind is not None:
        return isinstance(kind, StrawberryOptional)
    raw = each.type_annotation.raw_annotation if each.type_annotation is not None else None
    return re.search(r"\b(None|Optional)\b", raw if isinstance(raw, str) else repr(raw)) is not None


def plain_annotation(each: StrawberryField) -> Any:
    """Return a field's type without its optional wrapper; None while it cannot be resolved."""
    kind = _resolved(each)
    return kind.of_type if isinstance(kind, StrawberryOptional) else kind


def _resolved(each: StrawberryField) -> Any:
    try:
        kind = each.resolve_type()
    except (NameError, KeyError, TypeError, AttributeError):
        return None
    return None if kind is UNRESOLVED else kind
