"""Long computations in the worker: any number of them beside each other, each request once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from tortoise.connection import get_connection

from itr.catalogue.operations import save_service_level, switch_off_service_level
from itr.recalculations.operations import apply_migration, preview_migration
from itr.requests.models import Request
from itr.settings import Settings
from itr.sla.models import Clock, Recalculation
from tests.support.desk import FOUNDER, Desk, level_named, open_desk, targets
from tests.support.levels import work_off
from tests.support.requests import brought_to, do, twin_of
from workers.recalculations import RecalculationLoop

REQUESTS = 12


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """A dozen open requests under gold."""
    async with open_desk(settings) as opened:
        first = await brought_to(opened, "IN_PROGRESS")
        for _ in range(REQUESTS - 1):
            await twin_of(first)
        yield opened


@asynccontextmanager
async def at_work(desk: Desk, workers: int) -> AsyncIterator[list[RecalculationLoop]]:
    """So many workers' loops, stopped at the end."""
    loops = [RecalculationLoop(clock=desk.time) for _ in range(workers)]
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield loops
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.gather(*tasks)


async def until_all_is_done(loops: list[RecalculationLoop]) -> None:
    async with asyncio.timeout(60):
        while await Recalculation.filter(finished_at=None).exists():
            for loop in loops:
                loop.wake()
            await asyncio.sleep(0.05)


async def events(kind: str) -> list[int]:
    """How often each request has an event of a kind."""
    rows = await get_connection("default").execute_query_dict(
        "select count(*) as n from event where type = $1 and subject_type = 'request'"
        " group by subject",
        [kind],
    )
    return [row["n"] for row in rows]


async def test_three_workers_move_each_request_once(desk: Desk) -> None:
    """R-CAT-03, S12: beside somebody who works on one of them."""
    version = await another_gold(desk)
    preview = await preview_migration(FOUNDER, version, now=desk.time.now)
    await work_off(desk.time.now)
    row_id = await apply_migration(FOUNDER, preview, now=desk.time.now)
    somebodys = await Request.all().order_by("-id").first()
    assert somebodys is not None

    async with at_work(desk, 3) as loops:
        await do(desk, "LINE1", "noteOnRequest", id=f"req_{somebodys.id.hex}", text="备注")
        await until_all_is_done(loops)

    row = await Recalculation.get(id=row_id)
    assert (row.status, row.done, row.total) == ("DONE", REQUESTS, REQUESTS)
    assert await events("ServiceLevelMigrated") == [1] * REQUESTS
    assert await Request.filter(service_level_version_id=version).count() == REQUESTS


async def another_gold(desk: Desk) -> UUID:
    """A version of gold that promises two hours less."""
    return await save_service_level(
        FOUNDER,
        name="gold",
        calendar_id=desk.ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=6, CLOSURE=240),
        now=desk.time.now,
    )


async def test_a_loop_that_is_stopped_leaves_the_rest_to_another(desk: Desk) -> None:
    """Situation 22, Decision 4: the step in hand is finished, the next worker does the others."""
    await switch_off_service_level(FOUNDER, await level_named("gold"), now=desk.time.now)
    stopped = RecalculationLoop(clock=desk.time)
    running = asyncio.create_task(stopped.run())
    async with asyncio.timeout(60):
        while not await events("ServiceLevelSwitchedOff"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    stopped.stop()
    await running

    async with at_work(desk, 1) as loops:
        await until_all_is_done(loops)

    assert await events("ServiceLevelSwitchedOff") == [1] * REQUESTS
    states = set(await Clock.filter(completed_at=None).values_list("state", flat=True))
    assert states == {"CANCELLED"}
