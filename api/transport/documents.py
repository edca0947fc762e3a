"""Documents parsed, measured and validated once, kept within a budget of characters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.transport.coordinates import coordinates_of
from api.transport.errors import Invalid, Refusal
from api.transport.limits import Limits, Measure, Measuring, refuse_over
from itr.documents.rules import sha256_of

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_MEASURES = 32
_KEPT_CHARACTERS = 1_000_000


class Document:
    """A parsed document and what has been found out about it."""

    def __init__(self, text: str, ast: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self.text = text
        self.ast = ast
        self._schema = schema
        self._limits = limits
        self._errors: list[Invalid] | None = None
        self._measures: dict[object, Measure] = {}
        self._coordinates: dict[str, tuple[str, ...]] = {}
        self._read: dict[str | None, tuple[str, ...]] = {}

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run; raises Refusal when it is not clear which."""
        operations = [
            definition
            for definition in self.ast.definitions
            if isinstance(definition, OperationDefinitionNode)
            and (name is None or (definition.name and definition.name.value == name))
        ]
        if len(operations) != 1:
            raise Refusal("UNKNOWN_OPERATION")
        return operations[0]

    def measure(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Measure:
        """The operation's size with these variables; raises Refusal over the limits."""
        name = operation.name.value if operation.name else None
        if name in self._read:
            known = self._measures.get((name, *self._sizes(name, variables)))
            if known is not None:
                return known
        measuring = Measuring(self._schema, self.ast, limits=self._limits, variables=variables)
        measure = measuring.measure(operation)
        refuse_over(self._limits, measure, operation)
        self._read[name] = tuple(sorted(measuring.read))
        if len(self._measures) < _MEASURES:
            self._measures[(name, *self._sizes(name, variables))] = measure
        return measure

    def _sizes(self, name: str | None, variables: Mapping[str, Any]) -> tuple[object, ...]:
        given = (variables.get(variable) for variable in self._read[name])
        return tuple(len(value) if isinstance(value, list) else str(value) for value in given)

    @cached_property
    def sha256(self) -> str:
        """What its text is known by."""
        return sha256_of(self.text)

    def coordinates(self, name: str) -> tuple[str, ...]:
        """The fields and arguments an operation names; "" is the one without a name."""
        found = self._coordinates.get(name)
        if found is None:
            found = coordinates_of(self._schema, self.ast, name)
            self._coordinates[name] = found
        return found

    @property
    def errors(self) -> list[Invalid]:
        """What validation has against it, found when first asked for."""
        if self._errors is None:
            found = validate(self._schema, self.ast, _RULES, hide_suggestions=True)
            self._errors = [_without_foreign_text(error) for error in found]
        return self._errors


class Documents:
    """Reads documents; the same text gives the same document while there is room."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, text: str) -> Document:
        """Return the document; raises GraphQLSyntaxError or Refusal."""
        known = self._kept.get(text)
        if known is not None:
            self._kept.move_to_end(text)
            return known
        document = Document(text, self._parsed(text), self._schema, self._limits)
        self._kept[text] = document
        self._characters += len(text)
        while self._characters > _KEPT_CHARACTERS:
            oldest, _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)
        return document

    def _parsed(self, text: str) -> DocumentNode:
        if len(text) > self._limits.document_characters:
            raise Refusal("TOO_COMPLEX", reason="the document is too long")
        try:
            ast = parse(text, max_lexical_tokens=self._limits.tokens, max_comments=1_000)
        except RecursionError:
            raise Refusal("TOO_COMPLEX", reason="the document is nested too deeply") from None
        fragments = [one for one in ast.definitions if isinstance(one, FragmentDefinitionNode)]
        if len(fragments) > self._limits.fragments:
            raise Refusal("TOO_COMPLEX", reason="there are too many fragments")
        return ast


def _without_foreign_text(error: GraphQLError) -> Invalid:
    """Keep what the library says, drop what a scalar's own exception added to it (S7)."""
    cause = error.original_error
    message = error.message
    if cause is not None and not isinstance(cause, GraphQLError):
        message = message.replace(str(cause), "").rstrip(" ;:,")
    return Invalid(message, error.nodes)
