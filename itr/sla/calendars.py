"""What a working calendar says, and what is wrong with it when it cannot be kept (R-CAL-01, 02)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from itr.sla.public_holidays import public_holidays, supported_countries, unknown_subdivision
from itr.time_zones import is_time_zone

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
FIRST_YEAR = 1900
LAST_YEAR = 2199
DAY = 24 * 60
"""Minutes of a wall-clock day; spans are kept in minutes from the midnight their day begins at."""

Minutes = tuple[int, int]
Path = tuple[str | int, ...]

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


@dataclass(frozen=True, slots=True)
class Span:
    """Open hours of one day in wall-clock time, `"09:00"` to `"24:00"`.

    `closes` at or before `opens` is over midnight; the span belongs to the day it starts.
    """

    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A span of every week; `weekday` 0 is Monday."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class DatedException:
    """The spans that replace a date's own; none: closed all day."""

    date: date
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarProblem:
    """Why a calendar is refused: a stable code and where, e.g. `("shifts", 2, "opens")`."""

    code: str
    path: Path


class InvalidCalendar(ValueError):
    """A definition with problems was to be computed with."""

    def __init__(self, problems: tuple[CalendarProblem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.code} at {problem.path}" for problem in problems[:5]))


@dataclass(frozen=True, slots=True)
class CalendarDefinition:
    """A time zone, shifts, dated exceptions, a country's holidays, or always open (R-CAL-01).

    An exception overrules the country's holidays; `make_up_days` False opts out of working on
    the weekends that make up for them (R-CAL-03). Always open, nothing else plays a part.
    """

    time_zone: str
    shifts: tuple[Shift, ...] = ()
    exceptions: tuple[DatedException, ...] = ()
    country_holidays: str | None = None
    make_up_days: bool = True
    always_open: bool = False

    @property
    def has_make_up_days(self) -> bool:
        """Whether weekends that make up for holidays may be worked."""
        listed = self.country_holidays is not None and not self.always_open
        return listed and self.make_up_days

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, weekdays and times as words."""
        return {
            "time_zone": self.time_zone,
            "shifts": [
                {"weekday": WEEKDAYS[shift.weekday], "opens": shift.opens, "closes": shift.closes}
                for shift in self.shifts
            ],
            "exceptions": [
                {
                    "date": exception.date.isoformat(),
                    "shifts": [
                        {"opens": span.opens, "closes": span.closes} for span in exception.spans
                    ],
                }
                for exception in self.exceptions
            ],
            "country_holidays": self.country_holidays,
            "make_up_days": self.make_up_days,
            "always_open": self.always_open,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "CalendarDefinition":
        """What `to_json` wrote; only the time zone must be there."""
        return cls(
            time_zone=value["time_zone"],
            shifts=tuple(
                Shift(WEEKDAYS.index(shift["weekday"]), shift["opens"], shift["closes"])
                for shift in value.get("shifts") or ()
            ),
            exceptions=tuple(
                DatedException(
                    date.fromisoformat(exception["date"]),
                    tuple(Span(span["opens"], span["closes"]) for span in exception["shifts"]),
                )
                for exception in value.get("exceptions") or ()
            ),
            country_holidays=value.get("country_holidays"),
            make_up_days=value.get("make_up_days", True),
            always_open=value.get("always_open", False),
        )

    def problems(self) -> tuple[CalendarProblem, ...]:
        """Everything wrong with it (R-CAL-02); overlaps are looked for once the rest is right."""
        return (
            tuple(_problems_of_fields(self))
            or tuple(_overlaps_of_the_week(self))
            or tuple(_overlaps_of_exceptions(self))
        )


def minutes_of(opens: str, closes: str) -> Minutes:
    """The span in minutes from midnight; over midnight it ends after 24:00."""
    start, end = _minute(opens), _minute(closes)
    return start, end if end > start else end + DAY


def _minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _length(spans: Iterable[Minutes]) -> int:
    return sum(closes - opens for opens, closes in spans)


class DayPlans:
    """Which spans each date has, and which dates a holiday or an exception closed."""

    def __init__(self, definition: CalendarDefinition) -> None:
        self._country = None if definition.always_open else definition.country_holidays
        self._make_up_days = definition.make_up_days
        self._weekly: tuple[tuple[Minutes, ...], ...]
        self._exceptions: dict[int, tuple[Minutes, ...]]
        if definition.always_open:
            self._weekly = (((0, DAY),),) * 7
            self._exceptions = {}
            return
        self._weekly = tuple(
            tuple(
                sorted(
                    minutes_of(shift.opens, shift.closes)
                    for shift in definition.shifts
                    if shift.weekday == weekday
                )
            )
            for weekday in range(7)
        )
        self._exceptions = {
            exception.date.toordinal(): tuple(
                sorted(minutes_of(span.opens, span.closes) for span in exception.spans)
            )
            for exception in definition.exceptions
        }

    def spans_of(self, ordinal: int) -> tuple[Minutes, ...]:
        """The date's spans: exception, else holiday, else make-up day, else weekday (R-CAL-01).

        A make-up day has Monday's shifts, unless the weekend's own are as long: whoever is open
        on Saturdays is not closed by one.
        """
        exception = self._exceptions.get(ordinal)
        if exception is not None:
            return exception
        weekday = (ordinal - 1) % 7
        if self._country is not None:
            listed = public_holidays(self._country, date.fromordinal(ordinal).year)
            if ordinal in listed.off:
                return ()
            if self._make_up_days and weekday >= 5 and ordinal in listed.made_up:
                return max(self._weekly[weekday], self._weekly[0], key=_length)
        return self._weekly[weekday]

    def is_holiday(self, ordinal: int) -> bool:
        """Whether an exception or a public holiday closed the date all day."""
        exception = self._exceptions.get(ordinal)
        if exception is not None:
            return not exception
        if self._country is None:
            return False
        return ordinal in public_holidays(self._country, date.fromordinal(ordinal).year).off


def _problems_of_fields(definition: CalendarDefinition) -> Iterator[CalendarProblem]:
    if not is_time_zone(definition.time_zone):
        yield CalendarProblem("UNKNOWN_TIME_ZONE", ("time_zone",))
    for index, shift in enumerate(definition.shifts):
        if not 0 <= shift.weekday < 7:
            yield CalendarProblem("BAD_WEEKDAY", ("shifts", index, "weekday"))
        yield from _bad_times(shift.opens, shift.closes, ("shifts", index))
    seen: set[date] = set()
    for index, exception in enumerate(definition.exceptions):
        if exception.date in seen:
            yield CalendarProblem("DUPLICATE_DATE", ("exceptions", index, "date"))
        seen.add(exception.date)
        if not FIRST_YEAR <= exception.date.year <= LAST_YEAR:
            yield CalendarProblem("DATE_OUT_OF_RANGE", ("exceptions", index, "date"))
        for number, span in enumerate(exception.spans):
            yield from _bad_times(span.opens, span.closes, ("exceptions", index, "shifts", number))
    country = definition.country_holidays
    if country is not None and country.partition("-")[0] not in supported_countries():
        yield CalendarProblem("UNKNOWN_COUNTRY", ("country_holidays",))
    elif country is not None and unknown_subdivision(country):
        yield CalendarProblem("UNKNOWN_SUBDIVISION", ("country_holidays",))
    opens_sometime = definition.shifts or any(day.spans for day in definition.exceptions)
    if not definition.always_open and not opens_sometime:
        yield CalendarProblem("NO_WORKING_TIME", ("shifts",))


def _bad_times(opens: str, closes: str, path: Path) -> Iterator[CalendarProblem]:
    if not _TIME.fullmatch(opens) or opens == "24:00":
        yield CalendarProblem("BAD_TIME", (*path, "opens"))
    if not _TIME.fullmatch(closes):
        yield CalendarProblem("BAD_TIME", (*path, "closes"))


def _overlaps_of_the_week(definition: CalendarDefinition) -> Iterator[CalendarProblem]:
    """Shifts that overlap on the circle of the week: Sunday's night meets Monday's morning."""
    week = 7 * DAY
    spans = []
    for index, shift in enumerate(definition.shifts):
        opens, closes = minutes_of(shift.opens, shift.closes)
        spans.append((shift.weekday * DAY + opens, shift.weekday * DAY + closes, index))
    spans.sort()
    if spans:
        first = spans[0]
        spans.append((first[0] + week, first[1] + week, first[2]))
    for (_, closes, _), (opens, _, index) in pairwise(spans):
        if closes > opens:
            yield CalendarProblem("OVERLAPPING_SHIFTS", ("shifts", index))


def _overlaps_of_exceptions(definition: CalendarDefinition) -> Iterator[CalendarProblem]:
    """Spans of an exception that overlap each other or the days beside it."""
    if definition.always_open:
        return
    plans = DayPlans(definition)
    for index, exception in enumerate(definition.exceptions):
        ordinal = exception.date.toordinal()
        spans = [
            (opens + offset * DAY, closes + offset * DAY)
            for offset in (-1, 0, 1)
            for opens, closes in plans.spans_of(ordinal + offset)
        ]
        if exception.spans and any(
            before[1] > after[0] for before, after in pairwise(sorted(spans))
        ):
            yield CalendarProblem("OVERLAPPING_SHIFTS", ("exceptions", index, "shifts"))
