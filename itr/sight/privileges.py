"""What the product may do to its database: all its work, and nothing to what is in the log (S16).

The tables belong to the owner, as whom only `itr migrate` works (`ITR_OWNER_DATABASE_URL`). The
login of `ITR_DATABASE_URL` owns nothing and is given what stands here: no structure can be changed
with it, no trigger taken away, no row of the log changed or deleted (Decision 12).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from itr.settings import WrongSettings
from itr.sight.row_level_security import SEEN, quoted

logger = logging.getLogger("itr.sight.privileges")

READS = frozenset({"SELECT"})
ADDS = READS | {"INSERT"}
KEEPS = ADDS | {"UPDATE"}
DELETES = KEEPS | {"DELETE"}

TABLE_PRIVILEGES: Mapping[str, frozenset[str]] = {
    "event": ADDS,
    "epoch": READS,
    "tortoise_migrations": READS,
    **dict.fromkeys(
        (
            "authorization_code",
            "browser_session",
            "consent",
            "device_code",
            "document_use",
            "field_use",
            "former_detail",
            "mutation_key",
            "oauth_grant",
            "package_service_product",
            "project_member",
            "queue_member",
            "reference_change",
            "refresh_token",
            "revoked_token",
            "role_assignment",
            "service_product_item",
            "sign_in_attempts",
            "sign_in_elsewhere",
            "timer",
        ),
        DELETES,
    ),
}
"""What is done to tables; one that is not named here is read, added to and updated (`KEEPS`)."""
NONE: frozenset[str] = frozenset()
"""On a month of the log itself: it is reached through the log only."""
CALLS = (
    "create_event_partition(date)",
    "refresh_statistics()",
    "redact_events(oid,uuid,bigint,bigint)",
)
"""Functions that do as the owner what the product needs at run time."""


async def ensure_owner(connection: asyncpg.Connection) -> None:
    """Raise WrongSettings unless this user may change the tables, or make them."""
    if not await connection.fetchval(_MAY_MIGRATE):
        user = await connection.fetchval("select current_user")
        raise WrongSettings(
            f"数据库用户 {user} 不拥有这些表，itr migrate 需要 ITR_OWNER_DATABASE_URL /"
            f" the database user {user} does not own the tables,"
            " itr migrate needs ITR_OWNER_DATABASE_URL."
        )


async def ensure_login(connection: asyncpg.Connection, login: str, password: str | None) -> None:
    """Make the product's login where there is none; one that is there stays as it is.

    Raises WrongSettings, in one sentence, when the owner may make no logins.
    """
    if await connection.fetchval("select 1 from pg_roles where rolname = $1", login):
        return
    make = f"create role {quoted(login)} login"
    try:
        await connection.execute(make)
    except asyncpg.InsufficientPrivilegeError as error:
        raise WrongSettings(
            f"数据库用户 {login} 不存在，请由管理员执行 /"
            f" there is no database user {login}, have an administrator run: {make} password '…';"
        ) from error
    if password is not None:
        await connection.execute(
            await connection.fetchval(
                "select format('alter role %I password %L', $1::text, $2::text)", login, password
            )
        )


async def grant_privileges(connection: asyncpg.Connection, login: str) -> None:
    """Bring the login's privileges to what is said here; the connection is the owner's.

    What is right already is left alone, so that servers at work notice nothing. Raises
    WrongSettings when the login could change the log all the same.
    """
    for table in await _tables(connection, login):
        if statements := table.bringing(quoted(login)):
            async with connection.transaction():
                await connection.execute(statements)
    for (statement,) in await connection.fetch(_AROUND, login, list(CALLS)):
        await connection.execute(statement)
    if await connection.fetchval(_MAY_CHANGE_LOG, login):
        raise WrongSettings(
            f"ITR_DATABASE_URL 的用户 {login} 仍可改动事件日志，请勿给它超级用户或表所有者的角色 /"
            f" the user {login} of ITR_DATABASE_URL may still change the event log:"
            " let it be neither superuser nor a member of the owner."
        )


async def ensure_privileges(connection: asyncpg.Connection) -> None:
    """Raise WrongSettings unless this user has what the product needs (`itr migrate` gives it)."""
    owns = await connection.fetchval(_OWNS)
    if owns is None or (not owns and await _lacks_privileges(connection)):
        user = await connection.fetchval("select current_user")
        raise WrongSettings(
            f"数据库用户 {user} 缺少所需的表或权限，请运行 itr migrate / the database user {user}"
            " lacks tables or privileges it needs, run itr migrate."
        )


async def _lacks_privileges(connection: asyncpg.Connection) -> bool:
    user = await connection.fetchval("select current_user")
    around = await connection.fetch(_AROUND, user, list(CALLS))
    return any(table.lacks for table in await _tables(connection, user)) or any(
        statement.startswith("grant") for (statement,) in around
    )


async def warn_of_privileges(connection: asyncpg.Connection) -> None:
    """Say so when this user could change the log, were it not for its triggers."""
    if await connection.fetchval(_MAY_CHANGE_LOG, await connection.fetchval("select current_user")):
        logger.warning(
            "the event log is protected by triggers alone: the user of ITR_DATABASE_URL may change"
            " it; give the owner's address to `itr migrate` only, as ITR_OWNER_DATABASE_URL"
        )


_MAY_MIGRATE = """
select coalesce(
    (select pg_has_role(relowner, 'USAGE') from pg_class where oid = to_regclass('event')),
    has_schema_privilege(current_schema(), 'CREATE')
)
"""
_OWNS = "select pg_has_role(relowner, 'MEMBER') from pg_class where oid = to_regclass('event')"
_MAY_CHANGE_LOG = """
select bool_or(
    pg_has_role($1::name, c.relowner, 'MEMBER')
    or has_any_column_privilege($1::name, c.oid, 'UPDATE')
    or has_table_privilege($1::name, c.oid, 'DELETE, TRUNCATE, TRIGGER')
)
from pg_partition_tree('event') part join pg_class c on c.oid = part.relid
"""
_TABLES = """
select c.relname::text as name, c.relispartition as is_part,
    array(select privilege_type from aclexplode(c.relacl) where grantee = r.oid) as held,
    exists (
        select from pg_policy p
        where p.polrelid = c.oid and p.polname = r.rolname and r.oid = any(p.polroles)
    ) as sees
from pg_class c, pg_roles r
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
    and r.rolname = $1
order by c.relname
"""
_AROUND = """
select format('grant usage on schema %I to %I', current_schema(), $1::name) as statement
where not has_schema_privilege($1::name, current_schema(), 'USAGE')
union all
select format('revoke create on schema %I from public, %I', current_schema(), $1::name)
where has_schema_privilege($1::name, current_schema(), 'CREATE')
union all
select format('grant execute on function %s to %I', call, $1::name)
from unnest($2::text[]) as call
where not has_function_privilege($1::name, to_regprocedure(call)::oid, 'EXECUTE')
union all
select format('grant usage on sequence %I to %I', number.relname, $1::name)
from pg_class number join pg_depend d on d.objid = number.oid and d.deptype = 'a'
where number.relnamespace = current_schema()::regnamespace and case number.relkind
    when 'S' then has_table_privilege($1::name, d.refobjid, 'INSERT')
        and not has_sequence_privilege($1::name, number.oid, 'USAGE') end
"""


@dataclass(frozen=True)
class _Table:
    """A table, what the login has of it, and what it should have."""

    name: str
    held: frozenset[str]
    wanted: frozenset[str]
    sees: bool

    @property
    def is_hidden(self) -> bool:
        """Whether row-level security hides its rows from the login."""
        return self.name in SEEN and not self.sees

    @property
    def lacks(self) -> bool:
        """Whether the product could not do its work on it."""
        return self.is_hidden or not self.held >= self.wanted

    def bringing(self, login: str) -> str:
        """The statements that bring the login's privileges to what is wanted; none if they are."""
        table, statements = quoted(self.name), []
        if self.held != self.wanted:
            statements.append(f"revoke all on {table} from {login};")
            if self.wanted:
                statements.append(f"grant {', '.join(sorted(self.wanted))} on {table} to {login};")
        if self.is_hidden:
            statements.append(
                f"drop policy if exists {login} on {table};"
                f" create policy {login} on {table} to {login} using (true) with check (true);"
            )
        return " ".join(statements)


async def _tables(connection: asyncpg.Connection, login: str) -> list[_Table]:
    return [
        _Table(
            name=row["name"],
            held=frozenset(row["held"]),
            wanted=NONE if row["is_part"] else TABLE_PRIVILEGES.get(row["name"], KEEPS),
            sees=row["sees"],
        )
        for row in await connection.fetch(_TABLES, login)
    ]
