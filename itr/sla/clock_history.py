"""The walk through a clock's events that makes the clock and its explanation (R-SLA-02 … 09)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from itr.sla.clock_facts import (
    CalendarKey,
    CalendarOf,
    Clock,
    ClockEvent,
    ClockNotStarted,
    Stretch,
    Target,
)
from itr.sla.spending import Amount, Spending
from itr.sla.terms import ClockEventKind, ClockState

Outlook = tuple[datetime | None, int | None, Fraction | None]

ORDER = {kind: place for place, kind in enumerate(ClockEventKind)}
BARE = frozenset(
    {
        ClockEventKind.REOPENED,
        ClockEventKind.RESUMED,
        ClockEventKind.COMPLETED,
        ClockEventKind.CANCELLED,
    }
)
"""Events that say when they happened, and at most why."""
RUNNING, SOLVED = "RUNNING", "SOLVED"
NO_REASON = "UNSPECIFIED"
_NOTHING: Outlook = (None, None, None)


class Mark(NamedTuple):
    """From when on a clock was running, paused for something, or solved.

    A pause counts for the reason told last of those that are open; `waits_for` has them all.
    """

    at: datetime
    what: str
    waits_for: tuple[str, ...] = ()


def place_in_time(event: ClockEvent) -> tuple[object, ...]:
    """What events are sorted by; ties are broken so that the order given never matters.

    Of retargets at one instant, without a sequence to tell, the tightest is the last.
    """
    place = (event.at, ORDER[event.kind], event.sequence)
    if event.kind in BARE:
        return (*place, event.reason or "")
    target = event.target
    return (
        *place,
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
        ordered = list(events)
        if any(event.at >= following.at for event, following in pairwise(ordered)):
            ordered.sort(key=place_in_time)
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
        if self._is_running and self.last_at is not self._spending.starts[-1]:
            self._note_breach(self.last_at, self._spending.spent_at(self.last_at))

    def _started(self, event: ClockEvent) -> None:
        """Begin; again only after a cancellation (R-SLA-09), else the first start stands."""
        if self.cancelled_at is not None:
            self._start(event)

    def _start(self, event: ClockEvent) -> None:
        self.started_at = event.at
        self.cancelled_at: datetime | None = None
        self.completed_at: datetime | None = None
        self.paused_since: datetime | None = None
        self.pause_reasons: list[str] = []
        self.open_reasons: list[str] = []
        self.target: Target | None = event.target
        self.untargeted_since = None if event.target else event.at
        self.calendar_key: CalendarKey = event.calendar
        self.calendar = self._calendar_of(event.calendar)
        self.stretches: list[Stretch] = []
        self.marks: list[Mark] = []
        self._retarget_on_reopening: ClockEvent | None = None
        self._goal = None if event.target is None else event.target.amount
        self._spending = Spending(self.calendar, self._in_days)
        self._new_version(event.at)
        self._run(event.at)

    def _reopened(self, event: ClockEvent) -> None:
        """Count again; the time spent solved, or withdrawn, is left out (R-SLA-09, R-IMP-01)."""
        if self.cancelled_at is not None:
            self.marks.append(Mark(self.cancelled_at, SOLVED))
        elif self.completed_at is None:
            return
        self.completed_at = self.cancelled_at = None
        self._new_version(event.at)
        self._run(event.at)
        if self._retarget_on_reopening is not None:
            self._retarget(self._retarget_on_reopening, event.at)
            self._retarget_on_reopening = None

    def _retargeted(self, event: ClockEvent) -> None:
        """Another promise, keeping elapsed and paused time (R-SLA-08); solved, it must wait."""
        if self.cancelled_at is not None:
            return
        if self.completed_at is not None:
            self._retarget_on_reopening = event
            return
        changes_calendar = event.calendar not in (None, self.calendar_key)
        if event.target != self.target or changes_calendar:
            if self._is_running:
                self._note_breach(event.at, self._spending.spent_at(event.at))
            self._new_version(event.at)
            self._retarget(event, event.at)

    def _paused(self, event: ClockEvent) -> None:
        """Stop counting; paused already, the pause goes on with one more reason (R-REQ-03)."""
        reason = event.reason or NO_REASON
        if self._is_running:
            self._stop(event.at)
            self.paused_since = event.at
            self.pause_reasons = []
        elif self.paused_since is None:
            return
        if reason not in self.pause_reasons:
            self.pause_reasons.append(reason)
        self.open_reasons = [*self._open_but(reason), reason]
        self._mark_pause(event.at)

    def _resumed(self, event: ClockEvent) -> None:
        """Count again; with a reason, that one ends and the pause with the last (R-REQ-03)."""
        if self.paused_since is None:
            return
        left = [] if event.reason is None else self._open_but(event.reason)
        if not left:
            self._end_pause()
            self._run(event.at)
        elif left != self.open_reasons:
            self.open_reasons = left
            self._mark_pause(event.at)

    def _open_but(self, reason: str) -> list[str]:
        return [each for each in self.open_reasons if each != reason]

    def _mark_pause(self, at: datetime) -> None:
        reasons = tuple(self.open_reasons)
        self.marks.append(Mark(at, f"PAUSED:{reasons[-1]}", reasons))

    def _completed(self, event: ClockEvent) -> None:
        """Done; the first completion counts, and what was paused until now stays out (R-SLA-07)."""
        if self._is_running:
            self._stop(event.at)
        elif self.paused_since is not None:
            self._end_pause()
        else:
            return
        self.completed_at = event.at
        self.marks.append(Mark(event.at, SOLVED))

    def _cancelled(self, event: ClockEvent) -> None:
        if self.cancelled_at is not None:
            return
        if self._is_running:
            self._stop(event.at)
        self._end_pause()
        self.cancelled_at = event.at

    def _run(self, at: datetime) -> None:
        self.stretches.append((at, None))
        self._spending.begin(at)
        self._is_running = True
        self.marks.append(Mark(at, RUNNING))

    def _stop(self, at: datetime) -> None:
        self._note_breach(at, self._spending.spend_until(at))
        self.stretches[-1] = (self.stretches[-1][0], at)
        self._is_running = False

    def _end_pause(self) -> None:
        self.paused_since = None
        self.pause_reasons = []
        self.open_reasons = []

    def _new_version(self, at: datetime) -> None:
        self.version += 1
        self.version_since = at

    @property
    def _in_days(self) -> bool:
        return self.target is not None and self.target.us is None

    def _retarget(self, event: ClockEvent, at: datetime) -> None:
        """Take target and calendar; the stretches so far are counted anew if either's unit is."""
        self.target = event.target
        self._goal = None if event.target is None else event.target.amount
        if event.target is not None:
            self.untargeted_since = None
        elif self.untargeted_since is None:
            self.untargeted_since = at
        if event.calendar is not None:
            self.calendar_key = event.calendar
            self.calendar = self._calendar_of(event.calendar)
        spending = self._spending
        if spending.calendar is not self.calendar or spending.in_days is not self._in_days:
            self._spending = spending = Spending(self.calendar, self._in_days, self.stretches)
        if self._goal is None or self.breached_at is not None:
            return
        counted_to = self.stretches[-1][1] or at
        if spending.spent_at(counted_to) >= self._goal and counted_to > self._deadline():
            self.breached_at = at

    def _note_breach(self, at: datetime, spent: Amount) -> None:
        """The clock ran until `at`: its deadline may have passed on the way."""
        if self._goal is None or spent < self._goal or self.breached_at is not None:
            return
        deadline = self._deadline()
        if at > deadline:
            self.breached_at = deadline

    def _deadline(self) -> datetime:
        return self._spending.reached_at(self._goal or 0)

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
        if self._spending.in_days:
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
        if self._goal is None:
            return _NOTHING
        spending = self._spending
        spent = spending.spent_at(self.last_at) if self._is_running else spending.total
        left = self._goal - spent
        days = Fraction(left) if spending.in_days else None
        stood_since = self.completed_at or self.paused_since
        if stood_since is not None and left >= 0 and self._stood_paused(stood_since):
            from_here = self.completed_at or self._until or stood_since
            deadline = spending.counted_on(from_here, left)
            remaining = int(left)
            if spending.in_days:
                remaining = self.calendar.elapsed(from_here, deadline)
            stored = self._until is None and self.completed_at is None
            return (None if stored else deadline), remaining, days
        deadline = self._deadline()
        if not spending.in_days:
            return deadline, int(left), None
        return deadline, self._elapsed_us(deadline, goes_on=True) - elapsed_us, days

    def _stood_paused(self, at: datetime) -> bool:
        """Whether the clock was paused at `at`, or until it was completed then."""
        end = self.stretches[-1][1]
        return self.paused_since is not None or (end is not None and end < at)

    def _elapsed_us(self, at: datetime, *, goes_on: bool = False) -> int:
        """Microseconds counted by `at`; `goes_on`: as if the last stretch had not ended."""
        spending = self._spending
        if not (spending.in_days or self.untargeted_since or goes_on):
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
