"""The figures beside a board: open, at risk, breached by line and priority, and 991 shares.

One statement reads them; they change with events, and when a clock breaches that no alarm tells
of, so nobody needs to ask again and again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import orjson

from itr.catalogue.terms import Priority
from itr.database import Reads, fetch_planned
from itr.errors import InvalidInput
from itr.events.feed import TAKEN, Taken
from itr.figures.rules import parts_of
from itr.requests.risk import BREACHES_UNTOLD_AT, IS_OPEN, RISK, SlaRisk
from itr.requests.routing import COUNTS, SOLVED_BY_LINE
from itr.requests.rules import LINES
from itr.sight.row_filter import RowFilter

LONGEST_DAYS = 366
SHARE_STEP = Decimal("0.0001")


@dataclass(frozen=True)
class Wanted:
    """Which requests the figures are of; None lets all through, nothing lets none."""

    customer_ids: tuple[UUID, ...] | None = None
    product_ids: tuple[UUID, ...] | None = None
    days: int = 30
    """How many days back the solutions of the 991 shares were delivered."""


@dataclass(frozen=True)
class Count:
    """Open requests, and those of them that are at risk and breached."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Both together."""
        return Count(
            self.open + other.open, self.at_risk + other.at_risk, self.breached + other.breached
        )


@dataclass(frozen=True)
class LiveFigures:
    """Counts by line and priority, and how many requests each line solved."""

    cells: Mapping[tuple[int, Priority], Count]
    solved: Mapping[int, int]

    def count(self, *, line: int | None = None, priority: Priority | None = None) -> Count:
        """What is open on one line, at one priority, or at all."""
        fitting = (
            count
            for (on, at), count in self.cells.items()
            if line in (None, on) and priority in (None, at)
        )
        return sum(fitting, Count())

    def share(self, line: int) -> Decimal | None:
        """A line's part of all that was solved, with the others' making 1; None: nothing was."""
        parts = parts_of([self.solved[each] for each in LINES], SHARE_STEP)
        return parts[LINES.index(line)]

    def share_of_rest(self, line: int) -> Decimal | None:
        """A line's part of what the lines before it left (R-LIN-02); None: nothing was left."""
        return _share(self.solved[line], sum(self.solved[each] for each in LINES if each >= line))


@dataclass(frozen=True)
class FiguresSnapshot:
    """What one statement found, as of what, and when time alone changes it; None: events only."""

    taken: Taken
    figures: LiveFigures
    changes_at: datetime | None


def ensure_days(days: int) -> int:
    """Refuse a period that is empty or longer than a year. Raises InvalidInput at `days`."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(
            path=["days"],
            zh_reason=f"天数须在 1 到 {LONGEST_DAYS} 之间。",
            en_reason=f"The days must be from 1 to {LONGEST_DAYS}.",
        )
    return days


async def live_figures(
    pool: Reads, wanted: Wanted, sight: RowFilter, now: datetime
) -> FiguresSnapshot:
    """What the statement saw, and the figures of the requests within sight."""
    condition, values = sight.numbered("r", 4)
    (row,) = await fetch_planned(
        pool,
        _FIGURES.format(sight=condition),
        _listed(wanted.customer_ids),
        _listed(wanted.product_ids),
        now - timedelta(days=wanted.days),
        now,
        *values,
    )
    taken, cells, solved, changes_at = row
    found = {
        (line, Priority(priority)): Count(*counts)
        for line, priority, *counts in orjson.loads(cells)
    }
    by_line: dict[int, int] = dict(orjson.loads(solved))
    figures = LiveFigures(
        {(line, each): found.get((line, each), Count()) for line in LINES for each in Priority},
        {line: by_line.get(line, 0) for line in LINES},
    )
    return FiguresSnapshot(Taken.of(taken), figures, changes_at)


_OF_THESE = (
    "{sight} and ($1::uuid[] is null or r.customer_id = any($1))"
    " and ($2::uuid[] is null or r.product_id = any($2))"
)
_FIGURES = f"""
with standing as materialized (
    select r.id, r.line, r.priority, {RISK.replace("{t}", "r").replace(":now", "$4")} as risk
    from request r where {IS_OPEN.replace("{t}", "r")} and {_OF_THESE}
), counted as (
    select line, priority, count(*) as open,
        count(*) filter (where risk = '{SlaRisk.AT_RISK}') as at_risk,
        count(*) filter (where risk = '{SlaRisk.BREACHED}') as breached
    from standing group by line, priority
), solved as (
    select {SOLVED_BY_LINE.replace("{t}", "r")} as line, count(*) as number from request r
    where r.delivered_at >= $3 and {COUNTS.replace("{t}", "r")} and {_OF_THESE}
    group by 1 having {SOLVED_BY_LINE.replace("{t}", "r")} is not null
), seen as (
    select id from standing
)
select {TAKEN},
    (select coalesce(json_agg(json_build_array(line, priority, open, at_risk, breached)), '[]')
        from counted)::text,
    (select coalesce(json_agg(json_build_array(line, number)), '[]') from solved)::text,
    {BREACHES_UNTOLD_AT.replace("{now}", "$4")}
"""


def _listed(ids: Sequence[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(ids)


def _share(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part) / whole).quantize(SHARE_STEP, ROUND_HALF_UP)
