"""Calendars and clocks tried out by GraphQL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, open_desk

CN = {
    "timeZone": "Asia/Shanghai",
    "countryHolidays": "CN",
    "shifts": [
        {"weekday": day, "opens": opens, "closes": closes}
        for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
        for opens, closes in (("09:00", "12:00"), ("13:30", "18:00"))
    ],
}
EVERYWHERE: dict[str, Any] = {"holidaySubdivisions": []}
OFFICE = {"timeZone": "Europe/London", "shifts": [
    {"weekday": day, "opens": "09:00", "closes": "17:00"}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
]}  # fmt: skip
SHOP = {"timeZone": "Asia/Shanghai", "countryHolidays": "CN", "shifts": [
    {"weekday": day, "opens": "10:00", "closes": "22:00"}
    for day in ("TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
]}  # fmt: skip
EASTER_MONDAY = {"start": "2026-04-06T00:00:00+01:00", "end": "2026-04-07T00:00:00+01:00"}
MAKE_UP_SATURDAY = {"start": "2026-02-28T00:00:00+08:00", "end": "2026-03-01T00:00:00+08:00"}
EVERY_MINUTE = [
    {"weekday": "MONDAY", "opens": f"10:{minute:02}", "closes": f"10:{minute + 1:02}"}
    for minute in range(0, 49)
]
TIME = """query($calendar: WorkingCalendarInput!, $start: DateTime!, $end: DateTime,
    $duration: Duration) { workingTime(calendar: $calendar, start: $start, end: $end,
    duration: $duration) { elapsed at provisional holidaySubdivisions } }"""
CLOCK = """query($input: SimulateClockInput!) { simulateClock(input: $input) { state deadline
    elapsed remaining nextAlarmAt alarms { percent at fired }
    explain { from to counted reason } } }"""


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def working_time(desk: Desk, **given: Any) -> dict[str, Any]:
    answer = await desk.as_("PROCESS_MANAGER").run(TIME, {"calendar": CN, **given})
    found: dict[str, Any] = answer.data["workingTime"]
    return found


async def test_four_hours_before_spring_festival_end_on_the_make_up_saturday(desk: Desk) -> None:
    """Situation 1, R-CAL-03."""
    found = await working_time(desk, start="2026-02-13T09:00:00Z", duration="PT4H")

    assert found == {
        "elapsed": None,
        "at": "2026-02-14T04:00:00Z",
        "provisional": False,
        **EVERYWHERE,
    }


async def test_spring_festival_lies_between(desk: Desk) -> None:
    """Situation 2."""
    found = await working_time(desk, start="2026-02-14T09:30:00Z", duration="PT1H")

    assert found["at"] == "2026-02-24T01:30:00Z"


async def test_elapsed_time_is_negative_when_the_end_comes_first(desk: Desk) -> None:
    """R-CAL-02."""
    found = await working_time(desk, start="2026-03-06T03:00:00Z", end="2026-03-06T01:00:00Z")

    assert found["elapsed"] == "-PT2H"


async def test_a_year_without_published_holidays_is_provisional(desk: Desk) -> None:
    """Situation 30, R-CAL-03."""
    found = await working_time(desk, start="2031-03-03T01:00:00Z", duration="PT1H")

    assert found == {
        "elapsed": None,
        "at": "2031-03-03T02:00:00Z",
        "provisional": True,
        **EVERYWHERE,
    }
    for given in ({"end": "2026-03-03T01:00:00Z"}, {"duration": "-PT20000H"}):
        back = await working_time(desk, start="2031-03-03T01:00:00Z", **given)
        assert back["provisional"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"end": None}, "INVALID", ["end"]),
        ({"calendar": {**CN, "timeZone": "Mars/Base"}}, "UNKNOWN_TIME_ZONE", None),
        ({"calendar": {"timeZone": "UTC", "shifts": []}}, "NO_WORKING_TIME", None),
        ({"calendar": {"timeZone": "UTC", "shifts": EVERY_MINUTE}}, "TOO_MANY_SHIFTS", None),
        ({"duration": "PT99999999H"}, "DATE_OUT_OF_RANGE", ["duration"]),
    ],
)
async def test_a_calendar_nobody_can_compute_is_refused_with_code_and_path(
    desk: Desk, given: dict[str, Any], code: str, path: list[str] | None
) -> None:
    """R-CAL-02."""
    variables = {"calendar": CN, "start": "2026-03-06T01:00:00Z", **given}

    answer = await desk.as_("PROCESS_MANAGER").run(TIME, variables)

    assert answer.code == code
    told = answer.errors[0]["extensions"]["inputPath"]
    assert path is None or told == path
    assert told


async def test_eight_hours_paused_over_the_weekend_are_due_on_monday_afternoon(desk: Desk) -> None:
    """Situation 4, R-SLA-02, R-SLA-11."""
    events = [
        {"at": "2026-03-06T01:00:00Z", "kind": "STARTED"},
        {"at": "2026-03-06T08:00:00Z", "kind": "PAUSED", "reason": "CUSTOMER"},
        {"at": "2026-03-09T02:00:00Z", "kind": "RESUMED"},
    ]
    given = {"calendar": CN, "target": "PT8H", "events": events, "at": "2026-03-09T03:00:00Z"}

    answer = await desk.as_("PROCESS_MANAGER").run(CLOCK, {"input": given})

    clock = answer.data["simulateClock"]
    assert clock["state"] == "RUNNING"
    assert (clock["elapsed"], clock["remaining"]) == ("PT6H30M", "PT1H30M")
    assert clock["deadline"] == "2026-03-09T06:00:00Z"
    assert {each["percent"]: each["fired"] for each in clock["alarms"]} == {
        50: True, 75: True, 90: False, 100: False,
    }  # fmt: skip
    assert "PAUSED:CUSTOMER" in {each["reason"] for each in clock["explain"]}


@pytest.mark.parametrize(
    ("changed", "code", "path"),
    [
        ({"target": "PT0S"}, "NOT_POSITIVE", ["input", "target"]),
        ({"events": []}, "NOT_STARTED", ["input", "events"]),
        (
            {"events": [{"at": "2026-03-06T01:00:00Z", "kind": "RETARGETED"}]},
            "REQUIRED",
            ["input", "events", 0, "target"],
        ),
        ({"alarmPercents": [100, 50]}, "INVALID", ["input", "alarmPercents"]),
        ({"alarmPercents": [101]}, "INVALID", ["input", "alarmPercents"]),
    ],
)
async def test_a_clock_that_makes_no_sense_is_refused_with_code_and_path(
    desk: Desk, changed: dict[str, Any], code: str, path: list[Any]
) -> None:
    """R-SLA-02."""
    given = {
        "calendar": CN,
        "target": "PT8H",
        "events": [{"at": "2026-03-06T01:00:00Z", "kind": "STARTED"}],
        "at": "2026-03-09T03:00:00Z",
        **changed,
    }

    answer = await desk.as_("PROCESS_MANAGER").run(CLOCK, {"input": given})

    assert answer.code == code
    assert answer.errors[0]["extensions"]["inputPath"] == path


@pytest.mark.parametrize(
    "name",
    ["localtime", "posixrules", "Factory", "posix/Asia/Shanghai", "right/UTC", "europe/london",
     "../zoneinfo/UTC", "tzdata.zi", "zone.tab", "Etc", "UTC ", ""],
)  # fmt: skip
async def test_only_names_that_mean_the_same_everywhere_are_time_zones(
    desk: Desk, name: str
) -> None:
    """18, R-CAL-02: a calendar's, and a figure's."""
    given = {"calendar": {**OFFICE, "timeZone": name}, "start": "2026-03-02T00:00:00Z"}
    figures = """query($period: PeriodInput!, $zone: String!) {
        figures(period: $period, by: [MONTH], timeZone: $zone) { requests } }"""
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}

    previewed = await desk.as_("PROCESS_MANAGER").run(TIME, {**given, "duration": "PT1H"})
    asked = await desk.as_("PROCESS_MANAGER").run(figures, {"period": period, "zone": name})

    assert previewed.code == "UNKNOWN_TIME_ZONE"
    assert asked.code == "UNKNOWN_TIME_ZONE"


async def test_a_part_of_a_country_has_holidays_of_its_own(desk: Desk) -> None:
    """19, R-CAL-03: Easter Monday is off in England, and not in all of Great Britain."""
    england = await working_time(
        desk, calendar={**OFFICE, "countryHolidays": "GB-ENG"}, **EASTER_MONDAY
    )
    whole = await working_time(desk, calendar={**OFFICE, "countryHolidays": "GB"}, **EASTER_MONDAY)

    assert england["elapsed"] == "PT0S"
    assert england["holidaySubdivisions"] == []
    assert whole["elapsed"] == "PT8H"
    assert whole["holidaySubdivisions"] == ["GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"]


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("GB-XXX", "UNKNOWN_SUBDIVISION"),
        ("CN-GD", "UNKNOWN_SUBDIVISION"),
        ("DE-Augsburg", "UNKNOWN_SUBDIVISION"),
        ("GB-ENG-1", "UNKNOWN_SUBDIVISION"),
        ("XX-ENG", "UNKNOWN_COUNTRY"),
        ("gb-eng", "UNKNOWN_COUNTRY"),
    ],
)
async def test_a_part_there_is_not_is_refused(desk: Desk, country: str, code: str) -> None:
    """19."""
    given = {"calendar": {**OFFICE, "countryHolidays": country}, **EASTER_MONDAY}

    assert (await desk.as_("PROCESS_MANAGER").run(TIME, given)).code == code


@pytest.mark.parametrize("made_up", [True, False])
async def test_a_make_up_day_closes_no_shop(desk: Desk, *, made_up: bool) -> None:
    """20, R-CAL-01: open on Saturdays and closed on Mondays, it was shut on make-up Saturdays."""
    calendar = {**SHOP, "makeUpDays": made_up}

    found = await working_time(desk, calendar=calendar, **MAKE_UP_SATURDAY)

    assert found["elapsed"] == "PT12H"
