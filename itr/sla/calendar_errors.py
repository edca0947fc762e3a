"""What is wrong with a calendar, said to the person who wants to keep it (R-CAL-02)."""

from collections import Counter
from collections.abc import Iterator

from itr.errors import DomainError
from itr.sla.calendars import CalendarDefinition
from itr.sla.public_holidays import subdivisions_that_differ


class UnknownTimeZone(DomainError):
    """The time zone database has no such zone."""

    code = "UNKNOWN_TIME_ZONE"
    zh = "未知的时区。"
    en = "There is no such time zone."


class BadWeekday(DomainError):
    """A week has seven days."""

    code = "BAD_WEEKDAY"
    zh = "星期无效。"
    en = "There is no such day of the week."


class BadTime(DomainError):
    """Times of a shift are written as on a clock."""

    code = "BAD_TIME"
    zh = "时间无效：请写作 HH:MM，例如 09:00；24:00 只能作为结束时间。"
    en = "Write the time as HH:MM, for example 09:00; 24:00 only closes."


class DuplicateDate(DomainError):
    """A date has one exception."""

    code = "DUPLICATE_DATE"
    zh = "该日期已有例外安排。"
    en = "This date has an exception already."


class DateOutOfRange(DomainError):
    """A date no clock will ever reach."""

    code = "DATE_OUT_OF_RANGE"
    zh = "日期超出范围（1900 年至 2199 年）。"
    en = "The date lies outside the years 1900 to 2199."


class UnknownCountry(DomainError):
    """The library of public holidays does not know the country."""

    code = "UNKNOWN_COUNTRY"
    zh = "没有该国家或地区的公共假日数据。"
    en = "There are no public holidays for this country."


class UnknownSubdivision(DomainError):
    """The library of public holidays does not know this part of the country."""

    code = "UNKNOWN_SUBDIVISION"
    zh = "该国家或地区没有这个行政区划（ISO 3166-2），可用：{known}。"
    en = "The country has no such subdivision (ISO 3166-2); there are: {known}."


class NoWorkingTime(DomainError):
    """A clock on such a calendar would never come to its end."""

    code = "NO_WORKING_TIME"
    zh = "日历没有任何工作时间。"
    en = "The calendar has no working time."


class OverlappingShifts(DomainError):
    """An hour would count twice."""

    code = "OVERLAPPING_SHIFTS"
    zh = "班次时间重叠。"
    en = "Shifts overlap."


class TooManyShifts(DomainError):
    """More spans of one day than anybody works, and more than is to be computed for years."""

    code = "TOO_MANY_SHIFTS"
    zh = "每天最多 {most} 个班次，例外日期最多 {days} 个。"
    en = "A day has at most {most} shifts, a calendar at most {days} exceptions."


class BadCalendar(DomainError):
    """Anything else the arithmetic cannot work with."""

    code = "BAD_CALENDAR"
    zh = "日历无效。"
    en = "The calendar is not valid."


_BY_CODE: dict[str, type[DomainError]] = {
    error.code: error
    for error in (
        UnknownTimeZone,
        BadWeekday,
        BadTime,
        DuplicateDate,
        DateOutOfRange,
        UnknownCountry,
        UnknownSubdivision,
        NoWorkingTime,
        OverlappingShifts,
    )
}


MOST_SHIFTS = 48
"""Of one day: one every half hour."""
MOST_EXCEPTIONS = 5_000


def problems_of_calendar(definition: CalendarDefinition) -> list[DomainError]:
    """What keeps a calendar from being saved or tried out, each with its code and path."""
    return list(_crowds(definition)) or [
        _BY_CODE.get(problem.code, BadCalendar)(path=problem.path, known=_parts_of(definition))
        for problem in definition.problems()
    ]


def _parts_of(definition: CalendarDefinition) -> str:
    country = (definition.country_holidays or "").partition("-")[0]
    return ", ".join(subdivisions_that_differ(country)) or "–"


def _crowds(definition: CalendarDefinition) -> Iterator[DomainError]:
    """Where there is more than can be computed while others wait (R-CAL-02)."""
    told = {"most": MOST_SHIFTS, "days": MOST_EXCEPTIONS}
    by_weekday = Counter(shift.weekday for shift in definition.shifts)
    if max(by_weekday.values(), default=0) > MOST_SHIFTS:
        yield TooManyShifts(path=["shifts"], **told)
    if len(definition.exceptions) > MOST_EXCEPTIONS:
        yield TooManyShifts(path=["exceptions"], **told)
    for index, exception in enumerate(definition.exceptions):
        if len(exception.spans) > MOST_SHIFTS:
            yield TooManyShifts(path=["exceptions", index, "shifts"], **told)
