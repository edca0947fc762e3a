"""What is said about a clock: its events, its target, and how it stands."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from itr.sla.terms import ClockEventKind, ClockState
from itr.sla.working_time import WorkingCalendar

CalendarKey = Hashable
CalendarOf = Callable[[CalendarKey], WorkingCalendar]
Stretch = tuple[datetime, datetime | None]


class ClockNotStarted(ValueError):
    """There is no STARTED event, or none up to the instant asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised: exactly one of working microseconds or working days (R-CAL-04)."""

    us: int | None = None
    days: int | Decimal | Fraction | None = None

    def __post_init__(self) -> None:
        if (self.us is None) == (self.days is None):
            raise ValueError("a target is either working time or working days")
        if self.amount < 0:
            raise ValueError("a target is not negative")

    @property
    def amount(self) -> int | Fraction:
        """Microseconds, or days exactly."""
        if self.us is not None:
            return self.us
        return Fraction(self.days or 0)


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """Something that happened to a clock, at the time it happened.

    STARTED carries target and calendar. RETARGETED carries the new target (None: there is no
    target any more) and, when it changes, the calendar. PAUSED carries its reason; RESUMED ends all
    there are, or the one it carries. `sequence` orders events of one kind at one instant.
    """

    at: datetime
    kind: ClockEventKind
    reason: str | None = None
    target: Target | None = None
    calendar: CalendarKey | None = None
    sequence: int = 0

    def __post_init__(self) -> None:
        if self.at.tzinfo is not UTC:
            object.__setattr__(self, "at", self.at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Clock:
    """How a clock stands: what its row stores, and what alarms and previews need beside it.

    `elapsed_us` and `remaining_us` are as of the last event, or of the instant folded for; while
    counting, time since is `position_us(now) - base_us` and `deadline_us - position_us(now)`.
    A breached clock stays BREACHED whatever follows; `counting`, `paused_since`, `completed_at`
    and `cancelled_at` say what it does besides. A paused clock with time left has no deadline.
    """

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
    stretches: tuple[Stretch, ...]

    @property
    def counting(self) -> bool:
        """Whether it is neither paused, completed nor cancelled (it may be outside hours)."""
        return self.base_us is not None
