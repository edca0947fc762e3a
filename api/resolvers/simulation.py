"""Trying out calendars and clocks: `workingTime` and `simulateClock`."""

from datetime import datetime, timedelta

import strawberry

from api.prices import Price, priced
from api.resolvers.permissions import may
from api.schema.sla.simulation import (
    ClockEventInput,
    SimulateClockInput,
    SimulatedAlarm,
    SimulatedClock,
    WorkingCalendarInput,
    WorkingTime,
    definition_of,
)
from api.working_out import worked_out
from itr.actors.roles import Permission
from itr.errors import InvalidInput
from itr.sla.calendars import CalendarDefinition
from itr.sla.clock import ClockEvent, Target
from itr.sla.previews import (
    MICROSECOND,
    preview_calendar,
    preview_clock,
    time_after,
    time_between,
)
from itr.sla.public_holidays import subdivisions_that_differ
from itr.sla.simulation import Simulation

_PRICE = Price(once=1_000, of_input=20)
"""A calendar of 48 shifts a day takes a second for a target far away: half of what one
operation may cost."""


@strawberry.type
class SimulationQuery:
    """Trying out calendars and clocks."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_CATALOGUE)],
        description="Working time of a calendar: up to `end`, or the instant after `duration`.",
        metadata=priced(_PRICE),
    )
    async def working_time(
        self,
        calendar: WorkingCalendarInput,
        start: datetime,
        end: datetime | None = None,
        duration: timedelta | None = None,
    ) -> WorkingTime:
        """A preview of a calendar (R-CAL-02)."""
        definition = definition_of(calendar)
        return await worked_out(lambda: _working_time(definition, start, end, duration))

    @strawberry.field(
        permission_classes=[may(Permission.READ_CATALOGUE)],
        description="Fold given events under a calendar and target: how the clock would stand.",
        metadata=priced(_PRICE),
    )
    async def simulate_clock(self, input: SimulateClockInput) -> SimulatedClock:
        """A clock tried out (R-SLA-02)."""
        definition = definition_of(input.calendar)
        events = [_event(each, index) for index, each in enumerate(input.events)]

        def simulated() -> Simulation:
            return preview_clock(
                preview_calendar(definition, "input"),
                input.target,
                events,
                percents=input.alarm_percents,
                at=input.at,
            )

        found = await worked_out(simulated)
        clock = found.clock
        remaining = clock.remaining_us
        return SimulatedClock(
            state=clock.state,
            deadline=clock.deadline,
            elapsed=clock.elapsed_us * MICROSECOND,
            remaining=None if remaining is None else remaining * MICROSECOND,
            next_alarm_at=found.next_alarm_at,
            alarms=[
                SimulatedAlarm(percent=each.percent, at=each.at, fired=each.fired)
                for each in found.alarms
            ],
            simulation=found,
        )


def _working_time(
    definition: CalendarDefinition,
    start: datetime,
    end: datetime | None,
    duration: timedelta | None,
) -> WorkingTime:
    """Up to `end`, or the instant after `duration`: one of them is given."""
    working = preview_calendar(definition)
    if (end is None) == (duration is None):
        raise InvalidInput(
            path=["end"],
            zh_reason="end 与 duration 必须且只能给出一个。",
            en_reason="Give exactly one of end and duration.",
        )

    def provisional(other: datetime) -> bool:
        return working.provisional(max(start, other))

    parts = list(subdivisions_that_differ(definition.country_holidays))
    if end is not None:
        elapsed = time_between(working, start, end)
        return WorkingTime(
            elapsed=elapsed, at=None, provisional=provisional(end), holiday_subdivisions=parts
        )
    assert duration is not None
    at = time_after(working, start, duration)
    return WorkingTime(elapsed=None, at=at, provisional=provisional(at), holiday_subdivisions=parts)


def _event(given: ClockEventInput, index: int) -> ClockEvent:
    return ClockEvent(
        given.at,
        given.kind,
        reason=given.reason,
        target=None if given.target is None else Target(us=given.target // MICROSECOND),
        sequence=index,
    )
