"""One reading: outline, plan, parameters, statement, answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from graphql import GraphQLResolveInfo, Undefined, is_non_null_type
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import UndefinedType

from api.planner.compiled import Compiled, Withheld
from api.planner.compiler import Compiler
from api.planner.context import ReadContext
from api.planner.errors import Refused, refusal
from api.planner.fill import FillTree
from api.planner.kinds import storable
from api.planner.pages import PageContext, PageShape, PageValues, read_page
from api.planner.plain import variables_of
from api.planner.plans import OUTLINES, Outline, Plan, outline_key, variables_in, visibility_of
from api.planner.schema import types_of
from api.planner.selection import SelectionReader, Site
from api.planner.statement import Slot, Statement
from api.working_out import worked_out
from itr.sight.row_filter import RowFilter

Select = Callable[[SelectionReader, list[FieldDetails]], Any]
Write = Callable[[Compiler, Any], str]

_NOWHERE = RowFilter("true")


@dataclass(frozen=True)
class ReadSpec:
    """What to read for a field, apart from what the client wrote.

    `name` tells readings of one field apart; `select` reads the selection, `write` the SQL of the
    answer. `where` and `cursor` (an SQL expression whose text comes with the answer) are constant
    texts of the program; `variant` is what else of the call changes the SQL, `ids` its values.
    """

    name: tuple[Any, ...]
    select: Select
    write: Write
    where: RowFilter = _NOWHERE
    cursor: str | None = None
    variant: tuple[Any, ...] = ()
    ids: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def raw_info(info: Any) -> GraphQLResolveInfo[Any]:
    """Return graphql-core's info behind Strawberry's."""
    raw: GraphQLResolveInfo[Any] = getattr(info, "_raw_info", info)
    return raw


async def read(info: Any, spec: ReadSpec) -> Compiled:
    """Run the one statement that answers a field; GraphQLError when something is refused.

    Below the root, what needs a permission the actor lacks is withheld.
    """
    raw = raw_info(info)
    context: ReadContext = raw.context
    try:
        outline = outline_of(raw, spec)
        visibility, number = visibility_of(raw.schema, context.actor)
        shapes, values = _page_arguments(raw, outline, context)
    except Refused as refused:
        if _is_withheld(raw, refused):
            return Compiled(None, (Withheld((), refused.permission),))
        raise _error(refused, context.language) from None
    key = (number, shapes, spec.variant)
    plan = outline.plans.get(key, lambda: _plan(raw, outline, spec, visibility, shapes))
    known = await _known_by_heart(plan, context) if plan.memories else {}
    sources = _Values(context, visibility, spec, values, known)
    arguments = [sources.of(slot) for slot in plan.slots]
    found = await context.pool.fetchval(plan.sql, *arguments)
    answer = await _answer(found, outline, spec, raw)
    personal = _is_personal(outline, arguments, context)
    return answer if personal else dataclasses.replace(answer, personal=False)


def check(info: Any, spec: ReadSpec) -> None:
    """Refuse what `read` would refuse, without reading."""
    raw = raw_info(info)
    context: ReadContext = raw.context
    try:
        _page_arguments(raw, outline_of(raw, spec), context)
    except Refused as refused:
        raise _error(refused, context.language) from None


def _is_withheld(raw: GraphQLResolveInfo[Any], refused: Refused) -> bool:
    """Whether a field of a plain object, such as a payload, reads null without an error."""
    below = raw.path.prev is not None and not is_non_null_type(raw.return_type)
    return below and refused.permission is not None


def outline_of(raw: GraphQLResolveInfo[Any], spec: ReadSpec) -> Outline:
    """Return what is wanted of a field; Refused when it may not be read at all."""
    permissions = raw.context.actor.permissions
    key = outline_key(raw, permissions, (*spec.name, spec.where.sql, spec.cursor))

    def make() -> Outline:
        return _outline(raw, spec, permissions)

    outline = make() if key is None else OUTLINES.get(key, make)
    if outline.refused is not None:
        refused = outline.refused
        raise Refused(refused.code, refused.path, refused.permission)
    return outline


def _outline(raw: GraphQLResolveInfo[Any], spec: ReadSpec, permissions: Any) -> Outline:
    reader = SelectionReader(raw, permissions)
    details = [FieldDetails(node, None) for node in raw.field_nodes]
    try:
        wanted = spec.select(reader, details)
    except Refused as refused:
        return Outline(None, [], (), None, refused)
    tree = FillTree(reader.fills) if reader.fills else None
    variables = variables_in(site.node for site in reader.sites)
    return Outline(wanted, reader.sites, tuple(reader.withheld), tree, variables=variables)


def _plan(
    raw: GraphQLResolveInfo[Any],
    outline: Outline,
    spec: ReadSpec,
    visibility: Mapping[str, RowFilter],
    shapes: tuple[PageShape, ...],
) -> Plan:
    statement = Statement(visibility)
    compiler = Compiler(statement, types_of(raw.schema), shapes)
    value = spec.write(compiler, outline.wanted)
    if spec.cursor is not None:
        value = f"({spec.cursor})::text || E'\\n' || coalesce({value}, '')"
    sql, slots = statement.finish(f"convert_to({value}, 'UTF8')")
    needed = {slot[1] for slot in slots if slot[0] == "shared"}
    return Plan(sql, slots, tuple(statement.memories[name] for name in needed))


Pages = tuple[tuple[PageShape, ...], tuple[PageValues, ...]]


def _page_arguments(raw: GraphQLResolveInfo[Any], outline: Outline, context: ReadContext) -> Pages:
    """Read the arguments of all pages, once for the same values of the same reader."""
    if not outline.sites:
        return (), ()
    reader, secret = reader_text(context.actor), context.secret_for("cursor")

    def make() -> Pages:
        return _pages_read(raw, outline.sites, context, reader=reader, secret=secret)

    given = _plain_values(raw, outline.variables)
    return make() if given is None else outline.pages.get((reader, secret, given), make)


def _plain_values(
    raw: GraphQLResolveInfo[Any], names: Sequence[str]
) -> tuple[tuple[type, Any], ...] | None:
    """Return the values of variables by which they can be told apart; None of lists and inputs."""
    values = variables_of(raw).coerced
    found = [values.get(name, Undefined) for name in names]
    plain = all(isinstance(each, str | int | float | UndefinedType | None) for each in found)
    return tuple((type(each), each) for each in found) if plain else None


def _pages_read(
    raw: GraphQLResolveInfo[Any],
    sites: Sequence[Site],
    context: ReadContext,
    *,
    reader: str,
    secret: bytes,
) -> Pages:
    types, found = types_of(raw.schema), []
    for site in sites:
        given = get_argument_values(
            site.definition, site.node, variables_of(raw), hide_suggestions=True
        )
        place = PageContext(
            entry=site.entry,
            order=site.order,
            name=site.name,
            path=site.path,
            permissions=context.actor.permissions,
            reader=reader,
            secret=secret,
            kind_of=types.kind_of,
        )
        found.append(read_page(given, place))
    return tuple(shape for shape, _ in found), tuple(values for _, values in found)


async def _known_by_heart(
    plan: Plan, context: ReadContext
) -> dict[str, Mapping[str, Sequence[Any]]]:
    """Return what need not be asked for of the shared queries of a plan."""
    known = {}
    for shared in plan.memories:
        memory = context.memory.get(shared.name)
        if memory is None:
            assert shared.memory is not None
            memory = context.memory[shared.name] = shared.memory()
        known[shared.name] = await memory.columns(context.pool, context.now)
    return known


@dataclass(frozen=True)
class _Values:
    """Finds the value of a parameter by its slot."""

    context: ReadContext
    visibility: Mapping[str, RowFilter]
    spec: ReadSpec
    pages: tuple[PageValues, ...]
    known: Mapping[str, Mapping[str, Sequence[Any]]]

    def of(self, slot: Slot) -> Any:
        """Return the value as the driver wants it; a text no database holds equals nothing."""
        value = self._of(slot)
        if isinstance(value, str):
            return storable(value)
        return list(value) if isinstance(value, frozenset | set | tuple) else value

    def _of(self, slot: Slot) -> Any:
        match slot:
            case ("now",):
                found: Any = self.context.now
            case ("actor",):
                found = self.context.actor.id
            case ("visible", key, name):
                found = self.visibility[key].arguments[name]
            case ("where", name):
                found = self.spec.where.arguments[name]
            case ("id", name):
                found = self.spec.ids[name]
            case ("shared", shared, column):
                found = self.known[shared][column]
            case ("page", site, *part):
                found = self.pages[site].value(*part)
            case _:
                raise KeyError(slot)
        return found


async def _answer(
    found: bytes | None, outline: Outline, spec: ReadSpec, raw: GraphQLResolveInfo[Any]
) -> Compiled:
    """Take the answer as the bytes it came in: nobody here needs it as text."""
    cursor = None
    if spec.cursor is not None and found is not None:
        position, _, found = found.partition(b"\n")
        cursor = position.decode()
    if not found:
        return Compiled(None, (), cursor)  # nothing is there, so nothing was withheld
    if outline.tree is not None:
        filled, withheld = await _filled(found, outline.tree, raw)
        return Compiled(filled, (*outline.withheld, *withheld), cursor)
    return Compiled(found.replace(b"\n", b""), outline.withheld, cursor)


async def _filled(
    found: bytes, tree: FillTree, raw: GraphQLResolveInfo[Any]
) -> tuple[bytes, list[Withheld]]:
    """Fill in what Python computes, beside the loop where that takes more than a moment."""
    given = tree.given(variables_of(raw))
    if not tree.slow:
        return tree.filled(found, raw.context, given)
    return await worked_out(lambda: tree.filled(found, raw.context, given))


def _is_personal(outline: Outline, arguments: Sequence[Any], context: ReadContext) -> bool:
    """Whether who asks went into the answer: computed by Python, into a cursor, or into SQL."""
    if outline.tree is not None or outline.sites:
        return True
    who = context.actor.id
    return any(each == who or (isinstance(each, list) and who in each) for each in arguments)


def _error(refused: Refused, language: str) -> Exception:
    return refusal(refused.code, language, at=refused.path)


@lru_cache(4096)
def reader_text(actor: Any) -> str:
    """Return what cursors are bound to: who reads and what they see, the same in every process."""
    return f"{actor.id}|{_canonical(actor.scope)}"


def _canonical(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return str([_canonical(getattr(value, each.name)) for each in dataclasses.fields(value)])
    if isinstance(value, frozenset | set):
        return str(sorted(_canonical(each) for each in value))
    if isinstance(value, list | tuple):
        return str([_canonical(each) for each in value])
    return str(value.value if isinstance(value, Enum) else value)
