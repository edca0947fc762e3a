"""What the planner needs to know of the operation it reads for."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class Reader(Protocol):
    """Who reads: hashable, and equal when it may see and read the same."""

    def __hash__(self) -> int:
        """Equal readers have equal hashes."""
        ...

    @property
    def id(self) -> UUID:
        """The person or machine."""
        ...

    @property
    def permissions(self) -> Collection[Any]:
        """What it may do; fields name the one they need."""
        ...

    @property
    def scope(self) -> Any:
        """Which rows it sees; only its text form is used here, to seal cursors."""
        ...


class Pool(Protocol):
    """Where statements run: an asyncpg pool, or something that counts in front of one."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """Run one statement and return its only value."""
        ...


class ReadContext(Protocol):
    """The part of `info.context` that reads use."""

    @property
    def actor(self) -> Reader:
        """Who asks."""
        ...

    @property
    def now(self) -> datetime:
        """The instant this operation or event stands for."""
        ...

    @property
    def pool(self) -> Pool:
        """Where to read."""
        ...

    @property
    def memory(self) -> MutableMapping[str, Any]:
        """What is known by heart of the database that is read, by the names of shared queries."""
        ...

    @property
    def language(self) -> str:
        """`zh` or `en`, for messages."""
        ...

    def secret_for(self, purpose: str) -> bytes:
        """Return the server's key for this purpose."""
        ...
