"""A request from submission to closing, by GraphQL alone, each move by the role that may."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, hours, open_desk

REQUEST = """
    id number status version priority line { } clocks { thread state deadline elapsed remaining }
""".replace("line { }", "")
CLOCKS = "clocks { thread state elapsed remaining target version }"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def do(desk: Desk, who: str, verb: str, **given: Any) -> dict[str, Any]:
    """Let somebody use a verb; the request as it stands afterwards."""
    payload = await attempt(desk, who, verb, **given)
    assert payload["userErrors"] == [], payload
    request: dict[str, Any] = payload["request"]
    return request


async def attempt(desk: Desk, who: str, verb: str, **given: Any) -> dict[str, Any]:
    kind = INPUTS.get(verb, f"{verb[0].upper()}{verb[1:]}Input")
    document = f"""mutation($input: {kind}!) {{ {verb}(input: $input) {{
        userErrors {{ path code message }}
        request {{ id number status version priority solution {CLOCKS} }} }} }}"""
    answer = await desk.as_(who).run(document, {"input": given})
    payload: dict[str, Any] = answer.data[verb]
    return payload


INPUTS = {
    "acceptRequest": "ClassifyRequestInput",
    "reclassifyRequest": "ClassifyRequestInput",
    "startRequest": "RequestInput",
    "closeRequest": "RequestInput",
    "acceptCharge": "RequestInput",
    "waiveCharge": "RequestInput",
    "escalateRequest": "ChangeLineInput",
    "handBackRequest": "ChangeLineInput",
    "rejectSolution": "NotResolvedInput",
    "reopenRequest": "NotResolvedInput",
    "cancelRequest": "ReasonInput",
    "rejectRequest": "ReasonInput",
}


def clock(request: dict[str, Any], thread: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in request["clocks"] if c["thread"] == thread)
    return found


async def submitted(desk: Desk, who: str = "CUSTOMER", **more: Any) -> dict[str, Any]:
    given = {
        "kind": "TECHNICAL",
        "title": "路由器不通 no route",
        "description": "从今天早上起 since this morning 🚨",
        "productId": desk.public("prd", "router"),
        **more,
    }
    return await do(desk, who, "submitRequest", **given)


CLASSIFIED = {"problemType": "FAULT", "faultLevel": "CRITICAL", "impact": "ENTERPRISE"}


async def test_a_request_goes_from_submission_to_closing_with_the_clocks_right_at_every_step(
    desk: Desk,
) -> None:
    """R-REQ-01, R-SLA-01, R-ENT-01, R-ENT-05, R-LIN-01, R-SLA-09."""
    request = await submitted(desk)
    id = request["id"]
    assert request["status"] == "REGISTERED"
    assert request["priority"] == "P3"
    assert clock(request, "RESPONSE") == {
        "thread": "RESPONSE", "state": "RUNNING", "elapsed": "PT0S", "remaining": "PT4H",
        "target": "PT4H", "version": 1,
    }  # fmt: skip

    desk.time.pass_(hours(0.5))
    request = await do(desk, "LINE1", "acceptRequest", id=id, **CLASSIFIED)
    assert (request["status"], request["priority"]) == ("AUTHORISED", "P1")
    assert clock(request, "RESPONSE")["remaining"] == "PT30M"
    assert clock(request, "RESOLUTION")["remaining"] == "PT7H30M"
    assert clock(request, "RESOLUTION")["version"] == 2

    request = await do(
        desk, "DISPATCH_MANAGER", "dispatchRequest", id=id, queueId=desk.public("que", "queue1")
    )
    assert request["status"] == "DISPATCHED"

    request = await do(desk, "LINE1", "startRequest", id=id)
    assert request["status"] == "IN_PROGRESS"

    desk.time.pass_(hours(0.25))
    request = await do(desk, "LINE1", "respondToRequest", id=id, text="我们在看 looking into it")
    assert clock(request, "RESPONSE")["state"] == "MET"
    assert clock(request, "RESPONSE")["elapsed"] == "PT45M"

    request = await do(desk, "LINE1", "waitRequest", id=id, reason="CUSTOMER", note="型号？")
    assert request["status"] == "WAITING"
    assert clock(request, "RESTORATION")["state"] == "PAUSED"
    desk.time.pass_(hours(5))

    request = await do(desk, "CUSTOMER", "resumeRequest", id=id, answer="X-200")
    assert request["status"] == "IN_PROGRESS"
    assert clock(request, "RESTORATION")["elapsed"] == "PT45M"

    request = await do(
        desk, "LINE1", "escalateRequest", id=id, queueId=desk.public("que", "queue2"),
        assigneeId=desk.public("per", "LINE2"), reason="需要二线",
    )  # fmt: skip
    desk.time.pass_(hours(1))
    request = await do(desk, "LINE2", "restoreRequest", id=id, workaround="备用链路")
    assert request["status"] == "RESTORED"
    assert clock(request, "RESTORATION")["state"] == "MET"
    assert clock(request, "RESTORATION")["elapsed"] == "PT1H45M"

    desk.time.pass_(hours(1))
    request = await do(
        desk, "LINE2", "deliverRequest", id=id, solution="换模块", restoresService=True
    )
    assert request["status"] == "DELIVERED"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H45M"
    assert clock(request, "CLOSURE")["state"] == "RUNNING"

    desk.time.pass_(hours(2))
    request = await do(desk, "CUSTOMER", "rejectSolution", id=id, reason="仍然不通")
    assert request["status"] == "IN_PROGRESS"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H45M"
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    assert clock(request, "CLOSURE")["state"] == "CANCELLED"

    desk.time.pass_(hours(1))
    request = await do(
        desk, "LINE2", "deliverRequest", id=id, solution="换主板", restoresService=True
    )
    assert clock(request, "RESOLUTION")["elapsed"] == "PT3H45M"
    assert clock(request, "CLOSURE")["elapsed"] == "PT0S"

    request = await do(desk, "CUSTOMER", "confirmRequest", id=id)
    assert request["status"] == "CONFIRMED"

    request = await do(desk, "LINE1", "closeRequest", id=id)
    assert request["status"] == "CLOSED"
    assert [each["state"] for each in request["clocks"]] == ["MET"] * 4
