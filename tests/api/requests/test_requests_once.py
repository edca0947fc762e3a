"""Nothing twice, nothing lost, nothing unsaid: keys, versions and the audit trail."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from itr.events.work import after_commit
from itr.requests.lifecycle import RequestVerb
from itr.settings import Settings
from tests.api.requests.test_requests_lifecycle import TABLE, WHO
from tests.support.desk import Desk, hours, open_desk
from tests.support.requests import (
    CRITICAL,
    MINOR,
    MUTATIONS,
    attempt,
    brought_to,
    call,
    do,
    events_of,
    input_for,
    new_key,
    read,
    refused,
    stored,
    submitted,
    timeline,
)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


INTAKE: dict[str, Any] = {
    "kind": "TECHNICAL",
    "title": "不通 no route",
    "description": "今天早上起",
    "productUnknown": True,
}


async def test_the_same_key_does_nothing_twice_and_answers_with_the_same_ids(desk: Desk) -> None:
    """S13: the fields are read anew."""
    given = {**INTAKE, "clientMutationId": new_key()}
    first = await attempt(desk, "CUSTOMER", "submitRequest", **given)
    id_ = first["request"]["id"]
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    before = await stored()

    again = await attempt(desk, "CUSTOMER", "submitRequest", **given)

    assert again["request"]["id"] == id_
    assert again["request"]["status"] == "AUTHORISED"
    assert again["clientMutationId"] == given["clientMutationId"]
    assert await stored() == before


async def test_ten_at_once_with_one_key_have_one_effect(desk: Desk) -> None:
    """S13."""
    given = {**INTAKE, "clientMutationId": new_key()}
    before = await stored()

    payloads = await asyncio.gather(
        *(attempt(desk, "CUSTOMER", "submitRequest", **given) for _ in range(10))
    )

    assert len({each["request"]["id"] for each in payloads}) == 1
    assert all(each["userErrors"] == [] for each in payloads)
    assert (await stored()).events == before.events + 1


async def test_a_crash_between_commit_and_answer_is_made_good_by_asking_again(desk: Desk) -> None:
    """S13: the client never heard; the same key finds what was done."""
    given = {**INTAKE, "clientMutationId": new_key()}
    before = await stored()

    def crash() -> None:
        raise RuntimeError("gone after the commit")

    stop = after_commit(crash)
    try:
        lost = await call(desk, "CUSTOMER", "submitRequest", **given)
    finally:
        stop()
    assert lost.code == "INTERNAL"
    assert (await stored()).events == before.events + 1

    again = await attempt(desk, "CUSTOMER", "submitRequest", **given)

    assert again["userErrors"] == []
    assert again["request"]["status"] == "REGISTERED"
    assert (await stored()).events == before.events + 1


@pytest.mark.parametrize("verb", [v for v in TABLE if v is not RequestVerb.REAUTHORISE], ids=str)
async def test_every_verb_repeated_with_its_key_happens_once(desk: Desk, verb: RequestVerb) -> None:
    """S13: also five times at once."""
    states = TABLE[verb].split()
    status = (
        "IN_PROGRESS" if "IN_PROGRESS" in states and verb is not RequestVerb.START else states[0]
    )
    request = await brought_to(desk, status, queue="queueAll")
    who = "LINE1" if "LINE1" in WHO[verb].split() else WHO[verb].split()[0]
    given = {**input_for(desk, verb, {**request, "line": 2}), "clientMutationId": new_key()}
    before = await stored()

    payloads = await asyncio.gather(
        *(attempt(desk, who, MUTATIONS[verb], **given) for _ in range(5))
    )
    payloads.append(await attempt(desk, who, MUTATIONS[verb], **given))

    assert all(each == payloads[0] for each in payloads)
    assert payloads[0]["userErrors"] == []
    assert (await stored()).events == before.events + 1


async def test_a_key_used_for_something_else_is_refused(desk: Desk) -> None:
    """S13: other input, other verb, an id that leads nowhere."""
    key = new_key()
    request = await submitted(desk, "CUSTOMER", clientMutationId=key)
    before = await stored()

    other = {**INTAKE, "title": "别的", "clientMutationId": key}
    assert await refused(desk, "CUSTOMER", "submitRequest", **other) == "KEY_REUSED"
    for id_ in (request["id"], "req_nonsense"):
        cancel = {"id": id_, "reason": "不需要了", "clientMutationId": key}
        assert await refused(desk, "CUSTOMER", "cancelRequest", **cancel) == "KEY_REUSED"

    assert await stored() == before


async def test_another_persons_key_is_another_key(desk: Desk) -> None:
    """S13, R-ROLE-04: nobody learns what somebody else's key did."""
    given = {**INTAKE, "clientMutationId": new_key()}

    mine = await do(desk, "CUSTOMER", "submitRequest", **given)
    yours = await do(desk, "colleague", "submitRequest", **given)

    assert mine["id"] != yours["id"]


async def test_a_refusal_is_remembered_with_its_key(desk: Desk) -> None:
    """S13: the same outcome, though it would be possible by now."""
    request = await brought_to(desk, "DISPATCHED")
    given = {"id": request["id"], "solution": "x", "restoresService": True}
    key = new_key()
    code = await refused(desk, "LINE1", "deliverRequest", **given, clientMutationId=key)
    assert code == "MOVE_NOT_ALLOWED"
    await do(desk, "LINE1", "startRequest", id=request["id"])

    again = await refused(desk, "LINE1", "deliverRequest", **given, clientMutationId=key)

    assert again == "MOVE_NOT_ALLOWED"
    assert (await do(desk, "LINE1", "deliverRequest", **given))["status"] == "DELIVERED"


async def test_a_remembered_refusal_is_told_in_the_language_of_who_asks_again(desk: Desk) -> None:
    """S13."""
    key = new_key()
    given = {"id": "req_nonsense", "clientMutationId": key}

    told = [
        (await call(desk, "LINE1", "startRequest", language=language, **given)).data
        for language in ("en", "zh-CN")
    ]

    messages = [each["startRequest"]["userErrors"][0]["message"] for each in told]
    assert messages == ["There is no such object.", "找不到该对象。"]


async def test_after_a_day_a_key_is_new_again(desk: Desk) -> None:
    """S13: what it did and what it was refused alike."""
    given = {**INTAKE, "clientMutationId": new_key()}
    first = await do(desk, "CUSTOMER", "submitRequest", **given)
    refusal = {"id": first["id"], "reason": "x", "clientMutationId": new_key()}
    assert await refused(desk, "CUSTOMER", "reopenRequest", **refusal) == "MOVE_NOT_ALLOWED"

    desk.time.pass_(timedelta(hours=24))
    assert (await do(desk, "CUSTOMER", "submitRequest", **given))["id"] == first["id"]
    desk.time.pass_(timedelta(microseconds=1))

    anew = await do(desk, "CUSTOMER", "submitRequest", **given)
    assert anew["id"] != first["id"]
    assert (await do(desk, "CUSTOMER", "submitRequest", **given))["id"] == anew["id"]
    assert await refused(desk, "CUSTOMER", "reopenRequest", **refusal) == "MOVE_NOT_ALLOWED"
    kept = {"id": "req_nonsense", "reason": "x", "clientMutationId": refusal["clientMutationId"]}
    assert await refused(desk, "CUSTOMER", "reopenRequest", **kept) == "KEY_REUSED"


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b", "a\x7fb"])
async def test_a_key_that_cannot_be_kept_is_refused(desk: Desk, key: str) -> None:
    """S17."""
    before = await stored()

    payload = await attempt(desk, "CUSTOMER", "submitRequest", **INTAKE, clientMutationId=key)

    assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [
        ("INVALID", ["input", "clientMutationId"])
    ]
    assert await stored() == before


async def test_a_change_meant_for_an_older_version_is_stale(desk: Desk) -> None:
    """The object has moved on since it was read; nothing changes."""
    request = await brought_to(desk, "IN_PROGRESS")
    await do(desk, "LINE1", "noteOnRequest", id=request["id"], text="我先看看")
    before = await stored()
    given = {"id": request["id"], "expectedVersion": request["version"]}

    payload = await attempt(
        desk, "LINE1", "deliverRequest", **given, solution="x", restoresService=True
    )

    assert payload["userErrors"][0]["code"] == "STALE"
    assert payload["userErrors"][0]["path"] == ["input", "expectedVersion"]
    assert str(request["version"] + 1) in payload["userErrors"][0]["message"]
    assert await stored() == before


async def test_of_two_who_read_the_same_version_one_succeeds(desk: Desk) -> None:
    """Concurrently, too."""
    request = await brought_to(desk, "IN_PROGRESS")
    given = {"id": request["id"], "expectedVersion": request["version"]}

    payloads = await asyncio.gather(
        *(attempt(desk, "LINE1", "reclassifyRequest", **given, **MINOR) for _ in range(4))
    )

    codes = sorted(error["code"] for each in payloads for error in each["userErrors"])
    assert codes == ["STALE"] * 3


async def test_of_two_that_take_it_at_once_one_becomes_the_owner(desk: Desk) -> None:
    """R-ROLE-07."""
    request = await brought_to(desk, "DISPATCHED")

    payloads = await asyncio.gather(
        *(attempt(desk, who, "startRequest", id=request["id"]) for who in ("LINE1", "second"))
    )

    codes = [error["code"] for each in payloads for error in each["userErrors"]]
    assert codes == ["MOVE_NOT_ALLOWED"]
    types = [each["type"] for each in await timeline(desk, "LINE1", request["id"])]
    assert types.count("RequestStarted") == 1


async def test_each_move_is_one_event_with_who_when_from_where_and_what(desk: Desk) -> None:
    """R-REQ-01, S16."""
    request = await brought_to(desk, "CLOSED")

    kept = await events_of(request["id"])

    assert [each["type"] for each in kept] == [
        "RequestRegistered",
        "RequestAccepted",
        "RequestDispatched",
        "RequestStarted",
        "RequestDelivered",
        "RequestConfirmed",
        "RequestClosed",
    ]
    assert [each["subject_version"] for each in kept] == list(range(1, 8))
    people = ["CUSTOMER", "LINE1", "DISPATCH_MANAGER", "LINE1", "LINE1", "CUSTOMER", "LINE1"]
    assert {each["actor_name"] for each in kept} == {None, "Acme"}
    assert [each["actor_id"] for each in kept] == [desk.ids[name] for name in people]
    assert {each["occurred_at"] for each in kept} == {desk.time.now}
    for each in kept:
        origin = each["origin"]
        assert '"client"' in origin
        assert '"address"' in origin


async def test_the_log_cannot_be_changed(desk: Desk) -> None:
    """S16: by the application's own role."""
    from tortoise.connection import get_connection
    from tortoise.exceptions import OperationalError

    request = await submitted(desk)
    for statement in (
        "update event set actor_name = 'nobody'",
        "delete from event",
        "truncate event",
    ):
        with pytest.raises(OperationalError, match="permission denied"):
            await get_connection("default").execute_query(statement)

    assert len(await events_of(request["id"])) == 1


async def test_two_servers_whose_clocks_differ_leave_the_clocks_as_the_moves_were_made(
    desk: Desk,
) -> None:
    """Situation 26, R-SLA-02: time never runs backwards on one request."""
    request = await brought_to(desk, "IN_PROGRESS")
    desk.time.pass_(hours(1))
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    desk.time.pass_(timedelta(seconds=-30))

    await do(desk, "LINE1", "resumeRequest", id=request["id"])
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER")
    await do(desk, "LINE1", "resumeRequest", id=request["id"])

    desk.time.pass_(hours(1) + timedelta(seconds=30))
    seen = await read(desk, "LINE1", request["id"])
    assert seen is not None
    assert {each["state"] for each in seen["clocks"]} <= {"RUNNING", "BREACHED"}
    assert all(each["counting"] for each in seen["clocks"])
    types = [each["type"] for each in await timeline(desk, "LINE1", request["id"])]
    assert types[-4:] == ["RequestWaiting", "RequestResumed", "RequestWaiting", "RequestResumed"]
