"""A Strawberry schema behind the gate: measured before validated, validated before run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from graphql import GraphQLError
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext, PreExecutionError
from strawberry.types.graphql import OperationType

from api.execution import CompiledSchema
from api.transport.documents import Documents
from api.transport.errors import Refusal, report
from api.transport.executor import TransportExecutor
from api.transport.limits import Limits
from api.transport.usage import Usage


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
                document = self.documents.read(context.query)
                context.graphql_document = document.ast
            operation = document.operation(context._provided_operation_name)
            kind = OperationType(operation.operation.value)
            self._refuse_kind(kind, context.allowed_operations)
            if kind is OperationType.MUTATION and context.context.actor.only_reads:
                raise Refusal("FORBIDDEN")
            if context.context.bill is not None:
                context.context.bill.kind = operation.operation.value
                context.context.bill.name = operation.name.value if operation.name else None
            async with extensions_runner.validation():
                measure = document.measure(operation, context.variables or {})
                errors: list[GraphQLError] = list(document.errors)
            if not errors and context.context.bill is not None:
                await context.context.bill.charge(measure.cost)
                self.usage.note(context.context.actor.client_id, document, operation)
        except GraphQLError as error:
            errors = [error]
        context.pre_execution_errors = errors or None
        return PreExecutionError(data=None, errors=errors) if errors else None

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
