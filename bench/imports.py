"""How fast another system's history comes in, and whether its known facts come out again.

    python -m bench --only imports

Imports the incidents of BPI 2013 into a seeded database and asks a served API for `figures`; the
facts of `shared/data/README.md` must come out exactly. A second import must add nothing.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import zstandard

from api.oauth.tokens import issue_token
from bench.figures import Table
from bench.servers import ROOT, Stand, printer, stand
from itr.demo import seed
from itr.demo_data import demo_id
from itr.durations import parse_duration
from itr.imports import Outcome
from itr.imports import run as run_import

DATA = ROOT.parent / "shared" / "data" / "bpi2013_incidents.csv.zst"
MAPPING = ROOT / "mappings" / "bpi2013.toml"
EVERY = 25
"""A quick run takes every so manieth request."""

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


def tables(*, quick: bool) -> list[Table]:
    """Import, check, import again; a quick run takes a part of the file and checks no facts."""
    with stand(durable=not quick) as servers:
        asyncio.run(seed(servers.settings, lambda *_: None))
        file = DATA
        if quick:
            file = servers.servers.home.folder / "sample.csv"
            file.write_bytes(sample(EVERY))
        first, seconds = _timed(servers, file)
        again, seconds_again = _timed(servers, file)
        asyncio.run(_gather_statistics(servers))
        found = {} if quick else _facts(servers)
    rate = f"{first.lines / seconds:,.0f}"
    speed = Table(
        "导入 Import (BPI 2013)",
        ("", "请求 requests", "行 lines", "记录 events", "秒 s", "行/秒 lines/s"),
        [
            ("第一次 first", *_counts(first), f"{seconds:.1f}", rate),
            ("再次 again", *_counts(again), f"{seconds_again:.1f}", "–"),
        ],
        ["承诺：65 533 行 5 分钟内。 Promise: 65 533 lines within 5 minutes."],
    )
    if again.requests or again.facts:
        raise AssertionError(f"importing again added {again}")
    rows = [(name, str(FACTS[name]), str(value)) for name, value in found.items()]
    for name, wanted, value in rows:
        if wanted != value:
            raise AssertionError(f"{name}: {value} instead of {wanted}")
    facts = Table("导入后的已知事实 Known facts after it", ("", "已知 known", "得出 found"), rows)
    return [speed, facts] if rows else [speed]


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
