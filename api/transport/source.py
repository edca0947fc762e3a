"""One watch followed for one kind of asker: looked at once, told to all its subscribers."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from api.transport.executor import Message
from api.transport.watch import Kind, Look, Update, Watch, Wrap
from itr.database import AWAY
from itr.events.cursor import Position, Sealer
from itr.events.feed import Event, Feed, FellBehind, Listener, Taken

if TYPE_CHECKING:
    from api.transport.context import Context

logger = logging.getLogger("itr.live")

SHARED_SECONDS = 1.0
"""How long a snapshot serves others who ask for the same."""
QUEUED = 200
"""Messages that wait for one subscriber before they are conflated."""
LISTENED = 20_000
"""Events that wait for a source before its subscribers have to start over."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Packet:
    """An update and the messages made of it, the same objects for every equal subscriber."""

    update: Update
    messages: tuple[Message, ...]


class Member:
    """One subscriber's queue: conflated when it is slow, cut off when it is too slow."""

    def __init__(self, source: Source, limit: int = QUEUED) -> None:
        self.joined_at = source.position
        self._repacked = source.repacked
        self._told = self.joined_at
        self._limit = limit
        self._packets: deque[Packet] = deque()
        self._arrived = asyncio.Event()
        self._failure: BaseException | None = None

    def put(self, packet: Packet) -> None:
        """Take a packet in; over the limit only the newest of each thing is kept."""
        self._packets.append(packet)
        if len(self._packets) > self._limit:
            self._conflate()
        self._arrived.set()

    def _conflate(self) -> None:
        newest: dict[UUID | None, Packet] = {}
        for packet in self._packets:
            newest.pop(packet.update.subject, None)
            newest[packet.update.subject] = packet
        *earlier, last = newest.values()
        if len(earlier) > self._limit * 9 // 10:
            self.fail(FellBehind("the subscriber is too slow"))
            return
        # What is left out is made up for by the last: before it, one can only go on from here.
        kept = (self._repacked(packet.update, self._told) for packet in earlier)
        self._packets = deque([*kept, last])

    def fail(self, failure: BaseException) -> None:
        """End the queue: the next read raises the failure."""
        self._failure = failure
        self._packets.clear()
        self._arrived.set()

    async def get(self) -> Packet:
        """Wait for the next packet."""
        await self._arrived.wait()
        if self._failure is not None:
            raise self._failure
        packet = self._packets.popleft()
        self._told = packet.update.position
        if not self._packets:
            self._arrived.clear()
        return packet


class Known:
    """What subscribers have been shown, as far as it can be told, so that leaving can be.

    What a statement sees runs ahead of the feed: a thing may come and go before its events are
    read, and a subscriber may have seen it in between. Where that can be, there is doubt, and
    the watch is asked for the thing's history instead.
    """

    def __init__(self) -> None:
        self._shown: set[UUID] = set()
        self._complete = True
        self._looking = 0
        self._looked: Taken | None = None
        self._ahead: OrderedDict[UUID, Taken] = OrderedDict()

    @contextmanager
    def in_doubt(self) -> Iterator[Callable[[Taken], None]]:
        """Doubt everything during the block, and afterwards all that its look already held."""
        self._looking += 1
        try:
            yield self._doubt
        finally:
            self._looking -= 1

    def add_all(self, look: Look) -> None:
        """Take note of everything there is to see."""
        self._shown |= look.versions.keys()
        self._complete = look.complete

    def among(self, gone: Collection[UUID]) -> set[UUID]:
        """Which of the things out of sight were shown."""
        return self._shown.intersection(gone)

    def unsure(self, key: UUID, events: Iterable[Event]) -> bool:
        """Whether a thing that is not known may have been shown nevertheless."""
        if key in self._shown:
            return False
        if self._looking or not self._complete:
            return True
        looks = [look for look in (self._looked, self._ahead.get(key)) if look is not None]
        return any(look.holds(event.position) for look in looks for event in events)

    def saw(self, happened: Mapping[UUID, list[Event]], look: Look, *, passed: Position) -> None:
        """Take note of a look at what happened."""
        self._shown.difference_update(happened)
        self._shown.update(look.versions)
        for key in happened:
            self._ahead[key] = look.taken
            self._ahead.move_to_end(key)
        while self._ahead and next(iter(self._ahead.values())).beyond <= passed.tx:
            self._ahead.popitem(last=False)

    def _doubt(self, taken: Taken) -> None:
        if self._looked is None or taken.beyond >= self._looked.beyond:
            self._looked = taken


class Source:
    """One watch for one kind of asker: listens to the feed, looks once, tells all its members."""

    def __init__(
        self, feed: Feed, context: Context, watch: Watch, wrap: Wrap, *, sealer: Sealer
    ) -> None:
        self._feed = feed
        self._context = context
        self._watch = watch
        self._wrap = wrap
        self._sealer = sealer
        self._clock = context.live.clock
        self._members: set[Member] = set()
        self._listener: Listener = feed.listen(limit=LISTENED)
        self.position = self._listener.joined_at
        """How far the log has been told."""
        self._known = Known()
        self._opening: asyncio.Task[tuple[Packet, Taken]] | None = None
        self._opened_at = 0.0
        self._since_opening: list[Packet] = []
        self._empty: Callable[[], object] = lambda: None
        self._task = asyncio.create_task(self._run(), name=f"live {watch.name}")
        self.ended = False

    def on_empty(self, callback: Callable[[], object]) -> None:
        """Call back when nobody is left."""
        self._empty = callback

    def join(self) -> Member:
        """Take a subscriber on; it is told everything from here."""
        member = Member(self)
        self._members.add(member)
        return member

    def leave(self, member: Member) -> None:
        """Let a subscriber go; with the last one the source ends."""
        self._members.discard(member)
        if not self._members and not self.ended:
            self.ended = True
            self._listener.close()
            self._task.cancel()
            self._empty()

    async def told(
        self, context: Context, member: Member, after: str | None
    ) -> AsyncGenerator[Packet, None]:
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

    async def _resumed(self, context: Context, member: Member, after: str) -> _Beginning | None:
        """What was missed since the cursor; None when that cannot be told. Raises BadCursor."""
        resumption = self._sealer.open(after, now=context.now)
        if resumption.too_old:
            return None
        try:
            return await self._missed(context, resumption.position, member.joined_at)
        except FellBehind:
            return None

    async def _missed(self, context: Context, after: Position, until: Position) -> _Beginning:
        with self._known.in_doubt() as doubt:
            events = []
            if after < until:
                events = await self._feed.between(context.pool, after, until)
            happened = self._by_subject(events)
            look = await self._watch.look(context, list(happened))
            doubt(look.taken)
        gone = [key for key in happened if key not in look.versions]
        shown = set(await self._watch.seen_before(context, gone, after)) if gone else set()
        updates = self._updates(happened, look, shown, until=until)
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

    async def _look_at_all(self) -> tuple[Packet, Taken]:
        look = await self._look_around()
        position = look.taken.position
        update = Update(Kind.SNAPSHOT, position, self._seal(position), look.versions)
        return self._packet(update), look.taken

    async def _look_around(self) -> Look:
        with self._known.in_doubt() as doubt:
            look = await self._watch.look(self._now(), None)
            self._known.add_all(look)
            doubt(look.taken)
        return look

    async def _run(self) -> None:
        try:
            await self._again(self._look_around)
            while True:
                events = await self._next_events()
                happened = self._by_subject(events)
                until = events[-1].position
                if happened:
                    tell = partial(self._tell, happened, self.position, until)
                    for packet in await self._again(tell):
                        self._hand_out(packet)
                self.position = until
        except Exception as error:
            if not isinstance(error, FellBehind):
                logger.exception("a live source failed")
            self.ended = True
            self._listener.close()
            for member in self._members:
                member.fail(error)
            self._empty()

    async def _next_events(self) -> list[Event]:
        events = await self._listener.batch()
        if self._listener.skipped:
            raise FellBehind("the source is too slow")
        return events

    async def _tell(
        self, happened: Mapping[UUID, list[Event]], before: Position, until: Position
    ) -> list[Packet]:
        context = self._now()
        look = await self._watch.look(context, list(happened))
        gone = [key for key in happened if key not in look.versions]
        shown: set[UUID] = set()
        asked: set[UUID] = set()
        while unsure := self._unsure(gone, happened) - asked:
            asked |= unsure  # whoever joins while we ask brings new doubt
            shown |= set(await self._watch.seen_before(context, unsure, before))
        shown |= self._known.among(gone)
        updates = self._updates(happened, look, shown, until=until)
        self._known.saw(happened, look, passed=before)
        return [self._packet(one) for one in updates]

    def _unsure(self, gone: Iterable[UUID], happened: Mapping[UUID, list[Event]]) -> set[UUID]:
        return {key for key in gone if self._known.unsure(key, happened[key])}

    def _updates(
        self,
        happened: Mapping[UUID, list[Event]],
        look: Look,
        shown: Collection[UUID],
        *,
        until: Position,
    ) -> list[Update]:
        """Say what happened, in order of each thing's first event.

        Each update covers the log up to the first event that is not yet told, so that going on
        from any of them misses nothing.
        """
        told = [key for key in happened if key in look.versions or key in shown]
        following = [_just_before(happened[key][0].position) for key in told[1:]]
        updates = []
        for key, position in zip(told, [*following, until], strict=False):
            kind = Kind.CHANGED if key in look.versions else Kind.REMOVED
            versions = {key: look.versions[key]} if kind is Kind.CHANGED else {}
            events = tuple(happened[key])
            updates.append(Update(kind, position, self._seal(position), versions, key, events))
        return updates

    def _by_subject(self, events: Iterable[Event]) -> dict[UUID, list[Event]]:
        happened: dict[UUID, list[Event]] = {}
        for event in events:
            key = self._watch.subject_of(event)
            if key is not None:
                happened.setdefault(key, []).append(event)
        return happened

    def _hand_out(self, packet: Packet) -> None:
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
            except AWAY as error:
                logger.warning("live source waits for the database: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    def repacked(self, update: Update, position: Position) -> Packet:
        """The same update, to be gone on from an earlier place."""
        return self._packet(replace(update, position=position, cursor=self._seal(position)))

    def _packet(self, update: Update) -> Packet:
        messages = tuple(Message(one) for one in self._wrap(update))
        if messages and update.kind is not Kind.RESYNC:
            messages[-1].cursor = update.cursor
        return Packet(update, messages)

    def _resync(self) -> Packet:
        return self._packet(Update(Kind.RESYNC, self.position, self._seal(self.position)))

    def _seal(self, position: Position) -> str:
        return self._sealer.seal(position, now=self._clock())

    def _now(self) -> Context:
        return replace(self._context, now=self._clock(), memo={})


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What a subscriber is told first, and which later updates that already holds."""

    packets: list[Packet]
    holds: Callable[[Update], bool]


def _note_failure(task: asyncio.Task[object]) -> None:
    """Whoever waits for the task hears of its failure; if nobody does, that is no fault."""
    if not task.cancelled():
        task.exception()


def _just_before(position: Position) -> Position:
    return Position(position.tx, position.id - 1)


def _holds_all(taken: Taken, update: Update) -> bool:
    return all(taken.holds(event.position) for event in update.events)


def _held_by(settled: Mapping[UUID, Taken], after: Position) -> Callable[[Update], bool]:
    def holds(update: Update) -> bool:
        if update.events and update.events[-1].position <= after:
            return True
        taken = settled.get(update.subject) if update.subject else None
        return taken is not None and _holds_all(taken, update)

    return holds
