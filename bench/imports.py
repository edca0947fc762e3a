"""How fast another system's history comes in, and whether its known facts come out again.

    python -m bench --only imports [--lines 140000]

Imports the incidents of BPI 2013 into a seeded database and asks a served API for `figures`; the
facts of `shared/data/README.md` must come out exactly. A second import must add nothing. Where the
file is not there, or a number of lines is asked for, the log is made by `bench/incident_log.py`.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import zstandard

from api.oauth.tokens import issue_token
from bench.figures import Table
from bench.incident_log import LINES, write_log
from bench.servers import ROOT, Stand, printer, stand
from itr.demo.data import demo_id
from itr.demo.seeding import seed
from itr.durations import parse_duration
from itr.imports import Outcome
from itr.imports import run as run_import

DATA = ROOT.parent / "shared" / "data" / "bpi2013_incidents.csv.zst"
MAPPING = ROOT / "mappings" / "bpi2013.toml"
EVERY = 25
"""A quick run takes every so manieth request."""
FEW = 2_500
"""Lines of a made log in a quick run."""

_ROW = "keys { value } requests share"
QUERY = f"""
query Facts($period: PeriodInput!) {{
  all: figures(period: $period) {{
    requests delivered reopened returned firstContact backlog
    timeToResolveMedian timeToResolveP90
  }}
  line: figures(period: $period, by: [DELIVERING_LINE]) {{ {_ROW} }}
  first: figures(period: $period, by: [FIRST_LINE]) {{ {_ROW} }}
  highest: figures(period: $period, by: [HIGHEST_LINE]) {{ {_ROW} }}
  impact: figures(period: $period, by: [IMPACT]) {{ {_ROW} }}
}}
"""
PERIOD = {"from": "2010-01-01T00:00:00Z", "to": "2013-01-01T00:00:00Z"}

FACTS: Mapping[str, object] = {
    "requests": 7554,
    "delivered": 7546,
    "reopened after completion": 514,
    "returned to an earlier team": 1258,
    "hours to resolve, median": "15.21",
    "hours to resolve, p90": "437.9",
    "requests by line": {"1": 5327, "2": 1866, "3": 353},
    "share by line, %": {"1": "70.59", "2": "24.73", "3": "4.68"},
    "share by first line, %": {"1": "88.72", "2": "9.32", "3": "1.96"},
    "share by highest line, %": {"1": "60.18", "2": "32.62", "3": "7.20"},
    "requests by impact": {"ENTERPRISE": 3, "DEPARTMENT": 261, "GROUP": 4045, "INDIVIDUAL": 3245},
}
"""What is known of the file, as `shared/data/README.md` has it."""


@dataclass(frozen=True)
class Log:
    """What is imported: where it is, what it is, and whether its facts are known."""

    file: Path
    told: str
    is_known: bool = False


def tables(*, quick: bool, lines: int | None = None) -> list[Table]:
    """Import, check, import again; only of the whole file of BPI 2013 facts are known."""
    with stand(durable=not quick) as servers:
        asyncio.run(seed(servers.settings, lambda *_: None))
        log = log_in(servers.servers.home.folder, quick=quick, lines=lines)
        first, seconds = _timed(servers, log.file)
        again, seconds_again = _timed(servers, log.file)
        asyncio.run(_gather_statistics(servers))
        found = _facts(servers) if log.is_known else {}
    if again.requests or again.facts:
        raise AssertionError(f"importing again added {again}")
    speed = Table(
        "导入 Import",
        ("", "请求 requests", "行 lines", "记录 events", "秒 s", "行/秒 lines/s"),
        [
            _row("第一次 first", first, seconds, f"{first.lines / seconds:,.0f}"),
            _row("再次 again", again, seconds_again, "–"),
        ],
        [log.told, "承诺：65 533 行 5 分钟内。 Promise: 65 533 lines within 5 minutes."],
    )
    return [speed, _compared(found)] if found else [speed]


def log_in(folder: Path, *, quick: bool, lines: int | None = None) -> Log:
    """The log to import: BPI 2013 if it is there and no number of lines is asked for."""
    if lines is not None or not DATA.exists():
        return _made(folder / "made.csv", lines or (FEW if quick else LINES))
    if not quick:
        return Log(DATA, "记录 log: BPI 2013.", is_known=True)
    part = folder / "sample.csv"
    part.write_bytes(sample(EVERY))
    return Log(part, f"记录 log: BPI 2013，每 {EVERY} 个请求取一 every {EVERY}th request.")


def _made(file: Path, lines: int) -> Log:
    with file.open("w", encoding="utf-8", newline="") as stream:
        write_log(stream, lines)
    why = "" if DATA.exists() else f"；没有 {DATA.name} is not there"
    return Log(
        file,
        f"记录 log: `bench/incident_log.py` 生成 made, {lines:,} 行 lines{why}。"
        " 形状同 BPI 2013，无已知事实可核对。 Of the shape of BPI 2013; no facts are known of it.",
    )


def _row(name: str, outcome: Outcome, seconds: float, rate: str) -> tuple[str, ...]:
    return name, *_counts(outcome), f"{seconds:.1f}", rate


def _compared(found: Mapping[str, object]) -> Table:
    """What is known beside what came out; raises AssertionError when they differ."""
    rows = [(name, str(FACTS[name]), str(value)) for name, value in found.items()]
    for name, wanted, value in rows:
        if wanted != value:
            raise AssertionError(f"{name}: {value} instead of {wanted}")
    return Table("导入后的已知事实 Known facts after it", ("", "已知 known", "得出 found"), rows)


def sample(every: int) -> bytes:
    """The file's header and every so manieth request of it, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, rows in enumerate(groups()):
        if number == 0:
            writer.writerow(rows[0])
        if number % every == 0:
            writer.writerows(row.values() for row in rows)
    return text.getvalue().encode()


def groups() -> Iterator[list[dict[str, str]]]:
    """The rows of each request of the file."""
    with zstandard.open(DATA, "rt", encoding="utf-8", newline="") as stream:
        rows: list[dict[str, str]] = []
        for row in csv.DictReader(stream):
            if rows and rows[0]["sr_number"] != row["sr_number"]:
                yield rows
                rows = []
            rows.append(row)
        yield rows


def _timed(servers: Stand, file: Path) -> tuple[Outcome, float]:
    tell = printer("导入 import")
    begun = perf_counter()
    outcome = asyncio.run(
        run_import(
            servers.settings, MAPPING, file, lambda done, total: tell(done / max(total, 1), "")
        )
    )
    return outcome, perf_counter() - begun


def _counts(outcome: Outcome) -> tuple[str, str, str]:
    return f"{outcome.requests:,}", f"{outcome.lines:,}", f"{outcome.facts:,}"


async def _gather_statistics(servers: Stand) -> None:
    """Do now what autovacuum does within a minute: figures are slow while tables look empty."""
    connection = await asyncpg.connect(servers.addresses.owner_url)
    try:
        await connection.execute("analyze")
    finally:
        await connection.close()


def _facts(servers: Stand) -> dict[str, object]:
    token = issue_token(servers.settings, demo_id("person", "何芳"))
    with servers.api("api", "cli", "serve") as api:
        answer = httpx.post(
            f"http://127.0.0.1:{api.port}/graphql",
            json={"query": QUERY, "variables": {"period": PERIOD}},
            headers={"authorization": f"Bearer {token}"},
            timeout=30,
        ).json()
    if "errors" in answer:
        raise AssertionError(answer["errors"])
    return facts_in(answer["data"])


def facts_in(data: dict[str, Any]) -> dict[str, object]:
    """The facts, out of an answer to the query."""
    everything = data["all"][0]
    return {
        "requests": everything["requests"],
        "delivered": everything["delivered"],
        "reopened after completion": everything["reopened"],
        "returned to an earlier team": everything["returned"],
        "hours to resolve, median": _hours(everything["timeToResolveMedian"], "0.01"),
        "hours to resolve, p90": _hours(everything["timeToResolveP90"], "0.1"),
        "requests by line": _by_key(data["line"], "requests"),
        "share by line, %": _percents(data["line"]),
        "share by first line, %": _percents(data["first"]),
        "share by highest line, %": _percents(data["highest"]),
        "requests by impact": dict(
            sorted(_by_key(data["impact"], "requests").items(), key=_as_listed)
        ),
    }


def _as_listed(item: tuple[str, object]) -> int:
    return ["ENTERPRISE", "DEPARTMENT", "GROUP", "INDIVIDUAL"].index(item[0])


def _by_key(rows: list[dict[str, Any]], figure: str) -> dict[str, Any]:
    named = ((row["keys"][0]["value"], row[figure]) for row in rows)
    return {key: value for key, value in named if key is not None}


def _percents(rows: list[dict[str, Any]]) -> dict[str, str]:
    shares = _by_key(rows, "share")
    return {key: str(round(Decimal(share) * 100, 2)) for key, share in shares.items()}


def _hours(duration: str, step: str) -> str:
    hours = Decimal(parse_duration(duration)) / 3_600_000_000
    return str(hours.quantize(Decimal(step)))
