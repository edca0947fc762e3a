"""What a resolver and the planner know about the operation they serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from itr.errors import Language

if TYPE_CHECKING:
    from api.transport.budget import QueryCost
    from api.transport.live import Live
    from itr.actors.actor import Actor
    from itr.database import Database, Reads
    from itr.events.feed import Feed
    from itr.settings import Settings


@dataclass(slots=True)
class Stream:
    """What a running subscription tells its transport beside its results."""

    cursor: str | None = None
    """Where the message that is being sent can be resumed from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One operation's, or one subscription event's, view of who asks, when and of what.

    `now` is taken once; everything below takes it as an argument. A subscription gets a fresh
    context for every event, so that a role taken away is gone with the next message.
    """

    actor: Actor
    language: Language
    now: datetime
    database: Database
    feed: Feed
    live: Live
    """Where subscriptions come from."""
    settings: Settings
    keys: Callable[[str], bytes]
    request_id: str
    client_address: str = ""
    last_event_id: str | None = None
    """The cursor an SSE client reconnects with; stands in for an absent `after`."""
    stream: Stream | None = None
    """Set for subscriptions only."""
    query_cost: QueryCost | None = None
    """What the operation costs whom; None where nobody counts."""
    memo: dict[object, object] = field(default_factory=dict)
    """Values one operation computes once."""
    renew: Callable[[], Awaitable[Actor]] | None = None
    """Reads the actor again; raises Unauthenticated when the token's end has come."""

    @property
    def pool(self) -> Reads:
        """Where compiled reads run, for whoever asks; operations bring their own transactions."""
        return self.database.reads_of(self.actor)

    @property
    def memory(self) -> dict[str, Any]:
        """What is known of the database by heart."""
        return self.database.memory

    def secret_for(self, purpose: str) -> bytes:
        """Return the server's 32-byte key for one purpose, such as "request cursor"."""
        return self.keys(purpose)

    async def fresh(self) -> Context:
        """Return this context as of now, with the actor as they stand now."""
        return (await self.current()).as_of_now()

    async def current(self) -> Context:
        """Return this context as it is, unless the actor is no longer who they were."""
        if self.renew is None:
            return self
        actor = await self.renew()
        same = actor is self.actor or actor == self.actor
        return self if same else replace(self, actor=actor, memo={})

    def as_of_now(self) -> Context:
        """Return this context at the present instant."""
        return replace(self, now=self.live.clock(), memo={})
