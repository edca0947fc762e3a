"""Servers with the migrated template in them: made once a test run, copied by its processes."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded import Addresses, EmbeddedServers
from embedded.home import Home
from tests.support.databases import make_template
from tests.support.other_servers import are_asked_for, other_servers
from tests.support.servers import clear_killed_runs, own_folder, temporary_servers

_RUN = "TEST_RUN_OF_ITR"


def begin_run() -> None:
    """Clear up after killed runs; say where the processes of this one share what they make."""
    clear_killed_runs()
    os.environ[_RUN] = str(own_folder())


def end_run() -> None:
    """Remove what the processes of this run shared."""
    shutil.rmtree(os.environ.pop(_RUN), ignore_errors=True)


@contextmanager
def servers_with_template() -> Iterator[Addresses]:
    """Both servers in a home of their own, whose PostgreSQL has the template."""
    if are_asked_for():
        with other_servers() as others:
            make_template(others)
            yield others
        return
    model = _model_home(Path(os.environ[_RUN]))
    with temporary_servers(like=model) as addresses:
        if model is None:
            make_template(addresses)
        yield addresses


def _model_home(shared: Path) -> Path | None:
    """A stopped home to copy, made by the first process that asks.

    None where a home cannot hold its data itself: then each process makes its own.
    """
    home, made = shared / "home", shared / "made"
    with shared.joinpath("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            servers = EmbeddedServers(home, durable=False)
            try:
                make_template(servers.start())
            finally:
                servers.stop()
            made.touch()
    keys = Home(home).keys()
    return home if keys is not None and keys.data is None else None
