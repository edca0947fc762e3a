"""Alarms with time as we set it: each level once per clock version."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from itr.catalogue.terms import FaultLevel, Impact
from itr.database import connected
from itr.requests import operations
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import Classification
from itr.requests.terms import ProblemType
from itr.settings import Settings
from itr.sla.models import Clock
from itr.sla.terms import Thread, WaitingReason
from itr.tickets.firing import fire_due
from tests.support.desk import START, furnish, hours
from tests.workers.alarms import alarms, how_often, person, promise, registered

Ids = dict[str, UUID]
HOUR = 3600.0
CLASSIFICATION = Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP)


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        found = await furnish(START)
        await promise(found, (10 * HOUR, 20 * HOUR, 40 * HOUR), now=START)
        yield found


async def fire_all(now: datetime) -> None:
    while (await fire_due(now)).clocks:
        pass


async def levels(request_id: UUID, thread: Thread) -> list[int]:
    return [each["percent"] for each in await alarms(request_id) if each["thread"] == thread]


async def started(ids: Ids, at: datetime) -> UUID:
    """A request line 1 works on."""
    request_id = await registered(ids, at)
    line1 = await person(ids, "LINE1")
    manager = await person(ids, "PROCESS_MANAGER")
    await operations.agree_to_charge(manager, request_id, RequestVerb.WAIVE_CHARGE, now=at)
    await operations.dispatch_request(
        await person(ids, "DISPATCH_MANAGER"), (await accepted(ids, request_id, at)),
        queue_id=ids["queue1"], assignee_id=line1.id, now=at,
    )  # fmt: skip
    return await operations.start_request(line1, request_id, now=at)


async def accepted(ids: Ids, request_id: UUID, at: datetime) -> UUID:
    return await operations.accept_request(
        await person(ids, "LINE1"), request_id, CLASSIFICATION, now=at
    )


async def test_each_of_the_four_levels_fires_at_its_point(ids: Ids) -> None:
    """R-ALM-01: 50, 75, 90 % at their point, 100 % strictly after the deadline."""
    request_id = await registered(ids, START)

    seen = []
    for share in (0.49, 0.5, 0.74, 0.75, 0.89, 0.9, 1.0):
        await fire_all(START + hours(10 * share))
        seen.append(await levels(request_id, Thread.RESPONSE))
    await fire_all(START + hours(10) + timedelta(microseconds=1))

    assert seen == [[], [50], [50], [50, 75], [50, 75], [50, 75, 90], [50, 75, 90]]
    assert await levels(request_id, Thread.RESPONSE) == [50, 75, 90, 100]
    clock = await Clock.get(request_id=request_id, thread=Thread.RESPONSE)
    assert (clock.state, clock.breached_at) == ("BREACHED", START + hours(10))


async def test_after_an_outage_all_are_recorded_late_and_only_the_highest_notifies(
    ids: Ids,
) -> None:
    """R-ALM-02, situation 25: with their original due times."""
    began = START + hours(100)
    request_id = await registered(ids, began)

    await fire_all(began + hours(9.5))

    told = [each for each in await alarms(request_id) if each["thread"] == Thread.RESPONSE]
    assert [(each["percent"], each["notifies"], each["late"]) for each in told] == [
        (50, False, True),
        (75, False, True),
        (90, True, True),
    ]
    due = [datetime.fromisoformat(each["dueAt"]) for each in told]
    assert due == [began + hours(5), began + hours(7.5), began + hours(9)]


async def test_nothing_fires_while_paused(ids: Ids) -> None:
    """R-ALM-02, situation 14: a deadline that passes while paused is no breach."""
    began = START + hours(200)
    request_id = await started(ids, began)
    line1 = await person(ids, "LINE1")
    await operations.wait_request(
        line1, request_id, reason=WaitingReason.CUSTOMER, note=None, now=began + hours(1)
    )

    await fire_all(began + hours(30))
    while_paused = await levels(request_id, Thread.RESPONSE)
    await operations.resume_request(line1, request_id, answer=None, now=began + hours(31))
    await fire_all(began + hours(35))

    assert while_paused == []
    assert await levels(request_id, Thread.RESPONSE) == [50]


async def test_a_new_version_of_a_clock_warns_anew(ids: Ids) -> None:
    """R-ALM-02: the version rises on start, retarget and reopen only."""
    began = START + hours(300)
    request_id = await started(ids, began)
    line1, customer = await person(ids, "LINE1"), await person(ids, "bolt")
    await fire_all(began + hours(21))
    await operations.deliver_request(
        line1, request_id, solution="done", restores_service=True, now=began + hours(21)
    )
    await operations.reject_solution(
        customer, request_id, reason="not done", service_down=False, now=began + hours(22)
    )

    await fire_all(
        began
        + hours(
            22,
        )
        + timedelta(seconds=1)
    )

    told = [each for each in await alarms(request_id) if each["thread"] == Thread.RESOLUTION]
    versions = [each["version"] for each in told if each["percent"] == 50]
    assert len(versions) == len(set(versions)) == 2


async def test_fifty_firings_at_once_fire_each_level_once(ids: Ids) -> None:
    """R-ALM-02, situation 27: rows are taken, never shared."""
    began = START + hours(1000)
    for _ in range(30):
        await registered(ids, began)

    await asyncio.gather(*(fire_due(began + hours(50), limit=7) for _ in range(50)))
    await fire_all(began + hours(50))

    counted = await how_often()
    assert set(counted.values()) == {1}
    assert len(counted) >= 30 * 3 * 4


async def test_an_alarm_due_while_a_pause_is_saved_fires_once_or_not_at_all(ids: Ids) -> None:
    """Situation 27."""
    began = START + hours(2000)
    line1 = await person(ids, "LINE1")
    requests = [await started(ids, began) for _ in range(10)]
    due = began + hours(5)

    await asyncio.gather(
        *(
            operations.wait_request(line1, each, reason=WaitingReason.CUSTOMER, note=None, now=due)
            for each in requests
        ),
        *(fire_due(due, limit=3) for _ in range(20)),
    )
    for each in requests:
        await operations.resume_request(line1, each, answer=None, now=due + hours(1))
    await fire_all(due + hours(2))

    for each in requests:
        assert await levels(each, Thread.RESPONSE) == [50]
