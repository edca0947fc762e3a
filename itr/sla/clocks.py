"""A request's clocks while it is being worked on: their histories, and the rows they fold to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from itr.rows import new_row
from itr.sla import alarms
from itr.sla.clock import Clock as ClockValue
from itr.sla.clock import ClockEvent, Target, as_of
from itr.sla.clock_history import NO_REASON, History
from itr.sla.models import Clock
from itr.sla.terms import ClockEventKind, ClockState, Thread, WaitingReason
from itr.sla.waits import waits_of
from itr.sla.working_time import WorkingCalendar

K = ClockEventKind
MOMENT = timedelta(microseconds=1)
_ENDS = frozenset({K.COMPLETED, K.CANCELLED})
_AT_ONE_INSTANT = {kind: order for order, kind in enumerate(K)}
_BEGINS = frozenset({K.STARTED, K.REOPENED})
REOPENS = (Thread.RESTORATION, Thread.RESOLUTION)
"""Threads that go on when a solution is sent back or a request is opened again (R-SLA-09)."""


@dataclass(frozen=True)
class CalendarInForce:
    """The version of a calendar that counts now."""

    version_id: UUID
    working: WorkingCalendar


@dataclass
class ClockBook:
    """The histories of a request's four threads, and what this piece of work adds to them."""

    histories: dict[Thread, list[ClockEvent]] = field(default_factory=dict)
    added: list[tuple[Thread, ClockEvent]] = field(default_factory=list)
    touched: set[Thread] = field(default_factory=set)
    pauses_go_on: bool = False
    """Whether pauses outlast what is done now: somebody else takes over while it waits."""

    def is_unfinished(self, thread: Thread) -> bool:
        """Whether the thread has started and is neither completed nor cancelled."""
        return self._stand(thread) in _BEGINS

    def is_completed(self, thread: Thread) -> bool:
        """Whether the thread came to its end (and was not cancelled)."""
        return self._stand(thread) is K.COMPLETED

    def is_paused(self, thread: Thread) -> bool:
        """Whether the thread is unfinished and paused."""
        return bool(self.paused_for(thread))

    def paused_for(self, thread: Thread) -> list[str]:
        """The open reasons of an unfinished thread's pause; none while it counts (R-REQ-03)."""
        reasons: list[str] = []
        for event in self.histories.get(thread, ()) if self.is_unfinished(thread) else ():
            others = [each for each in reasons if each != event.reason]
            if event.kind is K.PAUSED:
                reasons = [*others, event.reason or NO_REASON]
            elif event.kind is K.RESUMED and event.reason is not None:
                reasons = others
            elif event.kind in _BEGINS | {K.RESUMED}:
                reasons = []
        return reasons

    def unfinished(self) -> list[Thread]:
        """The threads still to be met, in their order."""
        return [thread for thread in Thread if self.is_unfinished(thread)]

    def start(self, thread: Thread, at: datetime, target: Target | None, calendar: UUID) -> None:
        """Start a thread (R-SLA-01); without a target it is followed, should one come later."""
        self._add(thread, ClockEvent(at, K.STARTED, target=target, calendar=calendar))

    def retarget(self, thread: Thread, at: datetime, target: Target | None, calendar: UUID) -> None:
        """Give an unfinished thread another promise; None: none any more (R-SLA-08)."""
        if self.is_unfinished(thread) and self._promise(thread) != (target, calendar):
            self._add(thread, ClockEvent(at, K.RETARGETED, target=target, calendar=calendar))

    def retarget_if_reopened(
        self, thread: Thread, at: datetime, target: Target | None, calendar: UUID
    ) -> None:
        """Give a thread that came to its end the promise that counts should it go on (R-SLA-09).

        How it ended stays as it is sealed, so its row is not folded anew (R-SLA-10).
        """
        if self.is_completed(thread) and self._promise(thread) != (target, calendar):
            self._keep(thread, ClockEvent(at, K.RETARGETED, target=target, calendar=calendar))

    def pause(self, thread: Thread, at: datetime, reason: str) -> None:
        """Stop counting an unfinished thread; another reason goes on beside in the same pause."""
        if self.is_unfinished(thread):
            self._add(thread, ClockEvent(at, K.PAUSED, reason=reason))

    def resume(self, thread: Thread, at: datetime) -> None:
        """Count again, if paused, whatever for."""
        if self.is_paused(thread) and not self.pauses_go_on:
            self._add(thread, ClockEvent(at, K.RESUMED))

    def hold(self, thread: Thread, at: datetime, reasons: Sequence[str]) -> None:
        """Pause an unfinished thread for exactly these reasons; none lets it count (R-REQ-03)."""
        before = self.paused_for(thread)
        for reason in reasons:
            if reason not in before:
                self.pause(thread, at, reason)
        if not reasons:
            self.resume(thread, at)
        for reason in before if reasons else ():
            if reason not in reasons:
                self._add(thread, ClockEvent(at, K.RESUMED, reason=reason))

    def complete(self, thread: Thread, at: datetime) -> None:
        """Meet (or miss) the promise, if it is still open."""
        if self.is_unfinished(thread):
            self._add(thread, ClockEvent(at, K.COMPLETED))

    def reopen(self, thread: Thread, at: datetime) -> None:
        """Go on where a completed thread stood (R-SLA-09)."""
        if self.is_completed(thread):
            self._add(thread, ClockEvent(at, K.REOPENED))

    def reopen_cancelled(self, thread: Thread, at: datetime) -> None:
        """Go on where a cancelled thread stood: the request was not withdrawn after all."""
        if self._stand(thread) is K.CANCELLED:
            self._add(thread, ClockEvent(at, K.REOPENED))

    def cancel(self, thread: Thread, at: datetime) -> None:
        """Drop the promise, if it is still open."""
        if self.is_unfinished(thread):
            self._add(thread, ClockEvent(at, K.CANCELLED))

    def annul(self, thread: Thread, at: datetime) -> None:
        """Drop a thread even if it came to its end: it starts anew, if at all (R-SLA-09)."""
        if self.is_unfinished(thread) or self.is_completed(thread):
            self._add(thread, ClockEvent(at, K.CANCELLED))

    def instants(self) -> list[datetime]:
        """When each thread was touched last."""
        return [history[-1].at for history in self.histories.values()]

    def recount_from(self, thread: Thread, at: datetime) -> None:
        """Let a thread have started at an earlier instant, on its first promise (R-REQ-13).

        The start recorded first stays in the history; the fold takes the earliest (R-SLA-02).
        """
        history = self.histories.get(thread, [])
        first = next((event for event in history if event.kind is K.STARTED), None)
        if first is not None and at < first.at:
            self._add(thread, replace(first, at=at))

    def complete_earlier(self, thread: Thread, at: datetime) -> None:
        """Record late that a thread was met at `at` already: the first completion counts."""
        if self._stand(thread) in _BEGINS | {K.COMPLETED}:
            self._add(thread, ClockEvent(at, K.COMPLETED))

    def add(self, thread: Thread, event: ClockEvent) -> None:
        """Take over what is known to have happened."""
        self._add(thread, event)

    def take_added(self) -> list[dict[str, Any]]:
        """What was added since the last call, as an event's payload keeps it."""
        payload = [as_payload(thread, event) for thread, event in self.added]
        self.added.clear()
        return payload

    def _add(self, thread: Thread, event: ClockEvent) -> None:
        self._keep(thread, event)
        self.touched.add(thread)

    def _keep(self, thread: Thread, event: ClockEvent) -> None:
        history = self.histories.setdefault(thread, [])
        after = max((each.sequence for each in history), default=-1) + 1
        numbered = replace(event, sequence=after, at=_last_if_done_last(history, event))
        history.append(numbered)
        history.sort(key=_place)
        self.added.append((thread, numbered))

    def _stand(self, thread: Thread) -> ClockEventKind | None:
        """What the thread did last; a start while it stands started changes nothing."""
        stand: ClockEventKind | None = None
        for event in self.histories.get(thread, ()):
            if event.kind in _ENDS or (event.kind is K.REOPENED and stand in _ENDS):
                stand = event.kind if stand is not None else None
            elif event.kind is K.STARTED and stand in (None, K.CANCELLED):
                stand = event.kind
        return stand

    def _last(self, thread: Thread, kinds: frozenset[ClockEventKind]) -> ClockEvent | None:
        history = self.histories.get(thread, ())
        return next((event for event in reversed(history) if event.kind in kinds), None)

    def _promise(self, thread: Thread) -> tuple[Target | None, Any]:
        last = self._last(thread, frozenset({K.STARTED, K.RETARGETED}))
        return (None, None) if last is None else (last.target, last.calendar)


def _place(event: ClockEvent) -> tuple[datetime, int, int]:
    """Where an event stands in its history: by time, at one instant by kind (R-SLA-02)."""
    return event.at, _AT_ONE_INSTANT[event.kind], event.sequence


def _last_if_done_last(history: Sequence[ClockEvent], event: ClockEvent) -> datetime:
    """When to say it happened: a moment later than what was done before it at the same instant.

    Else the fold would take a pause before the resumption it follows (R-SLA-02).
    """
    last = history[-1] if history else event
    overtakes = last.at == event.at and _AT_ONE_INSTANT[last.kind] > _AT_ONE_INSTANT[event.kind]
    return event.at + MOMENT if overtakes else event.at


def as_payload(thread: Thread, event: ClockEvent) -> dict[str, Any]:
    """A clock event as an event's payload keeps it."""
    payload: dict[str, Any] = {
        "thread": thread.value,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
    }
    if event.reason is not None:
        payload["reason"] = event.reason
    if event.target is not None and event.target.us is not None:
        payload["target_us"] = event.target.us
    if event.target is not None and event.target.days is not None:
        payload["target_days"] = str(event.target.days)
    if event.calendar is not None:
        payload["calendar"] = str(event.calendar)
    return payload


def from_payload(payload: Mapping[str, Any], sequence: int) -> tuple[Thread, ClockEvent]:
    """A clock event out of an event's payload."""
    target = None
    if "target_us" in payload:
        target = Target(us=int(payload["target_us"]))
    elif "target_days" in payload:
        target = Target(days=Decimal(payload["target_days"]))
    event = ClockEvent(
        datetime.fromisoformat(payload["at"]),
        K(payload["kind"]),
        reason=payload.get("reason"),
        target=target,
        calendar=UUID(payload["calendar"]) if "calendar" in payload else None,
        sequence=sequence,
    )
    return Thread(payload["thread"]), event


def histories_of(clock_events: Iterable[Mapping[str, Any]]) -> dict[Thread, list[ClockEvent]]:
    """The threads' histories out of a timeline's payloads, in its order."""
    histories: dict[Thread, list[ClockEvent]] = {}
    for sequence, each in enumerate(clock_events):
        thread, event = from_payload(each, sequence)
        histories.setdefault(thread, []).append(event)
    for history in histories.values():
        history.sort(key=_place)
    return histories


def settle(
    row: Clock | None,
    history: Sequence[ClockEvent],
    calendars: Mapping[UUID, CalendarInForce],
    *,
    request_id: UUID,
    thread: Thread,
    percents: Sequence[int],
    now: datetime,
) -> Clock:
    """Write into the row (a new one if there is none) what the history folds to at `now`.

    The alarm level starts anew with each version; a breach that the fold no longer finds is kept
    as overturned, its reason on the timeline only: another breach has one of its own (R-SLA-05)
    and warns again, by a version of its own.
    """
    walked = History(history, lambda key: calendars[_key(key)].working, until=None)
    value = as_of(walked.clock(), now)
    calendar = calendars[_key(value.calendar)]
    row = row or new_row(
        Clock, id=uuid4(), request_id=request_id, thread=thread, version=0, revision=0
    )
    if row.version != value.version + row.overturns:
        row.alarm_level = 0
    if row.breached_at is not None and value.breached_at is None:
        row.overturned_at = now
        row.overturns += 1
        row.alarm_level = _warned_of(row, percents)
        row.breach_reason = row.breach_reason_state = None
        row.breach_note = row.breach_reason_by = row.breach_reason_at = None
        row.breach_decided_by = row.breach_decided_at = None
    _write(row, value, calendar)
    write_waits(row, walked)
    row.next_alarm_at = _next_alarm_at(row, value, calendar.working, percents)
    return row


def _warned_of(row: Clock, percents: Sequence[int]) -> int:
    """The level before the breach that was warned of: that remains when the breach is undone."""
    warned = (each for each in percents if each < alarms.BREACH and each <= row.alarm_level)
    return max(warned, default=0)


def is_promised(history: Iterable[ClockEvent]) -> bool:
    """Whether anything was ever promised for a thread; else it has no clock to be stored."""
    return any(event.target is not None for event in history)


def is_asleep(row: Clock) -> bool:
    """Whether a clock counts and warns of nothing although levels are left: it was imported.

    Whatever recomputes many clocks leaves it so, that the past raises no alarms (R-IMP-01);
    whoever works on the request wakes it.
    """
    return row.base_us is not None and row.next_alarm_at is None and row.alarm_level < alarms.BREACH


def _key(calendar: object) -> UUID:
    assert isinstance(calendar, UUID)
    return calendar


def _write(row: Clock, value: ClockValue, calendar: CalendarInForce) -> None:
    row.revision += 1
    row.thread_no = row.thread.number
    row.version = value.version + row.overturns
    row.state = value.state
    row.calendar_version_id = calendar.version_id
    if value.target is not None:
        row.target_us = value.target.us
        row.target_days = None if value.target.days is None else Decimal(str(value.target.days))
    row.started_at = value.started_at
    row.deadline = value.deadline
    row.base_us = value.base_us
    row.deadline_us = value.deadline_us
    row.elapsed_us = value.elapsed_us
    row.remaining_us = value.remaining_us
    row.paused_since = value.paused_since
    row.pause_reasons = list(value.pause_reasons)
    row.completed_at = value.completed_at
    row.breached_at = value.breached_at
    row.provisional = value.provisional


def write_waits(row: Clock, walked: History) -> None:
    """Write how long the clock stood still, and for what."""
    waits = waits_of(walked)
    row.waited_us = dict(waits.ended_us)
    row.waiting_for = None if waits.reason is None else WaitingReason(waits.reason)
    row.waiting_since_us = waits.since_us


def _next_alarm_at(
    row: Clock, value: ClockValue, working: WorkingCalendar, percents: Sequence[int]
) -> datetime | None:
    if value.state not in (ClockState.RUNNING, ClockState.BREACHED):
        return None
    alarm = alarms.next_alarm(value, working, row.alarm_level, percents)
    return None if alarm is None else alarm.due_at
