"""GraphQL over server-sent events: distinct connections, ids to resume from."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from api.transport.limits import Limits
from itr.settings import Settings
from tests.api.throwaway import SECRET, Desk, eventually, make_things, put, record, running
from tests.support.client import Client, Served, served

QUICK = Limits(send_seconds=2.0, ping_seconds=0.3, sockets_per_actor=2)
THINGS = """subscription ($after: String) { things(after: $after) { __typename
    ... on Snapshot { cursor things { id version } } ... on Changed { cursor subject version }
    ... on Removed { cursor subject } ... on Resync { cursor } } }"""


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings, QUICK)


@pytest.fixture(scope="module")
async def server(desk: Desk, settings: Settings) -> AsyncIterator[Served]:
    await make_things(settings)
    async with served(desk.app(), settings) as running_server:
        yield running_server


@pytest.fixture
def client(server: Served, desk: Desk) -> Client:
    return server.client.having(desk.token())


async def test_results_come_as_next_and_end_with_complete(client: Client) -> None:
    async with client.events("subscription { count(to: 3) }") as events:
        heard = [one async for one in events if one.kind != "comment"]

    assert [one.kind for one in heard] == ["next", "next", "next", "complete"]
    assert [one.body["data"]["count"] for one in heard[:3]] == [0, 1, 2]


@pytest.mark.parametrize("query", ["{ hello }", 'mutation { add(text: "x") }'])
async def test_queries_and_mutations_are_streams_of_one(client: Client, query: str) -> None:
    async with client.events(query) as events:
        heard = [one.kind async for one in events if one.kind != "comment"]

    assert heard == ["next", "complete"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { breaks }", "INTERNAL"),
        ("{ failsHard }", "INTERNAL"),
    ],
)
async def test_errors_are_events_and_tell_nothing(client: Client, query: str, code: str) -> None:
    """S7."""
    async with client.events(query) as events:
        heard = [one async for one in events if one.kind != "comment"]

    assert heard[-1].kind == "complete"
    assert heard[-2].body["errors"][0]["extensions"]["code"] == code
    assert not any(SECRET in one.data for one in heard)


async def test_without_a_token_it_is_401(server: Served) -> None:
    answer = await server.client.run("{ hello }", accept="text/event-stream")

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_silence_is_filled_with_comments(client: Client) -> None:
    async with client.events("subscription { count(to: 1, pause: 1) }") as events:
        comments = [one async for one in events if one.kind == "comment"]

    assert len(comments) >= 3


async def test_the_id_of_an_event_resumes_the_stream(client: Client, settings: Settings) -> None:
    writer = await asyncpg.connect(settings.database_url)
    first, second = uuid4(), uuid4()
    try:
        async with client.events(THINGS) as events:
            opening = await anext(one async for one in events if one.kind == "next")
            assert opening.body["data"]["things"]["__typename"] == "Snapshot"
            await put(writer, first)
            changed = await anext(one async for one in events if one.kind == "next")
        await put(writer, second)

        async with client.events(THINGS, last_event_id=str(changed.id)) as events:
            resumed = await anext(one async for one in events if one.kind == "next")
    finally:
        await writer.close()

    assert changed.body["data"]["things"]["subject"] == str(first)
    assert changed.id == changed.body["data"]["things"]["cursor"]
    assert resumed.body["data"]["things"]["subject"] == str(second)


async def test_a_client_that_leaves_has_its_sql_cancelled(
    client: Client, settings: Settings
) -> None:
    """S11."""
    async with client.events('{ slow(seconds: 30, tag: "departed") }'):
        await eventually(lambda: running(settings, "departed"), 1)

    await eventually(lambda: running(settings, "departed"), 0)


async def test_the_end_of_a_token_ends_the_stream_within_2_seconds(
    server: Served, desk: Desk
) -> None:
    """S9."""
    client = server.client.having(desk.token(lifetime=timedelta(seconds=1.5)))
    async with asyncio.timeout(3.5), client.events("subscription { names }") as events:
        heard = [one async for one in events if one.kind != "comment"]

    assert heard[-1].kind == "complete"
    assert heard[-2].body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_person_who_is_shut_out_loses_the_stream_within_2_seconds(
    server: Served, desk: Desk, settings: Settings
) -> None:
    """S9."""
    actor = desk.person("Qian")
    client = server.client.having(desk.token(actor))
    writer = await asyncpg.connect(settings.database_url)
    async with client.events("subscription { count(to: 100, pause: 1) }") as events:
        await anext(events)
        del desk.people[actor.id]
        await record(writer, actor.id, kind="person")
        async with asyncio.timeout(2):
            heard = [one async for one in events if one.kind != "comment"]
    await writer.close()

    assert heard[-1].kind == "complete"


async def test_streams_count_against_the_cap_of_a_person(server: Served, desk: Desk) -> None:
    """S10."""
    actor = desk.person("Zhou")
    client = server.client.having(desk.token(actor))
    query = "subscription { names }"
    async with client.events(query) as one, client.events(query) as two:
        await anext(one)
        await anext(two)
        refused = await client.run(query, accept="text/event-stream")

    assert refused.status == 429
    assert refused.code == "TOO_MANY_CONNECTIONS"
    assert refused.headers["retry-after"]


async def test_stopping_the_server_ends_streams_so_that_they_come_back(
    desk: Desk, settings: Settings
) -> None:
    async with served(desk.app(), settings) as other:
        client = other.client.having(desk.token())
        async with client.events("subscription { names }") as events, asyncio.timeout(4):
            await anext(events)
            stopping = asyncio.create_task(other.stop())
            kinds = [one.kind async for one in events]
        await stopping

    assert "complete" not in kinds
