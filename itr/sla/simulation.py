"""A clock tried out: events folded under a calendar and targets, storing nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from itr.sla.alarms import PERCENTS, alarm_points
from itr.sla.clock_facts import Clock, ClockEvent
from itr.sla.clock_history import History
from itr.sla.explain import Interval, explain_history
from itr.sla.working_time import WorkingCalendar


@dataclass(frozen=True, slots=True)
class SimulatedAlarm:
    """A level's point (None while paused or cancelled and not fired) and whether it fired."""

    percent: int
    at: datetime | None
    fired: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """The clock as of the instant asked for, its alarms, and what explains it."""

    clock: Clock
    next_alarm_at: datetime | None
    alarms: tuple[SimulatedAlarm, ...]
    history: History
    at: datetime

    def explain(self, *, after: datetime | None = None, first: int | None = None) -> list[Interval]:
        """Every interval up to the instant, or a page of them. Raises TooLongAStory."""
        return explain_history(self.history, self.at, after=after, first=first)


def simulate(
    events: Iterable[ClockEvent],
    calendar: WorkingCalendar,
    *,
    at: datetime,
    percents: Sequence[int] = PERCENTS,
) -> Simulation:
    """Fold `events` as of `at`, whatever calendar they name.

    Raises ClockNotStarted, BeyondCalendar, TooLongAStory.
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
        history=history,
        at=at,
    )
