"""Which requests a recalculation is about, in the order of their ids."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from itr.requests.rules import OPEN
from itr.sla.models import Recalculation
from itr.sla.terms import RecalculationKind

K = RecalculationKind
_OPEN = "r.status not in ('CLOSED', 'CANCELLED', 'REJECTED')"
assert {"CLOSED", "CANCELLED", "REJECTED"}.isdisjoint(OPEN)

_OF_LEVEL = f"""
{_OPEN} and r.service_level_version_id = any(array(
    select v.id from service_level_version v
    where v.service_level_id = $1::uuid and v.number < (
        select n.number from service_level_version n where n.id = $2::uuid)))
and ($3::uuid is null or r.service_level_version_id = $3::uuid)
"""
_OF_CUSTOMER = f"{_OPEN} and r.customer_id = $1::uuid"
_CLOSED = """
r.status = 'CLOSED' and r.parent_id is null
and r.closed_at >= $1::timestamptz and r.closed_at < $2::timestamptz
and ($3::uuid is null or r.customer_id = $3::uuid)
and ($4::uuid is null or r.service_level_version_id = any(array(
    select v.id from service_level_version v where v.service_level_id = $4::uuid)))
"""


def scope_of(row: Recalculation) -> tuple[str, list[Any]]:
    """A condition over requests `r`, and its values."""
    wanted: Mapping[str, Any] = row.wanted
    if row.kind is K.WHAT_IF:
        period = [datetime.fromisoformat(wanted[name]) for name in ("from", "to")]
        return _CLOSED, [*period, wanted["customer"], wanted["level"]]
    if row.kind is K.MAKE_UP_DAYS:
        return _OF_CUSTOMER, [wanted["customer"]]
    return _OF_LEVEL, [wanted["level"], wanted["version"], wanted.get("from")]


async def count_requests(connection: BaseDBAsyncClient, row: Recalculation) -> int:
    """How many there are now."""
    condition, values = scope_of(row)
    found = await connection.execute_query_dict(
        f"select count(*)::int as total from request r where {condition}", values
    )
    return int(found[0]["total"])


async def next_requests(
    connection: BaseDBAsyncClient, row: Recalculation, limit: int
) -> list[UUID]:
    """The ids of those that come after its position."""
    condition, values = scope_of(row)
    place = len(values) + 1
    found = await connection.execute_query_dict(
        f"select r.id from request r where {condition}"
        f" and (${place}::uuid is null or r.id > ${place}::uuid)"
        f" order by r.id limit {int(limit)}",
        [*values, row.position],
    )
    return [each["id"] for each in found]


async def fingerprint(
    connection: BaseDBAsyncClient, row: Recalculation, ids: list[UUID] | None = None
) -> tuple[int, int]:
    """How many clocks there are in scope, and a sum that changes with what any of them says.

    Sums of parts add up to that of the whole. `ids`: only of these requests.
    """
    condition, values = scope_of(row)
    place = len(values) + 1
    found = await connection.execute_query_dict(
        "select count(*)::int as clocks, coalesce(sum(hashtextextended(concat_ws('|', k.id,"
        " k.version, k.state, k.deadline, k.calendar_version_id, r.priority,"
        " r.service_level_version_id), 0)::numeric), 0)::text as sum"
        f" from request r join clock k on k.request_id = r.id where {condition}"
        f" and (${place}::uuid[] is null or r.id = any(${place}::uuid[]))",
        [*values, ids],
    )
    return int(found[0]["clocks"]), int(found[0]["sum"])
