"""Working calendars as the API shows them: as they are, and as every version was (R-CAL-01)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, many, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.sla.simulation import Weekday
from itr.actors.roles import Permission
from itr.sight.catalogue import visible_calendar_versions, visible_calendars
from itr.sla.calendars import CalendarDefinition
from itr.sla.public_holidays import subdivisions_that_differ

_WEEKDAYS = list(Weekday)


@strawberry.type(description="Open hours of one weekday (R-CAL-01). 班次")
class Shift:
    """Open hours of one weekday."""

    weekday: Weekday = strawberry.field(description="The day it starts on.")
    opens: str = strawberry.field(description="When it opens, e.g. 09:00.")
    closes: str = strawberry.field(
        description="When it closes; at or before `opens` is over midnight."
    )


@strawberry.type(description="Open hours of one date. 开放时段")
class OpenHours:
    """Open hours of one date."""

    opens: str = strawberry.field(description="When it opens, e.g. 09:00.")
    closes: str = strawberry.field(description="When it closes, up to 24:00.")


@strawberry.type(description="A date that differs from its weekday. 例外日期")
class CalendarException:
    """A date that differs from its weekday."""

    on: date = strawberry.field(name="date", description="Which date.")
    shifts: list[OpenHours] = strawberry.field(description="Its hours; empty is closed all day.")


Read = Callable[[Mapping[str, Any], Any], Any]


def _read(answer: Callable[[CalendarDefinition], Any]) -> Read:
    """What a calendar's definition says of one thing."""
    return lambda values, _context: answer(CalendarDefinition.from_json(values["definition"]))


def _shifts(definition: CalendarDefinition) -> list[Shift]:
    return [
        Shift(weekday=_WEEKDAYS[each.weekday], opens=each.opens, closes=each.closes)
        for each in definition.shifts
    ]


def _exceptions(definition: CalendarDefinition) -> list[CalendarException]:
    return [
        CalendarException(
            on=each.date,
            shifts=[OpenHours(opens=span.opens, closes=span.closes) for span in each.spans],
        )
        for each in sorted(definition.exceptions, key=lambda each: each.date)
    ]


def _parts(definition: CalendarDefinition) -> list[str]:
    return list(subdivisions_that_differ(definition.country_holidays))


def _said(answer: Callable[[CalendarDefinition], Any], description: str) -> Any:
    return computed(["definition"], _read(answer), description=description)


_SHIFTS = "Its weekly shifts."
_EXCEPTIONS = "Dates that differ, in their order."
_COUNTRY = "Country or part of one whose public holidays count, e.g. CN, GB-ENG (R-CAL-03)."
_PARTS = (
    "Where it names a country alone, the parts of it (ISO 3166-2) that have holidays of their own:"
    " the days off there do not count. Empty for a part, and where they are the same everywhere."
)
_MAKE_UP = "Whether weekends that make up for holidays are worked (R-CAL-03)."


@stored(
    table="calendar_version",
    key="cav",
    visible=visible_calendar_versions,
    permission=Permission.READ_CATALOGUE,
    order="number",
)
@strawberry.type(description="What a calendar said from some edit on. 日历版本")
class CalendarVersion(Node):
    """What a calendar said from some edit on; never changed (R-SLA-10)."""

    id: strawberry.ID = public_id()
    calendar: Annotated["Calendar", strawberry.lazy("api.schema.sla.calendars")] | None = one(
        "calendar_id", description="Of which calendar."
    )
    number: int = column(description="Which version, from 1.")
    time_zone: str = column(description="IANA name of its time zone.")
    always_open: bool = column(description="Whether it counts every hour.")
    shifts: list[Shift] = _said(_shifts, _SHIFTS)
    exceptions: list[CalendarException] = _said(_exceptions, _EXCEPTIONS)
    country_holidays: str | None = _said(lambda it: it.country_holidays, _COUNTRY)
    holiday_subdivisions: list[str] = _said(_parts, _PARTS)
    make_up_days: bool = _said(lambda it: it.make_up_days, _MAKE_UP)
    created_at: datetime = column(description="Since when.")


@stored(
    table="(select c.id, c.name, v.number, v.time_zone, v.always_open, v.definition, v.created_at"
    " from calendar c join lateral (select * from calendar_version n where n.calendar_id = c.id"
    " order by n.number desc limit 1) v on true where c.base_id is null)",
    key="cal",
    visible=visible_calendars,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="A working calendar as its newest version says. 工作日历")
class Calendar(Node):
    """A working calendar as its newest version says (R-CAL-01)."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    number: int = column(description="Its version; give it as `expectedVersion`.")
    time_zone: str = column(description="IANA name of its time zone.")
    always_open: bool = column(description="Whether it counts every hour.")
    shifts: list[Shift] = _said(_shifts, _SHIFTS)
    exceptions: list[CalendarException] = _said(_exceptions, _EXCEPTIONS)
    country_holidays: str | None = _said(lambda it: it.country_holidays, _COUNTRY)
    holiday_subdivisions: list[str] = _said(_parts, _PARTS)
    make_up_days: bool = _said(lambda it: it.make_up_days, _MAKE_UP)
    clocks_to_recompute: int | None = sql(
        "(select count(*)::int from clock k where k.completed_at is null"
        " and k.state <> 'CANCELLED' and k.calendar_version_id = any(array("
        "select o.id from calendar_version o join calendar c on c.id = o.calendar_id"
        " where (c.id = {t}.id or c.base_id = {t}.id) and exists (select 1 from calendar_version n"
        " where n.calendar_id = o.calendar_id and n.number > o.number))))",
        permission=Permission.READ_INTERNAL,
        description="Open clocks still counted by an older version: after an edit they are"
        " recomputed in batches, and this falls to zero (R-SLA-10).",
    )
    created_at: datetime = column(description="Since when it says this.")
    versions: list[CalendarVersion] = many(
        "calendar_id", order="number", description="All versions, oldest first."
    )


@filter_for(Calendar)
class CalendarFilter:
    """Only calendars for which all of this holds."""


@order_for(Calendar)
class CalendarOrder:
    """What to sort calendars by, and which way."""


@connection_of(Calendar)
class CalendarConnection:
    """A page of calendars."""
