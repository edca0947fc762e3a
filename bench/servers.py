"""The servers a measurement stands on: PostgreSQL, Valkey, and the API as a process of its own."""

from __future__ import annotations

import asyncio
import http.client
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embedded import Addresses, AlreadyRunning, EmbeddedServers
from embedded.processes import Child
from itr.database import migrate
from itr.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
_PREFIX = "itr-bench-"
_READY_SECONDS = 60


@dataclass(frozen=True)
class Stand:
    """Running servers with a migrated database."""

    servers: EmbeddedServers
    addresses: Addresses
    settings: Settings

    @contextmanager
    def process(self, name: str, *command: str, port: int | None = None) -> Iterator[Child]:
        """Run a Python module of the project beside the servers; gone when the block ends."""
        child = self.servers.start_beside(
            name, [sys.executable, "-m", *command], environment=self._environment(port)
        )
        try:
            yield child
        finally:
            child.stop()

    @contextmanager
    def api(self, name: str, *command: str) -> Iterator[Api]:
        """Serve an API on a free port and wait until it answers."""
        port = _free_port()
        with self.process(name, *command, port=port) as child:
            _wait_until(lambda: _is_healthy(port), child)
            yield Api(child, port)

    @contextmanager
    def other(self, name: str, command: Sequence[str], **environment: str) -> Iterator[Api]:
        """Serve another GraphQL server on a free port, told by its environment where all is."""
        port = _free_port()
        told = {"PORT": str(port), "DATABASE_URL": self.addresses.database_url, **environment}
        child = self.servers.start_beside(name, command, environment=os.environ | told)
        try:
            _wait_until(lambda: _answers(port), child)
            yield Api(child, port)
        finally:
            child.stop()

    def _environment(self, port: int | None) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        given = self.settings.model_dump(exclude={"owner_database_url"})
        ours = given | {"secret": self.addresses.secret, "metrics_token": ""}
        if port is not None:
            ours["port"] = port
        return others | {
            **{PREFIX + name.upper(): str(value) for name, value in ours.items()},
            "PYTHONPATH": str(ROOT),
        }


@dataclass(frozen=True)
class Api:
    """A served API."""

    child: Child
    port: int

    @property
    def pid(self) -> int:
        """Its process."""
        return self.child.process.pid


@contextmanager
def stand(*, durable: bool = True) -> Iterator[Stand]:
    """Start both servers in a temporary home; not `durable`: without safety against power cuts."""
    _clear_killed_runs()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)
    servers = EmbeddedServers(folder / "home", durable=durable)
    try:
        addresses = servers.start()
        settings = Settings.read(
            {
                "ITR_DATABASE_URL": addresses.database_url,
                "ITR_OWNER_DATABASE_URL": addresses.owner_url,
                "ITR_VALKEY_URL": addresses.valkey_url,
                "ITR_SECRET": addresses.secret,
                "ITR_COST_BUDGET": str(10**15),
            }
        )
        asyncio.run(migrate(settings))
        yield Stand(servers, addresses, settings)
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _clear_killed_runs() -> None:
    """Stop and remove what a killed run left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        home = folder / "home"
        with suppress(AlreadyRunning, OSError):
            if home.joinpath("home.json").exists():
                EmbeddedServers(home).clear()
                shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(is_ready: Callable[[], bool], child: Child) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not is_ready():
        if not child.is_running():
            raise child.death()
        if time.monotonic() > end:
            raise TimeoutError(f"{child.name} is not ready; log: {child.log}")
        time.sleep(0.05)


def _is_healthy(port: int) -> bool:
    return _status(port, "GET", "/healthz") == 200


def _answers(port: int) -> bool:
    """Whether a GraphQL server answers, with whatever."""
    return _status(port, "POST", "/graphql", '{"query":"{__typename}"}') == 200


def _status(port: int, method: str, path: str, body: str | None = None) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    words = stat.read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def allow_files(number: int) -> None:
    """Let this process, and those it starts, keep so many files and sockets open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def printer(title: str) -> Callable[[float, str], None]:
    """Return a progress that rewrites one line of a terminal and says little elsewhere."""
    told = -1

    def progress(share: float, what: str) -> None:
        nonlocal told
        if sys.stderr.isatty():
            print(f"\r\x1b[K{title} {share:4.0%} {what}", end="", file=sys.stderr, flush=True)
        elif int(share * 4) != told:
            told = int(share * 4)
            print(f"{title} {share:4.0%} {what}", file=sys.stderr, flush=True)

    return progress
