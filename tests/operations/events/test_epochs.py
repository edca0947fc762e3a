"""A restored database begins a new epoch (Decision 3)."""

import asyncpg
import pytest

from itr.addresses import credentials
from itr.database import migrate
from itr.settings import Settings


@pytest.fixture
async def connection(settings: Settings) -> asyncpg.Connection:
    return await asyncpg.connect(**credentials(settings.owner_database_url))


async def epoch_of(connection: asyncpg.Connection) -> object:
    return await connection.fetchval("select value from epoch where id = 1")


async def test_migrating_again_keeps_the_epoch(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    """Decision 3."""
    await migrate(settings)
    before = await epoch_of(connection)

    await migrate(settings)

    assert await epoch_of(connection) == before
    await connection.close()


async def test_a_database_that_was_restored_begins_a_new_epoch_and_loses_no_event(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    """Decision 3: events of the former life come before all that will happen."""
    await migrate(settings)
    before = await epoch_of(connection)
    await connection.execute(
        "insert into event (tx, type, subject_type, subject, subject_version, stream, audience,"
        " actor_id, actor_name, occurred_at) select '999999999'::xid8, 'RequestNoted', 'request',"
        " gen_random_uuid(), 1, gen_random_uuid(), 'PUBLIC', gen_random_uuid(), 'somebody', now()"
    )
    await connection.execute("update epoch set life = 'another cluster'")

    await migrate(settings)

    assert await epoch_of(connection) != before
    ahead = "select count(*) from event where tx >= pg_snapshot_xmin(pg_current_snapshot())"
    assert await connection.fetchval(ahead) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("delete from event")
    await connection.close()
