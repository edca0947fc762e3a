"""How late alarms fire: 100 000 armed, 5 000 of them due in the same second, one real worker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from bench.data import fill
from bench.figures import Table, percentile
from bench.servers import Stand, printer, stand
from itr.events.feed import Event, Feed

_ARM = """
update clock c set state = 'RUNNING', completed_at = null, breached_at = null, alarm_level = 0,
    paused_since = null, pause_reasons = '[]', calendar_version_id = a.id, target_days = null,
    target_us = 7200000000, started_at = $1::timestamptz - interval '1 hour',
    deadline = $1::timestamptz + interval '1 hour',
    base_us = p.us - 3600000000, deadline_us = p.us + 3600000000, elapsed_us = 0,
    remaining_us = null,
    next_alarm_at = case when n.place <= $2 then $1::timestamptz
        + (n.place % 1000) * interval '1 millisecond'
        else $1::timestamptz + interval '30 days' + n.place * interval '1 second' end
from (select id, row_number() over (order by id) as place from clock) n,
    (select id from calendar_version where always_open order by number desc limit 1) a,
    (select (extract(epoch from $1::timestamptz - '2000-01-01Z'::timestamptz) * 1000000)::bigint
        as us) p
where n.id = c.id
"""
_FIRED = """
select extract(epoch from recorded_at - (payload->>'dueAt')::timestamptz) as late
from event where type = 'ClockAlarmRaised' and recorded_at >= $1
"""


def tables(*, quick: bool = False) -> list[Table]:
    """Arm the clocks, let the worker fire, and read from the log how late each alarm was."""
    requests, due = (100, 50) if quick else (25_000, 5_000)
    with stand(durable=not quick) as servers:
        asyncio.run(fill(servers.settings, requests, printer("数据 data")))
        armed, recorded, seen = asyncio.run(_measure(servers, due))
    rows = [
        (
            until,
            f"{armed:,}",
            f"{len(late):,}",
            *(f"{percentile(late, share) * 1000:.0f} ms" for share in (0.5, 0.99)),
            f"{max(late) * 1000:.0f} ms",
        )
        for until, late in (("记录 recorded", recorded), ("订阅可见 seen by the feed", seen))
    ]
    columns = ("", "待触发 armed", "同一秒到期 due in one second", "p50", "p99", "最大 max")
    note = (
        "迟到从到期时刻算起：到记入事件日志，到提交后经事件流可见。"
        " Late since due: until recorded in the log, until committed and read by a feed."
        " 承诺 promise: p99 ≤ 1 s."
    )
    return [Table("告警迟到 Alarm lateness", columns, rows, (note,))]


async def _measure(servers: Stand, due: int) -> tuple[int, list[float], list[float]]:
    connection = await asyncpg.connect(servers.addresses.owner_url)
    try:
        armed = await connection.fetchval("select count(*) from clock")
        await connection.execute("update clock set next_alarm_at = null")
        await connection.execute("delete from timer")
        feed = Feed(
            database_url=servers.addresses.database_url, valkey_url=servers.addresses.valkey_url
        )
        seen: list[float] = []
        with servers.process("worker", "cli", "work"):
            await asyncio.sleep(4)
            due_at = datetime.now(UTC) + timedelta(seconds=20)
            await connection.execute(_ARM, due_at, due)
            await connection.execute("analyze clock")
            assert datetime.now(UTC) < due_at, "arming took too long"
            async with feed.running():
                feed.watch(lambda event: _note(event, seen))
                recorded = await _until_fired(connection, due_at, due)
                await asyncio.sleep(1)
    finally:
        await connection.close()
    return armed, recorded, seen


def _note(event: Event, seen: list[float]) -> None:
    """Take down how late an alarm is when a subscriber's process has it."""
    if event.type == "ClockAlarmRaised":
        due_at = datetime.fromisoformat(event.payload["dueAt"])
        seen.append((datetime.now(UTC) - due_at) / timedelta(seconds=1))


async def _until_fired(connection: asyncpg.Connection, due_at: datetime, count: int) -> list[float]:
    async with asyncio.timeout(90):
        while True:
            await asyncio.sleep(1)
            rows = await connection.fetch(_FIRED, due_at)
            if len(rows) >= count:
                return [float(row["late"]) for row in rows]
