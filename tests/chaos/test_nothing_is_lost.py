"""Everything is killed at random under load; what was acknowledged is there, once (S12)."""

import asyncio
import contextlib
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
from tortoise.connection import get_connection
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from api.oauth.tokens import issue_token
from itr.database import connected, migrate
from tests.chaos.battered import Installation, installation
from tests.support.desk import furnish
from tests.workers.alarms import armed, how_often, promise

WRITERS = 3
READERS = 2
LEVELS = 4
SUBMIT = """mutation($input: SubmitRequestInput!) { submitRequest(input: $input) {
  request { id number } userErrors { code path message } } }"""
RESPOND = """mutation($input: RespondToRequestInput!) { respondToRequest(input: $input) {
  request { id version } userErrors { code path message } } }"""
FEED = """subscription($after: String) { requestEvents(after: $after) { __typename
  ... on RequestSnapshot { cursor requests { id version } }
  ... on RequestChanged { cursor version request { id } }
  ... on RequestRemoved { cursor requestId }
  ... on RequestResync { cursor } } }"""
PAGE = """query($after: String) { requests(first: 100, after: $after) {
  nodes { id version } pageInfo { hasNextPage endCursor } } }"""


@dataclass
class Load:
    """Clients that never give up until they are told to stop asking for more."""

    house: Installation
    ids: dict[str, UUID]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.house.port}/graphql"

    def token(self, name: str) -> str:
        return issue_token(self.house.settings, self.ids[name])

    async def write(self, number: int) -> None:
        """Submit a request, answer every second one, and so on."""
        async with httpx.AsyncClient(timeout=20) as http:
            count = 0
            while not self.stop.is_set():
                title = f"writer {number} request {count}"
                given = {
                    "kind": "TECHNICAL",
                    "title": title,
                    "description": "under load",
                    "productId": f"prd_{self.ids['router'].hex}",
                    "customerId": f"org_{self.ids['Bolt'].hex}",
                    "clientMutationId": f"submit {title}",
                }
                request = await self.insist(http, "bolt", SUBMIT, given)
                self.acknowledged.append(request["id"])
                if count % 2:
                    given = {
                        "id": request["id"],
                        "text": "we are at it",
                        "clientMutationId": f"respond {title}",
                    }
                    await self.insist(http, "LINE1", RESPOND, given)
                    self.answered.append(request["id"])
                count += 1
                await asyncio.sleep(0.15)

    async def insist(
        self, http: httpx.AsyncClient, who: str, document: str, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Ask with the same key until there is an answer; returns the request of the payload."""
        headers = {"authorization": f"Bearer {self.token(who)}"}
        body = {"query": document, "variables": {"input": given}}
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = (await http.post(self.url, json=body, headers=headers)).json()
                if "errors" not in answer:
                    ((payload,),) = (answer["data"].values(),)
                    assert payload["userErrors"] == []
                    request: dict[str, Any] = payload["request"]
                    return request
                self.refused.update(each["extensions"]["code"] for each in answer["errors"])
            await asyncio.sleep(0.1)

    async def follow(self, seen: dict[str, int]) -> None:
        """Fold the feed into `seen`, going on after the last cursor wherever it breaks off."""
        cursor: str | None = None
        while True:
            with contextlib.suppress(OSError, WebSocketException, InvalidHandshake, TimeoutError):
                async with connect(
                    self.url.replace("http", "ws"),
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                ) as socket:
                    init = {"Authorization": f"Bearer {self.token('LINE1')}"}
                    await socket.send(text({"type": "connection_init", "payload": init}))
                    payload = {"query": FEED, "variables": {"after": cursor}}
                    await socket.recv()
                    await socket.send(text({"id": "1", "type": "subscribe", "payload": payload}))
                    async for frame in socket:
                        message = orjson.loads(frame)
                        if message["type"] == "ping":
                            await socket.send(text({"type": "pong"}))
                        if message["type"] in ("error", "complete"):
                            break
                        if message["type"] != "next":
                            continue
                        told = message["payload"]
                        if "errors" in told:
                            break
                        cursor = fold(seen, told["data"]["requestEvents"])
            await asyncio.sleep(0.1)

    async def listed(self) -> dict[str, int]:
        """What a fresh query says."""
        found: dict[str, int] = {}
        after: str | None = None
        headers = {"authorization": f"Bearer {self.token('LINE1')}"}
        async with httpx.AsyncClient(timeout=20) as http:
            while True:
                body = {"query": PAGE, "variables": {"after": after}}
                page = (await http.post(self.url, json=body, headers=headers)).json()
                requests = page["data"]["requests"]
                found |= {each["id"]: each["version"] for each in requests["nodes"]}
                if not requests["pageInfo"]["hasNextPage"]:
                    return found
                after = requests["pageInfo"]["endCursor"]


def text(message: object) -> str:
    return orjson.dumps(message).decode()


def fold(seen: dict[str, int], message: dict[str, Any]) -> str:
    match message["__typename"]:
        case "RequestSnapshot":
            seen |= {each["id"]: each["version"] for each in message["requests"]}
        case "RequestChanged":
            key = message["request"]["id"]
            seen[key] = max(message["version"], seen.get(key, 0))
        case "RequestRemoved":
            seen.pop(message["requestId"], None)
        case "RequestResync":
            seen.clear()
    cursor: str = message["cursor"]
    return cursor


async def mistreat(house: Installation, luck: random.Random) -> None:
    """Each blow once, in an order of chance."""

    blows: list[Callable[[], None]] = [
        house.crash_api,
        house.crash_worker,
        lambda: house.crash_database(signal.SIGKILL),
        lambda: house.crash_database(signal.SIGINT),
        house.flush_cache,
        lambda: house.crash_cache(away=1.0),
    ]
    luck.shuffle(blows)
    for each in blows:
        await asyncio.sleep(0.2 + luck.random() / 2)
        await asyncio.to_thread(each)


async def until(holds: Callable[[], Any], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(OSError):
                if await holds():
                    return
            await asyncio.sleep(0.2)


async def test_whatever_is_killed_what_was_acknowledged_is_there_once() -> None:
    """S12, S13, R-ALM-02, Decision 5: requests, answers, alarms and feeds."""
    with installation() as house:
        await migrate(house.settings)
        async with connected(house.settings):
            ids = await furnish(datetime.now(UTC))
            await promise(ids, (2, 4, 6), now=datetime.now(UTC))
        await asyncio.to_thread(house.start_api)
        house.start_workers()
        load = Load(house, ids)
        feeds: list[dict[str, int]] = [{} for _ in range(READERS)]
        following = [asyncio.create_task(load.follow(each)) for each in feeds]
        writing = [asyncio.create_task(load.write(number)) for number in range(WRITERS)]
        try:
            await mistreat(house, random.Random())
            load.stop.set()
            await asyncio.gather(*writing)
            async with connected(house.settings):
                await until(lambda: nothing_armed(house))
                stored = await titles()
                replies = await replied()
                fired = await how_often()
                unanswered = len(stored) - len(load.answered)
            listed = await load.listed()
            await until(lambda: as_listed(feeds, listed))
        finally:
            for each in (*following, *writing):
                each.cancel()
            await asyncio.gather(*following, *writing, return_exceptions=True)

    assert sorted(stored.values()) == [1] * len(load.acknowledged)
    assert len(listed) == len(load.acknowledged) > 10
    assert replies == dict.fromkeys(load.answered, 1)
    assert set(fired.values()) == {1}
    assert len(fired) >= LEVELS * (2 * len(stored) + unanswered)
    assert feeds == [listed] * READERS
    assert set(load.refused) <= {"UNAVAILABLE", "BUSY", "TIMEOUT"}


async def nothing_armed(house: Installation) -> bool:
    house.tend()
    return await armed() == 0


async def as_listed(feeds: list[dict[str, int]], listed: dict[str, int]) -> bool:
    return all(each == listed for each in feeds)


async def titles() -> dict[str, int]:
    rows = await get_connection("default").execute_query_dict(
        "select title, count(*) as number from request group by title"
    )
    return {row["title"]: row["number"] for row in rows}


async def replied() -> dict[str, int]:
    rows = await get_connection("default").execute_query_dict(
        "select subject, count(*) as number from event where type = 'RequestReplied'"
        " group by subject"
    )
    return {f"req_{row['subject'].hex}": row["number"] for row in rows}
