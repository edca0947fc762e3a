"""What a document would cost and where, worked out without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSyntaxError,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from api.transport.documents import Document
from api.transport.errors import Refusal
from api.transport.limits import Limits, Measure, Measuring, refuse_over
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


def explain(
    schema: GuardedSchema, text: str, variables: Mapping[str, Any], name: str | None
) -> Explanation:
    """Explain one operation of a document; raises GraphQLError for what is not valid."""
    try:
        document = schema.documents.read(text)
    except GraphQLSyntaxError as error:
        raise Refusal("GRAPHQL_PARSE_FAILED", reason=error.message) from None
    operation = document.operation(name)
    _refuse_invalid(document)
    explaining = Explaining(schema._schema, document.ast, limits=schema.limits, variables=variables)
    measure = explaining.measure(operation)
    root = schema._schema.get_root_type(operation.operation)
    lines = explaining.lines(operation.selection_set, root)
    return Explanation(measure, lines, _refusal(schema.limits, measure, operation))


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
    ) -> None:
        for selection in node.selections:
            if len(found) >= LINES:
                return
            if isinstance(selection, FieldNode):
                self._tell(selection, parent, above, found)
            else:
                below, kind = self._inside(selection, parent)
                if below is not None:
                    self._walk(below, kind, above, found)

    def _tell(
        self, node: FieldNode, parent: GraphQLNamedType | None, above: Line, found: list[Line]
    ) -> None:
        key = (node.alias or node.name).value
        part = self._field(node, parent)
        line = Line((*above.path, key), above.times, above.times * part.cost)
        found.append(line)
        if node.selection_set is not None:
            field = self._definition(node.name.value, parent)
            kind = get_named_type(field.type) if field else None
            inner = Line(line.path, above.times * self._page(node, field, parent), 0)
            self._walk(node.selection_set, kind, inner, found)

    def _inside(
        self, selection: SelectionNode, parent: GraphQLNamedType | None
    ) -> tuple[SelectionSetNode | None, GraphQLNamedType | None]:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            kind = self._schema.get_type(condition.name.value) if condition else parent
            return selection.selection_set, kind
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments[selection.name.value]
            return fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value)
        return None, None

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measure:
        known = self._parts.get(id(node))
        if known is None:
            known = self._parts[id(node)] = super()._selections(node, parent)
        return known


def _refuse_invalid(document: Document) -> None:
    if document.errors:
        raise Refusal("GRAPHQL_VALIDATION_FAILED", reason=document.errors[0].message)


def _refusal(limits: Limits, measure: Measure, operation: Any) -> Refusal | None:
    try:
        refuse_over(limits, measure, operation)
    except GraphQLError as error:
        return error if isinstance(error, Refusal) else None
    return None
