"""A home per test, and supervisors in processes of their own that never outlive the test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded import EmbeddedServers
from embedded.processes import Identity, identity_of
from tests.support.servers import temporary_home

ROOT = Path(__file__).parents[2]


@dataclass
class Holder:
    """A supervisor in a process of its own."""

    process: "subprocess.Popen[str]"
    admin_url: str

    def end_with(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that does not exist yet; whatever still runs in it is stopped afterwards."""
    with temporary_home() as home:
        yield home
        if home.exists():
            EmbeddedServers(home).clear()


@pytest.fixture
def hold() -> Iterator[Callable[..., Holder]]:
    """Start a supervisor of a home in a process of its own and wait until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(home: Path, **environment: str) -> Holder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.holder", str(home)],
            cwd=ROOT,
            env=dict(os.environ) | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return Holder(process, process.stdout.readline().strip())

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def children_of(home: Path) -> list[Identity]:
    """The processes this home's supervisor wrote down."""
    stored = json.loads(home.joinpath("processes.json").read_text())["processes"]
    return [Identity(one["pid"], one["began"], tuple(one["command"])) for one in stored]


def is_alive(known: Identity) -> bool:
    """Whether this very process still runs."""
    return identity_of(known.pid) == known
