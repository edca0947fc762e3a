"""A furnished desk on a real socket, and Node's programs to speak to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from api.app import create_app
from api.oauth.tokens import issue_token
from itr.database import connected
from itr.settings import Settings
from tests.conformance.node import HERE, Node, installed
from tests.support.client import Served, served
from tests.support.desk import Desk, Time, furnish


@dataclass(frozen=True)
class Door:
    """Where the desk is served, and tokens to get in."""

    desk: Desk
    server: Served

    def environment(self, who: str = "LINE1") -> dict[str, str]:
        """What a script has to know."""
        return {
            "ITR_URL": self.server.address,
            "ITR_TOKEN": self.token(who),
            "ITR_CUSTOMER_TOKEN": self.token("CUSTOMER"),
        }

    def token(self, who: str) -> str:
        """A token of a person of the desk."""
        return issue_token(self.desk.settings, self.desk.ids[who])


@asynccontextmanager
async def _open_door(settings: Settings) -> AsyncIterator[Door]:
    now = datetime.now(UTC)
    async with connected(settings):
        ids = await furnish(now)
        async with served(create_app(settings), settings) as server:
            yield Door(Desk(settings, server.client, Time(now), ids), server)


@pytest.fixture(scope="session")
def node() -> Node:
    """Node, with the packages of this folder."""
    return installed(HERE)


@pytest.fixture(scope="module")
async def door(settings: Settings) -> AsyncIterator[Door]:
    """The product, furnished and served."""
    async with _open_door(settings) as opened:
        yield opened
