"""The home: one folder that holds data, logs, secrets, and says who runs in it.

lock            held (flock) by the one supervisor of this home
home.json       passwords, the signing secret, and where the data are when not here
running.json    where the running supervisor answers; gone when nothing runs
processes.json  the children, so that a fresh start recognises what a kill -9 left behind
servers/        the data of PostgreSQL
logs/           one file per process, the one before as `.1`
"""

import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embedded.account import (
    Account,
    can_enter,
    make_private_folder,
    owner_of,
    system_folder,
    unprivileged_account,
)
from embedded.errors import AlreadyRunning, ServersFailed
from embedded.processes import Identity

_NAME_OF_FOLDER = "servers"


@dataclass(frozen=True)
class Keys:
    """What a home keeps for itself: database passwords and the secret that signs tokens.

    `password` is the one of the tables' owner, `desk_password` the product's; homes of earlier
    versions have none.
    """

    superuser_password: str
    password: str
    secret: str
    data: str | None = None
    desk_password: str = ""


@dataclass(frozen=True)
class Running:
    """Where the supervisor of a home answers, for `itr token` and `itr import` beside it."""

    pid: int
    address: str | None
    sockets: str | None = None
    database_url: str | None = None
    valkey_url: str | None = None


def _take(lock: int) -> bool:
    """Try for a moment: somebody may only be looking whether the home is held."""
    for _ in range(3):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


class Home:
    """One home folder; `acquire` makes this process its only user until `release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are named
        self._lock: int | None = None

    def acquire(self) -> None:
        """Make the folder if need be and hold it; refuse when another process holds it."""
        try:
            self._make_folder()
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ServersFailed(
                f"无法使用目录 {self.folder}：{error.strerror}",
                f"cannot use the folder {self.folder}: {error.strerror}",
            ) from error
        if not _take(lock):
            os.close(lock)
            raise self._already_running()
        self._lock = lock
        self.folder.joinpath("logs").mkdir(mode=0o700, exist_ok=True)

    def _make_folder(self) -> None:
        if not self.folder.exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)

    def _already_running(self) -> AlreadyRunning:
        running = self.running()
        if running is None:
            return AlreadyRunning(address=None, pid=None)
        return AlreadyRunning(address=running.address, pid=running.pid)

    def release(self) -> None:
        """Let the next process have the home."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_held(self) -> bool:
        """Tell whether some process holds this home right now."""
        if self._lock is not None:
            return True
        try:
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(lock)

    def log(self, name: str) -> Path:
        """Return a fresh log file for a process; the log of the start before becomes `.1`."""
        path = self.folder / "logs" / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        path.touch(mode=0o600)
        return path

    def keys(self) -> Keys | None:
        """Return what this home keeps for itself; None before its first start."""
        stored = self._read("home.json")
        return None if stored is None else Keys(**stored)

    def ensure_keys(self) -> Keys:
        """Return the keys of this home; those it does not have yet are made."""
        keys = self.keys()
        if keys is None:
            keys = Keys(
                superuser_password=secrets.token_urlsafe(24),
                password=secrets.token_urlsafe(24),
                secret=secrets.token_urlsafe(48),
            )
        if not keys.desk_password:
            keys = replace(keys, desk_password=secrets.token_urlsafe(24))
            self._write("home.json", asdict(keys))
        return keys

    def data_folder(self) -> tuple[Path, Account | None]:
        """Return where the data stand and who serves them, chosen once per home and kept."""
        keys = self.ensure_keys()
        if keys.data is not None:
            return self._data_elsewhere(Path(keys.data))
        here = self.folder / _NAME_OF_FOLDER
        if here.exists():
            return here, owner_of(here)
        account = unprivileged_account()
        if account is None or can_enter(self.folder, account):
            make_private_folder(here, account)
            return here, account
        elsewhere = Path(tempfile.mkdtemp(prefix="data-", dir=system_folder(account)))
        os.chown(elsewhere, account.uid, account.gid)
        self._write("home.json", asdict(replace(keys, data=str(elsewhere))))
        return elsewhere, account

    def _data_elsewhere(self, folder: Path) -> tuple[Path, Account | None]:
        if not folder.is_dir():
            raise ServersFailed(
                f"{self.folder} 的数据目录 {folder} 已不存在；如需重新开始，请删除 {self.folder}",
                f"the data of {self.folder} stood in {folder}, which is gone; "
                f"to begin anew, remove {self.folder}",
            )
        return folder, owner_of(folder)

    def running(self) -> Running | None:
        """Return where the supervisor of this home says it answers; None when it never said."""
        stored = self._read("running.json")
        return None if stored is None else Running(**stored)

    def write_running(self, running: Running) -> None:
        """Say where this supervisor answers."""
        self._write("running.json", asdict(running))

    def forget_running(self) -> None:
        """Take back what `write_running` said."""
        self.folder.joinpath("running.json").unlink(missing_ok=True)

    def processes(self) -> list[Identity]:
        """Return the children last written down, in the order they started."""
        stored = self._read("processes.json") or {"processes": []}
        return [
            Identity(entry["pid"], entry["began"], tuple(entry["command"]))
            for entry in stored["processes"]
        ]

    def write_processes(self, processes: Iterable[Identity]) -> None:
        """Write the children down."""
        self._write("processes.json", {"processes": [asdict(process) for process in processes]})

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ServersFailed(
                f"无法读取 {path}：{error}", f"cannot read {path}: {error}"
            ) from error
        return dict(stored)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        draft = self.folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
