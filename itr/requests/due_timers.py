"""Fires the timers that are due, each once: confirmation by silence, reminders, bulletins."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.connection import get_connection

from itr.database import AWAY
from itr.events.work import transaction
from itr.requests.operations import fire_timer
from itr.sla.models import Timer

logger = logging.getLogger("itr.timers")

AGAIN = timedelta(minutes=5)
"""When a timer that could not fire is tried again; it never blocks the others."""

_DUE = "select id, request_id, kind from timer where due_at <= $1 order by due_at limit $2"
_LOCK = "select id from request where id = $1 for update skip locked"
_TAKE = "delete from timer where id = $1 and due_at <= $2 returning id"


async def fire_due_timers(now: datetime, limit: int = 100) -> int:
    """Do what the due timers are for, one transaction each; returns how many were taken.

    The request is locked before its timer, as operations do; what another holds is left to the
    next call (R-REQ-04, Decision 4).
    """
    rows = await get_connection("default").execute_query_dict(_DUE, [now, limit])
    taken = 0
    for row in rows:
        try:
            taken += await _fire(row["id"], row["request_id"], row["kind"], now)
        except AWAY:
            raise
        except Exception:
            logger.exception("the %s of request %s cannot fire", row["kind"], row["request_id"])
            await Timer.filter(id=row["id"]).update(due_at=now + AGAIN)
    return taken


async def next_timer_at() -> datetime | None:
    """When the next timer is due."""
    rows = await get_connection("default").execute_query_dict(
        "select due_at from timer order by due_at limit 1"
    )
    return rows[0]["due_at"] if rows else None


async def _fire(timer_id: UUID, request_id: UUID, kind: str, now: datetime) -> bool:
    async with transaction() as work:
        if not await work.connection.execute_query_dict(_LOCK, [request_id]):
            return False
        if not await work.connection.execute_query_dict(_TAKE, [timer_id, now]):
            return False
        await fire_timer(work, request_id, kind, now=now)
    return True
