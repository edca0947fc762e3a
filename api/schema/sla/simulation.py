"""Trying out calendars and clocks: inputs and answers; nothing is stored."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import strawberry

from api.prices import priced
from api.schema.sla.types import (
    AFTER_EXPLAINED,
    EXPLAIN_PRICE,
    FIRST_EXPLAINED,
    ClockInterval,
    explained_page,
    shown_intervals,
)
from api.schema.vocabulary import described
from api.working_out import worked_out
from itr.sla.calendars import CalendarDefinition, DatedException, Shift, Span
from itr.sla.simulation import Simulation
from itr.sla.terms import ClockEventKind, ClockState, WaitingReason


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


described(
    Weekday,
    "A day of the week. 星期",
    {
        Weekday.MONDAY: "Monday. 星期一",
        Weekday.TUESDAY: "Tuesday. 星期二",
        Weekday.WEDNESDAY: "Wednesday. 星期三",
        Weekday.THURSDAY: "Thursday. 星期四",
        Weekday.FRIDAY: "Friday. 星期五",
        Weekday.SATURDAY: "Saturday. 星期六",
        Weekday.SUNDAY: "Sunday. 星期日",
    },
)
described(
    ClockEventKind,
    "What may happen to a clock; at one instant they count in this order (R-SLA-02). 时钟事件",
    {
        ClockEventKind.STARTED: "It starts. 开始",
        ClockEventKind.REOPENED: "It goes on after completion. 重新打开",
        ClockEventKind.RETARGETED: "It gets another target. 变更目标",
        ClockEventKind.PAUSED: "It stops counting for a reason. 暂停",
        ClockEventKind.RESUMED: "It counts again. 恢复",
        ClockEventKind.COMPLETED: "It comes to its end. 完成",
        ClockEventKind.CANCELLED: "It is dropped. 取消",
    },
)


@strawberry.input(description="Open hours of one weekday; several a day are several shifts.")
class ShiftInput:
    """Open hours of one weekday."""

    weekday: Weekday = strawberry.field(description="The day it starts on.")
    opens: str = strawberry.field(description="When it opens, e.g. 09:00.")
    closes: str = strawberry.field(
        description="When it closes, up to 24:00; at or before `opens` is over midnight."
    )


@strawberry.input(description="Open hours of one date.")
class SpanInput:
    """Open hours of one date."""

    opens: str = strawberry.field(description="When it opens, e.g. 09:00.")
    closes: str = strawberry.field(description="When it closes, up to 24:00.")


@strawberry.input(description="A date that differs from its weekday: a holiday or make-up day.")
class CalendarExceptionInput:
    """A date that differs from its weekday."""

    on: date = strawberry.field(name="date", description="Which date.")
    shifts: list[SpanInput] = strawberry.field(description="Its hours; empty is closed all day.")


@strawberry.input(description="A working calendar (R-CAL-01).")
class WorkingCalendarInput:
    """A working calendar."""

    time_zone: str = strawberry.field(description="IANA name, e.g. Asia/Shanghai.")
    shifts: list[ShiftInput] = strawberry.field(description="The weekly shifts.")
    exceptions: list[CalendarExceptionInput] | None = strawberry.field(
        default=None, description="Dates that differ."
    )
    country_holidays: str | None = strawberry.field(
        default=None,
        description="Country or part of one whose public holidays count: ISO 3166-1 or 3166-2, e.g."
        " CN, GB-ENG (R-CAL-03).",
    )
    always_open: bool | None = strawberry.field(
        default=None, description="Count every hour; nothing else plays a part."
    )
    make_up_days: bool | None = strawberry.field(
        default=None,
        description="Whether weekends that make up for holidays are worked; they are if left out.",
    )


@strawberry.input(description="Something that happened to a clock.")
class ClockEventInput:
    """Something that happened to a clock."""

    at: datetime = strawberry.field(description="When.")
    kind: ClockEventKind = strawberry.field(description="What.")
    reason: WaitingReason | None = strawberry.field(
        default=None, description="Why it paused; which reason ends when it is RESUMED, null: all."
    )
    target: timedelta | None = strawberry.field(
        default=None, description="The new target; RETARGETED needs one."
    )


@strawberry.input(description="A clock to try out.")
class SimulateClockInput:
    """A clock to try out."""

    calendar: WorkingCalendarInput = strawberry.field(description="The calendar it counts by.")
    target: timedelta = strawberry.field(description="Its target in working time.")
    events: list[ClockEventInput] = strawberry.field(description="What happens, in any order.")
    alarm_percents: list[int] | None = strawberry.field(
        default=None, description="Alarm levels; 50, 75, 90, 100 if left out."
    )
    at: datetime = strawberry.field(description="As of when; later events are ignored.")


@strawberry.type(description="Working time between two instants, or the instant after so much.")
class WorkingTime:
    """Working time between two instants, or the instant after so much of it."""

    elapsed: timedelta | None = strawberry.field(
        description="With `end`: working time up to it; negative if `end` is before `start`."
    )
    at: datetime | None = strawberry.field(
        description="With `duration`: the instant that much working time later."
    )
    provisional: bool = strawberry.field(
        description="Whether the answer lies in a year whose holidays are not published."
    )
    holiday_subdivisions: list[str] = strawberry.field(
        default_factory=list,
        description="Where the calendar names a country alone, the parts of it (ISO 3166-2) that"
        " have holidays of their own, which did not count.",
    )


@strawberry.type(description="An alarm of a clock that was tried out.")
class SimulatedAlarm:
    """An alarm of a clock that was tried out."""

    percent: int = strawberry.field(description="Its level.")
    at: datetime | None = strawberry.field(
        description="Its point; null while paused or cancelled and not fired."
    )
    fired: bool = strawberry.field(description="Whether it has fired; 100 after the deadline.")


@strawberry.type(description="A clock that was tried out, as of the instant asked for.")
class SimulatedClock:
    """A clock that was tried out."""

    state: ClockState = strawberry.field(description="How it stands.")
    deadline: datetime | None = strawberry.field(
        description="When it is due; paused: as if resumed now."
    )
    elapsed: timedelta = strawberry.field(description="Working time counted.")
    remaining: timedelta | None = strawberry.field(description="Working time left.")
    next_alarm_at: datetime | None = strawberry.field(description="The next alarm; none paused.")
    alarms: list[SimulatedAlarm] = strawberry.field(description="All alarm levels.")
    simulation: strawberry.Private[Simulation]

    @strawberry.field(
        description="Every interval, and why, page by page.", metadata=priced(EXPLAIN_PRICE)
    )
    async def explain(
        self,
        first: Annotated[int | None, strawberry.argument(description=FIRST_EXPLAINED)] = None,
        after: Annotated[datetime | None, strawberry.argument(description=AFTER_EXPLAINED)] = None,
    ) -> list[ClockInterval]:
        """A page of the explanation (R-SLA-11)."""
        most = explained_page(first)
        found = await worked_out(lambda: self.simulation.explain(after=after, first=most))
        return shown_intervals(found)


_WEEKDAYS = list(Weekday)


def definition_of(given: WorkingCalendarInput) -> CalendarDefinition:
    """The calendar an input describes; what is wrong with it is found later."""
    return CalendarDefinition(
        time_zone=given.time_zone,
        shifts=tuple(
            Shift(_WEEKDAYS.index(each.weekday), each.opens, each.closes) for each in given.shifts
        ),
        exceptions=exceptions_of(given.exceptions or ()),
        country_holidays=given.country_holidays,
        make_up_days=given.make_up_days is not False,
        always_open=bool(given.always_open),
    )


def exceptions_of(given: Iterable[CalendarExceptionInput]) -> tuple[DatedException, ...]:
    """The dates an input makes different."""
    return tuple(
        DatedException(each.on, tuple(Span(span.opens, span.closes) for span in each.shifts))
        for each in given
    )
