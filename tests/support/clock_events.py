"""The clock events of a request, read from its timeline."""

from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient


async def load_clock_events(
    connection: BaseDBAsyncClient, request_id: UUID
) -> list[dict[str, Any]]:
    """The clock events of a request's timeline, in its order."""
    rows = await connection.execute_query_dict(
        "select payload->'clocks' as clock_events from event"
        " where subject = $1 and payload ? 'clocks' order by subject_version",
        [request_id],
    )
    return [event for row in rows for event in orjson.loads(row["clock_events"])]
