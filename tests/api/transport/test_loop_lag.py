"""Whatever anybody sends, everybody else is answered as before (S5): the loop is not held up.

The server is a process of its own; what is measured is how long the slowest `{ __typename }` beside
an attack takes longer than without it. Run last and alone, as far as that can be had.
"""

import asyncio
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import get_introspection_query

from api.oauth import issue_token
from itr import imports
from itr.database import connected
from itr.settings import Settings
from tests.support.databases import environment
from tests.support.desk import START, furnish
from tests.support.exports import MAPPING
from tests.support.ports import free_port

ROOT = Path(__file__).parents[3]
AT_MOST = 0.1
"""Seconds that a request beside an attack may wait longer."""
RUNS = 5
LONGEST = 1.5
"""Seconds an attack is watched for."""
WHY = """query ($first: Int!) { requests(first: $first, filter: {title: {contains: "case13"}}) {
    nodes { number clocks { thread explain { from to counted reason } } } } }"""

numbers = itertools.count()


@dataclass
class Server:
    """`itr serve`, and who speaks to it."""

    http: httpx.AsyncClient
    tokens: dict[str, str]

    async def post(self, who: str, body: bytes) -> httpx.Response:
        """Send a body as somebody."""
        headers = {
            "authorization": f"Bearer {self.tokens[who]}",
            "content-type": "application/json",
            "accept-language": "en",
        }
        return await self.http.post("/graphql", content=body, headers=headers)

    async def waited(self) -> float:
        """How long the smallest query takes."""
        begun = time.perf_counter()
        answer = await self.post("BRANCH_MANAGER", b'{"query":"{ __typename }"}')
        assert answer.json() == {"data": {"__typename": "Query"}} | {
            "extensions": answer.json()["extensions"]
        }
        return time.perf_counter() - begun

    async def slowest(self, attacks: Sequence[tuple[str, bytes]]) -> float:
        """The longest of the small queries sent one after another while attacks go on."""
        begun = time.perf_counter()
        under_way = [asyncio.ensure_future(self.post(*each)) for each in attacks]
        found = []
        while not found or not all(each.done() for each in under_way):
            found.append(await self.waited())
            if time.perf_counter() - begun > LONGEST:
                break
        for each in under_way:
            each.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await each
        return max(found)


@pytest.fixture(scope="module")
async def server(settings: Settings, tmp_path_factory: Any) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("old")
    (folder / "old.toml").write_text(MAPPING)
    rows = [f"A{each},2013-05-02 10:00:00,case13,Acme,agent,Desk,Open" for each in range(10)]
    (folder / "old.csv").write_text("\n".join(["id,at,title,customer,who,team,status", *rows]))
    async with connected(settings):
        ids = await furnish(START)
        await imports.run(settings, folder / "old.toml", folder / "old.csv", lambda *_: None)
    port = free_port()
    given = {
        **environment(database_url=settings.database_url, valkey_url=settings.valkey_url),
        "ITR_PORT": str(port),
        "ITR_ISSUER": f"http://127.0.0.1:{port}",
        "PATH": "/usr/bin:/bin",
        "PYTHONUTF8": "1",
    }
    known = Settings.read(given)
    tokens = {
        who: issue_token(known, ids[who])
        for who in ("CUSTOMER", "PARTNER", "LINE1", "BRANCH_MANAGER")
    }
    process = _serve(given)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        ) as http:
            await _healthy(http)
            opened = Server(http, tokens)
            for _ in range(20):
                await opened.waited()
            yield opened
    finally:
        process.terminate()
        process.wait(20)


def _serve(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "cli", "serve"], cwd=ROOT, env=environment)


async def _healthy(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get("/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


def body(query: str, variables: Any = None) -> bytes:
    """An operation; its text has never been seen before."""
    return orjson.dumps({"query": f"{query} #{next(numbers)}", "variables": variables})


def documents_explained(aliases: int) -> bytes:
    """V1: documents of which one operation is small, and the other dear to validate."""
    document = "query A{__typename} query B{" + "requests{nodes{id number title}} " * 350 + "}"
    costs = " ".join(
        f'a{each}: cost(document: $d{each}, operationName: "A") {{ requested }}'
        for each in range(aliases)
    )
    declared = " ".join(f"$d{each}: String!" for each in range(aliases))
    given = {f"d{each}": document + " " * each for each in range(aliases)}
    return body(f"query ({declared}) {{ {costs} }}", given)


def plain_document() -> bytes:
    """V1: the same, to be run."""
    document = "query A{__typename} query B{" + "requests{nodes{id number title}} " * 350 + "}"
    return orjson.dumps({"query": f"{document} #{next(numbers)}", "operationName": "A"})


def dearest_document() -> bytes:
    """V1: what is still allowed, of the greatest length, explained."""
    fields = "id number title status priority version kind impact "
    document = "{ requests { nodes { " + fields * 20 + " } } }" + " " * 90_000
    explained = "query ($d: String!) { cost(document: $d) { requested refusal paths { path } } }"
    return body(explained, {"d": f"{document}#{next(numbers)}"})


def filters(*, aliases: int, empty: int, nested: bool = True) -> bytes:
    """V2: filters of nothing."""
    asked = " ".join(
        f"a{each}: requests(filter: $f) {{ nodes {{ id }} }}" for each in range(aliases)
    )
    several = [{}] * empty
    return body(
        f"query ($f: RequestFilter) {{ {asked} }}", {"f": {"and": several} if nested else several}
    )


def many_lines() -> bytes:
    """V2: a contract of twenty thousand lines."""
    lines = [{"number": each, "serviceLevelId": "slv_1"} for each in range(20_000)]
    given = {
        "number": "C", "customerId": "org_1", "startsOn": "2026-01-01", "endsOn": "2026-12-31",
        "lines": lines,
    }  # fmt: skip
    saved = "mutation ($i: SaveContractInput!) { saveContract(input: $i) { contract { id } } }"
    return body(saved, {"i": given})


def many_orders() -> bytes:
    """V2."""
    order = [{"field": "CREATED_AT"}] * 50_000
    return body(
        "query ($o: [RequestOrder!]) { requests(orderBy: $o) { nodes { id } } }", {"o": order}
    )


def remembered_sizes() -> bytes:
    """V3: page sizes that a memo of other variables took for small."""
    page = (
        "requests(first: $a, last: $b) { nodes { timeline(first: $c, last: $d) { nodes { id } } } }"
    )
    return body(f"query ($a: Int, $b: Int, $c: Int, $d: Int) {{ {page} }}", {"b": 100, "d": 100})


def simulations(aliases: int, *, target: str = "PT2000H") -> bytes:
    """V4: clocks under a calendar that opens every half hour, and that nobody has seen before."""
    halves = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    shifts = [
        {"weekday": day, "opens": opens, "closes": f"{opens[:4]}5"}
        for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
        for opens in halves
    ]
    closed = {"date": f"{2000 + next(numbers) % 200}-07-01", "shifts": []}
    given = {
        "calendar": {"timeZone": "Europe/Berlin", "shifts": shifts, "exceptions": [closed]},
        "target": target,
        "events": [{"at": "2020-01-06T09:00:00Z", "kind": "STARTED"}],
        "at": "2021-03-01T09:00:00Z",
    }
    asked = " ".join(
        f"a{each}: simulateClock(input: $i) {{ state deadline explain {{ from to reason }} }}"
        for each in range(aliases)
    )
    return body(f"query ($i: SimulateClockInput!) {{ {asked} }}", {"i": given})


def introspected(aliases: int) -> bytes:
    """The schema, asked for many times at once."""
    below = "name fields { name args { name type { name } } type { name ofType { name } } }"
    asked = " ".join(f"a{each}: __schema {{ types {{ {below} }} }}" for each in range(aliases))
    return body(f"{{ {asked} }}")


ATTACKS = {
    "V1 explained": lambda: [("CUSTOMER", documents_explained(30))],
    "V1 run": lambda: [("CUSTOMER", plain_document())],
    "V1 the dearest allowed": lambda: [("CUSTOMER", dearest_document())],
    "V2 thirty filters": lambda: [("CUSTOMER", filters(aliases=30, empty=1_500))],
    "V2 the dearest allowed": lambda: [("CUSTOMER", filters(aliases=3, empty=1_500))],
    "V2 one large filter": lambda: [("CUSTOMER", filters(aliases=1, empty=40_000))],
    "V2 twenty thousand lines": lambda: [("PARTNER", many_lines())],
    "V2 fifty thousand orders": lambda: [("CUSTOMER", many_orders())],
    "V3": lambda: [("CUSTOMER", remembered_sizes())],
    "V4 ten clocks": lambda: [("LINE1", simulations(10))],
    "V4 the dearest allowed": lambda: [("LINE1", simulations(1, target="PT100000H"))],
    "V4 the schema": lambda: [("CUSTOMER", introspected(30))],
    "V4 the schema once": lambda: [("CUSTOMER", body(get_introspection_query()))],
    "13 ten old requests": lambda: [("LINE1", body(WHY, {"first": 10}))],
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nobody_waits_for_what_somebody_else_sends(server: Server, attack: str) -> None:
    """V1, V2, V3, V4, 13: the median of five runs beside the attack, and of five without it."""
    longer = []
    for _ in range(RUNS):
        alone = await server.slowest([])
        beside = await server.slowest(ATTACKS[attack]())
        longer.append(beside - alone)

    assert statistics.median(longer) <= AT_MOST, longer


async def test_ten_old_requests_are_explained_page_by_page(server: Server) -> None:
    """13: what was twenty megabytes is a hundred intervals a clock."""
    answer = await server.post("LINE1", body(WHY, {"first": 10}))

    nodes = answer.json()["data"]["requests"]["nodes"]
    assert len(nodes) == 10
    explained = [each["explain"] for node in nodes for each in node["clocks"]]
    assert {len(each) for each in explained} <= set(range(101))
    assert max(len(each) for each in explained) == 100
    assert len(answer.content) < 1_000_000
