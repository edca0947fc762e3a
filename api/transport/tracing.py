"""Spans of operations for OpenTelemetry: off unless `OTEL_*` says where they go.

A span tells what kind of operation ran, how long, and what came of it. It tells nothing of
anybody: no variables, no arguments, no ids, no texts of documents (S15).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from api.transport.budget import Bill
from itr.settings import WrongSettings

_WHERE = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def set_up_tracing(environment: Mapping[str, str] | None = None) -> bool:
    """Send spans where `OTEL_*` says; returns whether it says so. Raises WrongSettings."""
    environment = os.environ if environment is None else environment
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if not any(environment.get(name) for name in _WHERE):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise WrongSettings(
            "设置了 OTEL_*，但未安装：pip install 'itr-desk[tracing]' / "
            "OTEL_* is set, but its library is missing: pip install 'itr-desk[tracing]'."
        ) from None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


class Tracing:
    """Makes the spans of one process."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("itr")

    def begin(self, transport: str, headers: Mapping[str, str]) -> Span:
        """Begin a span for one operation, below the caller's own if it sends one."""
        came_from = propagate.extract(headers) if "traceparent" in headers else None
        return self._tracer.start_span(
            f"graphql {transport}", context=came_from, kind=SpanKind.SERVER
        )

    @staticmethod
    def end(span: Span, bill: Bill | None, outcome: str, request_id: str) -> None:
        """Say what came of it."""
        if span.is_recording() and bill is not None:
            span.update_name(f"{bill.kind} {bill.shown_as}")
            span.set_attributes(
                {
                    "graphql.operation.type": bill.kind,
                    "graphql.operation.name": bill.shown_as,
                    "itr.outcome": outcome,
                    "itr.cost": bill.requested,
                    "itr.request_id": request_id,
                }
            )
            if outcome in {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}:
                span.set_status(Status(StatusCode.ERROR, outcome))
        span.end()
