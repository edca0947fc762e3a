"""Live sources: a snapshot, then what changed or left, resumable, computed once for equals.

A subscription's resolver hands a `Watch` to `Live.follow` and turns what comes into its own types:

    async def request_events(self, info, filter=None, after=None) -> AsyncGenerator[…]:
        return info.context.live.follow(info.context, RequestsWatch(filter), after, wrap)

`wrap` makes the source values of one `Update`; it is called once for all equal subscribers, and
what GraphQL makes of each value is computed once for equal documents, variables and scopes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

import asyncpg
import orjson

from api.transport.executor import Message
from itr.errors import Forbidden
from itr.events.cursor import Position, Sealer
from itr.events.feed import TAKEN, Event, Feed, FellBehind, Listener, Taken

if TYPE_CHECKING:
    from api.transport.context import Context
    from itr.people.roles import Permission

logger = logging.getLogger("itr.live")

SHARED_SECONDS = 1.0
"""How long a snapshot serves others who ask for the same."""
QUEUED = 200
_PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """Which of the things asked for are seen, with their versions, from one statement."""

    taken: Taken
    versions: Mapping[UUID, int]
    complete: bool = True
    """False when there are more things than listed, so that leaving cannot be told from them."""


class Watch(Protocol):
    """What one subscription field follows; equal `name` and `key` mean the same thing."""

    @property
    def name(self) -> str:
        """The subscription field; cursors of one are no good for another."""
        ...

    @property
    def key(self) -> Hashable:
        """Everything that decides what is seen beside the actor's scope: the filter."""
        ...

    @property
    def permission(self) -> Permission | None:
        """What the actor must be permitted, checked again for every message."""
        ...

    def subject_of(self, event: Event) -> UUID | None:
        """The thing an event may have changed, if it can concern this watch at all."""
        ...

    async def look(self, context: Context, keys: Collection[UUID] | None) -> Look:
        """Look which of the things (None: all there are) the actor sees and the filter keeps."""
        ...

    async def seen_before(
        self, context: Context, keys: Collection[UUID], position: Position
    ) -> Collection[UUID]:
        """Which of things now out of sight the actor may have been shown by `position`."""
        ...


class Kind(StrEnum):
    """What an update tells."""

    SNAPSHOT = "SNAPSHOT"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    RESYNC = "RESYNC"


@dataclass(frozen=True, slots=True)
class Update:
    """One thing to tell: a resolver's `wrap` turns it into values of its GraphQL types."""

    kind: Kind
    position: Position
    cursor: str
    versions: Mapping[UUID, int] = field(default_factory=dict)
    """Snapshot: everything seen. Changed: the one thing."""
    subject: UUID | None = None
    """Changed and Removed: the thing."""
    events: Sequence[Event] = ()
    """Changed and Removed: what happened to it, oldest first."""

    @property
    def version(self) -> int:
        """The version of the one thing that changed."""
        return next(iter(self.versions.values()), 0)


Wrap = Callable[[Update], Iterable[object]]


@dataclass(frozen=True, slots=True)
class _Packet:
    """An update and the messages made of it, the same objects for every equal subscriber."""

    update: Update
    messages: tuple[Message, ...]


async def look_at(pool: asyncpg.Pool, rows: str, *arguments: object) -> Look:
    """Run a select of `id` and `version` as one statement that also says what it saw."""
    statement = f"""
        with seen as ({rows})
        select {TAKEN}, (select coalesce(json_object_agg(id, version), '{{}}')::text from seen)
    """
    taken, versions = await pool.fetchrow(statement, *arguments)
    found = {UUID(key): int(version) for key, version in orjson.loads(versions).items()}
    return Look(Taken.of(taken), found)


class Live:
    """All live sources of this process."""

    def __init__(self, feed: Feed, *, key: bytes, clock: Callable[[], datetime]) -> None:
        self.feed = feed
        self.clock = clock
        self._key = key
        self._sources: dict[object, _Source] = {}

    def __len__(self) -> int:
        return len(self._sources)

    async def follow(
        self, context: Context, watch: Watch, after: str | None, wrap: Wrap
    ) -> AsyncGenerator[Message, None]:
        """Yield messages until the actor may no longer see them; raises BadCursor, Forbidden.

        Without a cursor a snapshot comes first; with one, what happened since. When that cannot
        be told any more (too old, another database, another role) a Resync and a snapshot come.
        """
        after = after or context.last_event_id
        while True:
            _ensure_may(context, watch)
            source = self._source(context, watch, wrap)
            member = source.join()
            try:
                async with aclosing(source.told(context, member, after)) as packets:
                    async for packet in packets:
                        changed = await context.fresh()
                        if _asker(changed) != _asker(context):
                            break
                        for message in packet.messages:
                            yield message
                    else:
                        return
            finally:
                source.leave(member)
            context, after = changed, ""

    def sealer(self, context: Context, watch: Watch) -> Sealer:
        """Cursors of this watch, good for actors of the same scope only."""
        scope = context.actor.scope
        reaches = "+".join(sorted(scope.reaches))
        purpose = f"{watch.name}:{reaches}:{scope.organisation_id}"
        return Sealer(self._key, epoch=self.feed.epoch, purpose=purpose)

    def _source(self, context: Context, watch: Watch, wrap: Wrap) -> _Source:
        name = (watch.name, watch.key, _asker(context))
        source = self._sources.get(name)
        if source is None or source.ended:
            source = _Source(self, context, watch, wrap)
            source.on_empty(lambda: self._sources.pop(name, None))
            self._sources[name] = source
        return source


class _Member:
    """One subscriber's queue: conflated when it is slow, cut off when it is too slow."""

    def __init__(self, joined_at: Position, limit: int = QUEUED) -> None:
        self.joined_at = joined_at
        self._limit = limit
        self._packets: deque[_Packet] = deque()
        self._arrived = asyncio.Event()
        self._failure: BaseException | None = None

    def put(self, packet: _Packet) -> None:
        self._packets.append(packet)
        if len(self._packets) > self._limit:
            newest = {one.update.subject: one for one in self._packets}
            kept = sorted(newest.values(), key=lambda one: one.update.position)
            self._packets = deque(kept)
            if len(kept) > self._limit * 9 // 10:
                self.fail(FellBehind("the subscriber is too slow"))
        self._arrived.set()

    def fail(self, failure: BaseException) -> None:
        self._failure = failure
        self._packets.clear()
        self._arrived.set()

    async def get(self) -> _Packet:
        await self._arrived.wait()
        if self._failure is not None:
            raise self._failure
        packet = self._packets.popleft()
        if not self._packets:
            self._arrived.clear()
        return packet


class _Source:
    """One watch for one kind of asker: listens to the feed, looks once, tells all its members."""

    def __init__(self, live: Live, context: Context, watch: Watch, wrap: Wrap) -> None:
        self._live = live
        self._context = context
        self._watch = watch
        self._wrap = wrap
        self._sealer = live.sealer(context, watch)
        self._members: set[_Member] = set()
        self._listener: Listener = live.feed.listen()
        self._position = self._listener.joined_at
        self._known: set[UUID] | None = None
        self._settled: OrderedDict[UUID, Taken] = OrderedDict()
        self._opening: asyncio.Task[tuple[_Packet, Taken]] | None = None
        self._opened_at = 0.0
        self._since_opening: list[_Packet] = []
        self._empty: Callable[[], object] = lambda: None
        self._task = asyncio.create_task(self._run(), name=f"live {watch.name}")
        self.ended = False

    def on_empty(self, callback: Callable[[], object]) -> None:
        """Call back when nobody is left."""
        self._empty = callback

    def join(self) -> _Member:
        """Take a subscriber on; it is told everything from here."""
        member = _Member(self._position)
        self._members.add(member)
        return member

    def leave(self, member: _Member) -> None:
        """Let a subscriber go; with the last one the source ends."""
        self._members.discard(member)
        if not self._members and not self.ended:
            self.ended = True
            self._listener.close()
            self._task.cancel()
            self._empty()

    async def told(
        self, context: Context, member: _Member, after: str | None
    ) -> AsyncGenerator[_Packet, None]:
        """Tell one subscriber what it has to know, from its cursor on."""
        begun = await self._resumed(context, member, after) if after else None
        if begun is None:
            if after is not None:
                yield self._resync()
            begun = await self._opened()
        for packet in begun.packets:
            yield packet
        while True:
            try:
                packet = await member.get()
            except FellBehind:
                yield self._resync()
                return
            if not begun.holds(packet.update):
                yield packet

    async def _resumed(self, context: Context, member: _Member, after: str) -> _Beginning | None:
        """What was missed since the cursor; None when that cannot be told. Raises BadCursor."""
        resumption = self._sealer.open(after, now=context.now)
        if resumption.too_old:
            return None
        try:
            return await self._missed(context, resumption.position, member.joined_at)
        except FellBehind:
            return None

    async def _missed(self, context: Context, after: Position, until: Position) -> _Beginning:
        events = []
        if after < until:
            events = await self._live.feed.between(context.pool, after, until)
        happened = self._by_subject(events)
        if not happened:
            return _Beginning([], _held_by({}, after))
        look = await self._watch.look(context, list(happened))
        gone = [key for key in happened if key not in look.versions]
        shown = set(await self._watch.seen_before(context, gone, after)) if gone else set()
        updates = self._updates(happened, look, shown)
        settled = dict.fromkeys(happened, look.taken)
        return _Beginning([self._packet(one) for one in updates], _held_by(settled, after))

    async def _opened(self) -> _Beginning:
        """A snapshot, shared with whoever asks for the same within a second."""
        loop = asyncio.get_running_loop()
        task = self._opening
        fresh = task is not None and loop.time() - self._opened_at < SHARED_SECONDS
        if task is None or not fresh or (task.done() and task.exception()):
            task = self._opening = asyncio.create_task(self._look_at_all())
            task.add_done_callback(_note_failure)
            self._opened_at = loop.time()
            self._since_opening = []
        since = list(self._since_opening)
        packet, taken = await asyncio.shield(task)
        later = [one for one in since if not _holds_all(taken, one.update)]
        return _Beginning([packet, *later], lambda update: _holds_all(taken, update))

    async def _look_at_all(self) -> tuple[_Packet, Taken]:
        look = await self._watch.look(self._now(), None)
        self._know(look)
        position = look.taken.position
        update = Update(Kind.SNAPSHOT, position, self._seal(position), look.versions)
        return self._packet(update), look.taken

    def _know(self, look: Look) -> None:
        if not look.complete:
            self._known = None
        elif self._known is None:
            self._known = set(look.versions)
        else:
            self._known |= look.versions.keys()

    async def _run(self) -> None:
        try:
            await self._again(self._learn)
            while True:
                events = await self._listener.batch()
                happened = self._by_subject(events)
                before = self._position
                if happened:
                    for packet in await self._again(partial(self._tell, happened, before)):
                        self._hand_out(packet)
                self._position = events[-1].position
        except Exception as error:
            if not isinstance(error, FellBehind):
                logger.exception("a live source failed")
            self.ended = True
            self._listener.close()
            for member in self._members:
                member.fail(error)
            self._empty()

    async def _learn(self) -> None:
        look = await self._watch.look(self._now(), None)
        self._know(look)

    async def _tell(self, happened: Mapping[UUID, list[Event]], before: Position) -> list[_Packet]:
        news = {
            key: events
            for key, events in happened.items()
            if not all(self._is_settled(key, event) for event in events)
        }
        if not news:
            return []
        context = self._now()
        look = await self._watch.look(context, list(news))
        gone = [key for key in news if key not in look.versions]
        if self._known is not None:
            shown = self._known.intersection(gone)
        else:
            shown = set(await self._watch.seen_before(context, gone, before)) if gone else set()
        updates = self._updates(news, look, shown)
        if self._known is not None:
            self._known.difference_update(gone)
            self._known.update(look.versions)
        self._settle(news, look.taken)
        return [self._packet(one) for one in updates]

    def _updates(
        self, happened: Mapping[UUID, list[Event]], look: Look, shown: set[UUID]
    ) -> list[Update]:
        updates = []
        for key, events in happened.items():
            last = events[-1].position
            kind = Kind.CHANGED if key in look.versions else Kind.REMOVED
            if kind is Kind.REMOVED and key not in shown:
                continue
            versions = {key: look.versions[key]} if kind is Kind.CHANGED else {}
            updates.append(Update(kind, last, self._seal(last), versions, key, tuple(events)))
        return updates

    def _by_subject(self, events: Iterable[Event]) -> dict[UUID, list[Event]]:
        """Gather events by what they concern, in the order of each thing's last event."""
        happened: dict[UUID, list[Event]] = {}
        for event in events:
            key = self._watch.subject_of(event)
            if key is not None:
                happened[key] = [*happened.pop(key, ()), event]
        return happened

    def _is_settled(self, key: UUID, event: Event) -> bool:
        taken = self._settled.get(key)
        return taken is not None and taken.holds(event.position)

    def _settle(self, keys: Iterable[UUID], taken: Taken) -> None:
        for key in keys:
            self._settled[key] = taken
            self._settled.move_to_end(key)
        passed = self._position.tx
        while self._settled and next(iter(self._settled.values())).beyond <= passed:
            self._settled.popitem(last=False)

    def _hand_out(self, packet: _Packet) -> None:
        if self._opening is not None:
            self._since_opening.append(packet)
            age = asyncio.get_running_loop().time() - self._opened_at
            if age > SHARED_SECONDS and self._opening.done():
                self._opening, self._since_opening = None, []
        for member in self._members:
            member.put(packet)

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until the database lets us: what happened must not be lost."""
        pause = 0.1
        while True:
            try:
                return await work()
            except _PASSING as error:
                logger.warning("live source waits for the database: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    def _packet(self, update: Update) -> _Packet:
        messages = tuple(Message(one) for one in self._wrap(update))
        if messages and update.kind is not Kind.RESYNC:
            messages[-1].cursor = update.cursor
        return _Packet(update, messages)

    def _resync(self) -> _Packet:
        return self._packet(Update(Kind.RESYNC, self._position, self._seal(self._position)))

    def _seal(self, position: Position) -> str:
        return self._sealer.seal(position, now=self._live.clock())

    def _now(self) -> Context:
        return replace(self._context, now=self._live.clock(), memo={})


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What a subscriber is told first, and which later updates that already holds."""

    packets: list[_Packet]
    holds: Callable[[Update], bool]


def _note_failure(task: asyncio.Task[object]) -> None:
    """Whoever waits for the task hears of its failure; if nobody does, that is no fault."""
    if not task.cancelled():
        task.exception()


def _holds_all(taken: Taken, update: Update) -> bool:
    return all(taken.holds(event.position) for event in update.events)


def _held_by(settled: Mapping[UUID, Taken], after: Position) -> Callable[[Update], bool]:
    def holds(update: Update) -> bool:
        if update.position <= after:
            return True
        taken = settled.get(update.subject) if update.subject else None
        return taken is not None and _holds_all(taken, update)

    return holds


def _asker(context: Context) -> tuple[object, ...]:
    return context.actor.scope, context.actor.permissions


def _ensure_may(context: Context, watch: Watch) -> None:
    if watch.permission is not None and not context.actor.may(watch.permission):
        raise Forbidden
