"""An incident log made up to the shape of BPI 2013, for where that file is not to be had.

    python -m bench.incident_log 140000 > incidents.csv

Statuses follow one another as often as they do there (6 lines a request at the median, about 9 on
the average), teams and products are as unevenly busy. Equal arguments give an equal log.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TextIO, TypeVar

T = TypeVar("T")

LINES = 65_533
"""As many as BPI 2013 has."""
COLUMNS = (
    "sr_number", "event_no", "change_utc", "change_local_stockholm", "status", "sub_status",
    "involved_st", "support_line", "involved_function_div", "involved_org_line", "impact",
    "product", "country", "owner_country", "owner_first_name",
)  # fmt: skip

_WORKING, _QUEUED = "Accepted/In Progress", "Queued/Awaiting Assignment"
_ASSIGNED, _PAUSED = "Accepted/Assigned", "Accepted/Wait - User"
_WAIT, _WINDOW = "Accepted/Wait", "Accepted/Wait - Implementation"
_RESOLVED, _IN_CALL, _CLOSED = "Completed/Resolved", "Completed/In Call", "Completed/Closed"
_END = ""

_AFTER: Mapping[str, Mapping[str, int]] = {
    "begin": {_WORKING: 85, _QUEUED: 15},
    _WORKING: {
        _QUEUED: 280, _WORKING: 241, _RESOLVED: 134, _PAUSED: 117, _ASSIGNED: 91, _IN_CALL: 67,
        _WAIT: 46, _WINDOW: 14,
    },
    _QUEUED: {_WORKING: 93, _QUEUED: 7},
    _ASSIGNED: {_WORKING: 1},
    _PAUSED: {_WORKING: 39, _RESOLVED: 36, _QUEUED: 16, _PAUSED: 9},
    _WAIT: {_WORKING: 5, _RESOLVED: 3, _QUEUED: 2},
    _WINDOW: {_WORKING: 2, _RESOLVED: 1},
    _RESOLVED: {_CLOSED: 93, _WORKING: 4, _QUEUED: 3},
    _IN_CALL: {_END: 92, _WORKING: 8},
    _CLOSED: {_END: 97, _WORKING: 3},
}  # fmt: skip
"""What follows a status, and how often in proportion."""

_IMPACTS = {"Medium": 4045, "Low": 3245, "High": 261, "Major": 3}
_LINES = {1: 70, 2: 25, 3: 5}
_COUNTRIES = ("se", "pl", "in", "be", "us", "fr", "br", "cn", "nl", "gb")
_MACHINE = ("", "Siebel")
"""What closes a solved request by itself."""
_TEAMS, _PRODUCTS, _PEOPLE = 640, 700, 1_700
_BEGUN, _DAYS = datetime(2011, 1, 3, tzinfo=UTC), 480


def write_log(stream: TextIO, lines: int = LINES, *, part: int = 0) -> None:
    """Write a log of so many lines; the last request may be cut short. Parts share no request."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    left = lines
    for rows in _requests(part, Random(2013 + part)):
        writer.writerows(rows[:left])
        left -= len(rows)
        if left <= 0:
            return


def _requests(part: int, luck: Random) -> Iterator[list[list[str]]]:
    number = part * 1_000_000
    while True:
        number += 1
        yield list(_lines_of(f"1-{700_000_000 + number}", luck))


def _lines_of(number: str, luck: Random) -> Iterator[list[str]]:
    at = _BEGUN + timedelta(seconds=luck.randrange(_DAYS * 86_400))
    impact, product = _one_of(_IMPACTS, luck), f"PROD{_often_low(_PRODUCTS, luck)}"
    country, team, person = _COUNTRIES[_often_low(10, luck)], _team(luck), _person(luck)
    status, place = _one_of(_AFTER["begin"], luck), 0
    while status != _END:
        place += 1
        if status == _QUEUED:
            team, person = _team(luck), _person(luck)
        yield [
            number,
            str(place),
            f"{at:%Y-%m-%dT%H:%M:%SZ}",
            f"{at:%Y-%m-%d %H:%M:%S}",
            *status.split("/"),
            *team,
            "V3_2",
            "Org line C",
            impact,
            product,
            country,
            *(_MACHINE if status == _CLOSED else person),
        ]
        at += timedelta(seconds=1 + int(luck.expovariate(1 / 20_000)))
        status = _one_of(_AFTER[status], luck)  # fmt: skip


def _team(luck: Random) -> Sequence[str]:
    place = _often_low(_TEAMS, luck)
    line = _one_of(_LINES, Random(place))
    return (f"G{place}" if line == 1 else f"G{place} {'2nd' if line == 2 else '3rd'}", str(line))


def _person(luck: Random) -> Sequence[str]:
    place = _often_low(_PEOPLE, luck)
    return (_COUNTRIES[place % 10].upper(), f"Engineer {place}")


def _often_low(most: int, luck: Random) -> int:
    """A number below `most`; low ones come far more often, as busy teams and products do."""
    return int(most * luck.random() ** 3)


def _one_of(weights: Mapping[T, int], luck: Random) -> T:
    return luck.choices(list(weights), list(weights.values()))[0]


if __name__ == "__main__":
    write_log(sys.stdout, int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
