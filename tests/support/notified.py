"""Who was told of what: everybody's lists and the messages that leave, as they stand stored."""

from typing import Any
from uuid import UUID

import orjson
from tortoise.connection import get_connection


async def reach_everybody() -> None:
    """Give everybody a telephone and an e-mail address of their own."""
    await get_connection("default").execute_query(
        "update person set phone = 'tel ' || name, email = name || '@itr.example'"
    )


async def unreachable(person_id: UUID) -> None:
    """Take a person's addresses away."""
    await get_connection("default").execute_query(
        "update person set phone = null, email = null where id = $1", [person_id]
    )


async def listed(request_id: UUID, kind: str | None = None) -> list[dict[str, Any]]:
    """What stands in lists about a request: the person's name, the kind, and the facts."""
    rows = await get_connection("default").execute_query_dict(
        "select p.name, n.kind, n.facts::text as facts from notification n"
        " join person p on p.id = n.person_id where n.request_id = $1"
        " and ($2::text is null or n.kind = $2) order by n.created_at, n.cause, p.name",
        [request_id, kind],
    )
    return [{**orjson.loads(row["facts"]), "who": row["name"], "kind": row["kind"]} for row in rows]


async def sent(number: str) -> list[tuple[str, str, str, str]]:
    """Messages that name a request: person, channel, address, text."""
    rows = await get_connection("default").execute_query_dict(
        "select p.name, m.channel, m.address, m.text, m.status, m.attempts, m.next_attempt_at,"
        " m.created_at from outbox m join person p on p.id = m.person_id"
        " where m.text like $1 order by m.created_at, m.key",
        [f"%{number}%"],
    )
    for row in rows:
        assert (row["status"], row["attempts"]) == ("WAITING", 0)
        assert row["next_attempt_at"] == row["created_at"]
    return [(row["name"], row["channel"], row["address"], row["text"]) for row in rows]
