"""The scalars of stored values, printed by Python exactly as SQL prints them.

`kinds` holds the SQL; one test compares both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.scalar import ScalarDefinition

from itr.durations import LONGEST, format_duration, microseconds_of, parse_duration

Duration = timedelta
Long = NewType("Long", int)

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,6})?\d*([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def print_instant(value: datetime) -> str:
    """Print an aware instant in UTC with `Z`; microseconds only when there are any."""
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return text + "Z"


def read_instant(text: str) -> datetime:
    """Read RFC 3339 with an offset; ValueError otherwise."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError("not an instant with an offset")
    day, time, fraction, offset = found.groups()
    whole = f"{day}T{time}{(fraction or '').ljust(7, '0') if fraction else ''}"
    zone = "+00:00" if offset in "Zz" else offset
    try:
        value = datetime.fromisoformat(whole + zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the calendar") from error
    if not _FIRST < value < _LAST:  # the driver takes these two for infinity
        raise ValueError("outside the calendar")
    return value


def print_duration(value: timedelta) -> str:
    """Print sign, hours, minutes and seconds, never days: `PT28H30M`, `-PT15M`, `PT0S`."""
    return format_duration(microseconds_of(value))


def read_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of hours, minutes, seconds; ValueError otherwise."""
    return timedelta(microseconds=1) * parse_duration(text)


def print_decimal(value: Decimal) -> str:
    """Print a decimal without an exponent."""
    return format(value, "f")


def read_decimal(text: str) -> Decimal:
    """Read a finite decimal of sensible size; ValueError otherwise."""
    if len(text) > 200 or not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError("not a decimal number") from error


def read_long(text: str) -> int:
    """Read a signed 64-bit integer; ValueError otherwise."""
    value = int(text) if _WHOLE.fullmatch(text) else LONGEST + 2
    if not -LONGEST - 1 <= value <= LONGEST:
        raise ValueError("not a 64-bit integer")
    return value


def read_date(text: str) -> date:
    """Read a date as YYYY-MM-DD; ValueError otherwise."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("not a date")
    value = date.fromisoformat(text)
    if not date.min < value < date.max:  # the driver takes these two for infinity
        raise ValueError("outside the calendar")
    return value


def _reader(read: Callable[[str], Any], name: str, *, numbers: bool = False) -> Any:
    def parse(value: object) -> Any:
        if numbers and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise StrawberryInputCoercionError(f"{name} is given as a string.")
        try:
            return read(value)
        except ValueError as error:
            raise StrawberryInputCoercionError(f"{name}: {error}.") from None

    return parse


def _scalar(name: str, description: str, print_: Any, read: Any, **more: Any) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        serialize=print_,
        parse_value=_reader(read, name, **more),
    )


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime", "An instant: RFC 3339 in UTC, with `Z`.", print_instant, read_instant
    ),
    timedelta: _scalar(
        "Duration",
        "A length of time: ISO 8601 with a leading sign and hours, never days (`PT28H30M`).",
        print_duration,
        read_duration,
    ),
    Decimal: _scalar(
        "Decimal", "An exact decimal number, as text.", print_decimal, read_decimal, numbers=True
    ),
    Long: _scalar("Long", "A 64-bit integer, as text.", str, read_long, numbers=True),
    date: _scalar("Date", "A day of the calendar, YYYY-MM-DD.", date.isoformat, read_date),
}
"""For `StrawberryConfig(scalar_map=…)`."""
