"""Trying out calendars and clocks: `workingTime` and `simulateClock`."""

from datetime import datetime, timedelta

import strawberry

from api.resolvers.calendars import definition_of
from api.resolvers.permissions import may
from api.schema.simulation import (
    ClockEventInput,
    SimulateClockInput,
    SimulatedAlarm,
    SimulatedClock,
    WorkingCalendarInput,
    WorkingTime,
)
from api.schema.sla import ClockInterval
from itr.errors import InvalidInput
from itr.people.roles import Permission
from itr.sla.clock import ClockEvent, Target
from itr.sla.previews import (
    MICROSECOND,
    preview_calendar,
    preview_clock,
    time_after,
    time_between,
)
from itr.sla.public_holidays import subdivisions_that_differ


@strawberry.type
class SimulationQuery:
    """Trying out calendars and clocks."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_CATALOGUE)],
        description="Working time of a calendar: up to `end`, or the instant after `duration`.",
    )
    def working_time(
        self,
        calendar: WorkingCalendarInput,
        start: datetime,
        end: datetime | None = None,
        duration: timedelta | None = None,
    ) -> WorkingTime:
        """A preview of a calendar (R-CAL-02)."""
        working = preview_calendar(definition_of(calendar))
        if (end is None) == (duration is None):
            raise InvalidInput(
                path=["end"],
                zh_reason="end 与 duration 必须且只能给出一个。",
                en_reason="Give exactly one of end and duration.",
            )

        parts = list(subdivisions_that_differ(calendar.country_holidays))

        def provisional(other: datetime) -> bool:
            return working.provisional(max(start, other))

        if end is not None:
            elapsed = time_between(working, start, end)
            return WorkingTime(
                elapsed=elapsed, at=None, provisional=provisional(end), holiday_subdivisions=parts
            )
        assert duration is not None
        at = time_after(working, start, duration)
        return WorkingTime(
            elapsed=None, at=at, provisional=provisional(at), holiday_subdivisions=parts
        )

    @strawberry.field(
        permission_classes=[may(Permission.READ_CATALOGUE)],
        description="Fold given events under a calendar and target: how the clock would stand.",
    )
    def simulate_clock(self, input: SimulateClockInput) -> SimulatedClock:
        """A clock tried out (R-SLA-02)."""
        working = preview_calendar(definition_of(input.calendar))
        events = [_event(each, index) for index, each in enumerate(input.events)]
        found = preview_clock(
            working, input.target, events, percents=input.alarm_percents, at=input.at
        )
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
            explain=[
                ClockInterval(
                    from_=each.start, to=each.end, counted=each.counted, reason=each.reason
                )
                for each in found.explain
            ],
        )


def _event(given: ClockEventInput, index: int) -> ClockEvent:
    return ClockEvent(
        given.at,
        given.kind,
        reason=given.reason,
        target=None if given.target is None else Target(us=given.target // MICROSECOND),
        sequence=index,
    )
