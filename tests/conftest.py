"""Fixtures every test may use; servers start only where a test asks for them.

One cluster per test process, copied from one in which the migrations made a template; one clone
per test module. Valkey is emptied for each module.
"""

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from embedded import Addresses
    from itr.settings import Settings


gc.set_threshold(20_000, 10, 20)  # what is collected here is few, and what is imported much

_LONG = ("chaos/", "embedded/test_demo", "test_bench", "conformance/", "workers/", "embedded/")
"""Files that take longest, to be begun first: one process gets a whole file."""
_ALONE = "api/test_loop_lag"
"""What measures how long others wait: begun last, when the others are done or nearly so."""


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, once for all its processes."""
    if not hasattr(config, "workerinput"):
        from tests.support.template import begin_run

        begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run after its last process."""
    if not hasattr(config, "workerinput"):
        from tests.support.template import end_run

        end_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first, so that no process is left alone with one at the end."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(item.config.rootpath / "tests").as_posix()
        if path.startswith(_ALONE):
            return len(_LONG) + 1
        return next((at for at, start in enumerate(_LONG) if path.startswith(start)), len(_LONG))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave the product and the tests themselves out of garbage collection, as the server does."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Asynchronous tests and fixtures run on asyncio, whatever their scope."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def servers() -> "Iterator[Addresses]":
    """PostgreSQL and Valkey of this test process."""
    from tests.support.template import servers_with_template

    with servers_with_template() as addresses:
        yield addresses


@pytest.fixture(scope="module")
def database_url(servers: "Addresses") -> Iterator[str]:
    """A fresh, migrated database for this module."""
    from tests.support.databases import TEMPLATE, cloned_database

    with cloned_database(servers, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
def owner_url(servers: "Addresses", database_url: str) -> str:
    """The same database as the owner of its tables."""
    from tests.support.databases import owner_url

    return owner_url(servers, database_url)


@pytest.fixture(scope="module")
def valkey_url(servers: "Addresses") -> str:
    """Valkey, emptied for this module."""
    import redis

    with redis.Redis.from_url(servers.valkey_url) as client:
        client.flushall()
    return servers.valkey_url


@pytest.fixture(scope="module")
def settings(database_url: str, owner_url: str, valkey_url: str) -> "Settings":
    """Settings that point at this module's database; as its owner only what asks for that works."""
    from itr.settings import Settings
    from tests.support.databases import environment

    given = environment(database_url=database_url, valkey_url=valkey_url)
    owner = {"ITR_OWNER_DATABASE_URL": owner_url}
    return Settings.read(given | owner)
