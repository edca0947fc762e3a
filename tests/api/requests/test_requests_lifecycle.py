"""The lifecycle of a request, move by move: who may, who may not, and what there is not."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from itr.actors.roles import Role
from itr.people.operations import create_queue
from itr.requests.lifecycle import RequestVerb
from itr.requests.terms import RequestStatus
from itr.settings import Settings
from tests.support.desk import FOUNDER, Desk, hours, open_desk
from tests.support.requests import (
    MUTATIONS,
    attempt,
    brought_to,
    call,
    clock,
    do,
    events_of,
    input_for,
    read,
    refused,
    stored,
    submitted,
    timeline,
    twin_of,
)

V = RequestVerb

BEFORE_DELIVERED = "REGISTERED AUTHORISED DISPATCHED IN_PROGRESS WAITING RESTORED"
OPEN = f"{BEFORE_DELIVERED} DELIVERED CONFIRMED"
ALL = f"{OPEN} CLOSED REJECTED CANCELLED"

TABLE: Mapping[RequestVerb, str] = {
    V.ACCEPT: "REGISTERED",
    V.REJECT: "REGISTERED AUTHORISED",
    V.DISPATCH: "AUTHORISED DISPATCHED",  # again, while nobody has started
    V.START: "DISPATCHED IN_PROGRESS RESTORED WAITING",  # in hand: while nobody owns it
    V.WAIT: "IN_PROGRESS RESTORED WAITING",  # another reason while waiting: R-REQ-03
    V.RESUME: "WAITING",
    V.RESTORE: "IN_PROGRESS",
    V.REQUEUE: "IN_PROGRESS WAITING RESTORED",  # RESTORED it keeps its state: R-REQ-17
    V.DELIVER: "IN_PROGRESS RESTORED WAITING",
    V.CONFIRM: "DELIVERED",
    V.REJECT_SOLUTION: "DELIVERED",
    V.CLOSE: "CONFIRMED",
    V.REOPEN: "CONFIRMED CLOSED",
    V.CANCEL: BEFORE_DELIVERED,
    V.ESCALATE: BEFORE_DELIVERED,
    V.HAND_BACK: BEFORE_DELIVERED,
    V.REAUTHORISE: OPEN.replace("REGISTERED ", ""),
    V.RECLASSIFY: BEFORE_DELIVERED.replace("REGISTERED ", ""),
    V.RESPOND: OPEN,
    V.NOTE: ALL,
    V.LOG_CALL: OPEN,
    V.PLAN: BEFORE_DELIVERED,
}
"""The lifecycle table of the domain, and where the verbs beside it may be used."""

LEADS_TO = {
    V.ACCEPT: "AUTHORISED",
    V.REJECT: "REJECTED",
    V.DISPATCH: "DISPATCHED",
    V.START: "IN_PROGRESS",
    V.WAIT: "WAITING",
    V.RESUME: "IN_PROGRESS",
    V.RESTORE: "RESTORED",
    V.REQUEUE: "DISPATCHED",
    V.DELIVER: "DELIVERED",
    V.CONFIRM: "CONFIRMED",
    V.REJECT_SOLUTION: "IN_PROGRESS",
    V.CLOSE: "CLOSED",
    V.REOPEN: "IN_PROGRESS",
    V.CANCEL: "CANCELLED",
}

HANDS = "LINE1 LINE2 LINE3 FIELD_ENGINEER"
OWNERS = f"{HANDS} PARTNER"
WHO: Mapping[RequestVerb, str] = {
    V.ACCEPT: "LINE1",
    V.REJECT: "LINE1 PROCESS_MANAGER",
    V.DISPATCH: "LINE1 DISPATCH_MANAGER BRANCH_MANAGER",
    V.START: OWNERS,
    V.WAIT: OWNERS,
    V.RESUME: f"{OWNERS} CUSTOMER",
    V.RESTORE: OWNERS,
    V.REQUEUE: f"{OWNERS} LINE_LEAD DISPATCH_MANAGER",
    V.DELIVER: OWNERS,
    V.CONFIRM: "CUSTOMER",
    V.REJECT_SOLUTION: "CUSTOMER",
    V.CLOSE: HANDS,
    V.REOPEN: "CUSTOMER LINE1",
    V.CANCEL: "CUSTOMER LINE1 PARTNER",
    V.ESCALATE: f"{OWNERS} LINE_LEAD",
    V.HAND_BACK: f"{OWNERS} LINE_LEAD",
    V.REAUTHORISE: "LINE1",
    V.RECLASSIFY: "LINE1 LINE2 LINE3 LINE_LEAD PROCESS_MANAGER",
    V.RESPOND: f"{OWNERS} CUSTOMER",
    V.NOTE: (
        f"{OWNERS} LINE_LEAD DISPATCH_MANAGER SPARES_MANAGER QUALITY_CONTROLLER COMPLAINT_HANDLER"
        " PROJECT_MANAGER BRANCH_MANAGER PROCESS_MANAGER OPERATIONS_DIRECTOR"
    ),
    V.LOG_CALL: f"{OWNERS} LINE_LEAD QUALITY_CONTROLLER",
    V.PLAN: f"{HANDS} DISPATCH_MANAGER PROJECT_MANAGER",
}
"""Which of the twenty roles may use a verb, somewhere and on something."""

NOT_THE_OWNERS = {("PROCESS_MANAGER", V.ESCALATE), ("PROCESS_MANAGER", V.HAND_BACK)}
"""Management escalation is another matter (R-ESC-01); handing up and back is the owner's."""

OWNER_ONLY = (V.WAIT, V.RESTORE, V.DELIVER, V.RESUME, V.REQUEUE, V.ESCALATE, V.HAND_BACK, V.PLAN)

ALLOWED = [(verb, role) for verb, roles in WHO.items() for role in roles.split()]


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        opened.ids["queueFirm3"] = await create_queue(
            FOUNDER,
            name="Firm line 3",
            line=3,
            now=opened.time.now,
            partner_id=opened.ids["Firm"],
            member_ids=[opened.ids["PARTNER"]],
        )
        yield opened


def test_the_moves_are_those_of_the_table() -> None:
    """R-REQ-01: only these."""
    for verb, states in TABLE.items():
        assert {state.value for state in verb.declared.from_states} == set(states.split()), verb


@pytest.mark.parametrize(("verb", "role"), ALLOWED, ids=str)
async def test_a_move_succeeds_for_the_role_that_may(
    desk: Desk, verb: RequestVerb, role: str
) -> None:
    """R-REQ-01, R-ROLE-02: one event, told who and when."""
    request = await _ready_for(desk, verb, role)
    before = await events_of(request["id"])
    desk.time.pass_(hours(0.01))

    given = input_for(desk, verb, {**request, "line": 2}, role)
    payload = await attempt(desk, role, MUTATIONS[verb], **given)

    if verb is V.REAUTHORISE:  # nothing was missing: see test_requests_entitlement
        assert [each["code"] for each in payload["userErrors"]] == ["NOTHING_TO_REAUTHORISE"]
        return
    assert payload["userErrors"] == []
    after = await events_of(request["id"])
    assert len(after) == len(before) + 1
    assert after[-1]["actor_id"] == desk.ids[role]
    assert after[-1]["occurred_at"] == desk.time.now
    if verb in LEADS_TO:
        assert payload["request"]["status"] == LEADS_TO[verb]


async def _ready_for(desk: Desk, verb: RequestVerb, role: str) -> dict[str, Any]:
    """A request with which the role can use the verb: its own where owners act."""
    states = TABLE[verb].split()
    status = "IN_PROGRESS" if "IN_PROGRESS" in states and verb is not V.START else states[0]
    if verb is V.CANCEL and role == "PARTNER":
        await brought_to(desk, "DISPATCHED", owner="PARTNER")  # lets the firm know the customer
        return await submitted(desk, "PARTNER")
    owner = role if role in OWNERS.split() else "LINE1"
    queue = "queueFirm" if role == "PARTNER" else "queueAll"
    return await brought_to(desk, status, owner=owner, queue=queue)


@pytest.mark.parametrize("verb", list(TABLE), ids=str)
async def test_a_move_is_refused_for_every_role_that_may_not_and_changes_nothing(
    desk: Desk, verb: RequestVerb
) -> None:
    """R-ROLE-02, R-REQ-01, S16."""
    status = TABLE[verb].split()[0]
    request = await brought_to(desk, status, queue="queueAll")
    before = await stored()

    for role in sorted(set(Role) - set(WHO[verb].split())):
        answer = await call(
            desk, role, MUTATIONS[verb], **input_for(desk, verb, {**request, "line": 2})
        )
        if (role, verb) in NOT_THE_OWNERS and not answer.errors:
            errors = answer.data[MUTATIONS[verb]]["userErrors"]
            assert [each["code"] for each in errors] == ["NOT_OWNER"]
            continue
        assert answer.code == "FORBIDDEN", (role, answer.body)
        assert answer.errors[0]["path"] == [MUTATIONS[verb]]
        assert answer.body["data"] == {MUTATIONS[verb]: None}

    assert await stored() == before


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_a_request_is_submitted_by_customers_line_1_and_partners(
    desk: Desk, role: str
) -> None:
    """R-REQ-08, R-ROLE-02."""
    if role == "PARTNER":
        await brought_to(desk, "DISPATCHED", owner="PARTNER")
    given: dict[str, Any] = {"kind": "TECHNICAL", "title": "t", "description": "d"}
    given["productUnknown"] = True
    if role != "CUSTOMER":
        given["customerId"] = desk.public("org", "Acme")
    before = await stored()

    answer = await call(desk, role, "submitRequest", **given)

    if role in ("CUSTOMER", "LINE1", "PARTNER"):
        request = answer.data["submitRequest"]["request"]
        assert request["status"] == "REGISTERED"
        assert len(await events_of(request["id"])) == 1
    else:
        assert answer.code == "FORBIDDEN"
        assert await stored() == before


@pytest.mark.parametrize("verb", OWNER_ONLY, ids=str)
async def test_what_is_the_owners_is_refused_to_colleagues(desk: Desk, verb: RequestVerb) -> None:
    """R-ROLE-07: one named person answers for it."""
    status = "IN_PROGRESS" if "IN_PROGRESS" in TABLE[verb] else "WAITING"
    request = await brought_to(desk, status, queue="queueAll")
    before = await stored()

    for colleague in ("second", "LINE2", "LINE3"):
        given = input_for(desk, verb, {**request, "line": 2})
        assert await refused(desk, colleague, MUTATIONS[verb], **given) == "NOT_OWNER"

    assert await stored() == before


ACTS = {
    **dict.fromkeys((V.CONFIRM, V.REJECT_SOLUTION), "CUSTOMER"),
}


@pytest.mark.parametrize("status", list(RequestStatus), ids=str)
async def test_every_impossible_move_is_refused_and_changes_nothing(
    desk: Desk, status: RequestStatus
) -> None:
    """R-REQ-01: by its owner or whoever else may use the verb, elsewhere."""
    request = await brought_to(desk, status)
    before = await stored()

    for verb in TABLE:
        if status.value in TABLE[verb].split():
            continue
        given = input_for(desk, verb, request)
        code = await refused(desk, ACTS.get(verb, "LINE1"), MUTATIONS[verb], **given)
        assert code == "MOVE_NOT_ALLOWED", verb

    assert await stored() == before


BEGUN = "DISPATCHED IN_PROGRESS WAITING RESTORED DELIVERED CONFIRMED CLOSED"
WATCHERS = {
    "LINE1": ("LINE1", "second", "LINE2", "LINE_LEAD", "BRANCH_MANAGER", "CUSTOMER"),
    "PARTNER": ("PARTNER", "rival", "colleague", "PROCESS_MANAGER"),
}
STANDINGS = [("LINE1", state) for state in ALL.split()]
STANDINGS += [("PARTNER", state) for state in BEGUN.split()]


@pytest.mark.parametrize(("owner", "status"), STANDINGS, ids=str)
async def test_viewer_can_promises_exactly_what_then_succeeds(
    desk: Desk, owner: str, status: str
) -> None:
    """R-ROLE-02: tried by everybody, verb by verb, each on a request that stands alike."""
    queue = "queueFirm" if owner == "PARTNER" else "queueAll"
    request = await brought_to(desk, status, owner=owner, queue=queue)
    for who in WATCHERS[owner]:
        seen = await read(desk, who, request["id"], "viewerCan")
        promised = set(seen["viewerCan"]) if seen else set()
        actor = await desk.actor(who)
        line = (await read(desk, "LINE1", request["id"], "line") or {})["line"]
        for verb in TABLE:
            if not actor.may(verb.declared.permission):  # refused to each role above
                assert verb not in promised
                continue
            tried = await twin_of(request) if verb in promised else request
            given = input_for(desk, verb, {**tried, "line": line}, who)
            answer = await call(desk, who, MUTATIONS[verb], fields="id", **given)
            payload = (answer.body["data"] or {})[MUTATIONS[verb]]
            succeeded = payload is not None and payload["userErrors"] == []
            assert succeeded == (verb.value in promised), (who, verb, answer.body)


async def test_a_waiting_customer_is_promised_resume_only_when_asked(desk: Desk) -> None:
    """R-REQ-03: what waits for a supplier is not the customer's to resume."""
    request = await brought_to(desk, "IN_PROGRESS")
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="THIRD_PARTY")

    seen = await read(desk, "CUSTOMER", request["id"])

    assert seen is not None
    assert "RESUME" not in seen["viewerCan"]
    code = await refused(desk, "CUSTOMER", "resumeRequest", id=request["id"], answer="到了吗")
    assert code == "NOT_OWNER"


async def test_a_customer_resumes_by_answering_and_not_without_a_word(desk: Desk) -> None:
    """R-REQ-03, R-REQ-08: what is missing is asked for."""
    request = await brought_to(desk, "WAITING")

    assert await refused(desk, "CUSTOMER", "resumeRequest", id=request["id"]) == "REQUIRED"
    request = await do(desk, "colleague", "resumeRequest", id=request["id"], answer="X-200")

    assert request["status"] == "IN_PROGRESS"
    assert (await timeline(desk, "LINE1", request["id"]))[-1]["text"] == "X-200"


async def test_waiting_returns_to_where_it_began(desk: Desk) -> None:
    """R-REQ-03: the state to return to is kept, also over a second reason."""
    request = await brought_to(desk, "RESTORED")
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="SPARE_PART")

    request = await do(desk, "LINE1", "resumeRequest", id=request["id"])

    assert request["status"] == "RESTORED"


async def test_each_reason_for_waiting_opens_and_ends_by_itself(desk: Desk) -> None:
    """R-REQ-03: an answer ends what waits for the customer, the last reason ends WAITING."""
    request = await brought_to(desk, "WAITING")
    asked = desk.time.now
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="SPARE_PART")
    both = await read(desk, "CUSTOMER", request["id"], "waitingReason waits { reason since }")
    desk.time.pass_(hours(1))

    answered = await do(desk, "CUSTOMER", "resumeRequest", id=request["id"], answer="X-200")

    assert both is not None
    assert both["waitingReason"] == "SPARE_PART"
    assert [each["reason"] for each in both["waits"]] == ["CUSTOMER", "SPARE_PART"]
    since = [datetime.fromisoformat(each["since"]) for each in both["waits"]]
    assert since == [asked, asked + hours(1)]
    assert answered["status"] == "WAITING"
    assert (await timeline(desk, "CUSTOMER", request["id"]))[-1]["type"] == "WaitingReasonEnded"
    again = {"id": request["id"], "answer": "还有"}
    assert await refused(desk, "CUSTOMER", "resumeRequest", **again) == "NOT_OWNER"
    customers = {"id": request["id"], "reason": "CUSTOMER"}
    assert await refused(desk, "LINE1", "resumeRequest", **customers) == "NOT_WAITING_FOR"
    arrived = await do(desk, "LINE1", "resumeRequest", id=request["id"], reason="SPARE_PART")
    assert arrived["status"] == "IN_PROGRESS"
    none = await read(desk, "LINE1", request["id"], "waitingReason waits { reason }")
    assert none == {"waitingReason": None, "waits": []}


async def test_the_owner_ends_every_wait_at_once(desk: Desk) -> None:
    """R-REQ-03: without naming a reason, and by delivering."""
    for verb, given, status in (
        ("resumeRequest", {}, "IN_PROGRESS"),
        ("deliverRequest", {"solution": "换模块", "restoresService": True}, "DELIVERED"),
    ):
        request = await brought_to(desk, "WAITING")
        for reason in ("THIRD_PARTY", "CHANGE_WINDOW"):
            await do(desk, "LINE1", "waitRequest", id=request["id"], reason=reason)

        request = await do(desk, "LINE1", verb, id=request["id"], **given)

        assert request["status"] == status
        assert await read(desk, "LINE1", request["id"], "waits { reason }") == {"waits": []}


async def test_from_waiting_it_is_delivered_in_one_step(desk: Desk) -> None:
    """R-SLA-07, R-REQ-01: one event."""
    request = await brought_to(desk, "WAITING")
    before = len(await events_of(request["id"]))

    given = {"solution": "换模块", "restoresService": True}
    request = await do(desk, "LINE1", "deliverRequest", id=request["id"], **given)

    assert request["status"] == "DELIVERED"
    assert len(await events_of(request["id"])) == before + 1


async def test_a_taken_request_is_not_taken_again(desk: Desk) -> None:
    """R-ROLE-07: one owner at a time; of a queue the first who takes it."""
    request = await brought_to(desk, "DISPATCHED")

    await do(desk, "second", "startRequest", id=request["id"])

    assert await refused(desk, "LINE1", "startRequest", id=request["id"]) == "MOVE_NOT_ALLOWED"
    owner = await read(desk, "LINE1", request["id"], "assignee { name }")
    assert owner == {"assignee": {"name": "second"}}


async def test_a_named_assignee_is_of_the_queue_and_starts_nobody_elses(desk: Desk) -> None:
    """R-ORG-04, R-ROLE-07."""
    request = await brought_to(desk, "AUTHORISED")
    place = {"id": request["id"], "queueId": desk.public("que", "queue1")}

    line2 = desk.public("per", "LINE2")
    code = await refused(desk, "LINE1", "dispatchRequest", **place, assigneeId=line2)
    assert code == "NOT_IN_QUEUE"
    second = desk.public("per", "second")
    await do(desk, "LINE1", "dispatchRequest", **place, assigneeId=second)
    assert await refused(desk, "LINE1", "startRequest", id=request["id"]) == "ALREADY_OWNED"

    assert (await do(desk, "second", "startRequest", id=request["id"]))["status"] == "IN_PROGRESS"


async def test_a_requeued_request_is_nobodys_again(desk: Desk) -> None:
    """R-ROLE-07, R-REQ-01."""
    request = await brought_to(desk, "WAITING")

    request = await do(desk, "LINE_LEAD", "requeueRequest", id=request["id"], reason="换人")

    assert request["status"] == "DISPATCHED"
    assert await read(desk, "LINE1", request["id"], "assignee { id } waitingReason") == {
        "assignee": None,
        "waitingReason": None,
    }


async def test_a_branch_manager_assigns_within_the_branch_only(desk: Desk) -> None:
    """R-ROLE-03, R-ROLE-04: another branch's queue does not exist for them."""
    request = await brought_to(desk, "AUTHORISED", customerId=None)
    firm = {"id": request["id"], "queueId": desk.public("que", "queueFirm")}

    assert await refused(desk, "BRANCH_MANAGER", "dispatchRequest", **firm) == "NOT_FOUND"
    assert await refused(desk, "beijing", "dispatchRequest", **firm) == "NOT_FOUND"
    here = {"id": request["id"], "queueId": desk.public("que", "queue1")}
    assert (await do(desk, "BRANCH_MANAGER", "dispatchRequest", **here))["status"] == "DISPATCHED"


@pytest.mark.parametrize("kind", ["NON_TECHNICAL", "SPARE_PART"])
async def test_a_kind_without_restoration_has_neither_its_thread_nor_its_points(
    desk: Desk, kind: str
) -> None:
    """R-CP-04, R-SLA-01, R-REQ-01: not even while service is said to be down."""
    request = await brought_to(desk, "WAITING", kind=kind)
    id_ = request["id"]

    assert [each["thread"] for each in request["clocks"]] == ["RESPONSE", "RESOLUTION"]
    assert "RESTORE" not in request["viewerCan"]
    await do(desk, "LINE1", "resumeRequest", id=id_)
    code = await refused(desk, "LINE1", "restoreRequest", id=id_, workaround="x")
    assert code == "MOVE_NOT_ALLOWED"
    await do(desk, "LINE1", "deliverRequest", id=id_, solution="换", restoresService=False)
    await do(desk, "CUSTOMER", "rejectSolution", id=id_, reason="不行", serviceDown=True)
    await do(desk, "LINE1", "deliverRequest", id=id_, solution="换", restoresService=True)
    found = await read(desk, "LINE1", id_, "clocks { thread } controlPoints { number thread }")
    assert found is not None
    assert [each["thread"] for each in found["clocks"]] == ["RESPONSE", "RESOLUTION", "CLOSURE"]
    threads = {each["thread"] for each in found["controlPoints"]}
    assert threads == {"RESPONSE", "RESOLUTION", "CLOSURE"}


async def test_a_person_with_two_roles_may_what_either_may(desk: Desk) -> None:
    """R-ROLE-01."""
    from itr.access.operations.persons import create_person
    from tests.support.desk import FOUNDER

    desk.ids["both"] = await create_person(
        FOUNDER,
        desk.ids["Shanghai"],
        "both",
        (Role.PROCESS_MANAGER, Role.LINE_LEAD),
        now=desk.time.now,
    )
    request = await brought_to(desk, "REGISTERED")
    await do(desk, "both", "rejectRequest", id=request["id"], reason="不受理", code="NO_ISSUE")
    request = await brought_to(desk, "IN_PROGRESS")

    await do(desk, "both", "requeueRequest", id=request["id"], reason="换人")

    viewer = (await desk.as_("both").run("{ viewer { roles } }")).data["viewer"]
    assert set(viewer["roles"]) == {"PROCESS_MANAGER", "LINE_LEAD"}


async def test_a_restored_request_goes_back_to_its_queue_and_stays_restored(desk: Desk) -> None:
    """R-REQ-17: nobody's again; who takes it goes on where it stood. So it is from WAITING."""
    restored, waiting = await brought_to(desk, "RESTORED"), await brought_to(desk, "RESTORED")
    await do(desk, "LINE1", "waitRequest", id=waiting["id"], reason="SPARE_PART")

    for request in (restored, waiting):
        put_back = await do(desk, "LINE1", "requeueRequest", id=request["id"], reason="换班")
        assert put_back["status"] == "RESTORED"
        assert await read(desk, "LINE1", request["id"], "assignee { id }") == {"assignee": None}
        taken = await do(desk, "second", "startRequest", id=request["id"])
        assert taken["status"] == "RESTORED"
        assert clock(taken, "RESTORATION")["state"] == "MET"


async def test_what_is_delivered_goes_up_and_down_no_more(desk: Desk) -> None:
    """R-REQ-01: the line that delivered it answers for it until it is sent back."""
    for status in ("DELIVERED", "CONFIRMED", "CLOSED"):
        request = await brought_to(desk, status, queue="queue2", owner="LINE2")
        for verb in (V.ESCALATE, V.HAND_BACK):
            given = input_for(desk, verb, {**request, "line": 2})
            code = await refused(desk, "LINE2", MUTATIONS[verb], **given)
            assert code == "MOVE_NOT_ALLOWED"


async def test_a_firm_hands_back_to_where_the_request_came_from_without_naming_it(
    desk: Desk,
) -> None:
    """R-REQ-10, V8: it knows no queue of ours; what was in none comes to line 1 and is nobody's."""
    request = await brought_to(desk, "IN_PROGRESS", owner="LINE3")
    firm = {"queueId": desk.public("que", "queueFirm"), "reason": "第三方设备"}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", id=request["id"], **firm)
    await do(desk, "PARTNER", "startRequest", id=request["id"])
    await do(desk, "PARTNER", "handBackRequest", id=request["id"], reason="修好了")
    direct = await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    await do(desk, "PARTNER", "handBackRequest", id=direct["id"], reason="不在范围")

    found = await read(desk, "LINE1", request["id"], "line queue { id } assignee { id }")
    bare = await read(desk, "LINE1", direct["id"], "line queue { id } assignee { id }")

    home = desk.public("que", "queue3")
    assert found == {"line": 3, "queue": {"id": home}, "assignee": None}
    assert bare == {"line": 1, "queue": None, "assignee": None}
    again = {"queueId": desk.public("que", "queue1"), "reason": "重新派单"}
    await do(desk, "DISPATCH_MANAGER", "requeueRequest", id=direct["id"], **again)
    own = await brought_to(desk, "IN_PROGRESS")
    assert await refused(desk, "LINE1", "handBackRequest", id=own["id"], reason="?") == "REQUIRED"


async def test_a_firm_hands_back_by_name_only_to_a_queue_the_request_came_from(
    desk: Desk,
) -> None:
    """V8, S2: any other queue of ours is as if there were none."""
    request = await brought_to(desk, "IN_PROGRESS", queue="queueAll")
    firm = {"queueId": desk.public("que", "queueFirm"), "reason": "第三方设备"}
    await do(desk, "DISPATCH_MANAGER", "handToPartner", id=request["id"], **firm)
    await do(desk, "PARTNER", "startRequest", id=request["id"])

    for mutation in ("escalateRequest", "handBackRequest", "requeueRequest"):
        answers = [
            await attempt(desk, "PARTNER", mutation, id=request["id"], reason="x", queueId=queue)
            for queue in ("que_" + "0" * 32, desk.public("que", "queue1"), "queue3")
        ]
        assert all(each == answers[0] for each in answers), mutation
        (error,) = answers[0]["userErrors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "queueId"])
    home = {"queueId": desk.public("que", "queueAll"), "reason": "修好了"}
    handed = await do(desk, "PARTNER", "handBackRequest", id=request["id"], **home)
    assert handed["status"] == "IN_PROGRESS"
