"""What it costs to know who is calling: a token that is known, and one seen for the first time.

Promise: under 50 µs for a known token, and no query of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID

from api.oauth import Identities, issue_token, verify_token
from bench.figures import Table
from bench.servers import Stand, stand
from itr.access.operations.persons import create_person
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.organisations import create_organisation
from itr.database import connected
from itr.demo.seeding import SETUP
from itr.events.feed import Feed
from itr.people.operations import load_actor

PROMISED_US = 50.0
WARM, COLD = 200_000, 2_000


def tables(*, quick: bool) -> list[Table]:
    """Measure on servers of its own."""
    with stand(durable=False) as servers:
        return asyncio.run(
            _measured(servers, warm=2_000 if quick else WARM, cold=COLD // 10 if quick else COLD)
        )


async def _measured(servers: Stand, *, warm: int, cold: int) -> list[Table]:
    settings = servers.settings
    loads = 0

    async def counted(person_id: UUID) -> Actor | None:
        nonlocal loads
        loads += 1
        return await load_actor(person_id)

    async with (
        connected(settings),
        Feed(database_url=settings.database_url, valkey_url=None).running() as feed,
    ):
        person = await _person()
        identities = Identities(settings, feed, counted, lambda: datetime.now(UTC))
        token = issue_token(settings, person)
        await identities.identify(token)
        known = await _each_us(warm, lambda: identities.identify(token))
        loaded_while_warm = loads - 1
        others = [issue_token(settings, person) for _ in range(cold)]
        begun = perf_counter()
        for each in others:
            verify_token(settings, each, now=datetime.now(UTC), ring=identities.ring)
        signature = (perf_counter() - begun) / cold * 1e6
        begun = perf_counter()
        for each in others:
            await identities.identify(each)
        first = (perf_counter() - begun) / cold * 1e6
    rows = [
        ("已知令牌 known token", f"{warm:,}", f"{known:.1f}", str(loaded_while_warm)),
        ("验证签名 signature alone", f"{cold:,}", f"{signature:.0f}", "–"),
        ("首次见到 first seen, looked up once", f"{cold:,}", f"{first:.0f}", "1"),
    ]
    kept = "守住 kept" if known < PROMISED_US and loaded_while_warm == 0 else "未守住 NOT KEPT"
    note = f"承诺 promise: 已知令牌 < {PROMISED_US:.0f} µs 且不查数据库 and no query: {kept}."
    columns = ("令牌 token", "次数 number", "µs 每次 each", "查询 queries each")
    return [Table("令牌校验 Token check", columns, rows, (note,))]


async def _each_us(number: int, work: Callable[[], Awaitable[object]]) -> float:
    begun = perf_counter()
    for _ in range(number):
        await work()
    return (perf_counter() - begun) / number * 1e6


async def _person() -> UUID:
    now = datetime.now(UTC)
    branch = await create_organisation(SETUP, kind=OrganisationKind.BRANCH, name="分公司", now=now)
    return await create_person(SETUP, branch, "张伟", [Role.LINE1], now=now)
