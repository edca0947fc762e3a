"""A database of an earlier version comes to the same shape as a new one."""

from collections.abc import Iterator

import asyncpg
import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationTarget

from embedded import Addresses
from itr.addresses import credentials
from itr.database import APP, migrate, tortoise_config
from itr.migrating import Migrations
from itr.servers import give_missing_functions
from itr.settings import Settings
from tests.support.databases import cloned_database, owner_url

EARLIER = "0011_access"
SHAPE = """
    select 'column' as kind, table_name || '.' || column_name as name,
           concat_ws(' ', data_type, is_nullable, column_default) as what
    from information_schema.columns where table_schema = 'public'
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
    union all
    select 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
    from pg_trigger where not tgisinternal
"""


async def shape_of(url: str) -> set[tuple[str, str, str]]:
    connection = await asyncpg.connect(**credentials(url))
    try:
        return {tuple(row) for row in await connection.fetch(SHAPE)}
    finally:
        await connection.close()


@pytest.fixture
def nothing(servers: Addresses) -> Iterator[str]:
    """An empty database, as the owner of its tables will see it."""
    with cloned_database(servers, "template1") as url:
        yield owner_url(servers, url)


async def bring_to(name: str, url: str) -> None:
    owner = await asyncpg.connect(**credentials(url))
    await give_missing_functions(owner)
    await owner.close()
    config = tortoise_config(url, pool=1, session={})
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        migrations = Migrations(context.db(), config["apps"])
        await migrations.migrate([MigrationTarget(app_label=APP, name=name)])


async def test_an_earlier_database_becomes_what_a_new_one_is(
    settings: Settings, nothing: str
) -> None:
    await bring_to(EARLIER, nothing)
    earlier = await shape_of(nothing)

    await migrate(settings.model_copy(update={"owner_database_url": nothing}))

    new = await shape_of(settings.owner_database_url)
    assert len(earlier) < len(new)
    assert await shape_of(nothing) == new
