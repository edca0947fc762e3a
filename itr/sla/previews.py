"""Previews for people who try out a calendar or a target: strict about input, storing nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from itr.errors import DomainError, InvalidInput, Required, refuse
from itr.sla.alarms import PERCENTS
from itr.sla.calendar_errors import problems_of_calendar
from itr.sla.calendars import CalendarDefinition
from itr.sla.clock import ClockEvent, ClockNotStarted, Target
from itr.sla.simulation import Simulation, simulate
from itr.sla.terms import ClockEventKind
from itr.sla.working_time import BeyondCalendar, WorkingCalendar, calendar_of

MOST_EVENTS = 1_000
MOST_LEVELS = 10
MICROSECOND = timedelta(microseconds=1)


class OutOfRange(DomainError):
    """An instant outside the years that are computed."""

    code = "DATE_OUT_OF_RANGE"
    zh = "时间超出可计算的范围（1900 年至 2199 年）。"
    en = "The instant lies outside the years 1900 to 2199."


class NotPositive(DomainError):
    """A target of nothing or less."""

    code = "NOT_POSITIVE"
    zh = "目标须为正值。"
    en = "A target is positive."


class NeverStarted(DomainError):
    """A clock without a start by then."""

    code = "NOT_STARTED"
    zh = "到该时刻时钟尚未开始：需要 STARTED 事件。"
    en = "The clock has not started by then: it needs a STARTED event."


def preview_calendar(definition: CalendarDefinition, *within: str) -> WorkingCalendar:
    """The calendar made ready, or everything that is wrong with it, under `calendar`."""
    problems = problems_of_calendar(definition)
    for problem in problems:
        problem.path = (*within, "calendar", *problem.path)
    refuse(problems)
    return calendar_of(definition)


def time_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> timedelta:
    """Working time from `start` to `end`; negative when `end` is earlier. Raises OutOfRange."""
    try:
        return calendar.elapsed(start, end) * MICROSECOND
    except BeyondCalendar:
        raise OutOfRange(path=["end"]) from None


def time_after(calendar: WorkingCalendar, start: datetime, amount: timedelta) -> datetime:
    """The instant so much working time after `start`. Raises OutOfRange."""
    try:
        return calendar.add(start, amount // MICROSECOND)
    except BeyondCalendar:
        raise OutOfRange(path=["duration"]) from None


def preview_clock(
    calendar: WorkingCalendar,
    target: timedelta,
    events: Sequence[ClockEvent],
    *,
    percents: Sequence[int] | None,
    at: datetime,
) -> Simulation:
    """Fold the events as of `at` (R-SLA-02). STARTED takes `target` unless it has its own."""
    refuse(_problems(target, events, percents))
    whole = Target(us=target // MICROSECOND)
    given = [_with_target(event, whole) for event in events]
    try:
        return simulate(given, calendar, at=at, percents=tuple(percents or PERCENTS))
    except ClockNotStarted:
        raise NeverStarted(path=["input", "events"]) from None
    except BeyondCalendar:
        raise OutOfRange(path=["input", "at"]) from None


def _with_target(event: ClockEvent, target: Target) -> ClockEvent:
    if event.kind is not ClockEventKind.STARTED:
        return event
    return ClockEvent(event.at, event.kind, target=event.target or target, sequence=event.sequence)


def _problems(
    target: timedelta, events: Sequence[ClockEvent], percents: Sequence[int] | None
) -> Iterable[DomainError]:
    if target <= timedelta(0):
        yield NotPositive(path=["input", "target"])
    if len(events) > MOST_EVENTS:
        yield InvalidInput(
            path=["input", "events"],
            zh_reason=f"最多 {MOST_EVENTS} 个事件。",
            en_reason=f"At most {MOST_EVENTS} events.",
        )
    for index, event in enumerate(events):
        yield from _problems_of_event(index, event)
    if percents is not None and not _are_levels(percents):
        yield InvalidInput(
            path=["input", "alarmPercents"],
            zh_reason=f"告警级别须从小到大、在 1 到 100 之间、最多 {MOST_LEVELS} 级。",
            en_reason=f"Alarm levels rise between 1 and 100; at most {MOST_LEVELS}.",
        )


def _problems_of_event(index: int, event: ClockEvent) -> Iterable[DomainError]:
    path = ("input", "events", index)
    if event.kind is ClockEventKind.RETARGETED and event.target is None:
        yield Required(path=[*path, "target"])
    if event.target is not None and (event.target.us or 0) <= 0:
        yield NotPositive(path=[*path, "target"])
    if event.kind is ClockEventKind.PAUSED and event.reason is None:
        yield Required(path=[*path, "reason"])


def _are_levels(percents: Sequence[int]) -> bool:
    rising = list(percents) == sorted(set(percents))
    return rising and 0 < len(percents) <= MOST_LEVELS and percents[0] >= 1 and percents[-1] <= 100
