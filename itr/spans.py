"""Spans for OpenTelemetry: which statements ran and what the worker did, and for how long.

Off unless `OTEL_*` says where they go; then connections are not even watched. A span holds no
text of a statement, no argument and no message of an error: each may hold what is somebody's (S15).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import lru_cache
from time import time_ns
from typing import Any, TypeVar

from opentelemetry import context as surroundings
from opentelemetry import trace
from opentelemetry.trace import NoOpTracer, SpanKind, Status, StatusCode, Tracer, TracerProvider

from itr.settings import WrongSettings

T = TypeVar("T")

_WHERE = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_VERB = re.compile(r"\w+")
_WRITTEN = re.compile(r"(?<=\()\s*(?:insert into|update|delete from)\s+[a-z_]+\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:from|into|update)\s+(?:only\s+)?\"?([a-z_]+)\"?(?!\w|\()", re.IGNORECASE)


def set_up_spans(service: str, environment: Mapping[str, str] | None = None) -> bool:
    """Send spans where `OTEL_*` says; returns whether it says so. Raises WrongSettings."""
    environment = os.environ if environment is None else environment
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if not any(environment.get(name) for name in _WHERE):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk import trace as sdk
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise WrongSettings(
            "设置了 OTEL_*，但未安装：pip install 'itr-desk[tracing]' / "
            "OTEL_* is set, but its library is missing: pip install 'itr-desk[tracing]'."
        ) from None
    named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": service}
    provider = sdk.TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _send_to(provider)
    return True


class _Destination:
    """Where this process sends its spans: nowhere at first."""

    tracer: Tracer | None = None


def _send_to(provider: TracerProvider | None) -> None:
    _Destination.tracer = provider.get_tracer("itr") if provider else None


@contextmanager
def sent_to(provider: TracerProvider) -> Iterator[None]:
    """Send spans to this provider while the block runs."""
    before = _Destination.tracer
    _send_to(provider)
    try:
        yield
    finally:
        _Destination.tracer = before


def tracer() -> Tracer:
    """What makes spans in this process; they go nowhere unless `OTEL_*` says where."""
    return _Destination.tracer or NoOpTracer()


@dataclass(frozen=True, slots=True)
class _Ran:
    """A statement that ran, without what was in it."""

    verb: str
    table: str
    begun: int
    ended: int
    error: str

    def tell(self, tracer: Tracer, context: surroundings.Context | None = None) -> None:
        """Make it a span below the current one, or below that of `context`."""
        said = {"db.system.name": "postgresql", "db.operation.name": self.verb}
        more = {"db.collection.name": self.table, "error.type": self.error}
        span = tracer.start_span(
            f"{self.verb} {self.table}".rstrip(),
            context=context,
            kind=SpanKind.CLIENT,
            start_time=self.begun,
            attributes=said | {name: value for name, value in more.items() if value},
        )
        if self.error:
            span.set_status(Status(StatusCode.ERROR, self.error))
        span.end(self.ended)


_batch: ContextVar[list[_Ran] | None] = ContextVar("batch", default=None)


def watching() -> dict[str, Any]:
    """What a pool is opened with so that its statements become spans; nothing while they are off.

    Only statements below an operation's span or in a batch are told: polling is not.
    """
    return {"init": _watch} if _Destination.tracer else {}


async def _watch(connection: Any) -> None:
    connection.add_query_logger(_ran)


def _ran(record: Any) -> None:
    """Take note of a statement: asyncpg calls this in the surroundings of whoever ran it."""
    tracer, batch = _Destination.tracer, _batch.get()
    below = trace.get_current_span().get_span_context().is_valid
    if tracer is None or not (below or batch is not None):
        return
    ended = time_ns()
    begun = ended - int(record.elapsed * 1e9)
    error = type(record.exception).__name__ if record.exception else ""
    ran = _Ran(*_summary(record.query), begun, ended, error)
    if batch is not None:
        batch.append(ran)
    else:
        ran.tell(tracer)


@lru_cache(1024)
def _summary(statement: str) -> tuple[str, str]:
    """The verb of a statement and the first table it names: words of ours, never of a value.

    Of several parts it is the first that writes.
    """
    bare = _LITERAL.sub("''", statement)
    if written := _WRITTEN.search(bare):
        bare = bare[written.start() :]
    verb, table = _VERB.search(bare), _TABLE.search(bare)
    return (verb[0].lower() if verb else "", table[1].lower() if table else "")


async def batch(name: str, work: Awaitable[T], *, size: Callable[[Any], int] = int) -> T:
    """Do a piece of the worker's; a span tells of it, and of its statements, if it did anything."""
    tracer = _Destination.tracer
    if tracer is None:
        return await work
    ran: list[_Ran] = []
    before, begun, done, error = _batch.set(ran), time_ns(), 0, ""
    try:
        result = await work
        done = size(result)
    except Exception as failure:
        error = type(failure).__name__
        raise
    finally:
        await asyncio.sleep(0)  # what ran last is told one step later
        _batch.reset(before)
        if done or error:
            _tell(tracer, name, ran, begun=begun, done=done, error=error)
    return result


def _tell(tracer: Tracer, name: str, ran: list[_Ran], *, begun: int, done: int, error: str) -> None:
    span = tracer.start_span(
        f"batch {name}",
        context=surroundings.Context(),
        start_time=begun,
        attributes={"itr.batch": name, "itr.done": done},
    )
    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
    below = trace.set_span_in_context(span, surroundings.Context())
    for each in ran:
        each.tell(tracer, below)
    span.end()


def apart() -> Context:
    """These surroundings without their span, for a task that outlives who began it."""
    found = copy_context()
    found.run(surroundings.attach, surroundings.Context())
    return found
