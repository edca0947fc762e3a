"""The end of access is the end, on every transport, with Valkey away (S9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from itr.access.operations import clients
from itr.access.operations.persons import deactivate_person, reactivate_person
from itr.access.terms import ClientKind
from itr.addresses import credentials
from itr.settings import Settings
from tests.api.access.test_oauth_guards import authorize, error, post, refresh, status, tokens_of
from tests.api.throwaway import eventually
from tests.support.desk import FOUNDER
from tests.support.sign_in import (
    CALLBACK,
    Browser,
    House,
    email_of,
    open_house,
)

FOLLOWING = "subscription { requestEvents { __typename } }"


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    alone = settings.model_copy(update={"valkey_url": "valkey://127.0.0.1:1/0"})
    async with open_house(alone, "LINE1", "LINE2") as opened:
        yield opened


@pytest.fixture
async def browser(house: House) -> Browser:
    """A browser at which LINE1 is signed in, with a dashboard nobody knew before."""
    await house.register("dashboard", ClientKind.DASHBOARD, redirect_uris=[CALLBACK])
    opened = house.browser()
    await opened.open(authorize(house))
    await opened.sign_in(email_of("LINE1"))
    return opened


@asynccontextmanager
async def somebody_writes(settings: Settings) -> AsyncIterator[None]:
    """A transaction that has written and is not committed: the event log waits for it."""
    writer = await asyncpg.connect(**credentials(settings.database_url))
    try:
        async with writer.transaction():
            await writer.fetchval("select pg_current_xact_id()")
            yield
    finally:
        await writer.close()


async def revoked(house: House, refresh_token: str) -> None:
    client_id = house.clients["dashboard"].client_id
    await post(house, "/oauth/revoke", {"token": refresh_token, "client_id": client_id})


async def client_ended(house: House, _: str) -> None:
    await clients.deactivate_client(FOUNDER, house.clients["dashboard"].id, now=house.time.now)


async def person_left(house: House, _: str) -> None:
    await deactivate_person(FOUNDER, house.ids["LINE1"], now=house.time.now)


@pytest.mark.parametrize("end", [revoked, client_ended, person_left])
async def test_what_ends_access_waits_for_nobody_elses_transaction(
    house: House, browser: Browser, end: Callable[[House, str], Awaitable[None]]
) -> None:
    """S9: two seconds, on all three transports, while somebody else's work is not done."""
    tokens = await tokens_of(house, browser)
    token = tokens["access_token"]
    client = house.server.client.having(token)
    async with (
        house.server.socket(token) as socket,
        client.events(FOLLOWING) as events,
        somebody_writes(house.settings),
    ):
        await end(house, tokens["refresh_token"])

        code, _ = await socket.closed(timeout=2)
        assert code == 4403
        async with asyncio.timeout(2):
            last = [event async for event in events if event.kind == "next"][-1]
        assert last.body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await status(house, token) == 401
    await reactivate_person(FOUNDER, house.ids["LINE1"], now=house.time.now)


async def test_whoever_comes_back_signs_in_anew(house: House, browser: Browser) -> None:
    """S9: a token or a session that ended with a person does not come to life with them."""
    tokens = await tokens_of(house, browser)

    await deactivate_person(FOUNDER, house.ids["LINE1"], now=house.time.now)
    await reactivate_person(FOUNDER, house.ids["LINE1"], now=house.time.now)

    async def taken() -> object:
        return await status(house, tokens["access_token"])

    await eventually(taken, 401, within=2)
    assert error(await refresh(house, tokens["refresh_token"])) == (400, "invalid_grant")
    await browser.open(authorize(house))
    assert "Password" in browser.page
    await browser.sign_in(email_of("LINE1"))
    assert await status(house, (await tokens_of(house, browser))["access_token"]) == 200
