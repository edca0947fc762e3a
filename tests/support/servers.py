"""Real PostgreSQL and Valkey for one test process, in a temporary home."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedded import Addresses, AlreadyRunning, EmbeddedServers

_PREFIX = "itr-tests-"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder for one home that servers of another user can enter too; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_servers() -> Iterator[Addresses]:
    """Both servers, without safety against a power cut; killed earlier runs are cleared first."""
    clear_killed_runs()
    with temporary_home() as home:
        servers = EmbeddedServers(home, durable=False)
        try:
            yield servers.start()
        finally:
            servers.stop()


def clear_killed_runs() -> None:
    """Stop and remove what killed test runs left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        home = folder / "home"
        with suppress(AlreadyRunning, OSError):
            if home.joinpath("home.json").exists():
                EmbeddedServers(home).clear()
                shutil.rmtree(folder, ignore_errors=True)
