"""How a stored type says where each of its fields stands.

A stored type is a Strawberry type whose fields are made by the functions here instead of by
resolvers. In all SQL given to them `{t}` is the row, `{parent}` (where there is one) the row the
relation starts from, and `:now` and `:actor` are the operation's instant and the caller's id.
Nothing a client sends ever becomes part of the text.

Nullability is a promise of the declaration: a non-null field needs a `not null` column or an
expression that cannot be null, relations to one row are always nullable (the row may be out of
sight), and so is every field with a permission. `stored` checks the last two on import, and
`api.planner.catalogue` lists the columns for a test against the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.planner.context import Pool

STORED = "stored"  # key of the declaration in a field's metadata


class Memory(Protocol):
    """What is known of a shared query without running it."""

    async def columns(self, reads: Pool, now: datetime) -> Mapping[str, Sequence[Any]]:
        """Columns of equal length; rows that are not among them are looked up."""
        ...


@dataclass(frozen=True)
class Shared:
    """A named query that a statement runs at most once, however many fields look into it.

    `memory` makes what knows rows of it by heart, one for each database; `types` are the SQL types
    of its columns then. Statements are given what is known, and run the query for the rest alone.
    """

    name: str
    sql: str
    memory: Callable[[], Memory] | None = None
    types: Mapping[str, str] = field(default_factory=dict, hash=False)

    def value(self, wanted: str, **keys: str) -> Lookup:
        """Look up the column `wanted` where each key equals that column of the row."""
        return Lookup(self, wanted, tuple(keys.items()))


@dataclass(frozen=True)
class Lookup:
    """One value of a shared query, found by columns of the row."""

    shared: Shared
    wanted: str
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PublicId:
    """The id people and programs see."""


@dataclass(frozen=True)
class Column:
    """A column of the row; None: the field's own name."""

    name: str | None


@dataclass(frozen=True)
class Expression:
    """An SQL expression over the row."""

    sql: str
    lookups: Mapping[str, Lookup] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class SameRow:
    """An object made of further columns of the same row."""

    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    present: str | None = None


@dataclass(frozen=True)
class One:
    """The one row of another stored type that `on` finds."""

    on: str
    key: str | None = None


@dataclass(frozen=True)
class OneOf:
    """A row of one of several stored types, chosen by what stands in `kind`."""

    kind: str
    key: str
    types: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Many:
    """All rows of another stored type that `on` finds, in order; for lists short by nature."""

    on: str
    order: str | None
    unequal: bool = False


@dataclass(frozen=True)
class Connection:
    """A page of the rows of another stored type that `on` finds."""

    on: str
    order: tuple[str, ...]


@dataclass(frozen=True)
class Computed:
    """A value Python works out from inputs the statement returns, and from its arguments."""

    inputs: Mapping[str, str] = field(hash=False)
    fill: Callable[[Mapping[str, Any], Any], Any]
    arguments: Mapping[str, tuple[Any, str]] = field(default_factory=dict, hash=False)
    slow: bool = False


Source = PublicId | Column | Expression | SameRow | One | OneOf | Many | Connection | Computed


@dataclass(frozen=True)
class Declaration:
    """Everything the planner knows of one field."""

    source: Source
    permission: Any = None
    filter: bool = False
    order: bool = False
    own: str | None = None
    folded: str | None = None
    telephone: bool = False


class StoredField(StrawberryField):
    """A field the planner reads; it never has a resolver."""

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """The arguments of a connection or a computed value, made when the schema is built."""
        if self._arguments is None:
            self._arguments = []
            source = declaration_of(self).source
            if isinstance(source, Connection):
                from api.planner.arguments import page_arguments

                self._arguments = page_arguments(self.resolve_type())
            elif isinstance(source, Computed):
                from api.planner.arguments import optional_arguments

                self._arguments = optional_arguments(source.arguments)
        return self._arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value


def declaration_of(strawberry_field: StrawberryField) -> Declaration:
    """Return the declaration of a stored field; KeyError for a plain one."""
    found: Declaration = strawberry_field.metadata[STORED]
    return found


def _field(declaration: Declaration, options: dict[str, Any]) -> Any:
    return StoredField(
        description=options.pop("description", None),
        graphql_name=options.pop("name", None),
        deprecation_reason=options.pop("deprecation_reason", None),
        metadata={STORED: declaration, **options.pop("metadata", {})},
        **options,
    )


def public_id(description: str = "Opaque, stable id.") -> Any:
    """Declare the id: the type's prefix, an underscore, 32 hexadecimal digits."""
    return _field(Declaration(PublicId(), filter=True), {"description": description})


def column(
    name: str | None = None,
    *,
    permission: Any = None,
    own: str | None = None,
    filter: bool = False,
    order: bool = False,
    folded: str | None = None,
    telephone: bool = False,
    **options: Any,
) -> Any:
    """Declare a field that is a column, of the field's own name unless another is given.

    The kind of the column follows from the annotation: `datetime` an instant, `timedelta` (the
    scalar Duration) a bigint of microseconds, `Decimal` a numeric, `Long` a 64-bit integer shown
    as text, `date`, an enum kept by its name as text, `list[…]` an array of these, and so on.
    `filter` and `order` offer it in the type's filter and order inputs. `own`, an SQL condition,
    tells the rows of which it is read without the permission: one's own. Texts are compared
    folded: `folded` names the column that holds them so where lists are long; `telephone`
    compares by digits instead.
    """
    compared = {"folded": folded, "telephone": telephone}
    declaration = Declaration(Column(name), permission, filter, order, own, **compared)  # type: ignore[arg-type]
    return _field(declaration, options)


def sql(
    expression: str,
    *,
    permission: Any = None,
    own: str | None = None,
    filter: bool = False,
    order: bool = False,
    uses: Mapping[str, Lookup] | None = None,
    **options: Any,
) -> Any:
    """Declare a field that is an SQL expression, of the SQL type `column` would expect.

    `own` as in `column`. `uses` names lookups into shared queries; write them as `{name}` in the
    expression:
    `sql("{t}.due_us - {now_us}", uses={"now_us": POSITION_NOW.value("us", id="calendar_id")})`.
    """
    source = Expression(expression, dict(uses or {}))
    return _field(Declaration(source, permission, filter, order, own), options)


def same_row(
    columns: Mapping[str, str] | None = None,
    *,
    present: str | None = None,
    permission: Any = None,
    **options: Any,
) -> Any:
    """Declare an embedded object whose columns stand in the same row.

    `columns` renames: `{"amount": "cost", "currency": "cost_currency"}` for a type used more than
    once in a row. `present`, an SQL condition, makes the object null where it is not true.
    """
    source = SameRow(dict(columns or {}), present)
    return _field(Declaration(source, permission), options)


def one(
    key: str | None = None,
    *,
    on: str | None = None,
    permission: Any = None,
    filter: bool = False,
    **options: Any,
) -> Any:
    """Declare a relation to one row by a foreign key column, or by a condition `on`.

    The row must be visible to the actor by its own type's rule, otherwise the field is null.
    `filter` offers the key as an id filter named after the field: `customer` → `customerId`.
    """
    condition = on or f"{{t}}.id = {{parent}}.{key}"
    return _field(Declaration(One(condition, key), permission, filter), options)


def one_of(
    key: str,
    *,
    kind: str,
    types: Mapping[str, str],
    permission: Any = None,
    **options: Any,
) -> Any:
    """Declare a relation to a row of several types (a union or interface of stored types).

    `kind` is the column that tells the type, `types` maps its values to GraphQL type names.
    """
    return _field(Declaration(OneOf(kind, key, dict(types)), permission), options)


def many(
    key: str | None = None,
    *,
    on: str | None = None,
    order: str | None = None,
    unequal: bool = False,
    permission: Any = None,
    filter: bool = False,
    **options: Any,
) -> Any:
    """Declare a list of rows whose column `key` is this row's id, or by a condition `on`.

    `order` names columns, separated by commas (`-` descends), or is an SQL order list over `{t}`;
    the id comes last, unless the order alone tells any two rows of a list apart (`unequal`): then
    an index may give it, and nothing is sorted. Only for lists that are short by nature;
    everything else is a `connection`. `filter` offers `{some: …}` with the filter input of the
    other type, which must have been made before.
    """
    condition = on or f"{{t}}.{key} = {{parent}}.id"
    return _field(Declaration(Many(condition, order, unequal), permission, filter), options)


def connection(
    key: str | None = None,
    *,
    on: str | None = None,
    order: str | Sequence[str] = (),
    permission: Any = None,
    **options: Any,
) -> Any:
    """Declare a nested page with `first after last before filter orderBy`.

    `order` names fields of the target (`"-created_at"` for descending) and is the order when the
    client gives none. The annotation is a class made by `connection_of`.
    """
    condition = on or f"{{t}}.{key} = {{parent}}.id"
    fields = (order,) if isinstance(order, str) else tuple(order)
    return _field(Declaration(Connection(condition, fields), permission), options)


def computed(
    inputs: Sequence[str] | Mapping[str, str],
    fill: Callable[[Mapping[str, Any], Any], Any],
    *,
    permission: Any = None,
    own: str | None = None,
    arguments: Mapping[str, tuple[Any, str]] | None = None,
    slow: bool = False,
    **options: Any,
) -> Any:
    """Declare a value that Python works out, only when it is selected.

    `inputs` are columns of the row, or names for SQL expressions over `{t}` (sub-selects too);
    `fill(values, context)` gets them as JSON gives them (instants and uuids as text) and returns
    what the annotation says: a scalar, an enum, a plain Strawberry object or a list of these.
    `own` as in `column`. `arguments` (name → annotation, description) may be left out; they stand
    among the values, None where they are. What is `slow` is worked out beside the event loop.
    """
    named = inputs if isinstance(inputs, Mapping) else {name: f"{{t}}.{name}" for name in inputs}
    source = Computed(dict(named), fill, dict(arguments or {}), slow)
    return _field(Declaration(source, permission, own=own), options)
