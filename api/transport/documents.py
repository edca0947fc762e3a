"""Documents parsed, measured and validated once, kept within a budget of characters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from graphql import (
    SKIP,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    Token,
    TokenKind,
    VariableDefinitionNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.transport.coordinates import coordinates_of
from api.transport.errors import Invalid, Refusal
from api.transport.inputs import Given, TooManyDigits, most_held
from api.transport.limits import Limits, Measure, refuse_over
from api.transport.measuring import Comparing, Measuring
from api.working_out import worked_out
from itr.trusted_documents.rules import sha256_of

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_MEASURES = 32
_KEPT_CHARACTERS = 1_000_000
_LONG = 2_000
"""Documents of so many characters are parsed and validated beside the loop."""
_NUMBERS = (TokenKind.INT, TokenKind.FLOAT)


class Document:
    """A parsed document and what has been found out about it."""

    def __init__(self, text: str, ast: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self.text = text
        self.ast = ast
        self.operations = [
            each for each in ast.definitions if isinstance(each, OperationDefinitionNode)
        ]
        self._schema = schema
        self._limits = limits
        self._errors: list[Invalid] | None = None
        self._measures: dict[object, Measure] = {}
        self._coordinates: dict[str, tuple[str, ...]] = {}
        self._names = sorted(
            {
                each.variable.name.value
                for operation in self.operations
                for each in operation.variable_definitions or ()
            }
        )
        self._pages: set[str] | None = None

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run; raises Refusal when it is not clear which."""
        operations = [
            each
            for each in self.operations
            if name is None or (each.name and each.name.value == name)
        ]
        if len(operations) != 1:
            raise Refusal("UNKNOWN_OPERATION")
        return operations[0]

    def given(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Given:
        """Count the variables an operation came with; raises DomainError over a limit."""
        most = most_held(self._schema, operation, self._limits)
        return Given.of(variables, self._limits, most=most)

    def measure(self, operation: OperationDefinitionNode, given: Given) -> Measure:
        """The operation's size with these variables, once all of the document is within limits.

        Raises Refusal or DomainError, also for what is not to be run: all of it is validated.
        """
        known = self._measures.get((id(operation), *self._sizes(given)))
        if known is not None:
            return known
        measuring = Measuring(self._schema, self.ast, limits=self._limits, given=given)
        measures = {id(each): measuring.measure(each) for each in self.operations}
        for each in self.operations:
            refuse_over(self._limits, measures[id(each)], each.operation)
        for unused in measuring.measure_unused():
            refuse_over(self._limits, unused, None)
        self._pages = measuring.pages
        if len(self._measures) < _MEASURES:
            self._measures[(id(operation), *self._sizes(given))] = measures[id(operation)]
        return measures[id(operation)]

    def _sizes(self, given: Given) -> tuple[object, ...]:
        """All of the variables that the measures depend on; a page's number, of others their size.

        Which are pages does not depend on the variables: every field is walked whatever they are.
        """
        found = ((name, given.sizes.get(name)) for name in self._names)
        pages = self._pages or ()
        return tuple(
            size if size is None or name in pages else size._replace(number=None)
            for name, size in found
        )

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

    async def validated(self) -> list[Invalid]:
        """The same; a long document is validated beside the loop."""
        if self._errors is not None or len(self.text) < _LONG:
            return self.errors
        return await worked_out(lambda: self.errors)


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
        """Return the document; raises GraphQLSyntaxError, Refusal or DomainError."""
        return self._known(text) or self._keep(text, self._made(text))

    async def fetch(self, text: str) -> Document:
        """The same; a long document is read beside the loop."""
        known = self._known(text)
        if known is not None or not _LONG <= len(text) <= self._limits.document_characters:
            return known or self.read(text)
        made = await worked_out(lambda: self._made(text))
        return self._known(text) or self._keep(text, made)

    def _known(self, text: str) -> Document | None:
        known = self._kept.get(text)
        if known is not None:
            self._kept.move_to_end(text)
        return known

    def _keep(self, text: str, document: Document) -> Document:
        self._kept[text] = document
        self._characters += len(text)
        while self._characters > _KEPT_CHARACTERS:
            oldest, _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)
        return document

    def _made(self, text: str) -> Document:
        """Parse a document and see that validating it will not take long."""
        ast = self._parsed(text)
        _refuse_many(ast, FragmentDefinitionNode, self._limits.fragments, "fragments")
        _refuse_many(ast, OperationDefinitionNode, self._limits.operations, "operations")
        self._refuse_long_numbers(ast)
        self._refuse_comparisons(ast)
        return Document(text, ast, self._schema, self._limits)

    def _parsed(self, text: str) -> DocumentNode:
        if len(text) > self._limits.document_characters:
            raise Refusal("TOO_COMPLEX", reason="the document is too long")
        try:
            return parse(text, max_lexical_tokens=self._limits.tokens, max_comments=1_000)
        except RecursionError:
            raise Refusal("TOO_COMPLEX", reason="the document is nested too deeply") from None

    def _refuse_long_numbers(self, ast: DocumentNode) -> None:
        """Refuse numbers no field holds: reading them takes long, or fails."""
        token = ast.loc.start_token if ast.loc else None
        while token is not None:
            if token.kind in _NUMBERS and len(token.value or "") > self._limits.digits:
                raise TooManyDigits(path=_path_to(ast, token), most=self._limits.digits)
            token = token.next

    def _refuse_comparisons(self, ast: DocumentNode) -> None:
        comparing = Comparing(ast, self._limits)
        for each in ast.definitions:
            if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode):
                try:
                    comparing.count(each.selection_set)
                except RecursionError:
                    raise Refusal("TOO_COMPLEX", reason="it is nested too deeply") from None


def _refuse_many(ast: DocumentNode, kind: type, most: int, what: str) -> None:
    if sum(isinstance(each, kind) for each in ast.definitions) > most:
        raise Refusal("TOO_COMPLEX", reason=f"there are too many {what}")


def _path_to(ast: DocumentNode, token: Token) -> list[str]:
    """The fields and arguments around a token, by their names in the document."""
    finding = _Finding(token)
    visit(ast, finding)
    return finding.found


class _Finding(Visitor):
    """Finds what stands around a token."""

    def __init__(self, token: Token) -> None:
        super().__init__()
        self._token = token
        self.found: list[str] = []

    def enter(self, node: Node, *_: Any) -> Any:
        """Go on into what holds the token; name fields, arguments and variables on the way."""
        location = node.loc
        if location is None or not location.start <= self._token.start < location.end:
            return SKIP
        if isinstance(node, FieldNode):
            self.found.append((node.alias or node.name).value)
        elif isinstance(node, ArgumentNode | ObjectFieldNode | DirectiveNode):
            self.found.append(node.name.value)
        elif isinstance(node, VariableDefinitionNode):
            self.found.append(node.variable.name.value)
        return None


def _without_foreign_text(error: GraphQLError) -> Invalid:
    """Keep what the library says, drop what a scalar's own exception added to it (S7)."""
    cause = error.original_error
    message = error.message
    if cause is not None and not isinstance(cause, GraphQLError):
        message = message.replace(str(cause), "").rstrip(" ;:,")
    return Invalid(message, error.nodes)
