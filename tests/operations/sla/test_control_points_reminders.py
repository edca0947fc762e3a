"""Owners are reminded of their steps at 80 % and 100 % of the budget, once (R-CP-02)."""

import asyncio
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from tortoise.connection import get_connection

from itr.events.work import transaction
from itr.requests import operations
from itr.requests.intake import Intake
from itr.requests.taking import take
from itr.requests.terms import RequestKind
from itr.sla.terms import WaitingReason
from itr.tickets.reminders import fire_due_reminders, next_reminder_at
from tests.operations.sla.test_control_points import (
    CRITICAL,
    MONDAY,
    House,
    Story,
    house,
    submitted,
)

__all__ = ["house"]

pytestmark = pytest.mark.usefixtures("database")


async def told(story: Story) -> list[tuple[int, int, bool, bool]]:
    """Number, percent, notifies, late of each reminder, in their order."""
    rows = await get_connection("default").execute_query_dict(
        "select payload::text as payload from event where stream = $1"
        " and type = 'ControlPointReminded' order by id",
        [story.id],
    )
    facts = [orjson.loads(row["payload"]) for row in rows]
    return [(each["number"], each["percent"], each["notifies"], each["late"]) for each in facts]


async def fire(now: datetime) -> None:
    while await fire_due_reminders(now):
        pass


async def test_an_owner_is_reminded_at_80_and_at_100_percent(house: House) -> None:
    """R-CP-02: a budget of an hour."""
    story = await submitted(house)
    for minute, expected in (
        (47, []),
        (48, [(2, 80, True, False)]),
        (59, [(2, 80, True, False)]),
        (60, [(2, 80, True, False), (2, 100, True, False)]),
        (90, [(2, 80, True, False), (2, 100, True, False)]),
    ):
        await fire(MONDAY + timedelta(minutes=minute))
        assert await told(story) == expected

    await (await story.after(2)).accepted()
    assert (await story.point(2)).on_time is False


async def test_after_an_outage_both_are_recorded_and_only_the_highest_notifies(
    house: House,
) -> None:
    """R-CP-02, as R-ALM-02."""
    story = await submitted(house)

    await fire(MONDAY + timedelta(hours=3))

    assert await told(story) == [(2, 80, False, True), (2, 100, True, True)]


async def test_five_workers_remind_once(house: House) -> None:
    """R-CP-02: exactly once under concurrency."""
    stories = [await submitted(house) for _ in range(40)]

    async def work() -> None:
        while await fire_due_reminders(MONDAY + timedelta(minutes=50), limit=7):
            pass

    await asyncio.gather(*(work() for _ in range(5)))

    for story in stories:
        assert await told(story) == [(2, 80, True, True)]


async def test_nobody_is_reminded_of_what_stands_still_or_is_done(house: House) -> None:
    """R-CP-02: steps pause with their thread."""
    story = await submitted(house)
    await story.begun()
    await story.does("hotline", operations.respond_to_request, text="在看")
    await story.does("hotline", operations.wait_request, reason=WaitingReason.CUSTOMER, note=None)

    await fire(MONDAY + timedelta(days=30))

    assert await told(story) == []


async def test_a_tighter_promise_reminds_anew(house: House) -> None:
    """R-SLA-08, R-CP-02."""
    story = await submitted(house)
    await story.begun()
    await story.does("hotline", operations.respond_to_request, text="在看")
    await fire((await story.after(2.5)).now)
    await story.does("hotline", operations.reclassify_request, CRITICAL)
    await fire(story.now)

    assert await told(story) == [
        (9, 80, True, True),
        (9, 80, False, True),
        (9, 100, True, True),
    ]


async def test_a_step_that_is_being_worked_on_is_left_to_the_next_call(house: House) -> None:
    """R-CP-02: what an operation has read it may write back."""
    await fire(MONDAY + timedelta(days=60))
    story = await submitted(house)
    outside = copy_context()
    async with transaction() as work:
        await take(work, house.people["hotline"], story.id, story.now)
        assert (
            await asyncio.create_task(_elsewhere(MONDAY + timedelta(hours=3)), context=outside) == 0
        )

    assert await next_reminder_at() == MONDAY + timedelta(minutes=48)
    await fire(MONDAY + timedelta(hours=3))
    assert len(await told(story)) == 2


async def _elsewhere(now: datetime) -> int:
    return await fire_due_reminders(now)


async def test_an_intake_by_somebody_of_line_1_is_theirs(house: House) -> None:
    """R-ROLE-07."""
    wanted: dict[str, Any] = {"title": "不通", "description": "电话"}
    intake = Intake(
        kind=RequestKind.TECHNICAL,
        customer_id=house.ids["customer"],
        product_id=house.ids["product"],
        **wanted,
    )
    made = await operations.submit_request(house.people["hotline"], intake, now=MONDAY)
    assert await Story(house, made, MONDAY).open() == {2: house.who("hotline")}
