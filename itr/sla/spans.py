"""The materialised spans of calendars: what SQL counts by, kept some years ahead of time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from itr.sla.working_time import BeyondCalendar, WorkingCalendar, WorkingSpan

FIRST_SPAN = datetime(2009, 1, 1, tzinfo=UTC)
YEARS_AHEAD = 3
ALWAYS = WorkingSpan(
    starts_at=datetime(2000, 1, 1, tzinfo=UTC),
    ends_at=datetime(9999, 12, 31, tzinfo=UTC),
    before_us=0,
    before_days=0,
)


def years_ahead(now: datetime) -> datetime:
    """Until when spans are kept."""
    return datetime(now.year + YEARS_AHEAD + 1, 1, 1, tzinfo=UTC)


def spans_to_keep(working: WorkingCalendar, start: datetime, end: datetime) -> list[WorkingSpan]:
    """The working spans between two instants; one for all time where it is always open."""
    if working.definition.always_open:
        return [ALWAYS]
    try:
        return list(working.spans(start, end))
    except BeyondCalendar:
        return []


_INSERT_SPANS = """
insert into calendar_span (calendar_version_id, starts_at, ends_at, before_us, before_days)
select $1, * from unnest($2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::int[])
on conflict do nothing
"""


async def insert_spans(
    connection: BaseDBAsyncClient, version_id: UUID, spans: Sequence[WorkingSpan]
) -> None:
    """Keep spans of a version; those it has already stay."""
    rows = [(span.starts_at, span.ends_at, span.before_us, span.before_days) for span in spans]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    await connection.execute_query(_INSERT_SPANS, [version_id, *columns])
