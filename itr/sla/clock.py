"""A clock is the fold of its events (R-SLA-02)."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from itr.sla.terms import ClockEventKind, ClockState
from itr.sla.working_time import WorkingCalendar

CalendarKey = Hashable
CalendarOf = Callable[[CalendarKey], WorkingCalendar]


class ClockNotStarted(ValueError):
    """There is no STARTED event (up to the instant asked for)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised: exactly one of working microseconds or working days (R-CAL-04)."""

    us: int | None = None
    days: int | Decimal | Fraction | None = None


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """Something that happened to a clock, at the time it happened.

    STARTED carries target and calendar. RETARGETED carries the new target (None: no target any
    more) and, when it changes, the calendar. PAUSED carries its reason. `sequence` orders events
    of one kind at one instant.
    """

    at: datetime
    kind: ClockEventKind
    reason: str | None = None
    target: Target | None = None
    calendar: CalendarKey | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """How a clock stands: the clock row, and what alarms and previews need beside it."""

    state: ClockState
    version: int
    started_at: datetime
    version_since: datetime
    target: Target | None
    calendar: CalendarKey
    deadline: datetime | None
    base_us: int | None
    deadline_us: int | None
    elapsed_us: int
    remaining_us: int | None
    remaining_days: Fraction | None
    paused_since: datetime | None
    pause_reasons: tuple[str, ...]
    completed_at: datetime | None
    cancelled_at: datetime | None
    breached_at: datetime | None
    provisional: bool
    stretches: tuple[tuple[datetime, datetime | None], ...]

    @property
    def counting(self) -> bool:
        """Whether it is neither paused, completed nor cancelled (it may be outside hours)."""
        return self.base_us is not None


def fold(
    events: Iterable[ClockEvent], calendar_of: CalendarOf, *, at: datetime | None = None
) -> Clock:
    """The clock its events make, in whatever order they come (R-SLA-02). Raises ClockNotStarted.

    With `at`: events later than `at` are ignored, and everything is as of `at`.
    """
    raise NotImplementedError


def as_of(clock: Clock, now: datetime) -> Clock:
    """A stored clock read at `now`: a deadline passed while it counted is a breach."""
    raise NotImplementedError


def elapsed_at(clock: Clock, calendar: WorkingCalendar, now: datetime) -> int:
    """Working microseconds the clock has counted by `now`."""
    raise NotImplementedError


def remaining_at(clock: Clock, calendar: WorkingCalendar, now: datetime) -> int | None:
    """Working microseconds left at `now`; negative is lateness; None without a deadline."""
    raise NotImplementedError


def deadline_if_resumed(clock: Clock, calendar: WorkingCalendar, at: datetime) -> datetime | None:
    """The deadline a paused clock would have if it resumed at `at`; a running clock's own."""
    raise NotImplementedError


def overturns(old: Clock, new: Clock, now: datetime) -> bool:
    """Whether a recomputation undoes the breach `old` had: the caller keeps it as overturned."""
    raise NotImplementedError
