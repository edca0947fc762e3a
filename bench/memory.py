"""Resident memory of the API and the worker: freshly started, and after load."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.client import run_client
from bench.dashboard import QUERY, token_for
from bench.figures import Table
from bench.mutations import carry
from bench.servers import Stand
from itr.actors.roles import Role


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Start both processes, put load on them, and read what they hold."""
    seconds, number = (0.5, 8) if quick else (20.0, 300)
    with _worker(stand) as worker, stand.api("api", "cli", "serve") as api:
        pids = {"API": api.pid, "后台任务 Worker": worker}
        time.sleep(0.5 if quick else 5)
        before = {name: resident(pid) for name, pid in pids.items()}
        run_client(
            port=api.port,
            token=asyncio.run(token_for(stand, Role.LINE1)),
            bodies=[orjson.dumps({"query": QUERY}).decode()],
            seconds=seconds,
        )
        carry(stand, api, number)
        time.sleep(0.5 if quick else 5)
        after = {name: resident(pid) for name, pid in pids.items()}
    return [
        Table(
            "常驻内存 Resident memory",
            ("进程 Process", "启动后 started, MB", "压测后 after load, MB"),
            [(name, _shown(before[name]), _shown(after[name])) for name in pids],
            (
                f"压测 Load: {seconds:.0f} s 看板查询 of the dashboard query at 8 connections, then"
                f" {number} 个请求走完六项变更 requests through the six mutations;"
                " 指标 figure: RSS, 含共享库 shared libraries included.",
            ),
        )
    ]


@contextmanager
def _worker(stand: Stand) -> Iterator[int | None]:
    """Run the worker, where the product has one."""
    if importlib.util.find_spec("workers.main") is None:
        yield None
        return
    with stand.process("worker", "cli", "work") as child:
        yield child.process.pid


def resident(pid: int | None) -> float | None:
    """Return the resident megabytes of a process; None when it is not there."""
    if pid is None:
        return None
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return None
    command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(answer.stdout) / 1024 if answer.stdout.strip() else None


def _shown(megabytes: float | None) -> str:
    return "—" if megabytes is None else f"{megabytes:.0f}"
