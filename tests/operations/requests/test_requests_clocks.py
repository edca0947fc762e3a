"""What becomes of a request's clocks as it is worked on, and the situations others got wrong."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.connection import get_connection

from itr.access.operations.persons import create_person
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.operations import ContractLineDraft, save_contract, save_service_level
from itr.catalogue.organisations import create_organisation
from itr.settings import Settings
from itr.sla.terms import Thread, WaitingReason
from tests.support.desk import ALL_PAUSE, FOUNDER, Desk, hours, open_desk, targets
from tests.support.requests import (
    CRITICAL,
    MINOR,
    attempt,
    brought_to,
    clock,
    do,
    read,
    refused,
    submitted,
    timeline,
)

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
SOLVED = {"solution": "换模块", "restoresService": True}


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        kind = OrganisationKind.CUSTOMER
        for name, level in (("office", "office hours"), ("own", "with an own matrix")):
            now = desk.time.now
            calendar = desk.ids["office"]
            promises = targets(RESPONSE=2, RESTORATION=4, RESOLUTION=8, CLOSURE=80)
            for priority in ("P1", "P2"):
                for thread, amount in promises.items():
                    if thread[0] == priority and thread[1] is Thread.RESPONSE:
                        promises[thread] = type(amount)(us=3_600_000_000)
            matrix = None
            if name == "own":
                levels = ("CRITICAL", "MAJOR", "MINOR", "NONE")
                impacts = ("ENTERPRISE", "DEPARTMENT", "GROUP", "INDIVIDUAL")
                matrix = {each: dict.fromkeys(impacts, "P2") for each in levels}
            await save_service_level(
                FOUNDER,
                name=level,
                calendar_id=calendar,
                targets=promises,
                pauses=ALL_PAUSE,
                matrix=matrix,
                now=now,
            )
            firm = await create_organisation(FOUNDER, kind=kind, name=f"{name} firm", now=now)
            desk.ids[f"{name} customer"] = await create_person(
                FOUNDER, firm, f"{name} customer", (Role.CUSTOMER,), now=now
            )
            from tests.support.desk import level_named

            line = ContractLineDraft(1, service_level_id=await level_named(level))
            await save_contract(
                FOUNDER,
                number=f"C-{name}",
                customer_id=firm,
                starts_on=datetime(2026, 1, 1, tzinfo=UTC).date(),
                ends_on=datetime(2027, 12, 31, tzinfo=UTC).date(),
                lines=[line],
                now=now,
            )
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    """The desk on a Monday morning, whatever a test before lived through."""
    opened.time.now = MONDAY
    return opened


async def begun(desk: Desk, **more: Any) -> dict[str, Any]:
    """A request of the firm with office hours, in LINE1's hands at this very instant."""
    who = "office customer"
    request = await do(
        desk,
        who,
        "submitRequest",
        **{"kind": "TECHNICAL", "title": "t", "description": "d", "productUnknown": True, **more},
    )
    id_, queue = request["id"], desk.public("que", "queue1")
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    await do(desk, "LINE1", "dispatchRequest", id=id_, queueId=queue)
    return await do(desk, "LINE1", "startRequest", id=id_)


async def seen(desk: Desk, request: dict[str, Any], thread: str) -> dict[str, Any]:
    """A clock of the request as it stands now."""
    found = await read(desk, "LINE1", request["id"])
    assert found is not None
    return clock(found, thread)


async def alarms(desk: Desk, request: dict[str, Any]) -> list[tuple[str, int]]:
    """Fire what is due; thread and percent of the alarms of this request fired just now."""
    from itr.tickets.firing import fire_due

    connection = get_connection("default")
    last = (await connection.execute_query_dict("select coalesce(max(id), 0) as id from event"))[0]
    while (await fire_due(desk.time.now)).clocks:
        pass
    rows = await connection.execute_query_dict(
        "select payload->>'thread' as thread, (payload->>'percent')::int as percent"
        " from event where id > $1 and type = 'ClockAlarmRaised' and stream = $2",
        [last["id"], request["id"].removeprefix("req_")],
    )
    return [(row["thread"], row["percent"]) for row in rows]


async def test_clocks_are_kept_and_read_in_the_order_of_their_threads(desk: Desk) -> None:
    """R-SLA-01: whichever was written last."""
    request = await begun(desk)
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")

    kept = await get_connection("default").execute_query_dict(
        "select thread, thread_no from clock where request_id = $1 order by thread_no",
        [request["id"].removeprefix("req_")],
    )
    assert [(row["thread"], row["thread_no"]) for row in kept] == [
        ("RESPONSE", 1),
        ("RESTORATION", 2),
        ("RESOLUTION", 3),
    ]
    found = await read(desk, "LINE1", request["id"])
    assert found is not None
    assert [each["thread"] for each in found["clocks"]] == [row["thread"] for row in kept]


async def test_situation_10_a_pause_wholly_outside_hours_adds_nothing(desk: Desk) -> None:
    """R-SLA-06."""
    request = await begun(desk)
    desk.time.pass_(hours(9.5))  # 18:30
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    desk.time.pass_(hours(12))
    await do(desk, "LINE1", "resumeRequest", id=request["id"])
    desk.time.pass_(hours(2.5))  # 09:00 the next day

    resolution = await seen(desk, request, "RESOLUTION")

    assert resolution["elapsed"] == "PT7H30M"
    assert resolution["remaining"] == "PT30M"


async def test_situation_11_waiting_for_the_customer_then_a_vendor_is_one_pause(
    desk: Desk,
) -> None:
    """R-REQ-03: counted once, both reasons kept."""
    request = await begun(desk)
    desk.time.pass_(hours(1))
    for reason in ("CUSTOMER", "THIRD_PARTY"):
        await do(desk, "LINE1", "waitRequest", id=request["id"], reason=reason)
        desk.time.pass_(hours(0.5))

    rows = await get_connection("default").execute_query_dict(
        "select paused_since, pause_reasons from clock where thread = 'RESOLUTION'"
        " and request_id = $1",
        [request["id"].removeprefix("req_")],
    )
    assert json.loads(rows[0]["pause_reasons"]) == ["CUSTOMER", "THIRD_PARTY"]
    request = await do(desk, "LINE1", "resumeRequest", id=request["id"])
    assert clock(request, "RESOLUTION")["elapsed"] == "PT1H"
    explained = await read(
        desk, "LINE1", request["id"], "clocks { thread explain { counted reason } }"
    )
    assert explained is not None
    reasons = [each["reason"] for each in clock(explained, "RESOLUTION")["explain"]]
    assert reasons == ["WORKING", "PAUSED:CUSTOMER", "PAUSED:THIRD_PARTY"]


async def test_a_thread_stands_while_any_open_reason_pauses_it(desk: Desk) -> None:
    """R-REQ-03, R-SLA-11, R-OLA-03: one pause; explain and the waits tell every reason of it."""
    request = await begun(desk)
    id_ = request["id"]
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "waitRequest", id=id_, reason="CUSTOMER")
    desk.time.pass_(hours(0.5))
    await do(desk, "LINE1", "waitRequest", id=id_, reason="THIRD_PARTY")
    desk.time.pass_(hours(0.5))
    await do(desk, "LINE1", "resumeRequest", id=id_, reason="CUSTOMER")
    assert (await seen(desk, request, "RESOLUTION"))["state"] == "PAUSED"
    desk.time.pass_(hours(0.5))
    await do(desk, "LINE1", "resumeRequest", id=id_, reason="THIRD_PARTY")

    found = await read(
        desk, "LINE1", id_,
        "clocks { thread state elapsed customerWait thirdPartyWait"
        " explain { counted reason waitsFor } }",
    )  # fmt: skip

    assert found is not None
    resolution = clock(found, "RESOLUTION")
    assert (resolution["state"], resolution["elapsed"]) == ("RUNNING", "PT1H")
    assert (resolution["customerWait"], resolution["thirdPartyWait"]) == ("PT30M", "PT1H")
    assert [(each["reason"], each["waitsFor"]) for each in resolution["explain"]] == [
        ("WORKING", []),
        ("PAUSED:CUSTOMER", ["CUSTOMER"]),
        ("PAUSED:THIRD_PARTY", ["CUSTOMER", "THIRD_PARTY"]),
        ("PAUSED:THIRD_PARTY", ["THIRD_PARTY"]),
    ]


async def test_situation_12_paused_and_delivered_in_one_step_subtracts_the_pause_first(
    desk: Desk,
) -> None:
    """R-SLA-07."""
    request = await begun(desk)
    desk.time.pass_(hours(2))
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    desk.time.pass_(timedelta(days=3))

    request = await do(desk, "LINE1", "deliverRequest", id=request["id"], **SOLVED)

    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H"
    assert clock(request, "RESOLUTION")["state"] == "MET"


async def test_situation_13_a_pause_that_begins_after_the_breach_leaves_it(desk: Desk) -> None:
    """R-SLA-05: it keeps counting its lateness once it goes on."""
    request = await begun(desk)
    desk.time.pass_(timedelta(days=1, hours=2))  # 9.5 working hours
    request = await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    assert clock(request, "RESOLUTION")["state"] == "BREACHED"
    desk.time.pass_(hours(1))

    request = await do(desk, "LINE1", "resumeRequest", id=request["id"])

    assert clock(request, "RESOLUTION")["state"] == "BREACHED"
    assert clock(request, "RESOLUTION")["remaining"] == "-PT1H30M"


async def test_situation_14_a_deadline_that_passes_while_paused_is_no_breach_and_no_alarm(
    desk: Desk,
) -> None:
    """R-SLA-06, R-ALM-02."""
    request = await begun(desk)
    await do(desk, "LINE1", "respondToRequest", id=request["id"], text="在看")
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    await alarms(desk, request)
    desk.time.pass_(timedelta(days=3))

    assert await alarms(desk, request) == []
    request = await do(desk, "office customer", "resumeRequest", id=request["id"], answer="X")

    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    assert clock(request, "RESOLUTION")["remaining"] == "PT8H"


@pytest.mark.parametrize(
    ("late", "state"), [(timedelta(0), "MET"), (timedelta(microseconds=1), "BREACHED")]
)
async def test_situation_15_completed_exactly_at_the_deadline_and_a_microsecond_later(
    desk: Desk, late: timedelta, state: str
) -> None:
    """R-SLA-04."""
    request = await begun(desk)
    due = clock(request, "RESOLUTION")["deadline"]
    desk.time.now = datetime.fromisoformat(due.replace("Z", "+00:00")) + late

    request = await do(desk, "LINE1", "deliverRequest", id=request["id"], **SOLVED)

    assert clock(request, "RESOLUTION")["state"] == state


async def test_situation_16_only_a_public_reply_or_a_logged_call_answers_the_customer(
    desk: Desk,
) -> None:
    """R-SLA-01, R-REQ-07: no internal note, no word of the customer's own, nothing automatic."""
    request = await begun(desk)
    id_ = request["id"]
    await do(desk, "LINE1", "noteOnRequest", id=id_, text="内部")
    await do(desk, "office customer", "respondToRequest", id=id_, text="请快一点")
    await do(desk, "LINE1", "planRequest", id=id_, summary="x", expectedAt="2030-01-01T00:00:00Z")
    assert (await seen(desk, request, "RESPONSE"))["state"] == "RUNNING"

    call = await do(desk, "QUALITY_CONTROLLER", "logCall", id=id_, summary="已致电")
    other = await begun(desk)
    reply = await do(desk, "LINE1", "respondToRequest", id=other["id"], text="在看")

    assert clock(call, "RESPONSE")["state"] == "MET"
    assert clock(reply, "RESPONSE")["state"] == "MET"


async def test_situation_17_a_raised_priority_keeps_what_was_counted_and_paused(
    desk: Desk,
) -> None:
    """R-SLA-08, R-PRI-03: it may breach at once; the level fires once."""
    request = await submitted(desk)
    id_ = request["id"]
    request = await do(desk, "LINE1", "acceptRequest", id=id_, **MINOR)
    assert request["priority"] == "P3"
    await do(desk, "LINE1", "dispatchRequest", id=id_, queueId=desk.public("que", "queue1"))
    await do(desk, "LINE1", "startRequest", id=id_)
    await do(desk, "LINE1", "waitRequest", id=id_, reason="CUSTOMER")
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "resumeRequest", id=id_)
    desk.time.pass_(hours(3))

    request = await do(desk, "LINE1", "reclassifyRequest", id=id_, **CRITICAL)

    assert request["priority"] == "P1"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT3H"
    assert clock(request, "RESPONSE")["state"] == "BREACHED"  # one hour, three have passed
    told = (await timeline(desk, "LINE1", id_))[-1]
    assert (told["type"], told["priorityBefore"], told["priority"]) == (
        "RequestReclassified", "P3", "P1",
    )  # fmt: skip
    assert told["actorName"] == "LINE1"
    assert ("RESPONSE", 100) in await alarms(desk, request)
    assert await alarms(desk, request) == []


async def test_situation_18_a_lowered_priority_leaves_the_breach(desk: Desk) -> None:
    """R-SLA-05, R-PRI-03: and stands on the timeline."""
    request = await begun(desk)
    desk.time.pass_(hours(4))
    assert (await seen(desk, request, "RESPONSE"))["state"] == "BREACHED"

    request = await do(desk, "LINE1", "reclassifyRequest", id=request["id"], **MINOR)

    assert request["priority"] == "P3"
    assert clock(request, "RESPONSE")["target"] == "PT2H"
    assert clock(request, "RESPONSE")["state"] == "BREACHED"
    told = (await timeline(desk, "LINE1", request["id"]))[-1]
    assert (told["priorityBefore"], told["priority"]) == ("P1", "P3")


async def test_situation_19_an_edited_service_level_leaves_open_requests_on_their_version(
    desk: Desk,
) -> None:
    """R-CAT-03: new requests get the new one."""
    from itr.catalogue.models import ServiceLevelVersion
    from tests.support.desk import level_named

    old, id_ = await begun(desk), await level_named("office hours")
    version = await ServiceLevelVersion.filter(service_level_id=id_).order_by("-number").first()
    assert version is not None
    await save_service_level(
        FOUNDER,
        name="office hours",
        calendar_id=version.calendar_id,
        targets=targets(RESPONSE=2, RESTORATION=6, RESOLUTION=12, CLOSURE=80),
        pauses=ALL_PAUSE,
        now=desk.time.now,
    )

    old = await do(desk, "LINE1", "reclassifyRequest", id=old["id"], **MINOR)
    new = await begun(desk)

    assert clock(old, "RESOLUTION")["target"] == "PT8H"
    assert clock(new, "RESOLUTION")["target"] == "PT12H"
    await save_service_level(
        FOUNDER,
        name="office hours",
        calendar_id=version.calendar_id,
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=8, CLOSURE=80),
        pauses=ALL_PAUSE,
        now=desk.time.now,
    )


@pytest.mark.parametrize("verb", ["cancelRequest", "rejectRequest"])
async def test_situations_22_and_24_cancelled_clocks_raise_no_alarm(desk: Desk, verb: str) -> None:
    """R-REQ-13, R-ALM-02."""
    request = await submitted(desk)
    await alarms(desk, request)

    coded = {"code": "DUPLICATE"} if verb == "rejectRequest" else {}
    request = await do(desk, "LINE1", verb, id=request["id"], reason="重复", **coded)

    assert {each["state"] for each in request["clocks"]} == {"CANCELLED"}
    desk.time.pass_(timedelta(days=30))
    assert await alarms(desk, request) == []


async def test_situation_23_line_1_to_2_to_1_is_three_stints_and_the_clocks_run_on(
    desk: Desk,
) -> None:
    """R-LIN-01: a second engineer restarts nothing."""
    request = await begun(desk)
    id_ = request["id"]
    desk.time.pass_(hours(1))
    second = {"queueId": desk.public("que", "queue2"), "assigneeId": desk.public("per", "LINE2")}
    await do(desk, "LINE1", "escalateRequest", id=id_, reason="需要二线", **second)
    desk.time.pass_(hours(0.5))
    first = {"queueId": desk.public("que", "queue1"), "assigneeId": desk.public("per", "second")}
    await do(desk, "LINE2", "handBackRequest", id=id_, reason="一线可处理", **first)
    desk.time.pass_(hours(0.5))

    request = await do(desk, "second", "deliverRequest", id=id_, **SOLVED)
    await do(desk, "office customer", "confirmRequest", id=id_)

    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H"
    assert clock(request, "RESOLUTION")["version"] == 2  # started, retargeted by acceptance
    told = await read(
        desk, "LINE1", id_, "solvedByLine stints { number line startedAt endedAt reason }"
    )
    assert told is not None
    assert told["solvedByLine"] == 1  # R-LIN-02
    assert [(each["line"], each["reason"]) for each in told["stints"]] == [
        (1, "需要二线"),
        (2, "一线可处理"),
        (1, None),
    ]
    assert told["stints"][0]["endedAt"] == told["stints"][1]["startedAt"]


async def test_a_line_hands_up_to_a_higher_one_and_back_to_a_lower_one(desk: Desk) -> None:
    """R-LIN-01: with a reason."""
    request = await begun(desk)
    same = {"id": request["id"], "queueId": desk.public("que", "queue1"), "reason": "x"}
    higher = {**same, "queueId": desk.public("que", "queue3")}

    assert await refused(desk, "LINE1", "escalateRequest", **same) == "WRONG_LINE"
    assert await refused(desk, "LINE1", "handBackRequest", **higher) == "WRONG_LINE"
    payload = await attempt(desk, "LINE1", "escalateRequest", **{**higher, "reason": "  "})
    assert payload["userErrors"][0]["code"] == "REQUIRED"
    assert payload["userErrors"][0]["path"] == ["input", "reason"]
    await do(desk, "LINE1", "escalateRequest", **higher)


async def test_the_line_that_delivered_the_accepted_solution_solved_it(desk: Desk) -> None:
    """R-LIN-02: a solution that came back does not count."""
    request = await begun(desk)
    id_ = request["id"]
    await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)
    await do(desk, "office customer", "rejectSolution", id=id_, reason="仍不通")
    assert await read(desk, "LINE1", id_, "solvedByLine") == {"solvedByLine": None}
    second = {"queueId": desk.public("que", "queue2"), "assigneeId": desk.public("per", "LINE2")}
    await do(desk, "LINE1", "escalateRequest", id=id_, reason="需要二线", **second)
    await do(desk, "LINE2", "deliverRequest", id=id_, **SOLVED)

    await do(desk, "office customer", "confirmRequest", id=id_)

    assert await read(desk, "LINE1", id_, "solvedByLine") == {"solvedByLine": 2}


async def test_situation_29_five_days_solved_are_excluded_and_never_waiting(desk: Desk) -> None:
    """R-SLA-09, R-SLA-11."""
    request = await begun(desk)
    id_ = request["id"]
    await do(desk, "LINE1", "respondToRequest", id=id_, text="在看")
    desk.time.pass_(hours(2))
    await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)
    await do(desk, "office customer", "confirmRequest", id=id_)
    await do(desk, "LINE1", "closeRequest", id=id_)
    desk.time.pass_(timedelta(days=5))

    request = await do(desk, "office customer", "reopenRequest", id=id_, reason="又断了")

    assert clock(request, "RESOLUTION")["elapsed"] == "PT2H"
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    assert clock(request, "RESOLUTION")["version"] == 3
    assert clock(request, "RESPONSE")["state"] == "MET"
    assert clock(request, "RESTORATION")["state"] == "MET"
    explained = await read(desk, "LINE1", id_, "clocks { thread explain { counted reason } }")
    assert explained is not None
    told = clock(explained, "RESOLUTION")["explain"]
    assert [each["reason"] for each in told] == ["WORKING", "SOLVED"]
    assert request["reopenCount"] == 1


async def test_a_reopened_request_closes_anew(desk: Desk) -> None:
    """R-SLA-09: its closing is cancelled and starts with the next delivery."""
    request = await begun(desk)
    id_ = request["id"]
    await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)
    await do(desk, "office customer", "confirmRequest", id=id_)
    desk.time.pass_(hours(1))
    request = await do(desk, "LINE1", "closeRequest", id=id_)
    assert clock(request, "CLOSURE")["state"] == "MET"
    desk.time.pass_(hours(1))
    request = await do(desk, "office customer", "reopenRequest", id=id_, reason="又断了")
    assert clock(request, "CLOSURE")["state"] == "CANCELLED"

    desk.time.pass_(hours(0.5))
    request = await do(desk, "LINE1", "deliverRequest", id=id_, **SOLVED)
    assert clock(request, "CLOSURE")["state"] == "RUNNING"
    assert clock(request, "CLOSURE")["elapsed"] == "PT0S"
    await do(desk, "office customer", "confirmRequest", id=id_)
    desk.time.pass_(hours(2))
    request = await do(desk, "LINE1", "closeRequest", id=id_)

    assert clock(request, "CLOSURE")["state"] == "MET"
    assert clock(request, "CLOSURE")["elapsed"] == "PT30M"  # lunch does not count


@pytest.mark.parametrize(("down", "state"), [(False, "MET"), (True, "RUNNING")])
async def test_restoration_goes_on_only_if_service_is_down_again(
    desk: Desk, down: bool, state: str
) -> None:
    """R-SLA-09."""
    request = await begun(desk)
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "deliverRequest", id=request["id"], **SOLVED)
    desk.time.pass_(hours(1))

    given = {"id": request["id"], "reason": "仍不通", "serviceDown": down}
    request = await do(desk, "office customer", "rejectSolution", **given)

    assert clock(request, "RESTORATION")["state"] == state
    assert clock(request, "RESTORATION")["elapsed"] == "PT1H"


async def test_restored_may_be_skipped_when_the_solution_restores_service(desk: Desk) -> None:
    """R-REQ-02, R-SLA-01."""
    request = await begun(desk)
    desk.time.pass_(hours(1))

    request = await do(desk, "LINE1", "deliverRequest", id=request["id"], **SOLVED)

    assert clock(request, "RESTORATION")["state"] == "MET"
    assert clock(request, "RESTORATION")["elapsed"] == "PT1H"


async def test_a_solution_that_restores_nothing_leaves_restoration_until_it_is_accepted(
    desk: Desk,
) -> None:
    """R-REQ-02, R-SLA-01: whoever accepts it has service."""
    request = await begun(desk)
    given = {"id": request["id"], "solution": "说明", "restoresService": False}
    request = await do(desk, "LINE1", "deliverRequest", **given)
    assert clock(request, "RESTORATION")["state"] == "RUNNING"
    desk.time.pass_(hours(1))

    request = await do(desk, "office customer", "confirmRequest", id=request["id"])

    assert clock(request, "RESTORATION")["state"] == "MET"
    assert clock(request, "RESTORATION")["elapsed"] == "PT1H"


async def test_a_restored_service_stays_restored_by_a_later_delivery(desk: Desk) -> None:
    """R-SLA-01: the first restoration counts."""
    request = await begun(desk)
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "restoreRequest", id=request["id"], workaround="备用链路")
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "deliverRequest", id=request["id"], **SOLVED)

    restoration = await seen(desk, request, "RESTORATION")

    assert restoration["elapsed"] == "PT1H"


async def test_a_reason_that_the_level_does_not_pause_leaves_the_clocks_running(
    desk: Desk,
) -> None:
    """R-CAT-03, R-REQ-03: gold pauses for the customer only."""
    assert WaitingReason.SPARE_PART
    request = await brought_to(desk, "IN_PROGRESS")

    request = await do(desk, "LINE1", "waitRequest", id=request["id"], reason="SPARE_PART")
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"
    request = await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")

    assert clock(request, "RESOLUTION")["state"] == "PAUSED"


async def test_waiting_twice_within_one_instant_is_waiting(desk: Desk) -> None:
    """R-SLA-02: what was done last stands, however close."""
    request = await begun(desk)
    for verb, given in (
        ("waitRequest", {"reason": "CUSTOMER"}),
        ("resumeRequest", {}),
        ("waitRequest", {"reason": "CUSTOMER"}),
    ):
        request = await do(desk, "LINE1", verb, id=request["id"], **given)

    assert clock(request, "RESOLUTION")["state"] == "PAUSED"
    request = await do(desk, "LINE1", "resumeRequest", id=request["id"])
    assert clock(request, "RESOLUTION")["state"] == "RUNNING"


async def test_a_levels_own_matrix_decides_the_priority_also_when_classified_anew(
    desk: Desk,
) -> None:
    """R-CAT-03, R-PRI-01, R-PRI-03."""
    given = {"kind": "TECHNICAL", "title": "t", "description": "d", "productUnknown": True}
    request = await do(desk, "own customer", "submitRequest", **given)

    request = await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    assert request["priority"] == "P2"
    request = await do(desk, "LINE1", "reclassifyRequest", id=request["id"], **MINOR)
    assert request["priority"] == "P2"


async def test_a_request_waits_for_nobody_once_it_is_cancelled(desk: Desk) -> None:
    """R-REQ-01: cancelled while waiting."""
    request = await begun(desk)
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")

    request = await do(desk, "office customer", "cancelRequest", id=request["id"], reason="好了")

    assert request["status"] == "CANCELLED"
    assert {each["state"] for each in request["clocks"]} == {"CANCELLED"}
