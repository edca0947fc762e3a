"""One subscriber of a live source: its queue, conflated when it is slow, cut off when too slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from api.transport.executor import Message
from api.transport.watch import Update
from itr.events.cursor import Position
from itr.events.feed import FellBehind

QUEUED = 200
"""Messages that wait for one subscriber before they are conflated."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An update and the messages made of it, the same objects for every equal subscriber."""

    update: Update
    messages: tuple[Message, ...]


class Member:
    """One subscriber's queue: conflated when it is slow, cut off when it is too slow."""

    def __init__(
        self,
        joined_at: Position,
        repacked: Callable[[Update, Position], Packet],
        limit: int = QUEUED,
    ) -> None:
        self.joined_at = joined_at
        self._repacked = repacked
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
