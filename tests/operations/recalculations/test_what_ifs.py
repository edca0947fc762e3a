"""Closed requests under another promise: computed in steps, changing nothing (R-SLA-12)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tortoise.connection import get_connection

from itr.addresses import credentials
from itr.catalogue.models import ServiceLevelVersion
from itr.catalogue.operations import save_service_level
from itr.errors import DomainError
from itr.figures.rules import Period
from itr.recalculations.operations import cancel_recalculation, start_what_if
from itr.recalculations.working import advance
from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.models import CalendarVersion, Recalculation, RecalculationLine
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread, WaitingReason
from tests.support.desk import FOUNDER, OFFICE, START, Desk, hours, level_named, open_desk, targets
from tests.support.levels import work_off
from tests.support.requests import CRITICAL, MINOR, brought_to, do, stored

MARCH = Period(START, START + timedelta(days=31))
EVERYTHING = ("recalculation", "recalculation_line")


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """Acme's requests under gold: solved after 1, 5 and 9 hours, one of them after a wait."""
    async with open_desk(settings) as opened:
        opened.ids["gold"] = await level_named("gold")
        for amount in (1, 5, 9):
            await closed(opened, amount)
        await closed(opened, 9, waiting=6)
        yield opened


async def closed(desk: Desk, amount: float, *, waiting: float = 0) -> str:
    """A request answered at once and solved after so many hours, of which it waited for parts."""
    request = await brought_to(desk, "IN_PROGRESS")
    id_: str = request["id"]
    await do(desk, "LINE1", "respondToRequest", id=id_, text="在看")
    if waiting:
        await do(desk, "LINE1", "waitRequest", id=id_, reason="SPARE_PART")
        desk.time.pass_(hours(waiting))
        await do(desk, "LINE1", "resumeRequest", id=id_)
    desk.time.pass_(hours(amount - waiting))
    await do(desk, "LINE1", "deliverRequest", id=id_, solution="换模块", restoresService=True)
    await do(desk, "CUSTOMER", "confirmRequest", id=id_)
    await do(desk, "LINE1", "closeRequest", id=id_)
    return id_


async def another_gold(desk: Desk, resolution: float, **more: Any) -> UUID:
    """A version of gold with another target for RESOLUTION; nobody is moved to it."""
    return await save_service_level(
        FOUNDER,
        name="gold",
        calendar_id=desk.ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=resolution, CLOSURE=240),
        now=desk.time.now,
        **more,
    )


async def found(row_id: UUID, thread: str = "RESOLUTION") -> list[int]:
    """Clocks and breaches of a thread, as they are and as they would be."""
    result = (await Recalculation.get(id=row_id)).result or {}
    rows = [each[2:] for each in result["counts"] if each[0] == thread]
    return [sum(column) for column in zip(*rows, strict=True)]


async def start(desk: Desk, **more: Any) -> UUID:
    return await start_what_if(FOUNDER, MARCH, now=desk.time.now, **more)


async def test_the_breach_rates_stand_side_by_side_and_nothing_changes(desk: Desk) -> None:
    """R-SLA-12: two of four took longer than 8 hours; under 4 hours three do."""
    version = await another_gold(desk, 4)
    before, events = await stored(besides=("event",)), await events_but_progress()

    row_id = await start(desk, version_id=version)
    await work_off(desk.time.now)

    row = await Recalculation.get(id=row_id)
    assert (row.status, row.done, row.total) == ("DONE", 4, 4)
    assert await found(row_id) == [4, 2, 4, 3]
    flips = await RecalculationLine.filter(recalculation_id=row_id)
    assert [(each.thread, each.state_before, each.state_after) for each in flips] == [
        (Thread.RESOLUTION, "MET", "BREACHED")
    ]
    assert flips[0].flips
    assert await stored(besides=("event",)) == before
    assert await events_but_progress() == events


async def events_but_progress() -> int:
    rows = await get_connection("default").execute_query_dict(
        "select count(*) as n from event where type <> 'RecalculationProgressed'"
    )
    count: int = rows[0]["n"]
    return count


async def test_what_a_wait_pauses_is_said_by_the_other_version(desk: Desk) -> None:
    """R-SLA-12, R-CAT-03: waiting for parts pauses nothing under gold; here it does."""
    pauses = [(WaitingReason.SPARE_PART, thread) for thread in Thread]
    version = await another_gold(desk, 8, pauses=pauses)

    row_id = await start(desk, version_id=version)
    await work_off(desk.time.now)

    assert await found(row_id) == [4, 2, 4, 1]


async def test_under_the_version_they_had_all_is_as_it_was(desk: Desk) -> None:
    """R-SLA-12: told again under the same terms, every clock stands as it stood."""
    version = await ServiceLevelVersion.get(service_level_id=desk.ids["gold"], number=1)

    row_id = await start(desk, version_id=version.id)
    await work_off(desk.time.now)

    row = await Recalculation.get(id=row_id)
    assert row.result is not None
    assert (row.result["flips"], row.result["changes"], row.result["skipped"]) == (0, 0, 0)
    for thread in Thread:
        clocks, breached, then, breached_then = await found(row_id, thread)
        assert (clocks, breached) == (then, breached_then)


async def test_a_calendar_version_counts_every_clock(desk: Desk) -> None:
    """R-SLA-12: in office hours nine hours from nine o'clock end the next day, within eight."""
    version = await CalendarVersion.get(calendar_id=desk.ids["office"], number=1)

    row_id = await start(desk, calendar_version_id=version.id)
    await work_off(desk.time.now)

    clocks, breached, then, breached_then = await found(row_id)
    assert (clocks, breached, then) == (4, 2, 4)
    assert breached_then < breached


async def test_situation_20_a_closed_requests_sealed_result_stays_when_the_calendar_is_edited(
    desk: Desk,
) -> None:
    """Situation 20, R-SLA-10: only a what-if tells what it would have been."""
    before = await stored(besides=("event",))
    definition = replace(OFFICE, exceptions=(DatedException(START.date()),))

    for name in ("office", "always"):
        await save_calendar(FOUNDER, name=name, definition=definition, now=desk.time.now)

    assert await recompute_batch(desk.time.now) == 0
    assert await stored(besides=("event",)) == before
    always = replace(OFFICE, always_open=True)
    await save_calendar(FOUNDER, name="always", definition=always, now=desk.time.now)


async def test_only_the_requests_asked_for_are_computed(desk: Desk) -> None:
    """R-SLA-12: of a period, a level, a customer."""
    version = await another_gold(desk, 4)
    house = await level_named("house")
    nobody = await start(desk, version_id=version, level_id=house)
    earlier = await start_what_if(
        FOUNDER,
        Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)),
        version_id=version,
        now=desk.time.now,
    )
    others = await start(desk, version_id=version, customer_id=desk.ids["Bolt"])
    own = await start(desk, version_id=version, customer_id=desk.ids["Acme"])
    await work_off(desk.time.now)

    done = [(await Recalculation.get(id=each)).done for each in (nobody, earlier, others, own)]
    assert done == [0, 0, 0, 4]


async def test_a_worker_that_dies_leaves_whole_steps_and_another_goes_on(desk: Desk) -> None:
    """Decision 4: what was done is not done again, what was not is."""
    row_id = await start(desk, version_id=await another_gold(desk, 4))
    await advance(desk.time.now, at_once=1)
    assert (await Recalculation.get(id=row_id)).done == 1

    guard = await asyncpg.connect(**credentials(desk.settings.owner_database_url))
    try:
        async with guard.transaction():
            await guard.execute("lock table event in exclusive mode")
            dying = asyncio.create_task(advance(desk.time.now, at_once=1))
            await until_somebody_waits(guard)
            dying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dying
    finally:
        await guard.close()
    assert (await Recalculation.get(id=row_id)).done == 1

    await work_off(desk.time.now)
    assert await found(row_id) == [4, 2, 4, 3]
    assert await RecalculationLine.filter(recalculation_id=row_id).count() == 1


async def until_somebody_waits(guard: asyncpg.Connection) -> None:
    """Wait until another statement stands before a lock: its step is done but not committed."""
    async with asyncio.timeout(30):
        while not await guard.fetchval(  # noqa: ASYNC110 - a database has no event to wait for
            "select count(*) from pg_locks where not granted"
        ):
            await asyncio.sleep(0.01)


async def test_one_that_cannot_even_begin_has_failed_and_blocks_no_other(desk: Desk) -> None:
    """Decision 4."""
    broken = await Recalculation.create(
        id=uuid4(),
        kind="WHAT_IF",
        status="WAITING",
        wanted={"from": "yesterday"},
        created_by=FOUNDER.id,
        created_at=START,
    )
    row_id = await start(desk, version_id=await another_gold(desk, 4))

    await work_off(desk.time.now)

    assert (await Recalculation.get(id=broken.id)).status == "FAILED"
    assert (await Recalculation.get(id=row_id)).status == "DONE"


async def test_it_can_be_called_off_and_what_was_found_stays(desk: Desk) -> None:
    """R-SLA-12."""
    row_id = await start(desk, version_id=await another_gold(desk, 4))

    await cancel_recalculation(FOUNDER, row_id, now=desk.time.now)
    await cancel_recalculation(FOUNDER, row_id, now=desk.time.now)

    assert await work_off(desk.time.now) == 0
    row = await Recalculation.get(id=row_id)
    assert (row.status, row.done, row.finished_at) == ("CANCELLED", 0, desk.time.now)


async def test_a_reclassified_request_has_each_priority_its_own_promise(desk: Desk) -> None:
    """R-PRI-03, R-SLA-08: from P1 to P3 after three hours; the breach under P1 stays."""
    request = await brought_to(desk, "IN_PROGRESS", classified=CRITICAL)
    desk.time.pass_(hours(3))
    await do(desk, "LINE1", "reclassifyRequest", id=request["id"], **MINOR)
    for verb, more in (
        ("deliverRequest", {"solution": "x", "restoresService": True}),
        ("confirmRequest", {}),
        ("closeRequest", {}),
    ):
        who = "CUSTOMER" if verb == "confirmRequest" else "LINE1"
        await do(desk, who, verb, id=request["id"], **more)
    promises = targets(RESPONSE=1, RESTORATION=2, RESOLUTION=8, CLOSURE=240)
    for key, target in targets(RESPONSE=1, RESTORATION=2, RESOLUTION=2, CLOSURE=240).items():
        promises[key] = target if key[0] == "P1" else promises[key]
    version = await save_service_level(
        FOUNDER, name="gold", calendar_id=desk.ids["always"], targets=promises, now=desk.time.now
    )

    row_id = await start(desk, version_id=version)
    await work_off(desk.time.now)

    result = (await Recalculation.get(id=row_id)).result or {}
    of_p3 = [each for each in result["counts"] if each[:2] == ["RESOLUTION", "P3"]]
    assert of_p3 == [["RESOLUTION", "P3", 1, 0, 1, 1]]


async def test_what_a_what_if_needs_is_asked_for(desk: Desk) -> None:
    """S17."""
    with pytest.raises(DomainError) as refused:
        await start(desk)
    assert refused.value.code == "NOTHING_TO_COMPARE"
    with pytest.raises(DomainError) as refused:
        await start(desk, version_id=UUID(int=0))
    assert (refused.value.code, refused.value.path) == ("NOT_FOUND", ("serviceLevelVersionId",))


async def test_a_request_that_cannot_be_told_is_skipped_and_the_others_are_computed(
    desk: Desk,
) -> None:
    """R-SLA-12: one entry nobody understands never blocks what comes after it."""
    id_ = await closed(desk, 1)
    await get_connection("default").execute_query(
        "insert into event (type, subject_type, subject, subject_version, stream, audience,"
        " actor_id, actor_name, occurred_at, payload)"
        " values ('Odd', 'request', $1, 1000, $1, 'INTERNAL', $1, 'odd', now(), $2)",
        [id_.removeprefix("req_"), '{"clocks": [{"kind": "ODD", "at": "2026-03-02T01:00:00Z"}]}'],
    )
    row_id = await start(desk, version_id=await another_gold(desk, 4))

    await work_off(desk.time.now)

    row = await Recalculation.get(id=row_id)
    assert row.result is not None
    assert (row.status, row.result["skipped"]) == ("DONE", 1)
    assert row.done == row.total == row.result["requests"] + 1
    assert row.result["requests"] >= 4
