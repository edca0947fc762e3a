"""Working recalculations off: one small transaction after the other, whoever does it (R-SLA-12).

A row says how far it is. Each step locks it, does the next requests and writes how far it came, all
in one transaction: a worker that is killed leaves a whole step undone, and another goes on.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from itr.actors.actor import SYSTEM, Actor
from itr.database import AWAY
from itr.events.work import Work, transaction
from itr.people.operations import load_actor
from itr.recalculations.moving import move, preview, recount_customer
from itr.recalculations.rules import Found, Tally
from itr.recalculations.scope import count_requests, fingerprint, next_requests
from itr.recalculations.what_if import compare_closed
from itr.sla.models import Recalculation, RecalculationLine
from itr.sla.recalculations import progressed
from itr.sla.terms import RecalculationKind, RecalculationStatus

logger = logging.getLogger("itr.recalculations")

K, S = RecalculationKind, RecalculationStatus
AT_ONCE: Mapping[RecalculationKind, int] = {K.WHAT_IF: 100, K.MIGRATION_PREVIEW: 20}
"""Requests a step computes; what changes requests takes one, so that nobody waits for two."""
TOLD_EVERY = 25
"""Followers hear of so many requests at least at once."""
MOST = max(AT_ONCE.values())
MOST_ROUNDS = 3
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

_TAKE = """
select id from recalculation where finished_at is null
order by created_at, id limit 1 for update skip locked
"""


async def advance(now: datetime, *, at_once: int | None = None) -> bool:
    """Do one step of the oldest recalculation nobody else is doing; False: there is none.

    A step computes `at_once` requests at most, as many as its kind does if left out.

    A request that cannot be done is told in the log, counted as skipped and left as it is; what
    fails without one has failed for good, so that it never blocks the others.
    """
    row_id: UUID | None = None
    last: UUID | None = None
    try:
        async with transaction() as work:
            found = await work.connection.execute_query_dict(_TAKE)
            if not found:
                return False
            row_id = found[0]["id"]
            row = await Recalculation.get(id=row_id)
            ids = await _begin_step(work, row, at_once)
            last = ids[-1] if ids else None
            await _step(work, row, ids, now)
            await _note(work, row, now)
    except (*AWAY, *BUSY):
        raise
    except Exception:
        if row_id is None:
            raise
        logger.exception("recalculation %s cannot do request %s", row_id, last)
        await (_fail(row_id, now) if last is None else _skip(row_id, last, at_once, now))
    return True


async def _begin_step(work: Work, row: Recalculation, at_once: int | None) -> list[UUID]:
    """The requests of the next step; none: it is done."""
    if row.status is S.WAITING:
        row.status = S.RUNNING
        row.total = await count_requests(work.connection, row)
    return await next_requests(work.connection, row, min(_at_once(row), at_once or MOST))


def _at_once(row: Recalculation) -> int:
    """One by one until past the step that could not be done as a whole."""
    until = (row.result or {}).get("carefullyUntil")
    careful = until is not None and (row.position is None or row.position < UUID(until))
    return 1 if careful else AT_ONCE.get(row.kind, 1)


async def _step(work: Work, row: Recalculation, ids: list[UUID], now: datetime) -> None:
    tally = Tally.from_json(row.result)
    if not ids:
        if await _came_meanwhile(work, row, tally):
            return
        row.status, row.finished_at, row.total = S.DONE, now, row.done
        return
    kept: dict[str, Any] = {}
    if row.kind is K.WHAT_IF:
        found = await compare_closed(work.connection, ids, row.wanted, tally, now)
        await _keep_lines(row, found, only_flips=True)
    elif row.kind is K.MIGRATION_PREVIEW:
        found = await preview(work, ids, UUID(row.wanted["version"]), now)
        for each in found.values():
            tally.add(each)
        await _keep_lines(row, found, only_flips=False)
        kept = await _seen(work, row, ids)
    elif row.kind is K.MAKE_UP_DAYS:
        await recount_customer(work, ids[0], now)
        tally.requests += 1
    else:
        by = await _who(row)
        version_id = UUID(row.wanted["version"])
        tally.requests += await move(work, ids[0], version_id, row.kind, by=by, now=now)
    row.done += len(ids)
    row.position = ids[-1]
    row.result = {**(row.result or {}), **tally.to_json(), **kept}


async def _came_meanwhile(work: Work, row: Recalculation, tally: Tally) -> bool:
    """Whether to go round once more: a request may have been accepted while others were moved."""
    rounds = (row.result or {}).get("rounds", 0)
    if row.kind not in (K.MIGRATION, K.SWITCH_OFF) or rounds >= MOST_ROUNDS:
        return False
    if await count_requests(work.connection, row) <= tally.skipped:
        return False
    row.position = None
    row.result = {**(row.result or {}), "rounds": rounds + 1}
    return True


async def _seen(work: Work, row: Recalculation, ids: list[UUID]) -> dict[str, Any]:
    """What the preview has looked at so far, so that applying it can tell whether it still is."""
    clocks, total = await fingerprint(work.connection, row, ids)
    before = (row.result or {}).get("seen", [0, "0"])
    return {"seen": [before[0] + clocks, str(int(before[1]) + total)]}


async def _keep_lines(
    row: Recalculation, found: Mapping[UUID, Sequence[Found]], *, only_flips: bool
) -> None:
    await RecalculationLine.bulk_create(
        RecalculationLine(
            id=uuid4(),
            recalculation_id=row.id,
            request_id=request_id,
            thread=each.thread,
            priority=each.priority,
            state_before=each.before and each.before.state,
            state_after=each.after and each.after.state,
            deadline_before=each.before and each.before.deadline,
            deadline_after=each.after and each.after.deadline,
            flips=each.flips,
        )
        for request_id, clocks in found.items()
        for each in clocks
        if each.flips or (each.differs and not only_flips)
    )


async def _who(row: Recalculation) -> Actor:
    """Whose decision it is; the system's, of somebody who has left."""
    return await load_actor(row.created_by) or SYSTEM


async def _note(work: Work, row: Recalculation, now: datetime) -> None:
    """Write how far it is, and now and then tell it."""
    first = row.done <= AT_ONCE.get(row.kind, 1)
    if first or row.finished_at is not None or row.kind in AT_ONCE or row.done % TOLD_EVERY == 0:
        row.version += 1
        work.record(progressed(row, SYSTEM, now))
    await row.save()


async def _skip(row_id: UUID, position: UUID, at_once: int | None, now: datetime) -> None:
    """Leave the one request that cannot be done and go on after it; of several, find it first."""
    async with transaction() as work:
        row = await Recalculation.filter(id=row_id).select_for_update().get()
        ids = await _begin_step(work, row, at_once)
        if not ids or ids[-1] != position or row.finished_at is not None:
            return
        if len(ids) > 1:
            row.result = {**(row.result or {}), "carefullyUntil": str(position)}
        else:
            tally = Tally.from_json(row.result)
            tally.skipped += 1
            row.done += 1
            row.position = position
            row.result = {**(row.result or {}), **tally.to_json()}
        await _note(work, row, now)


async def _fail(row_id: UUID, now: datetime) -> None:
    async with transaction() as work:
        row = await Recalculation.filter(id=row_id).select_for_update().get()
        row.status, row.finished_at = S.FAILED, now
        await _note(work, row, now)
