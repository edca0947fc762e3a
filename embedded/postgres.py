"""PostgreSQL: made once, started with settings for small machines, stopped without loss."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from embedded.account import Account
from embedded.errors import ServersFailed
from embedded.processes import Child, StopStep, identity_of, start_child, stop_leftover
from embedded.sockets import POSTGRES_PORT

SUPERUSER = "postgres"
OWNER = "itr"
DESK = "itr_desk"
DATABASE = "itr"
FAST_THEN_FORCED = (
    StopStep(signal.SIGINT, 30),
    StopStep(signal.SIGQUIT, 10),
    StopStep(signal.SIGKILL, 5),
)
_READY_SECONDS = 60
_MAJOR = "18"


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data folder and how it is served."""

    postgres: Path
    initdb: Path
    folder: Path
    account: Account | None
    durable: bool = True

    @property
    def data(self) -> Path:
        """The data folder itself."""
        return self.folder / "postgres"

    def make(self, *, password: str) -> None:
        """Make the data folder if there is none; one left half-made begins anew."""
        if self.data.exists():
            self._ensure_version()
            return
        draft = self.folder / "postgres.new"
        password_file = self.folder / "password"
        self._run(["/bin/rm", "-rf", "--", str(draft), str(password_file)])
        try:
            self._write_private(password_file, password)
            self._run(self._initdb_command(draft, password_file))
            draft.rename(self.data)
        finally:
            password_file.unlink(missing_ok=True)

    def _ensure_version(self) -> None:
        version = self.data.joinpath("PG_VERSION").read_text().strip()
        if version != _MAJOR:
            raise ServersFailed(
                f"{self.data} 属于 PostgreSQL {version}，此处需要 {_MAJOR}",
                f"{self.data} belongs to PostgreSQL {version}, this is {_MAJOR}",
            )

    def _initdb_command(self, draft: Path, password_file: Path) -> list[str]:
        return [
            str(self.initdb),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if self.durable else ["--no-sync"]),
        ]

    def _write_private(self, path: Path, content: str) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content + "\n")
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _run(self, command: list[str]) -> None:
        account = self.account
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd="/",
            umask=0o077,
            check=False,
            start_new_session=True,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else (),
        )
        if answer.returncode != 0:
            words = answer.stdout.decode(errors="replace").strip()
            raise ServersFailed("无法建立数据库", f"cannot make the database: {words}")

    def stop_leftover(self) -> None:
        """Stop a PostgreSQL that still serves this folder; forget a pid that is not one."""
        path = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(path.read_text().splitlines()[0])
            known = identity_of(pid)
            if known is not None and self._serves(known.command):
                stop_leftover(known, steps=FAST_THEN_FORCED)
        path.unlink(missing_ok=True)

    def _serves(self, command: tuple[str, ...]) -> bool:
        line = " ".join(command)
        return f"/postgres -D {self.data} " in line

    def start(self, *, sockets: Path, log: Path) -> Child:
        """Start the server; it is not ready yet."""
        options = [word for setting in self._settings(sockets) for word in ("-c", setting)]
        return start_child(
            "PostgreSQL",
            [str(self.postgres), "-D", str(self.data), *options],
            log=log,
            environment=environment(),
            account=self.account,
            steps=FAST_THEN_FORCED,
        )

    def _settings(self, sockets: Path) -> list[str]:
        settings = [
            "listen_addresses=",
            f"port={POSTGRES_PORT}",
            f"unix_socket_directories={sockets}",
            "unix_socket_permissions=0700",
            "max_connections=100",
            f"shared_buffers={shared_buffers_mb(total_memory_mb())}MB",
            "work_mem=8MB",
            "jit=off",
            "io_method=sync",
            "random_page_cost=1.1",
            "timezone=UTC",
            "log_timezone=UTC",
            "lc_messages=C",
            "log_checkpoints=off",
            "log_error_verbosity=terse",  # its details are values of rows
        ]
        if not self.durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        return settings

    def wait_until_ready(self, child: Child) -> None:
        """Wait until the server answers; it may need to repair itself after a crash first."""
        end = time.monotonic() + _READY_SECONDS
        while not self._is_ready(child):
            if not child.is_running():
                raise child.death()
            if time.monotonic() > end:
                raise ServersFailed(
                    f"PostgreSQL {_READY_SECONDS} 秒内未就绪，日志：{child.log}",
                    f"PostgreSQL is not ready after {_READY_SECONDS} s, log: {child.log}",
                )
            time.sleep(0.02)

    def _is_ready(self, child: Child) -> bool:
        try:
            lines = self.data.joinpath("postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(child.identity.pid) and "ready" in lines[7]


def environment() -> dict[str, str]:
    """Return the whole environment of a server: nothing of the caller's locale or PG* gets in."""
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


def total_memory_mb() -> int:
    """Return this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def shared_buffers_mb(memory_mb: int) -> int:
    """Take an eighth of the memory, between 64 and 256 MB."""
    return max(64, min(256, memory_mb // 8))


def database_url(*, user: str, password: str, database: str, sockets: Path) -> str:
    """Return an address that asyncpg and Tortoise understand, over the unix socket."""
    host = quote(str(sockets), safe="")
    return (
        f"postgresql://{user}:{quote(password, safe='')}@/{database}"
        f"?host={host}&port={POSTGRES_PORT}"
    )


async def prepare(admin_url: str, *, owner_password: str, desk_password: str) -> None:
    """Make the tables' owner, the product's login and the database where they are missing.

    Passwords are set again each time. What the login may do in the database, `migrate` says.
    """
    connection = await asyncpg.connect(admin_url, timeout=30)
    try:
        logins = (
            (OWNER, f"login createdb createrole password '{owner_password}'"),
            (DESK, f"login password '{desk_password}'"),
        )
        for role, privileges in logins:
            known = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
            await connection.execute(f"{'alter' if known else 'create'} role {role} {privileges}")
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE} owner {OWNER}")
    finally:
        await connection.close()
