"""The unit of work: one transaction, its facts, its idempotency key, and the wakeup after it."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
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
    unclaimed: Call | None = None
    """Whose key is still to be claimed, by the statement that locks what is worked on."""

    def record(self, *facts: Fact) -> None:
        """Have these facts written before the commit, in this order."""
        self.facts.extend(facts)

    def claiming(self, after: int) -> tuple[str, list[Any]]:
        """What claims the key within a statement, its values `$after+1` and on.

        It gives one row, and none where the key is taken: then nothing may be locked or done.
        """
        if self.unclaimed is None:
            return "select 1", []
        return _claim_after(after), _claimed_with(self.unclaimed)

    async def ensure_claimed(self, claimed: bool) -> None:
        """Raise AlreadyDone or KeyReused unless the statement has claimed the key."""
        call, self.unclaimed = self.unclaimed, None
        if call is not None and not claimed:
            await _tell_outcome(self.connection, call)

    async def flush(self) -> None:
        """Write what is collected so far, for who reads on in the same transaction."""
        if self.unclaimed is not None and (self.facts or not self.writing.is_empty):
            call, self.unclaimed = self.unclaimed, None
            await _claim(self.connection, call)
        if self.facts:
            append(self.writing, self.facts, origin=self.origin)
            self.facts = []
            self.has_recorded = True
        await self.writing.run(self.connection)


@asynccontextmanager
async def transaction(*, claim_at_once: bool = True) -> AsyncIterator[Work]:
    """One transaction: what is recorded in it is committed with it, then listeners are woken.

    With an idempotency key in the call, raises AlreadyDone instead of doing anything twice (S13);
    not `claim_at_once`: by the statement that locks what is worked on, before anything else.
    """
    call = _call.get()
    async with in_transaction() as connection:
        work = Work(connection, call.origin if call else {})
        if call is not None and call.key is not None:
            work.unclaimed = call
            if claim_at_once:
                await _claim(connection, call)
                work.unclaimed = None
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
values (${0}, ${1}, ${2}, ${3}, ${4}, ${5}, ${6}, ${7})
on conflict (actor_id, client_id, key) do update set id = excluded.id,
    mutation = excluded.mutation, fingerprint = excluded.fingerprint,
    created_at = excluded.created_at, failures = excluded.failures, subject_id = null
where kept.created_at < ${8} returning id
"""
_VALUES = 9
_WHICH = "actor_id = $1 and client_id = $2 and key = $3"


@lru_cache(64)
def _claim_after(after: int) -> str:
    return _CLAIM.format(*range(after + 1, after + 1 + _VALUES))


def _claimed_with(call: Call, failures: Sequence[dict[str, Any]] = ()) -> list[Any]:
    assert call.now is not None
    return [
        uuid4(),
        call.actor_id,
        call.client_id,
        call.key,
        call.mutation,
        call.fingerprint,
        call.now,
        orjson.dumps(list(failures)).decode(),
        call.now - KEYS_KEPT,
    ]


async def _claim(
    connection: BaseDBAsyncClient, call: Call, failures: Sequence[dict[str, Any]] = ()
) -> None:
    """Take the key, waiting for whoever is at it; one kept for too long is anybody's again."""
    values = _claimed_with(call, failures)
    if not await connection.execute_query_dict(_claim_after(0), values):
        await _tell_outcome(connection, call)


async def _tell_outcome(connection: BaseDBAsyncClient, call: Call) -> None:
    """Raise what came of the mutation that has the key."""
    found = await connection.execute_query_dict(
        "select mutation, fingerprint, subject_id, failures::text as failures "
        f"from mutation_key where {_WHICH}",
        [call.actor_id, call.client_id, call.key],
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
