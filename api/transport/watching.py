"""Every operation watched the same way on every transport: counted, traced, told when slow."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from graphql import GraphQLError

from api.transport.bodies import Operation
from api.transport.errors import code_of
from api.transport.metrics import Metrics
from api.transport.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.transport.context import Context

logger = logging.getLogger("itr.api")

SLOW_SECONDS = 2.0
OK = "ok"
LEFT = "LEFT"
"""The outcome of an operation whose client left before it was done."""


class Watched:
    """One operation being watched."""

    __slots__ = ("outcome", "registered")

    def __init__(self) -> None:
        self.outcome = LEFT
        self.registered = False

    def resolved(self, operation: Operation) -> Operation:
        """Take note of whether the document is a registered one."""
        self.registered = operation.registered
        return operation

    def came(self, errors: Sequence[GraphQLError] | None) -> None:
        """A result came, with these errors."""
        self.outcome = code_of(errors[0]) if errors else OK


class Watching:
    """The metrics and spans of one process."""

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.metrics = Metrics()
        self.tracing = tracing or Tracing()

    @contextmanager
    def operation(
        self, transport: str, context: Context, headers: Mapping[str, str]
    ) -> Iterator[Watched]:
        """Watch the block run one operation."""
        watched, span = Watched(), self.tracing.begin(transport, headers)
        begun = perf_counter()
        try:
            with self.tracing.below(span):
                yield watched
        except (GraphQLError, TimeoutError) as error:
            watched.outcome = code_of(error) if isinstance(error, GraphQLError) else "TIMEOUT"
            raise
        finally:
            self._done(watched, transport, context, seconds=perf_counter() - begun)
            self.tracing.end(span, context.query_cost, watched.outcome, context.request_id)

    def _done(self, watched: Watched, transport: str, context: Context, *, seconds: float) -> None:
        query_cost = context.query_cost
        kind = query_cost.kind if query_cost else "unknown"
        name = self.metrics.name_of(
            query_cost.name if query_cost else None, registered=watched.registered
        )
        if query_cost:
            query_cost.shown_as = name
        lasts = kind == "subscription"
        timed = None if lasts else seconds
        self.metrics.done(transport, kind, name, outcome=watched.outcome, seconds=timed)
        if not lasts and seconds > SLOW_SECONDS:
            logger.warning("slow %s %s: %.1f s, %s", kind, name, seconds, watched.outcome)
