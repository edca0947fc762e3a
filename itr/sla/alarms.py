"""When a clock warns: one alarm per level and clock version (R-ALM-01, R-ALM-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from itr.sla.clock import Clock
from itr.sla.working_time import WorkingCalendar

PERCENTS = (50, 75, 90, 100)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One level: its point, and the first instant at which it fires (100 %: a microsecond later).

    A level whose point passed before the clock's version began is due when the version began.
    """

    percent: int
    at: datetime
    due_at: datetime


def alarm_times(
    clock: Clock, calendar: WorkingCalendar, percents: Sequence[int] = PERCENTS
) -> list[Alarm]:
    """The levels of a counting clock, lowest first; none while paused, completed, cancelled."""
    raise NotImplementedError


def next_alarm(
    clock: Clock, calendar: WorkingCalendar, fired_level: int, percents: Sequence[int] = PERCENTS
) -> Alarm | None:
    """The first level above `fired_level` (0: none yet fired in this version)."""
    raise NotImplementedError


def due_levels(
    clock: Clock,
    calendar: WorkingCalendar,
    fired_level: int,
    now: datetime,
    percents: Sequence[int] = PERCENTS,
) -> list[Alarm]:
    """The levels above `fired_level` due by `now`: record all, notify with the last."""
    raise NotImplementedError
