"""A request from submission to closing, by GraphQL alone, each move by the role that may."""

from collections.abc import AsyncIterator

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, hours, open_desk
from tests.support.requests import CRITICAL, clock, do, submitted


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def test_a_request_goes_from_submission_to_closing_with_the_clocks_right_at_every_step(
    desk: Desk,
) -> None:
    """R-REQ-01, R-SLA-01, R-ENT-01, R-ENT-05, R-LIN-01, R-SLA-09."""
    request = await submitted(desk)
    id_ = request["id"]
    assert request["status"] == "REGISTERED"
    assert request["priority"] == "P3"
    assert clock(request, "RESPONSE") == {
        "thread": "RESPONSE", "state": "RUNNING", "elapsed": "PT0S", "remaining": "PT4H",
        "target": "PT4H", "version": 1, "deadline": "2026-03-02T06:30:00Z", "breachedAt": None,
        "counting": True,
    }  # fmt: skip

    desk.time.pass_(hours(0.5))
    request = await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    assert (request["status"], request["priority"]) == ("AUTHORISED", "P1")
    assert clock(request, "RESPONSE")["remaining"] == "PT30M"
    assert clock(request, "RESOLUTION")["remaining"] == "PT7H30M"
    assert clock(request, "RESOLUTION")["version"] == 2

    request = await do(
        desk, "DISPATCH_MANAGER", "dispatchRequest", id=id_, queueId=desk.public("que", "queue1")
    )
    assert request["status"] == "DISPATCHED"

    request = await do(desk, "LINE1", "startRequest", id=id_)
    assert request["status"] == "IN_PROGRESS"

    desk.time.pass_(hours(0.25))
    request = await do(desk, "LINE1", "respondToRequest", id=id_, text="我们在看 looking into it")
    assert clock(request, "RESPONSE")["state"] == "MET"
    assert clock(request, "RESPONSE")["elapsed"] == "PT45M"

    request = await do(desk, "LINE1", "waitRequest", id=id_, reason="CUSTOMER", note="型号？")
    assert request["status"] == "WAITING"
    assert clock(request, "RESTORATION")["state"] == "PAUSED"
    desk.time.pass_(hours(5))

    request = await do(desk, "CUSTOMER", "resumeRequest", id=id_, answer="X-200")
    assert request["status"] == "IN_PROGRESS"
    assert clock(request, "RESTORATION")["elapsed"] == "PT45M"

    request = await do(
        desk, "LINE1", "escalateRequest", id=id_, queueId=desk.public("que", "queue2"),
        assigneeId=desk.public("per", "LINE2"), reason="需要二线",
    )  # fmt: skip
    desk.time.pass_(hours(1))
    request = await do(desk, "LINE2", "restoreRequest", id=id_, workaround="备用链路")
    assert request["status"] == "RESTORED"
    assert clock(request, "RESTORATION")["state"] == "MET"
    assert clock(request, "RESTORATION")["elapsed"] == "PT1H45M"

    desk.time.pass_(hours(1))
    request = await do(
        desk, "LINE2", "deliverRequest", id=id_, solution="换模块", restoresService=True
    )
    assert request["status"] == "DELIVERED"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H45M"
    assert clock(request, "CLOSURE")["state"] == "RUNNING"

    desk.time.pass_(hours(2))
    request = await do(desk, "CUSTOMER", "rejectSolution", id=id_, reason="仍然不通")
    assert request["status"] == "IN_PROGRESS"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H45M"
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    assert clock(request, "CLOSURE")["state"] == "CANCELLED"

    desk.time.pass_(hours(1))
    request = await do(
        desk, "LINE2", "deliverRequest", id=id_, solution="换主板", restoresService=True
    )
    assert clock(request, "RESOLUTION")["elapsed"] == "PT3H45M"
    assert clock(request, "CLOSURE")["elapsed"] == "PT0S"

    request = await do(desk, "CUSTOMER", "confirmRequest", id=id_)
    assert request["status"] == "CONFIRMED"

    request = await do(desk, "LINE1", "closeRequest", id=id_)
    assert request["status"] == "CLOSED"
    assert [each["state"] for each in request["clocks"]] == ["MET"] * 4
