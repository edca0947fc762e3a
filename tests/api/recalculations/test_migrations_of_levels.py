"""Open requests moved to a new version: looked at first, then as seen (R-CAT-03, R-SLA-08)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from itr.recalculations.working import advance
from itr.requests.models import Request
from itr.settings import Settings
from itr.sla.models import Clock
from tests.support.desk import Desk, hours, level_named, open_desk
from tests.support.levels import kept, refusals, targets_input, work_off
from tests.support.requests import ask, brought_to, clock, do, read, timeline

MANAGER = "PROCESS_MANAGER"
LEVEL = "serviceLevel { id current { id number openRequests } versions { id openRequests } }"
SHOWN = "recalculation { id kind status done total flips changes skipped }"
LINES = """query($id: ID!, $filter: RecalculationLineFilter) { whatIf(id: $id) {
    status done total flips changes serviceLevelVersion { number } createdBy { name }
    comparison { thread priority clocks breached breachRate clocksThen breachedThen breachRateThen }
    lines(first: 50, filter: $filter) { totalCount nodes { request { id } thread priority flips
        state stateThen deadline deadlineThen } } } }"""


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        opened.ids["gold"] = await level_named("gold")
        yield opened


async def tightened(desk: Desk, **promised: float) -> str:
    """The id of a new version of gold with these targets, in hours; 24×7 as before."""
    given = {
        "id": desk.public("svl", "gold"),
        "name": "gold",
        "calendarId": desk.public("cal", "always"),
        "targets": targets_input(**{"CLOSURE": 240, **promised}),
        "pauses": [{"reason": "CUSTOMER", "threads": ["RESPONSE", "RESTORATION", "RESOLUTION"]}],
    }
    level = await kept(desk, MANAGER, "saveServiceLevel", LEVEL, **given)
    id_: str = level["current"]["id"]
    return id_


async def previewed(desk: Desk, version: str) -> str:
    """The id of a preview that was computed to its end."""
    preview = await kept(desk, MANAGER, "previewMigration", SHOWN, serviceLevelVersionId=version)
    await work_off(desk.time.now)
    id_: str = preview["id"]
    return id_


async def standing(desk: Desk, id: str) -> dict[str, Any]:
    found = await read(desk, "LINE1", id)
    assert found is not None
    return found


async def test_situation_19_a_migration_shows_what_would_flip_and_then_does_it(
    desk: Desk,
) -> None:
    """Situation 19, R-CAT-03, R-SLA-08: three hours spent; eight promised, then four, then two."""
    running = (await brought_to(desk, "IN_PROGRESS"))["id"]
    paused = (await brought_to(desk, "WAITING"))["id"]
    desk.time.pass_(hours(3))
    before = [await standing(desk, each) for each in (running, paused)]
    version = await tightened(desk, RESPONSE=1, RESTORATION=2, RESOLUTION=2)

    preview = await previewed(desk, version)

    seen = (await ask(desk, MANAGER, LINES, id=preview))["whatIf"]
    assert (seen["status"], seen["done"], seen["total"]) == ("DONE", 2, 2)
    assert (seen["serviceLevelVersion"]["number"], seen["createdBy"]["name"]) == (2, MANAGER)
    flipping = await ask(desk, MANAGER, LINES, id=preview, filter={"flips": {"eq": True}})
    flips = {
        (each["thread"], each["state"], each["stateThen"], each["request"]["id"])
        for each in flipping["whatIf"]["lines"]["nodes"]
    }
    assert flips == {
        ("RESTORATION", "RUNNING", "BREACHED", running),
        ("RESOLUTION", "RUNNING", "BREACHED", running),
    }
    resolution = next(
        each for each in seen["comparison"]
        if (each["thread"], each["priority"]) == ("RESOLUTION", None)
    )  # fmt: skip
    assert resolution == {
        "thread": "RESOLUTION", "priority": None, "clocks": 2, "breached": 0,
        "breachRate": "0.000000", "clocksThen": 2, "breachedThen": 1,
        "breachRateThen": "0.500000",
    }  # fmt: skip
    assert [await standing(desk, each) for each in (running, paused)] == before

    applied = await kept(desk, MANAGER, "applyMigration", SHOWN, previewId=preview)
    assert (applied["kind"], applied["status"]) == ("MIGRATION", "WAITING")
    await work_off(desk.time.now)

    moved = await standing(desk, running)
    assert clock(moved, "RESOLUTION")["state"] == "BREACHED"
    assert clock(moved, "RESOLUTION")["elapsed"] == "PT3H"
    waiting = clock(await standing(desk, paused), "RESOLUTION")
    assert (waiting["state"], waiting["target"], waiting["elapsed"]) == ("PAUSED", "PT2H", "PT0S")
    told = (await timeline(desk, "LINE1", running))[-1]
    assert (told["type"], told["actorName"]) == ("ServiceLevelMigrated", MANAGER)
    levels = await ask(
        desk, MANAGER, "{ serviceLevels(first: 9) { nodes { name versions { openRequests } } } }"
    )
    gold = next(each for each in levels["serviceLevels"]["nodes"] if each["name"] == "gold")
    assert [each["openRequests"] for each in gold["versions"]] == [0, 2]


async def test_what_the_preview_said_is_what_applying_it_does(desk: Desk) -> None:
    """R-CAT-03: the same deadlines and states, clock by clock."""
    for status in ("IN_PROGRESS", "WAITING", "RESTORED", "DELIVERED"):
        await brought_to(desk, status)
        desk.time.pass_(hours(0.7))
    preview = await previewed(
        desk, await tightened(desk, RESPONSE=0.5, RESTORATION=3, RESOLUTION=5)
    )
    seen = (await ask(desk, MANAGER, LINES, id=preview))["whatIf"]["lines"]["nodes"]
    assert len(seen) >= 6

    await kept(desk, MANAGER, "applyMigration", SHOWN, previewId=preview)
    await work_off(desk.time.now)

    for line in seen:
        after = clock(await standing(desk, line["request"]["id"]), line["thread"])
        assert (after["state"], after["deadline"]) == (line["stateThen"], line["deadlineThen"])


async def test_situation_21_a_version_without_a_target_cancels_that_clock_only(
    desk: Desk,
) -> None:
    """Situation 21 (Zammad 5624): and a version that has one again lets it count on."""
    request = (await brought_to(desk, "IN_PROGRESS"))["id"]
    await move_all(desk, RESTORATION=4, RESOLUTION=8)

    clocks = {each["thread"]: each for each in (await standing(desk, request))["clocks"]}
    assert clocks["RESPONSE"]["state"] == "CANCELLED"
    assert clocks["RESPONSE"]["deadline"] is None
    assert clocks["RESOLUTION"]["state"] == "RUNNING"
    assert (await Clock.get(request_id=key(request), thread="RESPONSE")).next_alarm_at is None

    await move_all(desk, RESPONSE=1, RESTORATION=4, RESOLUTION=8)
    assert clock(await standing(desk, request), "RESPONSE")["state"] == "RUNNING"


def key(request: str) -> str:
    return request.removeprefix("req_")


async def move_all(desk: Desk, **promised: float) -> None:
    """Move every open request to a new version of gold."""
    preview = await previewed(desk, await tightened(desk, **promised))
    await kept(desk, MANAGER, "applyMigration", SHOWN, previewId=preview)
    await work_off(desk.time.now)


async def test_a_solution_sent_back_goes_on_under_the_version_it_was_moved_to(
    desk: Desk,
) -> None:
    """R-SLA-09: what was solved in time under the old promise has the new one when reopened."""
    request = (await brought_to(desk, "IN_PROGRESS"))["id"]
    desk.time.pass_(hours(3))
    await do(desk, "LINE1", "deliverRequest", id=request, solution="x", restoresService=True)
    await move_all(desk, RESPONSE=1, RESTORATION=2, RESOLUTION=2)
    assert clock(await standing(desk, request), "RESOLUTION")["state"] == "MET"

    reopened = await do(desk, "CUSTOMER", "rejectSolution", id=request, reason="仍不通")

    assert clock(reopened, "RESOLUTION")["state"] == "BREACHED"
    assert clock(reopened, "RESOLUTION")["target"] == "PT2H"


@pytest.mark.parametrize("what", ["a pause", "a newer version", "a newer calendar", "a day"])
async def test_a_preview_is_stale_once_the_world_has_moved(desk: Desk, what: str) -> None:
    """R-CAT-03: STALE, and nothing is moved."""
    request = (await brought_to(desk, "IN_PROGRESS"))["id"]
    preview = await previewed(desk, await tightened(desk, RESPONSE=1, RESTORATION=3, RESOLUTION=7))
    if what == "a pause":
        await do(desk, "LINE1", "waitRequest", id=request, reason="CUSTOMER")
    elif what == "a newer version":
        await tightened(desk, RESPONSE=1, RESTORATION=3, RESOLUTION=6)
    elif what == "a newer calendar":
        given = {"id": desk.public("cal", "always"), "exceptions": [], "dropped": []}
        await kept(desk, MANAGER, "correctCalendar", "calendar { number }", **given)
    else:
        desk.time.pass_(timedelta(hours=24, seconds=1))

    said = await refusals(desk, MANAGER, "applyMigration", SHOWN, previewId=preview)

    path = "serviceLevelVersionId" if what == "a newer version" else "previewId"
    assert said == [("STALE", ["input", path])]
    assert await work_off(desk.time.now) == 0


async def test_a_note_makes_no_preview_stale(desk: Desk) -> None:
    """R-CAT-03: only what a migration looks at does."""
    request = (await brought_to(desk, "IN_PROGRESS"))["id"]
    preview = await previewed(desk, await tightened(desk, RESPONSE=1, RESTORATION=3, RESOLUTION=7))
    await do(desk, "LINE1", "noteOnRequest", id=request, text="备注")

    await kept(desk, MANAGER, "applyMigration", SHOWN, previewId=preview)


async def test_only_a_preview_that_is_done_is_applied_and_a_migration_can_be_called_off(
    desk: Desk,
) -> None:
    """R-CAT-03: what was moved by then stays moved."""
    await work_off(desk.time.now)
    for _ in range(2):
        await brought_to(desk, "IN_PROGRESS")
    version = await tightened(desk, RESPONSE=1, RESTORATION=3, RESOLUTION=5)
    preview = (await kept(desk, MANAGER, "previewMigration", SHOWN, serviceLevelVersionId=version))[
        "id"
    ]
    assert await refusals(desk, MANAGER, "applyMigration", SHOWN, previewId=preview) == [
        ("PREVIEW_NOT_READY", ["input", "previewId"])
    ]
    await work_off(desk.time.now)
    applied = (await kept(desk, MANAGER, "applyMigration", SHOWN, previewId=preview))["id"]
    await advance(desk.time.now)

    off = await kept(desk, MANAGER, "cancelRecalculation", SHOWN, id=applied)

    assert (off["status"], off["done"]) == ("CANCELLED", 1)
    assert await work_off(desk.time.now) == 0
    moved = await Request.filter(service_level_version_id=version.removeprefix("slv_")).count()
    assert moved == 1


async def test_another_levels_version_and_strangers_are_not_found(desk: Desk) -> None:
    """S2, R-ROLE-02."""
    house = await ask(
        desk, MANAGER, "{ serviceLevels(first: 9) { nodes { name current { id } } } }"
    )
    other = next(e for e in house["serviceLevels"]["nodes"] if e["name"] == "house")
    version = await tightened(desk, RESPONSE=1, RESTORATION=3, RESOLUTION=5)
    assert await refusals(
        desk, MANAGER, "previewMigration", SHOWN,
        serviceLevelVersionId=version, fromVersionId=other["current"]["id"],
    ) == [("NOT_FOUND", ["input", "fromVersionId"])]  # fmt: skip
    assert await refusals(desk, MANAGER, "applyMigration", SHOWN, previewId="rcl_" + "0" * 32) == [
        ("NOT_FOUND", ["input", "previewId"])
    ]
    assert (await ask(desk, MANAGER, '{ whatIf(id: "rcl_x") { id } }'))["whatIf"] is None
    answer = await desk.as_("LINE1").run("{ recalculations(first: 1) { nodes { id } } }")
    assert answer.code == "FORBIDDEN"
