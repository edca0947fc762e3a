"""Wakeups for processes without a feed: sent after each commit, and heard from the others.

A wakeup says only that something was committed; who hears it asks PostgreSQL what. It never delays
or fails a commit: after it a flag is set, and a task of its own does the sending.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

from redis.exceptions import RedisError

from itr.events.work import after_commit
from itr.retrying import for_ever
from itr.valkey import WAKEUPS, open_valkey

logger = logging.getLogger("itr.wakeup")


_BREATH = 0.01
"""Seconds from one wakeup to the next: whoever commits in between is heard by that."""


class Wakeups:
    """Tells every process that something was committed; many wakeups in a moment are one."""

    def __init__(self, valkey_url: str) -> None:
        self._valkey_url = valkey_url
        self._wanted = asyncio.Event()

    def send(self) -> None:
        """Have a wakeup sent soon; never fails, never waits."""
        self._wanted.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Send wakeups until the block ends; without Valkey they are dropped."""
        task = asyncio.create_task(self._send_forever(), name="wakeups")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _send_forever(self) -> None:
        await _with_valkey(self._send_what_is_wanted, "wakeups cannot be sent", longest=1.0)

    async def _send_what_is_wanted(self) -> None:
        async with open_valkey(self._valkey_url) as valkey:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await valkey.publish(WAKEUPS, b"")
                await asyncio.sleep(_BREATH)


@asynccontextmanager
async def publishing(valkey_url: str) -> AsyncIterator[None]:
    """Wake the others after each commit of this process, until the block ends."""
    async with Wakeups(valkey_url).running() as wakeups:
        stop = after_commit(wakeups.send)
        try:
            yield
        finally:
            stop()


async def hear_wakeups(valkey_url: str, callback: Callable[[], object]) -> None:
    """Call `callback` for every wakeup, and once whenever they can be heard (again); for ever."""

    async def hear() -> None:
        async with (
            open_valkey(valkey_url) as valkey,
            valkey.pubsub(ignore_subscribe_messages=True) as channel,
        ):
            await channel.subscribe(WAKEUPS)
            callback()
            async for _ in channel.listen():
                callback()

    await _with_valkey(hear, "no wakeups can be heard", longest=5.0)


async def _with_valkey(
    work: Callable[[], Awaitable[None]], failure: str, *, longest: float
) -> None:
    """Keep up what needs Valkey; while it is away, the log says so."""

    def tell(error: Exception) -> None:
        logger.warning("%s: %s", failure, type(error).__name__)

    await for_ever(
        work, on=(OSError, RedisError), tell=tell, first=0.2, longest=longest, settled=longest
    )
