"""How soon a thousand wallboards show a change, and how often it is computed for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from api.oauth import issue_token
from bench.data import fill
from bench.figures import Table, percentile
from bench.mutations import log_statements
from bench.servers import Api, Stand, allow_files, cpu_seconds, printer, stand
from bench.subscribers import Heard, subscribed
from itr.access.operations.persons import create_person
from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import OrganisationKind, Role
from itr.addresses import credentials
from itr.database import connected
from itr.events.log import Audience
from itr.events.wakeup import publishing
from itr.people.operations import find_actor_for_role
from itr.requests.operations import note_on_request

WALLBOARDS = 4
"""Persons the subscribers sign in as: sockets are capped per person."""
QUERY = """subscription Board($filter: SlaBoardFilter) { slaBoard(filter: $filter) {
  __typename
  ... on SlaBoardSnapshot { cursor complete serverTime entries { ...Entry } }
  ... on SlaBoardChanged { cursor serverTime entry { ...Entry } }
  ... on SlaBoardRemoved { cursor entryId }
  ... on SlaBoardResync { cursor } } }
fragment Entry on SlaBoardEntry { id number version priority line risk
  clocks { thread state deadline remaining counting countingChangesAt nextAlarmAt version } }"""
FILTER = {"priority": {"in": ["P1", "P2"]}}
_COMPUTED = "counted.revision"
_VERSIONS = """
select r.id, r.number, r.version + (select sum(c.revision) from clock c where c.request_id = r.id)
    as version, (select max(e.recorded_at) from event e where e.stream = r.id) as written_at
from request r where r.id = any($1)
"""

Change = tuple[str, float]


def tables(*, quick: bool = False) -> list[Table]:
    """Hang the boards up, change requests one after the other, and time every arrival."""
    requests, subscribers, changes = (100, 40, 5) if quick else (5_000, 1_000, 40)
    allow_files(4 * subscribers + 500)
    with stand(durable=not quick) as servers:
        asyncio.run(fill(servers.settings, requests, printer("数据 data")))
        with servers.api("api", "cli", "serve") as api:
            return [_measured(servers, api, subscribers, changes, pause=0.05 if quick else 1.0)]


def _measured(servers: Stand, api: Api, number: int, changes: int, *, pause: float) -> Table:
    tokens = asyncio.run(wallboards(servers))
    group = {
        "tokens": tokens, "query": QUERY, "variables": [{"filter": FILTER}], "number": number
    }  # fmt: skip
    began = time.monotonic()
    with subscribed(port=api.port, groups=[group]) as heard:
        opened = time.monotonic() - began
        cpu = cpu_seconds(api.pid)
        written = asyncio.run(_change(servers, changes, pause))
        time.sleep(2)
        cpu = cpu_seconds(api.pid) - cpu
        computed = _computations(servers, changes // 5)
    late = _late(heard[0], written, number)
    return Table(
        "大屏 Board: 1 次变更到 N 个订阅 one change to N subscribers",
        ("订阅 subscribers", "变更 changes", "p50", "p99", "最后一个 last of all",
         "计算/变更 statements per change", "CPU/消息 per message"),
        [(
            f"{number:,}",
            f"{changes:,}",
            *(f"{percentile(late, share) * 1000:.0f} ms" for share in (0.5, 0.99)),
            f"{max(late) * 1000:.0f} ms",
            f"{computed:.1f}",
            f"{1e6 * cpu / len(late):.0f} µs",
        )],
        (
            "从写入事务开始到订阅端收到：提交、事件流、计算、发送都在内。 From the begin of the"
            " writing transaction to the arrival: commit, feed, computation and sending included."
            " 每个订阅一个连接 A socket each;"
            f" 全部就位 all of them there after {opened:.1f} s;"
            " 每次变更两条 SQL：谁变了，变成什么 two statements a change: which entry it is, and"
            " what it says now.",
        ),
    )  # fmt: skip


async def wallboards(servers: Stand) -> list[str]:
    """Tokens of some wallboards of their own."""
    now = datetime.now(UTC)
    async with connected(servers.settings):
        one = await find_actor_for_role(Role.WALLBOARD)
        assert one is not None
        assert one.organisation_id is not None
        admin = Actor(SYSTEM.id, "bench", None, OrganisationKind.BRANCH, frozenset({Role.ADMIN}))
        persons = [
            await create_person(
                admin, one.organisation_id, f"大屏 {place}", [Role.WALLBOARD], now=now
            )
            for place in range(WALLBOARDS)
        ]
    return [issue_token(servers.settings, each) for each in persons]


async def _change(servers: Stand, changes: int, pause: float) -> list[Change]:
    """Write a note on one request after the other; what and when, as the log has it."""
    async with _requests(servers) as (connection, actor, keys):
        written = []
        for place in range(changes):
            await asyncio.sleep(pause)
            key = keys[place % len(keys)]
            await note_on_request(
                actor, key, text="进展", audience=Audience.INTERNAL, now=datetime.now(UTC)
            )
            row = await connection.fetchrow(_VERSIONS, [key])
            about = f"{row['number']} {row['version']}"
            written.append((about, row["written_at"].timestamp()))
        return written


@asynccontextmanager
async def _requests(
    servers: Stand,
) -> AsyncIterator[tuple[asyncpg.Connection, Actor, Sequence[UUID]]]:
    """A connection, somebody who may write notes, and open requests of the board."""
    async with connected(servers.settings), publishing(servers.settings.valkey_url):
        actor = await find_actor_for_role(Role.LINE1)
        assert actor is not None
        connection = await asyncpg.connect(**credentials(servers.settings.database_url))
        try:
            rows = await connection.fetch(
                "select id from request where priority in ('P1', 'P2') and parent_id is null and"
                " status not in ('CLOSED', 'CANCELLED', 'REJECTED') order by id limit 50"
            )
            yield connection, actor, [row["id"] for row in rows]
        finally:
            await connection.close()


def _computations(servers: Stand, changes: int) -> float:
    """Statements about the board that each change costs, by PostgreSQL's own log."""
    log = servers.servers.home.folder / "logs" / "postgres.log"
    asyncio.run(log_statements(servers, "all"))
    try:
        before = log.stat().st_size
        asyncio.run(_change(servers, changes, 0.3))
        time.sleep(1)
        return log.read_bytes()[before:].decode().count(_COMPUTED) / changes
    finally:
        asyncio.run(log_statements(servers, "none"))


def _late(heard: Heard, written: Sequence[Change], number: int) -> list[float]:
    """How late each subscriber heard of each change; raises when one has not."""
    arrivals: Mapping[str, Sequence[float]] = heard.arrivals
    if heard.errors or heard.closed:
        raise AssertionError(f"{heard.errors} errors, {heard.closed} closed: {heard.sample}")
    for about, _ in written:
        if len(arrivals.get(about, ())) != number:
            raise AssertionError(f"{len(arrivals.get(about, ()))} of {number} heard of {about}")
    return [came - at for about, at in written for came in arrivals[about]]
