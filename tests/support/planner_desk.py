"""Asking the small service desk of the planner's tests, with statements counted."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson
import pytest

from tests.support.planner_rows import ACTORS, NAMES, NOW, TABLES, Someone, make_rows
from tests.support.planner_schema import SCHEMA


class CountingPool:
    """Counts and keeps the statements that go to a pool."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.statements: list[str] = []

    async def fetchval(self, query: str, *args: object) -> Any:
        """Run a statement and remember it."""
        self.statements.append(query)
        return await self.pool.fetchval(query, *args)


@dataclass
class Surroundings:
    """The context of the tests' operations."""

    actor: Someone
    pool: Any
    now: datetime = NOW
    language: str = "en"
    secret: bytes = b"a server's secret"
    cursor: str | None = None
    memory: dict[str, Any] = field(default_factory=dict)

    def secret_for(self, purpose: str) -> bytes:
        """Derive a key."""
        return hashlib.sha256(self.secret + purpose.encode()).digest()


@dataclass
class Answer:
    """A result as a client sees it."""

    data: Any
    errors: list[dict[str, Any]]
    withheld: list[dict[str, Any]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    @property
    def kept_back(self) -> list[tuple[str, str]]:
        """Each withheld field's dotted path and the permission it needs."""
        return sorted((".".join(each["path"]), each["permission"]) for each in self.withheld)

    @property
    def codes(self) -> list[tuple[str, str | None]]:
        """Each error's dotted path, what was refused below it, and its code."""
        return sorted(
            (
                ".".join(map(str, [*(each.get("path") or ()), *each["extensions"].get("at", ())])),
                each["extensions"].get("code"),
            )
            for each in self.errors
        )


class Desk:
    """Asks the test schema questions."""

    def __init__(self, pool: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.pool = pool
        self.rows = rows

    def surroundings(self, who: str | Someone, **changes: Any) -> Surroundings:
        """Return a context for an actor."""
        actor = ACTORS[who] if isinstance(who, str) else who
        return Surroundings(actor, CountingPool(self.pool), **changes)

    async def ask(
        self, query: str, who: str | Someone = "director", /, variables: Any = None, **changes: Any
    ) -> Answer:
        """Run an operation and return the answer as JSON would give it, statements counted."""
        context = self.surroundings(who, **changes)
        result: Any = await SCHEMA.execute(query, variables, context_value=context)
        return answer_of(result, context)


def answer_of(result: Any, context: Surroundings) -> Answer:
    """Return what a client would see of a result."""
    errors = [
        {"message": str(each.message), "path": each.path, "extensions": _extensions(each)}
        for each in result.errors or []
    ]
    data = orjson.loads(orjson.dumps(result.data))
    withheld = (result.extensions or {}).get("withheld", [])
    return Answer(data, errors, withheld, context.pool.statements)


def _extensions(error: Any) -> dict[str, Any]:
    """Return an error's extensions, with the code the transport would give a domain error."""
    code = getattr(error.original_error, "code", None)
    return error.extensions or ({"code": code} if code else {})


async def load(rows: dict[str, list[dict[str, Any]]], pool: Any) -> None:
    """Make the tables and put the rows in."""
    async with pool.acquire() as link:
        await link.execute(TABLES)
        for table in NAMES:
            for row in rows[table]:
                names = ", ".join(row)
                marks = ", ".join(f"${n + 1}" for n in range(len(row)))
                await link.execute(f"insert into {table} ({names}) values ({marks})", *row.values())
        await link.execute("analyze")


@asynccontextmanager
async def opened(owner_url: str) -> AsyncIterator[Any]:
    """Open a pool in a schema of the tests' own, which is why it takes the owner's address."""
    from itr.addresses import credentials

    link = await asyncpg.connect(**credentials(owner_url))
    await link.execute("create schema if not exists desk")
    await link.close()
    settings = {"jit": "off", "timezone": "UTC", "search_path": "desk, public"}
    async with asyncpg.create_pool(
        **credentials(owner_url),
        min_size=1,
        max_size=3,
        server_settings=settings,
        max_cacheable_statement_size=0,
    ) as pool:
        yield pool


@pytest.fixture(scope="module")
async def small_desk(owner_url: str) -> AsyncIterator[Desk]:
    """The test schema over fresh tables."""
    rows = make_rows()
    async with opened(owner_url) as pool:
        await load(rows, pool)
        yield Desk(pool, rows)
