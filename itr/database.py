"""The product's connections to PostgreSQL: Tortoise for writes, a plain pool for compiled reads."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise.context import TortoiseContext, get_current_context
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.api import migrate as run_migrations
from tortoise.migrations.executor import MigrationExecutor

from itr.events.epoch import renew_epoch
from itr.settings import Settings

MODELS = [
    "itr.people.models",
    "itr.sla.models",
    "itr.catalogue.models",
    "itr.knowledge.models",
    "itr.requests.models",
    "itr.notifications.models",
    "itr.events.models",
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
_SESSION = {
    "jit": "off",
    "timezone": "UTC",
    "application_name": "itr",
    "transaction_timeout": "15s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
}


@dataclass(frozen=True)
class Database:
    """An open database: `reads` runs the planner's statements, Tortoise models do the rest."""

    reads: asyncpg.Pool


def credentials(url: str) -> dict[str, Any]:
    """Take a PostgreSQL URL apart, with a socket folder in `?host=` if it has one."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "host": query.get("host") or parts.hostname or "127.0.0.1",
        "port": int(query.get("port") or parts.port or 5432),
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.removeprefix("/")) or "postgres",
    }


def tortoise_config(
    url: str, *, pool: int = 10, session: dict[str, str] | None = None
) -> dict[str, Any]:
    """What Tortoise needs to open `url`."""
    engine = {
        **credentials(url),
        "minsize": 1,
        "maxsize": pool,
        "server_settings": _SESSION if session is None else session,
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
    async with TortoiseContext() as context:
        await context.init(
            config=tortoise_config(settings.database_url, pool=settings.database_pool),
            _enable_global_fallback=first,
        )
        async with open_pool(settings) as reads:
            yield Database(reads=reads)


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """A pool for compiled reads: statements are prepared once and planned for their arguments."""
    async with asyncpg.create_pool(
        **credentials(settings.database_url),
        min_size=1,
        max_size=settings.database_pool,
        server_settings=_SESSION,
        max_cacheable_statement_size=0,
        max_inactive_connection_lifetime=0,
    ) as pool:
        yield pool


async def migrate(settings: Settings, progress: Callable[[str], object] | None = None) -> None:
    """Bring the database to the newest schema; `progress` is told each migration's name.

    A lock makes a second caller wait, then find nothing to do. After a restore it begins a new
    epoch, so that cursors of the old one get a Resync.
    """
    config = tortoise_config(
        settings.database_url, pool=2, session={"lock_timeout": "30s", "timezone": "UTC"}
    )
    guard = await asyncpg.connect(**credentials(settings.database_url))
    try:
        await guard.execute("select pg_advisory_lock(71728001)")
        async with TortoiseContext():
            await run_migrations(
                config=config,
                progress=lambda _step, _app, name: progress(name) if progress else None,
            )
        await renew_epoch(guard)
    finally:
        await guard.close()


async def pending_migrations(settings: Settings) -> int:
    """How many migrations the database is behind the code."""
    config = tortoise_config(settings.database_url, pool=1)
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        executor = MigrationExecutor(context.db(), config["apps"])
        return len(await executor.plan(None))
