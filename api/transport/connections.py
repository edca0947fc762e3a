"""The long connections of this process: counted per actor, told of changes, closed together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Protocol
from uuid import UUID

from api.transport.errors import Refusal


class Connection(Protocol):
    """A socket or an event stream that lives for a while."""

    async def recheck(self) -> None:
        """Look whether the person behind it may still be here; end it if not."""

    async def go_away(self) -> None:
        """End it because the server stops; the client resumes elsewhere."""


class Connections:
    """All open connections, by person."""

    def __init__(self, *, per_actor: int) -> None:
        self._per_actor = per_actor
        self._open: defaultdict[UUID, set[Connection]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self.closing = False

    def __len__(self) -> int:
        return sum(len(connections) for connections in self._open.values())

    def join(self, person_id: UUID, connection: Connection) -> None:
        """Count a connection in; raises Refusal over the cap (S10)."""
        if len(self._open[person_id]) >= self._per_actor:
            raise Refusal("TOO_MANY_CONNECTIONS")
        self._open[person_id].add(connection)

    def leave(self, person_id: UUID, connection: Connection) -> None:
        """Count a connection out."""
        self._open[person_id].discard(connection)
        if not self._open[person_id]:
            del self._open[person_id]

    def changed(self, person_id: UUID | None) -> None:
        """Have the connections of a person, or of everybody, look at themselves again."""
        people = list(self._open) if person_id is None else [person_id]
        for person in people:
            for connection in self._open.get(person, ()):
                task = asyncio.create_task(connection.recheck())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def go_away(self) -> None:
        """End every connection, so that clients resume elsewhere; new ones are refused."""
        self.closing = True
        everybody = [one for connections in self._open.values() for one in connections]
        await asyncio.gather(*(one.go_away() for one in everybody), return_exceptions=True)
