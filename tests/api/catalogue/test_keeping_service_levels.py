"""Service levels kept, switched off and moved to by GraphQL (R-CAT-03, R-SLA-08, R-OLA-02)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from itr.settings import Settings
from itr.sla.models import Clock
from itr.tickets.firing import fire_due
from tests.support.desk import Desk, hours, level_named, open_desk
from tests.support.levels import keep, kept, refusals, targets_input, work_off
from tests.support.requests import CRITICAL, ask, brought_to, clock, do, read, timeline
from tests.workers.alarms import alarms

SHOWN = """serviceLevel { id name house active current { id number openRequests
    calendar { name } alarmPercents confirmationWorkingDays matrix { faultLevel impact priority }
    targets { priority thread target targetWorkingDays } pauses { reason thread }
    controlPointShares { number percent }
    alarmRules { acknowledgeMinutes acknowledgeMinutesP1 levels { percent tells {
        recipient channels priorities } } } } versions { number } }"""
MANAGER = "PROCESS_MANAGER"
ALL = {"RESPONSE": 1, "RESTORATION": 4, "RESOLUTION": 8, "CLOSURE": 240}


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        opened.ids["gold"] = await level_named("gold")
        yield opened


def level(desk: Desk, **more: Any) -> dict[str, Any]:
    """A level as it may be saved."""
    return {
        "name": "silver",
        "calendarId": desk.public("cal", "always"),
        "targets": targets_input(**ALL),
        **more,
    }


async def test_a_service_level_is_kept_and_read_as_it_was_given(desk: Desk) -> None:
    """R-CAT-03, R-ALM-01, R-OLA-01, R-PRI-01."""
    levels = ("CRITICAL", "MAJOR", "MINOR", "NONE")
    impacts = ("ENTERPRISE", "DEPARTMENT", "GROUP", "INDIVIDUAL")
    matrix = [
        {"faultLevel": one, "impact": other, "priority": "P2"}
        for one in levels
        for other in impacts
    ]
    days = [
        {"priority": "P4", "thread": thread, "targetWorkingDays": str(amount)}
        for thread, amount in (("RESPONSE", "0.5"), ("RESOLUTION", "5"), ("CLOSURE", "17"))
    ]
    given = level(
        desk,
        name="whole",
        targets=[*targets_input(("P1", "P2", "P3"), **ALL), *days],
        pauses=[{"reason": "CUSTOMER", "threads": ["RESPONSE", "RESOLUTION"]}],
        matrix=matrix,
        alarmPercents=[60, 100],
        alarmRules={
            "acknowledgeMinutesP1": 5,
            "levels": [
                {
                    "percent": 60,
                    "tells": [
                        {"recipient": "OWNER", "channels": ["EMAIL"], "priorities": ["P1", "P2"]}
                    ],
                }
            ],
        },
        controlPointShares=[{"number": 1, "percent": "5.5"}],
        confirmationWorkingDays=2,
    )

    saved = await kept(desk, MANAGER, "saveServiceLevel", SHOWN, **given)

    current = saved["current"]
    assert (saved["house"], saved["active"], current["number"]) == (False, True, 1)
    assert current["calendar"]["name"] == "always"
    assert (current["alarmPercents"], current["confirmationWorkingDays"]) == ([60, 100], 2)
    assert current["matrix"] == matrix
    assert len(current["targets"]) == 15
    of_p4 = {each["thread"]: each for each in current["targets"] if each["priority"] == "P4"}
    assert set(of_p4) == {"RESPONSE", "RESOLUTION", "CLOSURE"}
    assert of_p4["RESPONSE"]["targetWorkingDays"] == "0.500"
    assert [(each["reason"], each["thread"]) for each in current["pauses"]] == [
        ("CUSTOMER", "RESOLUTION"), ("CUSTOMER", "RESPONSE"),
    ]  # fmt: skip
    rules = current["alarmRules"]
    assert (rules["acknowledgeMinutes"], rules["acknowledgeMinutesP1"]) == (30, 5)
    assert rules["levels"] == [
        {
            "percent": 60,
            "tells": [{"recipient": "OWNER", "channels": ["EMAIL"], "priorities": ["P1", "P2"]}],
        },
        {
            "percent": 100,
            "tells": [
                {
                    "recipient": "PROCESS_MANAGER",
                    "channels": ["SMS"],
                    "priorities": ["P1", "P2", "P3", "P4"],
                },
                {"recipient": "OPERATIONS_DIRECTOR", "channels": ["SMS"], "priorities": ["P1"]},
            ],
        },
    ]
    assert current["controlPointShares"][0] == {"number": 1, "percent": "5.5"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"targets": []}, ("REQUIRED", ["targets"])),
        (
            {"targets": targets_input(RESPONSE=9, RESTORATION=4, RESOLUTION=8)},
            ("TARGETS_OUT_OF_ORDER", ["targets", "0"]),
        ),
        (
            {"targets": [{"priority": "P1", "thread": "RESPONSE"}]},
            ("BAD_TARGET", ["targets", "0"]),
        ),
        (
            {"targets": [*targets_input(**ALL), *targets_input(("P2",), RESPONSE=1)]},
            ("INVALID", ["targets", "16"]),
        ),
        ({"alarmPercents": [50]}, ("BAD_PERCENTS", ["alarmPercents"])),
        ({"confirmationWorkingDays": 0}, ("BAD_CONFIRMATION_WINDOW", ["confirmationWorkingDays"])),
        (
            {"controlPointShares": [{"number": 31, "percent": "1"}]},
            ("UNKNOWN_CONTROL_POINT", ["controlPointShares", "0"]),
        ),
        (
            {"controlPointShares": [{"number": 1, "percent": "99"}]},
            ("OLA_ABOVE_SLA", ["controlPointShares"]),
        ),
        (
            {"alarmRules": {"levels": [{"percent": 33, "tells": []}]}},
            ("RULE_FOR_NO_LEVEL", ["alarmRules", "levels", "0"]),
        ),
        (
            {
                "alarmRules": {
                    "levels": [{"percent": 90, "tells": [{"recipient": "OWNER", "channels": []}]}]
                }
            },
            ("BAD_ALARM_RULE", ["alarmRules", "levels", "0", "tells", "0", "channels"]),
        ),
        (
            {"alarmRules": {"acknowledgeMinutesP1": 0}},
            ("BAD_TIMEOUT", ["alarmRules", "acknowledgeMinutesP1"]),
        ),
        ({"matrix": []}, ("INCOMPLETE_MATRIX", ["matrix"])),
        ({"calendarId": "cal_" + "0" * 32}, ("NOT_FOUND", ["calendarId"])),
        ({"name": ""}, ("REQUIRED", ["name"])),
    ],
)
async def test_what_cannot_be_promised_is_refused_where_it_is_wrong(
    desk: Desk, more: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    """R-CAT-03, R-OLA-02, R-ALM-01, S17."""
    code, path = expected

    found = await refusals(desk, MANAGER, "saveServiceLevel", SHOWN, **level(desk, **more))

    assert found[0] == (code, ["input", *path])


async def test_only_who_manages_service_levels_keeps_them(desk: Desk) -> None:
    """R-ROLE-02."""
    assert (
        await keep(desk, "CATALOGUE_MANAGER", "saveServiceLevel", SHOWN, **level(desk))
    ).code == "FORBIDDEN"


async def test_a_version_that_is_not_expected_is_stale_and_the_same_key_saves_once(
    desk: Desk,
) -> None:
    """S13, R-CAT-03."""
    given = level(desk, name="bronze", clientMutationId="bronze-1")
    first = await kept(desk, MANAGER, "saveServiceLevel", SHOWN, **given)
    assert await kept(desk, MANAGER, "saveServiceLevel", SHOWN, **given) == first

    changed = level(desk, name="bronze", id=first["id"], expectedVersion=2)

    assert await refusals(desk, MANAGER, "saveServiceLevel", SHOWN, **changed) == [
        ("STALE", ["input", "expectedVersion"])
    ]
    assert await refusals(
        desk, MANAGER, "saveServiceLevel", SHOWN, **level(desk, name="bronze")
    ) == [("NAME_TAKEN", ["input", "name"])]


async def test_situation_22_a_level_switched_off_cancels_its_clocks_and_stops_their_alarms(
    desk: Desk,
) -> None:
    """Situation 22 (Zammad 4353), R-CAT-03: off the request path; saved again it is on."""
    gold = desk.public("svl", "gold")
    request = await brought_to(desk, "IN_PROGRESS")
    delivered = await brought_to(desk, "DELIVERED")

    off = await kept(desk, MANAGER, "switchOffServiceLevel", SHOWN, id=gold, expectedVersion=1)
    assert (off["active"], off["current"]["targets"]) == (False, [])
    assert clock(await standing(desk, request), "RESOLUTION")["state"] == "RUNNING"
    await work_off(desk.time.now)

    states = {each["thread"]: each["state"] for each in (await standing(desk, request))["clocks"]}
    assert states == {
        "RESPONSE": "CANCELLED", "RESTORATION": "CANCELLED", "RESOLUTION": "CANCELLED",
    }  # fmt: skip
    assert clock(await standing(desk, delivered), "CLOSURE")["state"] == "CANCELLED"
    assert (await timeline(desk, "CUSTOMER", request["id"]))[-1]["type"] == (
        "ServiceLevelSwitchedOff"
    )
    desk.time.pass_(timedelta(days=30))
    before = len(await alarms())
    while (await fire_due(desk.time.now)).clocks:
        pass
    assert len(await alarms()) == before
    assert await Clock.filter(next_alarm_at__isnull=False).count() == 0

    reopened = await do(desk, "CUSTOMER", "rejectSolution", id=delivered["id"], reason="仍不通")
    assert clock(reopened, "RESOLUTION")["state"] == "CANCELLED"
    again = await do(
        desk, "LINE1", "deliverRequest", id=request["id"], solution="x", restoresService=True
    )
    assert "CLOSURE" not in {each["thread"] for each in again["clocks"]}
    new = await brought_to(desk, "REGISTERED")
    served = await do(desk, "LINE1", "acceptRequest", id=new["id"], **CRITICAL)
    found = await read(desk, "LINE1", served["id"], "entitlement { outcome }")
    assert found == {"entitlement": {"outcome": "NO_DATA"}}
    everything = await ask(
        desk, MANAGER, "{ recalculations(first: 1) { nodes { kind status done total skipped } } }"
    )
    assert everything["recalculations"]["nodes"] == [
        {"kind": "SWITCH_OFF", "status": "DONE", "done": 2, "total": 2, "skipped": 0}
    ]

    on = await kept(desk, MANAGER, "saveServiceLevel", SHOWN, **level(desk, name="gold", id=gold))
    assert (on["active"], on["current"]["number"]) == (True, 3)


async def test_the_house_level_cannot_be_switched_off(desk: Desk) -> None:
    """R-ENT-04."""
    house = f"svl_{(await level_named('house')).hex}"

    assert await refusals(desk, MANAGER, "switchOffServiceLevel", SHOWN, id=house) == [
        ("HOUSE_LEVEL_STAYS", ["input", "id"])
    ]


async def standing(desk: Desk, request: dict[str, Any]) -> dict[str, Any]:
    """The request as it stands."""
    found = await read(desk, "LINE1", request["id"])
    assert found is not None
    return found


async def test_a_thread_promised_only_later_counts_from_registration(desk: Desk) -> None:
    """R-CAT-03, R-ENT-05: also when the house level promises nothing for it."""
    three = targets_input(RESTORATION=16, RESOLUTION=40, CLOSURE=240)
    house = level(desk, name="house", id=f"svl_{(await level_named('house')).hex}", targets=three)
    await kept(desk, MANAGER, "saveServiceLevel", SHOWN, **house)
    request = await brought_to(desk, "REGISTERED")
    assert {each["thread"] for each in request["clocks"]} == {"RESTORATION", "RESOLUTION"}
    desk.time.pass_(hours(0.5))

    request = await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    assert clock(request, "RESPONSE")["remaining"] == "PT30M"
