"""The event log can be added to, and nothing else, by the application's own role (S16)."""

import asyncpg
import pytest

from itr.database import Database
from tests.support import desk_data as desk

CHANGES = (
    "update {table} set actor_name = 'nobody'",
    "update {table} set payload = '{{}}' where id = (select min(id) from event)",
    "delete from {table}",
    "truncate {table}",
    "merge into {table} e using (select 1) s on true when matched then delete",
)


async def parts(database: Database) -> list[str]:
    """The log's tables: of every month, and of all other times."""
    rows = await database.reads.fetch(
        "select inhrelid::regclass::text as name from pg_inherits"
        " where inhparent = 'event'::regclass"
    )
    return [row["name"] for row in rows]


async def count(database: Database) -> int:
    """How many events there are."""
    number: int = await database.reads.fetchval("select count(*) from event")
    return number


@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_in_the_log_is_changed_or_taken_out(database: Database, change: str) -> None:
    """S16: neither the whole nor a month of it, nor a month that is made later."""
    await desk.branch()
    before = await count(database)
    await database.reads.execute("select create_event_partition('2040-01-01')")
    full = await database.reads.fetchval("select min(tableoid::regclass::text) from event")
    months = await parts(database)
    assert {"event_204001", "event_other", full} <= set(months)

    for table in ("event", full):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await database.reads.execute(change.format(table=table))
    if change.startswith("truncate"):
        for month in months:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await database.reads.execute(f"truncate {month}")

    assert await count(database) == before > 0


async def test_it_is_the_applications_own_role_that_is_refused(database: Database) -> None:
    """The one that owns the tables."""
    owner = await database.reads.fetchval(
        "select pg_get_userbyid(relowner) from pg_class where oid = 'event'::regclass"
    )

    assert await database.reads.fetchval("select current_user") == owner
    assert not await database.reads.fetchval(
        "select rolsuper from pg_roles where rolname = current_user"
    )


async def test_a_month_that_is_there_is_made_again_without_harm(database: Database) -> None:
    for _ in range(2):
        await database.reads.execute("select create_event_partition(now()::date)")
