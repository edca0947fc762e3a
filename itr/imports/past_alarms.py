"""The alarms a replayed clock would have raised, as facts of the past (R-IMP-01, R-ALM-02)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import SYSTEM
from itr.events.log import Audience, Fact
from itr.requests.ticket_work import TicketWork
from itr.sla.alarms import Alarm, alarm_points
from itr.sla.clock import Clock as ClockValue
from itr.sla.clock import ClockEvent
from itr.sla.clock_history import History, place_in_time
from itr.sla.clocks import is_promised
from itr.sla.models import Clock
from itr.sla.terms import ClockEventKind, Thread

RAISING = frozenset({ClockEventKind.STARTED, ClockEventKind.RETARGETED, ClockEventKind.REOPENED})
"""What raises a clock's version, and so lets each level fire once more."""


def raise_past_alarms(work: TicketWork, since: datetime | None = None) -> list[Fact]:
    """The facts of the alarms; gives the clocks in hand their rows, with the level they reached.

    With `since`, those due by then are told already.
    """
    facts: list[Fact] = []
    for thread, history in work.book.histories.items():
        if not is_promised(history):
            continue
        row = work.clocks.get(thread) or Clock(
            id=uuid4(), request_id=work.request.id, thread=thread, version=0, revision=0
        )
        number = row.revision
        for clock, fired in past_versions(work, history):
            row.version = clock.version
            row.alarm_level = max((alarm.percent for alarm in fired), default=0)
            for alarm in fired:
                if since is None or (alarm.due_at is not None and alarm.due_at > since):
                    number += 1
                    facts.append(_fact(work, thread, row.id, clock, alarm, number))
        row.revision = number
        work.clocks[thread] = row
    return facts


def past_versions(
    work: TicketWork, history: Sequence[ClockEvent]
) -> Iterator[tuple[ClockValue, list[Alarm]]]:
    """Each version of a clock with the alarms that were due before the next one began."""
    ordered = sorted(history, key=place_in_time)
    begins = [index for index, event in enumerate(ordered) if event.kind in RAISING]
    for begin, end in zip(begins, [*begins[1:], len(ordered)], strict=True):
        last = end == len(ordered)
        until = work.now if last else ordered[end].at
        if not last and until == ordered[begin].at:
            continue
        clock = _fold(work, ordered[:end], until)
        if not _may_have_warned(clock, min(work.terms.percents)):
            yield clock, []
            continue
        calendar = work.calendars[_calendar_id(clock)].working
        points = alarm_points(clock, calendar, work.terms.percents)
        yield clock, [point for point in points if _was_due(point, until)]


def _fold(work: TicketWork, events: Sequence[ClockEvent], until: datetime) -> ClockValue:
    calendars = work.calendars
    return History(events, lambda key: calendars[key].working, until=until).clock()  # type: ignore[index]


def _may_have_warned(clock: ClockValue, percent: int) -> bool:
    """Whether it has spent what its first level warns of; most never do."""
    target = clock.target
    if target is None or target.amount == 0:
        return True
    if target.us is not None:
        return clock.elapsed_us * 100 >= target.us * percent
    return clock.remaining_days is None or (
        (target.amount - clock.remaining_days) * 100 >= target.amount * percent
    )


def _calendar_id(clock: ClockValue) -> UUID:
    assert isinstance(clock.calendar, UUID)
    return clock.calendar


def _was_due(point: Alarm, until: datetime) -> bool:
    return point.due_at is not None and point.due_at <= until


def _fact(
    work: TicketWork, thread: Thread, clock_id: UUID, clock: ClockValue, alarm: Alarm, number: int
) -> Fact:
    """As the worker would have told it, but nobody is notified of what is past."""
    assert alarm.due_at is not None
    request = work.request
    return Fact(
        type="ClockAlarmRaised",
        subject_type="clock",
        subject=clock_id,
        subject_version=number,
        stream=request.id,
        by=SYSTEM,
        occurred_at=alarm.due_at,
        audience=Audience.INTERNAL,
        customer_id=request.customer_id,
        branch_id=request.branch_id,
        historic=True,
        payload={
            "thread": thread.value,
            "percent": alarm.percent,
            "version": clock.version,
            "dueAt": alarm.due_at.isoformat(),
            "late": False,
            "notifies": False,
            "deadline": clock.deadline.isoformat() if clock.deadline else None,
        },
    )
