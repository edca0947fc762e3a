"""The event log can be added to, and nothing else, whoever tries (S16)."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from itr.addresses import credentials
from itr.database import Database
from itr.settings import Settings
from tests.support import desk_data as desk

CHANGES = (
    "update {table} set actor_name = 'nobody'",
    "update {table} set payload = '{{}}' where id = (select min(id) from event)",
    "delete from {table}",
    "truncate {table}",
    "merge into {table} e using (select 1) s on true when matched then delete",
)
STRUCTURES = (
    "alter table {table} disable trigger user",
    "alter table {table} disable row level security",
    "alter table {table} add column note text",
    "alter table {table} owner to current_user",
    "drop table {table}",
    "create index on {table} (actor_id)",
    "create rule nothing as on insert to {table} do instead nothing",
    "create trigger mine before insert on {table} for each row"
    " execute function refuse_change_of_event()",
    "drop trigger event_is_not_truncated on {table}",
    "lock table {table} in exclusive mode",
    "select * from {table} for update",
    "copy (select 1) to program 'true'",
)
AROUND = (
    "alter table event detach partition event_other",
    "grant all on event_other to current_user",
    "create function mine() returns int language sql as 'select 1'",
    "create or replace function refuse_change_of_event() returns trigger language plpgsql"
    " as 'begin return old; end'",
    "alter function create_event_partition(date) security invoker",
    "drop function refuse_change_of_event()",
    "create table mine (id int)",
    "create schema mine",
    "create role mine",
    "create event trigger mine on ddl_command_end execute function refuse_change_of_event()",
    "set session_replication_role = replica",
    "set role itr",
    "set role postgres",
    "set session authorization itr",
    "grant itr to current_user",
    "alter role current_user superuser",
    "alter role current_user createrole",
    "alter role itr password 'mine'",
    "update epoch set value = gen_random_uuid()",
    "delete from tortoise_migrations",
    "delete from request",
)


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner."""
    connection = await asyncpg.connect(**credentials(settings.owner_database_url))
    yield connection
    await connection.close()


@pytest.fixture
async def disarmed(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """A time when the owner has taken all triggers of the log away."""
    tables = [row["name"] for row in await owner.fetch(_PARTS)]
    for table in tables:
        await owner.execute(f"alter table {table} disable trigger user")
    yield
    for table in tables:
        await owner.execute(f"alter table {table} enable trigger user")


_PARTS = "select relid::regclass::text as name from pg_partition_tree('event')"


async def parts(database: Database) -> list[str]:
    """The log's tables: the whole, those of every month, and that of all other times."""
    return [row["name"] for row in await database.reads.fetch(_PARTS)]


async def count(database: Database) -> int:
    """How many events there are."""
    number: int = await database.reads.fetchval("select count(*) from event")
    return number


async def full(database: Database) -> str:
    """The month that holds the events."""
    name: str = await database.reads.fetchval("select min(tableoid::regclass::text) from event")
    return name


@pytest.mark.parametrize("change", CHANGES)
async def test_the_product_can_change_nothing_in_the_log_and_take_nothing_out(
    database: Database, change: str
) -> None:
    """S16: neither the whole nor a month of it, nor a month that is made later."""
    await desk.branch()
    before = await count(database)
    await database.reads.execute("select create_event_partition('2040-01-01')")
    months = await parts(database)
    assert {"event", "event_204001", "event_other", await full(database)} <= set(months)

    for table in months:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await database.reads.execute(change.format(table=table))

    assert await count(database) == before > 0


@pytest.mark.parametrize("change", CHANGES)
async def test_not_even_while_the_triggers_are_taken_away(
    database: Database, disarmed: None, change: str
) -> None:
    """S16: it is the role that may not, whatever guards the tables."""
    await desk.branch()
    before = await count(database)

    for table in await parts(database):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await database.reads.execute(change.format(table=table))

    assert await count(database) == before > 0


@pytest.mark.parametrize("change", CHANGES)
async def test_the_owner_is_stopped_by_triggers(
    database: Database, owner: asyncpg.Connection, change: str
) -> None:
    """S16: also where the product works as the owner, as it did before there were two."""
    await desk.branch()
    await owner.execute("select create_event_partition('2041-01-01')")
    month = await full(database)
    tables = await parts(database)
    assert "event_204101" in tables

    for table in tables if change.startswith("truncate") else ("event", month):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(change.format(table=table))


@pytest.mark.parametrize("statement", [*STRUCTURES, *AROUND])
async def test_the_product_cannot_take_the_protection_away(
    database: Database, statement: str
) -> None:
    """S16: no structure, no trigger, no other role, no setting."""
    tables = await parts(database) if "{table}" in statement else [""]

    for table in tables:
        async with database.reads.acquire() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(statement.format(table=table))


async def test_what_is_recorded_in_a_new_month_is_as_safe(database: Database) -> None:
    """S16: a month the product had made belongs to the owner, who alone reaches it by name."""
    await database.reads.execute("select create_event_partition('2042-01-01')")
    event = await database.reads.fetchval(
        "insert into event (type, subject_type, subject, subject_version, stream, audience,"
        " actor_id, actor_name, occurred_at, recorded_at) select 'Odd', 'request', id, 1, id,"
        " 'INTERNAL', id, 'somebody', now(), '2042-01-15' from gen_random_uuid() as id"
        " returning tableoid::regclass::text"
    )

    assert event == "event_204201"
    assert await database.reads.fetchval("select count(*) from event where type = 'Odd'") == 1
    for table in ("event", "event_204201"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.reads.execute(f"delete from {table} where type = 'Odd'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.reads.execute("select 1 from event_204201")


async def test_a_month_that_is_there_is_made_again_without_harm(database: Database) -> None:
    for _ in range(2):
        await database.reads.execute("select create_event_partition(now()::date)")
