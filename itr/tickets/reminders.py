"""Reminding owners of their steps: due rows are taken set-wise and reminded of once (R-CP-02)."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM
from itr.events.log import Audience, Fact
from itr.events.work import transaction
from itr.faults import kind_of
from itr.notifications.notify import notify
from itr.passed_over import INCOMPUTABLE
from itr.sla.control_points import REMINDERS

LATE_AFTER = timedelta(seconds=5)
LIMIT = 500
FIRST, LAST = REMINDERS

Row = Mapping[str, Any]
Change = tuple[Any, int, datetime | None, int]

logger = logging.getLogger("itr.reminders")


_DUE = """
select p.id, p.request_id, p.number, p.thread, p.revision, p.owner_id, p.owner_role, p.deadline,
    p.budget_us, p.reminded, p.next_reminder_at, r.customer_id, r.branch_id
from control_point p
join request r on r.id = p.request_id
where p.next_reminder_at <= $1
order by p.next_reminder_at
limit {limit}
for update of p skip locked
for key share of r skip locked
"""
# The lock on the request keeps out an operation that has read its steps and not yet saved them.

_UPDATE = """
update control_point p set
    reminded = d.level, next_reminder_at = d.next_reminder_at, revision = p.revision + d.reminders
from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::int[])
    as d (id, level, next_reminder_at, reminders)
where p.id = d.id
"""


async def fire_due_reminders(now: datetime, limit: int = LIMIT) -> int:
    """Record every reminder due by `now` of up to `limit` steps and tell their owners, at once.

    Returns how many steps there were. Those that another worker or an operation holds are left to
    the next call. Each level is recorded once; of several due together only the highest notifies.
    """
    async with transaction() as work:
        rows = await work.connection.execute_query_dict(_DUE.format(limit=int(limit)), [now])
        if not rows:
            return 0
        facts: list[Fact] = []
        changed: list[Change] = []
        for row in rows:
            told, change = _reminded(row, now)
            facts += told
            changed.append(change)
        columns = [list(column) for column in zip(*changed, strict=True)]
        await work.connection.execute_query(_UPDATE, columns)
        await notify(work, facts, now)
    return len(rows)


async def next_reminder_at() -> datetime | None:
    """When the next reminder of all steps is due; in the past: it is due now."""
    rows = await get_connection("default").execute_query_dict(
        "select next_reminder_at from control_point where next_reminder_at is not null"
        " order by next_reminder_at limit 1"
    )
    return rows[0]["next_reminder_at"] if rows else None


def facts_of(row: Row, now: datetime) -> Iterator[Fact]:
    """One fact per level that is due and was not told yet."""
    due = list(_due(row, now))
    for place, (percent, due_at) in enumerate(due, start=1):
        yield Fact(
            type="ControlPointReminded",
            subject_type="control_point",
            subject=row["id"],
            subject_version=row["revision"] + place,
            stream=row["request_id"],
            by=SYSTEM,
            occurred_at=now,
            audience=Audience.INTERNAL,
            customer_id=row["customer_id"],
            branch_id=row["branch_id"],
            payload={
                "number": row["number"],
                "thread": row["thread"],
                "percent": percent,
                "owner": str(row["owner_id"]) if row["owner_id"] else None,
                "ownerRole": row["owner_role"],
                "dueAt": due_at.isoformat(),
                "late": now - due_at > LATE_AFTER,
                "notifies": place == len(due),
                "deadline": row["deadline"].isoformat(),
            },
        )


def _due(row: Row, now: datetime) -> Iterator[tuple[int, datetime]]:
    """The levels due by now, with the instants they came due."""
    if row["reminded"] < FIRST:
        yield FIRST, row["next_reminder_at"]
    if row["reminded"] < LAST and row["deadline"] <= now:
        yield LAST, row["deadline"]


def _reminded(row: Row, now: datetime) -> tuple[list[Fact], Change]:
    """What is told of a step and what becomes of it; nobody is reminded of what makes no sense."""
    try:
        return list(facts_of(row, now)), _changed(row, now)
    except INCOMPUTABLE as error:
        logger.error("the reminders of step %s are dropped: %s", row["id"], kind_of(error))  # noqa: TRY400
        return [], (row["id"], row["reminded"], None, 0)


def _changed(row: Row, now: datetime) -> Change:
    due = list(_due(row, now))
    level = due[-1][0]
    return row["id"], level, None if level == LAST else row["deadline"], len(due)
