"""A server that stops sends its clients away; they go on elsewhere and miss nothing (S9, S12)."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from itr.settings import Settings
from tests.api.throwaway import Desk, make_things, put
from tests.support.client import Served, ServerEvent, served

THINGS = """subscription ($after: String) { things(after: $after) { __typename
    ... on Snapshot { cursor } ... on Changed { cursor subject version }
    ... on Removed { cursor subject } ... on Resync { cursor } } }"""


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def writer(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    await make_things(settings)
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def elsewhere(desk: Desk) -> AsyncIterator[Served]:
    """The server that stays."""
    async with served(desk.app(), desk.settings) as staying:
        yield staying


async def result_of(events: AsyncIterator[ServerEvent]) -> ServerEvent:
    """The next event that carries a result."""
    while (event := await anext(events)).kind != "next":
        pass
    return event


async def test_a_socket_told_1001_resumes_at_another_server(
    desk: Desk, writer: asyncpg.Connection, elsewhere: Served
) -> None:
    """Nothing is missed and nothing comes twice, also what happened in between."""
    token, thing = desk.token(), uuid4()
    async with served(desk.app(), desk.settings) as leaving, leaving.socket(token) as ours:
        await ours.subscribe(THINGS)
        assert (await ours.receive())["payload"]["data"]["things"]["__typename"] == "Snapshot"
        await put(writer, thing)
        before = (await ours.receive())["payload"]["data"]["things"]
        stopping = asyncio.create_task(leaving.stop())
        assert (await ours.closed(timeout=5))[0] == 1001
        await stopping

    await put(writer, thing)

    async with elsewhere.socket(token) as ours:
        await ours.subscribe(THINGS, {"after": before["cursor"]})
        missed = (await ours.receive())["payload"]["data"]["things"]
        await put(writer, thing)
        then = (await ours.receive())["payload"]["data"]["things"]
    assert [before["version"], missed["version"], then["version"]] == [1, 2, 3]
    assert {each["__typename"] for each in (before, missed, then)} == {"Changed"}


async def test_a_stream_that_ends_resumes_at_another_server_by_its_last_event_id(
    desk: Desk, writer: asyncpg.Connection, elsewhere: Served
) -> None:
    token, thing = desk.token(), uuid4()
    async with served(desk.app(), desk.settings) as leaving:
        client = leaving.client.having(token)
        async with client.events(THINGS) as events, asyncio.timeout(10):
            await result_of(events)
            await put(writer, thing)
            last = await result_of(events)
            stopping = asyncio.create_task(leaving.stop())
            assert "complete" not in [event.kind async for event in events]
        await stopping
    assert last.id is not None

    await put(writer, thing)

    client = elsewhere.client.having(token)
    async with client.events(THINGS, last_event_id=last.id) as events, asyncio.timeout(10):
        missed = (await result_of(events)).body["data"]["things"]
    assert last.body["data"]["things"]["version"] == 1
    assert (missed["__typename"], missed["version"]) == ("Changed", 2)
