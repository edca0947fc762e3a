"""Editing a calendar counts the clocks that are not completed anew (R-SLA-10)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tortoise.connection import get_connection

from itr.requests.models import Request
from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.models import Clock, ControlPoint
from itr.sla.operations import refresh_calendars, save_calendar
from tests.support.databases import as_owner
from tests.support.desk import FOUNDER, OFFICE, START, Desk, hours, open_desk
from tests.support.requests import CRITICAL, do, submitted


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def edit_the_calendar(desk: Desk, closed: date) -> None:
    definition = replace(OFFICE, exceptions=(DatedException(closed),))
    await save_calendar(FOUNDER, name="office", definition=definition, now=desk.time.now)


async def recompute_all(desk: Desk) -> int:
    done = 0
    while batch := await recompute_batch(desk.time.now, limit=5):
        done += batch
    return done


async def test_an_edited_calendar_moves_open_deadlines_and_leaves_requests_untouched(
    desk: Desk,
) -> None:
    """R-SLA-10, situation 28: the request's version, updatedAt and timeline stay."""
    request = (await submitted(desk, "bolt", customerId=desk.public("org", "Bolt")))["id"]
    key = request.removeprefix("req_")
    before = await Request.get(id=key)
    deadline = (await Clock.get(request_id=key, thread="RESOLUTION")).deadline

    await edit_the_calendar(desk, START.date())
    recomputed = await recompute_all(desk)

    after = await Request.get(id=key)
    clock = await Clock.get(request_id=key, thread="RESOLUTION")
    assert recomputed == 3
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    assert clock.deadline is not None and deadline is not None
    assert clock.deadline - deadline == hours(24)
    assert await recompute_all(desk) == 0


async def test_open_steps_move_with_the_clocks_in_one_batch(desk: Desk) -> None:
    """R-SLA-10, R-CP-02, situation 28: deadline and reminder; request and timeline stay."""
    desk.time.now = START + hours(24 * 8 + 8.5)  # Tuesday, half an hour before the office closes
    request = (await submitted(desk, "bolt", customerId=desk.public("org", "Bolt")))["id"]
    key = request.removeprefix("req_")
    desk.time.pass_(hours(0.25))
    before = await Request.get(id=key)
    steps = {row.number: row for row in await ControlPoint.filter(request_id=key)}
    events = await told(key)

    await edit_the_calendar(desk, desk.time.now.date())
    await recompute_batch(desk.time.now)

    after = await Request.get(id=key)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    assert await told(key) == events
    registered, classify = [
        await ControlPoint.get(request_id=key, number=number) for number in (1, 2)
    ]
    assert registered.revision == steps[1].revision
    assert (classify.revision, classify.budget_us) == (2, 24 * 60_000_000)
    # 15 of its 24 minutes are spent; the rest begins when the office opens on Wednesday.
    opens = START + hours(24 * 9)
    assert (steps[2].deadline, classify.deadline) == (opens - hours(15.1), opens + hours(0.15))
    assert classify.next_reminder_at == opens + timedelta(minutes=4, seconds=12)
    desk.time.now = START


async def told(request: str) -> int:
    """How many events the request's own timeline has."""
    found = await get_connection("default").execute_query_dict(
        "select count(*) as n from event where subject = $1", [request]
    )
    return int(found[0]["n"])


async def test_steps_without_an_open_clock_move_by_themselves(desk: Desk) -> None:
    """R-SLA-10."""
    desk.time.now = START + hours(24 * 9)
    request = (await submitted(desk, "bolt", customerId=desk.public("org", "Bolt")))["id"]
    key = request.removeprefix("req_")
    before = await ControlPoint.get(request_id=key, number=2)
    await as_owner(desk.settings, "delete from clock where request_id = $1", key)

    await edit_the_calendar(desk, desk.time.now.date())
    await recompute_all(desk)

    after = await ControlPoint.get(request_id=key, number=2)
    assert before.deadline is not None
    assert after.deadline == before.deadline + hours(24)
    desk.time.now = START


async def test_a_completed_clock_keeps_what_it_was(desk: Desk) -> None:
    """R-SLA-10, situation 20: a sealed result does not change when the calendar does."""
    desk.time.pass_(hours(24))
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "respondToRequest", id=request["id"], text="hello")
    key = request["id"].removeprefix("req_")
    before = await Clock.get(request_id=key, thread="RESPONSE")

    await edit_the_calendar(desk, date(2026, 3, 4))
    await recompute_all(desk)

    after = await Clock.get(request_id=key, thread="RESPONSE")
    assert (after.state, after.elapsed_us, after.revision) == (
        before.state,
        before.elapsed_us,
        before.revision,
    )


async def test_a_paused_clock_is_recomputed_too(desk: Desk) -> None:
    """R-SLA-10: paused ones included."""
    desk.time.pass_(hours(24 * 7))
    request = (await submitted(desk, "bolt", customerId=desk.public("org", "Bolt")))["id"]
    await do(desk, "PROCESS_MANAGER", "waiveCharge", id=request)
    await do(desk, "LINE1", "acceptRequest", id=request, **CRITICAL)
    await do(
        desk, "DISPATCH_MANAGER", "dispatchRequest", id=request,
        queueId=desk.public("que", "queue1"), assigneeId=desk.public("per", "LINE1"),
    )  # fmt: skip
    await do(desk, "LINE1", "startRequest", id=request)
    today = desk.time.now.date()
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "waitRequest", id=request, reason="CUSTOMER")
    key = request.removeprefix("req_")
    assert (await Clock.get(request_id=key, thread="RESOLUTION")).elapsed_us > 0

    await edit_the_calendar(desk, today)
    await recompute_all(desk)

    assert (await Clock.get(request_id=key, thread="RESOLUTION")).elapsed_us == 0


async def test_a_clock_nobody_can_compute_keeps_no_other_from_being_recomputed(desk: Desk) -> None:
    """R-SLA-10: what has no history is left as it is, whatever its place among the others."""
    keys = []
    for _ in range(2):
        request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
        keys.append(request["id"].removeprefix("req_"))
    broken = await Clock.get(request_id=keys[0], thread="RESTORATION")
    await Clock.filter(id=broken.id).update(thread="CLOSURE")

    await edit_the_calendar(desk, date(2026, 4, 1))
    await recompute_all(desk)

    rows = await Clock.filter(request_id__in=keys)
    behind = [row.id for row in rows if row.calendar_version_id == broken.calendar_version_id]
    assert (len(rows), behind) == (6, [broken.id])
    await Clock.filter(id=broken.id).update(thread="RESTORATION")


async def test_calendars_are_renewed_only_when_their_holidays_changed(desk: Desk) -> None:
    """R-CAL-03."""
    assert await refresh_calendars(desk.time.now) == 0
