"""Reading a request's clocks for their countdown, in one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from itr.database import Reads
from itr.events.feed import TAKEN, Taken
from itr.sight.row_filter import RowFilter
from itr.sla.calendars import CalendarDefinition
from itr.sla.countdown import Running
from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import calendar_of

_CLOCKS = """
select json_agg(json_build_object('id', c.id, 'thread', c.thread, 'state', c.state,
    'deadline', c.deadline, 'base_us', c.base_us, 'deadline_us', c.deadline_us,
    'remaining_us', c.remaining_us, 'next_alarm_at', c.next_alarm_at, 'version', c.version,
    'calendar', v.definition)
    order by array_position(array['RESPONSE','RESTORATION','RESOLUTION','CLOSURE'], c.thread::text))
from clock c join calendar_version v on v.id = c.calendar_version_id where c.request_id = r.id
"""


async def read_running(
    pool: Reads, request_id: UUID, sight: RowFilter
) -> tuple[Taken, int | None, dict[str, Running]]:
    """What the statement saw, the request's version (None: out of sight), its clocks by thread."""
    condition, values = sight.numbered("r", 1)
    row = await pool.fetchrow(
        f"select {TAKEN} as taken, q.* from (select 1) one left join lateral"
        f" (select r.version, ({_CLOCKS})::text as clocks from request r"
        f" where r.id = $1 and {condition}) q on true",
        request_id,
        *values,
    )
    clocks = [_clock(each) for each in orjson.loads(row["clocks"] or "[]") or []]
    return Taken.of(row["taken"]), row["version"], {each.thread.value: each for each in clocks}


def _clock(row: dict[str, Any]) -> Running:
    return Running(
        id=UUID(row["id"]),
        thread=Thread(row["thread"]),
        state=ClockState(row["state"]),
        deadline=_instant(row["deadline"]),
        base_us=row["base_us"],
        deadline_us=row["deadline_us"],
        remaining_us=row["remaining_us"],
        next_alarm_at=_instant(row["next_alarm_at"]),
        version=row["version"],
        calendar=calendar_of(CalendarDefinition.from_json(row["calendar"])),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
