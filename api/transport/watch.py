"""What a live source follows and what it tells: the words between resolvers and transport."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import orjson

from itr.events.cursor import Position
from itr.events.feed import TAKEN, Event, Taken

if TYPE_CHECKING:
    from api.transport.context import Context
    from itr.actors.roles import Permission
    from itr.database import Reads


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which of the things asked for are seen, with their versions, from one statement."""

    taken: Taken
    versions: Mapping[UUID, int]
    complete: bool = True
    """False when there are more things than listed, so that leaving cannot be told from them."""
    changes_at: datetime | None = None
    """When what was seen changes by the passing of time alone; a new snapshot is told then."""


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

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:
        """Which of the things (None: all there are) the actor sees and the filter keeps."""
        ...

    async def seen_before(
        self, context: Context, keys: Collection[UUID], position: Position
    ) -> Collection[UUID]:
        """Which of these things, now out of sight, the actor saw at `position` or later.

        Asked only where the source cannot know: for what happened before it began. Naming a
        thing that had left before tells the actor of others' business (S1).
        """
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
    """Everything up to here has been told with this update."""
    cursor: str
    """The same, sealed: where to go on from."""
    versions: Mapping[UUID, int] = field(default_factory=dict)
    """Snapshot: everything seen. Changed: the one thing."""
    subject: UUID | None = None
    """Changed and Removed: the thing."""
    events: Sequence[Event] = ()
    """Changed and Removed: what happened to it, oldest first."""
    complete: bool = True
    """Snapshot: whether there is nothing to see beside it."""

    @property
    def version(self) -> int:
        """The version of the one thing that changed."""
        return next(iter(self.versions.values()), 0)


Wrap = Callable[[Update], Iterable[object]]
"""Makes the source values of an update, for all subscribers of equal scope and permissions.

What GraphQL makes of a value is shared among them too; only the planner may look at who asks.
"""


async def snapshot_of(
    pool: Reads, rows: str, *arguments: object, changes_at: str = "null::timestamptz"
) -> Snapshot:
    """Run a select of `id` and `version` as one statement that also says what it saw.

    `changes_at` is an SQL expression that may select from these rows as `seen`.
    """
    statement = f"""
        with seen as ({rows})
        select {TAKEN}, (select coalesce(json_object_agg(id, version), '{{}}')::text from seen),
            ({changes_at})
    """
    taken, versions, changes = await pool.fetchrow(statement, *arguments)
    found = {UUID(key): int(version) for key, version in orjson.loads(versions).items()}
    return Snapshot(Taken.of(taken), found, changes_at=changes)
