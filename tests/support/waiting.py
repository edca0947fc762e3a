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
    """Working microseconds by reason until `now`, of a clock that always has a target."""
    ordered = sorted(events, key=lambda it: (it.at, _ORDER.index(it.kind), it.sequence))
    begun = next(place for place, it in enumerate(ordered) if it.kind is Kind.STARTED)
    found: dict[str, int] = {}
    state, reason, since = "RUNNING", "", now
    for event in [*ordered[begun + 1 :], ClockEvent(now, Kind.RESUMED)]:
        if state == "PAUSED" and event.kind in (
            Kind.PAUSED, Kind.RESUMED, Kind.COMPLETED, Kind.CANCELLED,
        ):  # fmt: skip
            found[reason] = found.get(reason, 0) + calendar.elapsed(since, event.at)
        if event.kind is Kind.STARTED and state == "CANCELLED":
            state, found = "RUNNING", {}
        elif event.kind is Kind.REOPENED and state == "COMPLETED":
            state = "RUNNING"
        elif state in ("RUNNING", "PAUSED"):
            if event.kind is Kind.PAUSED:
                state, reason, since = "PAUSED", event.reason or "", event.at
            elif event.kind is Kind.RESUMED:
                state = "RUNNING"
        if event.kind is Kind.COMPLETED and state in ("RUNNING", "PAUSED"):
            state = "COMPLETED"
        if event.kind is Kind.CANCELLED:
            state = "CANCELLED"
    return {each: us for each, us in found.items() if us}
