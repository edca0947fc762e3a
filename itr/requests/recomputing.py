"""Counting anew after a calendar changed: open clocks and steps, in batches (R-SLA-10)."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actor import SYSTEM
from itr.catalogue.in_force import terms_of
from itr.events.log import Audience, Fact
from itr.events.work import Work, transaction
from itr.faults import kind_of
from itr.requests.models import Request
from itr.requests.partner_clocks import recount_batch
from itr.requests.step_calendars import recount_steps, recount_steps_batch
from itr.requests.store import CLOCK_KEY, calendars_in_force, written_of_a_clock
from itr.sla.clock import ClockEvent
from itr.sla.clocks import CalendarInForce, histories_of, is_asleep, settle
from itr.sla.models import Clock
from itr.sla.terms import ClockState, Thread

logger = logging.getLogger("itr.recomputing")

_OUTDATED = """
select v.id from calendar_version v where exists (
    select 1 from calendar_version n where n.calendar_id = v.calendar_id and n.number > v.number)
"""
_STALE = f"""
select c.id from clock c join request r on r.id = c.request_id
where c.completed_at is null and c.state <> 'CANCELLED'
    and c.calendar_version_id = any(array({_OUTDATED}))
order by c.id limit $1 for update of c skip locked for key share of r skip locked
"""
_WORDS = """
select subject, payload->'clocks' as words from event
where subject = any($1) and payload ? 'clocks' order by subject, subject_version
"""


async def recompute_batch(now: datetime, limit: int = 200) -> int:
    """Fold up to `limit` clocks under the calendars in force, with their requests' open steps.

    Returns how many it did; when none is left, of hand-overs' clocks, then of steps by themselves.
    A clock that nobody can compute is told in the log and left as it is; the others go on. The
    requests' own version, `updatedAt` and public timeline stay as they are (situation 28). A
    breach the new calendar undoes is kept as overturned, one it brings is found by the alarm.
    """
    async with transaction() as work:
        found = await work.connection.execute_query_dict(_STALE, [limit])
        rows = await Clock.filter(id__in=[each["id"] for each in found])
        done = await _recompute(work, rows, now) if rows else 0
        if done:
            await recount_steps({row.request_id for row in rows}, now)
    return done or await recount_batch(now, limit) or await recount_steps_batch(now, limit)


async def recompute_request(work: Work, request_id: UUID, now: datetime) -> None:
    """Count the open clocks and steps of one request by the calendars in force; its row stays."""
    await work.connection.execute_query(
        "select id from request where id = $1 for no key update", [request_id]
    )
    unfinished = Clock.filter(request_id=request_id, completed_at=None)
    rows = await unfinished.exclude(state=ClockState.CANCELLED).select_for_update()
    if rows:
        await _recompute(work, rows, now)
    await recount_steps({request_id}, now)


async def _recompute(work: Work, rows: Sequence[Clock], now: datetime) -> int:
    """Fold these clocks and write those that can be folded; returns how many."""
    words = await words_of(work.connection, [row.request_id for row in rows])
    requests = {each.id: each for each in await Request.filter(id__in=list(words))}
    histories = {key: histories_of(each) for key, each in words.items()}
    calendars = await _calendars(histories, requests)
    folded = []
    for row in rows:
        request = requests[row.request_id]
        terms = await terms_of(request.service_level_version_id)
        try:
            settle(
                row,
                histories[request.id][row.thread],
                calendars[request.customer_id],
                request_id=request.id,
                thread=row.thread,
                percents=() if is_asleep(row) else terms.percents,
                now=now,
            )
        except (ValueError, LookupError, ArithmeticError) as error:
            logger.error("clock %s cannot be recomputed: %s", row.id, kind_of(error))  # noqa: TRY400
            continue
        folded.append(row)
    if folded:
        await Clock.bulk_create(folded, on_conflict=CLOCK_KEY, update_fields=written_of_a_clock())
        work.record(*(_told(row, requests[row.request_id], now) for row in folded))
    return len(folded)


async def words_of(
    connection: BaseDBAsyncClient, request_ids: Sequence[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """The clock events of requests' timelines, in their order."""
    words: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in await connection.execute_query_dict(_WORDS, [list(set(request_ids))]):
        words[row["subject"]].extend(orjson.loads(row["words"]))
    return words


async def _calendars(
    histories: Mapping[UUID, Mapping[Thread, Sequence[ClockEvent]]],
    requests: Mapping[UUID, Request],
) -> dict[UUID, dict[UUID, CalendarInForce]]:
    """The calendars in force for each customer, of those its requests count by."""
    wanted: dict[UUID, set[UUID]] = defaultdict(set)
    for request_id, threads in histories.items():
        wanted[requests[request_id].customer_id] |= {
            event.calendar
            for history in threads.values()
            for event in history
            if isinstance(event.calendar, UUID)
        }
    return {key: await calendars_in_force(each, key) for key, each in wanted.items()}


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
