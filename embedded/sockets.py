"""The folder of the unix sockets: private, and short enough for the 107 bytes a socket may have."""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from embedded.account import Account, can_enter
from embedded.errors import ServersFailed

POSTGRES_PORT = 5432
_LONGEST = len(f"/.s.PGSQL.{POSTGRES_PORT}.lock")
_LIMIT = 100  # macOS has 103, Linux 107
_PREFIX = "itr-"
_PLAIN = re.compile(r"[\w/.+-]+", re.ASCII)


def make_socket_folder(account: Account | None) -> Path:
    """Make a new 0700 folder for the sockets, owned by whoever runs the servers."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/run"):
        if _is_fit(parent) and can_enter(Path(parent), account):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            if account is not None:
                os.chown(folder, account.uid, account.gid)
            return folder
    raise ServersFailed(
        "没有可用的临时目录存放套接字", "no temporary folder is fit to hold the sockets"
    )


def _is_fit(parent: str) -> bool:
    length = len(parent) + len(f"/{_PREFIX}12345678") + _LONGEST
    writable = os.access(parent, os.W_OK | os.X_OK)
    return length <= _LIMIT and writable and _PLAIN.fullmatch(parent) is not None


def remove_socket_folder(folder: Path) -> None:
    """Remove a folder of sockets; one that is not a private folder of ours is left alone."""
    try:
        status = folder.lstat()
    except OSError:
        return
    ours = folder.name.startswith(_PREFIX) and stat.S_ISDIR(status.st_mode)
    if ours and stat.S_IMODE(status.st_mode) == 0o700:
        shutil.rmtree(folder, ignore_errors=True)
