"""The main mutations over HTTP: requests per second, latency, and SQL statements of each.

A number of requests is taken from submission to delivery, one verb after the other, every verb by
somebody who may; each mutation answers the request read anew, as front-ends ask for it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from api.oauth import issue_token
from bench.client import Result, run_client
from bench.data import new_title
from bench.figures import Table, percentile
from bench.servers import Api, Stand
from itr.addresses import credentials
from itr.demo.data import SWITCH, demo_id

CONNECTIONS = 8
_READ = "{ userErrors { code message } request { id number version status priority } }"

Input = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Verb:
    """One mutation: who does it, and what they give beside the request's id."""

    name: str
    input_type: str
    who: str
    more: dict[str, Any]

    def body(self, request: str | None, title: str = "") -> str:
        """Return the body that does it to a request, or submits one."""
        given = dict(self.more)
        if request is None:
            given["title"] = title
        else:
            given["id"] = request
        query = f"mutation Do($input: {self.input_type}!) {{ {self.name}(input: $input) {_READ} }}"
        return orjson.dumps({"query": query, "variables": {"input": given}}).decode()


_OWNER = "张伟"
SUBMIT = Verb(
    "submitRequest",
    "SubmitRequestInput",
    "梁雪",
    {
        "kind": "TECHNICAL",
        "description": "核心交换机端口频繁 up/down，二楼办公区断网。",
        "productId": f"prd_{demo_id('product', SWITCH).hex}",
    },
)
OTHERS = (
    Verb(
        "acceptRequest",
        "ClassifyRequestInput",
        _OWNER,
        {"problemType": "FAULT", "faultLevel": "MAJOR", "impact": "DEPARTMENT"},
    ),
    Verb(
        "dispatchRequest",
        "DispatchRequestInput",
        "黄敏",
        {
            "queueId": f"que_{demo_id('queue', '上海一线').hex}",
            "assigneeId": f"per_{demo_id('person', _OWNER).hex}",
        },
    ),
    Verb("startRequest", "RequestInput", _OWNER, {}),
    Verb("respondToRequest", "RespondToRequestInput", _OWNER, {"text": "已收到，正在处理。"}),
    Verb(
        "deliverRequest",
        "DeliverRequestInput",
        _OWNER,
        {"solution": "更换光模块并固化端口配置。", "restoresService": True},
    ),
)


class MutationFailed(AssertionError):
    """A mutation that should have succeeded did not."""


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Measure each mutation at eight connections, then count its statements."""
    number, warm = (16, 8) if quick else (1_000, 60)
    with stand.api("api", "cli", "serve") as api:
        carry(stand, api, warm)
        results = carry(stand, api, number)
        statements = count_statements(stand, api)
    rows = [
        (
            name,
            f"{result.per_second:,.0f}",
            f"{1000 * percentile(result.latencies, 0.5):.1f}",
            f"{1000 * percentile(result.latencies, 0.99):.1f}",
            str(statements[name]),
        )
        for name, result in results.items()
    ]
    return [
        Table(
            "主要变更 Main mutations",
            (
                "变更 Mutation",
                "次/秒 per second",
                "p50 ms",
                "p99 ms",
                "SQL 语句 statements",
            ),
            rows,
            (
                f"每项 {number:,} 次 of each, {CONNECTIONS} 连接 connections, 每次提交落盘 every"
                " commit on disk (fsync); 语句数含 BEGIN、COMMIT 与读回 statements with BEGIN,"
                " COMMIT and the reading of the payload.",
            ),
        )
    ]


def carry(stand: Stand, api: Api, number: int) -> dict[str, Result]:
    """Take so many new requests through every verb; raises MutationFailed."""
    title = new_title()
    bodies = [SUBMIT.body(None, f"{title} {place}") for place in range(number)]
    results = {SUBMIT.name: _load(stand, api, SUBMIT, bodies)}
    requests = asyncio.run(_requests(stand, title))
    if len(requests) != number:
        raise MutationFailed(f"{len(requests)} of {number} requests were submitted")
    for verb in OTHERS:
        results[verb.name] = _load(stand, api, verb, [verb.body(each) for each in requests])
    return results


def _load(stand: Stand, api: Api, verb: Verb, bodies: list[str]) -> Result:
    result = run_client(
        port=api.port,
        token=issue_token(stand.settings, demo_id("person", verb.who)),
        bodies=bodies,
        connections=min(CONNECTIONS, len(bodies)),
        good='"userErrors":[]',
    )
    if result.bad:
        raise MutationFailed(f"{verb.name}: {result.bad} refused, such as {result.sample}")
    return result


async def _requests(stand: Stand, title: str) -> list[str]:
    connection = await asyncpg.connect(**credentials(stand.settings.database_url))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(
            "select id from request where title like $1", f"{title}%"
        )
    finally:
        await connection.close()
    keys: list[UUID] = [row["id"] for row in rows]
    return [f"req_{key.hex}" for key in keys]


def count_statements(stand: Stand, api: Api) -> dict[str, int]:
    """Have PostgreSQL log every statement of one warm mutation after another; twice, the fewer.

    What a process looks up now and then for all (where calendars stand) is no mutation's.
    """
    asyncio.run(log_statements(stand, "all"))
    try:
        first, again = (_counted(stand, api) for _ in range(2))
        return {name: min(first[name], again[name]) for name in first}
    finally:
        asyncio.run(log_statements(stand, "none"))


def _counted(stand: Stand, api: Api) -> dict[str, int]:
    log = stand.servers.home.folder / "logs" / "postgres.log"
    counted = {}
    title = new_title()
    request: str | None = None
    for verb in (SUBMIT, *OTHERS):
        before = log.stat().st_size
        _load(stand, api, verb, [verb.body(request, title)])
        time.sleep(0.2)
        counted[verb.name] = _statements_in(log.read_bytes()[before:].decode())
        if request is None:
            request = asyncio.run(_requests(stand, title))[0]
    return counted


_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d .*? LOG:  (?:execute [^:]*|statement): ", re.MULTILINE)
_NOT_OURS = ("from event e", "select id from request where title like")


def _statements_in(text: str) -> int:
    """Count logged statements, leaving out what the feed polls and what we ask ourselves."""
    entries = _ENTRY.split(text)[1:]
    return sum(not any(words in entry for words in _NOT_OURS) for entry in entries)


async def log_statements(stand: Stand, which: str) -> None:
    """Have PostgreSQL log `all` statements, or `none`."""
    connection = await asyncpg.connect(stand.addresses.admin_url)
    try:
        await connection.execute(f"alter system set log_statement = '{which}'")
        await connection.execute("select pg_reload_conf()")
        await asyncio.sleep(0.3)
    finally:
        await connection.close()
