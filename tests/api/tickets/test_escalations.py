"""Escalating to management by hand and taking note of it, by GraphQL (R-ESC-01, R-ESC-02)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import (
    attempt,
    brought_to,
    call,
    do,
    new_key,
    read,
    refused,
    stored,
    submitted,
    timeline,
    timers_of,
)

SHOWN = """viewerCan version escalations { id step cause reason thread percent openedAt
    acknowledgeBy toldAgain acknowledgedAt endedAt person { name } acknowledgedBy { name } }"""
UP = "ESCALATE_TO_MANAGEMENT"
NOTE = "ACKNOWLEDGE_ESCALATION"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def shown(desk: Desk, id: str, who: str = "LINE_LEAD") -> dict[str, Any]:
    found = await read(desk, who, id, SHOWN)
    assert found is not None
    return found


async def escalate(desk: Desk, id: str, who: str = "LINE1", **more: Any) -> dict[str, Any]:
    return await do(desk, who, "escalateToManagement", id=id, reason="客户催促", **more)


async def test_an_owner_escalates_with_a_reason_and_the_line_lead_takes_note(desk: Desk) -> None:
    """R-ESC-01, R-ESC-02."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    assert UP in (await shown(desk, key, "LINE1"))["viewerCan"]
    assert NOTE not in (await shown(desk, key))["viewerCan"]

    await escalate(desk, key)
    at = desk.time.now.isoformat().replace("+00:00", "Z")

    found = await shown(desk, key)
    assert NOTE in found["viewerCan"]
    escalation = found["escalations"][0]
    assert escalation.pop("id").startswith("esc_")
    assert escalation.pop("acknowledgeBy") > at
    assert escalation == {
        "step": "LINE_LEAD",
        "cause": "BY_HAND",
        "reason": "客户催促",
        "thread": None,
        "percent": None,
        "openedAt": at,
        "toldAgain": False,
        "acknowledgedAt": None,
        "endedAt": None,
        "person": {"name": "LINE_LEAD"},
        "acknowledgedBy": None,
    }
    assert "ESCALATION" in await timers_of(key)

    await do(desk, "LINE_LEAD", "acknowledgeEscalation", id=key)

    found = await shown(desk, key)
    assert NOTE not in found["viewerCan"]
    assert found["escalations"][0]["acknowledgedBy"] == {"name": "LINE_LEAD"}
    assert "ESCALATION" not in await timers_of(key)
    inside = [(each["type"], each["audience"]) for each in await timeline(desk, "LINE2", key)]
    assert inside[-2:] == [
        ("EscalationOpened", "INTERNAL"),
        ("EscalationAcknowledged", "INTERNAL"),
    ]


async def test_it_goes_to_the_next_step_or_as_far_as_it_shall(desk: Desk) -> None:
    """R-ESC-01: by hand at any time, only up, never beyond the director."""
    key = (await submitted(desk))["id"]
    await escalate(desk, key)
    assert await refused(desk, "LINE2", "escalateToManagement", id=key, reason=" ") == "REQUIRED"
    code = await refused(desk, "LINE2", "escalateToManagement", id=key, reason="急", to="LINE_LEAD")
    await escalate(desk, key, to="OPERATIONS_DIRECTOR")

    assert code == "ESCALATION_NOT_HIGHER"
    found = await shown(desk, key, "PROCESS_MANAGER")
    assert [(each["step"], each["endedAt"] is None) for each in found["escalations"]] == [
        ("LINE_LEAD", False),
        ("OPERATIONS_DIRECTOR", True),
    ]
    assert UP not in found["viewerCan"]
    top = await refused(desk, "LINE2", "escalateToManagement", id=key, reason="急")
    assert top == "ESCALATED_TO_THE_TOP"


async def test_nobody_escalates_to_themselves(desk: Desk) -> None:
    """R-ESC-01: a line lead's escalation comes to the process manager."""
    key = (await brought_to(desk, "DISPATCHED"))["id"]

    await escalate(desk, key, "LINE_LEAD")

    assert (await shown(desk, key))["escalations"][0]["step"] == "PROCESS_MANAGER"
    assert NOTE not in (await shown(desk, key))["viewerCan"]
    code = await refused(desk, "LINE_LEAD", "acknowledgeEscalation", id=key)
    assert code == "ESCALATED_TO_OTHERS"


@pytest.mark.parametrize("who", ["CUSTOMER", "PARTNER", "ANALYST", "WALLBOARD"])
async def test_whoever_may_not_does_not(desk: Desk, who: str) -> None:
    """R-ROLE-02, S16."""
    key = (await brought_to(desk, "IN_PROGRESS", owner="PARTNER"))["id"]
    before = await stored()

    for mutation, given in (
        ("escalateToManagement", {"reason": "急"}),
        ("acknowledgeEscalation", {}),
    ):
        assert (await call(desk, who, mutation, id=key, **given)).code == "FORBIDDEN"

    assert await stored() == before


@pytest.mark.parametrize("who", ["CUSTOMER", "PARTNER"])
async def test_outside_the_house_nothing_of_it_is_seen(desk: Desk, who: str) -> None:
    """S1, R-ROLE-06: no field, no timeline, no list, no version tells of it."""
    key = (await brought_to(desk, "IN_PROGRESS", owner="PARTNER"))["id"]
    wanted = "version updatedAt viewerCan timeline(first: 100) { totalCount nodes { type } }"
    lists = "{ notifications(first: 50) { totalCount } }"
    before = await read(desk, who, key, wanted), (await desk.as_(who).run(lists)).data

    await escalate(desk, key, "LINE2")
    await do(desk, "LINE_LEAD", "acknowledgeEscalation", id=key)

    assert (await read(desk, who, key, wanted), (await desk.as_(who).run(lists)).data) == before
    document = "query($id: ID!) { node(id: $id) { ... on ServiceRequest { escalations { id } } } }"
    answer = await desk.as_(who).run(document, {"id": key})
    assert answer.data["node"]["escalations"] is None
    assert [each["path"] for each in answer.withheld] == [["node", "escalations"]]
    escalation = (await shown(desk, key))["escalations"][0]["id"]
    found = await desk.as_(who).run("query($id: ID!) { node(id: $id) { id } }", {"id": escalation})
    assert found.body["data"]["node"] is None


async def test_a_repeated_mutation_escalates_once(desk: Desk) -> None:
    """S13."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    given = {"id": key, "reason": "急", "clientMutationId": new_key()}

    first = await attempt(desk, "LINE1", "escalateToManagement", **given)
    again = await attempt(desk, "LINE1", "escalateToManagement", **given)

    assert first == again
    assert len((await shown(desk, key))["escalations"]) == 1


async def test_an_ended_request_is_escalated_no_more(desk: Desk) -> None:
    """R-ESC-01, R-REQ-01."""
    key = (await brought_to(desk, "CANCELLED"))["id"]

    code = await refused(desk, "LINE1", "escalateToManagement", id=key, reason="急")

    assert code == "MOVE_NOT_ALLOWED"
    assert UP not in (await shown(desk, key, "LINE1"))["viewerCan"]


async def test_functional_escalation_stays_with_the_owner_and_the_line_lead(desk: Desk) -> None:
    """R-ESC-01, R-ROLE-02: the process manager is escalated to, and hands nothing up."""
    key = (await brought_to(desk, "IN_PROGRESS"))["id"]
    up = {"id": key, "queueId": desk.public("que", "queue2"), "reason": "急"}

    assert (await call(desk, "PROCESS_MANAGER", "escalateRequest", **up)).code == "FORBIDDEN"
    assert (await do(desk, "LINE_LEAD", "escalateRequest", **up))["status"] == "IN_PROGRESS"
