"""The wallboard feed over real sockets: what is open, what threatens it, and its clocks."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.app import create_app
from itr.access.operations.persons import assign_role, create_person, revoke_role
from itr.actors.roles import Role
from itr.database import connected
from itr.settings import Settings
from itr.sla.models import Clock
from tests.api.throwaway import caught_up
from tests.support.boards import (
    BOARD,
    SHORT,
    TICKING,
    Display,
    board,
    entry_id,
    fire_all,
    following,
    told,
)
from tests.support.client import Served, served
from tests.support.desk import FOUNDER, START, Desk, Time, furnish, hours
from tests.support.requests import CRITICAL, MINOR, attempt, brought_to, do, submitted


@dataclass
class Hall:
    """A desk behind a real socket, for displays to hang in."""

    desk: Desk
    server: Served

    def token(self, name: str = "WALLBOARD") -> str:
        """Somebody's access token."""
        found = self.desk.as_(name).token
        assert found is not None
        return found

    def of(self, customer: str) -> dict[str, Any]:
        """The filter that keeps one customer's requests."""
        return {"customerId": {"eq": self.desk.public("org", customer)}}

    async def has_caught_up(self) -> None:
        """Wait until the server has read all that is written."""
        connection = await asyncpg.connect(self.desk.settings.database_url)
        try:
            await caught_up(self.server.app.state.services.feed, connection)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def hall(settings: Settings) -> AsyncIterator[Hall]:
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with served(create_app(settings, clock=time), settings) as server:
            yield Hall(Desk(settings, server.client, time, ids), server)


async def bolts(desk: Desk, **more: Any) -> dict[str, Any]:
    """A request of Bolt's, just registered, under the house level in office hours."""
    return await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"), **more)


async def test_a_board_begins_with_what_is_open_and_tells_what_changes_and_leaves(
    hall: Hall,
) -> None:
    """R-SLA-13, Decision 5."""
    desk = hall.desk
    open_one = await brought_to(desk, "IN_PROGRESS")
    closed = await submitted(desk)
    await do(desk, "CUSTOMER", "cancelRequest", id=closed["id"], reason="gone")
    entry = f"id requestId number version priority line risk clocks {{ {TICKING} }}"

    async with following(hall.server, hall.token(), board(entry), filter=hall.of("Acme")) as socket:
        snapshot = await told(socket)
        await do(desk, "LINE1", "waitRequest", id=open_one["id"], reason="CUSTOMER")
        changed = await told(socket)
        await do(desk, "CUSTOMER", "cancelRequest", id=open_one["id"], reason="gone")
        removed = await told(socket)

    (first,) = snapshot["entries"]
    assert (first["number"], first["requestId"]) == (open_one["number"], open_one["id"])
    assert (first["priority"], first["line"], first["risk"]) == ("P1", 1, "OK")
    assert [(each["thread"], each["counting"]) for each in first["clocks"]] == [
        ("RESPONSE", True), ("RESTORATION", True), ("RESOLUTION", True)
    ]  # fmt: skip
    assert first["clocks"][0]["remaining"] == "PT1H"
    assert snapshot["complete"] is True
    assert snapshot["serverTime"] == changed["serverTime"] == "2026-03-02T01:00:00Z"
    assert changed["version"] == changed["entry"]["version"] > first["version"]
    assert {each["state"] for each in changed["entry"]["clocks"]} == {"PAUSED"}
    assert {each["deadline"] for each in changed["entry"]["clocks"]} == {None}
    assert removed["entryId"] == first["id"]


async def test_the_alarm_before_the_deadline_puts_a_request_at_risk_and_the_next_breaches_it(
    hall: Hall,
) -> None:
    """R-ALM-01: 90 % is shown on wallboards."""
    desk = hall.desk
    request = await bolts(desk)
    threatened = {**hall.of("Bolt"), "risk": {"in": ["AT_RISK", "BREACHED"]}}

    async with following(hall.server, hall.token(), filter=threatened) as socket:
        assert (await told(socket))["entries"] == []
        desk.time.pass_(hours(3.5))  # 87.5 % of the response
        await fire_all(desk.time.now)
        desk.time.now = START + timedelta(hours=5, minutes=10)  # 3 h 40 min worked: 91.7 %
        await fire_all(desk.time.now)
        at_risk = await told(socket)
        desk.time.now = START + timedelta(hours=6)
        await fire_all(desk.time.now)
        breached = await told(socket)
        await do(desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
        removed = await told(socket)

    assert (at_risk["entry"]["number"], at_risk["entry"]["risk"]) == (request["number"], "AT_RISK")
    assert at_risk["entry"]["clocks"][0]["alarmLevel"] == 90
    assert breached["entry"]["risk"] == "BREACHED"
    assert breached["entry"]["clocks"][0]["state"] == "BREACHED"
    assert breached["version"] > at_risk["version"]
    assert removed["entryId"] == entry_id(request)
    await do(desk, "bolt", "cancelRequest", id=request["id"], reason="gone")


async def test_what_displays_fold_is_what_a_query_finds_whatever_happens(hall: Hall) -> None:
    """Decision 5, S12: random changes, alarms, disconnections; nothing missed, nothing twice."""
    desk = hall.desk
    filters: list[dict[str, Any]] = [
        {},
        {"priority": {"in": ["P1", "P2"]}},
        {"line": {"in": [2, 3]}},
        {"risk": {"in": ["AT_RISK", "BREACHED"]}},
        {"or": [hall.of("Bolt"), {"line": {"eq": 1}, "risk": {"eq": "OK"}}]},
    ]
    displays = [Display() for _ in filters]
    stop = asyncio.Event()
    watching = [
        asyncio.create_task(_switched_on_and_off(hall, display, wanted, stop, random.Random(seed)))
        for seed, (display, wanted) in enumerate(zip(displays, filters, strict=True))
    ]

    await _much_happens(desk, random.Random(5))
    stop.set()
    await asyncio.gather(*watching)

    expected = [await _found(desk, wanted) for wanted in filters]
    for display, wanted, entries in zip(displays, filters, expected, strict=True):
        await _catch_up(hall, display, wanted, entries)
    assert sum(len(display.kinds) for display in displays) > 60
    assert {kind for display in displays for kind in display.kinds} == {
        "Snapshot", "Changed", "Removed"
    }  # fmt: skip
    assert all(expected), "every filter keeps something in the end"


async def _switched_on_and_off(
    hall: Hall,
    display: Display,
    filter: Mapping[str, Any],
    stop: asyncio.Event,
    luck: random.Random,
) -> None:
    """Follow until told to stop, going away now and then and on from the cursor."""
    while not stop.is_set():
        left = luck.randint(1, 6)
        async with following(
            hall.server, hall.token(), filter=filter, after=display.cursor
        ) as socket:
            while left and not stop.is_set():
                with suppress(TimeoutError):
                    display.take(await told(socket, timeout=0.3))
                    left -= 1


async def _much_happens(desk: Desk, luck: random.Random) -> None:
    """Requests of both customers come, move, warn, breach and go."""
    requests: list[dict[str, Any]] = []
    for _ in range(60):
        desk.time.pass_(timedelta(minutes=luck.randint(0, 50)))
        await fire_all(desk.time.now)
        if len(requests) < 6 or luck.random() < 0.15:
            requests.append(await (bolts(desk) if luck.random() < 0.5 else submitted(desk)))
            continue
        request = luck.choice(requests)
        who, verb, given = luck.choice(_steps(desk, luck))
        if verb == "cancelRequest":
            who = "CUSTOMER" if luck.random() < 0.5 else "bolt"
        await attempt(desk, who, verb, id=request["id"], **given)
    await brought_to(desk, "IN_PROGRESS", owner="LINE2")


def _steps(desk: Desk, luck: random.Random) -> list[tuple[str, str, dict[str, Any]]]:
    queue = desk.public("que", luck.choice(["queue1", "queue2", "queueAll"]))
    return [
        ("LINE1", "acceptRequest", dict(luck.choice([CRITICAL, MINOR]))),
        ("PROCESS_MANAGER", "waiveCharge", {}),
        ("LINE1", "reclassifyRequest", dict(luck.choice([CRITICAL, MINOR]))),
        ("DISPATCH_MANAGER", "dispatchRequest", {"queueId": queue}),
        (luck.choice(["LINE1", "LINE2"]), "startRequest", {}),
        (luck.choice(["LINE1", "LINE2"]), "waitRequest", {"reason": "CUSTOMER"}),
        (luck.choice(["LINE1", "LINE2"]), "resumeRequest", {}),
        ("LINE1", "respondToRequest", {"text": "在看"}),
        ("LINE1", "deliverRequest", {"solution": "换模块", "restoresService": True}),
        ("CUSTOMER", "cancelRequest", {"reason": "不需要了"}),
    ]


async def _found(desk: Desk, filter: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries of the open requests the filter keeps, found without any feed."""
    document = """query { requests(first: 100, filter: {
        status: {in: [REGISTERED, AUTHORISED, DISPATCHED, IN_PROGRESS, WAITING, RESTORED,
            DELIVERED, CONFIRMED]}, isChild: {eq: false} }) { nodes { id } } }"""
    answer = await desk.as_("LINE1").run(document)
    ids = [entry_id(each) for each in answer.data["requests"]["nodes"]]
    standing = BOARD.split("entries {")[1].split(" } }")[0] + " }"
    document = (
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on SlaBoardEntry {{ {standing} }} }} }}"
    )
    entries = (await desk.as_("LINE1").run(document, {"ids": ids})).data["nodes"]
    return {each["id"]: each for each in entries if _keeps(filter, each)}


def _keeps(filter: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """The same filter, in Python."""
    for name, wanted in filter.items():
        if name == "or":
            good = any(_keeps(each, entry) for each in wanted)
        else:
            good = all(
                entry[name] in value if how == "in" else entry[name] == value
                for how, value in wanted.items()
            )
        if not good:
            return False
    return True


async def _catch_up(
    hall: Hall, display: Display, filter: Mapping[str, Any], wanted: dict[str, dict[str, Any]]
) -> None:
    """Go on once more; what is folded must become what is wanted."""
    if display.entries == wanted:
        return
    async with following(hall.server, hall.token(), filter=filter, after=display.cursor) as socket:
        with suppress(TimeoutError):
            while display.entries != wanted:
                display.take(await told(socket, timeout=3))
    assert display.entries == wanted


async def test_a_cursor_from_too_long_ago_means_to_start_over(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 5: Resync, then a snapshot."""
    async with following(hall.server, hall.token(), SHORT, filter=hall.of("Acme")) as socket:
        cursor = (await told(socket))["cursor"]
    monkeypatch.setattr("itr.events.feed.REPLAYED", 1)
    request = await submitted(hall.desk)
    await do(hall.desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
    await hall.has_caught_up()

    async with following(
        hall.server, hall.token(), SHORT, filter=hall.of("Acme"), after=cursor
    ) as socket:
        kinds = [(await told(socket))["__typename"] for _ in range(2)]

    assert kinds == ["SlaBoardResync", "SlaBoardSnapshot"]


async def test_a_calendar_that_closes_shows_the_whole_board_anew(hall: Hall) -> None:
    """R-SLA-13: whether it counts now and when that changes, without anybody asking."""
    desk = hall.desk
    day = desk.time.now.astimezone(UTC).date() + timedelta(days=7)
    monday = day - timedelta(days=day.weekday())
    desk.time.now = datetime(monday.year, monday.month, monday.day, 3, 59, 59, 950_000, tzinfo=UTC)
    request = await bolts(desk)
    one = {"id": {"eq": entry_id(request)}}

    async with following(
        hall.server, hall.token(), board(f"clocks {{ {TICKING} }}"), filter=one
    ) as socket:
        before = (await told(socket))["entries"][0]["clocks"][0]
        desk.time.pass_(timedelta(milliseconds=50))  # noon in Shanghai
        message = await told(socket)

    after = message["entries"][0]["clocks"][0]
    assert message["__typename"] == "SlaBoardSnapshot"
    assert (before["counting"], after["counting"]) == (True, False)
    assert before["countingChangesAt"] == message["serverTime"]
    assert after["countingChangesAt"] > before["countingChangesAt"]
    assert after["remaining"] == "PT3H59M59.95S"


async def test_a_clock_no_alarm_tells_of_shows_its_breach_all_the_same(hall: Hall) -> None:
    """L7: what another system left open sleeps until somebody works on it; late is late."""
    desk = hall.desk
    request = await bolts(desk)
    sleeping = Clock.filter(request_id=UUID(request["id"].removeprefix("req_")))
    await sleeping.update(next_alarm_at=None)
    due = min([clock.deadline async for clock in sleeping])
    one = {"id": {"eq": entry_id(request)}}
    desk.time.now = due
    watching = (
        "subscription($filter: SlaFiguresFilter) { slaFigures(filter: $filter) { breached } }"
    )
    bolt = {"customerIds": [desk.public("org", "Bolt")]}

    async with (
        following(hall.server, hall.token(), board("risk"), filter=one) as socket,
        following(hall.server, hall.token(), watching, filter=bolt) as figures,
    ):
        before = (await told(socket))["entries"][0]["risk"], (await told(figures))["breached"]
        desk.time.pass_(timedelta(milliseconds=50))
        after = (await told(socket))["entries"][0]["risk"], (await told(figures))["breached"]

    assert before == ("OK", after[1] - 1)
    assert after[0] == "BREACHED"
    await do(desk, "bolt", "cancelRequest", id=request["id"], reason="gone")


async def test_a_role_taken_away_ends_the_feed_with_the_next_message(hall: Hall) -> None:
    """S9, R-ROLE-02."""
    desk = hall.desk
    desk.ids["guard"] = await create_person(
        FOUNDER, desk.ids["Shanghai"], "guard", [Role.WALLBOARD], now=desk.time.now
    )
    async with following(hall.server, hall.token("guard"), SHORT) as socket:
        await told(socket)
        await assign_role(FOUNDER, desk.ids["guard"], Role.ADMIN, now=desk.time.now)
        await revoke_role(FOUNDER, desk.ids["guard"], Role.WALLBOARD, now=desk.time.now)
        await submitted(desk)
        frame = await socket.receive()

    assert frame["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_who_leaves_the_house_is_sent_away(hall: Hall) -> None:
    """S9: the token's end is the end."""
    from itr.access.operations.persons import deactivate_person

    desk = hall.desk
    desk.ids["gone"] = await create_person(
        FOUNDER, desk.ids["Shanghai"], "gone", [Role.WALLBOARD], now=desk.time.now
    )
    async with following(hall.server, hall.token("gone"), SHORT) as socket:
        await told(socket)
        await deactivate_person(FOUNDER, desk.ids["gone"], now=desk.time.now)

        assert (await socket.closed())[0] == 4403
