"""Computing closed requests under another service level version or calendar (R-SLA-12)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.catalogue.in_force import terms_of
from itr.recalculations.retelling import Told, retold
from itr.recalculations.rules import Found, Standing, Tally
from itr.requests.models import Request
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clock import ClockEvent, as_of, fold
from itr.sla.clock_facts import ClockNotStarted
from itr.sla.clocks import histories_of, is_promised
from itr.sla.models import Clock
from itr.sla.operations import calendars_of_versions
from itr.sla.terms import Thread
from itr.sla.working_time import BeyondCalendar, WorkingCalendar

Histories = Mapping[Thread, Sequence[ClockEvent]]
Calendars = Mapping[UUID, WorkingCalendar]

_TIMELINES = """
select subject, occurred_at, payload->>'to' as "to",
    case when type = 'RequestHandedToPartner' then 'THIRD_PARTY' else payload->>'reason' end
        as reason,
    payload->'waits' as waits, payload->>'priority' as priority, payload->>'problemType' as problem,
    payload->>'faultLevel' as level, payload->>'impact' as impact, payload->'clocks' as words
from event
where subject = any($1) and subject_type = 'request'
    and payload ?| array['clocks', 'priority', 'to', 'waits']
order by subject, subject_version
"""


async def compare_closed(
    connection: BaseDBAsyncClient,
    ids: Sequence[UUID],
    wanted: Mapping[str, Any],
    tally: Tally,
    now: datetime,
) -> dict[UUID, list[Found]]:
    """What each request's clocks were, and would have been; those nobody can compute are skipped.

    Nothing is changed.
    """
    timelines = await _timelines(connection, ids)
    requests = {row.id: row for row in await Request.filter(id__in=ids)}
    clocks: dict[UUID, dict[Thread, Clock]] = defaultdict(dict)
    for row in await Clock.filter(request_id__in=ids):
        clocks[row.request_id][row.thread] = row
    found: dict[UUID, list[Found]] = {}
    for request_id, timeline in timelines.items():
        request = requests[request_id]
        try:
            histories = await _histories(timeline, wanted)
            calendars = await _calendars(histories, request, wanted)
            found[request_id] = list(
                compared(clocks[request_id], histories, calendars, request.priority.value, now)
            )
        except (BeyondCalendar, ClockNotStarted):
            tally.skipped += 1
            continue
        tally.add(found[request_id])
    return found


def compared(
    clocks: Mapping[Thread, Clock],
    histories: Histories,
    calendars: Calendars,
    priority: str,
    now: datetime,
) -> Iterable[Found]:
    """Each thread as its row stands, and as its history folds under these calendars."""
    for thread in Thread:
        row, history = clocks.get(thread), histories.get(thread, ())
        before = None if row is None else standing_of(row)
        after = folded(history, calendars, now) if is_promised(history) else None
        if before is not None or after is not None:
            yield Found(thread, priority, before, after)


def standing_of(row: Clock) -> Standing:
    """How a stored clock stands."""
    return Standing(row.state, row.deadline, row.breached_at is not None)


def folded(history: Iterable[ClockEvent], calendars: Calendars, now: datetime) -> Standing:
    """How a history would stand at `now`. Raises BeyondCalendar, ClockNotStarted."""
    value = as_of(fold(history, lambda key: calendars[key]), now)  # type: ignore[index]
    return Standing(value.state, value.deadline, value.breached_at is not None)


async def _timelines(connection: BaseDBAsyncClient, ids: Sequence[UUID]) -> dict[UUID, list[Told]]:
    timelines: dict[UUID, list[Told]] = defaultdict(list)
    for row in await connection.execute_query_dict(_TIMELINES, [list(ids)]):
        classified = (row["problem"], row["level"], row["impact"])
        timelines[row["subject"]].append(
            Told(
                at=row["occurred_at"],
                words=orjson.loads(row["words"]) if row["words"] else (),
                to=row["to"],
                reason=row["reason"],
                waits=orjson.loads(row["waits"]) if row["waits"] else None,
                priority=row["priority"],
                classified=classified if all(classified) else None,
            )
        )
    return timelines


async def _histories(timeline: Sequence[Told], wanted: Mapping[str, Any]) -> Histories:
    if wanted["version"] is None:
        return histories_of(word for told in timeline for word in told.words)
    return retold(timeline, await terms_of(UUID(wanted["version"])))


async def _calendars(
    histories: Histories, request: Request, wanted: Mapping[str, Any]
) -> Calendars:
    """The calendar to be tried for every key, or those in force for the customer."""
    keys = {
        event.calendar
        for history in histories.values()
        for event in history
        if isinstance(event.calendar, UUID)
    }
    if wanted["calendar"] is None:
        in_force = await calendars_in_force(keys, request.customer_id)
        return {key: each.working for key, each in in_force.items()}
    version_id = UUID(wanted["calendar"])
    tried = (await calendars_of_versions([version_id]))[version_id]
    return dict.fromkeys(keys, tried)
