"""Working time as exact arithmetic on a line of microseconds (R-CAL-02)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from itr.sla.calendars import CalendarDefinition


class BeyondCalendar(ArithmeticError):
    """The answer lies outside the years we compute (1900 to 2199)."""


@dataclass(frozen=True, slots=True)
class WorkingSpan:
    """An unbroken stretch of working time of one date, as the `calendar_span` table holds it.

    `before_us` and `before_days`: working time and working dates from the epoch to its start.
    """

    starts_at: datetime
    ends_at: datetime
    before_us: int
    before_days: int


class WorkingCalendar:
    """A definition made ready for arithmetic. Get one with `calendar_of` (cached)."""

    definition: CalendarDefinition

    def position_us(self, at: datetime) -> int:
        """Working microseconds from 2000-01-01T00:00Z to `at`; negative before."""
        raise NotImplementedError

    def instant_at(self, position_us: int) -> datetime:
        """Earliest instant by which that much working time has passed: an end, not the next start."""
        raise NotImplementedError

    def add(self, start: datetime, amount_us: int) -> datetime:
        """The instant `amount_us` of working time after `start` (before it when negative).

        Nothing added is `start` itself. Forward the earliest such instant, backward the latest.
        """
        raise NotImplementedError

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Working microseconds between two instants; negative when `end` is earlier."""
        raise NotImplementedError

    def day_position(self, at: datetime) -> Fraction:
        """Working days from the epoch: each date with a shift is one, passing evenly (R-CAL-04)."""
        raise NotImplementedError

    def add_days(self, start: datetime, days: Fraction | int) -> datetime:
        """The instant that many working days after `start`, rounded up to the microsecond."""
        raise NotImplementedError

    def elapsed_days(self, start: datetime, end: datetime) -> Fraction:
        """Working days between two instants, exactly."""
        raise NotImplementedError

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is working time; the last instant of a span is not."""
        raise NotImplementedError

    def next_open(self, at: datetime) -> datetime:
        """`at` when open, else the next start of working time."""
        raise NotImplementedError

    def next_close(self, at: datetime) -> datetime:
        """The end of the stretch that is open at `at`, else of the next one."""
        raise NotImplementedError

    def prev_open(self, at: datetime) -> datetime:
        """The last instant at or before `at` up to which there was working time."""
        raise NotImplementedError

    def is_working_day(self, day: date) -> bool:
        """Whether a shift starts on the date."""
        raise NotImplementedError

    def provisional(self, at: datetime) -> bool:
        """Whether `at` falls in a year whose holidays are not yet published (R-CAL-03)."""
        raise NotImplementedError

    def spans(self, start: datetime, end: datetime) -> Iterator[WorkingSpan]:
        """The spans that touch [start, end), for materialising."""
        raise NotImplementedError


def calendar_of(definition: CalendarDefinition) -> WorkingCalendar:
    """The compiled calendar of a definition; equal definitions share one. Raises InvalidCalendar."""
    raise NotImplementedError
