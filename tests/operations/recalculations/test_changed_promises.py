"""Promises that change under a request: what came to its end, what warns, what is told again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tortoise.connection import get_connection

from itr.catalogue.models import ServiceLevelVersion
from itr.catalogue.operations import save_service_level
from itr.figures.rules import Period
from itr.recalculations.operations import apply_migration, preview_migration, start_what_if
from itr.requests.models import Request
from itr.requests.operations import approve_breach_reason, explain_breach
from itr.requests.recomputing import recompute_batch
from itr.requests.risk import RISK
from itr.requests.store import working_on
from itr.requests.verbs import closing
from itr.settings import Settings
from itr.sla.calendars import DatedException, Span
from itr.sla.clock import Target
from itr.sla.models import Clock, Recalculation
from itr.sla.operations import correct_calendar
from itr.sla.terms import BreachReason, Thread
from tests.support.desk import ALL_PAUSE, FOUNDER, HOUR, START, Desk, hours, open_desk
from tests.support.levels import work_off
from tests.support.requests import MINOR, brought_to, clock, do, events_of, read
from tests.workers.alarms import fire_all

SOLVED = {"solution": "换模块", "restoresService": True}
FACTOR = {"P1": 1, "P2": 2, "P3": 4, "P4": 8}


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        yield desk


@pytest.fixture
async def desk(opened: Desk) -> Desk:
    """The desk at nine on a Monday, its gold level tighter the higher the priority."""
    opened.time.now = START
    await gold(opened)
    return opened


async def gold(
    desk: Desk,
    *,
    calendar: str = "always",
    resolution: float = 8,
    percents: Sequence[int] = (50, 100),
) -> None:
    """Save the gold level anew; everything waited for pauses it."""
    amounts = {"RESPONSE": 1, "RESTORATION": 4, "RESOLUTION": resolution}
    await save_service_level(
        FOUNDER,
        name="gold",
        calendar_id=desk.ids[calendar],
        targets={
            (priority, Thread(thread)): Target(us=round(amount * factor * HOUR))
            for priority, factor in FACTOR.items()
            for thread, amount in amounts.items()
        }
        | {(priority, Thread.CLOSURE): Target(us=240 * HOUR) for priority in FACTOR},
        pauses=ALL_PAUSE,
        percents=percents,
        now=desk.time.now,
    )


async def migrate(desk: Desk) -> None:
    """Move every open request to the newest version of gold."""
    versions = ServiceLevelVersion.filter(service_level__name="gold").order_by("-number")
    newest = await versions.first()
    assert newest is not None
    preview = await preview_migration(FOUNDER, newest.id, now=desk.time.now)
    await work_off(desk.time.now)
    await apply_migration(FOUNDER, preview, now=desk.time.now)
    await work_off(desk.time.now)


async def row_of(request: dict[str, Any], thread: str) -> Clock:
    return await Clock.get(request_id=request["id"].removeprefix("req_"), thread=thread)


async def solved(desk: Desk, id: str) -> None:
    """Deliver, confirm and close."""
    await do(desk, "LINE1", "deliverRequest", id=id, **SOLVED)
    await do(desk, "CUSTOMER", "confirmRequest", id=id)
    await do(desk, "LINE1", "closeRequest", id=id)


async def what_if(desk: Desk) -> dict[str, Any]:
    """What came of recomputing a month's closed requests under the newest version of gold."""
    versions = ServiceLevelVersion.filter(service_level__name="gold").order_by("-number")
    newest = await versions.first()
    assert newest is not None
    period = Period(START, START + timedelta(days=31))
    row_id = await start_what_if(FOUNDER, period, version_id=newest.id, now=desk.time.now)
    await work_off(desk.time.now)
    found = (await Recalculation.get(id=row_id)).result or {}
    return {name: found.get(name, 0) for name in ("requests", "changes", "flips", "skipped")}


async def test_what_is_reclassified_once_service_is_up_has_the_new_promise_when_it_is_down_again(
    desk: Desk,
) -> None:
    """R-PRI-03, R-SLA-09: RESTORATION was met when a P1 became a P3; told again likewise."""
    id_ = (await brought_to(desk, "RESTORED"))["id"]
    request = await do(desk, "LINE1", "reclassifyRequest", id=id_, **MINOR)
    assert (request["priority"], clock(request, "RESTORATION")["target"]) == ("P3", "PT4H")
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)
    desk.time.pass_(hours(1))

    request = await do(desk, "CUSTOMER", "rejectSolution", id=id_, reason="又断", serviceDown=True)

    assert clock(request, "RESTORATION")["target"] == "PT16H"
    desk.time.pass_(hours(15))
    await solved(desk, id_)
    desk.time.pass_(hours(1))
    assert (await row_of(request, "RESTORATION")).state == "MET"
    assert await what_if(desk) == {"requests": 1, "changes": 0, "flips": 0, "skipped": 0}


async def test_a_migration_leaves_a_sealed_result_alone_though_its_calendar_was_edited(
    desk: Desk,
) -> None:
    """R-SLA-10, R-CAT-03: solved in 7½ of 8 hours, by the calendar of the day."""
    await gold(desk, calendar="office")
    id_ = (await brought_to(desk, "IN_PROGRESS"))["id"]
    desk.time.pass_(hours(9))
    sealed = clock(await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED), "RESOLUTION")
    assert (sealed["state"], sealed["elapsed"]) == ("MET", "PT7H30M")
    longer = [DatedException(date(2026, 3, 2), (Span("09:00", "19:00"),))]
    await correct_calendar(
        FOUNDER, desk.ids["office"], exceptions=longer, dropped=(), now=desk.time.now
    )
    while await recompute_batch(desk.time.now):
        pass
    await gold(desk, calendar="office", resolution=20)

    await migrate(desk)

    request = await read(desk, "LINE1", id_)
    assert request is not None
    assert clock(request, "RESOLUTION") == sealed


async def test_a_request_that_closes_while_it_is_about_to_be_moved_stays_as_it_closed(
    desk: Desk,
) -> None:
    """R-CAT-03, situation 20: the migration waits for its lock, and finds it sealed."""
    request = await brought_to(desk, "CONFIRMED")
    key = UUID(request["id"].removeprefix("req_"))
    await gold(desk, resolution=20)
    begun = asyncio.Event()

    async def migrates() -> None:
        await begun.wait()
        await migrate(desk)

    migration = asyncio.create_task(migrates())
    async with working_on(await desk.actor("LINE1"), key, desk.time.now) as in_hand:
        closing.close(in_hand)
        begun.set()
        while not await somebody_waits():  # noqa: ASYNC110 - a database has no event to wait for
            await asyncio.sleep(0.02)
    await migration

    events = [each["type"] for each in await events_of(request["id"])]
    assert events[-1] == "RequestClosed"
    assert (await Request.get(id=key)).service_level_version_id == in_hand.terms.version_id


async def somebody_waits() -> bool:
    """Whether a transaction waits for another's lock."""
    waiting = "select 1 from pg_locks where not granted limit 1"
    return bool(await get_connection("default").execute_query_dict(waiting))


async def test_a_version_that_only_warns_otherwise_has_open_clocks_warn_so_once_they_are_moved(
    desk: Desk,
) -> None:
    """R-ALM-01, R-CAT-03: the same targets, 10 % instead of 50 %; no new clock version."""
    request = await brought_to(desk, "IN_PROGRESS")
    before = await row_of(request, "RESOLUTION")
    assert before.next_alarm_at == START + hours(4)
    await gold(desk, percents=(10, 100))

    await migrate(desk)

    after = await row_of(request, "RESOLUTION")
    assert after.next_alarm_at == START + hours(0.8)
    assert after.version == before.version


async def test_a_request_that_waited_at_a_partner_firm_is_told_again_like_any_other(
    desk: Desk,
) -> None:
    """R-SLA-12, R-REQ-10: one hour of the two was waiting for the firm."""
    desk.time.pass_(hours(24 * 14))
    before = await what_if(desk)
    id_ = (await brought_to(desk, "IN_PROGRESS"))["id"]
    firm, ours = desk.public("que", "queueFirm"), desk.public("que", "queue1")
    given = {"id": id_, "queueId": firm, "reason": "第三方设备", "waiting": True}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", **given)
    desk.time.pass_(hours(1))
    await do(desk, "DISPATCH_MANAGER", "takeBack", id=id_, queueId=ours, reason="收回")
    await do(desk, "LINE1", "startRequest", id=id_)
    desk.time.pass_(hours(1))
    await solved(desk, id_)
    desk.time.pass_(hours(1))

    found = await what_if(desk)

    assert found == {**before, "requests": before["requests"] + 1}


async def test_a_closure_dropped_after_its_breach_threatens_nothing_any_more(desk: Desk) -> None:
    """R-SLA-05, R-SLA-09, R-SLA-13: the breach stays, a board shows what is still to be met."""
    request = await brought_to(desk, "DELIVERED")
    desk.time.pass_(hours(241))
    await fire_all(desk.time.now)
    assert await risk_of(desk, request) == "BREACHED"

    request = await do(desk, "CUSTOMER", "rejectSolution", id=request["id"], reason="仍不通")

    assert clock(request, "CLOSURE")["state"] == "BREACHED"
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    assert await risk_of(desk, request) == "OK"


async def test_a_breach_that_a_corrected_calendar_overturns_is_a_risk_and_no_breach_on_a_board(
    desk: Desk,
) -> None:
    """R-SLA-05, R-SLA-13: the afternoon was worked by another calendar than the morning."""
    await gold(desk, calendar="office")
    request = await brought_to(desk, "IN_PROGRESS")
    await do(desk, "LINE1", "respondToRequest", id=request["id"], text="在看")
    desk.time.pass_(hours(6))
    await fire_all(desk.time.now)
    assert await risk_of(desk, request) == "BREACHED"
    await explained(desk, request)

    shorter = [DatedException(date(2026, 3, 2), (Span("13:30", "18:00"),))]
    await correct_calendar(
        FOUNDER, desk.ids["office"], exceptions=shorter, dropped=(), now=desk.time.now
    )
    while await recompute_batch(desk.time.now):
        pass

    row = await row_of(request, "RESTORATION")
    assert (row.state, row.overturned_at) == ("RUNNING", desk.time.now)
    assert await risk_of(desk, request) == "AT_RISK"
    assert (row.breach_reason, row.breach_reason_state) == (None, None)
    desk.time.pass_(hours(24))
    await explained(desk, request)
    assert (await row_of(request, "RESTORATION")).breach_reason == "STAFFING"


async def test_after_a_breach_was_overturned_a_new_one_warns_again(desk: Desk) -> None:
    """R-SLA-05, R-ALM-02: by a version of its own; what was warned of before is not told again."""
    desk.time.now = START + timedelta(days=7)
    await gold(desk, calendar="office", percents=(50, 75, 90, 100))
    request = await brought_to(desk, "IN_PROGRESS")
    await do(desk, "LINE1", "respondToRequest", id=request["id"], text="在看")
    desk.time.pass_(hours(6))
    await fire_all(desk.time.now)
    first = await row_of(request, "RESTORATION")
    shorter = [DatedException(date(2026, 3, 9), (Span("13:30", "18:00"),))]
    await correct_calendar(
        FOUNDER, desk.ids["office"], exceptions=shorter, dropped=(), now=desk.time.now
    )
    while await recompute_batch(desk.time.now):
        pass

    undone = await row_of(request, "RESTORATION")
    desk.time.pass_(hours(48))
    await fire_all(desk.time.now)

    again = await row_of(request, "RESTORATION")
    assert (undone.breached_at, undone.version) == (None, first.version + 1)
    assert again.breached_at is not None
    assert await warned(request) == [
        (first.version, 50), (first.version, 75), (first.version, 90), (first.version, 100),
        (again.version, 100),
    ]  # fmt: skip


async def warned(request: dict[str, Any]) -> list[tuple[int, int]]:
    """The alarms of RESTORATION raised so far, by version and level."""
    rows = await get_connection("default").execute_query_dict(
        "select (payload->>'version')::int as version, (payload->>'percent')::int as percent"
        " from event where stream = $1 and type = 'ClockAlarmRaised'"
        " and payload->>'thread' = 'RESTORATION' order by id",
        [request["id"].removeprefix("req_")],
    )
    return [(row["version"], row["percent"]) for row in rows]


async def explained(desk: Desk, request: dict[str, Any]) -> None:
    """The breach of RESTORATION has a reason, and a manager approves it."""
    key = UUID(request["id"].removeprefix("req_"))
    thread, reason, now = Thread.RESTORATION, BreachReason.STAFFING, desk.time.now
    owner, manager = await desk.actor("LINE1"), await desk.actor("PROCESS_MANAGER")
    await explain_breach(owner, key, thread=thread, reason=reason, note=None, now=now)
    await approve_breach_reason(manager, key, thread=thread, now=now)


async def risk_of(desk: Desk, request: dict[str, Any]) -> str:
    """What a board says threatens the request."""
    risk_now = RISK.replace("{t}", "r").replace(":now", "$2")
    rows = await get_connection("default").execute_query_dict(
        f"select {risk_now} as risk from request r where id = $1",
        [request["id"].removeprefix("req_"), desk.time.now],
    )
    risk: str = rows[0]["risk"]
    return risk
