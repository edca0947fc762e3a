"""One operation run to its last result, the same way for sockets and event streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, nullcontext
from typing import Any, cast

import structlog
from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from api.transport.bodies import Operation
from api.transport.context import Context
from api.transport.errors import Refusal
from api.transport.services import Services
from itr.errors import DomainError

logger = logging.getLogger("itr.api")
EVERYTHING = frozenset(OperationType)


async def results_of(
    services: Services,
    context: Context,
    operation: Operation,
    *,
    transport: str,
    allowed: frozenset[OperationType] = EVERYTHING,
) -> AsyncIterator[ExecutionResult]:
    """Yield the results of any operation; failures are results, never exceptions.

    A query or mutation has the usual time limit; a subscription may last.
    """
    structlog.contextvars.bind_contextvars(request_id=context.request_id)
    try:
        with services.watching.operation(transport, context, {}) as watched:
            operation = await services.trusted.resolve(context.actor, operation)
            async with aclosing(
                cast("Any", _run(services, context, watched.resolved(operation), allowed))
            ) as results:
                async for result in results:
                    watched.came(result.errors)
                    yield result
    except Refusal as refusal:
        yield PreExecutionError(data=None, errors=[refusal])
    except TimeoutError:
        yield PreExecutionError(data=None, errors=[Refusal("TIMEOUT")])
    except Exception:
        logger.exception("request %s failed", context.request_id)
        yield ExecutionResult(data=None, errors=[Refusal("INTERNAL")])


async def _run(
    services: Services,
    context: Context,
    operation: Operation,
    allowed: frozenset[OperationType],
) -> AsyncIterator[ExecutionResult]:
    lasts = await _lasts(services, operation)
    with services.watching.metrics.subscribed() if lasts else nullcontext():
        async with asyncio.timeout(None if lasts else services.limits.operation_seconds):
            stream = await services.schema.stream(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                operation_extensions=operation.extensions,
                allowed_operation_types=allowed,
            )
            async with aclosing(cast("Any", stream)) as results:
                async for result in results:
                    yield result


async def _lasts(services: Services, operation: Operation) -> bool:
    try:
        document = await services.schema.documents.fetch(operation.query)
        kind = document.operation(operation.name).operation.value
    except (GraphQLError, DomainError):
        return False
    return kind == OperationType.SUBSCRIPTION.value
