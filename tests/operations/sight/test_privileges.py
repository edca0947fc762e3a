"""The product's login owns nothing and may do what is listed, no more (S16, Decision 12)."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from embedded import Addresses
from itr.addresses import credentials
from itr.database import Database, check_privileges, connected, migrate
from itr.settings import Settings, WrongSettings
from itr.sight.privileges import CALLS, TABLE_PRIVILEGES, ensure_login, ensure_owner
from itr.sight.row_level_security import ROLES
from tests.support import desk_data as desk
from tests.support.other_servers import are_asked_for
from tests.support.pages import HOUSE, example

PRIVILEGES = (
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    *(() if are_asked_for() else ("MAINTAIN",)),  # came with PostgreSQL 17
)
_OURS = "not in ('pg_catalog', 'information_schema', 'pg_toast')"


@asynccontextmanager
async def administering(
    servers: Addresses, settings: Settings
) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser to this module's database."""
    database = credentials(settings.database_url)["database"]
    connection = await asyncpg.connect(**credentials(servers.admin_url) | {"database": database})
    try:
        yield connection
    finally:
        await connection.close()


def another(settings: Settings, login: str, password: str | None = "word", **more: str) -> Settings:
    """The same settings with another login of the product's."""
    parts = urlsplit(settings.database_url)
    secret = f":{password}" if password else ""
    url = parts._replace(netloc=f"{login}{secret}@").geturl()
    return settings.model_copy(update={"database_url": url, **more})


async def test_the_product_has_on_each_table_what_is_listed_and_nothing_else(
    database: Database,
) -> None:
    """S16: asked of every relation there is, so that a new one is covered the day it is added."""
    rows = await database.reads.fetch(
        "select c.relname::text as name, c.relispartition as is_part,"
        " c.relowner = current_user::regrole as owned,"
        " array(select p from unnest($1::text[]) p where c.relkind <> 'S'"
        "       and has_table_privilege(c.oid, p)) as held,"
        " array(select p from unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p"
        "       where c.relkind <> 'S' and has_any_column_privilege(c.oid, p)) as parts,"
        " array(select p from unnest('{USAGE,SELECT,UPDATE}'::text[]) p"
        "       where case c.relkind when 'S' then has_sequence_privilege(c.oid, p) end) as counted"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        f" where n.nspname {_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')",
        list(PRIVILEGES),
    )
    held = {row["name"]: set(row["held"]) for row in rows}

    assert not [row["name"] for row in rows if row["owned"]]
    assert {row["name"]: row["counted"] for row in rows if row["counted"]} == {
        "document_use_id_seq": ["USAGE"],
        "field_use_id_seq": ["USAGE"],
        "signing_key_generation_seq": ["USAGE"],
    }
    assert held["event"] == {"SELECT", "INSERT"}
    assert held["epoch"] == held["tortoise_migrations"] == {"SELECT"}
    assert held["request"] == held["person"] == {"SELECT", "INSERT", "UPDATE"}
    assert not [row["name"] for row in rows if row["is_part"] and (row["held"] or row["parts"])]
    assert {name for name in held if "DELETE" in held[name]} == {
        name for name, privileges in TABLE_PRIVILEGES.items() if "DELETE" in privileges
    }
    assert set().union(*held.values()) == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert not [row["name"] for row in rows if not set(row["parts"]) <= set(row["held"])]


def test_whatever_the_product_deletes_from_is_listed() -> None:
    """A statement that no test runs would be refused where it matters."""
    modules = [path for name in ("itr", "workers") for path in (HOUSE / name).rglob("*.py")]
    named = {
        table
        for path in modules
        for table in re.findall(r"\bdelete from (\w+)", path.read_text("utf-8"))
    }

    assert {"timer", "mutation_key"} <= named
    assert named <= {
        name for name, privileges in TABLE_PRIVILEGES.items() if "DELETE" in privileges
    }


async def test_the_product_owns_nothing_and_can_become_nobody_but_a_firm(
    database: Database,
) -> None:
    """S16: not a function, type, schema or database; no role but those of row-level security."""
    owned = await database.reads.fetch(
        "select classid::regclass::text, objid from pg_shdepend"
        " where refobjid = current_user::regrole and deptype = 'o'"
    )
    become = await database.reads.fetch(
        "select rolname::text, admin_option from pg_roles r"
        " left join pg_auth_members m on m.roleid = r.oid and m.member = current_user::regrole"
        " where pg_has_role(r.oid, 'MEMBER') and rolname <> current_user"
    )
    attributes = await database.reads.fetchrow(
        "select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls"
        " from pg_roles where rolname = current_user"
    )

    assert owned == []
    assert {row["rolname"] for row in become} == set(ROLES.values())
    assert not any(row["admin_option"] for row in become)
    assert tuple(attributes) == (False,)
    assert not await database.reads.fetchval(
        "select bool_or(has_schema_privilege(oid, 'CREATE')) from pg_namespace"
        " where nspname !~ '^pg_(temp|toast_temp)_'"
    )
    assert not await database.reads.fetchval(
        "select has_database_privilege(current_database(), 'CREATE')"
        " or has_parameter_privilege('session_replication_role', 'SET, ALTER SYSTEM')"
    )


async def test_functions_that_do_as_the_owner_are_the_listed_ones_and_find_their_names(
    database: Database,
) -> None:
    """S16: nobody else may call them, and nothing of the caller's is found before the owner's."""
    rows = await database.reads.fetch(
        "select p.oid::regprocedure::text as name, proconfig,"
        " has_function_privilege(p.oid, 'EXECUTE') as ours,"
        " has_function_privilege('itr_customer', p.oid, 'EXECUTE') as everybodys"
        " from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        f" where n.nspname {_OURS} and p.prosecdef"
    )

    assert {row["name"] for row in rows} == set(CALLS)
    assert all(row["proconfig"] == ["search_path=public, pg_temp"] for row in rows)
    assert all(row["ours"] and not row["everybodys"] for row in rows)


async def test_what_the_product_does_is_recorded_by_its_own_login(database: Database) -> None:
    """S16: the way of a change, from the operation to the log."""
    made = await desk.branch()

    facts = await desk.facts_of(made)

    assert [fact["type"] for fact in facts] == ["OrganisationChanged"]
    assert await database.reads.fetchval("select session_user") == "itr_desk"


_STATE = """
select relname::text, xmin::text from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
union all select polname::text, oid::text from pg_policy
order by 1, 2
"""


async def test_migrating_again_leaves_the_privileges_as_they_are(
    settings: Settings, database: Database
) -> None:
    before = await database.reads.fetch(_STATE)

    await migrate(settings)

    assert await database.reads.fetch(_STATE) == before


async def test_privileges_the_product_lacks_are_noticed_and_granted(
    settings: Settings, database: Database
) -> None:
    owner = await asyncpg.connect(**credentials(settings.owner_database_url))
    for statement in (
        "revoke update on request from itr_desk",
        "drop policy itr_desk on clock",
        "revoke execute on function refresh_statistics() from itr_desk",
        "revoke usage on sequence field_use_id_seq from itr_desk",
    ):
        await owner.execute(statement)
        with pytest.raises(WrongSettings, match="run itr migrate"):
            await check_privileges(settings)

        await migrate(settings)

        await check_privileges(settings)
    await owner.close()


async def test_privileges_the_product_was_given_besides_are_told_and_taken_back(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """S16."""
    owner = await asyncpg.connect(**credentials(settings.owner_database_url))
    await owner.execute("grant all on event, event_other to itr_desk")
    await owner.execute("grant create on schema public to public, itr_desk")
    await owner.close()
    await check_privileges(settings)
    assert [record.levelname for record in caplog.records] == ["WARNING"]

    await migrate(settings)

    caplog.clear()
    await check_privileges(settings)
    assert not caplog.records
    for statement in ("delete from event", "truncate event_other", "create table mine ()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.reads.execute(statement)


async def test_a_login_that_is_not_there_is_made_and_serves(
    servers: Addresses, settings: Settings
) -> None:
    """The operator writes two addresses and runs `itr migrate`."""
    ours = another(settings, "newcomer", "it's%20a%20secret")
    try:
        await migrate(ours)

        await check_privileges(ours)
        async with connected(ours) as opened:
            assert await opened.reads.fetchval("select current_user") == "newcomer"
            made = await desk.branch()
            assert await opened.reads.fetchval("select 1 from organisation where id = $1", made)
            for pool in opened.outside.values():
                assert await pool.fetchval("select count(*) from organisation where id = $1", made)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await opened.reads.execute("delete from event")
    finally:
        await forget(servers, settings, "newcomer")


async def forget(servers: Addresses, settings: Settings, *logins: str) -> None:
    """Have no such logins any more."""
    async with administering(servers, settings) as admin:
        for login in logins:
            await admin.execute(f"drop owned by {login}")
            await admin.execute(f"drop role {login}")


@pytest.mark.parametrize("privileges", ["superuser", "in role itr"])
async def test_a_login_that_could_change_the_log_is_refused_in_one_sentence(
    servers: Addresses, settings: Settings, privileges: str
) -> None:
    """S16."""
    mighty = another(settings, "mighty")
    async with administering(servers, settings) as admin:
        await admin.execute(f"create role mighty login password 'word' {privileges}")
    try:
        with pytest.raises(WrongSettings, match="may still change the event log") as told:
            await migrate(mighty)
        assert "\n" not in str(told.value)
    finally:
        await forget(servers, settings, "mighty")


async def test_an_owner_who_owns_nothing_is_told_in_one_sentence(settings: Settings) -> None:
    """Such as when `itr migrate` is given the product's login only."""
    with pytest.raises(WrongSettings, match="ITR_OWNER_DATABASE_URL"):
        await migrate(settings.model_copy(update={"owner_database_url": ""}))


async def test_an_owner_made_as_the_operators_page_says_may_make_the_tables(
    servers: Addresses, settings: Settings
) -> None:
    printed = example("docs/operations.md", "sql").replace("itr", "itr_fresh")
    async with administering(servers, settings) as admin:
        try:
            for statement in printed.replace("…", "word").strip().splitlines():
                await admin.execute(statement)
            fresh = another(settings, "itr_fresh").database_url
            parts = credentials(fresh) | {"database": "itr_fresh"}
            owner = await asyncpg.connect(**parts)
            await ensure_owner(owner)
            await ensure_login(owner, "newcomer", "word")
            await owner.close()
        finally:
            await admin.execute("drop database if exists itr_fresh")
            await admin.execute("drop role if exists newcomer, itr_fresh")


async def test_an_owner_who_may_make_no_logins_says_what_to_run(
    servers: Addresses, settings: Settings
) -> None:
    async with administering(servers, settings) as admin:
        await admin.execute("alter role itr nocreaterole")
        try:
            with pytest.raises(WrongSettings) as told:
                await migrate(another(settings, "newcomer"))
        finally:
            await admin.execute("alter role itr createrole")

    assert 'create role "newcomer" login password' in str(told.value)
    assert "word" not in str(told.value).replace("password", "")


async def test_a_product_that_works_as_the_owner_is_warned_of_it_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """S16: with one address everything works as before, behind triggers alone."""
    alone = settings.model_copy(
        update={"database_url": settings.owner_database_url, "owner_database_url": ""}
    )
    await migrate(alone)

    with caplog.at_level(logging.WARNING):
        await check_privileges(alone)
        await check_privileges(settings)

    warnings = [record.message for record in caplog.records]
    assert len(warnings) == 1
    assert "ITR_OWNER_DATABASE_URL" in warnings[0]
    async with connected(alone) as opened:
        assert await opened.reads.fetchval("select session_user") == "itr"
        assert await desk.branch()
        await opened.reads.execute("select refresh_statistics()")
