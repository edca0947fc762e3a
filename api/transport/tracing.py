"""Spans of operations for OpenTelemetry, above those of the statements they run.

A span tells what kind of operation ran, how long, and what came of it. It tells nothing of
anybody: no variables, no arguments, no ids, no texts of documents (S15).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from api.transport.budget import QueryCost
from itr import spans


class Tracing:
    """Makes the spans of one process."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or spans.tracer()

    def begin(self, transport: str, headers: Mapping[str, str]) -> Span:
        """Begin a span for one operation, below the caller's own if it sends one."""
        came_from = propagate.extract(headers) if "traceparent" in headers else None
        return self._tracer.start_span(
            f"graphql {transport}", context=came_from, kind=SpanKind.SERVER
        )

    @staticmethod
    def below(span: Span) -> AbstractContextManager[object]:
        """Put the spans of what the block does below this one."""
        if not span.is_recording():
            return nullcontext()
        return trace.use_span(span, record_exception=False, set_status_on_exception=False)

    @staticmethod
    def end(span: Span, query_cost: QueryCost | None, outcome: str, request_id: str) -> None:
        """Say what came of it."""
        if span.is_recording() and query_cost is not None:
            span.update_name(f"{query_cost.kind} {query_cost.shown_as}")
            span.set_attributes(
                {
                    "graphql.operation.type": query_cost.kind,
                    "graphql.operation.name": query_cost.shown_as,
                    "itr.outcome": outcome,
                    "itr.cost": query_cost.requested,
                    "itr.request_id": request_id,
                }
            )
            if outcome in {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}:
                span.set_status(Status(StatusCode.ERROR, outcome))
        span.end()
