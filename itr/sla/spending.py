"""What a clock spends, stretch by stretch, in the unit of its target (R-SLA-02, R-CAL-04)."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from typing import cast

from itr.sla.clock_facts import Stretch
from itr.sla.working_time import WorkingCalendar

Amount = int | Fraction


class Spending:
    """What a clock has spent before each of its stretches, in its target's unit (R-CAL-04).

    A stretch's base is the position where it would have begun without interruptions.
    """

    def __init__(
        self, calendar: WorkingCalendar, in_days: bool, stretches: Iterable[Stretch] = ()
    ) -> None:
        self.calendar = calendar
        self.in_days = in_days
        instant_at = calendar.instant_at_day if in_days else calendar.instant_at
        self._instant_at = cast("Callable[[Amount], datetime]", instant_at)
        self._position_at: Callable[[datetime], Amount] = (
            calendar.day_position if in_days else calendar.position_us
        )
        self.starts: list[datetime] = []
        self.before: list[Amount] = []
        self.bases: list[Amount] = []
        self.total: Amount = 0
        # The last position asked for: much happens at one instant.
        self._at: datetime | None = None
        self._position: Amount = 0
        for start, end in stretches:
            self.begin(start)
            if end is not None:
                self.spend_until(end)

    def begin(self, start: datetime) -> None:
        """A stretch begins."""
        if start is not self._at:
            self._at, self._position = start, self._position_at(start)
        self.starts.append(start)
        self.before.append(self.total)
        self.bases.append(self._position - self.total)

    def spent_at(self, at: datetime) -> Amount:
        """What will have been spent if the current stretch goes on until `at`."""
        if at is not self._at:
            self._at, self._position = at, self._position_at(at)
        return self._position - self.bases[-1]

    def spend_until(self, end: datetime) -> Amount:
        """The current stretch ends: what is spent by then."""
        self.total = self.spent_at(end)
        return self.total

    def reached_at(self, amount: Amount) -> datetime:
        """When `amount` was spent, or will be if the last stretch goes on."""
        index = bisect_right(self.before, amount) - 1
        if amount == self.before[index]:
            return self.starts[index]
        return self._instant_at(self.bases[index] + amount)

    def counted_on(self, start: datetime, amount: Amount) -> datetime:
        """When `amount` more is spent if a stretch begins at `start`."""
        return self._instant_at(self._position_at(start) + amount) if amount else start
