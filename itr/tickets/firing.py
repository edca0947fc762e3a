"""Firing the alarms that are due: each level once per clock version, many clocks at a time.

A clock row says when its next alarm is due; which levels that is, is worked out here. Facts and
rows change in one transaction, so a killed worker leaves either both or neither (Decision 4).
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM
from itr.events.log import Audience, Fact
from itr.events.work import transaction
from itr.faults import kind_of
from itr.notifications.notify import notify
from itr.sla.alarms import BREACH, Alarm, alarm_times
from itr.sla.clock import fold
from itr.sla.clock_facts import Clock, Target
from itr.sla.clocks import histories_of
from itr.sla.operations import readable_calendars
from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import WorkingCalendar
from itr.tickets.escalations import follow_alarms

logger = logging.getLogger("itr.alarms")

LATE_AFTER = timedelta(seconds=5)
"""An alarm that fires later than this after its time says so (R-ALM-02)."""
LIMIT = 500
_ROUNDING = timedelta(microseconds=1)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class FiredBatch:
    """What one call did: clocks taken, facts recorded, clocks whose alarms nobody can compute."""

    clocks: int
    alarms: int
    troubled: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Firing:
    """The levels of one clock that are due, lowest first, and when it is to be looked at again."""

    row: Row
    due: tuple[Alarm, ...]
    next_alarm_at: datetime | None

    @property
    def breaches(self) -> bool:
        """Whether the deadline is among what has passed."""
        return any(alarm.percent == BREACH for alarm in self.due)


async def fire_due(now: datetime, limit: int = LIMIT, *, skip: Collection[UUID] = ()) -> FiredBatch:
    """Record every alarm due by `now` of up to `limit` clocks, in one transaction (R-ALM-01, 02).

    Whom they concern is told in the same transaction, once of several levels due together, and
    what they demand is escalated (R-ESC-01).
    Clocks that another worker or an operation holds are left to the next call, as are those in
    `skip`. A clock whose alarms cannot be computed is left as it is and named in the answer, so
    that it neither blocks others nor is forgotten.
    """
    async with transaction() as work:
        rows = await work.connection.execute_query_dict(
            _DUE.format(limit=int(limit)), [now, list(skip)]
        )
        if not rows:
            return FiredBatch(0, 0, frozenset())
        firings, troubled = await _firings(work.connection, rows, now)
        facts = [fact for firing in firings for fact in facts_of(firing, now)]
        await _update(work.connection, firings)
        escalated = await follow_alarms(work, facts, now)
        await notify(work, [*facts, *escalated], now)
    return FiredBatch(len(rows), len(facts), frozenset(troubled))


async def next_alarm_at(*, skip: Collection[UUID] = ()) -> datetime | None:
    """When the next alarm of all clocks but those in `skip` is due; in the past: it is due now."""
    rows = await get_connection("default").execute_query_dict(
        "select next_alarm_at from clock where next_alarm_at is not null and id <> all($1)"
        " order by next_alarm_at limit 1",
        [list(skip)],
    )
    return rows[0]["next_alarm_at"] if rows else None


def firing_of(
    row: Row,
    calendar: WorkingCalendar,
    percents: Sequence[int],
    now: datetime,
    *,
    folded: Clock | None = None,
) -> Firing:
    """What is due of a stored clock at `now`, and when it warns next.

    The row knows the spent time but not when it was spent. That is enough for what lies in the
    current stretch and for the first level; `folded`, the clock out of its history, also tells
    when further levels came due before a pause.
    """
    value = _value_of(row) if folded is None else folded
    due: list[Alarm] = []
    for percent in sorted(each for each in percents if each > row["alarm_level"]):
        for alarm in alarm_times(value, calendar, (percent,)):
            alarm = _as_armed(alarm, row["next_alarm_at"])  # noqa: PLW2901
            if alarm.due_at is not None and alarm.due_at > now:
                return Firing(row, tuple(due), alarm.due_at)
            if alarm.due_at is not None:
                due.append(alarm)
    return Firing(row, tuple(due), None)


def facts_of(firing: Firing, now: datetime) -> list[Fact]:
    """One fact per due level; only the highest notifies."""
    return [
        _fact(firing, alarm, now, revision=firing.row["revision"] + place)
        for place, alarm in enumerate(firing.due, start=1)
    ]


def _fact(firing: Firing, alarm: Alarm, now: datetime, *, revision: int) -> Fact:
    row = firing.row
    due_at = alarm.due_at or now
    return Fact(
        type="ClockAlarmRaised",
        subject_type="clock",
        subject=row["id"],
        subject_version=revision,
        stream=row["request_id"],
        by=SYSTEM,
        occurred_at=now,
        audience=Audience.INTERNAL,
        customer_id=row["customer_id"],
        branch_id=row["branch_id"],
        payload={
            "thread": row["thread"],
            "percent": alarm.percent,
            "version": row["version"],
            "dueAt": due_at.isoformat(),
            "late": now - due_at > LATE_AFTER,
            "notifies": alarm is firing.due[-1],
            "deadline": row["deadline"].isoformat(),
        },
    )


_DUE = """
select c.id, c.request_id, c.thread, c.state, c.calendar_version_id, c.version, c.overturns,
    c.revision, c.target_us, c.target_days, c.started_at, c.deadline, c.base_us, c.deadline_us,
    c.breached_at, c.next_alarm_at, c.alarm_level, r.customer_id, r.branch_id,
    v.alarm_percents::text as percents
from clock c
join request r on r.id = c.request_id
join service_level_version v on v.id = r.service_level_version_id
where c.next_alarm_at <= $1 and c.id <> all($2)
order by c.next_alarm_at
limit {limit}
for update of c skip locked
for key share of r skip locked
"""
# The lock on the request keeps out an operation that has read its clocks and not yet saved them:
# it would write the old alarm level back, and the alarm would fire again.

_UPDATE = """
update clock c set
    state = case when d.breached then 'BREACHED' else c.state end,
    breached_at = case when d.breached then coalesce(c.breached_at, c.deadline)
        else c.breached_at end,
    alarm_level = d.level,
    next_alarm_at = d.next_alarm_at,
    revision = c.revision + d.fired
from unnest($1::uuid[], $2::boolean[], $3::smallint[], $4::timestamptz[], $5::int[])
    as d (id, breached, level, next_alarm_at, fired)
where c.id = d.id
"""

_HISTORIES = """
select stream, payload->'clocks' as clock_events from event
where subject = any($1) and payload ? 'clocks' order by subject, subject_version
"""


async def _update(connection: BaseDBAsyncClient, firings: Sequence[Firing]) -> None:
    if not firings:
        return
    rows = [
        (
            firing.row["id"],
            firing.breaches,
            firing.due[-1].percent if firing.due else firing.row["alarm_level"],
            firing.next_alarm_at,
            len(firing.due),
        )
        for firing in firings
    ]
    await connection.execute_query(_UPDATE, [list(column) for column in zip(*rows, strict=True)])


async def _firings(
    connection: BaseDBAsyncClient, rows: Sequence[Row], now: datetime
) -> tuple[list[Firing], list[UUID]]:
    """What is due of each row, and the clocks of which it cannot be said."""
    calendars = await readable_calendars(row["calendar_version_id"] for row in rows)
    firings: list[Firing] = []
    several: list[Firing] = []
    troubled: list[UUID] = []
    for row in rows:
        try:
            percents = _percents(row["percents"])
            firing = firing_of(row, calendars[row["calendar_version_id"]], percents, now)
        except Exception:
            logger.exception("the alarms of clock %s cannot be computed", row["id"])
            troubled.append(row["id"])
            continue
        (several if len(firing.due) > 1 else firings).append(firing)
    if several:
        firings.extend(await _with_histories(connection, several, calendars, now))
    return firings, troubled


async def _with_histories(
    connection: BaseDBAsyncClient,
    firings: Sequence[Firing],
    calendars: Mapping[UUID, WorkingCalendar],
    now: datetime,
) -> list[Firing]:
    """The same firings with the exact time each of their several levels came due."""
    clock_events: dict[UUID, list[Any]] = defaultdict(list)
    requests = [firing.row["request_id"] for firing in firings]
    for found in await connection.execute_query_dict(_HISTORIES, [requests]):
        clock_events[found["stream"]].extend(orjson.loads(found["clock_events"]))
    return [
        _folded(firing, clock_events[firing.row["request_id"]], calendars, now)
        for firing in firings
    ]


def _folded(
    firing: Firing,
    clock_events: Sequence[Mapping[str, Any]],
    calendars: Mapping[UUID, WorkingCalendar],
    now: datetime,
) -> Firing:
    """The firing as the history has it; as the row has it when they do not agree."""
    row = firing.row
    calendar = calendars[row["calendar_version_id"]]
    try:
        history = histories_of(clock_events).get(Thread(row["thread"]), [])
        clock = fold(history, lambda _: calendar)
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        logger.warning("clock %s fires without its history: %s", row["id"], kind_of(error))
        return firing
    if (clock.version + row["overturns"], clock.deadline) != (row["version"], row["deadline"]):
        return firing
    exact = firing_of(row, calendar, _percents(row["percents"]), now, folded=clock)
    return exact if len(exact.due) == len(firing.due) else firing


def _percents(text: str) -> list[int]:
    percents: list[int] = orjson.loads(text)
    return percents


def _as_armed(alarm: Alarm, armed_for: datetime) -> Alarm:
    """The row's own instant, when a target in days makes this one a rounding later."""
    if alarm.percent == BREACH or alarm.due_at is None:
        return alarm
    if alarm.due_at - armed_for > _ROUNDING:
        return alarm
    return Alarm(alarm.percent, alarm.at, armed_for)


def _value_of(row: Row) -> Clock:
    """The stored clock without its stretches; nothing of it was due before the row is armed."""
    in_days = row["target_us"] is None
    return Clock(
        state=ClockState(row["state"]),
        version=row["version"],
        started_at=row["started_at"],
        version_since=row["next_alarm_at"],
        target=Target(days=row["target_days"]) if in_days else Target(us=row["target_us"]),
        calendar=row["calendar_version_id"],
        deadline=row["deadline"],
        base_us=row["base_us"],
        deadline_us=row["deadline_us"],
        elapsed_us=0,
        remaining_us=None,
        remaining_days=None,
        paused_since=None,
        pause_reasons=(),
        completed_at=None,
        cancelled_at=None,
        breached_at=row["breached_at"],
        provisional=False,
        stretches=(),
    )
