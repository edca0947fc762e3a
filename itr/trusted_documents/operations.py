"""Registering documents, finding them again, and keeping count of what is used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from tortoise.connection import get_connection

from itr.transactions import in_transaction
from itr.trusted_documents.rules import Listed

EVERY_CLIENT = "*"
"""Stands for every client where documents are registered."""
KEPT = timedelta(days=400)
"""How long usage is kept: a year, and time to decide."""
MOST_ROWS = 1000

_ADD = """
insert into trusted_document (id, client_id, sha256, alias, name, body, added_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (client_id, sha256) do update set alias = excluded.alias returning xmax = 0 as added
"""
_FIND = """
select body from trusted_document
where client_id in ($1, '*') and (sha256 = $2 or alias = $2) order by client_id desc limit 1
"""
MOST_DOCUMENTS = 1_000
"""Documents of one client told apart on one day; the fields of further ones are counted still."""

_COUNT_DOCUMENTS = """
with given as (
    select * from unnest($2::text[], $3::text[], $4::text[], $5::bigint[])
        as given (client_id, sha256, name, uses)
), judged as (
    select given.*, known.id is not null as known,
        row_number() over (
            partition by given.client_id, known.id is not null
            order by given.uses desc, given.sha256, given.name
        ) as place
    from given left join document_use known on known.day = $1
        and (known.client_id, known.sha256, known.name)
            = (given.client_id, given.sha256, given.name)
), kept as (
    select client_id, count(*) as documents from document_use
    where day = $1 and client_id = any($2) group by client_id
)
insert into document_use (day, client_id, sha256, name, uses, last_used_at)
select $1, client_id, sha256, name, judged.uses, $6
from judged left join kept using (client_id)
where known or place + coalesce(documents, 0) <= $7
on conflict (day, client_id, sha256, name) do update set
    uses = document_use.uses + excluded.uses,
    last_used_at = greatest(document_use.last_used_at, excluded.last_used_at)
"""
_COUNT_FIELDS = """
insert into field_use (day, client_id, coordinate, uses, last_used_at)
select $1, *, $5 from unnest($2::text[], $3::text[], $4::bigint[])
on conflict (day, client_id, coordinate) do update set
    uses = field_use.uses + excluded.uses,
    last_used_at = greatest(field_use.last_used_at, excluded.last_used_at)
"""
_FIELDS = """
select coordinate, client_id, sum(uses)::bigint as uses, max(last_used_at) as last_used_at
from field_use
where day >= $1 and ($2::text[] is null or coordinate = any($2))
    and ($3::text is null or client_id = $3)
group by coordinate, client_id order by uses desc, coordinate, client_id limit $4
"""
_DOCUMENTS = """
select sha256, name, client_id, sum(uses)::bigint as uses, max(last_used_at) as last_used_at,
    exists (select from trusted_document where trusted_document.sha256 = document_use.sha256
        and trusted_document.client_id in (document_use.client_id, '*')) as trusted
from document_use
where day >= $1 and ($2::text is null or client_id = $2)
group by sha256, name, client_id order by uses desc, sha256, name, client_id limit $3
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A document of a manifest and the name of its operation."""

    document: Listed
    name: str


async def add_documents(client_id: str, documents: Iterable[Named], *, now: datetime) -> int:
    """Register documents for a client, all or none; returns how many were new."""
    added = 0
    async with in_transaction() as connection:
        for each in documents:
            values = [client_id, each.document.sha256, each.document.alias, each.name]
            rows = await connection.execute_query_dict(
                _ADD, [uuid4(), *values, each.document.body, now]
            )
            added += bool(rows[0]["added"])
    return added


async def find_document(client_id: str, name: str) -> str | None:
    """The text of a client's document by its SHA-256 or its alias; None when not registered."""
    rows = await get_connection("default").execute_query_dict(_FIND, [client_id, name])
    return str(rows[0]["body"]) if rows else None


async def count_uses(
    documents: Mapping[tuple[str, str, str], int],
    fields: Mapping[tuple[str, str], int],
    *,
    now: datetime,
) -> None:
    """Add to today's counts: by client, SHA-256 and operation; by client and coordinate.

    Of one client only so many documents are told apart on a day: whoever sends a new one each
    time fills no table.
    """
    day = now.date()
    async with in_transaction() as connection:
        if documents:
            clients, hashes, names = (list(each) for each in zip(*sorted(documents), strict=True))
            uses = [documents[key] for key in sorted(documents)]
            await connection.execute_query(
                _COUNT_DOCUMENTS, [day, clients, hashes, names, uses, now, MOST_DOCUMENTS]
            )
        if fields:
            clients, coordinates = (list(each) for each in zip(*sorted(fields), strict=True))
            uses = [fields[key] for key in sorted(fields)]
            await connection.execute_query(_COUNT_FIELDS, [day, clients, coordinates, uses, now])


async def field_usage(
    *, since: date, coordinates: list[str] | None, client_id: str | None
) -> list[dict[str, Any]]:
    """Uses of fields by client, the most used first."""
    values = [since, coordinates, client_id, MOST_ROWS]
    found: list[dict[str, Any]] = await get_connection("default").execute_query_dict(
        _FIELDS, values
    )
    return found


async def document_usage(*, since: date, client_id: str | None) -> list[dict[str, Any]]:
    """Uses of documents by client, the most used first."""
    values = [since, client_id, MOST_ROWS]
    found: list[dict[str, Any]] = await get_connection("default").execute_query_dict(
        _DOCUMENTS, values
    )
    return found


async def forget_old_usage(now: datetime) -> None:
    """Delete what was counted longer ago than anybody plans with."""
    for table in ("document_use", "field_use"):
        await get_connection("default").execute_query(
            f"delete from {table} where day < $1", [(now - KEPT).date()]
        )
