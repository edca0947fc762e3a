"""Counting anew after a calendar changed: open clocks and steps, in batches (R-SLA-10)."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.actor import SYSTEM
from itr.catalogue.in_force import terms_of
from itr.events.log import Audience, Fact
from itr.events.work import Work, transaction
from itr.passed_over import INCOMPUTABLE, PassedOver
from itr.requests.control_point_calendars import (
    recount_control_points,
    recount_control_points_batch,
)
from itr.requests.models import Request
from itr.requests.partner_clocks import recount_batch
from itr.requests.store import CLOCK_KEY, written_of_a_clock
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import CalendarInForce, histories_of, is_asleep, settle
from itr.sla.models import Clock
from itr.sla.terms import ClockState

logger = logging.getLogger("itr.recomputing")

Calendars = Mapping[UUID, CalendarInForce]

_OUTDATED = """
select v.id from calendar_version v where exists (
    select 1 from calendar_version n where n.calendar_id = v.calendar_id and n.number > v.number)
"""
_STALE = f"""
select c.id from clock c join request r on r.id = c.request_id
where c.completed_at is null and c.state <> 'CANCELLED'
    and c.calendar_version_id = any(array({_OUTDATED})) and c.id <> all($2::uuid[])
order by c.id limit $1 for update of c skip locked for key share of r skip locked
"""
_CLOCK_EVENTS = """
select subject, payload->'clocks' as clock_events from event
where subject = any($1) and payload ? 'clocks' order by subject, subject_version
"""


async def recompute_batch(now: datetime, limit: int = 200, passed: PassedOver | None = None) -> int:
    """Fold up to `limit` clocks under the calendars in force, with their requests' open steps.

    Returns how many it did; when none is left, of hand-overs' clocks, then of steps by themselves.
    A clock that nobody can compute is told in the log and left as it is; the others go on: who
    keeps what is `passed` over comes past any number of them. The requests' own version,
    `updatedAt` and public timeline stay as they are (situation 28). A breach the new calendar
    undoes is kept as overturned, one it brings is found by the alarm.
    """
    kept = PassedOver() if passed is None else passed
    before = len(kept.ids)
    async with transaction() as work:
        found = await work.connection.execute_query_dict(_STALE, [limit, list(kept.ids)])
        rows = await Clock.filter(id__in=[each["id"] for each in found])
        done = await _recompute(work, rows, now, kept) if rows else 0
        if done:
            await recount_control_points({row.request_id for row in rows}, now, kept)
    done = done or await recount_batch(now, limit, kept)
    done = done or await recount_control_points_batch(now, limit, kept)
    return done if passed is None else done + len(kept.ids) - before


async def recompute_request(work: Work, request_id: UUID, now: datetime) -> None:
    """Count the open clocks and steps of one request by the calendars in force; its row stays."""
    await work.connection.execute_query(
        "select id from request where id = $1 for no key update", [request_id]
    )
    unfinished = Clock.filter(request_id=request_id, completed_at=None)
    rows = await unfinished.exclude(state=ClockState.CANCELLED).select_for_update()
    if rows:
        await _recompute(work, rows, now, PassedOver())
    await recount_control_points({request_id}, now)


async def _recompute(work: Work, rows: Sequence[Clock], now: datetime, passed: PassedOver) -> int:
    """Fold these clocks and write those that can be folded; returns how many."""
    clock_events = await clock_events_of(work.connection, [row.request_id for row in rows])
    requests = {row.id: row for row in await Request.filter(id__in=[r.request_id for r in rows])}
    in_force: dict[tuple[UUID, frozenset[UUID]], Calendars] = {}
    folded = []
    for row in rows:
        try:
            await _refold(
                row, clock_events[row.request_id], requests[row.request_id], in_force, now
            )
        except INCOMPUTABLE as error:
            passed.note(logger, "clock", row.id, error)
            continue
        folded.append(row)
    if folded:
        await Clock.bulk_create(folded, on_conflict=CLOCK_KEY, update_fields=written_of_a_clock())
        work.record(*(_told(row, requests[row.request_id], now) for row in folded))
    return len(folded)


async def _refold(
    row: Clock,
    clock_events: Sequence[Mapping[str, Any]],
    request: Request,
    in_force: dict[tuple[UUID, frozenset[UUID]], Calendars],
    now: datetime,
) -> None:
    """Fold a clock under the calendars in force for its customer, read once for all of them."""
    terms = await terms_of(request.service_level_version_id)
    history = histories_of(clock_events)[row.thread]
    counted_by = (each.calendar for each in history if isinstance(each.calendar, UUID))
    whose = (request.customer_id, frozenset(counted_by))
    if whose not in in_force:
        in_force[whose] = await calendars_in_force(whose[1], request.customer_id)
    settle(
        row,
        history,
        in_force[whose],
        request_id=request.id,
        thread=row.thread,
        percents=() if is_asleep(row) else terms.percents,
        now=now,
    )


async def clock_events_of(
    connection: BaseDBAsyncClient, request_ids: Sequence[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """The clock events of requests' timelines, in their order."""
    clock_events: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in await connection.execute_query_dict(_CLOCK_EVENTS, [list(set(request_ids))]):
        clock_events[row["subject"]].extend(orjson.loads(row["clock_events"]))
    return clock_events


def _told(row: Clock, request: Request, now: datetime) -> Fact:
    return Fact(
        type="ClockRecomputed",
        subject_type="clock",
        subject=row.id,
        subject_version=row.revision,
        stream=request.id,
        by=SYSTEM,
        occurred_at=now,
        audience=Audience.INTERNAL,
        customer_id=request.customer_id,
        branch_id=request.branch_id,
        payload={
            "thread": row.thread.value,
            "deadline": row.deadline.isoformat() if row.deadline else None,
            "state": row.state.value,
            "overturned": row.overturned_at == now,
        },
    )
