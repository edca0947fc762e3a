"""What tests of alarms share: clocks that are due when we say, and what the log says of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.connection import get_connection

from itr.actors.actor import Actor
from itr.catalogue.operations import save_service_level
from itr.catalogue.terms import FaultLevel, Impact
from itr.people.operations import load_actor
from itr.requests import operations
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import Classification
from itr.requests.terms import ProblemType, RequestKind
from itr.sla.clock import Target
from itr.sla.models import Clock
from itr.sla.terms import Thread, WaitingReason
from itr.tickets.firing import fire_due
from tests.support.desk import FOUNDER

P1 = Classification(ProblemType.FAULT, FaultLevel.CRITICAL, Impact.ENTERPRISE)
P3 = Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP)
THREADS = (Thread.RESPONSE, Thread.RESTORATION, Thread.RESOLUTION)


async def promise(
    ids: dict[str, UUID], seconds: Sequence[float], *, calendar: str = "always", now: datetime
) -> None:
    """Make the house level promise so many seconds for response, restoration, resolution."""
    amounts = dict(zip((*THREADS, Thread.CLOSURE), (*seconds, 1_440_000), strict=True))
    await save_service_level(
        FOUNDER,
        name="house",
        calendar_id=ids[calendar],
        targets={
            (priority, thread): Target(us=round(amount * 1_000_000))
            for priority in ("P1", "P2", "P3", "P4")
            for thread, amount in amounts.items()
        },
        pauses=[(reason, thread) for reason in WaitingReason for thread in THREADS],
        confirmation_days=1,
        now=now,
    )


async def person(ids: dict[str, UUID], name: str) -> Actor:
    """Somebody of the desk as an actor."""
    found = await load_actor(ids[name])
    assert found is not None
    return found


async def registered(ids: dict[str, UUID], now: datetime, *, by: str = "bolt") -> UUID:
    """A request whose three clocks start now."""
    wanted = Intake(
        kind=RequestKind.TECHNICAL,
        title="alarm",
        description="a request with clocks",
        product_id=ids["router"],
    )
    return await operations.submit_request(await person(ids, by), wanted, now=now)


async def owned(ids: dict[str, UUID], at: datetime, classification: Classification = P3) -> UUID:
    """A request line 1 owns and nobody has answered yet."""
    key = await registered(ids, at)
    manager, line1 = await person(ids, "PROCESS_MANAGER"), await person(ids, "LINE1")
    await operations.agree_to_charge(manager, key, RequestVerb.WAIVE_CHARGE, now=at)
    await operations.accept_request(line1, key, classification, now=at)
    await operations.dispatch_request(
        await person(ids, "DISPATCH_MANAGER"),
        key,
        queue_id=ids["queue1"],
        assignee_id=line1.id,
        now=at,
    )
    return await operations.start_request(line1, key, now=at)


async def fire_all(now: datetime) -> None:
    """Let every alarm fire that is due by now."""
    while (await fire_due(now)).clocks:
        pass


async def alarms(request_id: UUID | None = None) -> list[dict[str, Any]]:
    """The alarms the log knows, oldest first, with their payload's words."""
    where, values = ("", []) if request_id is None else (" and stream = $1", [request_id])
    rows = await get_connection("default").execute_query_dict(
        "select subject, recorded_at, payload::text as words from event"
        f" where type = 'ClockAlarmRaised'{where} order by subject, subject_version",
        values,
    )
    return [{**orjson.loads(row["words"]), "clock": row["subject"]} for row in rows]


async def how_often() -> Counter[tuple[UUID, int, int]]:
    """How often each level of each clock version fired."""
    return Counter((each["clock"], each["version"], each["percent"]) for each in await alarms())


async def armed() -> int:
    """How many clocks still have an alarm to come."""
    return await Clock.filter(next_alarm_at__isnull=False).count()
