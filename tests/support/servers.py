"""Real PostgreSQL and Valkey for one test process, in a temporary home."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedded import Addresses, AlreadyRunning, EmbeddedServers
from embedded.processes import identity_of

_PREFIX = "itr-test-"


def own_folder() -> Path:
    """A new folder that says whose it is; servers of another user can enter it too."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    folder.chmod(0o711)
    return folder


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A place for one home; gone afterwards."""
    folder = own_folder()
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_servers(*, like: Path | None = None) -> Iterator[Addresses]:
    """Both servers, without safety against a power cut, in a new home or a copy of one."""
    with temporary_home() as home:
        if like is not None:
            subprocess.run(["/bin/cp", "-a", str(like), str(home)], check=True)
        servers = EmbeddedServers(home, durable=False)
        try:
            yield servers.start()
        finally:
            servers.stop()


def clear_killed_runs() -> None:
    """Stop and remove what killed test runs left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not owner.isdigit() or identity_of(int(owner)) is not None:
            continue
        with suppress(AlreadyRunning, OSError):
            if folder.joinpath("home", "home.json").exists():
                EmbeddedServers(folder / "home").clear()
            shutil.rmtree(folder, ignore_errors=True)
