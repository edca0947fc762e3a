"""A clock tried out: events folded under a calendar and targets, storing nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from itr.sla.alarms import PERCENTS
from itr.sla.clock import Clock, ClockEvent
from itr.sla.explain import Interval
from itr.sla.working_time import WorkingCalendar


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
    """Fold `events` (calendar keys are not looked at) as of `at`. Raises ClockNotStarted."""
    raise NotImplementedError
