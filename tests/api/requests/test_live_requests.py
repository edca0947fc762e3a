"""Live requests and countdowns over real sockets (Decision 5, R-SLA-13)."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.app import create_app
from itr.database import connected
from itr.figures.rules import Period
from itr.recalculations.operations import start_what_if
from itr.settings import Settings
from tests.support.client import Served, Socket, served
from tests.support.desk import FOUNDER, START, Desk, Time, furnish, hours
from tests.support.levels import work_off
from tests.support.requests import brought_to, do, submitted


@pytest.fixture(scope="module")
async def desk_on_a_socket(settings: Settings) -> AsyncIterator[tuple[Desk, Served]]:
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with served(create_app(settings, clock=time), settings) as server:
            yield Desk(settings, server.client, time, ids), server


async def news(socket: Socket) -> dict[str, Any]:
    """What the subscription tells next."""
    message = await socket.receive()
    assert message["type"] == "next", message
    payload: dict[str, Any] = message["payload"]
    return payload


async def test_a_countdown_tells_each_clock_then_only_what_changes(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """R-SLA-13."""
    desk, server = desk_on_a_socket
    request = await submitted(desk)
    document = """subscription($id: ID!) { slaCountdown(requestId: $id) {
        requestId thread state deadline remaining counting countingChangesAt nextAlarmAt
        version sequence serverTime clock { id thread target elapsed } } }"""

    async with server.socket(desk.as_("CUSTOMER").token) as socket:
        await socket.subscribe(document, {"id": request["id"]})
        first = [await news(socket) for _ in range(3)]
        await do(desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
        then = await news(socket)

    told = [each["data"]["slaCountdown"] for each in first]
    assert [each["thread"] for each in told] == ["RESPONSE", "RESTORATION", "RESOLUTION"]
    assert {each["counting"] for each in told} == {True}
    assert told[0]["remaining"] == "PT4H"
    assert told[0]["clock"]["id"].startswith("clk_")
    assert [each["clock"]["thread"] for each in told] == [each["thread"] for each in told]
    assert told[0]["clock"]["target"] == "PT4H"
    assert then["data"]["slaCountdown"]["thread"] == "RESPONSE"
    assert then["data"]["slaCountdown"]["state"] == "MET"


async def test_a_countdown_nobody_follows_any_longer_ends_without_an_error(
    desk_on_a_socket: tuple[Desk, Served], caplog: pytest.LogCaptureFixture
) -> None:
    """R-SLA-13: the window is closed, or something else is asked."""
    desk, server = desk_on_a_socket
    request = await submitted(desk)
    document = "subscription($id: ID!) { slaCountdown(requestId: $id) { thread } }"

    async with server.socket(desk.as_("CUSTOMER").token) as socket:
        name = await socket.subscribe(document, {"id": request["id"]})
        for _ in range(3):
            await news(socket)
        await socket.send({"id": name, "type": "complete"})
        await socket.ask("{ viewer { roles } }")

    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ({"or": [{"title": {"eq": "x"}}] * 150}, "BAD_INPUT"),
        ({"partnerId": {"isNull": False}}, "FORBIDDEN"),
    ],
)
async def test_a_refused_filter_is_told_to_who_gave_it_and_not_to_the_log(
    desk_on_a_socket: tuple[Desk, Served],
    caplog: pytest.LogCaptureFixture,
    filter: dict[str, Any],
    code: str,
) -> None:
    """R1, R2: anybody could fill the log with tracebacks, and was not told where."""
    desk, server = desk_on_a_socket
    document = "subscription($f: RequestFilter) { requestEvents(filter: $f) { __typename } }"

    async with server.socket(desk.as_("CUSTOMER").token) as socket:
        await socket.subscribe(document, {"f": filter})
        message = await socket.receive()

    (error,) = message["payload"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["inputPath"] == ["filter"]
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_countdown_of_a_request_out_of_sight_is_not_found(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """R-ROLE-04."""
    desk, server = desk_on_a_socket
    request = await submitted(desk)
    document = "subscription($id: ID!) { slaCountdown(requestId: $id) { thread } }"

    async with server.socket(desk.as_("bolt").token) as socket:
        await socket.subscribe(document, {"id": request["id"]})
        answer = await socket.receive()

    assert answer["type"] == "error"
    assert answer["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_feed_begins_with_what_matches_and_tells_what_changes(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """Decision 5."""
    desk, server = desk_on_a_socket
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    document = """subscription($filter: RequestFilter, $after: String) {
      requestEvents(filter: $filter, after: $after) { __typename
        ... on RequestSnapshot { cursor complete requests { number clocks { thread state } } }
        ... on RequestChanged { cursor version request { number status } events { type text } }
        ... on RequestRemoved { cursor requestId } } }"""
    wanted = {"status": {"in": ["REGISTERED", "IN_PROGRESS"]}}

    async with server.socket(desk.as_("bolt").token) as socket:
        await socket.subscribe(document, {"filter": wanted})
        snapshot = (await news(socket))["data"]["requestEvents"]
        await do(desk, "LINE1", "logCall", id=request["id"], summary="Called them")
        changed = (await news(socket))["data"]["requestEvents"]
        await do(desk, "bolt", "cancelRequest", id=request["id"], reason="gone")
        removed = (await news(socket))["data"]["requestEvents"]

    assert snapshot["__typename"] == "RequestSnapshot"
    assert [each["number"] for each in snapshot["requests"]] == [request["number"]]
    assert changed["request"]["number"] == request["number"]
    assert changed["events"] == [{"type": "CallLogged", "text": "Called them"}]
    assert removed["__typename"] == "RequestRemoved"
    assert removed["requestId"] == request["id"]


async def test_the_explanation_of_a_clock_adds_up_and_says_why(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """R-SLA-11."""
    desk, _ = desk_on_a_socket
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    desk.time.pass_(hours(24))
    document = """query($id: ID!) { node(id: $id) { ... on ServiceRequest {
        clocks { thread elapsed explain { from to counted reason } }
        timeline(first: 5) { totalCount nodes { id type occurredAt actorName toStatus } } } } }"""

    answer = (await desk.as_("bolt").run(document, {"id": request["id"]})).data["node"]

    response = answer["clocks"][0]
    assert {each["reason"] for each in response["explain"]} == {"WORKING", "OUTSIDE_HOURS"}
    assert response["explain"][0]["from"] == answer["timeline"]["nodes"][0]["occurredAt"]
    assert answer["timeline"]["totalCount"] == 1


EXPLAINED = """query($id: ID!, $first: Int, $after: DateTime) { node(id: $id) {
    ... on ServiceRequest { clocks { explain(first: $first, after: $after) { from to } } } } }"""


async def test_an_explanation_is_read_page_by_page(desk_on_a_socket: tuple[Desk, Served]) -> None:
    """13: a page holds what was asked for, five hundred at most."""
    desk, _ = desk_on_a_socket
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    desk.time.pass_(hours(24 * 30))
    client = desk.as_("bolt")

    async def page(**asked: Any) -> Any:
        answer = await client.run(EXPLAINED, {"id": request["id"], **asked})
        return answer.data["node"]["clocks"][0]["explain"]

    whole, first = await page(), await page(first=2)
    second = await page(first=2, after=first[-1]["to"])
    refused = await client.run(EXPLAINED, {"id": request["id"], "first": 501})

    assert 4 < len(whole) < 101
    assert first + second == whole[:4]
    assert await page(first=0) == []
    assert (refused.code, refused.errors[0]["extensions"]["inputPath"]) == ("INVALID", ["first"])


async def test_what_has_not_begun_has_no_explanation(desk_on_a_socket: tuple[Desk, Served]) -> None:
    """12: a clock that starts later than now, as histories of other systems may hold."""
    desk, _ = desk_on_a_socket
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    desk.time.pass_(hours(-48))

    answer = await desk.as_("bolt").run(EXPLAINED, {"id": request["id"]})

    desk.time.pass_(hours(48))
    assert [each["explain"] for each in answer.data["node"]["clocks"]] == [[], [], []]


async def test_a_what_if_tells_how_far_it_is_until_it_is_done(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """R-SLA-12: over the log, so that it does not matter who works it off."""
    desk, server = desk_on_a_socket
    row_id = await start_what_if(
        FOUNDER,
        Period(START, START + hours(24 * 365)),
        version_id=desk.ids["house"],
        now=desk.time.now,
    )
    public = f"rcl_{row_id.hex}"
    document = """subscription($id: ID!) { whatIfProgress(id: $id) {
        version cursor recalculation { id kind status done total } } }"""

    async with server.socket(desk.as_("PROCESS_MANAGER").token) as socket:
        await socket.subscribe(document, {"id": public})
        waiting = (await news(socket))["data"]["whatIfProgress"]
        await work_off(desk.time.now)
        done = (await news(socket))["data"]["whatIfProgress"]
        await socket.subscribe(document, {"id": "rcl_" + "0" * 32})
        nothing = await news(socket)
    async with server.socket(desk.as_("LINE1").token) as socket:
        await socket.subscribe(document, {"id": public})
        refused = await news(socket)

    assert waiting["recalculation"] == {
        "id": public, "kind": "WHAT_IF", "status": "WAITING", "done": 0, "total": None,
    }  # fmt: skip
    assert done["recalculation"]["status"] == "DONE"
    assert done["version"] > waiting["version"]
    assert nothing["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_clock_that_always_counts_says_that_no_calendar_changes_it(
    desk_on_a_socket: tuple[Desk, Served],
) -> None:
    """R-CAL-01, R-SLA-13: 24×7, wherever it is shown."""
    desk, server = desk_on_a_socket
    request = await brought_to(desk, "IN_PROGRESS")
    shown = "counting countingChangesAt"
    count = f"subscription($id: ID!) {{ slaCountdown(requestId: $id) {{ {shown} }} }}"
    board = f"""query($id: ID!) {{ node(id: $id) {{
        ... on SlaBoardEntry {{ clocks {{ {shown} }} request {{ clocks {{ {shown} }} }} }} }} }}"""

    async with server.socket(desk.as_("CUSTOMER").token) as socket:
        await socket.subscribe(count, {"id": request["id"]})
        told = [(await news(socket))["data"]["slaCountdown"] for _ in range(3)]
    entry = request["id"].replace("req_", "brd_")
    node = (await desk.as_("LINE1").run(board, {"id": entry})).data["node"]

    always = {"counting": True, "countingChangesAt": None}
    assert told == node["clocks"] == node["request"]["clocks"] == [always] * 3
