"""Open steps move with the calendars they are counted by, as soon as these change (R-SLA-10).

What a step has spent stays spent (decision 0005); when it is due and reminds follows. The request's
own row and its timeline stay as they are.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from itr.actors.actor import SYSTEM
from itr.catalogue.in_force import terms_of
from itr.events.work import transaction
from itr.passed_over import INCOMPUTABLE, PassedOver
from itr.requests.control_points import Counting, compared, write_control_points
from itr.requests.models import Request
from itr.requests.ticket_work import TicketWork
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import CalendarInForce
from itr.sla.models import ControlPoint
from itr.sla.operations import calendars_of_versions

logger = logging.getLogger("itr.recomputing")

InForce = dict[tuple[UUID, UUID], Mapping[UUID, CalendarInForce]]

_STALE = """
select p.request_id from control_point p join request r on r.id = p.request_id
where p.completed_at is null and p.calendar_version_id = any(array(
    select v.id from calendar_version v where exists (
        select 1 from calendar_version n
        where n.calendar_id = v.calendar_id and n.number > v.number)))
    and p.request_id <> all($2::uuid[])
order by p.id limit $1 for update of p skip locked for key share of r skip locked
"""


async def recount_control_points_batch(now: datetime, limit: int, passed: PassedOver) -> int:
    """Count up to `limit` open steps by the calendars in force; returns how many there were."""
    async with transaction() as work:
        found = await work.connection.execute_query_dict(_STALE, [limit, list(passed.ids)])
        request_ids = {each["request_id"] for each in found}
        await recount_control_points(request_ids, now, passed)
    return sum(each["request_id"] not in passed.ids for each in found)


async def recount_control_points(
    request_ids: set[UUID], now: datetime, passed: PassedOver | None = None
) -> None:
    """Count the open steps of requests, locked, by the calendars in force for their customers.

    Those of a request that nobody can compute are left as they are, where that is `passed` over.
    """
    open_ = ControlPoint.filter(request_id__in=list(request_ids), completed_at=None)
    by_request: dict[UUID, list[ControlPoint]] = {}
    for row in await open_.order_by("id").select_for_update():
        by_request.setdefault(row.request_id, []).append(row)
    in_force: InForce = {}
    changed: list[ControlPoint] = []
    for request in await Request.filter(id__in=list(by_request)):
        try:
            changed += await _recounted(request, by_request[request.id], in_force, now)
        except INCOMPUTABLE as error:
            if passed is None:
                raise
            passed.note(logger, "steps of request", request.id, error)
    await write_control_points(changed)


async def _recounted(
    request: Request, rows: list[ControlPoint], in_force: InForce, now: datetime
) -> list[ControlPoint]:
    """The steps of one request that changed by counting them anew; the calendars read once."""
    terms = await terms_of(request.service_level_version_id)
    whose = (terms.calendar_id, request.customer_id)
    if whose not in in_force:
        in_force[whose] = await calendars_in_force([terms.calendar_id], request.customer_id)
    in_hand = TicketWork(SYSTEM, now, request, terms, calendars=in_force[whose])
    versions = {row.calendar_version_id for row in rows}
    counting = Counting(in_hand, await calendars_of_versions(versions))
    before = {row.id: compared(row) for row in rows}
    for row in rows:
        counting.retarget(row)
        counting.pause_or_count(row)
    return [row for row in rows if before[row.id] != compared(row)]
