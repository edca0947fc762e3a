"""What a clock waited for, found the slow way: one event after the other, one stay at a time."""

from collections.abc import Iterable
from datetime import datetime

from itr.sla.clock import ClockEvent
from itr.sla.terms import ClockEventKind as Kind
from itr.sla.working_time import WorkingCalendar

_ORDER = list(Kind)


def waited(
    events: Iterable[ClockEvent], calendar: WorkingCalendar, now: datetime
) -> dict[str, int]:
    """Working microseconds by reason until `now`, of a clock that always has a target.

    Of several reasons open at once the one told last has the time.
    """
    ordered = sorted(events, key=lambda it: (it.at, _ORDER.index(it.kind), it.sequence))
    begun = next(place for place, it in enumerate(ordered) if it.kind is Kind.STARTED)
    found: dict[str, int] = {}
    state, since = "RUNNING", now
    reasons: list[str] = []
    for event in [*ordered[begun + 1 :], ClockEvent(now, Kind.RESUMED)]:
        if state == "PAUSED" and event.kind in (
            Kind.PAUSED, Kind.RESUMED, Kind.COMPLETED, Kind.CANCELLED,
        ):  # fmt: skip
            found[reasons[-1]] = found.get(reasons[-1], 0) + calendar.elapsed(since, event.at)
            since = event.at
        if event.kind is Kind.STARTED and state == "CANCELLED":
            state, found = "RUNNING", {}
        elif event.kind is Kind.REOPENED and state in ("COMPLETED", "CANCELLED"):
            state = "RUNNING"
        elif state in ("RUNNING", "PAUSED"):
            others = [each for each in reasons if each != event.reason]
            if event.kind is Kind.PAUSED:
                state, since = "PAUSED", event.at
                reasons = [*others, event.reason or ""]
            elif event.kind is Kind.RESUMED:
                reasons = others if event.reason else []
                state = "PAUSED" if reasons else "RUNNING"
        if event.kind is Kind.COMPLETED and state in ("RUNNING", "PAUSED"):
            state, reasons = "COMPLETED", []
        if event.kind is Kind.CANCELLED:
            state, reasons = "CANCELLED", []
    return {each: us for each, us in found.items() if us}
