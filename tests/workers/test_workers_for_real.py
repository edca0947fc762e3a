"""Five real workers in real time: one is killed, Valkey is emptied and stopped; each fires once."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from embedded.programs import find_programs
from itr.database import connected
from itr.settings import Settings
from tests.support.databases import environment
from tests.support.desk import furnish
from tests.workers.alarms import alarms, armed, how_often, promise, registered

REQUESTS = 40
LEVELS = 4
THREADS = 3


@contextmanager
def own_valkey() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Valkey of this test's own, to be mistreated."""
    with tempfile.TemporaryDirectory(prefix="itr-vk-") as folder:
        path = Path(folder) / "v.sock"
        words = [
            str(find_programs(None).valkey),
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
        ]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            yield f"unix://{path}", server
        finally:
            server.kill()
            server.wait()


@contextmanager
def workers(settings: Settings, valkey: str, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Real worker processes."""
    surroundings = os.environ | environment(database_url=settings.database_url, valkey_url=valkey)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "cli", "work"],
            env=surroundings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(count)
    ]
    try:
        yield running
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait(timeout=20)


@pytest.fixture(scope="module")
async def furnished(settings: Settings) -> AsyncIterator[dict[str, object]]:
    async with connected(settings):
        yield await furnish(datetime.now(UTC))  # type: ignore[misc]


async def test_five_workers_one_killed_and_valkey_lost_fire_each_alarm_once(
    settings: Settings, furnished: dict[str, object]
) -> None:
    """R-ALM-02, Decision 4, S12."""
    with own_valkey() as (valkey, server), workers(settings, valkey, 5) as running:
        now = datetime.now(UTC)
        await promise(furnished, (4, 6, 8), now=now)  # type: ignore[arg-type]
        for _ in range(REQUESTS):
            await registered(furnished, datetime.now(UTC))  # type: ignore[arg-type]

        await until_fired(REQUESTS)
        os.killpg(running[0].pid, signal.SIGKILL)
        redis.Redis.from_url(valkey).flushall()
        await until_fired(REQUESTS * THREADS)
        server.terminate()
        await until_fired(REQUESTS * THREADS * LEVELS)

        counted = await how_often()
        assert await armed() == 0
    assert len(counted) == REQUESTS * THREADS * LEVELS
    assert set(counted.values()) == {1}


async def until_fired(count: int) -> None:
    """Wait until at least so many alarms are recorded; fails after a minute."""
    async with asyncio.timeout(60):
        while len(await alarms()) < count:  # noqa: ASYNC110 - other processes write them
            await asyncio.sleep(0.1)
