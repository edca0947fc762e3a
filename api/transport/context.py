"""What a resolver and the planner know about the operation they serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import asyncpg

    from itr.actor import Actor
    from itr.events.feed import Feed
    from itr.settings import Settings

Language = Literal["zh", "en"]
"""The two languages messages are written in; zh is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One operation's, or one subscription event's, view of who asks, when and of what.

    `now` is taken once; everything below takes it as an argument. A subscription gets a fresh
    context for every event, so that a role taken away is gone with the next message.
    """

    actor: Actor
    language: Language
    now: datetime
    pool: asyncpg.Pool
    """Raw connections for compiled reads; operations bring their own transactions."""
    feed: Feed
    settings: Settings
    secret_for: Callable[[str], bytes]
    """A 32-byte key for one purpose ("request cursor"), derived from the server's secret."""
    request_id: str
    client_address: str = ""
    last_event_id: str | None = None
    """The cursor an SSE client reconnects with; stands in for an absent `after`."""
    memo: dict[object, object] = field(default_factory=dict)
    """Values one operation computes once."""
    renew: Callable[[], Awaitable[tuple[Actor, datetime]]] | None = None
    """Reads actor and time again; raises Unauthenticated when the token's end has come."""

    async def fresh(self) -> Context:
        """Return this context as of now, with the actor as they stand now."""
        if self.renew is None:
            return self
        actor, now = await self.renew()
        return replace(self, actor=actor, now=now, memo={})
