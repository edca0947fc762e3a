"""Where calendars stand at an instant, the clocks' unit of time: in SQL and in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

import orjson

from itr.sla.spans import ALWAYS

_US = "(extract(epoch from {0}) * 1000000)::bigint"

POSITIONS_NOW = (
    "select v.id, s.before_us + "
    + _US.format("(least(:now, s.ends_at) - s.starts_at)")
    + " as us, :now < s.ends_at as is_open,"
    f" case when s.ends_at >= '{ALWAYS.ends_at.isoformat()}' then null"
    " when :now < s.ends_at then s.ends_at else"
    " (select min(n.starts_at) from calendar_span n"
    " where n.calendar_version_id = v.id and n.starts_at > :now) end as changes_at"
    " from calendar_version v cross join lateral (select * from calendar_span s"
    " where s.calendar_version_id = v.id and s.starts_at <= :now"
    " order by s.starts_at desc limit 1) s"
)
"""Each calendar version: working time since the epoch, open or not, and until when."""

POSITION_OF = (
    "(select s.before_us + "
    + _US.format("(least(:now, s.ends_at) - s.starts_at)")
    + " from calendar_span s where s.calendar_version_id = {calendar} and s.starts_at <= :now"
    " order by s.starts_at desc limit 1)"
)
"""The same of one calendar version, looked up where it is needed."""

_SPANS_AT = f"""
select coalesce(json_agg(json_build_array(v.id, {_US.format("s.starts_at")},
    {_US.format("s.ends_at")}, s.before_us, {_US.format("n.starts_at")})), '[]')::text
from calendar_version v
cross join lateral (select * from calendar_span s where s.calendar_version_id = v.id
    and s.starts_at <= $1 order by s.starts_at desc limit 1) s
left join lateral (select n.starts_at from calendar_span n where n.calendar_version_id = v.id
    and n.starts_at > $1 order by n.starts_at limit 1) n on true
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ALWAYS_US = (ALWAYS.ends_at - _EPOCH) // _MICROSECOND
_NEW_VERSIONS_SECONDS = 60.0


class Asking(Protocol):
    """What statements run on."""

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its only value."""
        ...


@dataclass(frozen=True, slots=True)
class _Span:
    """The last span of a calendar version to have begun; spans never change."""

    version_id: UUID
    starts_us: int
    ends_us: int
    before_us: int
    next_us: int | None

    @property
    def until_us(self) -> int:
        """Up to when it is the last: what follows the last of all may not be kept yet."""
        return self.ends_us if self.next_us is None else self.next_us

    def changes_at(self, now_us: int) -> datetime | None:
        """When the calendar closes, or opens; None where it never does."""
        if self.ends_us >= _ALWAYS_US:
            return None
        changes_us = self.ends_us if now_us < self.ends_us else self.until_us
        return _EPOCH + changes_us * _MICROSECOND


class PositionsInMemory:
    """`POSITIONS_NOW` of the versions that are known, without asking for it.

    A version of a calendar never changes, so the span an instant falls into is read once; versions
    that came since are missing for up to a minute, and are to be looked up.
    """

    def __init__(self) -> None:
        self._spans: Sequence[_Span] = ()
        self._from_us = self._until_us = 0
        self._read_at = -_NEW_VERSIONS_SECONDS

    async def columns(self, reads: Asking, now: datetime) -> Mapping[str, Sequence[Any]]:
        """Columns of equal length: `id`, `us`, `is_open`, `changes_at`."""
        now_us = (now - _EPOCH) // _MICROSECOND
        if not self._holds(now_us):
            await self._read(reads, now)
        known = [each for each in self._spans if each.starts_us <= now_us < each.until_us]
        return {
            "id": [each.version_id for each in known],
            "us": [each.before_us + min(now_us, each.ends_us) - each.starts_us for each in known],
            "is_open": [now_us < each.ends_us for each in known],
            "changes_at": [each.changes_at(now_us) for each in known],
        }

    def _holds(self, now_us: int) -> bool:
        fresh = monotonic() - self._read_at < _NEW_VERSIONS_SECONDS
        return fresh and self._from_us <= now_us < self._until_us

    async def _read(self, reads: Asking, now: datetime) -> None:
        rows = orjson.loads(await reads.fetchval(_SPANS_AT, now))
        self._spans = [_Span(UUID(row[0]), *row[1:]) for row in rows]
        now_us = (now - _EPOCH) // _MICROSECOND
        self._from_us = max((each.starts_us for each in self._spans), default=now_us)
        later = (each.until_us for each in self._spans if each.until_us > now_us)
        self._until_us = min(later, default=now_us + 1)
        self._read_at = monotonic()
