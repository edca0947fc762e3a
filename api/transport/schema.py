"""A Strawberry schema behind the gate: measured before validated, validated before run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.execution import ExecutionContext, PreExecutionError
from strawberry.types.graphql import OperationType

from api.execution import CompiledSchema
from api.transport.documents import Document, Documents
from api.transport.errors import Refusal, report
from api.transport.executor import TransportExecutor
from api.transport.inputs import Given
from api.transport.limits import Limits
from api.transport.permitted import ensure_permitted
from api.transport.usage import Usage
from itr.errors import DomainError


class RememberedNames(NameConverter):
    """Strawberry's names, each worked out once: reading an input asks for them at every value."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, str] = {}

    def apply_naming_config(self, name: str) -> str:
        """The GraphQL name of a Python name."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = super().apply_naming_config(name)
        return known


class GuardedSchema(CompiledSchema):
    """The schema as every transport runs it.

    Refusals come back as results with errors, never as exceptions, so that HTTP, WebSocket and
    SSE say the same; `@defer` and `@stream` stay off, and nothing is suggested to anybody.
    """

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        *,
        types: Iterable[type] = (),
        limits: Limits | None = None,
        config: StrawberryConfig | None = None,
    ) -> None:
        config = config or StrawberryConfig()
        config.disable_field_suggestions = True
        config.name_converter = RememberedNames()
        config.enable_experimental_incremental_execution = False
        super().__init__(
            query,
            mutation,
            subscription,
            types=types,
            execution_context_class=TransportExecutor,
            config=config,
        )
        self.limits = limits or Limits()
        self.documents = Documents(self._schema, self.limits)
        self.usage = Usage()

    @cached_property
    def text(self) -> str:
        """The schema in its own language."""
        return self.as_str() + "\n"

    async def _prepare_operation_async(
        self,
        context: ExecutionContext,
        extensions_runner: SchemaExtensionsRunner,
    ) -> PreExecutionError | None:
        try:
            if not context.query:
                raise Refusal("MISSING_QUERY")
            async with extensions_runner.parsing():
                document = await self.documents.fetch(context.query)
                context.graphql_document = document.ast
            operation = document.operation(context._provided_operation_name)
            kind = OperationType(operation.operation.value)
            self._refuse_kind(kind, context.allowed_operations)
            if kind is OperationType.MUTATION and context.context.actor.only_reads:
                raise Refusal("FORBIDDEN")
            if context.context.query_cost is not None:
                context.context.query_cost.kind = operation.operation.value
                context.context.query_cost.name = operation.name.value if operation.name else None
            measure = document.measure(operation, self._given(document, operation, context))
            if context.context.query_cost is not None:
                await context.context.query_cost.charge(measure.cost)
            async with extensions_runner.validation():
                errors: list[GraphQLError] = list(await document.validated())
            if not errors and context.context.query_cost is not None:
                self.usage.note(context.context.actor.client_id, document, operation)
        except GraphQLError as error:
            errors = [error]
        except DomainError as error:
            errors = [GraphQLError(str(error), original_error=error)]
        context.pre_execution_errors = errors or None
        return PreExecutionError(data=None, errors=errors) if errors else None

    def _given(
        self, document: Document, operation: OperationDefinitionNode, context: ExecutionContext
    ) -> Given:
        """Count the variables; who may not do it at all is told that before they are refused."""
        try:
            given = document.given(operation, context.variables or {})
        except DomainError:
            ensure_permitted(self._schema, document.ast, operation, context.context.actor)
            raise
        if given.nodes > self.limits.input_nodes:
            ensure_permitted(self._schema, document.ast, operation, context.context.actor)
        return given

    @staticmethod
    def _refuse_kind(kind: OperationType, allowed: Iterable[OperationType]) -> None:
        if kind in allowed:
            return
        if kind is OperationType.SUBSCRIPTION:
            raise Refusal("OPERATION_NOT_SUPPORTED")
        raise Refusal("METHOD_NOT_ALLOWED")

    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,
    ) -> None:
        """Log what nobody expected under the request's id."""
        context = execution_context.context if execution_context else None
        report(errors, request_id=getattr(context, "request_id", "-"))
