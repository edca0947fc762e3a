"""The unit of work: one transaction, its facts, its idempotency key, and the wakeup after it."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.errors import DomainError
from itr.events.log import Fact, append
from itr.transactions import in_transaction
from itr.writing import Writing

KEYS_KEPT = timedelta(hours=24)


class KeyReused(DomainError):
    """One `clientMutationId`, two different mutations."""

    code = "KEY_REUSED"
    zh = "该 clientMutationId 已用于另一操作。"
    en = "This clientMutationId was used for something else."


class AlreadyDone(Exception):
    """The mutation with this key was done before; what came of it is here."""

    def __init__(self, subject_id: UUID | None, failures: list[dict[str, Any]]) -> None:
        super().__init__("already done")
        self.subject_id = subject_id
        self.failures = failures


@dataclass(frozen=True)
class Call:
    """Where the work comes from: told to the audit trail, and the key that makes it happen once."""

    actor_id: UUID
    client_id: str
    address: str = ""
    mutation: str = ""
    key: str | None = None
    fingerprint: str = ""
    now: datetime | None = None

    @property
    def origin(self) -> dict[str, str]:
        """Its words for the event log (S16)."""
        return {"client": self.client_id, "address": self.address}


_call: ContextVar[Call | None] = ContextVar("call", default=None)
_after_commit: list[Callable[[], object]] = []


@contextmanager
def called_by(call: Call) -> Iterator[None]:
    """Let the transactions of this block know where they come from."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


def after_commit(callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback` after each commit that recorded facts; returns what takes it off again."""
    _after_commit.append(callback)
    return lambda: _after_commit.remove(callback)


@dataclass
class Work:
    """An open transaction that collects what happens in it."""

    connection: BaseDBAsyncClient
    origin: Mapping[str, str] = field(default_factory=dict)
    subject_id: UUID | None = None
    facts: list[Fact] = field(default_factory=list)
    writing: Writing = field(default_factory=Writing)
    """What is written by one statement before the commit, with the facts."""
    has_recorded: bool = False

    def record(self, *facts: Fact) -> None:
        """Have these facts written before the commit, in this order."""
        self.facts.extend(facts)

    async def flush(self) -> None:
        """Write what is collected so far, for who reads on in the same transaction."""
        if self.facts:
            append(self.writing, self.facts, origin=self.origin)
            self.facts = []
            self.has_recorded = True
        await self.writing.run(self.connection)


@asynccontextmanager
async def transaction() -> AsyncIterator[Work]:
    """One transaction: what is recorded in it is committed with it, then listeners are poked.

    With an idempotency key in the call, raises AlreadyDone instead of doing anything twice (S13).
    """
    call = _call.get()
    async with in_transaction() as connection:
        work = Work(connection, call.origin if call else {})
        if call is not None and call.key is not None:
            await _claim(connection, call)
        yield work
        if call is not None and call.key is not None:
            _settle(work.writing, call, work.subject_id)
        await work.flush()
    if work.has_recorded:
        for callback in _after_commit:
            callback()


def fingerprint_of(mutation: str, arguments: Mapping[str, Any]) -> str:
    """What tells one mutation's input from another's."""
    words = orjson.dumps([mutation, arguments], default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(words).hexdigest()


async def remember_failure(call: Call, failures: list[dict[str, Any]]) -> None:
    """Keep the outcome of a mutation that was refused, so that its key has the same outcome.

    Raises AlreadyDone or KeyReused if the key has one: whatever was kept first stands.
    """
    async with in_transaction() as connection:
        await _claim(connection, call, failures)


_CLAIM = """
insert into mutation_key as kept
    (id, actor_id, client_id, key, mutation, fingerprint, created_at, failures)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (actor_id, client_id, key) do update set id = excluded.id,
    mutation = excluded.mutation, fingerprint = excluded.fingerprint,
    created_at = excluded.created_at, failures = excluded.failures, subject_id = null
where kept.created_at < $9 returning id
"""
_WHICH = "actor_id = $1 and client_id = $2 and key = $3"


async def _claim(
    connection: BaseDBAsyncClient, call: Call, failures: Sequence[dict[str, Any]] = ()
) -> None:
    """Take the key, waiting for whoever is at it; one kept for too long is anybody's again."""
    assert call.now is not None
    which = [call.actor_id, call.client_id, call.key]
    told = orjson.dumps(list(failures)).decode()
    claimed = await connection.execute_query_dict(
        _CLAIM,
        [
            uuid4(),
            *which,
            call.mutation,
            call.fingerprint,
            call.now,
            told,
            call.now - KEYS_KEPT,
        ],
    )
    if claimed:
        return
    found = await connection.execute_query_dict(
        "select mutation, fingerprint, subject_id, failures::text as failures "
        f"from mutation_key where {_WHICH}",
        which,
    )
    first = found[0]
    if (first["mutation"], first["fingerprint"]) != (call.mutation, call.fingerprint):
        raise KeyReused(path=["clientMutationId"])
    raise AlreadyDone(first["subject_id"], orjson.loads(first["failures"]))


def _settle(writing: Writing, call: Call, subject_id: UUID | None) -> None:
    writing.also(
        f"update mutation_key set subject_id = $4::uuid where {_WHICH}",
        call.actor_id,
        call.client_id,
        call.key,
        subject_id,
    )
