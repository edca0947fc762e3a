"""Third-party equipment: handed to a partner firm under the firm's own clock, and taken back."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from itr.access.operations.persons import create_person
from itr.actors.roles import Role
from itr.catalogue.operations import save_service_level
from itr.catalogue.terms import Priority
from itr.catalogue.underpinning import save_underpinning_contract
from itr.people.operations import create_queue
from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread, WaitingReason
from tests.support.desk import (
    ALWAYS,
    FOUNDER,
    HOUR,
    Desk,
    hours,
    level_named,
    open_desk,
    targets,
)
from tests.support.requests import (
    CRITICAL,
    brought_to,
    call,
    clock,
    do,
    new_key,
    read,
    refused,
    stored,
    submitted,
    timeline,
)

WITH = """id status waitingReason viewerCan version partner { name } assignee { name } line
    clocks { thread state elapsed }
    handOvers { partner { name } handedAt returnedAt state target deadline elapsed remaining
        breachedAt }"""
SOLVED = {"solution": "换板卡", "restoresService": True}


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        now = desk.time.now
        await save_underpinning_contract(
            FOUNDER,
            partner_id=desk.ids["Firm"],
            service_level_id=await level_named("gold"),
            point=19,
            priority=Priority.P1,
            target=Target(us=2 * HOUR),
            risk_accepted_by=desk.ids["PROCESS_MANAGER"],
            now=now,
        )
        desk.ids["queueRival"] = await create_queue(
            FOUNDER,
            name="Rival",
            line=2,
            partner_id=desk.ids["Rival"],
            member_ids=[desk.ids["rival"]],
            now=now,
        )
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    return opened


async def shown(desk: Desk, key: str, who: str = "LINE1") -> dict[str, Any]:
    found = await read(desk, who, key, WITH)
    assert found is not None
    return found


async def handed(desk: Desk, queue: str = "queueFirm", **more: Any) -> str:
    """A P1 request in progress, handed to a firm just now."""
    key: str = (await brought_to(desk, "IN_PROGRESS"))["id"]
    queue_id = desk.public("que", queue)
    given = {"id": key, "queueId": queue_id, "reason": "第三方设备", **more}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", **given)
    return key


async def taken_back(desk: Desk, key: str) -> dict[str, Any]:
    return await do(
        desk, "DISPATCH_MANAGER", "takeBack", id=key,
        queueId=desk.public("que", "queue1"), reason="收回",
    )  # fmt: skip


async def test_a_request_is_handed_over_under_the_firms_own_clock_and_the_customers_runs_on(
    desk: Desk,
) -> None:
    """R-REQ-10: the underpinning contract promises two hours."""
    key = await handed(desk)
    desk.time.pass_(hours(0.5))

    found = await shown(desk, key)

    assert (found["status"], found["partner"]["name"]) == ("IN_PROGRESS", "Firm")
    stay = found["handOvers"][0]
    assert (stay["state"], stay["target"], stay["elapsed"]) == ("RUNNING", "PT2H", "PT30M")
    assert stay["remaining"] == "PT1H30M"
    assert clock(found, "RESOLUTION")["state"] == "RUNNING"
    assert clock(found, "RESOLUTION")["elapsed"] == "PT30M"


async def test_the_firms_clock_ends_when_the_request_comes_back_in_time_or_late(
    desk: Desk,
) -> None:
    """R-REQ-10, R-SLA-04."""
    in_time, late = await handed(desk), await handed(desk)
    desk.time.pass_(hours(2))
    assert (await taken_back(desk, in_time))["status"] == "IN_PROGRESS"
    desk.time.pass_(hours(0.5))
    assert (await shown(desk, late))["handOvers"][0]["state"] == "BREACHED"
    assert (await shown(desk, late))["handOvers"][0]["remaining"] == "-PT30M"
    await taken_back(desk, late)
    desk.time.pass_(hours(1))

    met, missed = [(await shown(desk, key))["handOvers"][0] for key in (in_time, late)]

    assert (met["state"], met["elapsed"]) == ("MET", "PT2H")
    assert (missed["state"], missed["elapsed"]) == ("BREACHED", "PT2H30M")
    assert missed["breachedAt"] == missed["deadline"]
    found = await shown(desk, late)
    assert (found["partner"], found["assignee"], found["line"]) == (None, None, 1)


async def test_the_firms_delivery_ends_its_clock_and_a_rejected_solution_goes_on_with_it(
    desk: Desk,
) -> None:
    """R-REQ-10, R-SLA-09: time spent solved is left out."""
    key = await handed(desk)
    await do(desk, "PARTNER", "startRequest", id=key)
    desk.time.pass_(hours(1))
    await do(desk, "PARTNER", "deliverRequest", id=key, **SOLVED)
    assert (await shown(desk, key))["handOvers"][0]["state"] == "MET"
    desk.time.pass_(hours(3))
    await do(desk, "CUSTOMER", "rejectSolution", id=key, reason="不行")
    desk.time.pass_(hours(0.5))

    stay = (await shown(desk, key))["handOvers"][0]

    assert (stay["state"], stay["elapsed"], stay["remaining"]) == ("RUNNING", "PT1H30M", "PT30M")


async def test_waiting_for_the_firm_is_no_pause_of_the_firm_but_waiting_for_the_customer_is(
    desk: Desk,
) -> None:
    """R-REQ-10, R-CP-02: point 19 runs through the pause it causes."""
    key = await handed(desk)
    await do(desk, "PARTNER", "startRequest", id=key)
    desk.time.pass_(hours(0.25))
    await do(desk, "PARTNER", "waitRequest", id=key, reason="THIRD_PARTY")
    desk.time.pass_(hours(0.25))
    assert (await shown(desk, key))["handOvers"][0]["elapsed"] == "PT30M"

    await do(desk, "PARTNER", "waitRequest", id=key, reason="CUSTOMER")
    desk.time.pass_(hours(5))
    paused = (await shown(desk, key))["handOvers"][0]
    assert (paused["state"], paused["elapsed"]) == ("PAUSED", "PT30M")
    assert (paused["remaining"], paused["deadline"]) == ("PT1H30M", None)
    await do(desk, "CUSTOMER", "resumeRequest", id=key, answer="好")

    running = (await shown(desk, key))["handOvers"][0]
    assert (running["state"], running["elapsed"]) == ("RUNNING", "PT30M")


async def test_a_firm_that_hands_back_what_waited_for_it_ends_the_wait(desk: Desk) -> None:
    """R-REQ-10, R-CP-02: nobody waits for a firm that has nothing in hand; point 19 is over."""
    key = await handed(desk, waiting=True, assigneeId=desk.public("per", "PARTNER"))
    assert await engaged(desk, key)
    desk.time.pass_(hours(1))
    ours = {"queueId": desk.public("que", "queue1"), "reason": "修好了"}

    await do(desk, "PARTNER", "handBackRequest", id=key, **ours)

    found = await shown(desk, key)
    assert (found["status"], found["waitingReason"], found["partner"]) == (
        "IN_PROGRESS",
        None,
        None,
    )
    assert not await engaged(desk, key)
    assert found["handOvers"][0]["state"] == "MET"


async def test_what_else_it_waits_for_goes_on_when_the_firm_hands_back(desk: Desk) -> None:
    """R-REQ-03, R-REQ-10: the firm's delivery ends the wait for the firm alone."""
    key = await handed(desk, waiting=True, assigneeId=desk.public("per", "PARTNER"))
    await do(desk, "PARTNER", "waitRequest", id=key, reason="CUSTOMER")
    taken = await handed(desk, waiting=True, assigneeId=desk.public("per", "PARTNER"))
    await do(desk, "PARTNER", "waitRequest", id=taken, reason="SPARE_PART")
    desk.time.pass_(hours(1))

    await do(desk, "PARTNER", "handBackRequest", id=key, reason="修好了")
    await taken_back(desk, taken)

    for back, reason in ((key, "CUSTOMER"), (taken, "SPARE_PART")):
        found = await read(desk, "LINE1", back, "status waitingReason waits { reason }")
        waits = [{"reason": reason}]
        assert found == {"status": "WAITING", "waitingReason": reason, "waits": waits}
        assert not await engaged(desk, back)


async def test_a_firm_stays_engaged_while_it_waits_for_the_customer(desk: Desk) -> None:
    """R-REQ-10, R-CP-02: point 19 pauses with its thread then, and goes on with its budget."""
    key = await handed(desk)
    await do(desk, "PARTNER", "startRequest", id=key)
    desk.time.pass_(hours(0.25))
    await do(desk, "PARTNER", "waitRequest", id=key, reason="CUSTOMER")
    desk.time.pass_(hours(3))
    assert await engaged(desk, key) == "PT15M"
    await do(desk, "CUSTOMER", "resumeRequest", id=key, answer="好")
    desk.time.pass_(hours(0.25))
    await do(desk, "PARTNER", "requeueRequest", id=key, reason="换人")
    desk.time.pass_(hours(0.25))

    assert await engaged(desk, key) == "PT45M"


async def engaged(desk: Desk, key: str) -> str | None:
    """How long control point 19 has been open for; None: it is not."""
    points = "controlPoints { number elapsed completedAt }"
    found = await read(desk, "LINE1", key, points)
    assert found is not None
    open_ = [each for each in found["controlPoints"] if each["completedAt"] is None]
    return next((each["elapsed"] for each in open_ if each["number"] == 19), None)


async def test_the_customers_clock_stands_still_only_if_the_service_level_says_so(
    desk: Desk,
) -> None:
    """R-REQ-10: gold does not pause for third parties; the level saved here does."""
    runs = await handed(desk, waiting=True)
    await save_service_level(
        FOUNDER,
        name="gold",
        calendar_id=desk.ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=8, CLOSURE=240),
        pauses=[(WaitingReason.THIRD_PARTY, thread) for thread in Thread],
        now=desk.time.now,
    )
    stands = await handed(desk, waiting=True)
    desk.time.pass_(hours(1))

    running, standing = await shown(desk, runs), await shown(desk, stands)
    assert (running["status"], running["waitingReason"]) == ("WAITING", "THIRD_PARTY")
    assert clock(running, "RESOLUTION")["state"] == "RUNNING"
    assert clock(standing, "RESOLUTION")["state"] == "PAUSED"
    assert clock(standing, "RESOLUTION")["elapsed"] == "PT0S"
    assert standing["handOvers"][0]["elapsed"] == "PT1H"
    back = await taken_back(desk, stands)

    assert back["status"] == "IN_PROGRESS"
    assert clock(back, "RESOLUTION")["state"] == "RUNNING"


async def test_what_a_firms_program_writes_answers_nobody(desk: Desk) -> None:
    """R-SLA-01, situation 16: never an automatic message."""
    key = await handed(desk)
    firm = desk.ids["Firm"]
    desk.ids["program"] = await create_person(
        FOUNDER, firm, "program", (Role.PARTNER,), machine=True, now=desk.time.now
    )

    automatic = await do(desk, "program", "respondToRequest", id=key, text="工单已接收")
    by_a_person = await do(desk, "PARTNER", "respondToRequest", id=key, text="在看")

    assert clock(automatic, "RESPONSE")["state"] == "RUNNING"
    assert clock(by_a_person, "RESPONSE")["state"] == "MET"


async def test_a_firm_without_an_underpinning_contract_has_no_clock(desk: Desk) -> None:
    """R-REQ-10."""
    key = await handed(desk, "queueRival")

    stay = (await shown(desk, key))["handOvers"][0]

    assert (stay["partner"]["name"], stay["state"], stay["deadline"]) == ("Rival", None, None)
    assert stay["elapsed"] is None


async def test_escalating_to_a_firms_queue_runs_its_clock_too(desk: Desk) -> None:
    """R-REQ-10: whichever way it came there."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    queue = desk.public("que", "queueFirm")
    await do(desk, "LINE1", "escalateRequest", id=key, queueId=queue, reason="第三方")

    assert (await shown(desk, key))["handOvers"][0]["state"] == "RUNNING"


async def test_a_child_is_handed_over_while_its_parent_stays(desk: Desk) -> None:
    """R-REQ-09, R-REQ-10."""
    parent = (await brought_to(desk, "IN_PROGRESS"))["id"]
    product = desk.public("prd", "router")
    await do(desk, "LINE1", "splitRequest", id=parent, children=[{"productId": product}])
    family = await read(desk, "LINE1", parent, "children { id }")
    assert family is not None
    child = family["children"][0]["id"]
    queue = desk.public("que", "queueFirm")

    await do(desk, "LINE1", "handToPartner", id=child, queueId=queue, reason="第三方")

    assert (await shown(desk, child))["handOvers"][0]["state"] == "RUNNING"
    assert (await shown(desk, parent))["handOvers"] == []
    assert await read(desk, "PARTNER", parent) is None
    seen = await read(desk, "PARTNER", child, "status parent { id }")
    assert seen == {"status": "DISPATCHED", "parent": None}


async def test_customers_see_no_firm_and_firms_only_their_own_stay(desk: Desk) -> None:
    """R-ROLE-06."""
    key = await handed(desk, "queueRival")
    await taken_back(desk, key)
    queue = desk.public("que", "queueFirm")
    reason = {"queueId": queue, "reason": "换一家"}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", id=key, **reason)
    query = """query($id: ID!) { node(id: $id) { ... on ServiceRequest {
        handOvers { partner { name } } } } }"""

    customer = await desk.as_("CUSTOMER").run(query, {"id": key})
    firm = await desk.as_("PARTNER").run(query, {"id": key})
    rival = await desk.as_("rival").run(query, {"id": key})

    assert customer.data["node"]["handOvers"] is None
    assert firm.data["node"]["handOvers"] == [{"partner": {"name": "Firm"}}]
    assert rival.data["node"]["handOvers"] == [{"partner": {"name": "Rival"}}]
    assert len((await shown(desk, key))["handOvers"]) == 2
    types = [entry["type"] for entry in await timeline(desk, "rival", key)]
    assert types[-1] == "RequestTakenBack"
    assert "RequestHandedToPartner" not in {
        entry["type"] for entry in await timeline(desk, "CUSTOMER", key)
    }


async def answered_by(desk: Desk, who: str, queue: str) -> str:
    """A request of Acme's with a firm, whose technician took it and answered the customer."""
    key = await handed(desk, queue)
    await do(desk, who, "startRequest", id=key)
    await do(desk, who, "respondToRequest", id=key, text=f"answer of {who}")
    return key


async def names_on(desk: Desk, reader: str, key: str, text: str) -> set[str]:
    """By which name somebody knows who wrote this."""
    entries = await timeline(desk, reader, key)
    return {entry["actorName"] for entry in entries if entry["text"] == text}


async def test_partner_staff_are_named_to_their_firm_and_to_us_and_to_others_the_firm_is(
    desk: Desk,
) -> None:
    """R-ROLE-08: on the timeline, as the owner, as a node, and in filters."""
    key = await answered_by(desk, "PARTNER", "queueFirm")
    owner = "assignee { name } assigneeName"
    with_firm = {who: await read(desk, who, key, owner) for who in ("LINE1", "PARTNER", "CUSTOMER")}
    back = {"queueId": desk.public("que", "queue1"), "reason": "换一家"}
    await do(desk, "DISPATCH_MANAGER", "takeBack", id=key, **back)
    given = {"queueId": desk.public("que", "queueRival"), "reason": "换一家"}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", id=key, **given)
    await do(desk, "rival", "startRequest", id=key)

    known = {"assignee": {"name": "PARTNER"}, "assigneeName": "PARTNER"}
    assert with_firm["LINE1"] == with_firm["PARTNER"] == known
    assert with_firm["CUSTOMER"] == {"assignee": None, "assigneeName": "Firm"}
    for reader, name in {
        "LINE1": "PARTNER", "PARTNER": "PARTNER", "CUSTOMER": "Firm", "rival": "Firm"
    }.items():  # fmt: skip
        assert await names_on(desk, reader, key, "answer of PARTNER") == {name}, reader
    assert await read(desk, "PARTNER", key, owner) == {"assignee": None, "assigneeName": "Rival"}
    node = "query($id: ID!) { node(id: $id) { id } }"
    count = """query($id: ID!) { requests(filter: { assigneeId: { eq: $id } }) { totalCount }
        persons(filter: { id: { eq: $id } }) { totalCount } }"""
    theirs = {"id": desk.public("per", "rival")}
    nothing = {"requests": {"totalCount": 0}, "persons": {"totalCount": 0}}
    for reader in ("CUSTOMER", "PARTNER"):
        assert (await desk.as_(reader).run(node, theirs)).data == {"node": None}
        assert (await desk.as_(reader).run(count, theirs)).data == nothing
    assert (await desk.as_("LINE1").run(count, theirs)).data["requests"]["totalCount"] > 0


LATER = "solution workaround plan { summary } endedReason bulletins { text } status"


async def test_a_firm_reads_what_it_handed_back_as_it_was_then(desk: Desk) -> None:
    """R-ROLE-03: not later replies, notes, plans or the solution; the customer and we read on."""
    key = await answered_by(desk, "PARTNER", "queueFirm")
    before = [each["type"] for each in await timeline(desk, "PARTNER", key)]
    back = {"queueId": desk.public("que", "queue1"), "reason": "不在范围"}
    await do(desk, "DISPATCH_MANAGER", "takeBack", id=key, **back)
    plan = {"summary": "later plan", "expectedAt": "2027-03-04T01:00:00Z"}
    await do(desk, "LINE1", "startRequest", id=key)
    await do(desk, "LINE1", "planRequest", id=key, **plan)
    await do(desk, "LINE1", "respondToRequest", id=key, text="later reply")
    await do(desk, "LINE1", "restoreRequest", id=key, workaround="later workaround")
    await do(desk, "LINE1", "deliverRequest", id=key, **SOLVED)

    seen = await read(desk, "PARTNER", key, LATER)
    assert seen == {
        "solution": None,
        "workaround": None,
        "plan": None,
        "endedReason": None,
        "bulletins": [],
        "status": "DELIVERED",
    }
    types = [each["type"] for each in await timeline(desk, "PARTNER", key)]
    assert types == [*before, "RequestTakenBack"]
    for reader in ("CUSTOMER", "LINE1"):
        found = await read(desk, reader, key, LATER)
        assert found is not None
        assert (found["solution"], found["workaround"]) == ("换板卡", "later workaround")
        assert "later reply" in [each["text"] for each in await timeline(desk, reader, key)]


async def test_a_firm_that_has_a_request_again_reads_all_of_it(desk: Desk) -> None:
    """R-ROLE-03: it needs to know what happened meanwhile."""
    key = await answered_by(desk, "PARTNER", "queueFirm")
    back = {"queueId": desk.public("que", "queue1"), "reason": "不在范围"}
    await do(desk, "DISPATCH_MANAGER", "takeBack", id=key, **back)
    await do(desk, "LINE1", "startRequest", id=key)
    await do(desk, "LINE1", "restoreRequest", id=key, workaround="meanwhile")
    again = {"queueId": desk.public("que", "queueFirm"), "reason": "再看看"}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", id=key, **again)

    found = await read(desk, "PARTNER", key, "workaround")

    assert found == {"workaround": "meanwhile"}
    assert "meanwhile" in [each["text"] for each in await timeline(desk, "PARTNER", key)]


async def test_a_firm_that_registered_a_request_follows_it_to_its_end(desk: Desk) -> None:
    """R-ROLE-03: as its requester it reads what the customer is told."""
    await handed(desk, "queueFirm")
    request = await submitted(desk, "PARTNER", customerId=desk.public("org", "Acme"))
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    await do(desk, "LINE1", "respondToRequest", id=request["id"], text="told to all")

    texts = [each["text"] for each in await timeline(desk, "PARTNER", request["id"])]

    assert "told to all" in texts


async def test_hand_overs_go_to_firms_and_come_back_to_us(desk: Desk) -> None:
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    ours, firm = desk.public("que", "queue2"), desk.public("que", "queueFirm")

    async def code(who: str, verb: str, queue: str, **more: Any) -> str:
        given = {"id": key, "queueId": queue, "reason": "原因", **more}
        return await refused(desk, who, verb, **given)

    assert "TAKE_BACK" not in (await shown(desk, key))["viewerCan"]
    assert await code("DISPATCH_MANAGER", "takeBack", ours) == "NOT_WITH_PARTNER"
    assert await code("DISPATCH_MANAGER", "handToPartner", ours) == "NOT_PARTNERS_QUEUE"
    assert await code("second", "handToPartner", firm) == "NOT_OWNER"
    wrong = {"assigneeId": desk.public("per", "LINE2")}
    assert await code("LINE1", "handToPartner", firm, **wrong) == "NOT_IN_QUEUE"
    assert await code("LINE1", "handToPartner", firm, expectedVersion=1) == "STALE"
    given = {"id": key, "queueId": firm, "reason": "第三方", "clientMutationId": new_key()}
    await do(desk, "LINE1", "handToPartner", **given)
    before = await stored()
    await do(desk, "LINE1", "handToPartner", **given)
    assert await stored() == before

    seen = (await shown(desk, key, who="DISPATCH_MANAGER"))["viewerCan"]
    assert {"HAND_TO_PARTNER", "TAKE_BACK"} & set(seen) == {"TAKE_BACK"}
    assert await code("DISPATCH_MANAGER", "handToPartner", firm) == "ALREADY_WITH_PARTNER"
    assert await code("DISPATCH_MANAGER", "takeBack", firm) == "NOT_OUR_QUEUE"
    for who in ("PARTNER", "CUSTOMER"):
        answer = await call(desk, who, "takeBack", id=key, queueId=ours, reason="。")
        assert answer.code == "FORBIDDEN"


async def test_a_request_nobody_has_started_cannot_wait_for_the_firm(desk: Desk) -> None:
    """R-REQ-01: only what is in hand waits."""
    key = (await brought_to(desk, "DISPATCHED"))["id"]
    given = {"id": key, "queueId": desk.public("que", "queueFirm"), "reason": "第三方"}

    code = await refused(desk, "DISPATCH_MANAGER", "handToPartner", **given, waiting=True)
    moved = await do(desk, "DISPATCH_MANAGER", "handToPartner", **given)

    assert (code, moved["status"]) == ("MOVE_NOT_ALLOWED", "DISPATCHED")
    found = await shown(desk, key)
    assert datetime.fromisoformat(found["handOvers"][0]["handedAt"]) == desk.time.now


async def test_a_calendar_that_changes_recounts_the_firms_open_clock(desk: Desk) -> None:
    """R-SLA-10, R-REQ-10."""
    key = await handed(desk)
    desk.time.pass_(hours(0.5))
    closed = CalendarDefinition(
        "Asia/Shanghai", shifts=(Shift(6, "00:00", "24:00"),)
    )  # Sundays only
    await save_calendar(FOUNDER, name="always", definition=closed, now=desk.time.now)

    while await recompute_batch(desk.time.now):
        pass

    stay = (await shown(desk, key))["handOvers"][0]
    assert (stay["state"], stay["elapsed"], stay["remaining"]) == ("RUNNING", "PT0S", "PT2H")
    await save_calendar(FOUNDER, name="always", definition=ALWAYS, now=desk.time.now)
    while await recompute_batch(desk.time.now):
        pass
    assert (await shown(desk, key))["handOvers"][0]["elapsed"] == "PT30M"
