"""Which life of the database this is: noticing that it was restored (Decision 3)."""

import asyncpg

_LIFE = """
select s.system_identifier || ':' || c.timeline_id || ':' || d.oid as life
from pg_control_system() s, pg_control_checkpoint() c, pg_database d
where d.datname = current_database()
"""
_FROM_ANOTHER_LIFE = """
alter table event disable trigger event_is_append_only;
update event set tx = '1'::xid8 where tx >= pg_current_xact_id();
alter table event enable trigger event_is_append_only;
"""


async def renew_epoch(connection: asyncpg.Connection) -> bool:
    """Begin a new epoch if this is another life of the database; returns whether it is.

    A restored database may have forgotten what clients have seen, so cursors of the old epoch get
    a Resync. In another cluster transactions count from the start again: what is in the log is put
    before all that will come, or its readers would wait for numbers of the past.
    """
    async with connection.transaction():
        life = await connection.fetchval(_LIFE)
        known = await connection.fetchval("select life from epoch where id = 1 for update")
        if known == life:
            return False
        await connection.execute(
            "update epoch set life = $1, value = case when life is null then value"
            " else gen_random_uuid() end where id = 1",
            life,
        )
        if known is not None:
            await connection.execute(_FROM_ANOTHER_LIFE)
    return known is not None
