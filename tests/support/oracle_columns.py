"""Comparing what stored types rely on with what a database has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.planner.catalogue import ReliedOn

_ALIKE = {
    "text": {"text", "character varying", "uuid"},
    "bigint": {"bigint", "integer", "smallint"},
    "int": {"integer", "smallint"},
    "uuid": {"uuid"},
    "numeric": {"numeric"},
    "timestamptz": {"timestamp with time zone"},
    "date": {"date"},
    "boolean": {"boolean"},
    "float8": {"double precision", "real", "numeric"},
    "json": {"json", "jsonb"},
    "text[]": {"text[]", "character varying[]"},
    "bigint[]": {"bigint[]", "integer[]", "smallint[]"},
    "timestamptz[]": {"timestamp with time zone[]"},
}

_COLUMNS = """
select c.relname, a.attname, a.attnotnull, regexp_replace(format_type(a.atttypid, -1), '"', '', 'g')
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped
  and c.relnamespace = current_schema::regnamespace
"""


async def broken_promises(pool: Any, relied: Sequence[ReliedOn]) -> list[str]:
    """Return every column that is missing, of another type, or nullable against a promise."""
    rows = await pool.fetch(_COLUMNS)
    there = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    found = []
    for each in relied:
        if each.table.startswith("("):
            continue  # a query of its own: preparing it checks its columns
        where = f"{each.field} on {each.table}.{each.column}"
        known = there.get((each.table, each.column))
        if known is None:
            found.append(f"{where}: no such column")
        elif known[1] not in _ALIKE[each.kind]:
            found.append(f"{where}: {each.kind} reads {known[1]}")
        elif each.required and not known[0]:
            found.append(f"{where}: may be null")
    return found
