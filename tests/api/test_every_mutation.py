"""What holds of every mutation there is, made from the schema: a new one is held to it at once."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tortoise.connection import get_connection

from api.oauth.tokens import issue_token
from api.resolvers.root import product_schema
from itr import spans
from itr.access.operations.persons import create_person
from itr.actors.roles import Role
from itr.faults import trace_of
from itr.logs import formatter
from itr.settings import Settings
from tests.support.client import Client
from tests.support.databases import contents
from tests.support.desk import FOUNDER, Desk, open_desk

SCHEMA: GraphQLSchema = product_schema()._schema
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
SECRET, NUMBER = "MySecretPassw0rd", 1_804_289_383
ALMIGHTY = "almighty"
OF_SCALARS = {"Int": NUMBER, "Float": float(NUMBER), "Boolean": True, "Long": str(NUMBER)}
OF_THEIR_KIND = {"DateTime": "2026-03-02T01:00:00Z", "Date": "2026-03-02", "Duration": "PT4H"}


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
    del exporter
    async with open_desk(settings) as opened:
        inside = sorted(set(Role) - {Role.CUSTOMER, Role.PARTNER})
        opened.ids[ALMIGHTY] = await create_person(
            FOUNDER, opened.ids["Shanghai"], ALMIGHTY, inside, now=opened.time.now
        )
        yield opened


def text_of(name: str) -> str:
    """A mutation of one root field, which tells why it was refused."""
    field = MUTATIONS[name]
    takes = field.args["input"].type
    return f"mutation($input: {takes}) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}"


def planted(kind: Any, *, fitting: bool, depth: int = 0) -> Any:
    """A value of a type with the secret wherever text can stand; `fitting` ones get further in."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        return [planted(kind.of_type, fitting=fitting, depth=depth)] * (1 if fitting else 60)
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: planted(each.type, fitting=fitting, depth=depth + 1)
            for name, each in kind.fields.items()
            if depth < 3 or is_non_null_type(each.type)
        }
    if not fitting:
        return SECRET
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return OF_SCALARS.get(kind.name) or OF_THEIR_KIND.get(kind.name) or SECRET


@contextmanager
def written() -> Iterator[io.StringIO]:
    """What the product writes down meanwhile, as it does in production."""
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(formatter(plain=False))
    handler.addFilter(lambda record: not record.name.startswith(("httpx", "httpcore")))
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield kept
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def reader(desk: Desk, scope: str) -> Client:
    """Somebody who may everything, through a program that may not."""
    token = issue_token(
        desk.settings,
        desk.ids[ALMIGHTY],
        now=desk.time.now,
        lifetime=timedelta(days=1),
        scope=scope,
    )
    return desk.client.having(token, language="en")


@pytest.mark.parametrize("scope", ["itr:read", "itr:board", "itr:read itr:board openid"])
async def test_a_token_for_reading_runs_no_mutation(desk: Desk, scope: str) -> None:
    """V7, S19: `markNotificationsRead` needed a permission to read, and changed rows."""
    before = await contents(get_connection("default"))
    client = reader(desk, scope)

    answers = {
        name: await client.run(
            text_of(name), {"input": planted(field.args["input"].type, fitting=True)}
        )
        for name, field in MUTATIONS.items()
    }

    assert {name: answer.code for name, answer in answers.items()} == dict.fromkeys(
        MUTATIONS, "FORBIDDEN"
    )
    assert await contents(get_connection("default")) == before


async def test_no_value_of_a_variable_or_header_is_in_a_log_a_span_or_a_metric(
    desk: Desk, exporter: InMemorySpanExporter
) -> None:
    """V6, S22: `createPerson(roles: [a password × 60])` stood in a traceback."""
    exporter.clear()
    headers = {"user_agent": SECRET, "x_forwarded_for": SECRET, "cookie": f"itr-session={SECRET}"}
    client = desk.as_(ALMIGHTY)

    with written() as log:
        for name, field in MUTATIONS.items():
            takes = field.args["input"].type
            for value in (
                planted(takes, fitting=True),
                planted(takes, fitting=False),
                {**planted(takes, fitting=True), SECRET: SECRET},
                SECRET,
            ):
                await client.run(text_of(name), {"input": value, SECRET: SECRET}, **headers)
        await desk.client.having(SECRET).run("{ __typename }", {"x": SECRET})
        await desk.client.get(query=SECRET, variables=json.dumps({"x": SECRET}))
    metrics = await desk.client.get("/metrics")

    assert exporter.get_finished_spans()
    told = [log.getvalue(), *(span.to_json() for span in exporter.get_finished_spans())]
    told.append(metrics.content.decode())
    assert [each for each in told if SECRET in each or str(NUMBER) in each] == []


def test_a_trace_tells_kinds_and_ways_and_nothing_that_was_raised_with_them() -> None:
    """V6, S22: messages of exceptions are made of values."""
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise ExceptionGroup(SECRET, [error, KeyError(SECRET)]) from error
    except ExceptionGroup as group:
        trace = trace_of(group)

    assert SECRET not in trace
    assert {"ValueError", "KeyError", "ExceptionGroup"} <= set(trace.splitlines())
    assert "int(SECRET)" in trace
    assert __file__ in trace


async def test_what_libraries_write_down_is_cut_where_values_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """V6, S22: a task nobody waited for shows what it raised, a socket's line what it asked."""
    for name in ("uvicorn", "uvicorn.error"):  # as with `log_config=None`, as `itr serve` has it
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    with written() as log:
        asked = ("127.0.0.1:1", f"/graphql?anything={SECRET}")
        logging.getLogger("uvicorn.error").error('%s - "WebSocket %s" [accepted]', *asked)
        raised = f"Task exception was never retrieved\nfuture: <Task exception={SECRET!r}>"
        logging.getLogger("asyncio").error(raised, exc_info=ValueError(SECRET))

    told = [json.loads(line) for line in log.getvalue().splitlines()]
    socket = next(each for each in told if "WebSocket" in each["event"])
    task = next(each for each in told if each["event"].startswith("Task"))
    assert SECRET not in log.getvalue()
    assert socket["event"] == '127.0.0.1:1 - "WebSocket /graphql?…" [accepted]'
    assert task["event"] == "Task exception was never retrieved"
    assert task["exception"] == "ValueError"


def test_every_mutation_takes_one_input() -> None:
    """Or the tests above would not reach it."""
    assert {name for name, each in MUTATIONS.items() if list(each.args) != ["input"]} == set()
    assert all(get_named_type(each.type).fields["userErrors"] for each in MUTATIONS.values())


def valid(desk: Desk) -> dict[str, dict[str, Any]]:
    """Inputs of mutations that keep what people write, and would be done."""
    branch, person = desk.public("org", "Shanghai"), desk.public("per", "LINE3")
    money = {"amount": "1", "currency": "CNY"}
    return {
        "createPerson": {"organisationId": branch, "name": "x", "roles": ["LINE1"]},
        "changePerson": {"id": person},
        "createOrganisation": {"kind": "CUSTOMER", "name": "x"},
        "createQueue": {"name": "x", "line": 1},
        "createOAuthClient": {
            "name": "x",
            "kind": "DASHBOARD",
            "redirectAddresses": ["https://x.example/"],
        },
        "createWallboard": {"name": "x", "branchId": branch},
        "saveCalendar": {"name": "x", "calendar": ALWAYS_OPEN},
        "saveCatalogueItem": {
            "name": "x",
            "chargeKind": "SUPPORT",
            "price": money,
            "target": "x",
            "qualityStandard": "x",
        },
        "saveProduct": {"name": "x"},
        "saveServiceProduct": {"name": "x", "itemIds": []},
        "savePackage": {"name": "x", "serviceProductIds": []},
        "saveContract": {
            "number": "x",
            "customerId": desk.public("org", "Acme"),
            "startsOn": "2026-01-01",
            "endsOn": "2026-12-31",
        },
        "submitRequest": {
            "kind": "TECHNICAL",
            "title": "x",
            "description": "x",
            "customerId": desk.public("org", "Acme"),
            "productUnknown": True,
        },
    }


ALWAYS_OPEN = {"timeZone": "UTC", "shifts": [], "alwaysOpen": True}
OF_THEIR_OWN_KIND = {
    "scopes",
    "redirectAddresses",
    "signOutAddresses",
    "currency",
    "clientMutationId",
}
"""Words of a list or an address: what is not one is refused, hidden characters and all."""


def texts_of(mutation: str) -> list[str]:
    """The fields of a mutation's input that people write."""
    takes: Any = get_named_type(MUTATIONS[mutation].args["input"].type)
    return [
        name
        for name, each in takes.fields.items()
        if get_named_type(each.type).name == "String" and name not in OF_THEIR_OWN_KIND
    ]


@pytest.mark.parametrize("hidden", ["\u200b\u200e", "\u3164", "a\u202eb", "a\x07b", "\u200d\ufe0f"])
async def test_nothing_that_hides_is_kept_as_what_somebody_wrote(desk: Desk, hidden: str) -> None:
    """R5: one rule in all areas, each field refused at its path, and nothing done."""
    client, before = desk.as_(ALMIGHTY), await contents(get_connection("default"))

    for mutation, given in valid(desk).items():
        for field in texts_of(mutation):
            value = {**given, field: hidden}
            query = text_of(mutation).replace("{ code }", "{ code path }")
            answer = (await client.run(query, {"input": value})).data[mutation]
            paths = [error["path"] for error in answer["userErrors"]]
            assert paths == [["input", field]], (mutation, field, answer)

    assert await contents(get_connection("default")) == before
