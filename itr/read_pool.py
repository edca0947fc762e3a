"""Connections for reads, kept at hand from one statement to the next.

asyncpg gives a connection back to its pool in a task of its own, which takes as long as half of
what is else done in Python for a short read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

_LOOKED_AFTER = 1000
"""Every so often a connection goes back to the pool, which replaces what has served long."""


class ReadPool:
    """A pool for single statements; it lends whole connections, too.

    A connection goes back to the pool below whenever anything is out of the ordinary: a statement
    failed or was cancelled, somebody waits for one, or it was lent for more than a statement.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._free: list[Any] = []
        self._waiting = 0
        self._kept = 0
        self._closed = False

    @property
    def size(self) -> int:
        """How many connections there are, at hand or not."""
        size: int = self._pool.get_size()
        return size

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its only value."""
        connection = await self._taken()
        try:
            found = await connection.fetchval(query, *arguments)
        except BaseException:
            await self._pool.release(connection)
            raise
        await self._give_back(connection)
        return found

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its first row."""
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *arguments)

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its rows."""
        async with self.acquire() as connection:
            return await connection.fetch(query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement and return its status."""
        async with self.acquire() as connection:
            status: str = await connection.execute(query, *arguments)
        return status

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """One connection for a while; what is left open on it, the pool undoes."""
        connection = await self._taken()
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    async def close(self) -> None:
        """Give all back to the pool; what is still running follows when it is done."""
        self._closed = True
        while self._free:
            await self._pool.release(self._free.pop())

    async def _taken(self) -> Any:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    async def _give_back(self, connection: Any) -> None:
        self._kept += 1
        if self._waiting or self._closed or self._kept % _LOOKED_AFTER == 0:
            await self._pool.release(connection)
        else:
            self._free.append(connection)
