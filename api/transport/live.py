"""Live sources: a snapshot, then what changed or left, resumable, computed once for equals.

A subscription's resolver hands a `Watch` to `Live.follow` and turns what comes into its own types:

    async def request_events(self, info, filter=None, after=None) -> AsyncGenerator[…]:
        return info.context.live.follow(info.context, RequestsWatch(filter), after, wrap)

`wrap` makes the source values of one `Update`; it is called once for all equal subscribers, and
what GraphQL makes of each value is computed once for equal documents, variables and scopes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

from api.transport.executor import Message
from api.transport.source import Source
from api.transport.watch import Kind, Snapshot, Update, Watch, Wrap, snapshot_of
from itr.errors import Forbidden
from itr.events.cursor import Sealer
from itr.events.feed import Feed

if TYPE_CHECKING:
    from api.transport.context import Context
    from itr.database import Reads

__all__ = ["Kind", "Live", "Snapshot", "Update", "Watch", "Wrap", "snapshot_of"]


class Live:
    """All live sources of this process."""

    def __init__(
        self, feed: Feed, log: Reads, *, key: bytes, clock: Callable[[], datetime]
    ) -> None:
        self.feed = feed
        self.log = log
        """Where what was missed is read anew; what of it is told, the watch decides."""
        self.clock = clock
        self._key = key
        self._sources: dict[object, Source] = {}

    def __len__(self) -> int:
        return len(self._sources)

    async def follow(
        self,
        context: Context,
        watch: Watch,
        after: str | None,
        wrap: Wrap,
        *,
        pace: float = 0.0,
    ) -> AsyncGenerator[Message, None]:
        """Yield messages until the actor may no longer see them; raises BadCursor, Forbidden.

        Without a cursor a snapshot comes first; with one, what happened since. When that cannot
        be told any more (too old, another database, another role) a Resync and a snapshot come.
        `pace` is the least time in seconds between two snapshots that changes cause.
        """
        after = after or context.last_event_id
        while True:
            _ensure_may(context, watch)
            source = self._source(context, watch, wrap, pace)
            member = source.join()
            try:
                async with aclosing(source.packets_for(context, member, after)) as packets:
                    async for packet in packets:
                        changed = await context.current()
                        if changed is not context and _asker(changed) != _asker(context):
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
        purpose = f"{watch.name}:{reaches}:{scope.organisation_id}:{scope.boards}"
        return Sealer(self._key, epoch=self.feed.epoch, purpose=purpose)

    def _source(self, context: Context, watch: Watch, wrap: Wrap, pace: float) -> Source:
        name = (watch.name, watch.key, _asker(context))
        source = self._sources.get(name)
        if source is None or source.ended:
            sealer = self.sealer(context, watch)
            source = Source(self.feed, context, watch, wrap, sealer=sealer, pace=pace)
            source.on_empty(lambda: self._sources.pop(name, None))
            self._sources[name] = source
        return source


def _asker(context: Context) -> tuple[object, ...]:
    return context.actor.scope, context.actor.permissions


def _ensure_may(context: Context, watch: Watch) -> None:
    if watch.permission is not None and not context.actor.may(watch.permission):
        raise Forbidden
