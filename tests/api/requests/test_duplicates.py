"""Duplicates: one request ends in the other, which keeps the earliest registration time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest
from tortoise.connection import get_connection

from itr.catalogue.operations import ContractLineDraft, save_contract
from itr.catalogue.terms import QuotaUnit
from itr.settings import Settings
from tests.support.desk import FOUNDER, Desk, hours, level_named, open_desk
from tests.support.requests import (
    attempt,
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

MERGED = """id number status registeredAt firstResponseAt viewerCan version
    mergedInto { id } duplicates { id } relatedRequests { id }
    clocks { thread state elapsed version nextAlarmAt startedAt breachedAt
        explain { from to counted reason } }"""


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    return opened


async def shown(desk: Desk, key: str, who: str = "LINE1") -> dict[str, Any]:
    found = await read(desk, who, key, MERGED)
    assert found is not None
    return found


async def merge(desk: Desk, duplicate: str, survivor: str, who: str = "LINE1") -> dict[str, Any]:
    return await do(desk, who, "mergeRequests", duplicateId=duplicate, survivorId=survivor)


async def test_situation_24_a_merged_duplicates_clocks_are_cancelled_and_raise_no_alarm(
    desk: Desk,
) -> None:
    """R-REQ-13, situation 24 (Zammad 904)."""
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    duplicate = (await brought_to(desk, "WAITING"))["id"]

    answer = await merge(desk, duplicate, survivor)

    assert answer["id"] == survivor
    found = await shown(desk, duplicate)
    assert (found["status"], found["mergedInto"]["id"]) == ("CANCELLED", survivor)
    assert {each["state"] for each in found["clocks"]} == {"CANCELLED"}
    armed = await get_connection("default").execute_query_dict(
        "select 1 from clock where request_id = $1 and next_alarm_at is not null",
        [duplicate.removeprefix("req_")],
    )
    assert armed == []
    assert [each["id"] for each in (await shown(desk, survivor))["duplicates"]] == [duplicate]


async def test_a_breached_duplicate_alarms_no_more_and_its_breach_stays(desk: Desk) -> None:
    """R-SLA-05, R-REQ-13."""
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    duplicate = (await brought_to(desk, "IN_PROGRESS"))["id"]
    desk.time.pass_(hours(2))

    await merge(desk, duplicate, survivor)

    found = clock(await shown(desk, duplicate), "RESPONSE")
    assert (found["state"], found["nextAlarmAt"]) == ("BREACHED", None)


async def test_the_survivor_keeps_the_earliest_registration_time_and_is_recounted_from_it(
    desk: Desk,
) -> None:
    """R-REQ-13, R-SLA-02: the clocks are what they would be had they started then."""
    duplicate = (await brought_to(desk, "IN_PROGRESS"))["id"]
    registered = (await shown(desk, duplicate))["registeredAt"]
    desk.time.pass_(hours(2.5))
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    before = await shown(desk, survivor)
    desk.time.pass_(hours(0.25))

    await merge(desk, duplicate, survivor)

    found = await shown(desk, survivor)
    assert found["registeredAt"] == registered
    resolution, was = clock(found, "RESOLUTION"), clock(before, "RESOLUTION")
    assert (was["elapsed"], resolution["elapsed"]) == ("PT0S", "PT2H45M")
    assert resolution["startedAt"] == registered
    assert resolution["version"] == was["version"]
    assert resolution["state"] == "RUNNING"
    assert clock(found, "RESPONSE")["state"] == "BREACHED"
    counted = [
        datetime.fromisoformat(each["to"]) - datetime.fromisoformat(each["from"])
        for each in resolution["explain"]
        if each["counted"]
    ]
    assert sum(counted, hours(0)) == hours(2.75)

    await do(desk, "LINE1", "deliverRequest", id=survivor, solution="好了", restoresService=True)
    assert clock(await shown(desk, survivor), "RESOLUTION")["state"] == "MET"


async def test_whoever_was_answered_on_the_duplicate_has_been_answered(desk: Desk) -> None:
    """R-REQ-13, R-SLA-01: the first answer on either counts, so no breach is made up."""
    duplicate = (await submitted(desk))["id"]
    desk.time.pass_(hours(0.25))
    await do(desk, "LINE1", "respondToRequest", id=duplicate, text="收到")
    desk.time.pass_(hours(3))
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]

    await merge(desk, duplicate, survivor)

    found = await shown(desk, survivor)
    assert clock(found, "RESPONSE")["state"] == "MET"
    assert clock(found, "RESPONSE")["elapsed"] == "PT15M"
    await do(desk, "LINE1", "respondToRequest", id=survivor, text="在看")
    await do(desk, "CUSTOMER", "cancelRequest", id=survivor, reason="好了")
    ended = await shown(desk, survivor)
    assert clock(ended, "RESPONSE")["state"] == "MET"
    assert clock(ended, "RESOLUTION")["state"] == "CANCELLED"


async def test_a_later_duplicate_changes_nothing_of_the_survivors_clocks(desk: Desk) -> None:
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    desk.time.pass_(hours(0.5))
    duplicate = (await submitted(desk))["id"]
    before = await shown(desk, survivor)

    await merge(desk, duplicate, survivor)

    found = await shown(desk, survivor)
    assert found["registeredAt"] == before["registeredAt"]
    assert found["clocks"] == before["clocks"]


async def test_both_are_visible_afterwards_and_say_so_to_the_customer(desk: Desk) -> None:
    """R-REQ-13, R-REQ-07."""
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    duplicate = (await submitted(desk))["id"]
    await merge(desk, duplicate, survivor)

    ended = await shown(desk, duplicate, who="CUSTOMER")
    stays = await shown(desk, survivor, who="CUSTOMER")

    assert ended["mergedInto"]["id"] == survivor
    assert [each["id"] for each in ended["relatedRequests"]] == [survivor]
    assert [each["id"] for each in stays["relatedRequests"]] == [duplicate]
    assert (await timeline(desk, "CUSTOMER", duplicate))[-1]["type"] == "RequestMerged"
    assert (await timeline(desk, "CUSTOMER", survivor))[-1]["type"] == "DuplicateMerged"
    assert await read(desk, "bolt", duplicate) is None


async def test_what_a_duplicate_took_of_a_quota_is_given_back(desk: Desk) -> None:
    """R-ENT-03, R-REQ-13: even if work on it had begun."""
    await save_contract(
        FOUNDER,
        number="C-Bolt",
        customer_id=desk.ids["Bolt"],
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        lines=[
            ContractLineDraft(
                number=1,
                service_level_id=await level_named("gold"),
                quota=2,
                quota_unit=QuotaUnit.REQUEST,
            )
        ],
        now=desk.time.now,
    )

    async def taken() -> int:
        rows = await get_connection("default").execute_query_dict(
            "select count(*) as n from quota_taking t join request r on r.id = t.request_id"
            " where t.returned_at is null and r.customer_id = $1",
            [desk.ids["Bolt"]],
        )
        count: int = rows[0]["n"]
        return count

    survivor = (await brought_to(desk, "IN_PROGRESS", who="bolt"))["id"]
    duplicate = (await brought_to(desk, "IN_PROGRESS", who="bolt"))["id"]
    assert await taken() == 2

    await merge(desk, duplicate, survivor)

    assert await taken() == 1


async def test_only_duplicates_of_the_same_customer_before_delivery_are_merged(desk: Desk) -> None:
    """R-REQ-13."""
    ours = (await brought_to(desk, "IN_PROGRESS"))["id"]
    theirs = (await submitted(desk, who="bolt"))["id"]
    delivered = (await brought_to(desk, "DELIVERED"))["id"]
    closed = (await brought_to(desk, "CLOSED"))["id"]

    async def code(duplicate: str, survivor: str) -> str:
        ids = {"duplicateId": duplicate, "survivorId": survivor}
        return await refused(desk, "LINE1", "mergeRequests", **ids)

    assert await code(ours, theirs) == "OTHER_CUSTOMER"
    assert await code(ours, ours) == "SAME_REQUEST"
    assert await code(delivered, ours) == "MOVE_NOT_ALLOWED"
    assert await code(ours, closed) == "MOVE_NOT_ALLOWED"
    assert await code(ours, "req_" + "0" * 32) == "NOT_FOUND"
    assert "MERGE" not in (await shown(desk, delivered))["viewerCan"]
    assert "MERGE" in (await shown(desk, ours))["viewerCan"]
    await do(desk, "PROCESS_MANAGER", "declareEmergency", id=ours, reason="中断")
    other = (await brought_to(desk, "IN_PROGRESS"))["id"]
    assert await code(ours, other) == "EMERGENCY_SURVIVES"
    await merge(desk, other, ours)
    again = await attempt(desk, "LINE1", "mergeRequests", duplicateId=other, survivorId=ours)
    assert [error["code"] for error in again["userErrors"]] == ["MOVE_NOT_ALLOWED"]


async def test_a_parent_with_open_children_and_a_child_are_no_duplicates(desk: Desk) -> None:
    """R-REQ-09, R-REQ-13."""
    parent = (await brought_to(desk, "IN_PROGRESS"))["id"]
    product = desk.public("prd", "router")
    await do(desk, "LINE1", "splitRequest", id=parent, children=[{"productId": product}])
    family = await read(desk, "LINE1", parent, "children { id viewerCan } viewerCan")
    assert family is not None
    child = family["children"][0]["id"]
    other = (await submitted(desk))["id"]

    async def code(duplicate: str, survivor: str) -> str:
        ids = {"duplicateId": duplicate, "survivorId": survivor}
        return await refused(desk, "LINE1", "mergeRequests", **ids)

    assert "MERGE" not in family["viewerCan"]
    assert "MERGE" not in family["children"][0]["viewerCan"]
    assert await code(parent, other) == "CHILDREN_OPEN"
    assert await code(child, other) == "IS_CHILD"
    assert await code(other, child) == "IS_CHILD"


async def test_merging_is_for_who_may_and_happens_once(desk: Desk) -> None:
    """R-ROLE-02."""
    survivor = (await brought_to(desk, "IN_PROGRESS"))["id"]
    duplicate = (await submitted(desk))["id"]
    given = {"duplicateId": duplicate, "survivorId": survivor, "clientMutationId": new_key()}
    for who in ("CUSTOMER", "PARTNER", "LINE2"):
        assert (await call(desk, who, "mergeRequests", **given)).code == "FORBIDDEN"
    stale = {**given, "clientMutationId": new_key(), "expectedVersion": 9}
    assert await refused(desk, "LINE1", "mergeRequests", **stale) == "STALE"

    first = await do(desk, "DISPATCH_MANAGER", "mergeRequests", **given)
    before = await stored()
    again = await do(desk, "DISPATCH_MANAGER", "mergeRequests", **given)

    assert first["id"] == again["id"] == survivor
    assert await stored() == before


async def test_two_requests_merged_into_each_other_at_once_leave_one_standing(desk: Desk) -> None:
    """R-REQ-13 under concurrency: locks are taken in one order."""
    for _ in range(4):
        one, two = (await submitted(desk))["id"], (await submitted(desk))["id"]

        await asyncio.gather(
            attempt(desk, "LINE1", "mergeRequests", duplicateId=one, survivorId=two),
            attempt(desk, "LINE1", "mergeRequests", duplicateId=two, survivorId=one),
        )

        states = {(await shown(desk, each))["status"] for each in (one, two)}
        assert states == {"REGISTERED", "CANCELLED"}
