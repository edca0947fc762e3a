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


async def test_names_come_out_of_a_log_that_has_them_and_nothing_else_does(
    settings: Settings, nothing: str
) -> None:
    """R-ROLE-09: begun again after it was killed; the names of firms and of the server stay."""
    await bring_to("0033_places_of_threads", nothing)
    owner = await asyncpg.connect(**credentials(nothing))
    await owner.execute(NAMED_LOG)
    before = await owner.fetch(ALL_BUT_NAMES)
    await bring_to("0034_what_people_were_called", nothing)
    async with owner.transaction():  # killed after a part of it
        await owner.execute("update event set actor_name = null where actor_name = 'Ann Lee'")

    await migrate(settings.model_copy(update={"owner_database_url": nothing}))

    names = [row[0] for row in await owner.fetch("select actor_name from event order by id")]
    told = await owner.fetchval("select payload::text from event where type = 'PersonChanged'")
    former = await owner.fetch("select field, value, version from former_detail order by field")
    entry = await owner.fetchval("select facts::text from notification")
    await owner.execute("call take_names_out_of_the_log(1)")
    again = await owner.fetchval("select count(*) from former_detail")
    assert names == [None, "Acme", "Firm", "ITR Desk", None]
    assert "Ann" not in told
    assert '"language": {"to": "en", "from": "zh"}' in told
    assert [tuple(row) for row in former] == [("email", "ann@old.example", 2), ("name", "Ann", 2)]
    assert "Ann" not in entry
    assert entry.count("00000000-0000-4000-8000-00000000000a") == 2
    assert await owner.fetch(ALL_BUT_NAMES) == before
    assert again == 2
    await owner.close()


ALL_BUT_NAMES = """
select tx, id, uid, type, subject, subject_version, actor_id, origin, occurred_at, recorded_at,
    payload - 'fields' from event order by id
"""
NAMED_LOG = """
insert into organisation (id, kind, name, make_up_days, created_at)
select ('00000000-0000-4000-8000-00000000000' || n)::uuid, kind, name, true, now()
from (values ('1', 'BRANCH', 'Shanghai'), ('2', 'CUSTOMER', 'Acme'), ('3', 'PARTNER', 'Firm'))
    as x (n, kind, name);
insert into person (id, organisation_id, name, language, machine, active, created_at)
select ('00000000-0000-4000-8000-00000000000' || n)::uuid,
    ('00000000-0000-4000-8000-00000000000' || firm)::uuid, name, 'zh', false, true, now()
from (values ('a', '1', 'Ann Lee'), ('b', '2', 'Bob'), ('c', '3', 'Cid')) as x (n, firm, name);
insert into event (type, subject_type, subject, subject_version, stream, audience, actor_id,
    actor_name, occurred_at, payload)
select type, 'person', subject, version, subject, 'INTERNAL', actor::uuid, name, now(), told::jsonb
from (values
    ('RequestNoted', 1, '00000000-0000-4000-8000-00000000000a', 'Ann Lee', '{"text": "Ann"}'),
    ('RequestNoted', 1, '00000000-0000-4000-8000-00000000000b', 'Bob', '{}'),
    ('RequestNoted', 1, '00000000-0000-4000-8000-00000000000c', 'Firm', '{}'),
    ('RequestNoted', 1, '00000000-0000-4000-8000-000000000001', 'ITR Desk', '{}'),
    ('PersonChanged', 2, '00000000-0000-4000-8000-00000000000a', 'Ann Lee',
        '{"change": "CHANGED", "fields": {"name": {"from": "Ann", "to": "Ann Lee"},
            "email": {"from": "ann@old.example", "to": null}, "phone": {"from": null, "to": "1"},
            "language": {"from": "zh", "to": "en"}}}')
) as x (type, version, actor, name, told),
    (select '00000000-0000-4000-8000-00000000000a'::uuid as subject);
insert into access_approval (id, kind, state, person_id, asked_by_id, asked_at, expires_at)
select '00000000-0000-4000-8000-00000000000d', 'ROLE', 'PENDING', id, id, now(), now()
from person where name = 'Ann Lee';
insert into notification (id, person_id, kind, cause, facts, created_at)
select gen_random_uuid(), id, 'ACCESS', 'ApprovalAsked:0000000000004000800000000000000d',
    '{"state": "PENDING", "by": "Ann Lee", "whom": "Ann Lee", "what": "ROLE"}', now()
from person where name = 'Ann Lee';
"""
