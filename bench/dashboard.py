"""The dashboard query, side by side: this server and a plain Strawberry server (bench.baseline).

Both run at once on one database, are asked in turn, round after round, and must answer the same.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx
import orjson

from api.oauth import issue_token
from bench.client import Result, run_client
from bench.figures import Table, percentile, spread
from bench.servers import ROOT, Api, Stand, cpu_seconds
from itr.actors.roles import Role
from itr.database import connected
from itr.people.operations import find_actor_for_role

QUERY = (ROOT / "bench" / "dashboard.graphql").read_text()
REQUIRED = 10.0
CONNECTIONS = 8
_PRODUCT = ("cli", "serve")
_PLAIN = ("bench.baseline",)


class AnswersDiffer(AssertionError):
    """The two servers do not say the same."""


@dataclass
class Server:
    """One of the two, and what its rounds gave."""

    name: str
    api: Api
    rounds: list[Result] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def rates(self) -> list[float]:
        """Answers per second, round by round."""
        return [each.per_second for each in self.rounds]

    @property
    def latencies(self) -> list[float]:
        """Milliseconds of every answer."""
        return [1000 * each for one in self.rounds for each in one.latencies]

    @property
    def cpu_each(self) -> str:
        """Milliseconds of one core that its process spent on an answer."""
        spent = 1000 * self.cpu_seconds / len(self.latencies)
        return f"{spent:.2f}" if spent else "—"


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Ask both servers in turn; raises AnswersDiffer."""
    token = asyncio.run(token_for(stand, Role.LINE1))
    rounds, seconds, warm = (1, 0.5, 0.3) if quick else (12, 4.0, 3.0)
    with both(stand) as servers:
        ensure_equal([ask(server.api, token) for server in servers])
        for server in servers:
            _load(server, token, warm)
        for _ in range(rounds):
            for server in servers:
                before = cpu_seconds(server.api.pid)
                server.rounds.append(_load(server, token, seconds))
                server.cpu_seconds += cpu_seconds(server.api.pid) - before
        return [_table(servers, rounds, seconds)]


@contextmanager
def both(stand: Stand) -> Iterator[list[Server]]:
    """Serve the product and the plain server."""
    with stand.api("api", *_PRODUCT) as ours, stand.api("plain", *_PLAIN) as plain:
        yield [Server("ITR Desk", ours), Server("Strawberry + dataloaders", plain)]


async def token_for(stand: Stand, role: Role) -> str:
    """Return a bearer token of somebody who has the role."""
    async with connected(stand.settings):
        actor = await find_actor_for_role(role)
    assert actor is not None
    return issue_token(stand.settings, actor.id)


def ask(api: Api, token: str) -> dict[str, Any]:
    """Ask once and return the whole answer."""
    answer = httpx.post(
        f"http://127.0.0.1:{api.port}/graphql",
        json={"query": QUERY},
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
    )
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200 or "errors" in body:
        raise AnswersDiffer(f"{answer.status_code}: {answer.text[:500]}")
    return body


def ensure_equal(answers: list[dict[str, Any]]) -> None:
    """Compare the answers; remaining times may differ by what lies between the two questions."""
    ours, theirs = (each["data"]["requests"]["nodes"] for each in answers)
    if len(ours) != len(theirs) or not ours:
        raise AnswersDiffer(f"{len(ours)} and {len(theirs)} requests")
    for one, other in zip(ours, theirs, strict=True):
        if len(one["clocks"]) != 4:
            raise AnswersDiffer(f"{one['number']} has {len(one['clocks'])} clocks")
        if _normalised(one) != _normalised(other) or _drift(one, other) > 30:
            raise AnswersDiffer(f"\n{orjson.dumps(one)!r}\n{orjson.dumps(other)!r}")


def _normalised(request: dict[str, Any]) -> dict[str, Any]:
    clocks = [{**clock, "remaining": clock["remaining"] is not None} for clock in request["clocks"]]
    return {**request, "clocks": clocks}


def _drift(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the greatest difference of remaining times, in seconds."""
    pairs = zip(one["clocks"], other["clocks"], strict=True)
    return max(
        abs(_seconds(mine["remaining"]) - _seconds(yours["remaining"])) for mine, yours in pairs
    )


_DURATION = re.compile(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")


def _seconds(text: str | None) -> float:
    found = _DURATION.fullmatch(text or "PT0S")
    assert found is not None
    sign, hours, minutes, seconds = found.groups()
    amount = 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds or 0)
    return -amount if sign else amount


def _load(server: Server, token: str, seconds: float) -> Result:
    result = run_client(
        port=server.api.port,
        token=token,
        bodies=[orjson.dumps({"query": QUERY}).decode()],
        seconds=seconds,
        connections=CONNECTIONS,
        good='{"data":{"requests":{"nodes":[{',
    )
    if result.bad:
        raise AnswersDiffer(f"{server.name}: {result.bad} bad answers, such as {result.sample}")
    return result


def _table(servers: list[Server], rounds: int, seconds: float) -> Table:
    ours, plain = servers
    ratio = median(ours.rates) / median(plain.rates)
    pairs = [mine / theirs for mine, theirs in zip(ours.rates, plain.rates, strict=True)]
    client = sum(each.cpu_seconds for each in ours.rounds) / sum(e.seconds for e in ours.rounds)
    verdict = "达到 kept" if ratio >= REQUIRED else "未达到 NOT KEPT"
    return Table(
        "看板查询 Dashboard query（50 个请求 × 4 个时钟）",
        (
            "服务器 Server",
            "请求/秒 requests/s（中位 median，最小–最大）",
            "p50 ms",
            "p99 ms",
            "CPU ms/答复 answer",
        ),
        [
            (
                server.name,
                spread(server.rates),
                f"{percentile(server.latencies, 0.5):.1f}",
                f"{percentile(server.latencies, 0.99):.1f}",
                server.cpu_each,
            )
            for server in servers
        ],
        (
            f"倍数 Ratio of the medians: **{ratio:.1f}**（逐轮 round by round {min(pairs):.1f} – "
            f"{max(pairs):.1f}；要求 required ≥ {REQUIRED:.0f}：{verdict}）",
            f"{rounds} 轮交替 interleaved rounds of {seconds:g} s, {CONNECTIONS} 连接"
            f" connections; 每个答复 each answer {ours.rounds[0].bytes_each / 1000:.1f} kB;"
            f" 压测端 the load generator took {client:.0%} of one core;"
            f" 结束时负载 load average at the end {os.getloadavg()[0]:.1f}.",
        ),
    )
