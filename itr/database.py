"""The product's connections to PostgreSQL: Tortoise for writes, plain pools for compiled reads."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from tortoise.context import TortoiseContext, get_current_context
from tortoise.exceptions import DBConnectionError

from itr import spans
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind
from itr.addresses import credentials
from itr.events.epoch import renew_epoch
from itr.migrating import Migrations
from itr.read_pool import ReadPool
from itr.servers import give_missing_functions, session_at
from itr.settings import Settings
from itr.sight import privileges, row_level_security

MODELS = [
    "itr.people.models",
    "itr.sla.models",
    "itr.catalogue.models",
    "itr.problems.models",
    "itr.requests.models",
    "itr.notifications.models",
    "itr.events.models",
    "itr.trusted_documents.models",
    "itr.access.models",
]
APP = "itr"
AWAY = (
    OSError,
    DBConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
"""What says that the database is away, not that something in it is wrong."""
Outside = Mapping[OrganisationKind, asyncpg.Pool]
"""Pools under row-level security, one for each kind of other firms."""


class Reads(Protocol):
    """Where compiled statements run: a pool, or the part of one that a firm may see."""

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its only value."""
        ...

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its first row."""
        ...

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its rows."""
        ...

    def acquire(self) -> Any:
        """One connection for a while, as an asynchronous context."""
        ...


async def fetch_planned(reads: Reads, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """Run a statement planned for these very values, however often it ran before.

    A statement that is kept gets one plan for whatever values, from its sixth run on; where the
    data decide, that plan takes a hundred times as long. This one is not kept.
    """
    async with reads.acquire() as connection:
        statement = await connection.prepare(query)
        found: list[asyncpg.Record] = await statement.fetch(*arguments)
    return found


@dataclass(frozen=True)
class FirmReads:
    """Reads of one firm of others, under row-level security."""

    pool: asyncpg.Pool
    organisation_id: UUID

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its only value."""
        async with self.acquire() as connection:
            return await connection.fetchval(query, *arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its first row."""
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *arguments)

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """Run a statement and return its rows."""
        async with self.acquire() as connection:
            return await connection.fetch(query, *arguments)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees what the firm may see."""
        async with self.pool.acquire() as connection:
            await connection.fetchval(_BEGIN, str(self.organisation_id))
            yield connection


_NO_FIRM = UUID(int=0)
_BEGIN = f"select set_config('{row_level_security.ORGANISATION}', $1, false)"
_END = f"select set_config('{row_level_security.ORGANISATION}', '', false)"


@dataclass(frozen=True)
class Database:
    """An open database: the pools run the planner's statements, Tortoise models do the rest.

    Those `outside` know no row until a firm is named, and then only that firm's.
    """

    reads: ReadPool
    outside: Outside
    memory: dict[str, Any] = field(default_factory=dict)
    """What is known of it by heart."""

    def reads_of(self, actor: Actor) -> Reads:
        """Where the actor's statements run: people of other firms under row-level security."""
        kind, firm = actor.organisation_kind, actor.organisation_id
        if kind is not None and kind in self.outside:
            return FirmReads(self.outside[kind], firm or _NO_FIRM)
        reads: Reads = self.reads
        return reads


async def _as_it_is(_: asyncpg.Connection) -> None:
    """Give a connection back without a statement: nothing of ours stays on its session.

    No read or transaction changes a setting or takes a lock that outlives it, and asyncpg itself
    rolls back what is still open.
    """


def tortoise_config(
    url: str, *, pool: int = 10, session: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What Tortoise needs to open `url`, with these settings of its sessions."""
    engine = {
        **credentials(url),
        "minsize": 1,
        "maxsize": pool,
        "reset": _as_it_is,
        "server_settings": dict(session or {}),
        **spans.watching(),
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": engine}},
        "apps": {
            APP: {"models": MODELS, "default_connection": "default", "migrations": "migrations"}
        },
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for this process and close it at the end."""
    first = get_current_context() is None
    url, session = settings.database_url, await session_at(settings.database_url)
    async with TortoiseContext() as context:
        await context.init(
            config=tortoise_config(url, pool=settings.database_pool, session=session),
            _enable_global_fallback=first,
        )
        async with open_pool(settings) as reads, open_outside(settings) as outside:
            lent = ReadPool(reads)
            try:
                yield Database(reads=lent, outside=outside)
            finally:
                await lent.close()


@asynccontextmanager
async def open_pool(settings: Settings, **options: Any) -> AsyncIterator[asyncpg.Pool]:
    """A pool for compiled reads: statements are prepared once and planned for their arguments."""
    session = await session_at(settings.database_url)
    async with asyncpg.create_pool(
        **credentials(settings.database_url),
        **{
            "min_size": 1,
            "max_size": settings.database_pool,
            "server_settings": session,
            "max_cacheable_statement_size": 0,
            "max_inactive_connection_lifetime": 0,
            "reset": _as_it_is,
            **spans.watching(),
            **options,
        },
    ) as pool:
        yield pool


@asynccontextmanager
async def open_outside(
    settings: Settings,
) -> AsyncIterator[Mapping[OrganisationKind, asyncpg.Pool]]:
    """Pools whose connections are a role of row-level security from their first moment, of no firm.

    They open when somebody of another firm comes. Plans are made once: they are large, and what
    differs from firm to firm is a value.
    """

    async def forget(connection: asyncpg.Connection) -> None:
        await connection.fetchval(_END)

    common = await session_at(settings.database_url)
    async with AsyncExitStack() as pools:
        opened = {}
        for kind, role in row_level_security.ROLES.items():
            session = {"role": role, "plan_cache_mode": "force_generic_plan"}
            pool = open_pool(
                settings,
                min_size=0,
                max_size=max(2, settings.database_pool // 2),
                server_settings=common | session,
                reset=forget,
            )
            opened[kind] = await pools.enter_async_context(pool)
        yield opened


async def migrate(settings: Settings, progress: Callable[[str], object] | None = None) -> None:
    """Bring the database to the newest schema, as its owner; `progress` is told each migration.

    A lock makes a second caller wait, then find nothing to do. After a restore it begins a new
    epoch, so that cursors of the old one get a Resync. Raises WrongSettings when the owner may
    not give the product its privileges (S16) or apply row-level security.
    """
    url = settings.owner_database_url or settings.database_url
    config = tortoise_config(url, pool=2, session={"lock_timeout": "30s", "timezone": "UTC"})
    guard = await asyncpg.connect(**credentials(url))
    try:
        await guard.execute("select pg_advisory_lock(71728001)")
        await privileges.ensure_owner(guard)
        await give_missing_functions(guard)
        async with TortoiseContext() as context:
            await context.init(config=config, init_connections=False)
            await Migrations(context.db(), config["apps"]).migrate(
                progress=lambda _step, _app, name: progress(name) if progress else None
            )
        await renew_epoch(guard)
        await guard.execute("set lock_timeout = '30s'")
        await _let_the_product_in(guard, credentials(settings.database_url))
    finally:
        await guard.close()


async def _let_the_product_in(owner: asyncpg.Connection, product: Mapping[str, Any]) -> None:
    """Give the product's login, unless it is the owner, its privileges; apply the row policies."""
    login = product["user"]
    if login != await owner.fetchval("select current_user"):
        await privileges.ensure_login(owner, login, product["password"])
        await privileges.grant_privileges(owner, login)
    await row_level_security.apply_row_level_security(owner, login)


async def check_privileges(settings: Settings) -> None:
    """Raise WrongSettings when the product's login lacks privileges; warn when it has too many."""
    connection = await asyncpg.connect(**credentials(settings.database_url))
    try:
        await privileges.ensure_privileges(connection)
        await privileges.warn_of_privileges(connection)
    finally:
        await connection.close()


async def pending_migrations(settings: Settings) -> int:
    """How many migrations the database is behind the code."""
    config = tortoise_config(settings.database_url, pool=1)
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        return len(await Migrations(context.db(), config["apps"]).plan())
