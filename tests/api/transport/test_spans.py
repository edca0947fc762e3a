"""Spans of statements below operations, and of the worker's batches: nothing of anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.app import create_app
from itr import spans
from itr.database import open_pool
from itr.settings import Settings
from tests.support.client import served
from tests.support.desk import Desk, hours, open_desk
from tests.support.requests import ask, submitted
from workers.timers import TimerLoop

PRIVATE = "Zhang San's router"


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """Where spans go while this module runs."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with spans.sent_to(provider):
        yield kept
    provider.shutdown()


@pytest.fixture(scope="module")
async def desk(settings: Settings, exporter: InMemorySpanExporter) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def forget(exporter: InMemorySpanExporter) -> None:
    exporter.clear()


async def told(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    """The one span that has no parent, and the spans right below it."""
    await asyncio.sleep(0)  # what ran last is told one step later
    found = exporter.get_finished_spans()
    (above,) = [span for span in found if span.parent is None]
    below = [span for span in found if span.parent is not None]
    assert above.context is not None
    assert {span.parent.span_id for span in below if span.parent} == {above.context.span_id}
    return above, below


async def test_a_read_is_an_operation_and_the_one_statement_below_it(
    desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """S15."""
    await submitted(desk, title=PRIVATE)
    exporter.clear()

    query = "query($text: String!) { requests(filter: { title: { eq: $text } }) { totalCount } }"
    found = await ask(desk, "LINE1", query, text=PRIVATE)

    assert found["requests"]["totalCount"] == 1
    operation, statements = await told(exporter)
    assert operation.name == "query other"
    read = statements[-1]
    assert read.name == "select request"
    assert dict(read.attributes or {}) == {
        "db.system.name": "postgresql",
        "db.operation.name": "select",
        "db.collection.name": "request",
    }
    assert operation.start_time is not None
    assert read.start_time is not None
    assert read.end_time is not None
    assert operation.start_time <= read.start_time <= read.end_time
    assert all(PRIVATE not in span.to_json() for span in exporter.get_finished_spans())


async def test_a_mutation_shows_its_whole_transaction(
    desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """S15."""
    await submitted(desk, title=PRIVATE)

    operation, statements = await told(exporter)
    names = [span.name for span in statements]
    assert operation.name == "mutation other"
    begun, done = names.index("begin"), names.index("commit")
    assert {"insert request"} <= set(names[begun:done])
    private = (PRIVATE, "since this morning", desk.ids["CUSTOMER"].hex, str(desk.ids["CUSTOMER"]))
    for span in (operation, *statements):
        assert not any(each in span.to_json() for each in private)


async def test_a_failed_statement_tells_what_kind_of_error_it_was_and_no_more(
    settings: Settings, desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """S15: PostgreSQL's own message quotes what it could not read."""
    async with open_pool(settings) as pool:
        with (
            spans.tracer().start_as_current_span("above"),
            pytest.raises(asyncpg.DataError, match="invalid input"),
        ):
            await pool.fetchval("select ($1::text)::integer from person", PRIVATE)

    above, (failed,) = await told(exporter)
    assert above.name == "above"
    assert (failed.name, failed.status.is_ok) == ("select person", False)
    assert (failed.attributes or {})["error.type"] == "InvalidTextRepresentationError"
    assert PRIVATE not in failed.to_json()


async def test_a_batch_of_the_worker_is_a_span_above_its_statements_and_nothing_to_do_is_none(
    desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """S15: the worker polls twice a second, which nobody wants to be told of."""
    await submitted(desk, title=PRIVATE)
    desk.time.pass_(hours(2.1))
    exporter.clear()
    timers = TimerLoop(clock=desk.time)

    await timers.work_off()
    alarms = [span for span in exporter.get_finished_spans() if span.name == "batch alarms"]
    children = [span for span in exporter.get_finished_spans() if span.parent is not None]

    (batch,) = alarms
    assert batch.parent is None
    attributes = dict(batch.attributes or {})
    assert (attributes.keys(), attributes["itr.batch"]) == ({"itr.batch", "itr.done"}, "alarms")
    assert int(str(attributes["itr.done"])) >= 1
    assert batch.context is not None
    names = [s.name for s in children if s.parent and s.parent.span_id == batch.context.span_id]
    assert {"begin", "insert notification", "commit"} <= set(names)
    assert all(PRIVATE not in span.to_json() for span in exporter.get_finished_spans())

    await timers.work_off()
    exporter.clear()
    await timers.work_off()
    assert exporter.get_finished_spans() == ()


async def test_a_live_source_outlives_the_span_of_its_first_subscriber(
    settings: Settings, desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """What a shared source reads later is no part of one subscriber's trace."""
    app = create_app(settings, clock=desk.time)
    async with served(app, settings) as server, server.socket(desk.as_("LINE1").token) as socket:
        await socket.subscribe("subscription { requestEvents { __typename } }")
        await socket.receive()
        exporter.clear()

        await submitted(desk)
        await socket.receive()

        traces = {span.context.trace_id for span in exporter.get_finished_spans() if span.context}
        assert len(traces) == 1  # the mutation's


def test_while_spans_are_off_connections_are_not_watched() -> None:
    before = spans.watching()
    with spans.sent_to(TracerProvider()):
        assert spans.watching()

    assert spans.watching() == before
