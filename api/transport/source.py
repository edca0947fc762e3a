"""One watch followed for one kind of asker: one snapshot, shared by all its subscribers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
)
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from api.transport.errors import is_unexpected
from api.transport.executor import Message
from api.transport.known import Known
from api.transport.members import Member, Packet
from api.transport.watch import Kind, Snapshot, Update, Watch, Wrap
from itr import spans
from itr.database import AWAY
from itr.events.cursor import Position, Sealer
from itr.events.feed import BATCH, Event, Feed, FellBehind, Listener, Taken
from itr.retrying import until_done

if TYPE_CHECKING:
    from api.transport.context import Context

logger = logging.getLogger("itr.live")

SHARED_SECONDS = 1.0
"""How long a snapshot serves others who ask for the same."""
LISTENED = 20_000
"""Events that wait for a source before its subscribers have to start over."""
SOONEST = 0.05
"""Seconds between two snapshots that only the passing of time causes."""
T = TypeVar("T")


class Source:
    """One watch for one kind of asker: follows the feed, takes one snapshot for all its members."""

    def __init__(
        self,
        feed: Feed,
        context: Context,
        watch: Watch,
        wrap: Wrap,
        *,
        sealer: Sealer,
        pace: float = 0.0,
    ) -> None:
        self._feed = feed
        self._context = context
        self._watch = watch
        self._wrap = wrap
        self._sealer = sealer
        self._pace = pace
        self._changes_at: datetime | None = None
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
        self._task = asyncio.create_task(
            self._run(), name=f"live {watch.name}", context=spans.apart()
        )
        self.ended = False

    def on_empty(self, callback: Callable[[], object]) -> None:
        """Call back when nobody is left."""
        self._empty = callback

    def join(self) -> Member:
        """Take a subscriber on; it is told everything from here."""
        member = Member(self.position, self.repacked)
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

    async def packets_for(
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
                events = await self._feed.between(context.live.log, after, until)
            happened = self._by_subject(events)
            snapshot = await self._watch.snapshot(context, list(happened))
            doubt(snapshot.taken)
        gone = [key for key in happened if key not in snapshot.versions]
        shown = set(await self._watch.seen_before(context, gone, after)) if gone else set()
        updates = self._updates(happened, snapshot, shown, until=until)
        settled = dict.fromkeys(happened, snapshot.taken)
        return _Beginning([self._packet(one) for one in updates], _held_by(settled, after))

    async def _opened(self) -> _Beginning:
        """A snapshot, shared with whoever asks for the same within a second."""
        loop = asyncio.get_running_loop()
        task = self._opening
        fresh = task is not None and loop.time() - self._opened_at < SHARED_SECONDS
        if task is None or not fresh or (task.done() and task.exception()):
            task = self._opening = asyncio.create_task(self._snapshot_packet())
            task.add_done_callback(_note_failure)
            self._opened_at = loop.time()
            self._since_opening = []
        since = list(self._since_opening)
        packet, taken = await asyncio.shield(task)
        later = [one for one in since if not _holds_all(taken, one.update)]
        return _Beginning([packet, *later], lambda update: _holds_all(taken, update))

    async def _snapshot_packet(self) -> tuple[Packet, Taken]:
        snapshot = await self._snapshot()
        position = snapshot.taken.position
        cursor = self._seal(position)
        update = Update(
            Kind.SNAPSHOT, position, cursor, snapshot.versions, complete=snapshot.complete
        )
        return self._packet(update), snapshot.taken

    async def _snapshot(self) -> Snapshot:
        with self._known.in_doubt() as doubt:
            snapshot = await self._watch.snapshot(self._now(), None)
            self._known.add_all(snapshot)
            doubt(snapshot.taken)
        self._changes_at = _earlier(self._changes_at, snapshot.changes_at)
        return snapshot

    async def _run(self) -> None:
        try:
            await self._again(self._snapshot)
            while True:
                events = await self._next_events()
                if not events:
                    await self._renew()
                    continue
                happened = self._by_subject(events)
                until = events[-1].position
                if happened:
                    tell = partial(self._tell, happened, self.position, until)
                    for packet in await self._again(tell):
                        self._hand_out(packet)
                self.position = until
                if happened and self._pace:
                    await asyncio.sleep(self._pace)
        except Exception as error:
            if not isinstance(error, FellBehind) and is_unexpected(error):
                logger.exception("a live source failed")
            self.ended = True
            self._listener.close()
            for member in self._members:
                member.fail(error)
            self._empty()

    async def _next_events(self) -> list[Event]:
        """What happened next; nothing when what was seen has changed by itself before."""
        try:
            async with asyncio.timeout(self._until_it_changes()):
                events = await self._listener.batch(LISTENED if self._pace else BATCH)
        except TimeoutError:
            return []
        if self._listener.skipped:
            raise FellBehind("the source is too slow")
        return events

    def _until_it_changes(self) -> float | None:
        if self._changes_at is None:
            return None
        return max(SOONEST, (self._changes_at - self._clock()).total_seconds())

    async def _renew(self) -> None:
        """Show everybody the whole picture anew when time alone has changed it."""
        if self._changes_at is not None and self._changes_at <= self._clock():
            self._changes_at = None  # the snapshot says when next
            packet, _ = await self._again(self._snapshot_packet)
            self._hand_out(packet)

    async def _tell(
        self, happened: Mapping[UUID, list[Event]], before: Position, until: Position
    ) -> list[Packet]:
        context = self._now()
        snapshot = await self._watch.snapshot(context, list(happened))
        self._changes_at = _earlier(self._changes_at, snapshot.changes_at)
        gone = [key for key in happened if key not in snapshot.versions]
        shown: set[UUID] = set()
        asked: set[UUID] = set()
        while unsure := self._unsure(gone, happened) - asked:
            asked |= unsure  # whoever joins while we ask brings new doubt
            shown |= set(await self._watch.seen_before(context, unsure, before))
        shown |= self._known.among(gone)
        updates = self._updates(happened, snapshot, shown, until=until)
        self._known.saw(happened, snapshot, passed=before)
        return [self._packet(one) for one in updates]

    def _unsure(self, gone: Iterable[UUID], happened: Mapping[UUID, list[Event]]) -> set[UUID]:
        return {key for key in gone if self._known.unsure(key, happened[key])}

    def _updates(
        self,
        happened: Mapping[UUID, list[Event]],
        snapshot: Snapshot,
        shown: Collection[UUID],
        *,
        until: Position,
    ) -> list[Update]:
        """Say what happened, in order of each thing's first event.

        Each update covers the log up to the first event that is not yet told, so that going on
        from any of them misses nothing.
        """
        told = [key for key in happened if key in snapshot.versions or key in shown]
        following = [_just_before(happened[key][0].position) for key in told[1:]]
        updates = []
        for key, position in zip(told, [*following, until], strict=False):
            kind = Kind.CHANGED if key in snapshot.versions else Kind.REMOVED
            versions = {key: snapshot.versions[key]} if kind is Kind.CHANGED else {}
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

        def waits(error: Exception) -> None:
            logger.warning("live source waits for the database: %s", type(error).__name__)

        return await until_done(work, on=AWAY, tell=waits)

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


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


def _holds_all(taken: Taken, update: Update) -> bool:
    """Whether a snapshot already held what an update tells; a later whole picture is always new."""
    if update.kind is Kind.SNAPSHOT:
        return False
    return all(taken.holds(event.position) for event in update.events)


def _held_by(settled: Mapping[UUID, Taken], after: Position) -> Callable[[Update], bool]:
    def holds(update: Update) -> bool:
        if update.events and update.events[-1].position <= after:
            return True
        taken = settled.get(update.subject) if update.subject else None
        return taken is not None and _holds_all(taken, update)

    return holds
