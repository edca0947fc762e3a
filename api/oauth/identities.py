"""From a token to the actor behind it, out of memory, as current as the event log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.oauth.tokens import Claims, Unauthenticated, verify_token
from itr.actor import Actor
from itr.events.feed import Event, Feed
from itr.settings import Settings

K = TypeVar("K")
V = TypeVar("V")
LoadActor = Callable[[UUID], Awaitable[Actor | None]]
PEOPLE = frozenset({"person", "organisation", "role_assignment"})
"""Subject types whose events may change who somebody is."""
_REMEMBERED = 20_000
_TRUSTED_LAG = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the token that lets a client act as them."""

    actor: Actor
    claims: Claims


class Identities:
    """Verifies tokens and remembers actors until an event says that they changed (S9).

    A warm token costs no query. While the feed is behind, nothing remembered is trusted.
    """

    def __init__(
        self, settings: Settings, feed: Feed, load_actor: LoadActor, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._load_actor = load_actor
        self._clock = clock
        self._claims: OrderedDict[str, Claims] = OrderedDict()
        self._actors: OrderedDict[UUID, dict[str, Actor]] = OrderedDict()
        self._generation = 0
        self._changed: list[Callable[[UUID | None], object]] = []
        feed.watch(self._hear)

    def on_change(self, callback: Callable[[UUID | None], object]) -> None:
        """Call `callback` with the person who may have changed, or None for anybody."""
        self._changed.append(callback)

    async def identify(self, token: str) -> Identity:
        """Return who holds the token; raises Unauthenticated."""
        claims = self._claims.get(token)
        if claims is None:
            claims = verify_token(self._settings, token, now=self._clock())
            _remember(self._claims, token, claims)
        return await self.renew(claims)

    async def renew(self, claims: Claims) -> Identity:
        """Return the identity as it stands now; raises Unauthenticated when it has ended."""
        if self._clock() >= claims.expires_at:
            raise Unauthenticated
        actor = self._actors.get(claims.person_id, {}).get(claims.client_id)
        if actor is None or self._feed.lag > _TRUSTED_LAG:
            actor = await self._load(claims)
        return Identity(actor, claims)

    async def _load(self, claims: Claims) -> Actor:
        generation = self._generation
        actor = await self._load_actor(claims.person_id)
        if actor is None:
            raise Unauthenticated
        actor = replace(actor, client_id=claims.client_id)
        if generation == self._generation:
            by_client = self._actors.get(claims.person_id, {}) | {claims.client_id: actor}
            _remember(self._actors, claims.person_id, by_client)
        return actor

    def _hear(self, event: Event) -> None:
        if event.subject_type not in PEOPLE:
            return
        self._generation += 1
        person = event.subject if event.subject_type == "person" else None
        if person is None:
            self._actors.clear()
        else:
            self._actors.pop(person, None)
        for callback in self._changed:
            callback(person)


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
