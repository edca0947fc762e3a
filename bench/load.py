"""A working day in a minute: `make load`, or `python -m bench.load [--quick] [--seconds 60]`.

One API process on two cores that it shares with the database, and here with those who ask: the
dashboard query and mutations at a steady pace while a thousand subscriptions are open. Nothing may
fail and the memory may not grow; the table says how long things took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import board
from bench.dashboard import QUERY, token_for
from bench.data import fill
from bench.figures import Table, percentile, print_table
from bench.memory import resident
from bench.servers import Api, Stand, allow_files, stand
from bench.subscribers import Heard, subscribed
from itr.actors.roles import Role
from itr.addresses import credentials

CORES = 2
NOTE = """mutation Note($input: NoteOnRequestInput!) { noteOnRequest(input: $input) {
    userErrors { code } request { number version } } }"""
COUNTDOWN = """subscription Count($id: ID!) { slaCountdown(requestId: $id) {
    thread state deadline remaining counting countingChangesAt nextAlarmAt version serverTime } }"""
FEED = """subscription Feed($filter: RequestFilter) { requestEvents(filter: $filter) { __typename
    ... on RequestSnapshot { cursor requests { id version status } }
    ... on RequestChanged { cursor request { id status } events { type } } } }"""
FIGURES = """subscription { slaFigures { open atRisk breached lines { line open share } } }"""
LAST_NEWS = 4.0
"""Seconds in which what the last mutation told may still arrive."""
GROWTH_ALLOWED = 0.05
"""How much more memory the last quarter may need than the first, as a share."""


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    requests: int
    subscriptions: int
    seconds: float
    dashboards_per_second: float
    mutations_per_second: float
    warm_seconds: float = 5.0


FULL = Plan(20_000, 1_000, 60.0, 20.0, 8.0)
QUICK = Plan(60, 40, 2.0, 5.0, 5.0, 0.5)


@dataclass
class Measured:
    """What came of a run."""

    dashboards: list[float] = field(default_factory=list)
    mutations: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    noted: dict[str, float] = field(default_factory=dict)
    """By `number version` of a board's entry: when the note behind it was sent."""
    subscriptions: str = ""
    heard: Heard | None = None

    @property
    def delivered(self) -> list[float]:
        """From sending a note to its arrival at each board that shows the request."""
        assert self.heard is not None
        return [
            came - self.noted[about]
            for about, arrivals in self.heard.arrivals.items()
            if about in self.noted
            for came in arrivals
        ]

    @property
    def growth(self) -> float:
        """How much more memory the last quarter of the run needed than the first, as a share."""
        quarter = max(len(self.megabytes) // 4, 1)
        first, last = self.megabytes[:quarter], self.megabytes[-quarter:]
        return sum(last) / len(last) / (sum(first) / len(first)) - 1


def main() -> None:
    """Run, print the table, and fail when something did."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything, for a test")
    parser.add_argument("--seconds", type=float, help="how long, instead of a minute")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measured, table = run(QUICK if asked.quick else FULL, seconds=asked.seconds)
    print_table(table)
    wrong = judged(measured, grown=not asked.quick)
    if wrong:
        raise SystemExit("失败 failed: " + "; ".join(wrong))


def tables(*, quick: bool = False) -> list[Table]:
    """The same as a part of all measurements; raises when something failed."""
    measured, table = run(QUICK if quick else FULL)
    wrong = judged(measured, grown=not quick)
    if wrong:
        raise AssertionError("; ".join(wrong))
    return [table]


def judged(measured: Measured, *, grown: bool) -> list[str]:
    """What was not as it has to be."""
    heard = measured.heard
    assert heard is not None
    wrong = [f"{len(measured.failures)} x {measured.failures[0]}"] if measured.failures else []
    if heard.errors or heard.closed:
        wrong.append(f"{heard.errors} errors, {heard.closed} sockets closed: {heard.sample}")
    if not measured.delivered:
        wrong.append("no board heard of any note")
    if grown and measured.growth > GROWTH_ALLOWED:
        wrong.append(f"memory grew by {measured.growth:.1%}")
    return wrong


def run(plan: Plan, *, seconds: float | None = None) -> tuple[Measured, Table]:
    """Start everything, put the load on, and stop everything."""
    if seconds is not None:
        plan = Plan(**{**vars(plan), "seconds": seconds})
    allow_files(4 * plan.subscriptions + 500)
    with on_two_cores(), told() as progress, stand(durable=plan is not QUICK) as servers:
        asyncio.run(fill(servers.settings, plan.requests, lambda at, _: progress("数据 data", at)))
        with servers.api("api", "cli", "serve") as api:
            measured = _measure(servers, api, plan, progress)
    return measured, _table(plan, measured)


Told = Callable[[str, float], None]


@contextmanager
def told() -> Iterator[Told]:
    """Show a bar for each stage on the terminal."""
    columns = TextColumn("{task.description:<22}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def progress(stage: str, share: float) -> None:
            if stage not in tasks:
                for earlier in tasks.values():
                    bars.update(earlier, completed=1.0)
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=min(share, 1.0))

        yield progress


@contextmanager
def on_two_cores() -> Iterator[None]:
    """Keep this process, and all that it starts, on two cores where the system lets us."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:CORES]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _measure(servers: Stand, api: Api, plan: Plan, progress: Told) -> Measured:
    walls = asyncio.run(board.wallboards(servers))
    staff = [
        asyncio.run(token_for(servers, role)) for role in (Role.LINE1, Role.LINE2, Role.ANALYST)
    ]
    shown, customers = asyncio.run(_open_requests(servers))
    groups = _groups(plan, walls, staff, [each["id"] for each in shown], customers)
    measured = Measured(
        subscriptions=", ".join(f"{each['number']} {each['what']}" for each in groups)
    )
    progress("订阅 subscriptions", 0.0)
    with subscribed(port=api.port, groups=groups) as heard:
        load = _Load(api, plan, measured, staff[0], shown, progress)
        asyncio.run(load.run())
        time.sleep(LAST_NEWS)
    measured.heard = heard[0]
    return measured


def _groups(
    plan: Plan,
    walls: Sequence[str],
    staff: Sequence[str],
    requests: Sequence[str],
    customers: Sequence[str],
) -> list[dict[str, Any]]:
    """A tenth boards, a tenth figures, half countdowns, the rest feeds of one customer each."""
    tenth = plan.subscriptions // 10
    by_customer = [{"filter": {"customerId": {"eq": each}}} for each in customers]
    return [
        {"what": "slaBoard", "number": tenth, "tokens": walls, "query": board.QUERY,
         "variables": [{"filter": board.FILTER}]},
        {"what": "slaFigures", "number": tenth, "tokens": walls, "query": FIGURES},
        {"what": "slaCountdown", "number": 5 * tenth, "tokens": staff, "query": COUNTDOWN,
         "variables": [{"id": each} for each in requests]},
        {"what": "requestEvents", "number": plan.subscriptions - 7 * tenth, "tokens": staff,
         "query": FEED, "variables": by_customer},
    ]  # fmt: skip


async def _open_requests(servers: Stand) -> tuple[list[dict[str, Any]], list[str]]:
    """Open requests that boards show, with what tells their entries' versions; customers."""
    connection = await asyncpg.connect(**credentials(servers.settings.database_url))
    try:
        rows = await connection.fetch(
            "select r.id, (select sum(c.revision) from clock c where c.request_id = r.id)"
            " as revisions from request r where r.priority in ('P1', 'P2')"
            " and r.parent_id is null and r.status in ('IN_PROGRESS', 'WAITING', 'DELIVERED')"
            " order by r.id limit 200"
        )
        customers = await connection.fetch("select distinct customer_id as id from request")
    finally:
        await connection.close()
    shown = [{"id": f"req_{row['id'].hex}", "revisions": int(row["revisions"])} for row in rows]
    return shown, sorted(f"org_{row['id'].hex}" for row in customers)


class _Load:
    """Asks and changes at a steady pace; late answers do not make the next question later."""

    def __init__(
        self,
        api: Api,
        plan: Plan,
        measured: Measured,
        token: str,
        requests: Sequence[dict[str, Any]],
        progress: Told,
    ) -> None:
        self._api = api
        self._plan = plan
        self._measured = measured
        self._requests = requests
        self._progress = progress
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{api.port}",
            headers={"authorization": f"Bearer {token}"},
            timeout=30,
            limits=httpx.Limits(max_connections=32),
        )

    async def run(self) -> None:
        """Warm up, then measure."""
        plan = self._plan
        async with self._http:
            await self._for(plan.warm_seconds, keep=False)
            await asyncio.gather(self._for(plan.seconds, keep=True), self._watch_memory())

    async def _for(self, seconds: float, *, keep: bool) -> None:
        plan = self._plan
        async with asyncio.TaskGroup() as both:
            both.create_task(
                self._pace(seconds, plan.dashboards_per_second, self._dashboard, keep=keep)
            )
            both.create_task(self._pace(seconds, plan.mutations_per_second, self._note, keep=keep))

    async def _pace(
        self, seconds: float, per_second: float, ask: Callable[[int, float], Any], *, keep: bool
    ) -> None:
        begun = time.time()
        async with asyncio.TaskGroup() as asked:
            for place in range(int(seconds * per_second)):
                at = begun + place / per_second
                await asyncio.sleep(max(at - time.time(), 0))
                asked.create_task(ask(place, at if keep else 0.0))

    async def _dashboard(self, _: int, at: float) -> None:
        body = await self._post({"query": QUERY})
        if len(body.get("data", {}).get("requests", {}).get("nodes", ())) != min(
            self._plan.requests, 50
        ):
            self._measured.failures.append(f"dashboard: {str(body)[:300]}")
        if at:
            self._measured.dashboards.append(time.time() - at)

    async def _note(self, place: int, at: float) -> None:
        request = self._requests[place % len(self._requests)]
        given = {"id": request["id"], "text": f"进展 {datetime.now(UTC):%H:%M:%S}"}
        body = await self._post({"query": NOTE, "variables": {"input": given}})
        payload = (body.get("data") or {}).get("noteOnRequest") or {}
        if payload.get("userErrors") != []:
            self._measured.failures.append(f"noteOnRequest: {str(body)[:300]}")
        elif at:
            version = payload["request"]["version"] + request["revisions"]
            self._measured.noted[f"{payload['request']['number']} {version}"] = at
            self._measured.mutations.append(time.time() - at)

    async def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._http.post("/graphql", json=body)
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return {"errors": [repr(error)]}
        return found

    async def _watch_memory(self) -> None:
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < self._plan.seconds:
            self._measured.megabytes.append(resident(self._api.pid) or 0.0)
            self._progress("负载 load", passed / self._plan.seconds)
            await asyncio.sleep(min(1.0, self._plan.seconds / 8))
        self._progress("负载 load", 1.0)


def _table(plan: Plan, measured: Measured) -> Table:
    heard, memory = measured.heard, measured.megabytes
    assert heard is not None

    def row(what: str, seconds: Sequence[float]) -> tuple[str, ...]:
        shares = (percentile(seconds, share) * 1000 for share in (0.5, 0.99)) if seconds else ()
        return (what, f"{len(seconds):,}", *(f"{each:.0f} ms" for each in shares))

    errors = len(measured.failures) + heard.errors + heard.closed
    return Table(
        f"综合负载 Load: {plan.seconds:.0f} s, {plan.subscriptions:,} 个订阅 open subscriptions",
        ("", "次数 number", "p50", "p99"),
        [
            row(f"看板查询 dashboard, {plan.dashboards_per_second:g}/s", measured.dashboards),
            row(f"变更 mutations, {plan.mutations_per_second:g}/s", measured.mutations),
            row("变更到达大屏 mutation to board", measured.delivered),
        ],
        (
            f"错误 errors: {errors}; 推送 messages pushed: {heard.messages:,}; 内存 API memory:"
            f" 开始 start {memory[0]:.0f} MB, 结束 end {memory[-1]:.0f} MB, 峰值 peak"
            f" {max(memory):.0f} MB (末 last / 首 first quarter {measured.growth:+.1%}).",
            f"一个 API 进程，与数据库、压测端共用 {CORES} 个核 one API process on {CORES} cores"
            f" shared with the database and the load itself; 订阅 {measured.subscriptions}."
            " 时延从计划的发出时刻算起 Latencies count from when a request was due to be sent.",
        ),
    )


if __name__ == "__main__":
    main()
