"""What a document would cost and where, worked out without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from api.transport.documents import Document
from api.transport.errors import Refusal
from api.transport.inputs import Given, Path
from api.transport.limits import Measure
from api.transport.measuring import Measuring
from api.transport.schema import GuardedSchema

LINES = 500
"""How many paths are told; documents within the limits seldom have more."""
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """One path of a document: how often it is counted, and what it costs with all below it."""

    path: tuple[str, ...]
    times: int
    cost: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an operation costs as a whole, by path, and why it would be refused, if it would."""

    measure: Measure
    lines: list[Line]
    refusal: Refusal | None


async def explain(
    schema: GuardedSchema, text: str, variables: Mapping[str, Any], name: str | None
) -> Explanation:
    """Explain one operation of a document.

    Raises GraphQLError for what is not valid, DomainError for variables over a limit.
    """
    try:
        document = await schema.documents.fetch(text)
    except GraphQLSyntaxError as error:
        raise Refusal("GRAPHQL_PARSE_FAILED", reason=error.message) from None
    operation = document.operation(name)
    given = document.given(operation, variables)
    refusal = _refusal(document, operation, given)
    if refusal is None:
        await _refuse_invalid(document)
    explaining = Explaining(schema._schema, document.ast, limits=schema.limits, given=given)
    measure = explaining.measure(operation)
    root = schema._schema.get_root_type(operation.operation)
    lines = explaining.lines(operation.selection_set, root)
    return Explanation(measure, lines, refusal)


class Explaining(Measuring):
    """Measures as the gate does, and remembers each part."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts: dict[int, Measure] = {}

    def lines(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> list[Line]:
        """Every path below a selection, in the document's order."""
        found: list[Line] = []
        self._walk(node, parent, Line((), 1, 0), found)
        return found

    def _walk(
        self,
        node: SelectionSetNode,
        parent: GraphQLNamedType | None,
        above: Line,
        found: list[Line],
        within: tuple[str, ...] = (),
    ) -> None:
        for selection in node.selections:
            if len(found) >= LINES or len(within) > self._limits.fragments:
                return
            if isinstance(selection, FieldNode):
                self._tell(selection, parent, above, found, within)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self._schema.get_type(condition.name.value) if condition else parent
                self._walk(selection.selection_set, kind, above, found, within)
            elif isinstance(selection, FragmentSpreadNode):
                self._open(selection.name.value, above, found, within)

    def _open(self, name: str, above: Line, found: list[Line], within: tuple[str, ...]) -> None:
        """Tell what a fragment holds, unless it is one this is in already."""
        fragment = self._fragments.get(name)
        if fragment is not None and name not in within:
            kind = self._schema.get_type(fragment.type_condition.name.value)
            self._walk(fragment.selection_set, kind, above, found, (*within, name))

    def _tell(
        self,
        node: FieldNode,
        parent: GraphQLNamedType | None,
        above: Line,
        found: list[Line],
        within: tuple[str, ...],
    ) -> None:
        key = (node.alias or node.name).value
        part = self._field(node, parent, ())
        line = Line((*above.path, key), above.times, above.times * part.cost)
        found.append(line)
        if node.selection_set is not None:
            field = self._definition(node.name.value, parent)
            kind = get_named_type(field.type) if field else None
            times = self.times(self.sizes_of(node, ()), field, parent)
            inner = Line(line.path, above.times * times, 0)
            self._walk(node.selection_set, kind, inner, found, within)

    def _selections(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, path: Path
    ) -> Measure:
        known = self._parts.get(id(node))
        if known is None:
            known = self._parts[id(node)] = super()._selections(node, parent, path)
        return known


async def _refuse_invalid(document: Document) -> None:
    errors = await document.validated()
    if errors:
        raise Refusal("GRAPHQL_VALIDATION_FAILED", reason=errors[0].message)


def _refusal(
    document: Document, operation: OperationDefinitionNode, given: Given
) -> Refusal | None:
    """Why the document would not be run, if it is for its size."""
    try:
        document.measure(operation, given)
    except Refusal as refusal:
        return refusal
    return None
