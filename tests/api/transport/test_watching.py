"""What operators see: figures, logs and spans, and nothing of anybody in them."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from api.transport.metrics import OTHERS, Metrics
from api.transport.tracing import Tracing
from itr.logs import formatter, redacted
from itr.settings import Settings
from itr.spans import set_up_spans
from itr.trusted_documents.operations import Named, add_documents
from itr.trusted_documents.rules import Listed
from tests.api.throwaway import SECRET, Desk
from tests.support.client import Client, Served, in_process, served
from tests.support.desk import open_desk
from tests.support.pages import metrics_on_the_page
from tests.support.requests import submitted

PRIVATE = "Zhang San 13800138000"
Figures = dict[tuple[str, frozenset[Any]], float]


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings.model_copy(update={"metrics_without_token": True}))


@pytest.fixture(scope="module")
async def server(desk: Desk) -> AsyncIterator[Served]:
    async with served(desk.app(), desk.settings) as running:
        yield running


@pytest.fixture
def client(server: Served, desk: Desk) -> Client:
    return server.client.having(desk.token())


async def figures(client: Client, **headers: str) -> Figures:
    """What /metrics says: by name and labels."""
    answer = await client.http.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def counted(
    found: dict[tuple[str, frozenset[Any]], float],
    name: str = "itr_operations_total",
    **labels: str,
) -> float:
    """The sum of what has these labels."""
    wanted = set(labels.items())
    return sum(value for (key, given), value in found.items() if key == name and wanted <= given)


async def test_operations_are_counted_by_transport_kind_and_outcome(
    server: Served, client: Client, desk: Desk
) -> None:
    before = await figures(client)
    await client.run("{ hello }")
    await client.run("{ failsHard }")
    await client.run("{ nothing }")
    await client.run('mutation { add(text: "x") }')
    async with server.socket(desk.token()) as ours:
        await ours.ask("{ hello }")
        await ours.subscribe("subscription { names }")
        await ours.receive()
        during = await figures(client)
    async with client.events("{ hello }") as events:
        assert [one.kind async for one in events if one.kind != "comment"]
    after = await figures(client)

    def more(**labels: str) -> float:
        return counted(after, **labels) - counted(before, **labels)

    assert more(transport="http", kind="query", outcome="ok") == 1
    assert more(transport="http", kind="query", outcome="INTERNAL") == 1
    assert more(transport="http", outcome="GRAPHQL_VALIDATION_FAILED") == 1
    assert more(transport="http", kind="mutation", outcome="ok") == 1
    assert more(transport="ws", kind="query", outcome="ok") == 1
    assert more(transport="sse", kind="query", outcome="ok") == 1
    assert counted(during, "itr_sockets") == 1
    assert counted(during, "itr_subscriptions") == 1
    assert counted(after, "itr_subscriptions") == 0
    assert counted(after, "itr_operation_seconds_count") >= 6
    assert {labels for name, labels in after if "operation" in dict(labels)} >= {
        frozenset({("operation", OTHERS)})
    }
    for name in ("itr_feed_lag_seconds", "itr_plans", "itr_documents", "itr_jobs_queued"):
        assert any(key == name for key, _ in after), name
    assert counted(after, "itr_database_up") == 1


async def test_the_operators_page_explains_what_metrics_say(client: Client) -> None:
    await client.run("{ hello }")

    said = {name for name, _ in await figures(client) if re.match("itr_.*(?<!_created)$", name)}

    assert {re.sub("_(bucket|count|sum)$", "", name) for name in said} == metrics_on_the_page()


async def test_only_registered_documents_have_names(client: Client, desk: Desk) -> None:
    """Whoever may send any document cannot make a million series of it."""
    body = "query Lobby { hello }"
    named = [Named(Listed("lobby", body), "Lobby")]
    await add_documents("board", named, now=datetime.now(UTC))
    token = desk.token(desk.person(), client_id="board")

    await client.having(token).post(b'{"documentId": "lobby"}')
    await client.run("query Mine { hello }")

    found = await figures(client)
    assert counted(found, operation="Lobby") == 1
    assert counted(found, operation="Mine") == 0


def test_the_number_of_names_is_bounded() -> None:
    watched = Metrics()

    names = {watched.name_of(f"Operation{number}", registered=True) for number in range(2_000)}

    assert len(names) == 501
    assert watched.name_of("Operation7", registered=True) == "Operation7"
    assert watched.name_of("Operation7", registered=False) == OTHERS


PASSED_ON = [
    "via",
    "forwarded",
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
]


@pytest.mark.parametrize("header", PASSED_ON)
async def test_figures_are_for_this_machine_only(client: Client, header: str) -> None:
    """V10: what came through a proxy did not come from here."""
    answer = await client.http.get("/metrics", headers={header: "203.0.113.7"})

    assert answer.status_code == 403
    assert b"itr_" not in answer.content


@pytest.mark.parametrize("header", PASSED_ON)
async def test_with_a_token_it_is_demanded(settings: Settings, header: str) -> None:
    """V10: and what a proxy passed on is refused with it as well."""
    guarded = settings.model_copy(update={"metrics_token": SecretStr("scrape me")})
    async with in_process(Desk(guarded).app()) as anybody:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert (await anybody.http.get("/metrics", headers=headers)).status_code == 403
        headers = {"authorization": "Bearer scrape me"}
        assert await figures(anybody, **headers)
        passed_on = headers | {header: "203.0.113.7"}
        assert (await anybody.http.get("/metrics", headers=passed_on)).status_code == 403


async def test_without_a_token_nobody_reads_them_unless_the_settings_say_so(
    settings: Settings,
) -> None:
    """V10, S21: an explicit choice, and then for this machine itself."""
    opted_in = settings.model_copy(update={"metrics_without_token": True})
    for given, peer, status in (
        (settings, "127.0.0.1", 403),
        (opted_in, "127.0.0.1", 200),
        (opted_in, "::1", 200),
        (opted_in, "203.0.113.7", 403),
    ):
        app = Desk(given).app()
        transport = httpx.ASGITransport(app=app, client=(peer, 5))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http,
        ):
            assert (await http.get("/metrics")).status_code == status


async def test_alarms_that_should_have_fired_are_seen(settings: Settings) -> None:
    """No worker runs here, and the desk's day is long past."""
    readable = settings.model_copy(update={"metrics_without_token": True})
    async with open_desk(readable) as desk:
        before = await figures(desk.client)
        await submitted(desk, "CUSTOMER")
        after = await figures(desk.client)

    assert counted(before, "itr_alarms_overdue") == 0
    assert counted(before, "itr_alarm_lateness_seconds") == 0
    assert counted(after, "itr_alarms_overdue") > 0
    assert counted(after, "itr_alarm_lateness_seconds") > 1000


@contextmanager
def logged(*, plain: bool = False) -> Iterator[io.StringIO]:
    """What would be written down meanwhile."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(plain=plain))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)


async def test_a_fault_is_a_line_of_json_with_the_requests_id_and_nothing_private(
    client: Client,
) -> None:
    """S15: no token, no variables."""
    query = "query ($text: String!) { echo(text: $text) failsHard }"
    with logged() as written:
        await client.run(query, {"text": PRIVATE}, x_request_id="request-0001")

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    (line,) = [each for each in lines if each["level"] == "error"]
    assert line["request_id"] == "request-0001"
    assert line["logger"] == "itr.api"
    assert "ValueError" in line["exception"]
    assert line["timestamp"].endswith("Z")
    assert client.token is not None
    assert client.token not in written.getvalue()
    assert PRIVATE not in written.getvalue()


async def test_lines_are_readable_in_a_terminal(client: Client) -> None:
    with logged(plain=True) as written:
        await client.run("{ failsHard }", x_request_id="request-0002")

    assert "request request-0002 failed" in written.getvalue()
    assert not written.getvalue().startswith("{")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization: basic {}",
        "postgresql://itr:{}@127.0.0.1/itr",
        "valkey://:{}@127.0.0.1",
        "password={}",
        "'client_secret': '{}'",
        '{{"refresh_token": "{}"}}',
        "https://x.example/cb?code={}&state=1",
    ],
)
def test_secrets_are_not_written_down(text: str) -> None:
    """S15."""
    said = redacted(text.format("s3cr3t-value"))

    assert "s3cr3t" not in said
    assert "***" in said


def test_tokens_are_not_written_down_wherever_they_stand(desk: Desk) -> None:
    """S15."""
    token = desk.token()

    assert token not in redacted(f"cannot read {token} at all")
    assert redacted("request 7 failed: no such object") == "request 7 failed: no such object"


@pytest.fixture
def spans(server: Served) -> Iterator[InMemorySpanExporter]:
    """The spans of the server, kept."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    watching = server.app.state.services.watching
    before, watching.tracing = watching.tracing, Tracing(provider.get_tracer("test"))
    yield kept
    watching.tracing = before
    provider.shutdown()


async def test_a_span_tells_what_ran_and_nothing_of_anybody(
    client: Client, desk: Desk, spans: InMemorySpanExporter
) -> None:
    """S15."""
    query = "query Private ($text: String!) { echo(text: $text) }"
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.run(query, {"text": PRIVATE}, x_request_id="request-0003", traceparent=parent)
    await client.run("{ failsHard }")

    ran, failed = spans.get_finished_spans()
    assert dict(ran.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "other",
        "itr.outcome": "ok",
        "itr.cost": 1,
        "itr.request_id": "request-0003",
    }
    assert ran.parent is not None
    assert f"{ran.parent.trace_id:032x}" == parent.split("-")[1]
    assert (ran.name, ran.status.is_ok) == ("query other", True)
    assert (failed.name, failed.status.is_ok) == ("query other", False)
    told = ran.to_json() + failed.to_json()
    for private in (PRIVATE, SECRET, "Private", *(person.hex for person in desk.people)):
        assert private not in told


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "itr"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_spans_go_nowhere_unless_the_environment_says_where(environment: dict[str, str]) -> None:
    assert set_up_spans("itr", environment) is False
