"""All measurements in one go: `python -m bench [--quick] [--only NAME …] [--old CHECKOUT]`.

Prints tables; a whole, unhurried run also writes docs/performance.md with the machine and the
date. `--quick` does everything on little data within seconds, to show that it works. `--old`
measures dashboard, mutations and imports of another checkout and of this one side by side;
together with `--only` no others.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import importlib.util
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench import compared, dashboard, figure_queries, memory, mutations, peers, row_level_security
from bench.data import fill
from bench.figures import Table, print_table
from bench.servers import ROOT, Stand, printer, stand

NUMBER, FEW = 50_000, 400
DOCUMENT = ROOT / "docs" / "performance.md"

SHARED: dict[str, Callable[..., list[Table]]] = {
    "dashboard": dashboard.run,
    "peers": peers.run,
    "mutations": mutations.run,
    "memory": memory.run,
    "figures": figure_queries.run,
    "row_level_security": row_level_security.run,
}
"""Parts that stand on the one database of many requests."""

ALONE = ("imports", "alarms", "clocks", "tokens", "board", "load")
"""Parts that bring their own servers, or need none: modules with `tables(quick=…)`."""


_failed: list[str] = []


def main() -> None:
    """Measure what is asked for."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = _alone(asked)
    begun = time.monotonic()
    machine = _machine()
    tables: list[Table] = []
    for line in machine:
        print(line)
    shared = [name for name in names if name in SHARED]
    if shared:
        database, measured = _measure_shared(shared, asked)
        machine.append(database)
        tables += measured
    for name in names:
        if name not in SHARED:
            module = importlib.import_module(f"bench.{name}")
            more = {"lines": asked.lines} if name == "imports" else {}
            tables += _measure(name, functools.partial(module.tables, quick=asked.quick, **more))
    tables += _side_by_side(asked)
    if not asked.quick and not asked.only:
        DOCUMENT.write_text(_document(machine, tables))
        print(f"→ {DOCUMENT}")
    print(f"用时 took {time.monotonic() - begun:.0f} s", file=sys.stderr)
    if _failed:
        raise SystemExit(f"失败 failed: {', '.join(_failed)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little data, seconds, no document")
    choices = [*SHARED, *_present(ALONE)]
    parser.add_argument("--only", action="append", choices=choices, help="this part only")
    parser.add_argument("--lines", type=int, help="import a log made of so many lines")
    parser.add_argument(
        "--requests", type=int, action="append", help="so many in the database; may be repeated"
    )
    parser.add_argument("--old", type=Path, help="a checkout to measure this one against")
    asked = parser.parse_args()
    asked.requests = asked.requests or [FEW if asked.quick else NUMBER]
    return asked


def _alone(asked: argparse.Namespace) -> list[str]:
    """The parts that are measured of this checkout alone."""
    if asked.old and asked.only:
        return [name for name in asked.only if name not in compared.PARTS]
    return asked.only or [*SHARED, *_present(ALONE)]


def _side_by_side(asked: argparse.Namespace) -> list[Table]:
    """The parts that are measured of the old checkout and of this one."""
    names = [name for name in compared.PARTS if name in (asked.only or compared.PARTS)]
    if not asked.old or not names:
        return []
    tables = []
    for number in asked.requests:
        wanted = compared.Wanted(names, number, quick=asked.quick, lines=asked.lines)
        part = functools.partial(compared.tables, asked.old.resolve(), wanted)
        tables += _measure(f"旧与新 old and new, {number:,}", part)
    return tables


def _present(names: Iterable[str]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(f"bench.{name}") is not None]


def _measure_shared(names: list[str], asked: argparse.Namespace) -> tuple[str, list[Table]]:
    tables, quick, number = [], asked.quick, asked.requests[0]
    with stand(durable=not quick) as servers:
        asyncio.run(fill(servers.settings, number, printer("数据 data")))
        database = asyncio.run(_filled(servers))
        print(database)
        for name in names:
            tables += _measure(name, functools.partial(SHARED[name], servers, quick=quick))
    return database, tables


async def _filled(servers: Stand) -> str:
    connection = await asyncpg.connect(servers.addresses.database_url)
    try:
        requests = await connection.fetchval("select count(*) from request")
        clocks = await connection.fetchval("select count(*) from clock")
        version = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    return (
        f"PostgreSQL {version}（内置 embedded）: {requests:,} 个请求 requests,"
        f" {clocks:,} 个时钟 clocks"
    )


def _measure(name: str, part: Callable[[], list[Table]]) -> list[Table]:
    """Measure one part; one that fails is told in its place, and the others go on."""
    print(f"\n{name} … {datetime.now(UTC):%H:%M:%S}", file=sys.stderr, flush=True)
    try:
        tables = part()
    except Exception as error:
        _failed.append(name)
        traceback.print_exc()
        reason = f"{type(error).__name__}: {str(error)[:300]}"
        tables = [Table(f"{name}：失败 failed", ("原因 why",), [(reason,)])]
    for table in tables:
        print_table(table)
    return tables


def _machine() -> list[str]:
    load = os.getloadavg()[0]
    return [
        f"日期 Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"处理器 CPU: {_processor()}, {os.cpu_count()} 核 cores; 内存 memory {_memory_gb():.0f} GB",
        f"系统 System: {platform.system()} {platform.release()} {platform.machine()};"
        f" 开始时负载 load average at the start {load:.1f}",
        f"Python {platform.python_version()}",
    ]


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


_HEAD = """# 性能 Performance

由 `make bench` 写成，请勿手改。 Written by `make bench`; not edited by hand.

数字只说明这台机器这一次运行；倍数比绝对值更可比。 The figures tell of this machine and this run;
ratios travel better than absolute values.

## 环境 Where and when

"""
_EXPLAINED = """
## 怎样测 How it is measured

- 一个数据库，50 000 个请求，每个四个时钟；数据由 `bench/data.py` 用 COPY 写入，时钟由真实日历折算。
  One database of 50 000 requests with four clocks each; rows are copied in by `bench/data.py`,
  clocks are folds under real calendars.
- 看板：`bench/dashboard.graphql` 的文本不变；对照是 `bench/baseline.py`：同一应用（同样的中间件、
  令牌校验、限制、文档缓存、JSON 库）、同样的表和行范围，换成普通 Strawberry 类型、dataloader 与
  asyncpg。先核对两边答复相同，再逐轮交替测量，取中位数之比。
  Dashboard: the text of `bench/dashboard.graphql` is fixed. The other server is
  `bench/baseline.py`: the same application (middleware, token check, limits, document cache, JSON
  library), tables and row scope, with plain Strawberry types, dataloaders and asyncpg instead of
  compiled reads. Both answers are compared first; then rounds alternate, and the ratio is that of
  the medians.
- 压测端是独立进程（`bench/client.py`），八个连接，本机回环。
  The load generator is a process of its own (`bench/client.py`), eight connections, loopback.

## 结果 Results

"""


def _document(machine: list[str], tables: list[Table]) -> str:
    lines = [_HEAD.rstrip(), "", *(f"- {line}" for line in machine), _EXPLAINED.rstrip(), ""]
    for table in tables:
        lines += table.markdown()
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
