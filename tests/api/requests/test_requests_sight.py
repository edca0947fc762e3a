"""Who sees which requests, which of their fields, and what of their timelines."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.actors.roles import Role
from itr.catalogue.projects import create_project
from itr.settings import Settings
from tests.support.client import Answer
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.requests import (
    MUTATIONS,
    TABLE_VERBS,
    ask,
    attempt,
    brought_to,
    call,
    do,
    input_for,
    read,
    refused,
    stored,
    submitted,
    timeline,
)

LISTED = "{ requests(first: 100) { totalCount nodes { id } } }"
EVERYTHING = """query($id: ID!) {
    requests(first: 5, orderBy: [{ field: REGISTERED_AT, direction: DESC }]) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id number title customer { name } assignee { name }
            clocks { thread state } timeline(first: 3) { totalCount nodes { type actorName } } } }
    }
    late: requests(filter: { status: { in: [REGISTERED, IN_PROGRESS] } }) { totalCount }
    node(id: $id) { id }
    nodes(ids: [$id]) { id }
    organisations(first: 100) { totalCount nodes { name } }
    persons(first: 100) { totalCount nodes { name } }
}"""
INSIDE = sorted(
    set(Role) - {Role.CUSTOMER, Role.PARTNER, Role.BRANCH_MANAGER, Role.WALLBOARD, Role.ADMIN}
)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def sees(desk: Desk, who: str, id_: str) -> bool:
    """Whether list, count and node all show a request; all or none do."""
    listed = (await ask(desk, who, LISTED))["requests"]
    assert listed["totalCount"] == len(listed["nodes"])
    in_list = id_ in [each["id"] for each in listed["nodes"]]
    assert (await read(desk, who, id_, "id") is not None) == in_list
    return in_list


def told(answer: Answer) -> dict[str, Any]:
    """An answer without what differs from one request to the next."""
    body = json.loads(answer.content)
    for error in body.get("errors", []):
        del error["extensions"]["requestId"]
    body.pop("extensions", None)
    return dict(body)


async def test_customers_see_their_firms_requests(desk: Desk) -> None:
    """R-ROLE-03."""
    request = await submitted(desk)

    assert await sees(desk, "CUSTOMER", request["id"])
    assert await sees(desk, "colleague", request["id"])
    assert not await sees(desk, "bolt", request["id"])


@pytest.mark.parametrize("role", INSIDE, ids=str)
async def test_internal_roles_see_everything(desk: Desk, role: str) -> None:
    """R-ROLE-03."""
    mine, others = await submitted(desk), await submitted(desk, "bolt")

    seen = await ask(desk, role, LISTED)

    ids = [each["id"] for each in seen["requests"]["nodes"]]
    assert {mine["id"], others["id"]} <= set(ids)


async def test_a_branch_manager_sees_the_branchs(desk: Desk) -> None:
    """R-ROLE-03."""
    shanghai, beijing = await submitted(desk), await submitted(desk, "bolt")

    assert await sees(desk, "BRANCH_MANAGER", shanghai["id"])
    assert not await sees(desk, "BRANCH_MANAGER", beijing["id"])
    assert await sees(desk, "beijing", beijing["id"])
    assert not await sees(desk, "beijing", shanghai["id"])


@pytest.mark.parametrize("role", ["WALLBOARD", "ADMIN"])
async def test_the_wallboard_and_the_admin_read_no_request(desk: Desk, role: str) -> None:
    """R-ROLE-03, R-ROLE-06: not by list, node, nor what hangs on it."""
    request = await brought_to(desk, "IN_PROGRESS")

    answer = await desk.as_(role).run(LISTED)

    assert answer.code == "FORBIDDEN"
    assert answer.errors[0]["path"] == ["requests"]
    assert await read(desk, role, request["id"], "id") is None


async def test_what_others_do_leaves_every_answer_as_it_was(desk: Desk) -> None:
    """S1, R-ROLE-04: lists, counts, cursors, nodes, filters, nested or not."""
    await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    foreign = (await brought_to_of_bolt(desk, "REGISTERED"))["id"]
    watchers = ("CUSTOMER", "PARTNER", "BRANCH_MANAGER")

    before = [told(await desk.as_(who).run(EVERYTHING, {"id": foreign})) for who in watchers]
    for status in ("IN_PROGRESS", "CLOSED"):
        await brought_to_of_bolt(desk, status)
    await do(desk, "bolt", "cancelRequest", id=foreign, reason="不需要了")
    after = [told(await desk.as_(who).run(EVERYTHING, {"id": foreign})) for who in watchers]

    assert after == before
    assert before[0]["data"]["node"] is None


async def brought_to_of_bolt(desk: Desk, status: str) -> dict[str, Any]:
    """A request of the other firm, without a contract, so that its price is agreed first."""
    request = await submitted(desk, "bolt")
    if status == "REGISTERED":
        return request
    id_, queue = request["id"], desk.public("que", "queue1")
    await do(desk, "PROCESS_MANAGER", "waiveCharge", id=id_)
    given = {"problemType": "FAULT", "faultLevel": "MAJOR", "impact": "GROUP"}
    await do(desk, "LINE1", "acceptRequest", id=id_, **given)
    await do(desk, "LINE1", "dispatchRequest", id=id_, queueId=queue)
    request = await do(desk, "LINE1", "startRequest", id=id_)
    if status == "CLOSED":
        solved = {"solution": "换", "restoresService": True}
        await do(desk, "LINE1", "deliverRequest", id=id_, **solved)
        await do(desk, "bolt", "confirmRequest", id=id_)
        request = await do(desk, "LINE1", "closeRequest", id=id_)
    return request


@pytest.mark.parametrize("verb", TABLE_VERBS, ids=str)
async def test_a_request_out_of_sight_is_answered_like_one_that_is_not(
    desk: Desk, verb: Any
) -> None:
    """S2, R-ROLE-04: missing, forbidden, malformed, of another type, whatever the verb."""
    for who, owner in (("CUSTOMER", "bolt"), ("PARTNER", "CUSTOMER"), ("beijing", "CUSTOMER")):
        foreign = (await submitted(desk, owner))["id"]
        before = await stored()
        answers = []
        for id_ in (
            foreign,
            "req_" + "0" * 32,
            foreign[:-1],
            foreign.upper(),
            desk.public("per", "LINE1"),
            "",
            "💥",
            "req_" + "1" * 5000,
        ):
            given = input_for(desk, verb, {"id": id_})
            answers.append(told(await call(desk, who, MUTATIONS[verb], **given)))
        assert all(each == answers[0] for each in answers), answers
        code = json.dumps(answers[0])
        assert "NOT_FOUND" in code or "FORBIDDEN" in code
        assert await stored() == before


async def test_a_partner_sees_what_is_handed_to_its_firm_and_nothing_before(desk: Desk) -> None:
    """R-ROLE-03."""
    request = await brought_to(desk, "AUTHORISED")
    assert not await sees(desk, "PARTNER", request["id"])

    firm = desk.public("que", "queueFirm")
    await do(desk, "DISPATCH_MANAGER", "dispatchRequest", id=request["id"], queueId=firm)

    assert await sees(desk, "PARTNER", request["id"])
    assert not await sees(desk, "rival", request["id"])
    started = await do(desk, "PARTNER", "startRequest", id=request["id"])
    assert started["status"] == "IN_PROGRESS"


async def test_a_partner_keeps_read_only_sight_of_what_it_handed_back(desk: Desk) -> None:
    """R-ROLE-03, R-ROLE-06."""
    request = await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    id_ = request["id"]
    await do(desk, "PARTNER", "handBackRequest", id=id_, reason="不在我方范围")
    before = await stored()

    assert await sees(desk, "PARTNER", id_)
    seen = await read(desk, "PARTNER", id_, "status viewerCan partner { name }")
    assert seen == {"status": "IN_PROGRESS", "viewerCan": [], "partner": None}
    for verb in ("RESPOND", "NOTE", "WAIT", "DELIVER", "ESCALATE", "REQUEUE", "START"):
        mutation = MUTATIONS[verb]  # type: ignore[index]
        given = input_for(desk, verb, request)  # type: ignore[arg-type]
        assert await refused(desk, "PARTNER", mutation, **given) == "HANDED_BACK", verb

    assert await stored() == before
    assert (await timeline(desk, "PARTNER", id_))[-1]["type"] == "RequestHandedBack"


async def test_notes_are_for_whom_they_are_meant(desk: Desk) -> None:
    """R-REQ-07, R-ROLE-06: public, shared with the partner, internal."""
    request = await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    id_ = request["id"]
    await do(desk, "LINE_LEAD", "noteOnRequest", id=id_, text="内部看法")
    await do(desk, "LINE_LEAD", "noteOnRequest", id=id_, text="请先换线", sharedWithPartner=True)
    await do(desk, "PARTNER", "noteOnRequest", id=id_, text="已换线")
    await do(desk, "PARTNER", "respondToRequest", id=id_, text="正在处理")

    async def words(who: str) -> list[str]:
        return [each["text"] for each in await timeline(desk, who, id_) if each["text"]]

    assert await words("LINE1") == ["内部看法", "请先换线", "已换线", "正在处理"]
    assert await words("PARTNER") == ["请先换线", "已换线", "正在处理"]
    assert await words("CUSTOMER") == ["正在处理"]


async def test_what_was_shared_with_one_partner_is_not_shared_with_the_next(desk: Desk) -> None:
    """R-ROLE-06: not other partners, nor notes not shared with them."""
    from itr.people.operations import create_queue
    from tests.support.desk import FOUNDER

    desk.ids["queueRival"] = await create_queue(
        FOUNDER,
        name="Rival",
        line=3,
        now=desk.time.now,
        partner_id=desk.ids["Rival"],
        member_ids=[desk.ids["rival"]],
    )
    id_ = (await brought_to(desk, "IN_PROGRESS", owner="PARTNER"))["id"]
    await do(desk, "LINE_LEAD", "noteOnRequest", id=id_, text="给贵司", sharedWithPartner=True)
    rivals = desk.public("que", "queueRival")
    await do(desk, "LINE_LEAD", "escalateRequest", id=id_, queueId=rivals, reason="换供应商")
    await do(desk, "rival", "startRequest", id=id_)
    await do(desk, "rival", "noteOnRequest", id=id_, text="我方意见")

    first, second = await timeline(desk, "PARTNER", id_), await timeline(desk, "rival", id_)

    assert "给贵司" in [each["text"] for each in first]
    assert "我方意见" not in [each["text"] for each in first]
    assert "我方意见" in [each["text"] for each in second]
    assert "给贵司" not in [each["text"] for each in second]
    for who in ("PARTNER", "CUSTOMER"):
        answer = await desk.as_(who).run(
            "query($id: ID!) { node(id: $id) { ... on ServiceRequest {"
            " partner { name } assignee { name } } } }",
            {"id": id_},
        )
        assert answer.body["data"]["node"] == {"partner": None, "assignee": None}


CUSTOMERS_NEVER = {
    "line": "READ_HANDLING",
    "queue { id }": "READ_HANDLING",
    "partner { id }": "READ_HANDLING",
    "solvedByLine": "READ_HANDLING",
    "stints { id }": "READ_INTERNAL",
}
PARTNERS_NEVER = {"entitlement { outcome }": "READ_CONTRACTS", "stints { id }": "READ_INTERNAL"}


@pytest.mark.parametrize(
    ("who", "fields"), [("CUSTOMER", CUSTOMERS_NEVER), ("PARTNER", PARTNERS_NEVER)]
)
async def test_withheld_fields_are_null_and_told_beside_the_data(
    desk: Desk, who: str, fields: dict[str, str]
) -> None:
    """R-ROLE-06: without an error, so that one page serves every role."""
    request = await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    names = [field.split(maxsplit=1)[0] for field in fields]

    answer = await desk.as_(who).run(
        "query($id: ID!) { node(id: $id) { ... on ServiceRequest { number"
        f" {' '.join(fields)} }} }} }}",
        {"id": request["id"]},
    )

    assert answer.data["node"] == {"number": request["number"], **dict.fromkeys(names)}
    assert answer.withheld == [
        {"path": ["node", name], "permission": needed}
        for name, needed in zip(names, fields.values(), strict=True)
    ]


OWN = "{ id email phone language roles }"


@pytest.mark.parametrize("who", ["CUSTOMER", "PARTNER", "LINE1", "PROCESS_MANAGER"])
async def test_ones_own_mail_telephone_and_roles_are_read_wherever_one_stands(
    desk: Desk, who: str
) -> None:
    """Section 4 of what front-end teams stumbled over: of oneself nothing is withheld."""
    asking = desk.as_(who)
    me = (await asking.run("{ viewer { roles actor { id } } }")).data["viewer"]

    answer = await asking.run(
        f"query($me: ID!) {{ viewer {{ actor {OWN} }}"
        f" node(id: $me) {{ ... on Person {OWN} }}"
        f" nodes(ids: [$me]) {{ ... on Person {OWN} }} }}",
        {"me": me["actor"]["id"]},
    )

    actor = answer.data["viewer"]["actor"]
    assert actor["roles"] == me["roles"]
    assert answer.withheld == []
    assert answer.data["node"] == answer.data["nodes"][0] == actor


async def test_what_is_ones_own_among_others_is_told_by_the_row(desk: Desk) -> None:
    """A list of persons: one's own row is read, the others' are withheld, in one answer."""
    request = await brought_to(desk, "IN_PROGRESS")
    query = (
        "query($id: ID!) { node(id: $id) { ... on ServiceRequest {"
        " contact { id roles } assignee { id roles email } } } }"
    )
    me = (await desk.as_("CUSTOMER").run("{ viewer { actor { id } } }")).data["viewer"]["actor"]

    answer = await desk.as_("CUSTOMER").run(query, {"id": request["id"]})

    assert answer.data["node"]["contact"] == {"id": me["id"], "roles": ["CUSTOMER"]}
    assert answer.data["node"]["assignee"]["email"] is None
    assert answer.withheld == [
        {"path": ["node", "assignee", "roles"], "permission": "MANAGE_PEOPLE"},
        {"path": ["node", "assignee", "email"], "permission": "READ_PEOPLE"},
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        "filter: { line: { eq: 1 } }",
        'filter: { or: [{ solvedByLine: { eq: 2 } }, { title: { contains: "x" } }] }',
        "orderBy: [{ field: LINE, direction: ASC }]",
    ],
)
async def test_nobody_filters_or_sorts_by_what_they_cannot_read(desk: Desk, arguments: str) -> None:
    """S4."""
    await submitted(desk)

    answer = await desk.as_("CUSTOMER").run(f"{{ requests({arguments}) {{ totalCount }} }}")

    assert answer.code == "FORBIDDEN"
    assert answer.body["data"] is None
    inside = await desk.as_("LINE1").run(f"{{ requests({arguments}) {{ totalCount }} }}")
    assert "errors" not in inside.body


async def test_a_customer_sees_plan_deadlines_and_progress(desk: Desk) -> None:
    """R-REQ-05, R-ROLE-06."""
    request = await brought_to(desk, "IN_PROGRESS")
    given = {"summary": "更换光模块", "expectedAt": "2026-03-03T08:00:00Z"}
    await do(desk, "LINE1", "planRequest", id=request["id"], **given)

    seen = await read(
        desk,
        "CUSTOMER",
        request["id"],
        "status plan { summary expectedAt } clocks { thread deadline remaining }",
    )

    assert seen is not None
    assert seen["plan"] == given
    assert [each["thread"] for each in seen["clocks"]] == ["RESPONSE", "RESTORATION", "RESOLUTION"]
    assert all(each["deadline"] for each in seen["clocks"])
    assert (await timeline(desk, "CUSTOMER", request["id"]))[-1]["text"] == "更换光模块"


async def test_a_partner_names_only_people_and_no_projects_it_knows_of_when_it_submits(
    desk: Desk,
) -> None:
    """V8, S2: a customer's other people and its projects are as if there were none."""
    known = await brought_to(desk, "DISPATCHED", owner="PARTNER")
    desk.ids["hidden project"] = await create_project(
        FOUNDER, name="秘密项目", customer_id=desk.ids["Acme"], now=desk.time.now
    )
    acme = {"customerId": desk.public("org", "Acme")}
    asked = {"kind": "TECHNICAL", "title": "t", "description": "d", "productUnknown": True}

    async def answers(name: str, prefix: str, *ids: str) -> list[Any]:
        return [
            await attempt(desk, "PARTNER", "submitRequest", **asked, **acme, **{name: each})
            for each in (f"{prefix}_" + "0" * 32, *ids)
        ]

    for name, prefix, id_ in (
        ("contactId", "per", desk.public("per", "colleague")),
        ("projectId", "prj", desk.public("prj", "hidden project")),
    ):
        missing, hidden = await answers(name, prefix, id_)
        assert hidden == missing
        assert hidden["userErrors"][0]["code"] == "NOT_FOUND"
    contact = (await read(desk, "PARTNER", known["id"], "contact { id }") or {})["contact"]["id"]
    assert await do(desk, "PARTNER", "submitRequest", **asked, contactId=contact)
