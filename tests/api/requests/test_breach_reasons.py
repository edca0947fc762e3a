"""Reasons of breaches: who gives them, who decides, where they are seen (R-SLA-05)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from itr.sla.models import Clock
from tests.support.desk import Desk, hours, open_desk
from tests.support.requests import ask, brought_to, call, do, refused, timeline

SHOWN = """id viewerCan clocks { thread breached breachReason breachReasonState overturnedAt
    breachExplanation { reason note state givenBy { name } decidedBy { name } decidedAt } }"""


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """A desk of this module's own."""
    async with open_desk(settings) as opened:
        yield opened


async def late(desk: Desk, status: str = "IN_PROGRESS") -> str:
    """A request of the gold level, never answered for two hours: RESPONSE is breached."""
    request = await brought_to(desk, "IN_PROGRESS")
    desk.time.pass_(hours(2))
    if status == "CLOSED":
        for who, verb, given in (
            ("LINE1", "deliverRequest", {"solution": "x", "restoresService": True}),
            ("CUSTOMER", "confirmRequest", {}),
            ("LINE1", "closeRequest", {}),
        ):
            await do(desk, who, verb, id=request["id"], **given)
    return str(request["id"])


async def did(desk: Desk, who: str, mutation: str, key: str, **given: Any) -> dict[str, Any]:
    """Use a mutation that must succeed; the request as its doer sees it."""
    payload = (await call(desk, who, mutation, fields=SHOWN, id=key, **given)).data[mutation]
    assert payload["userErrors"] == [], payload
    found: dict[str, Any] = payload["request"]
    return found


async def explained(desk: Desk, key: str, who: str = "LINE1", **more: Any) -> dict[str, Any]:
    """Let somebody give the breach of RESPONSE a reason."""
    given = {"thread": "RESPONSE", "reason": "STAFFING", **more}
    return await did(desk, who, "explainBreach", key, **given)


def response(request: dict[str, Any]) -> dict[str, Any]:
    """The clock in question."""
    found: dict[str, Any] = next(c for c in request["clocks"] if c["thread"] == "RESPONSE")
    return found


@pytest.mark.parametrize("status", ["IN_PROGRESS", "CLOSED"])
async def test_a_breach_is_explained_by_the_owner_and_approved_by_a_manager(desk, status):
    """R-SLA-05: also after closing, which waits for no reason."""
    key = await late(desk, status)

    given = response(await explained(desk, key, note="两人请假"))
    approved = response(await did(desk, "PROCESS_MANAGER", "approveBreachReason", key,
                                  thread="RESPONSE"))  # fmt: skip

    assert (given["breachReason"], given["breachReasonState"]) == (None, "GIVEN")
    assert (approved["breachReason"], approved["breachReasonState"]) == ("STAFFING", "APPROVED")
    explanation = approved["breachExplanation"]
    assert (explanation["reason"], explanation["note"]) == ("STAFFING", "两人请假")
    assert explanation["givenBy"]["name"] == "LINE1"
    assert explanation["decidedBy"]["name"] == "PROCESS_MANAGER"
    assert await refused(desk, "LINE1", "explainBreach", id=key, thread="RESPONSE",
                         reason="SKILL") == "BREACH_REASON_APPROVED"  # fmt: skip


async def test_giving_and_deciding_leaves_the_clock_as_it_is_sealed(desk):
    """R-SLA-05, situation 20."""
    key = await late(desk, "CLOSED")
    before = await sealed(key)

    await explained(desk, key)
    await did(desk, "LINE_LEAD", "approveBreachReason", key, thread="RESPONSE")

    assert await sealed(key) == before


async def sealed(key: str) -> dict[str, Any]:
    """Everything of the clock of RESPONSE but its reason."""
    clock = await Clock.get(request_id=key.removeprefix("req_"), thread="RESPONSE")
    return {
        name: getattr(clock, name)
        for name in clock._meta.db_fields
        if not name.startswith(("breach_reason", "breach_decided", "breach_note"))
    }


async def test_a_refused_reason_is_given_anew(desk):
    """R-SLA-05."""
    key = await late(desk)
    await explained(desk, key)

    turned_down = response(
        await did(desk, "LINE_LEAD", "refuseBreachReason", key, thread="RESPONSE", reason="查班表")
    )
    assert await refused(desk, "LINE_LEAD", "approveBreachReason", id=key,
                         thread="RESPONSE") == "NO_BREACH_REASON"  # fmt: skip
    again = response(await explained(desk, key, reason="WRONG_DISPATCH"))

    assert (turned_down["breachReason"], turned_down["breachReasonState"]) == (None, "REFUSED")
    assert again["breachReasonState"] == "GIVEN"
    assert again["breachExplanation"]["decidedBy"] is None


async def test_nobody_decides_on_the_reason_they_gave(desk):
    """R-SLA-05: a line lead may give one, and another manager decides."""
    key = await late(desk)
    seen = await explained(desk, key, "LINE_LEAD")

    for mutation, more in (("approveBreachReason", {}), ("refuseBreachReason", {"reason": "no"})):
        code = await refused(desk, "LINE_LEAD", mutation, id=key, thread="RESPONSE", **more)
        assert code == "OWN_BREACH_REASON"

    assert "APPROVE_BREACH_REASON" not in seen["viewerCan"]
    await did(desk, "OPERATIONS_DIRECTOR", "approveBreachReason", key, thread="RESPONSE")


async def test_only_the_owner_or_a_lead_explains_and_only_what_is_breached(desk):
    """R-SLA-05, R-ROLE-02, R-ROLE-04."""
    key = await late(desk)
    given = {"id": key, "thread": "RESPONSE", "reason": "SKILL"}

    assert await refused(desk, "second", "explainBreach", **given) == "NOT_OWNER"
    assert await refused(desk, "LINE1", "explainBreach", **{**given, "thread": "RESOLUTION"}) == (
        "NOT_BREACHED"
    )
    assert await refused(desk, "LINE1", "explainBreach", **{**given, "reason": "OTHER"}) == (
        "REQUIRED"
    )
    for who in ("CUSTOMER", "PARTNER", "ANALYST"):
        assert (await call(desk, who, "explainBreach", **given)).code == "FORBIDDEN"
    for who in ("LINE1", "CUSTOMER"):
        answer = await call(desk, who, "approveBreachReason", id=key, thread="RESPONSE")
        assert answer.code == "FORBIDDEN"
    assert await refused(desk, "LINE1", "explainBreach", **{**given, "id": "req_" + "0" * 32}) == (
        "NOT_FOUND"
    )


async def test_viewer_can_says_who_explains_and_who_decides(desk):
    """R-SLA-05."""
    key = await late(desk)

    async def can(who: str) -> set[str]:
        query = "query($id: ID!) { node(id: $id) { ... on ServiceRequest { viewerCan } } }"
        found = (await ask(desk, who, query, id=key))["node"]["viewerCan"]
        return {verb for verb in found if "BREACH" in verb}

    before = {who: await can(who) for who in ("LINE1", "second", "LINE_LEAD", "PROCESS_MANAGER")}
    await explained(desk, key)
    after = {who: await can(who) for who in ("LINE1", "PROCESS_MANAGER")}

    assert before == {
        "LINE1": {"EXPLAIN_BREACH"},
        "second": set(),
        "LINE_LEAD": {"EXPLAIN_BREACH"},
        "PROCESS_MANAGER": set(),
    }
    assert after["PROCESS_MANAGER"] == {"APPROVE_BREACH_REASON", "REFUSE_BREACH_REASON"}
    assert after["LINE1"] == {"EXPLAIN_BREACH"}


async def test_reasons_stand_on_the_timeline_for_our_own_people_only(desk):
    """R-SLA-05, R-ROLE-06: a customer sees the code once it is approved, nothing before."""
    key = await late(desk)
    await explained(desk, key, note="内部说明")
    await did(desk, "LINE_LEAD", "refuseBreachReason", key, thread="RESPONSE", reason="再查")
    await explained(desk, key)
    await did(desk, "LINE_LEAD", "approveBreachReason", key, thread="RESPONSE")

    ours = [each for each in await timeline(desk, "LINE1", key) if "Breach" in each["type"]]
    theirs = [each["type"] for each in await timeline(desk, "CUSTOMER", key)]

    assert [(each["type"], each["reason"], each["text"]) for each in ours] == [
        ("BreachExplained", "STAFFING", "内部说明"),
        ("BreachReasonRefused", "STAFFING", "再查"),
        ("BreachExplained", "STAFFING", None),
        ("BreachReasonApproved", "STAFFING", None),
    ]
    assert not [each for each in theirs if "Breach" in each]
    query = """query($id: ID!) { node(id: $id) { ... on ServiceRequest {
        clocks { thread breachReason breachExplanation { note } } } } }"""
    answer = await desk.as_("CUSTOMER").run(query, {"id": key})
    assert [each["path"][-1] for each in answer.withheld] == ["breachExplanation"]
    shown = response(answer.data["node"])
    assert (shown["breachReason"], shown["breachExplanation"]) == ("STAFFING", None)


async def test_breaches_without_an_approved_reason_are_a_figure_and_a_list(desk):
    """R-SLA-05, R-KPI-02."""
    done, given, bare = [await late(desk) for _ in range(3)]
    await explained(desk, done)
    await did(desk, "LINE_LEAD", "approveBreachReason", done, thread="RESPONSE")
    await explained(desk, given)
    query = """{ figures(by: [THREAD, BREACH_REASON], period: {
            from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z"}) {
        keys { value } breaches breachesUnexplained drillDown(of: BREACHES_UNEXPLAINED) } }"""
    listed = """query($filter: RequestFilter) {
        requests(filter: $filter, first: 100) { nodes { id } } }"""

    rows = {
        row["keys"][1]["value"]: row
        for row in (await ask(desk, "ANALYST", query))["figures"]
        if row["keys"][0]["value"] == "RESPONSE"
    }
    found = await ask(desk, "ANALYST", listed, filter=rows[None]["drillDown"])

    ids = {node["id"] for node in found["requests"]["nodes"]}
    assert {given, bare} <= ids
    assert done not in ids
    assert rows[None]["breaches"] == rows[None]["breachesUnexplained"] >= 2
    assert rows["STAFFING"]["breachesUnexplained"] == 0


async def test_an_earlier_answer_recorded_late_overturns_the_breach_and_that_stays_known(desk):
    """R-SLA-05: the survivor was answered in time, as its duplicate shows (R-REQ-13)."""
    survivor, duplicate = [await brought_to(desk, "IN_PROGRESS") for _ in range(2)]
    await did(desk, "LINE1", "respondToRequest", duplicate["id"], text="在看")
    desk.time.pass_(hours(2))
    await did(desk, "LINE1", "respondToRequest", survivor["id"], text="晚了")
    late_one = response(await explained(desk, survivor["id"]))

    merge = f"""mutation($input: MergeRequestsInput!) {{ mergeRequests(input: $input) {{
        userErrors {{ code }} request {{ {SHOWN} }} }} }}"""
    given = {"duplicateId": duplicate["id"], "survivorId": survivor["id"]}
    payload = (await desk.as_("LINE1").run(merge, {"input": given})).data["mergeRequests"]

    found = response(payload["request"])
    assert late_one["breached"]
    assert not found["breached"]
    assert found["overturnedAt"] is not None
    told = [each["type"] for each in await timeline(desk, "LINE1", survivor["id"])]
    assert told[-2:] == ["DuplicateMerged", "BreachOverturned"]
    assert await refused(desk, "LINE_LEAD", "approveBreachReason", id=survivor["id"],
                         thread="RESPONSE") == "NOT_BREACHED"  # fmt: skip
