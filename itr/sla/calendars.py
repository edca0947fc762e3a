"""What a working calendar says, and what is wrong with it when it cannot be kept (R-CAL-01, 02)."""

from dataclasses import dataclass
from datetime import date
from typing import Any


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
    path: tuple[str | int, ...]


class InvalidCalendar(ValueError):
    """A definition with problems was to be computed with."""

    problems: tuple[CalendarProblem, ...]


@dataclass(frozen=True, slots=True)
class CalendarDefinition:
    """A time zone, shifts, dated exceptions, a country's holidays, or always open (R-CAL-01)."""

    time_zone: str
    shifts: tuple[Shift, ...] = ()
    exceptions: tuple[DatedException, ...] = ()
    country_holidays: str | None = None
    make_up_days: bool = True
    always_open: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CalendarDefinition":
        """What `to_json` wrote."""
        raise NotImplementedError

    def problems(self) -> tuple[CalendarProblem, ...]:
        """Everything wrong with it, in the order of its fields (R-CAL-02)."""
        raise NotImplementedError
