"""From a GraphQL selection to a tree of stored things: what is wanted, before any SQL.

Fragments, aliases, `@skip`, `@include` and the merging of fields are graphql-core's own
`collect_subfields`; what is done here is to give each field its declaration and to take away what
the actor has no permission for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_named_type,
    is_interface_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.planner.compiled import Steps, Withheld
from api.planner.connections import PageOf
from api.planner.declare import (
    Column,
    Computed,
    Connection,
    Declaration,
    Expression,
    Many,
    One,
    OneOf,
    PublicId,
    SameRow,
    declaration_of,
)
from api.planner.errors import Refused
from api.planner.plain import PlainSelection, read_plain, variables_of
from api.planner.stored import Kinds, StoredType, stored_type

LONGEST_KEY = 63
DEEPEST = 40
WIDEST = 1000

Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass(eq=False)
class Typename:
    """`__typename`."""


@dataclass(eq=False)
class Nothing:
    """A field the actor may not read."""


@dataclass(eq=False)
class Leaf:
    """A scalar, an enum or a list of these."""

    source: PublicId | Column | Expression
    name: str
    kind: GraphQLOutputType


@dataclass(eq=False)
class Embedded:
    """An object of the same row."""

    source: SameRow
    wanted: ObjectSelection


@dataclass(eq=False)
class Related:
    """A row of another type, or all of them in order."""

    source: One | Many
    wanted: ObjectSelection


@dataclass(eq=False)
class Variant:
    """A row of one of several types, by the value that tells which."""

    source: OneOf
    wanted: dict[str, ObjectSelection]


@dataclass(eq=False)
class Filled:
    """A value Python fills in; `number` finds the way to do it."""

    source: Computed
    number: int


@dataclass(eq=False)
class Own:
    """A field that is read where the row is the asker's own; `number` finds who is told."""

    what: What
    condition: str
    number: int


@dataclass(eq=False)
class Page:
    """A connection; `site` finds its arguments."""

    source: Connection | None
    entry: StoredType
    site: int
    items: list[tuple[str, str, Any]]  # response key, part of the connection, what is wanted of it


What = Typename | Nothing | Leaf | Embedded | Related | Variant | Filled | Own | Page


@dataclass(eq=False)
class ObjectSelection:
    """What is wanted of one object type.

    Of an interface whose rows are of several types it is what is wanted of all of them; `kinds`
    has, by type, what is wanted of those of which something else is.
    """

    type_name: str
    entry: StoredType | None
    items: list[tuple[str, What]] = field(default_factory=list)
    kinds: dict[str, ObjectSelection] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """A place in the selection whose arguments change from call to call."""

    definition: GraphQLField
    node: FieldNode
    entry: StoredType
    order: tuple[str, ...]
    name: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Fill:
    """How Python fills a computed value in: where, by what, and what is wanted of it."""

    path: tuple[str, ...]
    declaration: Computed
    definition: GraphQLField
    node: FieldNode
    wanted: PlainSelection | None


@dataclass(frozen=True)
class OwnOnly:
    """A field withheld of rows that are not the asker's own: where, and what is told then."""

    path: tuple[str, ...]
    withheld: Withheld


def definition_of(named: Any) -> Any:
    """Return the Strawberry definition behind a type of the schema."""
    return named.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


class SelectionReader:
    """Reads one field's selection; collects argument sites, fills and what is withheld."""

    def __init__(self, info: GraphQLResolveInfo[Any], permissions: Collection[Any]) -> None:
        self.info = info
        self.permissions = permissions
        self.fragments = {name: FragmentDetails(it) for name, it in info.fragments.items()}
        self.sites: list[Site] = []
        self.withheld: list[Withheld] = []
        self.fills: list[Fill | OwnOnly] = []

    def objects(self, kind: Composite, details: list[FieldDetails], path: Steps) -> ObjectSelection:
        """Read what is wanted of an object type; Refused when the type may not be read."""
        origin = definition_of(kind).origin
        entry = getattr(origin, "__stored__", None)
        if entry is not None:
            self._ensure(entry.permission, path)
        grouped = self._grouped(kind, details, path)
        wanted = self._object(kind, entry, grouped, path)
        if entry is not None and entry.kinds is not None and is_interface_type(kind):
            for each in self._types_of(entry.kinds):
                theirs = self._grouped(each, details, path)
                if _nodes(theirs) != _nodes(grouped):
                    wanted.kinds[each.name] = self._object(each, entry, theirs, path)
        return wanted

    def _object(
        self,
        kind: Composite,
        entry: StoredType | None,
        grouped: Sequence[tuple[str, list[FieldDetails], str]],
        path: Steps,
    ) -> ObjectSelection:
        shown = kind.name if entry is None else entry.name
        wanted = ObjectSelection(kind.name, entry)
        for key, fields, name in grouped:
            wanted.items.append((key, self._field(kind, name, fields, (*path, (key, shown)))))
        return wanted

    def _types_of(self, kinds: Kinds) -> list[Composite]:
        types: list[Any] = list(dict.fromkeys([*kinds.types.values(), kinds.other]))
        named = (each.__strawberry_definition__.name for each in types)
        return [self.info.schema.type_map[name] for name in named]  # type: ignore[misc]

    def objects_if_allowed(
        self, kind: Composite, details: list[FieldDetails]
    ) -> ObjectSelection | None:
        """Read what is wanted of an object type; None when the actor may not read all of it."""
        before = len(self.sites), len(self.fills), len(self.withheld)
        try:
            return self.objects(kind, details, ())
        except Refused as refused:
            if refused.permission is None:
                raise
            self._forget(before)
            return None

    def page(self, kind: Composite, details: list[FieldDetails], path: Steps, site: Site) -> Page:
        """Read what is wanted of a connection."""
        of: PageOf = definition_of(kind).origin.__page_of__
        entry = stored_type(of.target)
        self._ensure(entry.permission, path)
        self.sites.append(site)
        page = Page(None, entry, len(self.sites) - 1, [])
        page.items = self._parts(kind, details, path)
        return page

    def _parts(
        self, kind: Composite, details: list[FieldDetails], path: Steps
    ) -> list[tuple[str, str, Any]]:
        """Read the parts of a connection, an edge or a page info by the names they have there."""
        parts: list[tuple[str, str, Any]] = []
        for key, fields, name in self._grouped(kind, details, path):
            wanted: Any = None
            if name != "__typename":
                inner = get_named_type(kind.fields[name].type)
                step = (*path, (key, kind.name))
                if name in {"nodes", "node"}:
                    wanted = self.objects(inner, fields, step)
                elif name in {"edges", "pageInfo"}:
                    wanted = (inner.name, self._parts(inner, fields, step))
            else:
                wanted = kind.name
            parts.append((key, name, wanted))
        return parts

    def _grouped(
        self, kind: Composite, details: list[FieldDetails], path: Steps
    ) -> list[tuple[str, list[FieldDetails], str]]:
        if len(path) > DEEPEST:
            raise Refused("QUERY_TOO_LARGE", keys(path))
        info = self.info
        of: Any = kind  # an interface has subfields like a type that is nothing more
        grouped = collect_subfields(
            info.schema, self.fragments, variables_of(info), info.operation, of, details
        ).grouped_field_set
        if len(grouped) > WIDEST:
            raise Refused("QUERY_TOO_LARGE", keys(path))
        long = next((key for key in grouped if len(key) > LONGEST_KEY), None)
        if long is not None:
            raise Refused("ALIAS_TOO_LONG", (*keys(path), long))
        return [(key, fields, fields[0].node.name.value) for key, fields in grouped.items()]

    def _field(self, kind: Composite, name: str, fields: list[FieldDetails], path: Steps) -> What:
        """Read one field; without permission it is null, or so is the object around it."""
        if name == "__typename":
            return Typename()
        definition = kind.fields[name]
        declaration = declaration_of(definition_of(definition))
        before = len(self.sites), len(self.fills), len(self.withheld)
        try:
            if declaration.own is not None and not self._may(declaration.permission):
                return self._own(kind, definition, declaration, fields, path)
            self._ensure(declaration.permission, path)
            return self._what(kind, definition, declaration, fields, path)
        except Refused as refused:
            if refused.permission is None or is_non_null_type(definition.type):
                raise
            self._forget(before)
            self.withheld.append(Withheld(path, refused.permission))
            return Nothing()

    def _own(
        self,
        kind: Composite,
        definition: GraphQLField,
        declaration: Declaration,
        fields: list[FieldDetails],
        path: Steps,
    ) -> Own:
        """Read a field of one's own rows; whether others were among them the answer tells."""
        number = len(self.fills)
        self.fills.append(OwnOnly(keys(path), Withheld(path, declaration.permission)))
        what = self._what(kind, definition, declaration, fields, path)
        return Own(what, str(declaration.own), number)

    def _forget(self, before: tuple[int, int, int]) -> None:
        """Drop what was collected below a field that turned out to be null."""
        for kept, length in zip((self.sites, self.fills, self.withheld), before, strict=True):
            del kept[length:]  # type: ignore[attr-defined]

    def _what(
        self,
        kind: Composite,
        definition: GraphQLField,
        declaration: Declaration,
        fields: list[FieldDetails],
        path: Steps,
    ) -> What:
        source = declaration.source
        if isinstance(source, PublicId | Column | Expression):
            return Leaf(source, definition_of(definition).python_name, definition.type)
        named: Any = get_named_type(definition.type)
        if isinstance(source, Computed):
            wanted = read_plain(self.info, self.fragments, named, fields)
            self.fills.append(Fill(keys(path), source, definition, fields[0].node, wanted))
            return Filled(source, len(self.fills) - 1)
        if isinstance(source, SameRow):
            return Embedded(source, self.objects(named, fields, path))
        if isinstance(source, OneOf):
            return Variant(source, self._variants(source, fields, path))
        if isinstance(source, Connection):
            return self._connection(kind, definition, source, fields, path)
        return Related(source, self.objects(named, fields, path))

    def _variants(
        self, source: OneOf, fields: list[FieldDetails], path: Steps
    ) -> dict[str, ObjectSelection]:
        """Read each type of a union; a type that may not be read is a row out of sight."""
        found: dict[str, ObjectSelection] = {}
        for value, name in source.types.items():
            kind: Any = self.info.schema.get_type(name)
            entry = stored_type(definition_of(kind).origin)
            if self._may(entry.permission):
                found[value] = self.objects(kind, fields, path)
        return found

    def _connection(
        self,
        kind: Composite,
        definition: GraphQLField,
        source: Connection,
        fields: list[FieldDetails],
        path: Steps,
    ) -> Page:
        named: Any = get_named_type(definition.type)
        entry = stored_type(definition_of(named).origin.__page_of__.target)
        node = fields[0].node
        name = f"{kind.name}.{node.name.value}"
        site = Site(definition, node, entry, source.order or entry.order, name, keys(path))
        page = self.page(named, fields, path, site)
        page.source = source
        return page

    def _may(self, permission: Any) -> bool:
        return permission is None or permission in self.permissions

    def _ensure(self, permission: Any, path: Steps) -> None:
        if not self._may(permission):
            raise Refused("FORBIDDEN", keys(path), permission)


def _nodes(grouped: Sequence[tuple[str, list[FieldDetails], str]]) -> list[tuple[str, list[int]]]:
    """Return what tells two collections of fields apart."""
    return [(key, [id(each.node) for each in fields]) for key, fields, _ in grouped]


def keys(path: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the response keys of a path."""
    return tuple(key for key, _ in path)
