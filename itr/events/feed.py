"""The event log read once per process, in commit order, and handed to whoever listens here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson

from itr.addresses import credentials
from itr.events.cursor import Position
from itr.events.wakeup import hear_wakeups
from itr.retrying import until_done

logger = logging.getLogger("itr.feed")

_COLUMNS = """
    e.tx::text::bigint as at_tx, e.id as at_id, e.uid, e.type, e.subject_type, e.subject,
    e.subject_version, e.stream, e.audience, e.customer_id, e.branch_id, e.actor_id, e.actor_name,
    e.occurred_at, e.recorded_at, e.historic, e.payload::text as payload_text
"""
_NEXT = f"""
select {_COLUMNS} from event e
where (e.tx, e.id) > ($1::text::xid8, $2) and e.tx < pg_snapshot_xmin(pg_current_snapshot())
order by e.tx, e.id limit $3
"""
_WAITING = """
select e.recorded_at from event e
where (e.tx, e.id) > ($1::text::xid8, $2) order by e.tx, e.id limit 1
"""
_BETWEEN = f"""
select {_COLUMNS} from event e
where (e.tx, e.id) > ($1::text::xid8, $2) and (e.tx, e.id) <= ($3::text::xid8, $4)
order by e.tx, e.id limit $5
"""
_AHEAD = f"""
select {_COLUMNS} from event e
where (e.tx, e.id) > ($1::text::xid8, $2) and e.subject_type = any($3::text[])
order by e.tx, e.id limit $4
"""
_HEAD = """
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as head,
       (select value from epoch where id = 1) as epoch
"""
TAKEN = "pg_current_snapshot()::text"
"""Select this in the very statement that reads state; `Taken.of` says what that state holds."""

BATCH = 500
BUFFERED = 1_000
REPLAYED = 5_000
_BREATH = 0.01
"""Seconds from one reading to the next at least: what is committed in between is read at once."""
_HELD_BACK = 0.3
"""Seconds an event waits behind another's open transaction before the urgent ones are read."""
_SHARE_AHEAD = 4
"""While much is to be read, one part in so many of the time looks ahead for the urgent ones."""


class FellBehind(Exception):
    """The listener cannot go on from where it was: too slow, too old, or another database."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a statement saw: which transactions' events are already in the state it read."""

    before: int
    beyond: int
    running: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read PostgreSQL's `xmin:xmax:running,…`."""
        before, beyond, running = text.split(":")
        return cls(int(before), int(beyond), frozenset(int(tx) for tx in running.split(",") if tx))

    def holds(self, position: Position) -> bool:
        """Whether the event there had been committed for it."""
        return position.tx < self.beyond and position.tx not in self.running

    @property
    def position(self) -> Position:
        """Where to go on from: nothing after it is missed, what it holds may come again."""
        return Position(self.before, 0)


@dataclass(frozen=True)
class Event:
    """One fact of the log as listeners get it."""

    position: Position
    uid: UUID
    type: str
    subject_type: str
    subject: UUID
    subject_version: int
    stream: UUID
    audience: str
    customer_id: UUID | None
    branch_id: UUID | None
    actor_id: UUID
    actor_name: str | None
    occurred_at: datetime
    recorded_at: datetime
    historic: bool
    payload_text: str

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What the event says beyond its columns, read when first asked for."""
        decoded: dict[str, Any] = orjson.loads(self.payload_text)
        return decoded

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Make an event of a row of the log."""
        tx, event_id, *rest = row
        return cls(Position(tx, event_id), *rest)


class Listener:
    """One reader's bounded view of the feed: conflated when slow, cut off when too slow."""

    def __init__(self, feed: Feed, *, limit: int = BUFFERED) -> None:
        self._feed = feed
        self._limit = limit
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._failure: FellBehind | None = None
        self._conflated = False
        self.joined_at = feed.position
        self.skipped = False
        """Whether events were left out of the last batch or just before it."""

    def put(self, event: Event) -> None:
        """Take an event in; over the limit only the newest of each subject is kept."""
        if self._failure is not None:
            return
        self._events.append(event)
        if len(self._events) > self._limit:
            self._conflate()
        self._arrived.set()

    def fail(self, reason: str) -> None:
        """End the listener: its next read raises FellBehind."""
        self._failure = FellBehind(reason)
        self._events.clear()
        self._arrived.set()

    def _conflate(self) -> None:
        newest = {(event.subject_type, event.subject): event for event in self._events}
        kept = sorted(newest.values(), key=lambda event: event.position)
        if len(kept) > self._limit * 9 // 10:
            self.fail("the listener is too slow")
        else:
            self._events = deque(kept)
            self._conflated = True

    async def batch(self, limit: int = BATCH) -> list[Event]:
        """Wait for events and return what is there, oldest first; raises FellBehind."""
        await self._arrived.wait()
        if self._failure is not None:
            raise self._failure
        taken = [self._events.popleft() for _ in range(min(limit, len(self._events)))]
        self.skipped = self._conflated
        if not self._events:
            self._arrived.clear()
            self._conflated = False
        return taken

    def close(self) -> None:
        """Listen no more."""
        self._feed.leave(self)


class Feed:
    """The reader of the event log in this process, and its listeners.

    PostgreSQL is the truth and is asked every `poll` seconds; a wakeup over Valkey only makes the
    next question come sooner, so a dead Valkey costs no event. Nothing is lost when transactions
    commit late: the reader stays behind every transaction still open (Decision 3).
    """

    def __init__(self, *, database_url: str, valkey_url: str | None, poll: float = 0.5) -> None:
        self._database_url = database_url
        self._valkey_url = valkey_url
        self._poll = poll
        self._woken = asyncio.Event()
        self._listeners: set[Listener] = set()
        self._watchers: list[Callable[[Event], object]] = []
        self._urgent: dict[str, list[Callable[[Event], object]]] = {}
        self._told_ahead: set[UUID] = set()
        self._ahead_again = 0.0
        self._connection: asyncpg.Connection | None = None
        self._last_read = time.monotonic()
        self._behind = 0.0
        self.position = Position(0, 0)
        self.epoch = UUID(int=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Read until the block ends; needs the database at the start, survives without it later."""
        await self._connect()
        tasks = [asyncio.create_task(self._read_forever(), name="feed")]
        if self._valkey_url:
            tasks.append(
                asyncio.create_task(hear_wakeups(self._valkey_url, self.wake), name="feed wakeups")
            )
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._connection is not None:
                self._connection.terminate()
            for listener in list(self._listeners):
                listener.fail("the feed has ended")

    @property
    def lag(self) -> float:
        """`feed_lag`: seconds the feed is behind the log, or has not been able to read it."""
        return max(self._behind, self.silence)

    @property
    def silence(self) -> float:
        """Seconds the log has not been read for, beyond the usual pause."""
        return time.monotonic() - self._last_read - self._poll

    @property
    def listeners(self) -> int:
        """How many listeners there are."""
        return len(self._listeners)

    def wake(self) -> None:
        """Have the log read now."""
        self._woken.set()

    def watch(self, callback: Callable[[Event], object], *, urgent: Iterable[str] = ()) -> None:
        """Call `callback` with every event, before any listener gets it; it must be quick.

        What is told of the `urgent` subject types waits for nobody's open transaction (S9): it may
        come out of order, and comes once more in its place.
        """
        self._watchers.append(callback)
        for subject_type in urgent:
            self._urgent.setdefault(subject_type, []).append(callback)

    def listen(self, *, limit: int = BUFFERED) -> Listener:
        """Join the feed where it stands now."""
        listener = Listener(self, limit=limit)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Take a listener off."""
        self._listeners.discard(listener)

    async def subscribe(
        self, pool: asyncpg.Pool, after: Position | None = None
    ) -> AsyncIterator[tuple[Position, Event]]:
        """Yield every event after `after` (or from now on), once, in order; raises FellBehind."""
        listener = self.listen()
        try:
            last = after or listener.joined_at
            if after is not None and after < listener.joined_at:
                for event in await self.between(pool, after, listener.joined_at):
                    last = event.position
                    yield event.position, event
            while True:
                for event in await listener.batch():
                    if event.position > last:
                        yield event.position, event
        finally:
            listener.close()

    async def between(self, pool: asyncpg.Pool, after: Position, until: Position) -> list[Event]:
        """Read the events of a gap; raises FellBehind when there are too many to replay."""
        bounds = (str(after.tx), after.id, str(until.tx), until.id)
        rows = await pool.fetch(_BETWEEN, *bounds, REPLAYED + 1)
        if len(rows) > REPLAYED:
            raise FellBehind("too much has happened since the cursor")
        return [Event.of(row) for row in rows]

    async def _read_forever(self) -> None:
        while True:
            begun = time.monotonic()
            full = await until_done(self._read, on=Exception, tell=self._lost)
            if not full:
                await asyncio.sleep(max(0.0, begun + _BREATH - time.monotonic()))
                await self._wait_for_wakeup(self._poll)

    async def _read(self) -> bool:
        """Read what is next; whether there may be more at once."""
        return await self._read_batch(await self._connect()) == BATCH

    def _lost(self, error: Exception) -> None:
        logger.warning("feed cannot read the event log: %s", type(error).__name__)
        self._drop_connection()

    async def _wait_for_wakeup(self, at_most: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._woken.wait()
        self._woken.clear()

    async def _read_batch(self, connection: asyncpg.Connection) -> int:
        place = (str(self.position.tx), self.position.id)
        rows = await connection.fetch(_NEXT, *place, BATCH)
        oldest = rows[0]["recorded_at"] if rows else await connection.fetchval(_WAITING, *place)
        now = datetime.now(UTC)
        self._behind = max(0.0, (now - (oldest or now)).total_seconds())
        self._last_read = time.monotonic()
        for row in rows:
            self._hand_out(Event.of(row))
        if self._behind <= _HELD_BACK:
            self._told_ahead.clear()
        elif self._urgent and time.monotonic() >= self._ahead_again:
            await self._read_ahead(connection)
        return len(rows)

    async def _read_ahead(self, connection: asyncpg.Connection) -> None:
        place, began = (str(self.position.tx), self.position.id), time.monotonic()
        rows = await connection.fetch(_AHEAD, *place, list(self._urgent), BATCH)
        took = time.monotonic() - began
        self._ahead_again = began + max(_HELD_BACK, _SHARE_AHEAD * took)
        for row in rows:
            event = Event.of(row)
            if event.uid not in self._told_ahead:
                self._told_ahead.add(event.uid)
                _tell(self._urgent[event.subject_type], event)

    def _hand_out(self, event: Event) -> None:
        self.position = event.position
        _tell(self._watchers, event)
        for listener in self._listeners:
            listener.put(event)

    async def _connect(self) -> asyncpg.Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._connection = await asyncpg.connect(
            **credentials(self._database_url),
            server_settings={
                "jit": "off",
                "application_name": "itr feed",
                "plan_cache_mode": "force_generic_plan",  # planned anew each time: 20 times as long
            },
            timeout=5,
            command_timeout=10,
        )
        row = await self._connection.fetchrow(_HEAD)
        if row["epoch"] != self.epoch:
            self.epoch = row["epoch"]
            self.position = Position(row["head"], 0)
            for listener in list(self._listeners):
                listener.fail("the database has another epoch")
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def _tell(callbacks: Iterable[Callable[[Event], object]], event: Event) -> None:
    for callback in callbacks:
        try:
            callback(event)
        except Exception:
            logger.exception("a watcher of the feed failed")
