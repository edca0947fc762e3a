"""Emergency recovery: declared, told every half hour, closed with a problem behind it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from itr.events.work import transaction
from itr.requests.due_timers import fire_due_timers
from itr.requests.operations import fire_timer
from itr.requests.timers import BULLETIN
from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import (
    CRITICAL,
    MINOR,
    ask,
    brought_to,
    call,
    clock,
    do,
    events_of,
    new_key,
    read,
    refused,
    stored,
    submitted,
    timeline,
    timers_of,
)

HALF = timedelta(minutes=30)
SOLVED = {"solution": "换模块", "restoresService": True}
EMERGENCY = """emergency emergencyAt viewerCan version
    bulletins { kind text publishedAt publishedBy { name } }
    bulletinCountdown { dueAt remaining overdueSince }"""


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    return opened


async def emergency(desk: Desk, status: str = "IN_PROGRESS") -> str:
    """A P1 outage that was declared an emergency just now."""
    key: str = (await brought_to(desk, status))["id"]
    await do(desk, "PROCESS_MANAGER", "declareEmergency", id=key, reason="核心网中断")
    return key


async def tell(desk: Desk, id: str, kind: str, who: str = "LINE1") -> dict[str, Any]:
    await do(desk, who, "publishBulletin", id=id, kind=kind, text=f"通报 {kind}")
    return await shown(desk, id)


async def shown(desk: Desk, id: str, who: str = "PROCESS_MANAGER") -> dict[str, Any]:
    found = await read(desk, who, id, EMERGENCY)
    assert found is not None
    return found


async def window_ends(desk: Desk, id: str) -> None:
    """What the worker does when the bulletin's timer is due."""
    async with transaction() as work:
        await fire_timer(work, UUID(id[4:]), BULLETIN, now=desk.time.now)


async def overdue(id: str) -> list[datetime]:
    """The due times that were recorded as missed."""
    return [
        datetime.fromisoformat(orjson.loads(row["payload"])["dueAt"])
        for row in await events_of(id)
        if row["type"] == "BulletinOverdue"
    ]


async def test_a_p1_outage_is_declared_an_emergency_and_a_bulletin_is_due_in_half_an_hour(
    desk: Desk,
) -> None:
    """R-REQ-11: the process manager decides (control point 14)."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    assert "DECLARE_EMERGENCY" in (await shown(desk, key))["viewerCan"]

    await do(desk, "PROCESS_MANAGER", "declareEmergency", id=key, reason="核心网中断")

    found = await shown(desk, key)
    assert found["emergency"]
    assert "DECLARE_EMERGENCY" not in found["viewerCan"]
    assert found["bulletinCountdown"]["remaining"] == "PT30M"
    assert found["bulletinCountdown"]["overdueSince"] is None
    assert (await timers_of(key))[BULLETIN] == desk.time.now + HALF
    entry = (await timeline(desk, "CUSTOMER", key))[-1]
    assert (entry["type"], entry["reason"]) == ("EmergencyDeclared", "核心网中断")


@pytest.mark.parametrize("who", ["LINE1", "LINE2", "LINE_LEAD", "CUSTOMER", "PARTNER"])
async def test_only_the_process_manager_declares(desk: Desk, who: str) -> None:
    """R-REQ-11, R-ROLE-02."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    before = await stored()

    answer = await call(desk, who, "declareEmergency", id=key, reason="中断")

    assert answer.code in {"FORBIDDEN", "NOT_FOUND"}
    assert await stored() == before


async def test_what_is_no_p1_outage_is_no_emergency(desk: Desk) -> None:
    """R-REQ-11: P1, technical, service down."""
    minor = (await brought_to(desk, "IN_PROGRESS", classified=MINOR))["id"]
    restored = (await brought_to(desk, "RESTORED"))["id"]
    office = (await brought_to(desk, "IN_PROGRESS", kind="NON_TECHNICAL"))["id"]

    async def attempt(key: str) -> str:
        assert "DECLARE_EMERGENCY" not in (await shown(desk, key))["viewerCan"]
        return await refused(desk, "PROCESS_MANAGER", "declareEmergency", id=key, reason="中断")

    assert await attempt(minor) == "NOT_AN_OUTAGE"
    assert await attempt(restored) == "MOVE_NOT_ALLOWED"
    assert await attempt(office) == "NOT_AN_OUTAGE"


async def test_it_is_declared_once_whatever_the_network_repeats(desk: Desk) -> None:
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    given = {"id": key, "reason": "中断", "clientMutationId": new_key()}
    await do(desk, "PROCESS_MANAGER", "declareEmergency", **given)
    before = await stored()

    await do(desk, "PROCESS_MANAGER", "declareEmergency", **given)
    again = await refused(desk, "PROCESS_MANAGER", "declareEmergency", id=key, reason="中断")

    assert again == "ALREADY_EMERGENCY"
    assert await stored() == before


async def test_an_emergency_is_declared_at_the_version_it_was_read_at(desk: Desk) -> None:
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]

    code = await refused(
        desk, "PROCESS_MANAGER", "declareEmergency", id=key, reason="中断", expectedVersion=1
    )

    assert code == "STALE"


async def test_an_emergency_lets_what_is_not_served_be_accepted_as_the_outage_it_is(
    desk: Desk,
) -> None:
    """R-ENT-01: NOT_SERVED gets emergency recovery only, when an outage is confirmed."""
    key = (await submitted(desk, productId=desk.public("prd", "toaster")))["id"]
    declare = {"id": key, "reason": "全网中断"}
    assert await refused(desk, "LINE1", "acceptRequest", id=key, **CRITICAL) == "NOT_SERVED"
    unsaid = await refused(desk, "PROCESS_MANAGER", "declareEmergency", **declare)
    minor = await refused(
        desk, "PROCESS_MANAGER", "declareEmergency", **declare, classification=MINOR
    )
    assert (unsaid, minor) == ("NOT_AN_OUTAGE", "NOT_AN_OUTAGE")

    await do(desk, "PROCESS_MANAGER", "declareEmergency", **declare, classification=CRITICAL)

    assert await refused(desk, "LINE1", "acceptRequest", id=key, **MINOR) == "NOT_SERVED"
    accepted = await do(desk, "LINE1", "acceptRequest", id=key, **CRITICAL)
    assert (accepted["status"], accepted["priority"]) == ("AUTHORISED", "P1")


async def test_bulletins_come_in_turn_and_each_winds_the_countdown_up_until_recovery(
    desk: Desk,
) -> None:
    """R-REQ-11: first, progress, recovery, cause; restoration comes before cause."""
    key = await emergency(desk)

    async def out_of_turn(kind: str) -> bool:
        code = await refused(desk, "LINE1", "publishBulletin", id=key, kind=kind, text="。")
        return code == "BULLETIN_OUT_OF_TURN"

    assert [await out_of_turn(kind) for kind in ("PROGRESS", "RECOVERY", "CAUSE")] == [True] * 3
    desk.time.pass_(timedelta(minutes=20))
    found = await tell(desk, key, "FIRST")
    assert found["bulletinCountdown"]["remaining"] == "PT30M"
    assert await out_of_turn("FIRST")
    desk.time.pass_(timedelta(minutes=25))
    found = await tell(desk, key, "PROGRESS", who="LINE_LEAD")
    assert found["bulletinCountdown"]["remaining"] == "PT30M"

    await do(desk, "LINE1", "restoreRequest", id=key, workaround="备用链路")
    assert await out_of_turn("PROGRESS")
    assert await out_of_turn("CAUSE")
    desk.time.pass_(timedelta(minutes=1))
    found = await tell(desk, key, "RECOVERY")
    assert found["bulletinCountdown"] is None
    assert BULLETIN not in await timers_of(key)

    desk.time.pass_(timedelta(days=2))
    found = await tell(desk, key, "CAUSE", who="PROCESS_MANAGER")
    assert found["bulletinCountdown"] is None
    kinds = [bulletin["kind"] for bulletin in found["bulletins"]]
    assert kinds == ["FIRST", "PROGRESS", "RECOVERY", "CAUSE"]
    assert found["bulletins"][1]["publishedBy"]["name"] == "LINE_LEAD"


async def test_the_customer_reads_the_bulletins_and_the_first_one_answers_them(
    desk: Desk,
) -> None:
    """R-REQ-11, R-SLA-01: a bulletin is a public word by a person."""
    key = await emergency(desk)
    await tell(desk, key, "FIRST")

    seen = await shown(desk, key, who="CUSTOMER")
    request = await read(desk, "CUSTOMER", key)
    hidden = await read(desk, "bolt", key)

    assert [bulletin["text"] for bulletin in seen["bulletins"]] == ["通报 FIRST"]
    assert request is not None
    assert clock(request, "RESPONSE")["state"] == "MET"
    assert hidden is None


async def test_bulletins_are_for_emergencies_and_for_those_who_may(desk: Desk) -> None:
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    given = {"id": key, "kind": "FIRST", "text": "。"}

    assert await refused(desk, "LINE1", "publishBulletin", **given) == "NOT_AN_EMERGENCY"
    assert "PUBLISH_BULLETIN" not in (await shown(desk, key))["viewerCan"]
    assert (await call(desk, "CUSTOMER", "publishBulletin", **given)).code == "FORBIDDEN"


async def test_a_bulletin_that_does_not_come_is_recorded_once_per_due_time(desk: Desk) -> None:
    """R-REQ-11: due every 30 minutes of real time, also outside hours, also after an outage."""
    key = await emergency(desk)
    declared = desk.time.now
    found = await shown(desk, key)

    await window_ends(desk, key)
    assert await overdue(key) == []
    desk.time.pass_(HALF)
    await window_ends(desk, key)
    await window_ends(desk, key)
    assert await overdue(key) == [declared + HALF]
    version, found = found["version"], await shown(desk, key)
    assert found["version"] == version  # time passing makes nobody's reading stale
    assert found["bulletinCountdown"]["remaining"] == "PT30M"

    desk.time.pass_(3 * HALF + timedelta(minutes=5))
    late = await shown(desk, key)
    assert late["bulletinCountdown"]["remaining"] == "-PT1H5M"
    assert datetime.fromisoformat(late["bulletinCountdown"]["overdueSince"]) == declared + HALF
    await window_ends(desk, key)

    assert await overdue(key) == [declared + each * HALF for each in (1, 2, 3, 4)]
    assert (await timers_of(key))[BULLETIN] == declared + 5 * HALF
    found = await tell(desk, key, "FIRST")
    assert found["bulletinCountdown"]["overdueSince"] is None
    assert "BulletinOverdue" not in {
        entry["type"] for entry in await timeline(desk, "CUSTOMER", key)
    }


async def test_workers_that_race_for_a_due_bulletin_record_it_once(desk: Desk) -> None:
    """R-REQ-11, R-NOT-02: whoever takes the timer records it."""
    key = await emergency(desk)
    declared = desk.time.now
    desk.time.pass_(HALF + timedelta(minutes=5))

    await asyncio.gather(*(fire_due_timers(desk.time.now) for _ in range(4)))
    await fire_due_timers(desk.time.now)

    assert await overdue(key) == [declared + HALF]
    assert (await timers_of(key))[BULLETIN] == declared + 2 * HALF


async def test_a_bulletin_that_comes_just_as_it_is_due_leaves_one_next_due_time(
    desk: Desk,
) -> None:
    """R-REQ-11: publishing and missing it race for the same request."""
    for _ in range(3):
        key = await emergency(desk)
        desk.time.pass_(HALF)

        await asyncio.gather(fire_due_timers(desk.time.now), tell(desk, key, "FIRST"))
        await fire_due_timers(desk.time.now)

        assert (await timers_of(key))[BULLETIN] == desk.time.now + HALF
        assert len(await overdue(key)) <= 1


async def test_an_emergency_closes_only_with_a_problem_behind_it(desk: Desk) -> None:
    """R-REQ-11, R-LNK-01."""
    key = await emergency(desk)
    await do(desk, "LINE1", "deliverRequest", id=key, **SOLVED)
    await do(desk, "CUSTOMER", "confirmRequest", id=key)
    found = await read(desk, "LINE1", key)
    assert found is not None
    assert "CLOSE" not in found["viewerCan"]
    assert await refused(desk, "LINE1", "closeRequest", id=key) == "PROBLEM_MISSING"

    await do(desk, "LINE1", "openProblem", id=key, title="光模块批次缺陷")
    closed = await do(desk, "LINE1", "closeRequest", id=key)

    assert closed["status"] == "CLOSED"
    assert BULLETIN not in await timers_of(key)
    found = await tell(desk, key, "CAUSE")
    assert [bulletin["kind"] for bulletin in found["bulletins"]] == ["CAUSE"]


async def test_what_ends_an_emergency_ends_its_countdown_and_what_brings_it_back_resumes_it(
    desk: Desk,
) -> None:
    cancelled = await emergency(desk)
    await do(desk, "CUSTOMER", "cancelRequest", id=cancelled, reason="误报")
    assert BULLETIN not in await timers_of(cancelled)

    key = await emergency(desk)
    await do(desk, "LINE1", "deliverRequest", id=key, **SOLVED)
    await tell(desk, key, "RECOVERY")
    await do(desk, "CUSTOMER", "rejectSolution", id=key, reason="又断了", serviceDown=True)

    assert (await timers_of(key))[BULLETIN] == desk.time.now + HALF


async def test_a_problem_goes_step_by_step_and_shows_its_requests(desk: Desk) -> None:
    """R-LNK-01: OPEN → ROOT_CAUSE → KNOWN_ERROR → SOLVED → CLOSED."""
    one, two = [(await brought_to(desk, "IN_PROGRESS"))["id"] for _ in range(2)]
    await do(desk, "LINE2", "openProblem", id=one, title="批次缺陷")
    found = await read(desk, "LINE2", one, "problem { id number title status version }")
    assert found is not None
    problem = found["problem"]
    assert (problem["title"], problem["status"]) == ("批次缺陷", "OPEN")
    await do(desk, "LINE1", "linkProblem", id=two, problemId=problem["id"])
    repeated = await refused(desk, "LINE1", "linkProblem", id=two, problemId=problem["id"])
    assert repeated == "ALREADY_LINKED"

    async def advance(status: str, **more: Any) -> dict[str, Any]:
        answer = await ask(
            desk,
            "LINE3",
            """mutation($input: AdvanceProblemInput!) { advanceProblem(input: $input) {
                userErrors { code path } problem { status rootCause version } } }""",
            input={"id": problem["id"], "status": status, **more},
        )
        payload: dict[str, Any] = answer["advanceProblem"]
        return payload

    async def codes(status: str, **more: Any) -> list[str]:
        return [error["code"] for error in (await advance(status, **more))["userErrors"]]

    assert await codes("SOLVED") == ["PROBLEM_STEP_NOT_ALLOWED"]
    assert await codes("ROOT_CAUSE") == ["REQUIRED"]
    assert await codes("ROOT_CAUSE", rootCause="焊点", expectedVersion=9) == ["STALE"]
    moved = await advance("ROOT_CAUSE", rootCause="焊点", expectedVersion=problem["version"])
    assert moved["problem"]["rootCause"] == "焊点"
    for status in ("KNOWN_ERROR", "SOLVED", "CLOSED"):
        assert (await advance(status))["problem"]["status"] == status
    assert await codes("OPEN") == ["PROBLEM_STEP_NOT_ALLOWED"]

    listed = await ask(
        desk,
        "PROCESS_MANAGER",
        """query($number: String!) { problems(filter: {number: {eq: $number}}) {
            nodes { status requests { nodes { id } } } } }""",
        number=problem["number"],
    )
    seen = listed["problems"]["nodes"][0]["requests"]["nodes"]
    assert {request["id"] for request in seen} == {one, two}


async def test_customers_and_partners_see_no_problem_anywhere(desk: Desk) -> None:
    """R-ROLE-06: problems are internal."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    await do(desk, "LINE1", "openProblem", id=key, title="内部问题")
    found = await read(desk, "LINE1", key, "problem { id }")
    assert found is not None
    query = "query($id: ID!) { node(id: $id) { ... on ServiceRequest { problem { title } } } }"

    problem = {"id": found["problem"]["id"]}
    by_id = await desk.as_("CUSTOMER").run("query($id: ID!) { node(id: $id) { id } }", problem)
    by_request = await desk.as_("CUSTOMER").run(query, {"id": key})
    link = await call(desk, "CUSTOMER", "openProblem", id=key, title="。")

    assert by_id.data["node"] is None
    assert by_request.data["node"]["problem"] is None
    assert [each["path"] for each in by_request.withheld] == [["node", "problem"]]
    assert link.code == "FORBIDDEN"
    types = {entry["type"] for entry in await timeline(desk, "CUSTOMER", key)}
    assert "ProblemLinked" not in types
