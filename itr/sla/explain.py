"""Every interval a clock counted or skipped, and why (R-SLA-11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from itr.sla.clock import CalendarOf, ClockEvent


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a clock's life; the counted ones add up to its elapsed time.

    `reason` is WORKING, OUTSIDE_HOURS, HOLIDAY, PAUSED:<reason> or SOLVED.
    """

    start: datetime
    end: datetime
    counted: bool
    reason: str


def explain(
    events: Iterable[ClockEvent], calendar_of: CalendarOf, until: datetime
) -> list[Interval]:
    """The contiguous intervals from the start to `until`, or to completion or cancellation."""
    raise NotImplementedError
