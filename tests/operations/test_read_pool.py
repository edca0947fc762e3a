"""Connections for reads: at hand, shared fairly, given back after anything out of the ordinary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from itr.database import open_pool
from itr.read_pool import ReadPool
from itr.settings import Settings

MINE = "select pg_backend_pid()"


@asynccontextmanager
async def reading(settings: Settings, *, connections: int) -> AsyncIterator[ReadPool]:
    async with open_pool(settings, max_size=connections) as pool:
        reads = ReadPool(pool)
        try:
            yield reads
        finally:
            await reads.close()


async def test_a_connection_that_served_a_statement_serves_the_next(settings: Settings) -> None:
    async with reading(settings, connections=3) as reads:
        served = {await reads.fetchval(MINE) for _ in range(20)}

    assert len(served) == 1


async def test_more_readers_than_connections_all_get_their_turn(settings: Settings) -> None:
    async with reading(settings, connections=2) as reads:

        async def lent(number: int) -> int:
            async with reads.acquire() as connection:
                found: int = await connection.fetchval("select $1::int", number)
                return found

        async def asked(number: int) -> int:
            found: int = await reads.fetchval("select $1::int", number)
            return found

        async with asyncio.timeout(30):
            found = await asyncio.gather(
                *(asked(each) if each % 3 else lent(each) for each in range(300))
            )

    assert found == list(range(300))


async def test_a_statement_that_fails_or_is_cancelled_leaves_the_connection_usable(
    settings: Settings,
) -> None:
    async with reading(settings, connections=1) as reads:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await reads.fetchval("select 1 / $1::int", 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reads.fetchval("select pg_sleep(20)")

        async with asyncio.timeout(10):
            assert await reads.fetchval("select 7") == 7


async def test_what_is_left_open_on_a_lent_connection_is_undone(settings: Settings) -> None:
    async with reading(settings, connections=1) as reads:
        async with reads.acquire() as connection:
            await connection.execute("begin; set local application_name = 'left open'")

        assert await reads.fetchval("show application_name") != "left open"


async def test_a_connection_whose_server_is_gone_is_replaced(settings: Settings) -> None:
    async with reading(settings, connections=1) as reads:
        first = await reads.fetchval(MINE)
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)):
            await reads.fetchval("select pg_terminate_backend(pg_backend_pid())")

        assert await reads.fetchval(MINE) != first
