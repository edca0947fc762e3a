"""Working out what clocks waited for that were stored before anybody counted it (R-OLA-03)."""

import logging
from collections.abc import Sequence

from itr.events.work import transaction
from itr.faults import kind_of
from itr.requests.recomputing import clock_events_of
from itr.sla.clock_facts import ClockEvent
from itr.sla.clock_history import History
from itr.sla.clocks import histories_of, write_waits
from itr.sla.models import Clock
from itr.sla.operations import readable_calendars
from itr.sla.working_time import WorkingCalendar

logger = logging.getLogger("itr.waits")

LIMIT = 200
WRITTEN = ["waited_us", "waiting_for", "waiting_since_us"]
_UNKNOWN = """
select id from clock where waited_us is null order by id limit $1 for update skip locked
"""


async def work_out_waits(limit: int = LIMIT) -> int:
    """Write the waits of up to `limit` clocks that have none yet; returns how many it did.

    By the calendar each was counted by last: nothing else of a clock changes, so that what is
    completed stays as it is (R-SLA-10). What nobody can work out is told in the log and has none.
    """
    async with transaction() as work:
        found = await work.connection.execute_query_dict(_UNKNOWN, [limit])
        rows = await Clock.filter(id__in=[each["id"] for each in found])
        clock_events = await clock_events_of(work.connection, [row.request_id for row in rows])
        calendars = await readable_calendars({row.calendar_version_id for row in rows})
        for row in rows:
            try:
                history = histories_of(clock_events.get(row.request_id, ())).get(row.thread, [])
                write_waits(row, _walked(history, calendars[row.calendar_version_id]))
            except (ValueError, LookupError, ArithmeticError) as error:
                logger.error("the waits of clock %s cannot be told: %s", row.id, kind_of(error))  # noqa: TRY400
                row.waited_us = {}
        if rows:
            await Clock.bulk_update(rows, WRITTEN)
    return len(rows)


def _walked(history: Sequence[ClockEvent], working: WorkingCalendar) -> History:
    return History(history, lambda _: working, until=None)
