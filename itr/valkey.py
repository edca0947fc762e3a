"""Valkey, which carries wakeups, queues and budgets, and nothing that would be missed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

WAKEUPS = "itr:wakeup"
"""The Valkey channel a commit wakes others by; what is said on it does not matter."""


@asynccontextmanager
async def open_valkey(url: str) -> AsyncIterator[Redis]:
    """Open a client of a Valkey named by `valkey://`, `redis://` or `unix://`."""
    for ours, theirs in (("valkeys://", "rediss://"), ("valkey://", "redis://")):
        if url.startswith(ours):
            url = theirs + url.removeprefix(ours)
    client: Redis = Redis.from_url(url, socket_connect_timeout=2)
    try:
        yield client
    finally:
        await client.aclose()
