"""The walk through a clock's events that makes the clock and its explanation (R-SLA-02 … 09)."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from itr.sla.clock_facts import (
    CalendarKey,
    CalendarOf,
    Clock,
    ClockEvent,
    ClockNotStarted,
    Stretch,
    Target,
)
from itr.sla.terms import ClockEventKind, ClockState
from itr.sla.working_time import WorkingCalendar

Amount = int | Fraction
Outlook = tuple[datetime | None, int | None, Fraction | None]

ORDER = {kind: place for place, kind in enumerate(ClockEventKind)}
RUNNING, SOLVED = "RUNNING", "SOLVED"
NO_REASON = "UNSPECIFIED"
_NOTHING: Outlook = (None, None, None)


@dataclass(frozen=True, slots=True)
class Meter:
    """A calendar counting in a target's unit, microseconds or days (R-CAL-04)."""

    calendar: WorkingCalendar
    in_days: bool

    def position(self, at: datetime) -> Amount:
        """How much has passed since the epoch."""
        if self.in_days:
            return self.calendar.day_position(at)
        return self.calendar.position_us(at)

    def instant_at(self, position: Amount) -> datetime:
        """The earliest instant by which so much has passed since the epoch."""
        if self.in_days:
            return self.calendar.instant_at_day(Fraction(position))
        return self.calendar.instant_at(int(position))

    def add(self, start: datetime, amount: Amount) -> datetime:
        """The earliest instant by which so much has passed since `start`."""
        return self.instant_at(self.position(start) + amount) if amount else start


class Spending:
    """What a clock has spent before each of its stretches, as a meter counts it."""

    def __init__(self, meter: Meter, stretches: Iterable[Stretch]) -> None:
        self.meter = meter
        self.starts: list[datetime] = []
        self.before: list[Amount] = []
        self.bases: list[Amount] = []
        self.total: Amount = 0
        self._at: datetime | None = None
        self._position: Amount = 0
        for start, end in stretches:
            self.begin(start)
            if end is not None:
                self.spend_until(end)

    def begin(self, start: datetime) -> None:
        """A stretch begins; its base is where it would have begun without interruptions."""
        self.starts.append(start)
        self.before.append(self.total)
        self.bases.append(self._position_of(start) - self.total)

    def spent_at(self, at: datetime) -> Amount:
        """What will have been spent if the current stretch goes on until `at`."""
        return self._position_of(at) - self.bases[-1]

    def spend_until(self, end: datetime) -> None:
        """The current stretch ends."""
        self.total = self.spent_at(end)

    def reached_at(self, amount: Amount) -> datetime:
        """When `amount` was spent, or will be if the last stretch goes on."""
        index = bisect_right(self.before, amount) - 1
        if amount == self.before[index]:
            return self.starts[index]
        return self.meter.instant_at(self.bases[index] + amount)

    def _position_of(self, at: datetime) -> Amount:
        """The meter's position, remembered: what happens often happens at one instant."""
        if at is not self._at:
            self._at, self._position = at, self.meter.position(at)
        return self._position


def place_in_time(event: ClockEvent) -> tuple[object, ...]:
    """What events are sorted by; ties are broken so that the order given never matters.

    Of retargets at one instant, without a sequence to tell, the tightest is the last.
    """
    target = event.target
    return (
        event.at,
        ORDER[event.kind],
        event.sequence,
        target is not None,
        target is not None and target.us is not None,
        -target.amount if target is not None else 0,
        event.reason or "",
        str(event.calendar),
    )


class History:
    """The state of a clock while its events are walked through in order."""

    def __init__(
        self, events: Iterable[ClockEvent], calendar_of: CalendarOf, *, until: datetime | None
    ) -> None:
        if until is not None:
            until = until.astimezone(UTC)
            events = (event for event in events if event.at <= until)
        ordered = sorted(events, key=place_in_time)
        first = next((event for event in ordered if event.kind is ClockEventKind.STARTED), None)
        if first is None:
            raise ClockNotStarted("the clock has no start")
        self._calendar_of = calendar_of
        self._until = until
        self.version = 0
        self.breached_at: datetime | None = None
        self._start(first)
        for event in ordered:
            if event.at >= first.at:
                TAKE[event.kind](self, event)
        self.last_at = until or ordered[-1].at
        if self._is_running:
            self._note_breach(self.last_at)

    @property
    def _is_live(self) -> bool:
        return self.cancelled_at is None

    @property
    def _is_running(self) -> bool:
        return self._is_live and self.completed_at is None and self.paused_since is None

    def _started(self, event: ClockEvent) -> None:
        """Begin; again only after a cancellation (R-SLA-09), else the first start stands."""
        if not self._is_live:
            self._start(event)

    def _start(self, event: ClockEvent) -> None:
        self.started_at = event.at
        self.cancelled_at: datetime | None = None
        self.completed_at: datetime | None = None
        self.paused_since: datetime | None = None
        self.pause_reasons: list[str] = []
        self.target: Target | None = event.target
        self.untargeted_since = None if event.target else event.at
        self.calendar_key: CalendarKey = event.calendar
        self.calendar = self._calendar_of(event.calendar)
        self.stretches: list[Stretch] = []
        self.marks: list[tuple[datetime, str]] = []
        self._retarget_on_reopening: ClockEvent | None = None
        self._spending = Spending(self._meter(), ())
        self._new_version(event.at)
        self._run(event.at)

    def _reopened(self, event: ClockEvent) -> None:
        """Count again; the time spent solved is left out (R-SLA-09)."""
        if not self._is_live or self.completed_at is None:
            return
        self.completed_at = None
        self._new_version(event.at)
        self._run(event.at)
        if self._retarget_on_reopening is not None:
            self._retarget(self._retarget_on_reopening, event.at)
            self._retarget_on_reopening = None

    def _retargeted(self, event: ClockEvent) -> None:
        """Another promise, keeping elapsed and paused time (R-SLA-08); solved, it must wait."""
        if not self._is_live:
            return
        if self.completed_at is not None:
            self._retarget_on_reopening = event
            return
        changes_calendar = event.calendar not in (None, self.calendar_key)
        if event.target != self.target or changes_calendar:
            if self._is_running:
                self._note_breach(event.at)
            self._new_version(event.at)
            self._retarget(event, event.at)

    def _paused(self, event: ClockEvent) -> None:
        """Stop counting; paused already, the pause goes on with one more reason (R-REQ-03)."""
        reason = event.reason or NO_REASON
        if self._is_running:
            self._stop(event.at)
            self.paused_since = event.at
            self.pause_reasons = []
        elif not self._is_live or self.paused_since is None:
            return
        if reason not in self.pause_reasons:
            self.pause_reasons.append(reason)
        self.marks.append((event.at, f"PAUSED:{reason}"))

    def _resumed(self, event: ClockEvent) -> None:
        if self._is_live and self.paused_since is not None:
            self._end_pause()
            self._run(event.at)

    def _completed(self, event: ClockEvent) -> None:
        """Done; the first completion counts, and what was paused until now stays out (R-SLA-07)."""
        if not self._is_live or self.completed_at is not None:
            return
        if self.paused_since is None:
            self._stop(event.at)
        self._end_pause()
        self.completed_at = event.at
        self.marks.append((event.at, SOLVED))

    def _cancelled(self, event: ClockEvent) -> None:
        if not self._is_live:
            return
        if self._is_running:
            self._stop(event.at)
        self._end_pause()
        self.cancelled_at = event.at

    def _run(self, at: datetime) -> None:
        self.stretches.append((at, None))
        self._spending.begin(at)
        self.marks.append((at, RUNNING))

    def _stop(self, at: datetime) -> None:
        self._note_breach(at)
        self.stretches[-1] = (self.stretches[-1][0], at)
        self._spending.spend_until(at)

    def _end_pause(self) -> None:
        self.paused_since = None
        self.pause_reasons = []

    def _new_version(self, at: datetime) -> None:
        self.version += 1
        self.version_since = at

    def _meter(self) -> Meter:
        in_days = self.target is not None and self.target.us is None
        return Meter(self.calendar, in_days)

    def _retarget(self, event: ClockEvent, at: datetime) -> None:
        """Take target and calendar; the stretches so far are counted anew if either's unit is."""
        self.target = event.target
        if event.target is not None:
            self.untargeted_since = None
        elif self.untargeted_since is None:
            self.untargeted_since = at
        if event.calendar is not None:
            self.calendar_key = event.calendar
            self.calendar = self._calendar_of(event.calendar)
        if (meter := self._meter()) != self._spending.meter:
            self._spending = Spending(meter, self.stretches)
        counted_to = at if self._is_running else self.stretches[-1][1]
        if counted_to is not None and self._has_passed(counted_to) and self.breached_at is None:
            self.breached_at = at

    def _note_breach(self, at: datetime) -> None:
        """The clock ran until `at`: its deadline may have passed on the way."""
        if self.breached_at is None and self._has_passed(at):
            self.breached_at = self._deadline()

    def _has_passed(self, at: datetime) -> bool:
        """Whether the deadline lies before `at`, an instant of the last stretch or its end."""
        if self.target is None or self._spending.spent_at(at) < self.target.amount:
            return False
        return at > self._deadline()

    def _deadline(self) -> datetime:
        return self._spending.reached_at(self.target.amount if self.target else 0)

    def clock(self) -> Clock:
        """The clock as the events so far leave it."""
        cancelled_at = self.untargeted_since or self.cancelled_at
        counts = self._is_running and cancelled_at is None
        stood_at = cancelled_at or self.completed_at or self.paused_since or self.last_at
        elapsed = self._elapsed_us(stood_at)
        base = self._base_us(stood_at, elapsed) if counts else None
        deadline, remaining, days = self._outlook(elapsed) if cancelled_at is None else _NOTHING
        return Clock(
            state=self._state(cancelled_at),
            version=self.version,
            started_at=self.started_at,
            version_since=self.version_since,
            target=self.target,
            calendar=self.calendar_key,
            deadline=deadline,
            base_us=base,
            deadline_us=base + elapsed + remaining
            if base is not None and remaining is not None
            else None,
            elapsed_us=elapsed,
            remaining_us=remaining,
            remaining_days=days,
            paused_since=self.paused_since,
            pause_reasons=tuple(self.pause_reasons),
            completed_at=self.completed_at,
            cancelled_at=cancelled_at,
            breached_at=self.breached_at,
            provisional=deadline is not None
            and self.completed_at is None
            and self.calendar.provisional(deadline),
            stretches=tuple(self.stretches),
        )

    def _base_us(self, at: datetime, elapsed_us: int) -> int:
        """The position a counting clock counts from."""
        if self._spending.meter.in_days:
            return self.calendar.position_us(at) - elapsed_us
        return int(self._spending.bases[-1])

    def _state(self, cancelled_at: datetime | None) -> ClockState:
        if self.breached_at is not None:
            return ClockState.BREACHED
        if cancelled_at is not None:
            return ClockState.CANCELLED
        if self.completed_at is not None:
            return ClockState.MET
        return ClockState.RUNNING if self.paused_since is None else ClockState.PAUSED

    def _outlook(self, elapsed_us: int) -> Outlook:
        """Deadline, and what is left in microseconds and, for a target in days, in days.

        Standing in a pause, the deadline is as if the clock went on now; stored, it has none.
        """
        if self.target is None:
            return _NOTHING
        meter = self._spending.meter
        spent = self._spending.spent_at(self.last_at) if self._is_running else self._spending.total
        left = self.target.amount - spent
        days = Fraction(left) if meter.in_days else None
        stood_since = self.completed_at or self.paused_since
        if stood_since is not None and left >= 0 and self._stood_paused(stood_since):
            from_here = self.completed_at or self._until or stood_since
            deadline = meter.add(from_here, left)
            remaining = self.calendar.elapsed(from_here, deadline) if meter.in_days else int(left)
            stored = self._until is None and self.completed_at is None
            return (None if stored else deadline), remaining, days
        deadline = self._deadline()
        if not meter.in_days:
            return deadline, int(left), None
        return deadline, self._elapsed_us(deadline, goes_on=True) - elapsed_us, days

    def _stood_paused(self, at: datetime) -> bool:
        """Whether the clock was paused at `at`, or until it was completed then."""
        end = self.stretches[-1][1]
        return self.paused_since is not None or (end is not None and end < at)

    def _elapsed_us(self, at: datetime, *, goes_on: bool = False) -> int:
        """Microseconds counted by `at`; `goes_on`: as if the last stretch had not ended."""
        spending = self._spending
        if not (spending.meter.in_days or self.untargeted_since or goes_on):
            return int(spending.spent_at(at) if self._is_running else spending.total)
        total = 0
        last = self.stretches[-1]
        for stretch in self.stretches:
            start, end = stretch
            if end is None or end > at or (goes_on and stretch is last):
                end = at
            if start < end:
                total += self.calendar.elapsed(start, end)
        return total


TAKE: dict[ClockEventKind, Callable[[History, ClockEvent], None]] = {
    ClockEventKind.STARTED: History._started,
    ClockEventKind.REOPENED: History._reopened,
    ClockEventKind.RETARGETED: History._retargeted,
    ClockEventKind.PAUSED: History._paused,
    ClockEventKind.RESUMED: History._resumed,
    ClockEventKind.COMPLETED: History._completed,
    ClockEventKind.CANCELLED: History._cancelled,
}
