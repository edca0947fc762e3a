"""A clock is the fold of its events (R-SLA-02).

Time counts in stretches: from a start, a resumption or a reopening to the next pause or
completion. What a clock has spent is the working time of its stretches, so a retarget, a corrected
calendar or an event recorded late gives what would have been had it been known from the start.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from itr.sla.clock_facts import (
    CalendarKey,
    CalendarOf,
    Clock,
    ClockEvent,
    ClockNotStarted,
    Stretch,
    Target,
)
from itr.sla.clock_history import History
from itr.sla.terms import ClockState
from itr.sla.working_time import WorkingCalendar

__all__ = [
    "CalendarKey",
    "CalendarOf",
    "Clock",
    "ClockEvent",
    "ClockNotStarted",
    "Stretch",
    "Target",
    "as_of",
    "deadline_if_resumed",
    "elapsed_at",
    "fold",
    "overturns",
    "remaining_at",
]


def fold(
    events: Iterable[ClockEvent], calendar_of: CalendarOf, *, at: datetime | None = None
) -> Clock:
    """The clock its events make, in whatever order they come (R-SLA-02).

    With `at`, events later than `at` are ignored and everything is as of `at`. Without, a breach
    is told only where a later event proves it: see `as_of`.
    Raises ClockNotStarted, and BeyondCalendar for a deadline nobody can compute.
    """
    return History(events, calendar_of, until=at).clock()


def as_of(clock: Clock, now: datetime) -> Clock:
    """A stored clock read at `now`: a deadline passed while it counted is a breach (R-SLA-04)."""
    if clock.breached_at is not None or not clock.counting:
        return clock
    if clock.deadline is None or now <= clock.deadline:
        return clock
    return replace(clock, state=ClockState.BREACHED, breached_at=clock.deadline)


def elapsed_at(clock: Clock, calendar: WorkingCalendar, now: datetime) -> int:
    """Working microseconds the clock has counted by `now`."""
    if clock.base_us is None:
        return clock.elapsed_us
    return calendar.position_us(now) - clock.base_us


def remaining_at(clock: Clock, calendar: WorkingCalendar, now: datetime) -> int | None:
    """Working microseconds left at `now`; negative is lateness; None without a deadline."""
    if clock.base_us is None or clock.deadline_us is None:
        return clock.remaining_us
    return clock.deadline_us - calendar.position_us(now)


def deadline_if_resumed(clock: Clock, calendar: WorkingCalendar, at: datetime) -> datetime | None:
    """The deadline a paused clock would have if it resumed at `at`; another clock's own."""
    if clock.paused_since is None or clock.deadline is not None or clock.target is None:
        return clock.deadline
    if clock.target.us is None:
        return calendar.add_days(at, clock.remaining_days or 0)
    return calendar.add(at, clock.remaining_us or 0)


def overturns(old: Clock, new: Clock, now: datetime) -> bool:
    """Whether a recomputation undoes the breach `old` had: it stays in history (R-SLA-05)."""
    return old.breached_at is not None and as_of(new, now).breached_at is None
