"""From a token to the actor behind it, out of memory, as current as the event log."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.oauth.issuers import Issuers
from api.oauth.keys import KeyRing
from api.oauth.tokens import Claims, Unauthenticated, verify_token
from itr.access.operations import recording, signing_keys
from itr.access.operations.standing import Credential, stands
from itr.access.scopes import permitted_by
from itr.actors.actor import Actor
from itr.events.feed import Event, Feed
from itr.retrying import until_done
from itr.settings import Settings

logger = logging.getLogger("itr.oauth")

K = TypeVar("K")
V = TypeVar("V")
LoadActor = Callable[[UUID], Awaitable[Actor | None]]
PEOPLE = frozenset({"person", "organisation", "role_assignment"})
"""Subject types whose events may change who somebody is."""
ENDING = PEOPLE | {recording.CLIENT, recording.GRANT, recording.TOKEN, recording.KEY}
"""Subject types whose events may end a token: heard whatever else the log waits for (S9)."""
_REMEMBERED = 20_000
_TRUSTED_LAG = 5.0
_TRUSTED_SILENCE = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the token that lets a client act as them."""

    actor: Actor
    claims: Claims


class Identities:
    """Verifies tokens and remembers actors until an event says that they changed (S9).

    A token is looked up once, when this process first sees it; from then on it costs no query,
    and what ends it is heard by the feed. While the feed is behind, nothing remembered is trusted.
    """

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        load_actor: LoadActor,
        clock: Callable[[], datetime],
        ring: KeyRing | None = None,
        issuers: Issuers | None = None,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._load_actor = load_actor
        self._clock = clock
        self.ring = ring or KeyRing.first_of(settings)
        self._issuers = issuers or Issuers()
        self._claims: OrderedDict[str, Claims] = OrderedDict()
        self._actors: OrderedDict[UUID, dict[tuple[str, str | None], Actor]] = OrderedDict()
        self._ended: dict[UUID | str, None] = {}
        self._generation = 0
        self._changed: list[Callable[[UUID | None], object]] = []
        self._renewing: set[asyncio.Task[None]] = set()
        feed.watch(self._hear, urgent=ENDING)

    def on_change(self, callback: Callable[[UUID | None], object]) -> None:
        """Call `callback` with the person who may have changed, or None for anybody."""
        self._changed.append(callback)

    async def identify(self, token: str) -> Identity:
        """Return who holds the token; raises Unauthenticated."""
        claims = self._claims.get(token)
        if claims is None:
            claims = await self._verified(token)
            generation = self._generation
            await self._ensure_stands(claims)
            if generation == self._generation:
                _remember(self._claims, token, claims)
        return await self.renew(claims)

    async def renew(self, claims: Claims) -> Identity:
        """Return the identity as it stands now; raises Unauthenticated when it has ended."""
        if self._clock() >= claims.expires_at or self._has_ended(claims):
            raise Unauthenticated
        actor = self._actors.get(claims.person_id, {}).get((claims.client_id, claims.scope))
        if self._feed.lag > _TRUSTED_LAG or self._feed.silence > _TRUSTED_SILENCE:
            await self._ensure_stands(claims)
            actor = None
        return Identity(actor or await self._load(claims), claims)

    async def load_keys(self) -> None:
        """Take over the signing keys as the database has them."""
        self.ring.replace(await signing_keys.generations())

    def _has_ended(self, claims: Claims) -> bool:
        ended = self._ended
        return (
            claims.grant_id in ended
            or claims.token_id in ended
            or claims.client_id in ended
            or not (
                claims.key_id is None
                or claims.key_id in self.ring
                or claims.key_id in self._issuers
            )
        )

    async def _verified(self, token: str) -> Claims:
        now = self._clock()
        if self._issuers.vouches(token):
            claims = await self._issuers.claims(token, now=now)
            self._actors.pop(claims.person_id, None)
            return claims
        return verify_token(self._settings, token, now=now, ring=self.ring)

    async def _ensure_stands(self, claims: Claims) -> None:
        if not await stands(Credential(claims.token_id, claims.grant_id, claims.client_id)):
            raise Unauthenticated

    async def _load(self, claims: Claims) -> Actor:
        generation = self._generation
        actor = await self._load_actor(claims.person_id)
        if actor is None:
            raise Unauthenticated
        narrowed = None if claims.scope is None else permitted_by(claims.scope)
        actor = replace(actor, client_id=claims.client_id, narrowed_to=narrowed)
        if generation == self._generation:
            how = (claims.client_id, claims.scope)
            remembered = self._actors.get(claims.person_id, {}) | {how: actor}
            _remember(self._actors, claims.person_id, remembered)
        return actor

    def _hear(self, event: Event) -> None:
        if event.subject_type in PEOPLE:
            self._person_changed(event.subject if event.subject_type == "person" else None)
        elif event.type == "GrantEnded":
            self._end(event.subject, UUID(event.payload["person"]))
        elif event.type == "TokenRevoked":
            self._end(event.subject.hex, UUID(event.payload["person"]))
        elif event.type == "ClientDeactivated":
            self._end(str(event.payload["clientId"]), None)
        elif event.subject_type == recording.KEY:
            task = asyncio.create_task(self._keys_changed(), name="signing keys")
            self._renewing.add(task)
            task.add_done_callback(self._renewing.discard)

    def _person_changed(self, person: UUID | None) -> None:
        self._generation += 1
        if person is None:
            self._actors.clear()
        else:
            self._actors.pop(person, None)
        self._tell(person)

    def _end(self, what: UUID | str, person: UUID | None) -> None:
        self._generation += 1
        if len(self._ended) >= _REMEMBERED:
            self._ended.clear()
            self._claims.clear()
        self._ended[what] = None
        self._tell(person)

    async def _keys_changed(self) -> None:
        def unread(error: Exception) -> None:
            logger.warning("signing keys cannot be read: %s", type(error).__name__)

        await until_done(self.load_keys, on=Exception, tell=unread)
        self._tell(None)

    def _tell(self, person: UUID | None) -> None:
        for callback in self._changed:
            callback(person)


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
