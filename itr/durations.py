"""ISO 8601 durations as the product writes them: sign, hours, minutes, seconds, never days.

A duration is a whole number of microseconds everywhere below the API.
"""

import re
from datetime import timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
LONGEST = 2**63 - 1

_DURATION = re.compile(
    r"(?P<sign>[+-])?PT(?=[0-9])"
    r"(?:(?P<hours>[0-9]{1,16})H)?"
    r"(?:(?P<minutes>[0-9]{1,16})M)?"
    r"(?:(?P<seconds>[0-9]{1,16})(?:\.(?P<fraction>[0-9]{1,6}))?S)?"
)


class InvalidDuration(ValueError):
    """The text is no duration we read, or one longer than 64-bit microseconds hold."""


def format_duration(microseconds: int) -> str:
    """Write `PT28H30M`, `-PT15M`, `PT0.000001S`; zero is `PT0S`."""
    sign, rest = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, fraction = divmod(rest, SECOND)
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else ""]
    if fraction:
        parts.append(f"{seconds}.{fraction:06d}".rstrip("0") + "S")
    elif seconds:
        parts.append(f"{seconds}S")
    return f"{sign}PT{''.join(parts) or '0S'}"


def parse_duration(text: str) -> int:
    """Microseconds of a duration; days, weeks, months, commas and lower case are refused.

    Raises InvalidDuration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidDuration(f"not an ISO 8601 duration in hours: {text[:40]!r}")
    microseconds = (
        int(match["hours"] or 0) * HOUR
        + int(match["minutes"] or 0) * MINUTE
        + int(match["seconds"] or 0) * SECOND
        + int((match["fraction"] or "").ljust(6, "0"))
    )
    if microseconds > LONGEST:
        raise InvalidDuration(f"longer than can be counted: {text[:40]!r}")
    return -microseconds if match["sign"] == "-" else microseconds


def microseconds_of(duration: timedelta) -> int:
    """A timedelta as whole microseconds, exactly."""
    return (duration.days * 86_400 + duration.seconds) * SECOND + duration.microseconds
