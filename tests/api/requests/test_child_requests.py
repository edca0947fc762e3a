"""Cross-product requests: one lead owner, one child per product, clocks on the parent only."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.catalogue.operations import save_product
from itr.settings import Settings
from tests.support.desk import FOUNDER, Desk, hours, open_desk
from tests.support.requests import (
    attempt,
    brought_to,
    call,
    do,
    events_of,
    new_key,
    read,
    refused,
    stored,
    timeline,
    timers_of,
)

FAMILY = """id number version viewerCan isChild parent { id } status
    assignee { name } clocks { thread state }
    children { id number status title product { name } assignee { name } isChild
        parent { id } clocks { thread } entitlement { outcome } stints { line } }"""
SOLVED = {"solution": "换模块", "restoresService": True}


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        for name in ("switch", "firewall"):
            desk.ids[name] = await save_product(FOUNDER, name=name, now=desk.time.now)
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    return opened


async def family(desk: Desk, *products: str, owner: str = "LINE1") -> dict[str, Any]:
    """A request in progress that was split into a child per product."""
    key = (await brought_to(desk, "IN_PROGRESS", owner=owner))["id"]
    await do(desk, owner, "splitRequest", id=key, children=parts(desk, *products))
    return await shown(desk, key)


def parts(desk: Desk, *products: str) -> list[dict[str, str]]:
    return [{"productId": desk.public("prd", name)} for name in products]


async def shown(desk: Desk, key: str, who: str = "LINE1") -> dict[str, Any]:
    found = await read(desk, who, key, FAMILY)
    assert found is not None
    return found


async def solved(desk: Desk, key: str, owner: str = "LINE1") -> None:
    """Deliver and confirm a request."""
    await do(desk, owner, "deliverRequest", id=key, **SOLVED)
    await do(desk, "CUSTOMER", "confirmRequest", id=key)


async def test_a_request_is_split_into_a_child_per_product_under_the_lead_owner(
    desk: Desk,
) -> None:
    """R-REQ-09."""
    parent = await family(desk, "switch", "firewall")

    first, second = sorted(parent["children"], key=lambda child: child["product"]["name"])
    assert [first["product"]["name"], second["product"]["name"]] == ["firewall", "switch"]
    for child in (first, second):
        assert child["isChild"]
        assert child["parent"]["id"] == parent["id"]
        assert (child["status"], child["assignee"]["name"]) == ("DISPATCHED", "LINE1")
        assert child["title"] == "路由器不通 no route"
        assert child["stints"] == [{"line": 1}]
        assert child["entitlement"] is None
    assert not parent["isChild"]
    assert len(await events_of(first["id"])) == 1
    split = (await timeline(desk, "CUSTOMER", parent["id"]))[-1]
    assert split["type"] == "RequestSplit"


async def test_the_parents_clocks_rule_and_children_have_none_all_their_lives(desk: Desk) -> None:
    """R-REQ-09: children follow the lifecycle without clocks."""
    parent = await family(desk, "switch")
    child = parent["children"][0]["id"]
    assert len(parent["clocks"]) == 3

    await do(desk, "LINE1", "startRequest", id=child)
    await do(desk, "LINE1", "respondToRequest", id=child, text="在看")
    await do(desk, "LINE1", "waitRequest", id=child, reason="CUSTOMER")
    await do(desk, "CUSTOMER", "resumeRequest", id=child, answer="好")
    await do(desk, "LINE1", "restoreRequest", id=child, workaround="绕行")
    await do(desk, "LINE1", "deliverRequest", id=child, **SOLVED)
    await do(desk, "CUSTOMER", "rejectSolution", id=child, reason="不行", serviceDown=True)
    await solved(desk, child)
    closed = await do(desk, "LINE1", "closeRequest", id=child)

    assert (closed["status"], closed["clocks"]) == ("CLOSED", [])
    clocks = [row for row in await events_of(child) if "clocks" in row["payload"]]
    assert clocks == []
    assert [each["state"] for each in (await shown(desk, parent["id"]))["clocks"]] == (
        ["RUNNING"] * 3
    )


async def test_children_follow_the_priority_of_their_parent(desk: Desk) -> None:
    """R-REQ-09, R-PRI-03: reclassified with it, never by themselves; reopened they catch up."""
    parent = await family(desk, "switch", "firewall")
    one, two = [child["id"] for child in parent["children"]]
    minor = {"problemType": "FAULT", "faultLevel": "MINOR", "impact": "GROUP"}
    assert await refused(desk, "LINE1", "reclassifyRequest", id=one, **minor) == "FOLLOWS_PARENT"
    assert "RECLASSIFY" not in (await shown(desk, one))["viewerCan"]
    await do(desk, "LINE1", "startRequest", id=two)
    await solved(desk, two)
    await do(desk, "LINE1", "closeRequest", id=two)

    await do(desk, "LINE1", "reclassifyRequest", id=parent["id"], **minor)

    fields = "priority problemType faultLevel impact"
    now = await read(desk, "LINE1", parent["id"], fields)
    assert now is not None
    assert now["priority"] == "P3"
    assert await read(desk, "LINE1", one, fields) == now
    assert (await timeline(desk, "LINE1", one))[-1]["type"] == "RequestReclassified"
    closed = await read(desk, "LINE1", two, fields)
    assert closed is not None
    assert closed["priority"] == "P1"
    await do(desk, "LINE1", "reopenRequest", id=two, reason="又坏了")
    assert await read(desk, "LINE1", two, fields) == now


async def test_the_parent_cannot_close_before_its_children(desk: Desk) -> None:
    """R-REQ-09."""
    parent = await family(desk, "switch", "firewall")
    key = parent["id"]
    await solved(desk, key)
    one, two = [child["id"] for child in parent["children"]]
    assert "CLOSE" not in (await shown(desk, key))["viewerCan"]
    assert await refused(desk, "LINE1", "closeRequest", id=key) == "CHILDREN_OPEN"

    await do(desk, "CUSTOMER", "cancelRequest", id=one, reason="不需要了")
    assert await refused(desk, "LINE1", "closeRequest", id=key) == "CHILDREN_OPEN"
    await do(desk, "LINE1", "startRequest", id=two)
    await solved(desk, two)
    await do(desk, "LINE1", "closeRequest", id=two)

    assert "CLOSE" in (await shown(desk, key))["viewerCan"]
    assert (await do(desk, "LINE1", "closeRequest", id=key))["status"] == "CLOSED"


async def test_a_child_reopens_only_under_an_open_parent(desk: Desk) -> None:
    """R-REQ-09: else the parent would have closed before its child."""
    parent = await family(desk, "switch")
    key, child = parent["id"], parent["children"][0]["id"]
    await do(desk, "LINE1", "startRequest", id=child)
    for each in (child, key):
        await solved(desk, each)
        await do(desk, "LINE1", "closeRequest", id=each)

    assert "REOPEN" not in (await shown(desk, child))["viewerCan"]
    assert await refused(desk, "LINE1", "reopenRequest", id=child, reason="又断了") == (
        "PARENT_ENDED"
    )
    await do(desk, "LINE1", "reopenRequest", id=key, reason="又断了")
    assert (await do(desk, "LINE1", "reopenRequest", id=child, reason="又断了"))["status"] == (
        "IN_PROGRESS"
    )


async def test_closing_a_parent_and_reopening_its_child_at_once_never_both_happen(
    desk: Desk,
) -> None:
    """R-REQ-09 under concurrency."""
    for _ in range(4):
        parent = await family(desk, "switch")
        key, child = parent["id"], parent["children"][0]["id"]
        await do(desk, "LINE1", "startRequest", id=child)
        await solved(desk, child)
        await do(desk, "LINE1", "closeRequest", id=child)
        await solved(desk, key)

        await asyncio.gather(
            attempt(desk, "LINE1", "closeRequest", id=key),
            attempt(desk, "LINE1", "reopenRequest", id=child, reason="又断了"),
        )

        found = await shown(desk, key)
        states = (found["status"], found["children"][0]["status"])
        assert states in {("CLOSED", "CLOSED"), ("CONFIRMED", "IN_PROGRESS")}


async def test_withdrawing_the_parent_withdraws_what_is_not_delivered_of_it(desk: Desk) -> None:
    """R-REQ-09, R-REQ-01."""
    parent = await family(desk, "switch", "firewall")
    delivered, open_ = [child["id"] for child in parent["children"]]
    await do(desk, "LINE1", "startRequest", id=delivered)
    await do(desk, "LINE1", "deliverRequest", id=delivered, **SOLVED)

    await do(desk, "CUSTOMER", "cancelRequest", id=parent["id"], reason="项目取消")

    assert (await shown(desk, delivered))["status"] == "DELIVERED"
    assert (await shown(desk, open_))["status"] == "CANCELLED"
    assert set(await timers_of(delivered)) == {"CONFIRMATION", "CONFIRMATION_REMINDER"}


async def test_a_family_has_two_generations_and_each_product_once(desk: Desk) -> None:
    """R-REQ-09."""
    parent = await family(desk, "switch")
    key, child = parent["id"], parent["children"][0]["id"]
    await do(desk, "LINE1", "startRequest", id=child)

    async def code(of: str, *products: str) -> str:
        return await refused(desk, "LINE1", "splitRequest", id=of, children=parts(desk, *products))

    assert "SPLIT" not in (await shown(desk, child))["viewerCan"]
    assert await code(child, "firewall") == "IS_CHILD"
    assert await code(key, "switch") == "PRODUCT_REPEATED"
    assert await code(key, "firewall", "firewall") == "PRODUCT_REPEATED"
    assert await code(key) == "REQUIRED"
    desk.ids["nothing"] = desk.ids["Acme"]
    assert await code(key, "nothing") == "NOT_FOUND"
    assert len((await shown(desk, key))["children"]) == 1
    await do(desk, "LINE1", "splitRequest", id=key, children=parts(desk, "firewall"))
    assert len((await shown(desk, key))["children"]) == 2


async def test_the_owner_splits_or_who_stands_beside_but_no_customer_and_no_partner(
    desk: Desk,
) -> None:
    """R-ROLE-02, R-ROLE-07."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    given = {"id": key, "children": parts(desk, "switch")}

    assert await refused(desk, "second", "splitRequest", **given) == "NOT_OWNER"
    assert (await call(desk, "CUSTOMER", "splitRequest", **given)).code == "FORBIDDEN"
    assert (await call(desk, "PARTNER", "splitRequest", **given)).code == "FORBIDDEN"
    await do(desk, "LINE_LEAD", "splitRequest", **given)


async def test_splitting_happens_once_per_key_and_at_the_version_read(desk: Desk) -> None:
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    given = {"id": key, "children": parts(desk, "switch"), "clientMutationId": new_key()}
    assert await refused(desk, "LINE1", "splitRequest", **given, expectedVersion=1) == "STALE"
    given["clientMutationId"] = new_key()
    await do(desk, "LINE1", "splitRequest", **given)
    before = await stored()

    await do(desk, "LINE1", "splitRequest", **given)

    assert await stored() == before


async def test_children_are_told_apart_by_a_filter_so_that_figures_leave_them_out(
    desk: Desk,
) -> None:
    """R-REQ-09: children do not count in 991."""
    parent = await family(desk, "switch")
    desk.time.pass_(hours(0))
    query = """query($filter: RequestFilter) { requests(filter: $filter, first: 100) {
        nodes { id } } }"""

    async def ids(**filter: Any) -> set[str]:
        answer = await desk.as_("ANALYST").run(query, {"filter": filter})
        return {node["id"] for node in answer.data["requests"]["nodes"]}

    child = parent["children"][0]["id"]
    whole = await ids(isChild={"eq": False}, number={"eq": parent["number"]})
    assert whole == {parent["id"]}
    assert child in await ids(isChild={"eq": True})
    assert await ids(parentId={"eq": parent["id"]}) == {child}


async def test_a_split_request_is_one_request_in_the_figures(desk: Desk) -> None:
    """R-REQ-09, R-LIN-02: children do not count in 991."""
    query = """{ figures(period: {from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z"}) {
        requests backlog } }"""
    before = (await desk.as_("ANALYST").run(query)).data["figures"][0]

    await family(desk, "switch", "firewall")

    after = (await desk.as_("ANALYST").run(query)).data["figures"][0]
    assert after["requests"] == before["requests"] + 1
    assert after["backlog"] == before["backlog"] + 1
