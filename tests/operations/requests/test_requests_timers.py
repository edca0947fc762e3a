"""A delivered solution nobody answers: the reminder, the confirmation by silence, the reopening."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from itr.events.work import transaction
from itr.requests.operations import fire_timer
from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import (
    attempt,
    brought_to,
    clock,
    do,
    read,
    refused,
    stored,
    submitted,
    timeline,
    timers_of,
)

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
SOLVED = {"solution": "换模块", "restoresService": True}


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    """The desk on a Monday morning, whatever a test before lived through."""
    opened.time.now = MONDAY
    return opened


async def delivered(desk: Desk) -> dict[str, Any]:
    """A request of Bolt's, at the house level and so in office hours, delivered just now."""
    id_ = (await submitted(desk, "bolt"))["id"]
    await do(desk, "PROCESS_MANAGER", "waiveCharge", id=id_)
    level = {"problemType": "FAULT", "faultLevel": "MAJOR", "impact": "GROUP"}
    await do(desk, "LINE1", "acceptRequest", id=id_, **level)
    await do(desk, "LINE1", "dispatchRequest", id=id_, queueId=desk.public("que", "queue1"))
    await do(desk, "LINE1", "startRequest", id=id_)
    return await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)


async def the_window_ends(desk: Desk, request: dict[str, Any], kind: str) -> None:
    """What the worker does when a timer is due."""
    from uuid import UUID

    async with transaction() as work:
        key = UUID(request["id"].removeprefix("req_"))
        await fire_timer(work, key, kind, now=desk.time.now)


async def test_a_delivery_sets_the_window_of_three_working_days_with_a_reminder_at_half(
    desk: Desk,
) -> None:
    """R-REQ-04, R-CAL-04."""
    request = await delivered(desk)

    assert await timers_of(request["id"]) == {
        "CONFIRMATION_REMINDER": desk.time.now + timedelta(days=1, hours=5.25),  # Tuesday 14:15
        "CONFIRMATION": desk.time.now + timedelta(days=2, hours=9),  # Wednesday 18:00
    }


async def test_silence_confirms_and_is_marked_so(desk: Desk) -> None:
    """R-REQ-04: told to the customer, done by nobody."""
    request = await delivered(desk)
    desk.time.pass_(timedelta(days=1, hours=5.25))
    await the_window_ends(desk, request, "CONFIRMATION_REMINDER")
    desk.time.pass_(timedelta(days=1, hours=3.75))

    await the_window_ends(desk, request, "CONFIRMATION")

    seen = await read(desk, "bolt", request["id"], "status confirmedBySilence confirmedAt")
    assert seen is not None
    assert (seen["status"], seen["confirmedBySilence"]) == ("CONFIRMED", True)
    told = await timeline(desk, "bolt", request["id"])
    assert [each["type"] for each in told[-2:]] == ["ConfirmationReminded", "RequestConfirmed"]
    assert told[-1]["actorName"] == "ITR Desk"
    assert (await do(desk, "LINE1", "closeRequest", id=request["id"]))["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("verb", "given"), [("confirmRequest", {}), ("rejectSolution", {"reason": "仍不通"})]
)
async def test_an_answer_ends_the_window(desk: Desk, verb: str, given: dict[str, str]) -> None:
    """R-REQ-04: and one that fires all the same does nothing."""
    request = await delivered(desk)

    await do(desk, "bolt", verb, id=request["id"], **given)

    assert await timers_of(request["id"]) == {}
    before = await stored()
    desk.time.pass_(timedelta(days=10))
    for kind in ("CONFIRMATION_REMINDER", "CONFIRMATION"):
        await the_window_ends(desk, request, kind)
    assert await stored() == before


async def test_a_confirmation_names_who_checked_the_result(desk: Desk) -> None:
    """R-REQ-01: the customer's own, and no stranger."""
    request = await brought_to(desk, "DELIVERED")
    stranger = {"id": request["id"], "verifiedById": desk.public("per", "bolt")}
    payload = await attempt(desk, "CUSTOMER", "confirmRequest", **stranger)
    assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    assert payload["userErrors"][0]["path"] == ["input", "verifiedById"]

    colleague = {"id": request["id"], "verifiedById": desk.public("per", "colleague")}
    await do(desk, "CUSTOMER", "confirmRequest", **colleague)

    seen = await read(desk, "CUSTOMER", request["id"], "verifiedBy { name }")
    assert seen == {"verifiedBy": {"name": "colleague"}}


async def test_it_reopens_within_seven_days_of_closing(desk: Desk) -> None:
    """R-REQ-01, R-SLA-09: to the microsecond."""
    request = await brought_to(desk, "CLOSED")
    desk.time.pass_(timedelta(days=7))

    request = await do(desk, "LINE1", "reopenRequest", id=request["id"], reason="又断了")

    assert request["status"] == "IN_PROGRESS"
    assert request["reopenCount"] == 1


async def test_later_a_new_request_follows_it(desk: Desk) -> None:
    """R-REQ-01: linked both ways."""
    old = await brought_to(desk, "CLOSED")
    desk.time.pass_(timedelta(days=7, microseconds=1))

    code = await refused(desk, "CUSTOMER", "reopenRequest", id=old["id"], reason="又断了")
    assert code == "REOPEN_TOO_LATE"
    assert "REOPEN" not in (await read(desk, "CUSTOMER", old["id"]) or {})["viewerCan"]
    new = await submitted(desk, followsId=old["id"])

    fields = "follows { number } followedBy { number }"
    assert await read(desk, "CUSTOMER", new["id"], fields) == {
        "follows": {"number": old["number"]},
        "followedBy": [],
    }
    assert await read(desk, "CUSTOMER", old["id"], fields) == {
        "follows": None,
        "followedBy": [{"number": new["number"]}],
    }


async def test_a_request_follows_none_that_the_requester_cannot_see(desk: Desk) -> None:
    """R-ROLE-04."""
    foreign = await submitted(desk, "bolt")
    before = await stored()
    given = {"kind": "TECHNICAL", "title": "t", "description": "d", "productUnknown": True}

    for id_ in (foreign["id"], "req_" + "0" * 32, "💥"):
        payload = await attempt(desk, "CUSTOMER", "submitRequest", **given, followsId=id_)
        assert [(e["code"], e["path"]) for e in payload["userErrors"]] == [
            ("NOT_FOUND", ["input", "followsId"])
        ]

    assert await stored() == before


async def test_a_confirmed_request_reopens_however_late(desk: Desk) -> None:
    """R-REQ-01: the seven days begin with closing; the end of closing is told by its clock."""
    request = await brought_to(desk, "CONFIRMED")
    desk.time.pass_(timedelta(days=30))
    assert clock(request, "CLOSURE")["state"] == "RUNNING"

    request = await do(desk, "CUSTOMER", "reopenRequest", id=request["id"], reason="又断了")

    assert request["status"] == "IN_PROGRESS"
    assert clock(request, "CLOSURE")["state"] in ("CANCELLED", "BREACHED")
