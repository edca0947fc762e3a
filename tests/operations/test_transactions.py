"""A transaction whose connection dies leaves the task and its pool as they were."""

import asyncio
import contextlib
import json
import subprocess
import sys

import asyncpg
import pytest
from tortoise.connection import get_connection

from itr.addresses import credentials
from itr.database import AWAY, Database
from itr.events.work import transaction
from itr.settings import Settings

pytestmark = pytest.mark.usefixtures("database")


def drop_every_other_connection(settings: Settings) -> None:
    """As a restart of PostgreSQL does, before our event loop can hear of it."""
    told = (
        "import asyncio, json, sys, asyncpg\n"
        "async def drop():\n"
        "    one = await asyncpg.connect(**json.loads(sys.argv[1]))\n"
        "    await one.execute('select pg_terminate_backend(pid) from pg_stat_activity'\n"
        "        ' where datname = current_database() and pid <> pg_backend_pid()'\n"
        "        \" and backend_type = 'client backend'\")\n"
        "asyncio.run(drop())\n"
    )
    place = json.dumps(credentials(settings.database_url))
    subprocess.run([sys.executable, "-c", told, place], check=True)


async def answered() -> bool:
    """Whether a statement got through; the driver may find the next connection dead as well."""
    with contextlib.suppress(*AWAY):
        return bool(await get_connection("default").execute_query_dict("select 1 as one"))
    return False


async def answers_again() -> None:
    async with asyncio.timeout(20):
        while not await answered():
            pass


async def test_a_connection_that_dies_before_begin_is_given_back(
    settings: Settings, database: Database
) -> None:
    """Decision 4: the same task works on as soon as the database answers again."""
    for _ in range(settings.database_pool + 2):
        await answers_again()
        drop_every_other_connection(settings)
        with pytest.raises(AWAY):
            async with transaction():
                pass

    await answers_again()
    async with asyncio.timeout(10), transaction() as work:
        rows = await work.connection.execute_query_dict("select 1 as one")

    assert rows == [{"one": 1}]


async def test_a_connection_that_dies_after_the_commit_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool resets a connection when it comes back, and that may be when it is found dead."""

    async def dies(*_: object, **__: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed")

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_reset", dies)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            async with transaction():
                pass

    async with asyncio.timeout(10), transaction() as work:
        rows = await work.connection.execute_query_dict("select 1 as one")

    assert rows == [{"one": 1}]
