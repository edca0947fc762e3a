"""Two checkouts beside each other in one run: the same rows, the same load, asked in turn.

    python -m bench --old /path/to/old/checkout [--only mutations] [--requests 1000000]

The old checkout fills a database; the new one gets a copy of it and migrates it. Each has its own
PostgreSQL, Valkey and API, out of its own `.venv` where it has one. Rounds alternate, so that what
else the machine does meets both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.servers import ROOT
from embedded import AlreadyRunning, EmbeddedServers
from embedded.processes import identity_of

_PREFIX = "itr-beside-"
_TICKS = os.sysconf("SC_CLK_TCK")


class SideFailed(RuntimeError):
    """A checkout could not do its part; its log says why."""


@dataclass
class Side:
    """One checkout that serves, and what it said at first."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Where its API answers."""
        return int(self.said["port"])

    def ask(self, do: str, **given: Any) -> Any:
        """Have it do something and return its answer; raises SideFailed."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(orjson.dumps({"do": do, **given}) + b"\n")
            self.process.stdin.flush()
        return self.heard()

    def heard(self) -> Any:
        """Its next answer; raises SideFailed."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SideFailed(f"{self.name}: {self.log.read_text(errors='replace')[-2_000:]}")
        return orjson.loads(line)

    def cpu(self) -> tuple[float, float]:
        """Processor seconds so far, of its API and of its PostgreSQL; zeros where not told."""
        parents = _parents()
        below = _below(self.process.pid, parents)
        database = [pid for pid in below if _command(pid).startswith("postgres")]
        api = [self.said["pid"], *_below(self.said["pid"], parents)]
        return sum(map(_spent, api)), sum(map(_spent, database))


@contextmanager
def both(old: Path, requests: int, *, quick: bool) -> Iterator[list[Side]]:
    """Serve the old checkout and this one, each on its copy of so many requests."""
    _clear_killed_runs()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    folder.chmod(0o711)
    try:
        homes = {name: folder / name for name in ("old", "new")}
        _run(old, homes["old"], "fill", str(requests), quick=quick)
        subprocess.run(["/bin/cp", "-a", *map(str, homes.values())], check=True)
        with ExitStack() as stack:
            checkouts = ((old, homes["old"]), (ROOT, homes["new"]))
            yield [
                stack.enter_context(_served(checkout, home, quick=quick))
                for checkout, home in checkouts
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(checkout: Path, home: Path, *what: str, quick: bool) -> None:
    subprocess.run(
        [*_command_of(checkout), str(home), *what],
        cwd=checkout, env=_environment(checkout, quick=quick), check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def _served(checkout: Path, home: Path, *, quick: bool) -> Iterator[Side]:
    log = home.with_suffix(".log")
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*_command_of(checkout), str(home), "serve"],
            cwd=checkout, env=_environment(checkout, quick=quick), stderr=told,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
    side = Side(f"{home.name} {_commit(checkout)}", process, log)
    try:
        side.said = side.heard()
        yield side
    finally:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(60)


def _command_of(checkout: Path) -> list[str]:
    own = checkout / ".venv" / "bin" / "python"
    program = str(own) if own.exists() else sys.executable
    return [program, "-P", str(ROOT / "bench" / "side.py")]


def _environment(checkout: Path, *, quick: bool) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    return others | {"PYTHONPATH": str(checkout)} | ({"ITR_BENCH_QUICK": "1"} if quick else {})


def _commit(checkout: Path) -> str:
    told = subprocess.run(
        ["git", "-C", str(checkout), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() or checkout.name


def _clear_killed_runs() -> None:
    """Stop and remove what a killed run left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not owner.isdigit() or identity_of(int(owner)) is not None:
            continue
        with suppress(AlreadyRunning, OSError):
            for home in folder.glob("*/home.json"):
                EmbeddedServers(home.parent).clear()
            shutil.rmtree(folder, ignore_errors=True)


def _stat(pid: int) -> list[str]:
    """What the system tells of a process after its name; nothing once it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _parents() -> dict[int, int]:
    processes = (int(each.name) for each in Path("/proc").glob("[0-9]*"))
    return {pid: int(told[1]) for pid in processes if (told := _stat(pid))}


def _below(pid: int, parents: dict[int, int]) -> list[int]:
    children = [child for child, parent in parents.items() if parent == pid]
    return [*children, *(each for child in children for each in _below(child, parents))]


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def _spent(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / _TICKS
