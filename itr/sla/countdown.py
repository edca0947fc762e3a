"""What a display needs of a clock to tick by itself (R-SLA-13)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import BeyondCalendar, WorkingCalendar

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Running:
    """A stored clock as far as its countdown needs it; see the clock table."""

    id: UUID
    thread: Thread
    state: ClockState
    deadline: datetime | None
    base_us: int | None
    deadline_us: int | None
    remaining_us: int | None
    next_alarm_at: datetime | None
    version: int
    calendar: WorkingCalendar


@dataclass(frozen=True)
class Countdown:
    """A clock at one instant; `remaining` falls while `counting`, until `counting_changes_at`."""

    thread: Thread
    state: ClockState
    deadline: datetime | None
    remaining: timedelta | None
    counting: bool
    counting_changes_at: datetime | None
    next_alarm_at: datetime | None
    version: int
    at: datetime


def countdown_of(clock: Running, now: datetime) -> Countdown:
    """The countdown of a clock at `now`, worked out from what is stored."""
    state, remaining_us = clock.state, clock.remaining_us
    counting, changes_at = False, None
    if clock.base_us is not None:
        counting = clock.calendar.is_open(now)
        changes_at = _changes_at(clock.calendar, now, counting=counting)
        if clock.deadline_us is not None:
            remaining_us = clock.deadline_us - clock.calendar.position_us(now)
    late = clock.deadline is not None and clock.deadline < now
    if state is ClockState.RUNNING and late:
        state = ClockState.BREACHED
    return Countdown(
        thread=clock.thread,
        state=state,
        deadline=clock.deadline,
        remaining=None if remaining_us is None else remaining_us * MICROSECOND,
        counting=counting,
        counting_changes_at=changes_at,
        next_alarm_at=clock.next_alarm_at,
        version=clock.version,
        at=now,
    )


def _changes_at(calendar: WorkingCalendar, now: datetime, *, counting: bool) -> datetime | None:
    """When the calendar closes, or opens; None where it never does."""
    try:
        return calendar.next_close(now) if counting else calendar.next_open(now)
    except BeyondCalendar:
        return None
