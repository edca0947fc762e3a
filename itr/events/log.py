"""Writing to the event log: facts in the past tense, in the transaction that makes them true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.actor import Actor


class Audience(StrEnum):
    """Who may see an event of a thing they see (R-ROLE-06, R-REQ-07)."""

    PUBLIC = "PUBLIC"
    PARTNER = "PARTNER"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True)
class Fact:
    """Something that happened to a subject, and stands on the timeline of `stream`.

    `subject_version` orders one subject's facts; `historic` marks what another system lived
    through (R-IMP-01).
    """

    type: str
    subject_type: str
    subject: UUID
    subject_version: int
    stream: UUID
    by: Actor
    occurred_at: datetime
    audience: Audience = Audience.INTERNAL
    customer_id: UUID | None = None
    branch_id: UUID | None = None
    historic: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)

    def saying(self, **more: Any) -> "Fact":
        """The same fact with more words in its payload."""
        fact = object.__new__(Fact)
        vars(fact).update(vars(self), payload={**self.payload, **more})
        return fact


_APPEND = """
insert into event (type, subject_type, subject, subject_version, stream, audience, customer_id,
    branch_id, actor_id, actor_name, origin, occurred_at, historic, payload)
select * from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::uuid[], $6::text[],
    $7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::jsonb[], $12::timestamptz[],
    $13::boolean[], $14::jsonb[])
"""


async def append(
    connection: BaseDBAsyncClient, facts: Sequence[Fact], *, origin: Mapping[str, Any]
) -> None:
    """Write facts in the order given, in one statement of the surrounding transaction.

    `origin` says where the change came from (client, address): S16.
    """
    if not facts:
        return
    where_from = orjson.dumps(dict(origin)).decode()
    rows = [
        (
            fact.type,
            fact.subject_type,
            fact.subject,
            fact.subject_version,
            fact.stream,
            fact.audience.value,
            fact.customer_id,
            fact.branch_id,
            fact.by.id,
            fact.by.known_as,
            where_from,
            fact.occurred_at,
            fact.historic,
            orjson.dumps(fact.payload).decode(),
        )
        for fact in facts
    ]
    await connection.execute_query(_APPEND, [list(column) for column in zip(*rows, strict=True)])
