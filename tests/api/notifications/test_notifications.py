"""One's own list: read, followed live, marked as read; nobody reads another's (R-NOT-01)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.app import create_app
from itr.actors.roles import Role
from itr.database import connected
from itr.settings import Settings
from itr.sla.models import Clock
from itr.tickets.firing import fire_due
from tests.support.client import Served, Socket, served
from tests.support.desk import START, Desk, Time, furnish, hours
from tests.support.requests import CRITICAL, ask, do, new_key, submitted

LIST = """query($filter: NotificationFilter, $whole: Boolean!) {
  notifications(first: 100, filter: $filter) {
    totalCount nodes { id kind text thread percent dueAt late unread readAt createdAt
        request @include(if: $whole) { id number } } } }"""
MARK = """mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) {
    clientMutationId userErrors { path code } notifications { id unread readAt } } }"""
FOLLOW = """subscription($after: String) { notifications(after: $after) { __typename
    ... on NotificationSnapshot { cursor complete notifications { id unread } }
    ... on NotificationChanged { cursor version notification { id kind percent unread } }
    ... on NotificationRemoved { cursor notificationId }
    ... on NotificationResync { cursor } } }"""


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[tuple[Desk, Served]]:
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with served(create_app(settings, clock=time), settings) as server:
            yield Desk(settings, server.client, time, ids), server


@pytest.fixture
def desk(house: tuple[Desk, Served]) -> Desk:
    return house[0]


async def alarmed(desk: Desk, owner: str = "LINE1") -> dict[str, Any]:
    """A P1 request whose owner was just told that half of the response time is used.

    The clocks of earlier requests warn of nothing any more.
    """
    await Clock.all().update(next_alarm_at=None)
    request = await submitted(desk)
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    queue = desk.public("que", {"LINE1": "queue1", "PARTNER": "queueFirm"}[owner])
    await do(desk, "DISPATCH_MANAGER", "dispatchRequest", id=request["id"], queueId=queue)
    await do(desk, owner, "startRequest", id=request["id"])
    desk.time.pass_(hours(0.5))
    await fire(desk)
    return request


async def fire(desk: Desk) -> None:
    while (await fire_due(desk.time.now)).clocks:
        pass


async def entries(desk: Desk, who: str, **filter: Any) -> list[dict[str, Any]]:
    """Somebody's list."""
    whole = who != Role.ADMIN  # reads no requests
    page = (await ask(desk, who, LIST, filter=filter, whole=whole))["notifications"]
    assert page["totalCount"] == len(page["nodes"])
    nodes: list[dict[str, Any]] = page["nodes"]
    return nodes


async def mark(desk: Desk, who: str, *ids: str, **more: Any) -> dict[str, Any]:
    answer = await desk.as_(who).run(MARK, {"input": {"ids": list(ids), **more}})
    payload: dict[str, Any] = answer.data["markNotificationsRead"]
    return payload


async def about(desk: Desk, who: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    return await entries(desk, who, requestId={"eq": request["id"]})


async def test_an_owner_reads_what_they_were_told_newest_first(desk: Desk) -> None:
    """R-NOT-01, R-ALM-01."""
    request = await alarmed(desk)
    desk.time.pass_(hours(0.25))
    await fire(desk)

    told = await about(desk, "LINE1", request)

    assert [(each["kind"], each["thread"], each["percent"]) for each in told] == [
        ("ALARM", "RESPONSE", 75),
        ("ALARM", "RESPONSE", 50),
    ]
    assert told[0]["request"]["number"] == request["number"]
    assert told[0]["text"] == (
        f"{request['number']} (P1): 75 % of the response time is used,"
        f" due {told[0]['dueAt'][:10]} {int(told[0]['dueAt'][11:13]) + 8:02}"
        f":{told[0]['dueAt'][14:16]}."
    )
    assert all(each["unread"] and each["readAt"] is None and not each["late"] for each in told)


async def test_the_same_entry_speaks_the_language_of_the_reader(desk: Desk) -> None:
    """R-NOT-01: Chinese unless the reader asks for English."""
    await alarmed(desk)
    query = "{ notifications(first: 1) { nodes { text } } }"

    english = (await desk.as_("LINE1").run(query)).data["notifications"]["nodes"]
    chinese = (await desk.as_("LINE1", language="zh-CN").run(query)).data["notifications"]["nodes"]

    assert "response time" in english[0]["text"]
    assert "响应时限" in chinese[0]["text"]


async def test_nobody_reads_another_list_by_any_way(desk: Desk) -> None:
    """S1, S2, R-ROLE-04: not by list, count, node, filter, nor by marking."""
    readers = sorted(set(Role) - {Role.LINE1, Role.WALLBOARD})
    before = {who: await entries(desk, who) for who in readers}
    request = await alarmed(desk)
    entry = (await about(desk, "LINE1", request))[0]["id"]

    for who in readers:
        assert await entries(desk, who) == before[who]
        found = await ask(desk, who, "query($id: ID!) { node(id: $id) { id } }", id=entry)
        assert found["node"] is None
        marked = await mark(desk, who, entry)
        assert [error["code"] for error in marked["userErrors"]] == ["NOT_FOUND"]
        assert marked["notifications"] == []
    assert (await about(desk, "LINE1", request))[0]["unread"]


async def test_a_wallboard_has_no_list(desk: Desk) -> None:
    """R-ROLE-03, R-ROLE-06."""
    assert (await desk.as_("WALLBOARD").run("{ notifications { totalCount } }")).code == "FORBIDDEN"
    answer = await desk.as_("WALLBOARD").run(MARK, {"input": {"ids": ["ntf_0"]}})
    assert answer.code == "FORBIDDEN"


async def test_a_partner_who_owns_the_work_is_told_of_its_alarms(desk: Desk) -> None:
    """R-ALM-01, R-ROLE-06: of alarms, not of control points."""
    request = await alarmed(desk, "PARTNER")

    told = await about(desk, "PARTNER", request)

    assert [(each["kind"], each["percent"]) for each in told] == [("ALARM", 50)]
    assert await entries(desk, "rival") == []


async def test_reading_is_marked_once_and_keeps_its_time(desk: Desk) -> None:
    """R-NOT-01, S13."""
    request = await alarmed(desk)
    entry = (await about(desk, "LINE1", request))[0]["id"]
    key = new_key()

    first = await mark(desk, "LINE1", entry, clientMutationId=key)
    desk.time.pass_(hours(0.1))
    again = await mark(desk, "LINE1", entry, clientMutationId=key)
    anew = await mark(desk, "LINE1", entry)

    assert first == again
    assert first["userErrors"] == []
    assert [each["unread"] for each in first["notifications"]] == [False]
    assert anew["notifications"] == first["notifications"]
    left = await entries(desk, "LINE1", unread={"eq": True})
    assert entry not in [each["id"] for each in left]


async def test_what_cannot_be_marked_is_refused_whole(desk: Desk) -> None:
    """S2, S17."""
    request = await alarmed(desk)
    entry = (await about(desk, "LINE1", request))[0]["id"]

    unknown = await mark(desk, "LINE1", entry, "ntf_" + "0" * 32, "nonsense")
    none = await mark(desk, "LINE1")
    many = await mark(desk, "LINE1", *[entry] * 101)

    assert [(error["code"], error["path"][-1]) for error in unknown["userErrors"]] == [
        ("NOT_FOUND", "2")
    ]
    missing = await mark(desk, "LINE1", entry, "ntf_" + "0" * 32)
    assert [error["path"] for error in missing["userErrors"]] == [["input", "ids", "1"]]
    assert [error["code"] for error in none["userErrors"]] == ["REQUIRED"]
    assert [error["code"] for error in many["userErrors"]] == ["TOO_LONG"]
    assert (await about(desk, "LINE1", request))[0]["unread"]


async def news(socket: Socket) -> dict[str, Any]:
    """What the subscription tells next."""
    message = await socket.receive()
    assert message["type"] == "next", message
    told: dict[str, Any] = message["payload"]["data"]["notifications"]
    return told


async def test_a_list_is_followed_live_and_resumed(house: tuple[Desk, Served]) -> None:
    """R-NOT-01, Decision 5: a snapshot, what comes, what is read; a cursor goes on from there."""
    desk, server = house
    token = desk.as_("LINE1").token

    async with server.socket(token) as socket:
        await socket.subscribe(FOLLOW)
        snapshot = await news(socket)
        request = await alarmed(desk)
        came = await news(socket)
        entry = (await about(desk, "LINE1", request))[0]["id"]
        await mark(desk, "LINE1", entry)
        read = await news(socket)
    async with server.socket(token) as socket:
        await socket.subscribe(FOLLOW, {"after": came["cursor"]})
        resumed = await news(socket)
    async with server.socket(desk.as_("second").token) as socket:
        await socket.subscribe(FOLLOW, {"after": came["cursor"]})
        another = await socket.receive()

    assert snapshot["__typename"] == "NotificationSnapshot"
    assert entry not in [each["id"] for each in snapshot["notifications"]]
    assert came["version"] == 1
    assert came["notification"] == {"id": entry, "kind": "ALARM", "percent": 50, "unread": True}
    assert (read["version"], read["notification"]["unread"]) == (2, False)
    assert (resumed["version"], resumed["notification"]) == (2, read["notification"])
    assert "BAD_CURSOR" in str(another["payload"])
    assert snapshot["complete"]


async def test_another_persons_news_do_not_come(house: tuple[Desk, Served]) -> None:
    """S1: what comes next is one's own, however much others were told before."""
    desk, server = house

    async with server.socket(desk.as_("PARTNER").token) as socket:
        await socket.subscribe(FOLLOW)
        await news(socket)
        await alarmed(desk)
        mine = await alarmed(desk, "PARTNER")
        came = await news(socket)

    assert came["notification"]["id"] in [each["id"] for each in await about(desk, "PARTNER", mine)]


async def test_a_wallboard_follows_no_list(house: tuple[Desk, Served]) -> None:
    """R-ROLE-02, S1."""
    desk, server = house

    async with server.socket(desk.as_("WALLBOARD").token) as socket:
        await socket.subscribe(FOLLOW)
        answer = await socket.receive()

    assert "FORBIDDEN" in str(answer["payload"])
