"""Writing to the event log: facts in the past tense, in the transaction that makes them true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from itr.actors.actor import Actor
from itr.writing import Table, Writing


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
    listed: Mapping[str, str] = field(default_factory=dict)
    """In whose lists it is to stand, person to entry; the log keeps those it does."""

    def saying(self, **more: Any) -> "Fact":
        """The same fact with more words in its payload."""
        return replace(self, payload={**self.payload, **more})

    def listed_for(self, entries: Mapping[str, str]) -> "Fact":
        """The same fact, as it is to stand in these lists."""
        return replace(self, listed=entries)


_TYPES = {
    "type": "text",
    "subject_type": "text",
    "subject": "uuid",
    "subject_version": "int",
    "stream": "uuid",
    "audience": "text",
    "customer_id": "uuid",
    "branch_id": "uuid",
    "actor_id": "uuid",
    "actor_name": "text",
    "origin": "jsonb",
    "occurred_at": "timestamptz",
    "historic": "boolean",
    "payload": "jsonb",
}
_EVENT = Table("event", _TYPES)
NOTIFIED = "told"
"""Under this word an event says in whose lists it stands: person to entry."""
LISTED = "listed"
"""The part of a statement that returns the ids of the entries it added to people's lists."""
_WITH_LISTS = f"""x.payload || coalesce((
    select jsonb_build_object('{NOTIFIED}', jsonb_object_agg(entry.key, entry.value))
    from jsonb_each_text(x.listed) entry
    where entry.value::uuid in (select id from {LISTED}) having count(*) > 0), '{{}}')"""
_LISTED_EVENT = Table(
    "event",
    {**_TYPES, "listed": "jsonb"},
    made={"payload": _WITH_LISTS},
    unwritten=frozenset({"listed"}),
)


def append(writing: Writing, facts: Sequence[Fact], *, origin: Mapping[str, Any]) -> None:
    """Have facts written in the order given, with whatever else the transaction writes.

    `origin` says where the change came from (client, address): S16.
    """
    in_lists = any(fact.listed for fact in facts)
    rows = [_row(fact, origin) for fact in facts]
    if in_lists:
        rows = [{**row, "listed": fact.listed} for row, fact in zip(rows, facts, strict=True)]
    writing.add(_LISTED_EVENT if in_lists else _EVENT, *rows)


def _row(fact: Fact, origin: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": fact.type,
        "subject_type": fact.subject_type,
        "subject": fact.subject,
        "subject_version": fact.subject_version,
        "stream": fact.stream,
        "audience": fact.audience.value,
        "customer_id": fact.customer_id,
        "branch_id": fact.branch_id,
        "actor_id": fact.by.id,
        "actor_name": fact.by.stands_for,
        "origin": origin,
        "occurred_at": fact.occurred_at,
        "historic": fact.historic,
        "payload": fact.payload,
    }
