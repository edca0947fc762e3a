"""When a clock warns: one alarm per level and clock version (R-ALM-01, R-ALM-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from itr.sla.clock_facts import Clock, Target
from itr.sla.spending import Spending
from itr.sla.working_time import WorkingCalendar

PERCENTS = (50, 75, 90, 100)
BREACH = 100


@dataclass(frozen=True, slots=True)
class Alarm:
    """One level: the point it warns of, and the first instant at which it fires.

    That is the point itself, for 100 % a microsecond later; at the earliest when the clock's
    version began, and never in a pause. `due_at` is None when the clock stopped before.
    """

    percent: int
    at: datetime
    due_at: datetime | None


def alarm_points(
    clock: Clock, calendar: WorkingCalendar, percents: Sequence[int] = PERCENTS
) -> list[Alarm]:
    """Every level of a clock with a target, in the order given, fired or not.

    A stored clock that is paused has no deadline and so no points.
    """
    target, deadline = clock.target, clock.deadline
    if target is None or (deadline is None and clock.cancelled_at is None):
        return []
    spending = None
    if clock.stretches:
        spending = Spending(calendar, target.us is None, clock.stretches)
    alarms = []
    for percent in percents:
        share = _share(target, percent)
        if percent == BREACH and deadline is not None:
            point = deadline
        elif spending and (deadline is None or clock.counting or share <= spending.total):
            point = spending.reached_at(share)
        elif deadline is not None:
            point = _before(deadline, target.amount - share, calendar, target)
        else:
            continue
        alarms.append(Alarm(percent, point, _due_at(clock, point, percent)))
    return alarms


def alarm_times(
    clock: Clock, calendar: WorkingCalendar, percents: Sequence[int] = PERCENTS
) -> list[Alarm]:
    """The levels of a counting clock, lowest first; none while paused, completed, cancelled."""
    return alarm_points(clock, calendar, sorted(percents)) if clock.counting else []


def next_alarm(
    clock: Clock, calendar: WorkingCalendar, fired_level: int, percents: Sequence[int] = PERCENTS
) -> Alarm | None:
    """The first level above `fired_level` (0: none fired yet in this version)."""
    above = [percent for percent in percents if percent > fired_level]
    return next(iter(alarm_times(clock, calendar, above)), None)


def due_levels(
    clock: Clock,
    calendar: WorkingCalendar,
    fired_level: int,
    now: datetime,
    percents: Sequence[int] = PERCENTS,
) -> list[Alarm]:
    """The levels above `fired_level` due by `now`: all are recorded, the last notifies."""
    above = [percent for percent in percents if percent > fired_level]
    return [
        alarm
        for alarm in alarm_times(clock, calendar, above)
        if alarm.due_at is not None and alarm.due_at <= now
    ]


def _share(target: Target, percent: int) -> int | Fraction:
    if target.us is not None:
        return -(-target.us * percent // 100)
    return Fraction(target.amount) * percent / 100


def _before(
    deadline: datetime, left: int | Fraction, calendar: WorkingCalendar, target: Target
) -> datetime:
    """So much before the deadline: right for what the current stretch holds."""
    if target.us is None:
        return calendar.instant_at_day(calendar.day_position(deadline) - left)
    return calendar.instant_at(calendar.position_us(deadline) - int(left))


def _due_at(clock: Clock, point: datetime, percent: int) -> datetime | None:
    """The first instant from the point on at which the version counted."""
    due = point + timedelta(microseconds=1) if percent == BREACH else point
    due = max(due, clock.version_since)
    if not clock.stretches:
        return due
    for start, end in clock.stretches:
        if end is None or due < end:
            return max(due, start)
    return None
