"""Calendars kept and corrected by GraphQL (R-CAL-01 … 03, R-SLA-10)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.models import Clock, ControlPoint
from tests.support.desk import Desk, hours, open_desk
from tests.support.levels import OFFICE_INPUT, keep, kept, refusals, targets_input, work_off
from tests.support.requests import ask, submitted

SHOWN = """calendar { id name number timeZone alwaysOpen makeUpDays countryHolidays
    shifts { weekday opens closes } exceptions { date shifts { opens closes } }
    clocksToRecompute versions { number exceptions { date } } }"""
MANAGER = "PROCESS_MANAGER"
NINE_TO_TEN = {"opens": "09:00", "closes": "10:00"}


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def test_a_calendar_is_kept_and_read_as_it_was_given(desk: Desk) -> None:
    """R-CAL-01."""
    night = {"date": "2026-05-02", "shifts": [{"opens": "22:00", "closes": "06:00"}]}
    given = {**OFFICE_INPUT, "exceptions": [{"date": "2026-05-03", "shifts": []}, night]}

    calendar = await kept(desk, MANAGER, "saveCalendar", SHOWN, name="夜班", calendar=given)

    assert calendar["shifts"] == OFFICE_INPUT["shifts"]
    assert [each["date"] for each in calendar["exceptions"]] == ["2026-05-02", "2026-05-03"]
    assert calendar["exceptions"][0]["shifts"] == night["shifts"]
    assert (calendar["number"], calendar["makeUpDays"], calendar["countryHolidays"]) == (
        1, True, "CN",
    )  # fmt: skip
    listed = await ask(desk, "LINE1", "{ calendars(first: 50) { nodes { id name } } }")
    assert {"id": calendar["id"], "name": "夜班"} in listed["calendars"]["nodes"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timeZone": "Mars/Base"}, ("UNKNOWN_TIME_ZONE", ["input", "calendar", "timeZone"])),
        (
            {"shifts": [{"weekday": "MONDAY", "opens": "9", "closes": "18:00"}]},
            ("BAD_TIME", ["input", "calendar", "shifts", "0", "opens"]),
        ),
        ({"shifts": []}, ("NO_WORKING_TIME", ["input", "calendar", "shifts"])),
        (
            {"shifts": [], "exceptions": [{"date": "2026-05-01", "shifts": [NINE_TO_TEN]}]},
            ("NO_WORKING_TIME", ["input", "calendar", "shifts"]),
        ),
        ({"countryHolidays": "XX"}, ("UNKNOWN_COUNTRY", ["input", "calendar", "countryHolidays"])),
        (
            {"exceptions": [{"date": "2026-05-01", "shifts": []}] * 2},
            ("DUPLICATE_DATE", ["input", "calendar", "exceptions", "1", "date"]),
        ),
    ],
)
async def test_what_cannot_be_a_calendar_is_refused_where_it_is_wrong(
    desk: Desk, change: dict[str, object], expected: tuple[str, list[str]]
) -> None:
    """R-CAL-02, situation 9: a calendar without working time is refused when saved."""
    wrong = {**OFFICE_INPUT, **change}

    assert await refusals(desk, MANAGER, "saveCalendar", SHOWN, name="x", calendar=wrong) == [
        expected
    ]


async def test_a_calendar_by_which_a_promise_never_comes_due_is_refused_with_it(
    desk: Desk,
) -> None:
    """R-CAL-02: a minute a week makes 240 hours 277 years; refused from either side."""
    minute = {"weekday": "MONDAY", "opens": "09:00", "closes": "09:01"}
    rare = {"timeZone": "Asia/Shanghai", "shifts": [minute]}
    id_ = (await kept(desk, MANAGER, "saveCalendar", SHOWN, name="rare", calendar=rare))["id"]
    promised = targets_input(RESPONSE=1, RESTORATION=4, RESOLUTION=8, CLOSURE=240)
    level = {"name": "never", "calendarId": id_, "targets": promised, "pauses": []}

    assert await refusals(desk, MANAGER, "saveServiceLevel", "serviceLevel { id }", **level) == [
        ("TOO_LITTLE_WORKING_TIME", ["input", "targets"])
    ]
    always = {"id": desk.public("cal", "always"), "name": "always", "calendar": rare}
    assert await refusals(desk, MANAGER, "saveCalendar", SHOWN, **always) == [
        ("TOO_LITTLE_WORKING_TIME", ["input", "calendar", "shifts"])
    ]


async def test_names_versions_and_ids_are_told_apart(desk: Desk) -> None:
    """S2, R-CAT-03: a new one takes nobody's name, an old one is changed as it was read."""
    new = {"name": "kept twice", "calendar": OFFICE_INPUT}
    id_ = (await kept(desk, MANAGER, "saveCalendar", SHOWN, **new))["id"]

    assert await refusals(desk, MANAGER, "saveCalendar", SHOWN, **new) == [
        ("NAME_TAKEN", ["input", "name"])
    ]
    again = await kept(
        desk, MANAGER, "saveCalendar", SHOWN, **{**new, "id": id_, "expectedVersion": 1}
    )
    assert (again["id"], again["number"]) == (id_, 2)
    stale = {**new, "id": id_, "expectedVersion": 1}
    assert await refusals(desk, MANAGER, "saveCalendar", SHOWN, **stale) == [
        ("STALE", ["input", "expectedVersion"])
    ]
    for other in ("cal_" + "0" * 32, "cal_x", desk.public("prd", "router")):
        assert await refusals(desk, MANAGER, "saveCalendar", SHOWN, **{**new, "id": other}) == [
            ("NOT_FOUND", ["input", "id"])
        ]


async def test_only_who_manages_calendars_keeps_them(desk: Desk) -> None:
    """R-ROLE-02."""
    answer = await keep(
        desk, "CATALOGUE_MANAGER", "saveCalendar", SHOWN, name="x", calendar=OFFICE_INPUT
    )

    assert answer.code == "FORBIDDEN"


async def test_correcting_a_date_tells_how_many_clocks_are_recomputed_and_changes_only_it(
    desk: Desk,
) -> None:
    """R-CAL-03, R-SLA-10, situation 28."""
    await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    today = {"date": "2026-03-02", "shifts": []}
    office = desk.public("cal", "office")

    corrected = await kept(
        desk, MANAGER, "correctCalendar", SHOWN, id=office, exceptions=[today], expectedVersion=1
    )

    assert corrected["clocksToRecompute"] == 3
    assert (corrected["countryHolidays"], len(corrected["shifts"])) == ("CN", 10)
    while await recompute_batch(desk.time.now):
        pass
    clocks = await Clock.filter(thread="RESPONSE")
    assert [clock.deadline for clock in clocks] == [datetime(2026, 3, 3, 6, 30, tzinfo=UTC)]
    back = await kept(desk, MANAGER, "correctCalendar", SHOWN, id=office, dropped=["2026-03-02"])
    assert back["exceptions"] == []
    assert [len(each["exceptions"]) for each in back["versions"]] == [0, 1, 0]
    wrong = {"date": "2026-03-02", "shifts": [{"opens": "25:00", "closes": "26:00"}]}
    assert (await refusals(desk, MANAGER, "correctCalendar", SHOWN, id=office, exceptions=[wrong]))[
        0
    ] == ("BAD_TIME", ["input", "exceptions", "0", "shifts", "0", "opens"])


async def test_open_steps_of_a_customer_who_opts_out_move_too(desk: Desk) -> None:
    """R-CAL-03, R-CP-02, R-SLA-10: what was to be classified on a make-up day may wait."""
    desk.time.now = datetime(2026, 2, 13, 9, 50, tzinfo=UTC)  # Friday 17:50; 02-14 is worked
    bolt = desk.public("org", "Bolt")
    open_ = (await submitted(desk, "bolt", customerId=bolt))["id"].removeprefix("req_")
    classify = await ControlPoint.get(request_id=open_, number=2)
    assert classify.deadline == datetime(2026, 2, 14, 1, 14, tzinfo=UTC)
    change = ("CATALOGUE_MANAGER", "setMakeUpDays", "customer { id }")

    await kept(desk, *change, customerId=bolt, makeUpDays=False)
    await work_off(desk.time.now)

    moved = await ControlPoint.get(request_id=open_, number=2)
    assert moved.deadline == datetime(2026, 2, 24, 1, 14, tzinfo=UTC)
    await kept(desk, *change, customerId=bolt, makeUpDays=True)
    await work_off(desk.time.now)
    back = await ControlPoint.get(request_id=open_, number=2)
    assert back.deadline == classify.deadline


async def test_a_customer_who_opts_out_counts_without_make_up_days(desk: Desk) -> None:
    """R-CAL-03, R-SLA-10: open clocks are recomputed, a new request counts so from the start."""
    desk.time.now = datetime(2026, 2, 13, 9, 0, tzinfo=UTC)  # Friday 17:00; 02-14 is worked
    bolt = desk.public("org", "Bolt")
    shown = "customer { id makeUpDays }"
    open_ = (await submitted(desk, "bolt", customerId=bolt))["id"].removeprefix("req_")
    worked = datetime(2026, 2, 14, 4, 0, tzinfo=UTC)
    assert (await Clock.get(request_id=open_, thread="RESPONSE")).deadline == worked

    opted = await kept(
        desk, "CATALOGUE_MANAGER", "setMakeUpDays", shown, customerId=bolt, makeUpDays=False
    )
    assert opted["makeUpDays"] is False
    await work_off(desk.time.now)

    after_the_festival = datetime(2026, 2, 24, 4, 0, tzinfo=UTC)
    assert (await Clock.get(request_id=open_, thread="RESPONSE")).deadline == after_the_festival
    new = (await submitted(desk, "bolt", customerId=bolt))["id"].removeprefix("req_")
    assert (await Clock.get(request_id=new, thread="RESPONSE")).deadline == after_the_festival
    other = (await submitted(desk))["id"].removeprefix("req_")
    assert (await Clock.get(request_id=other, thread="RESPONSE")).deadline == worked
    listed = await ask(desk, "LINE1", "{ calendars(first: 50) { nodes { name } } }")
    assert not [each for each in listed["calendars"]["nodes"] if "without" in each["name"]]

    exception = {"date": "2026-02-24", "shifts": []}  # the twin follows its calendar
    office = desk.public("cal", "office")
    await kept(desk, MANAGER, "correctCalendar", SHOWN, id=office, exceptions=[exception])
    while await recompute_batch(desk.time.now):
        pass
    assert (await Clock.get(request_id=new, thread="RESPONSE")).deadline == (
        after_the_festival + hours(24)
    )

    await kept(desk, "CATALOGUE_MANAGER", "setMakeUpDays", shown, customerId=bolt, makeUpDays=True)
    await work_off(desk.time.now)
    assert (await Clock.get(request_id=open_, thread="RESPONSE")).deadline == worked
    assert await refusals(
        desk, "CATALOGUE_MANAGER", "setMakeUpDays", shown,
        customerId=desk.public("org", "Firm"), makeUpDays=False,
    ) == [("WRONG_ORGANISATION", ["input", "customerId"])]  # fmt: skip
