"""Both servers of a home together: `start` returns where they answer, `stop` ends them."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from embedded import postgres, valkey
from embedded.errors import ServersFailed
from embedded.home import Home, Keys, Running
from embedded.postgres import Cluster
from embedded.processes import POLITE, Child, Identity, StopStep, start_child, stop_leftover
from embedded.programs import find_programs
from embedded.sockets import make_socket_folder, remove_socket_folder


@dataclass(frozen=True)
class Addresses:
    """Where the servers answer, and the secret of their home.

    `database_url` belongs to the product's login, `owner_url` to the owner of its tables,
    `admin_url` to the superuser.
    """

    database_url: str
    owner_url: str
    valkey_url: str
    admin_url: str
    secret: str


class EmbeddedServers:
    """PostgreSQL and Valkey of one home, and the children that stand on them.

    All methods block and belong to one thread; from asyncio call them with `to_thread`.
    `address` is what a second start on this home is told. `durable=False` gives up safety
    against a power cut, for tests. `shield` keeps signals out while a child starts.
    """

    def __init__(
        self,
        home: Path | str,
        *,
        address: str | None = None,
        durable: bool = True,
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.home = Home(Path(home))
        self._address = address
        self._durable = durable
        self._shield = shield
        self._children: list[Child] = []
        self._sockets: Path | None = None
        self._addresses: Addresses | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Addresses:
        """Hold the home, clear what a killed start left there, and start both servers.

        Raises `AlreadyRunning` when another process holds the home, `ServersFailed` otherwise.
        """
        self.home.acquire()
        try:
            return self._start()
        except BaseException:
            with self._shield():
                self.stop()
            raise

    def _start(self) -> Addresses:
        self._clear_leftovers()
        self._say_running()
        folder, account = self.home.data_folder()
        keys = self.home.ensure_keys()
        programs = find_programs(account)
        cluster = Cluster(
            programs.postgres, programs.initdb, folder, account, durable=self._durable
        )
        cluster.stop_leftover()
        cluster.make(password=keys.superuser_password)
        self._sockets = make_socket_folder(account)
        self._say_running()
        sockets = self._sockets
        database = self._watch(
            lambda: cluster.start(sockets=sockets, log=self.home.log("postgres"))
        )
        cache = self._watch(
            lambda: valkey.start_valkey(
                programs.valkey, sockets=sockets, log=self.home.log("valkey"), account=account
            )
        )
        cluster.wait_until_ready(database)
        valkey.wait_until_ready(cache, sockets=sockets)
        self._addresses = _addresses(keys, sockets)
        _prepare(self._addresses, keys)
        self._say_running()
        return self._addresses

    def clear(self) -> None:
        """Stop what a killed start left in this home, and start nothing.

        Raises `AlreadyRunning` when the home is in use.
        """
        self.home.acquire()
        try:
            self._clear_leftovers()
        finally:
            self.home.release()

    def _clear_leftovers(self) -> None:
        for process in reversed(self.home.processes()):
            stop_leftover(process, steps=_steps_for(process))
        self.home.write_processes([])
        before = self.home.running()
        if before is not None and before.sockets is not None:
            remove_socket_folder(Path(before.sockets))
        self.home.forget_running()

    def _watch(self, start: Callable[[], Child]) -> Child:
        with self._shield():
            child = start()
            self._children.append(child)
            self.home.write_processes(child.identity for child in self._children)
        return child

    def _say_running(self) -> None:
        addresses = self._addresses
        self.home.write_running(
            Running(
                pid=os.getpid(),
                address=self._address,
                sockets=None if self._sockets is None else str(self._sockets),
                database_url=None if addresses is None else addresses.database_url,
                valkey_url=None if addresses is None else addresses.valkey_url,
            )
        )

    def start_beside(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str]
    ) -> Child:
        """Start a process that stands on the servers; it is stopped before them, last one first."""
        return self._watch(
            lambda: start_child(
                name, command, log=self.home.log(name.lower()), environment=environment
            )
        )

    def check(self) -> None:
        """Raise `ServersFailed` with its last words when a child has ended by itself."""
        for child in self._children:
            if not child.is_running():
                raise child.death()

    def stop(self) -> None:
        """Stop everything started here, the last one first, and let the home go."""
        try:
            while self._children:
                self._children[-1].stop()
                self._children.pop()
        finally:
            self._leave_home()

    def _leave_home(self) -> None:
        self._addresses = None
        if self._sockets is not None:
            remove_socket_folder(self._sockets)
            self._sockets = None
        if self.home.is_held():
            self.home.write_processes(child.identity for child in self._children)
            self.home.forget_running()
        self.home.release()


def _steps_for(process: Identity) -> Sequence[StopStep]:
    program = process.command[0].split()[0] if process.command else ""
    return postgres.FAST_THEN_FORCED if program.endswith("/postgres") else POLITE


def _addresses(keys: Keys, sockets: Path) -> Addresses:
    def url(user: str, password: str, database: str) -> str:
        return postgres.database_url(
            user=user, password=password, database=database, sockets=sockets
        )

    return Addresses(
        database_url=url(postgres.DESK, keys.desk_password, postgres.DATABASE),
        owner_url=url(postgres.OWNER, keys.password, postgres.DATABASE),
        valkey_url=valkey.valkey_url(sockets),
        admin_url=url(postgres.SUPERUSER, keys.superuser_password, "postgres"),
        secret=keys.secret,
    )


def _prepare(addresses: Addresses, keys: Keys) -> None:
    """Make logins and database in a thread of its own, so that a running loop is no matter."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        preparing = postgres.prepare(
            addresses.admin_url, owner_password=keys.password, desk_password=keys.desk_password
        )
        thread.submit(asyncio.run, preparing).result()


def find_running(home: Path | str) -> tuple[Running, Keys]:
    """Return where the demo of this home answers, for commands beside it; refuse when none runs."""
    place = Home(Path(home))
    running, keys = place.running(), place.keys()
    if running is None or keys is None or running.database_url is None or not place.is_held():
        raise ServersFailed(
            f"{place.folder} 中没有正在运行的演示；请先运行 itr demo，或设置 ITR_DATABASE_URL",
            f"no demo is running in {place.folder}; run itr demo first, or set ITR_DATABASE_URL",
        )
    return running, keys
