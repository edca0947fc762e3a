"""What operators watch: counted as it happens, or looked up when Prometheus asks."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.planner.plans import OUTLINES
from itr.networks import read_address
from itr.settings import Settings
from itr.valkey import open_valkey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.transport.services import Services

logger = logging.getLogger("itr.metrics")

OTHERS = "other"
"""What operations are called whose documents are not registered."""
_PASSED_ON = frozenset({"via", "forwarded", "x-real-ip"})
_MOST_NAMES = 500
_PATIENCE = 3.0
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 12.0)
_DUE = """
select (select count(*) from clock where next_alarm_at < now()) as alarms_overdue,
    coalesce((select extract(epoch from now() - min(next_alarm_at))
        from clock where next_alarm_at < now()), 0)::float8 as alarm_lateness,
    (select count(*) from timer where due_at < now()) as timers_overdue,
    coalesce((select extract(epoch from now() - min(due_at))
        from timer where due_at < now()), 0)::float8 as timer_lateness,
    (select count(*) from clock where next_alarm_at is not null) as alarms_armed
"""
_MEANINGS = {
    "alarms_overdue": "Alarms that are due and have not fired.",
    "alarm_lateness": "Seconds the alarm that is due longest has not fired.",
    "timers_overdue": "Timers that are due and have not ended.",
    "timer_lateness": "Seconds the timer that is due longest has not ended.",
    "alarms_armed": "Clocks with an alarm to come.",
}
_UNITS = {"alarm_lateness": "alarm_lateness_seconds", "timer_lateness": "timer_lateness_seconds"}


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._names: set[str] = set()
        self._operations = Counter(
            "itr_operations",
            "Operations by transport, kind, name and outcome.",
            ("transport", "kind", "operation", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "itr_operation_seconds",
            "How long queries and mutations took.",
            ("operation",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.subscriptions = 0

    def name_of(self, name: str | None, *, registered: bool) -> str:
        """What an operation is called: its name if its document is registered, else one for all."""
        if not registered or not name:
            return OTHERS
        if name not in self._names:
            if len(self._names) >= _MOST_NAMES:
                return OTHERS
            self._names.add(name)
        return name

    def done(
        self, transport: str, kind: str, operation: str, *, outcome: str, seconds: float | None
    ) -> None:
        """Count an operation; a subscription has no duration."""
        self._operations.labels(transport, kind, operation, outcome).inc()
        if seconds is not None:
            self._seconds.labels(operation).observe(seconds)

    @contextmanager
    def subscribed(self) -> Iterator[None]:
        """Count a subscription while it lasts."""
        self.subscriptions += 1
        try:
            yield
        finally:
            self.subscriptions -= 1


async def metrics(request: Request) -> Response:
    """The figures, for whoever may read them; nothing that a proxy passed on (S21)."""
    services: Services = request.app.state.services
    if _is_forwarded(request) or not _may_read(request, services.settings):
        return PlainTextResponse("403", status_code=403)
    looked_up = CollectorRegistry()
    looked_up.register(_LookedUp(services, await _due(services), await _queued(services)))
    text = generate_latest(services.watching.metrics.registry) + generate_latest(looked_up)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _is_forwarded(request: Request) -> bool:
    return any(name in _PASSED_ON or name.startswith("x-forwarded-") for name in request.headers)


def _may_read(request: Request, settings: Settings) -> bool:
    """With the token; without one this machine only, and only where the settings say so."""
    token = settings.metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), token.encode())
    if not settings.metrics_without_token:
        return False
    peer = read_address(request.client.host if request.client else "")
    return peer is not None and peer.is_loopback


class _LookedUp(Collector):
    """What is known only when it is looked at."""

    def __init__(self, services: Services, due: dict[str, float], queued: int | None) -> None:
        self._services = services
        self._due = due
        self._queued = queued

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Gauges of this moment; what could not be looked up is left out."""
        services = self._services
        yield _gauge("itr_sockets", "Open WebSockets and event streams.", len(services.connections))
        yield _gauge(
            "itr_subscriptions", "Running subscriptions.", services.watching.metrics.subscriptions
        )
        yield _gauge("itr_live_sources", "Live sources shared by them.", len(services.live))
        yield _gauge("itr_feed_lag_seconds", "How far the feed is behind.", services.feed.lag)
        yield _gauge("itr_plans", "Outlines of compiled reads kept.", len(OUTLINES))
        yield _gauge("itr_plans_made", "Outlines made: cache misses so far.", OUTLINES.made)
        yield _gauge("itr_documents", "Parsed documents kept.", len(services.schema.documents))
        yield _gauge("itr_database_up", "Whether the database answers.", bool(self._due))
        for name, value in self._due.items():
            yield _gauge(f"itr_{_UNITS.get(name, name)}", _MEANINGS[name], value)
        if self._queued is not None:
            yield _gauge("itr_jobs_queued", "Jobs waiting in the queue.", self._queued)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))


async def _due(services: Services) -> dict[str, float]:
    try:
        async with asyncio.timeout(_PATIENCE):
            row = await services.database.reads.fetchrow(_DUE)
    except Exception as error:
        logger.warning("metrics cannot ask the database: %s", type(error).__name__)
        return {}
    return {name: float(value) for name, value in row.items()}


async def _queued(services: Services) -> int | None:
    try:
        async with asyncio.timeout(_PATIENCE), open_valkey(services.settings.valkey_url) as valkey:
            return cast("int", await valkey.zcard("itr:jobs"))
    except Exception:
        return None
