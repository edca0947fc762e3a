"""A database that is open while a module's tests run."""

from collections.abc import AsyncIterator

import pytest

from itr.database import Database, connected
from itr.settings import Settings


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The module's database, connected."""
    async with connected(settings) as opened:
        yield opened
