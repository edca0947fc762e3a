"""What is measured of two checkouts beside each other: dashboard, mutations, imports.

Servers, rows and turns are those of `bench/beside.py`; every table has the old checkout's figure,
the new one's, and where it says more, their ratio.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.beside import Side, both
from bench.client import Result, run_client
from bench.dashboard import CONNECTIONS, QUERY, ensure_equal
from bench.data import new_title
from bench.figures import Table, percentile, spread
from bench.incident_log import write_log
from bench.mutations import MutationFailed, Verb

_FOUND = """query Found($title: String!, $after: String) {
  requests(filter: {title: {startsWith: $title}}, first: 100, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } } }"""


@dataclass
class Spent:
    """Answers of one side, and the processor seconds of its API and PostgreSQL meanwhile."""

    rounds: list[Result] = field(default_factory=list)
    api: float = 0.0
    database: float = 0.0

    @property
    def latencies(self) -> list[float]:
        """Seconds of every answer."""
        return [each for one in self.rounds for each in one.latencies]

    @property
    def per_second(self) -> float:
        """Answers per second while it was its turn."""
        return len(self.latencies) / sum(one.seconds for one in self.rounds)

    def add(self, other: Spent) -> None:
        """Count another's in."""
        self.rounds += other.rounds
        self.api += other.api
        self.database += other.database

    def figures(self) -> tuple[str, ...]:
        """Rate, median, 99th percentile, and processor time an answer of both."""
        number = len(self.latencies)
        return (
            f"{self.per_second:,.0f}",
            *(f"{1000 * percentile(self.latencies, share):.1f}" for share in (0.5, 0.99)),
            *(f"{1000 * seconds / number:.2f}" for seconds in (self.api, self.database)),
        )


_COLUMNS = ("次/秒 per second", "p50 ms", "p99 ms", "API CPU ms", "PostgreSQL CPU ms")


@dataclass(frozen=True)
class Wanted:
    """Which parts, on how many requests, and how many lines are imported."""

    parts: Sequence[str]
    requests: int
    quick: bool = False
    lines: int | None = None


def tables(old: Path, wanted: Wanted) -> list[Table]:
    """Measure an old checkout and this one in turn."""
    with both(old, wanted.requests, quick=wanted.quick) as sides:
        title = f"{sides[0].name} → {sides[1].name}，{wanted.requests:,} 个请求 requests"
        measured: list[Table] = []
        for name, part in PARTS.items():
            if name in wanted.parts:
                measured += part(sides, title, wanted)
    return measured


def _turns(sides: Sequence[Side], place: int) -> Sequence[Side]:
    """Who comes first changes from round to round."""
    return sides if place % 2 == 0 else sides[::-1]


def _asked(side: Side, who: str, bodies: list[str], good: str, **more: Any) -> Spent:
    """Put load on one side."""
    before = side.cpu()
    token = side.said["people"].get(who, side.said["reader"])
    result = run_client(
        port=side.port, token=token, bodies=bodies, good=good, connections=CONNECTIONS, **more
    )
    after = side.cpu()
    if result.bad:
        raise MutationFailed(f"{side.name}: {result.bad} refused, such as {result.sample}")
    return Spent([result], after[0] - before[0], after[1] - before[1])


def _dashboard(sides: Sequence[Side], title: str, wanted: Wanted) -> Iterable[Table]:
    """The dashboard query; both must answer the same."""
    rounds, seconds = (2, 0.5) if wanted.quick else (12, 4.0)
    ensure_equal([_answer(side, side.said["reader"], QUERY) for side in sides])
    bodies = [orjson.dumps({"query": QUERY}).decode()]
    spent = {side.name: Spent() for side in sides}
    for place in range(-1, rounds):
        for side in _turns(sides, place):
            one = _asked(side, "", bodies, '{"data":{"requests":{"nodes":[{', seconds=seconds)
            if place >= 0:
                spent[side.name].add(one)
    rates = [[each.per_second for each in one.rounds] for one in spent.values()]
    yield Table(
        f"看板查询 Dashboard: {title}",
        ("", *_COLUMNS),
        [(name, *one.figures()) for name, one in spent.items()],
        (
            f"中位之比 ratio of the medians: **{median(rates[1]) / median(rates[0]):.2f}**;"
            f" 逐轮 round by round {spread(rates[0])} → {spread(rates[1])}; {rounds} 轮交替"
            f" interleaved rounds of {seconds:g} s, {CONNECTIONS} 连接 connections.",
        ),
    )


def _mutations(sides: Sequence[Side], title: str, wanted: Wanted) -> Iterable[Table]:
    """The six verbs, one after the other, each in turn."""
    rounds, number = (1, 8) if wanted.quick else (10, 100)
    verbs = {side.name: [Verb(**each) for each in side.said["verbs"]] for side in sides}
    names = [verb.name for verb in verbs[sides[1].name]]
    spent = {side.name: {name: Spent() for name in names} for side in sides}
    for place in range(-1, rounds):
        turns = _turns(sides, place)
        carried = {
            side.name: _Carried(side, number if place >= 0 else number // 2) for side in turns
        }
        for step, name in enumerate(names):
            for side in turns:
                one = carried[side.name].does(verbs[side.name][step])
                if place >= 0:
                    spent[side.name][name].add(one)
    counted = {side.name: side.ask("statements") for side in sides}
    yield _mutations_table(title, spent, counted, f"{rounds} × {number}")


class _Carried:
    """New requests of one side that are taken from verb to verb."""

    def __init__(self, side: Side, number: int) -> None:
        self._side = side
        self._number = number
        self._title = new_title()
        self._ids: list[str] = []

    def does(self, verb: Verb) -> Spent:
        """Do one verb to all of them; the first verb makes them."""
        if self._ids:
            bodies = [verb.body(each) for each in self._ids]
        else:
            bodies = [verb.body(None, f"{self._title} {each}") for each in range(self._number)]
        spent = _asked(self._side, verb.who, bodies, '"userErrors":[]')
        if not self._ids:
            self._ids = self._found()
        return spent

    def _found(self) -> list[str]:
        ids, after = [], None
        while True:
            given = {"title": self._title, "after": after}
            answer = _answer(self._side, self._side.said["reader"], _FOUND, **given)
            page = answer["data"]["requests"]
            ids += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        if len(ids) != self._number:
            raise MutationFailed(f"{len(ids)} of {self._number} requests were submitted")
        return ids


def _mutations_table(
    title: str,
    spent: dict[str, dict[str, Spent]],
    counted: dict[str, dict[str, int]],
    told: str,
) -> Table:
    old, new = spent
    rows = []
    for name in spent[new]:
        pair = [spent[side][name] for side in (old, new)]
        rows.append(_pair(name, pair, [str(counted[side][name]) for side in (old, new)]))
    whole = {side: Spent() for side in spent}
    for side, verbs in spent.items():
        for one in verbs.values():
            whole[side].add(one)
    sums = [str(sum(each.values())) for each in counted.values()]
    rows.append(_pair("全部 total", list(whole.values()), sums))
    return Table(
        f"主要变更 Main mutations: {title}",
        ("变更 Mutation", "SQL 语句 statements", "倍数 ratio", *_COLUMNS),
        rows,
        (
            f"每项 {told} 次 of each in turn, {CONNECTIONS} 连接 connections;"
            " 旧 → 新 old → new; 语句数含 BEGIN、COMMIT 与读回 statements with BEGIN, COMMIT and"
            " the reading of the payload.",
        ),
    )


def _pair(name: str, spent: Sequence[Spent], statements: Sequence[str]) -> tuple[str, ...]:
    old, new = spent
    figures = zip(old.figures(), new.figures(), strict=True)
    ratio = f"{new.per_second / old.per_second:.2f}"
    return (name, " → ".join(statements), ratio, *(" → ".join(each) for each in figures))


def _imports(sides: Sequence[Side], title: str, wanted: Wanted) -> Iterable[Table]:
    """Logs made by `bench/incident_log.py`, one after the other, each in turn."""
    parts, number = (2, 600) if wanted.quick else (5, (wanted.lines or 50_000) // 5)
    told: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="itr-logs-") as folder:
        for place in range(parts):
            file = Path(folder) / f"{place}.csv"
            with file.open("w", encoding="utf-8", newline="") as stream:
                write_log(stream, number, part=place)
            for side in _turns(sides, place):
                before = side.cpu()[1]
                answer = side.ask("import", file=str(file))
                told[side.name].append({**answer, "database": side.cpu()[1] - before})
    rows = [_import_row(name, each) for name, each in told.items()]
    ratios = [old["seconds"] / new["seconds"] for old, new in zip(*told.values(), strict=True)]
    yield Table(
        f"导入 Import: {title}",
        ("", "行 lines", "请求 requests", "记录 events", "行/秒 lines/s",
         "CPU ms/行 line", "PostgreSQL CPU ms/行 line"),
        rows,
        (
            f"中位之比 median of the ratios: **{median(ratios):.2f}** ({min(ratios):.2f} –"
            f" {max(ratios):.2f}); {parts} 份交替 logs in turn, {number:,} 行 lines each.",
        ),
    )  # fmt: skip


def _import_row(name: str, parts: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    whole = {key: sum(part[key] for part in parts) for key in parts[0]}
    lines = whole["lines"]
    return (
        name,
        *(f"{whole[key]:,}" for key in ("lines", "requests", "facts")),
        f"{lines / whole['seconds']:,.0f}",
        *(f"{1000 * whole[key] / lines:.2f}" for key in ("cpu", "database")),
    )


def _answer(side: Side, token: str, query: str, **variables: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"http://127.0.0.1:{side.port}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"Bearer {token}"},
        timeout=60,
    )
    body: dict[str, Any] = answer.json()
    if "errors" in body:
        raise MutationFailed(f"{side.name}: {str(body)[:500]}")
    return body


PARTS: dict[str, Callable[..., Iterable[Table]]] = {
    "dashboard": _dashboard,
    "mutations": _mutations,
    "imports": _imports,
}
"""In this order: those that change rows come after those that compare answers."""
