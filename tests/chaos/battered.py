"""An installation to mistreat: its own PostgreSQL and Valkey, API and workers, killed at will."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import redis

from embedded import postgres, valkey
from embedded.account import Account
from embedded.errors import ServersFailed
from embedded.home import Home
from embedded.postgres import Cluster
from embedded.processes import Child
from embedded.programs import find_programs
from embedded.servers import EmbeddedServers
from embedded.sockets import make_socket_folder, remove_socket_folder
from itr.settings import Settings
from tests.support.databases import environment
from tests.support.servers import temporary_home

WORKERS = 2
_SECONDS_TO_START = 60


@dataclass
class Installation:
    """Everything that runs in production, each part of it replaceable."""

    cluster: Cluster
    account: Account | None
    valkey_program: Path
    sockets: Path
    database_url: str
    owner_url: str
    port: int
    logs: Path
    database: Child | None = None
    cache: Child | None = None
    api: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Settings that point at this installation."""
        return Settings.read(self._environment() | {"ITR_OWNER_DATABASE_URL": self.owner_url})

    def _environment(self) -> dict[str, str]:
        return environment(
            database_url=self.database_url, valkey_url=valkey.valkey_url(self.sockets)
        ) | {"ITR_PORT": str(self.port), "ITR_ISSUER": f"http://127.0.0.1:{self.port}"}

    def start_database(self) -> None:
        """Start PostgreSQL; after a crash it repairs itself first."""
        end = time.monotonic() + _SECONDS_TO_START
        while True:
            self.database = self.cluster.start(sockets=self.sockets, log=self.logs / "postgres.log")
            try:
                return self.cluster.wait_until_ready(self.database)
            except ServersFailed:  # what the last one left is not gone yet
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def crash_database(self, how: signal.Signals) -> None:
        """End PostgreSQL the hard way and start it again."""
        assert self.database is not None
        os.kill(self.database.identity.pid, how)
        self.database.stop()
        self.start_database()

    def start_cache(self) -> None:
        """Start an empty Valkey."""
        self.cache = valkey.start_valkey(
            self.valkey_program,
            sockets=self.sockets,
            log=self.logs / "valkey.log",
            account=self.account,
        )
        valkey.wait_until_ready(self.cache, sockets=self.sockets)

    def crash_cache(self, *, away: float) -> None:
        """Kill Valkey with all it knows; start an empty one after a while."""
        assert self.cache is not None
        os.kill(self.cache.identity.pid, signal.SIGKILL)
        self.cache.stop()
        time.sleep(away)
        self.start_cache()

    def flush_cache(self) -> None:
        """Empty Valkey while everybody uses it."""
        with redis.Redis.from_url(valkey.valkey_url(self.sockets)) as client:
            client.flushall()

    def start_api(self) -> None:
        """Start the API and wait until it answers."""
        self.api = self._start("serve", f"api-{time.monotonic_ns()}.log")
        end = time.monotonic() + _SECONDS_TO_START
        while not self._is_healthy():
            assert self.api.poll() is None, "the API did not start"
            assert time.monotonic() < end, "the API does not answer"
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def crash_api(self) -> None:
        """Kill the API in the middle of whatever it does, and start another."""
        assert self.api is not None
        _kill(self.api)
        self.start_api()

    def start_workers(self) -> None:
        """Start as many workers as are missing."""
        while len(self.workers) < WORKERS:
            self.workers.append(self._start("work", f"worker-{time.monotonic_ns()}.log"))

    def tend(self) -> None:
        """Start workers that ended by themselves again, as whoever runs them in earnest does.

        One that comes up while the database is away says so and ends.
        """
        self.workers = [each for each in self.workers if each.poll() is None]
        self.start_workers()

    def crash_worker(self) -> None:
        """Kill the eldest worker, and start another."""
        _kill(self.workers.pop(0))
        self.start_workers()

    def _start(self, command: str, log: str) -> subprocess.Popen[bytes]:
        with (self.logs / log).open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "cli", command],
                env=os.environ | self._environment(),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End everything."""
        for each in [*self.workers, *([self.api] if self.api else [])]:
            _kill(each)
        for child in (self.cache, self.database):
            if child is not None:
                child.stop()


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def installation() -> Iterator[Installation]:
    """A fresh installation with database and Valkey running; nothing of it is left afterwards."""
    with temporary_home() as home:
        first = EmbeddedServers(home)
        first.start()
        first.stop()
        place = Home(home)
        place.acquire()
        folder, account = place.data_folder()
        programs = find_programs(account)
        sockets = make_socket_folder(account)
        keys = place.keys()
        assert keys is not None

        def url(user: str, password: str) -> str:
            return postgres.database_url(
                user=user, password=password, database=postgres.DATABASE, sockets=sockets
            )

        made = Installation(
            cluster=Cluster(programs.postgres, programs.initdb, folder, account),
            account=account,
            valkey_program=programs.valkey,
            sockets=sockets,
            database_url=url(postgres.DESK, keys.desk_password),
            owner_url=url(postgres.OWNER, keys.password),
            port=free_port(),
            logs=home,
        )
        try:
            made.start_database()
            made.start_cache()
            yield made
        finally:
            made.stop()
            remove_socket_folder(sockets)
            place.release()


def free_port() -> int:
    """A port of this machine nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
