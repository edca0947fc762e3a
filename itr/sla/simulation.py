"""A clock tried out: events folded under a calendar and targets, storing nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from itr.sla.alarms import PERCENTS, alarm_points
from itr.sla.clock_facts import Clock, ClockEvent
from itr.sla.clock_history import History
from itr.sla.explain import Interval, explain_history
from itr.sla.working_time import WorkingCalendar

MOST_INTERVALS = 20_000
"""What one simulation explains at most: some 25 years of office hours with a lunch break."""


@dataclass(frozen=True, slots=True)
class SimulatedAlarm:
    """A level's point (None while paused or cancelled and not fired) and whether it fired."""

    percent: int
    at: datetime | None
    fired: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """The clock as of the instant asked for, its alarms and its explanation."""

    clock: Clock
    next_alarm_at: datetime | None
    alarms: tuple[SimulatedAlarm, ...]
    explain: tuple[Interval, ...]


def simulate(
    events: Iterable[ClockEvent],
    calendar: WorkingCalendar,
    *,
    at: datetime,
    percents: Sequence[int] = PERCENTS,
) -> Simulation:
    """Fold `events` as of `at`, whatever calendar they name.

    Raises ClockNotStarted, BeyondCalendar, TooMuchToExplain.
    """
    history = History(events, lambda _: calendar, until=at)
    clock = history.clock()
    points = alarm_points(clock, calendar, percents)
    fired = {point.percent for point in points if point.due_at and point.due_at <= at}
    hidden = clock.cancelled_at is not None or clock.paused_since is not None
    times = {point.percent: point.at for point in points}
    waiting = [point for point in points if clock.counting and point.percent not in fired]
    following = min(waiting, key=lambda point: point.percent, default=None)
    return Simulation(
        clock=clock,
        next_alarm_at=following.at if following else None,
        alarms=tuple(
            SimulatedAlarm(
                percent=percent,
                at=times.get(percent) if percent in fired or not hidden else None,
                fired=percent in fired,
            )
            for percent in percents
        ),
        explain=tuple(explain_history(history, at, most=MOST_INTERVALS)),
    )
