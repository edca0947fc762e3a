"""The names of persons who were erased leave the texts of others and the log (R-ROLE-09).

All tables there are, as the database lists them: a column that is added is covered that day. Block
by block, each in a small transaction; a worker that is killed leaves one block undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.access.models import AccessApproval, Erasure, ExternalIdentity
from itr.access.operations.recording import record
from itr.actors.actor import SYSTEM
from itr.events.models import Epoch
from itr.events.work import Work, transaction
from itr.notifications.models import OutboxMessage
from itr.people.models import FormerDetail, Organisation, Person

BLOCKS = 1000
"""Of 8 KB, which one step looks through."""
SETTLED = timedelta(seconds=30)
"""Longer than any transaction lasts: what was being written at the time is there by then."""
UNTOUCHED = (
    *(
        each._meta.db_table
        for each in (
            AccessApproval,
            Epoch,
            Erasure,
            ExternalIdentity,
            FormerDetail,
            Organisation,
            Person,
        )
    ),
    "tortoise_migrations",
)
"""Tables whose words are of others by the same name, of firms, or are seen to when it is asked."""
ADDRESSES = (f"{OutboxMessage._meta.db_table}.address",)
"""Columns that lead to somebody else by the same number."""

_TAKE = """
select id from erasure where finished_at is null and due_at <= $1
order by due_at, id limit 1 for update skip locked
"""
_TABLES = """
select c.relname as name, c.oid, c.relispartition as is_log,
    pg_relation_size(c.oid) / current_setting('block_size')::int as blocks,
    coalesce(jsonb_agg(jsonb_build_array(a.attname, t.typname,
        case when a.atttypmod > 4 then a.atttypmod - 4 end) order by a.attnum)
        filter (where t.oid is not null), '[]')::text as columns
from pg_class c
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    and a.attgenerated = '' and not c.relname || '.' || a.attname = any($2)
    and not exists (select from pg_index i where i.indrelid = c.oid and i.indisunique
        and a.attnum = any(i.indkey::int2[]))
left join pg_type t on t.oid = a.atttypid and t.typname in ('text', 'varchar', 'jsonb')
where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    and not c.relname = any($1)
group by c.oid order by c.relname
"""
_LOG = "select redact_events($1, $2, $3, $4) as found"


@dataclass(frozen=True)
class _Table:
    """A table, or a month of the log, and which of its columns hold words."""

    name: str
    key: int
    is_log: bool
    blocks: int
    columns: Sequence[tuple[str, str, int | None]]

    def statement(self) -> str:
        """What takes the words of `$1` out of a range of blocks."""
        changes = ", ".join(f'"{name}" = {_fitting(name, most)}' for name, _, most in self.columns)
        matches = " or ".join(
            f'("{name}"{"::text" if kind == "jsonb" else ""} ~* $1'
            f' and redacted("{name}", $1) <> "{name}")'
            for name, kind, _ in self.columns
        )
        return (
            f'with changed as (update "{self.name}" set {changes}'
            f" where ctid >= $2::text::tid and ctid < $3::text::tid and ({matches})"
            " returning 1) select count(*) as found from changed"
        )


def _fitting(name: str, most: int | None) -> str:
    redacted = f'redacted("{name}", $1)'
    return redacted if most is None else f"left({redacted}, {most})"


async def erase_texts(now: datetime) -> bool:
    """Do one step of the oldest erasure nobody else is doing; False: there is none to be done."""
    async with transaction() as work:
        taken = await work.connection.execute_query_dict(_TAKE, [now])
        if not taken:
            return False
        row = await Erasure.get(id=taken[0]["id"])
        if row.began_at is None:
            row.began_at, row.place, row.block, row.found = now, 0, 0, 0
        tables = await _tables(work.connection)
        if row.place < len(tables):
            await _look_through(work, row, tables[row.place])
        else:
            await _end_pass(work, row, now)
        await row.save()
    return True


async def _tables(connection: BaseDBAsyncClient) -> list[_Table]:
    rows = await connection.execute_query_dict(_TABLES, [list(UNTOUCHED), list(ADDRESSES)])
    return [
        _Table(each["name"], each["oid"], each["is_log"], each["blocks"], columns)
        for each in rows
        if (columns := orjson.loads(each["columns"]))
    ]


async def _look_through(work: Work, row: Erasure, table: _Table) -> None:
    if table.is_log:
        found = await _in_log(work.connection, row.id, table, row.block)
        row.events += found
    else:
        found = await _in_table(work.connection, row.words, table, row.block)
        row.rows += found
    row.found += found
    row.block += BLOCKS
    if row.block > table.blocks:
        row.place, row.block = row.place + 1, 0


async def _in_log(connection: BaseDBAsyncClient, key: UUID, table: _Table, block: int) -> int:
    rows = await connection.execute_query_dict(_LOG, [table.key, key, block, block + BLOCKS])
    return int(rows[0]["found"])


async def _in_table(
    connection: BaseDBAsyncClient, words: list[str], table: _Table, block: int
) -> int:
    pattern = await connection.execute_query_dict(
        "select pattern_of($1::jsonb) as pattern", [orjson.dumps(words).decode()]
    )
    rows = await connection.execute_query_dict(
        table.statement(), [pattern[0]["pattern"], f"({block},0)", f"({block + BLOCKS},0)"]
    )
    return int(rows[0]["found"])


async def _end_pass(work: Work, row: Erasure, now: datetime) -> None:
    """Go round again, unless nothing was left in a pass that saw all that was being written."""
    assert row.began_at is not None
    settled = row.erased_at + SETTLED
    if row.found == 0 and row.began_at >= settled:
        row.words, row.finished_at = [], now
        told = {"rows": row.rows, "events": row.events}
        await record(
            work, SYSTEM, "TextsErased", about="person", subject=row.person_id, now=now, told=told
        )
    row.began_at, row.due_at = None, max(now, settled)
