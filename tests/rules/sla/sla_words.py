"""Short words for calendars, instants and clock events in tests of service time."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from itr.sla.calendars import CalendarDefinition, DatedException, Shift, Span
from itr.sla.clock import Clock, ClockEvent, Target, fold
from itr.sla.terms import ClockEventKind
from itr.sla.working_time import WorkingCalendar, calendar_of

SHARED = Path(__file__).resolve().parents[4] / "shared"
HOUR = 3_600_000_000
MINUTE = 60_000_000
WEEK = range(5)


def hours(number: float) -> int:
    """Microseconds."""
    return round(number * HOUR)


def weekly(*spans: tuple[str, str], days: range | tuple[int, ...] = WEEK) -> tuple[Shift, ...]:
    """The same spans on each of the days; Monday is 0."""
    return tuple(Shift(day, opens, closes) for day in days for opens, closes in spans)


def exception(day: str, *spans: tuple[str, str]) -> DatedException:
    return DatedException(date.fromisoformat(day), tuple(Span(*span) for span in spans))


CN = CalendarDefinition(
    "Asia/Shanghai", weekly(("09:00", "12:00"), ("13:30", "18:00")), country_holidays="CN"
)
NINE_TO_FIVE = CalendarDefinition("UTC", weekly(("09:00", "17:00")))
ALWAYS = CalendarDefinition("UTC", always_open=True)

cn: WorkingCalendar = calendar_of(CN)


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    """Wall-clock time in a zone, `2026-02-13 17:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def utc(text: str) -> datetime:
    return at(text, "UTC")


def event(kind: str, when: datetime, **facts: object) -> ClockEvent:
    return ClockEvent(when, ClockEventKind(kind), **facts)  # type: ignore[arg-type]


def started(when: datetime, target: float | Target | None = 8, **facts: object) -> ClockEvent:
    """A start; the target in hours unless it is one."""
    return event("STARTED", when, target=target_of(target), **facts)


def retargeted(when: datetime, target: float | Target | None, **facts: object) -> ClockEvent:
    return event("RETARGETED", when, target=target_of(target), **facts)


def paused(when: datetime, reason: str = "CUSTOMER") -> ClockEvent:
    return event("PAUSED", when, reason=reason)


def resumed(when: datetime) -> ClockEvent:
    return event("RESUMED", when)


def completed(when: datetime) -> ClockEvent:
    return event("COMPLETED", when)


def reopened(when: datetime) -> ClockEvent:
    return event("REOPENED", when)


def cancelled(when: datetime) -> ClockEvent:
    return event("CANCELLED", when)


def target_of(target: float | Target | None) -> Target | None:
    if target is None or isinstance(target, Target):
        return target
    return Target(us=hours(target))


def clock_of(
    *events: ClockEvent, calendar: CalendarDefinition = CN, now: datetime | None = None
) -> Clock:
    """The fold of events under one calendar."""
    return fold(events, lambda _: calendar_of(calendar), at=now)
